//! TLS for outgoing requests: certificate checks cannot be turned off.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, IpAddr, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::super::errors;
use crate::bindings::wasi::http::types::ErrorCode;

/// Root certificates of the authorities that servers are verified by.
#[derive(Clone, Default)]
pub struct TlsRoots(Roots);

#[derive(Clone, Default)]
enum Roots {
    #[default]
    System,
    Given(Arc<RootCertStore>),
}

/// The error for text without usable certificates.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the root certificates cannot be used: {0}; give one or more certificates in PEM")]
pub struct InvalidRoots(String);

impl TlsRoots {
    /// Returns the operating system's root certificates, read when they are first needed: the default. On a system without any,
    /// the roots that browsers trust.
    pub fn system() -> TlsRoots {
        TlsRoots::default()
    }

    /// Reads certificates in PEM, which replace those of the system.
    ///
    /// # Errors
    /// [`InvalidRoots`] if there are none, or one of them cannot be read.
    pub fn from_pem(pem: &[u8]) -> Result<TlsRoots, InvalidRoots> {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| InvalidRoots(error.to_string()))?;
            let added = store.add(certificate);
            added.map_err(|error| InvalidRoots(error.to_string()))?;
        }
        match store.is_empty() {
            true => Err(InvalidRoots("there are none".to_owned())),
            false => Ok(TlsRoots(Roots::Given(Arc::new(store)))),
        }
    }

    /// Builds the configuration of TLS with these roots.
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, ErrorCode> {
        let store = match &self.0 {
            Roots::Given(store) => store.clone(),
            Roots::System => {
                let found = rustls_native_certs::load_native_certs();
                let mut store = RootCertStore::empty();
                store.add_parsable_certificates(found.certs);
                match store.is_empty() {
                    true => Arc::new(bundled()),
                    false => Arc::new(store),
                }
            }
        };
        make(store).ok_or(ErrorCode::ConfigurationError)
    }
}

impl fmt::Debug for TlsRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Roots::System => f.write_str("TlsRoots(system)"),
            Roots::Given(store) => write!(f, "TlsRoots({} given)", store.len()),
        }
    }
}

fn bundled() -> RootCertStore {
    RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.into(),
    }
}

fn make(roots: Arc<RootCertStore>) -> Option<Arc<ClientConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = versions.ok()?.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Some(Arc::new(config))
}

/// Returns the configuration that all components of the process share for `wasi:http`: the root certificates that browsers
/// trust. Its only secrets are sessions to resume.
pub(super) fn shared() -> Result<Arc<ClientConfig>, ErrorCode> {
    static CONFIG: OnceLock<Option<Arc<ClientConfig>>> = OnceLock::new();
    CONFIG
        .get_or_init(|| make(Arc::new(bundled())))
        .clone()
        .ok_or(ErrorCode::ConfigurationError)
}

/// Establishes TLS with `host` on a connection.
pub(super) async fn connect(
    config: Arc<ClientConfig>,
    host: &str,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, ErrorCode> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let name = match bare.parse::<std::net::IpAddr>() {
        Ok(address) => ServerName::IpAddress(IpAddr::from(address)),
        Err(_) => ServerName::try_from(host.to_owned()).map_err(|_| ErrorCode::HttpRequestUriInvalid)?,
    };
    let stream = TlsConnector::from(config).connect(name, stream).await;
    stream.map_err(|error| errors::of_tls_connection(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_certificates_gives_no_roots() {
        for pem in [
            &b""[..],
            b"text",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            b"-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----\n",
        ] {
            assert!(TlsRoots::from_pem(pem).is_err());
        }
    }

    #[test]
    fn the_system_or_the_bundle_has_roots() {
        assert!(TlsRoots::system().config().is_ok());
    }
}
