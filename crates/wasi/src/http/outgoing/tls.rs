//! TLS for requests: the roots that browsers trust, and nothing to turn off.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::{IpAddr, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::super::errors;
use crate::bindings::wasi::http::types::ErrorCode;

/// One for all components of the process: it has no secrets but sessions to resume.
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

/// Makes a connection to `host` a secure one.
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
