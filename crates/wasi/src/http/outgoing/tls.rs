//! TLS for outgoing requests: the root certificates that browsers trust; certificate checks cannot be turned off.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::{IpAddr, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::super::errors;
use crate::bindings::wasi::http::types::ErrorCode;

/// Returns the configuration that all components of the process share. Its only secrets are sessions to resume.
fn config() -> Result<Arc<ClientConfig>, ErrorCode> {
    static CONFIG: OnceLock<Option<Arc<ClientConfig>>> = OnceLock::new();
    let make = || {
        let roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.into(),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = versions.ok()?.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Some(Arc::new(config))
    };
    CONFIG
        .get_or_init(make)
        .clone()
        .ok_or(ErrorCode::ConfigurationError)
}

/// Establishes TLS with `host` on a connection.
pub(super) async fn connect(host: &str, stream: TcpStream) -> Result<TlsStream<TcpStream>, ErrorCode> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let name = match bare.parse::<std::net::IpAddr>() {
        Ok(address) => ServerName::IpAddress(IpAddr::from(address)),
        Err(_) => ServerName::try_from(host.to_owned()).map_err(|_| ErrorCode::HttpRequestUriInvalid)?,
    };
    let connector = TlsConnector::from(config()?);
    let stream = connector.connect(name, stream).await;
    stream.map_err(|error| errors::of_tls_connection(&error))
}
