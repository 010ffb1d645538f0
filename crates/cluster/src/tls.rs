//! TLS to the servers.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::error::ClusterError;
use crate::options::ClusterOptions;

/// Reads the certificates of the options. Names its provider of cryptography, since the client has no default if a program
/// contains two.
pub(crate) fn client(options: &ClusterOptions) -> Result<ClientConfig, ClusterError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ClusterError::Tls(error.to_string()))?
        .with_root_certificates(roots(options)?);
    let Some((certificate, key)) = &options.client_certificate else {
        return Ok(builder.with_no_client_auth());
    };
    let key_der = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, error))?;
    let built = builder.with_client_auth_cert(certificates(certificate)?, key_der);
    built.map_err(|error| ClusterError::Tls(format!("the certificate and key of this host: {error}")))
}

fn roots(options: &ClusterOptions) -> Result<RootCertStore, ClusterError> {
    let mut store = RootCertStore::empty();
    match &options.roots {
        Some(file) => {
            for certificate in certificates(file)? {
                store.add(certificate).map_err(|error| {
                    ClusterError::Tls(format!("a certificate of {}: {error}", file.display()))
                })?;
            }
        }
        None => {
            // One that cannot be parsed is left out: the handshake fails if it was needed.
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(store)
}

/// Reads all certificates of a file; an error if it has none.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, ClusterError> {
    let read = CertificateDer::pem_file_iter(file).map_err(|error| unreadable(file, error))?;
    let all: Result<Vec<_>, _> = read.collect();
    let all = all.map_err(|error| unreadable(file, error))?;
    if all.is_empty() {
        return Err(ClusterError::Tls(format!(
            "{} has no certificate in PEM",
            file.display()
        )));
    }
    Ok(all)
}

fn unreadable(file: &Path, error: rustls::pki_types::pem::Error) -> ClusterError {
    let source = match error {
        rustls::pki_types::pem::Error::Io(source) => source,
        other => std::io::Error::new(std::io::ErrorKind::InvalidData, other.to_string()),
    };
    ClusterError::Read {
        path: file.to_owned(),
        source,
    }
}
