//! Exchanges with whole bodies, for hosts. The host decides on each destination and on redirections.

use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::{PathAndQuery, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use tokio::time::timeout;

use super::super::{HttpLimits, errors, fields};
use super::client::{self, HeadLimits, Target, Times, Way};
use super::connections::Connections;
use super::tls::TlsRoots;
use crate::bindings::wasi::http::types::ErrorCode;
use crate::executor;
use crate::net::{Net, is_public};
use rustls::ClientConfig;

/// Fields about the message's own transfer, besides those that guests may never set. The client sets them.
const TRANSFER: [HeaderName; 4] = [
    header::TE,
    header::TRAILER,
    header::EXPECT,
    header::CONTENT_LENGTH,
];

/// A client for exchanges with whole bodies. It uses no proxy, keeps no cookies and follows no redirections.
pub struct HttpClient {
    net: Net,
    roots: TlsRoots,
    tls: OnceLock<Result<Arc<ClientConfig>, ErrorCode>>,
    limits: HttpLimits,
}

/// A request of an [`HttpClient`]. `Debug` shows neither path, values of headers nor body, which may be secret.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpRequest {
    /// The method.
    pub method: String,
    /// Use of TLS.
    pub secure: bool,
    /// A name in ASCII, without final dot, or an address; IPv6 addresses are in brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The value of the header `Host`.
    pub authority: String,
    /// Path and query.
    pub path: String,
    /// Names and values of headers.
    pub headers: Vec<(String, String)>,
    /// The body; may be empty.
    pub body: Bytes,
}

/// The response to an [`HttpRequest`]. `Debug` shows neither values of headers nor body, which may be secret.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Names of headers, in lowercase, and values, without those of the connection. Bytes that are not UTF-8 are
    /// replaced.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("secure", &self.secure)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("headers", &names(&self.headers))
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("headers", &names(&self.headers))
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

fn names(headers: &[(String, String)]) -> Vec<&str> {
    headers.iter().map(|(name, _)| name.as_str()).collect()
}

/// Reasons for which an exchange failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpFailure {
    /// No address of the destination is permitted.
    #[error("no address of the host is permitted")]
    Denied,
    /// The request cannot be sent; the text names the part.
    #[error("{0}")]
    InvalidRequest(String),
    /// The deadline passed, or a server was slower than a limit.
    #[error("the response was not complete in time")]
    Timeout,
    /// The exchange failed; the text describes the error.
    #[error("{0}")]
    Failed(String),
    /// The response's body has more than this number of bytes.
    #[error("the response's body has more than {0} bytes")]
    TooLarge(u64),
}

impl HttpRequest {
    /// Creates a request without headers and body.
    pub fn new(method: &str, secure: bool, host: &str, port: u16, path: &str) -> HttpRequest {
        let standard = if secure { 443 } else { 80 };
        HttpRequest {
            method: method.to_owned(),
            secure,
            host: host.to_owned(),
            port,
            authority: match port == standard {
                true => host.to_owned(),
                false => format!("{host}:{port}"),
            },
            path: path.to_owned(),
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// Builds the message to send.
    fn message(&self, limits: &HttpLimits) -> Result<http::Request<Full<Bytes>>, HttpFailure> {
        let invalid = |text: String| Err(HttpFailure::InvalidRequest(text));
        if self.authority.len().saturating_add(self.path.len()) > limits.uri_bytes {
            return invalid(format!("the URL has more than {} bytes", limits.uri_bytes));
        }
        let method = http::Method::from_bytes(self.method.as_bytes());
        let method = match method {
            // A tunnel would bypass the checks of destinations; `TRACE` returns credentials to the guest.
            Ok(http::Method::CONNECT | http::Method::TRACE) | Err(_) => {
                return invalid("the method cannot be sent".to_owned());
            }
            Ok(method) => method,
        };
        let Ok(path) = self.path.parse::<PathAndQuery>() else {
            return invalid("the URL's path or query has an invalid character".to_owned());
        };
        let Ok(host) = HeaderValue::from_str(&self.authority) else {
            return invalid("the URL's host has an invalid character".to_owned());
        };
        let headers = self.fields(limits)?;
        let mut message = http::Request::new(Full::new(self.body.clone()));
        *message.method_mut() = method;
        *message.uri_mut() = Uri::from(path);
        *message.headers_mut() = headers;
        message.headers_mut().insert(header::HOST, host);
        Ok(message)
    }

    fn fields(&self, limits: &HttpLimits) -> Result<HeaderMap, HttpFailure> {
        let invalid = |text: String| Err(HttpFailure::InvalidRequest(text));
        if self.headers.len() > limits.fields {
            return invalid(format!("there are more than {} headers", limits.fields));
        }
        let bytes = self.headers.iter().map(|(name, value)| name.len() + value.len());
        if bytes.sum::<usize>() > limits.field_bytes {
            return invalid(format!("the headers have more than {} bytes", limits.field_bytes));
        }
        let mut fields = HeaderMap::new();
        for (number, (name, value)) in self.headers.iter().enumerate() {
            let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
                return invalid(format!("header {} has an invalid name", number + 1));
            };
            let Ok(value) = HeaderValue::from_str(value) else {
                // The value may be a secret.
                return invalid(format!("the header `{name}` has an invalid value"));
            };
            if name == header::CONTENT_LENGTH && value.as_bytes() == self.body.len().to_string().as_bytes() {
                continue;
            }
            if fields::is_forbidden(&name) || TRANSFER.contains(&name) {
                return invalid(format!("only the host may set the header `{name}`"));
            }
            fields.append(name, value);
        }
        Ok(fields)
    }
}

impl HttpClient {
    /// Creates a client. Of the limits, those of fields, URIs, incoming bodies and times apply.
    pub fn new(roots: TlsRoots, limits: HttpLimits) -> HttpClient {
        HttpClient {
            net: Net::default(),
            roots,
            tls: OnceLock::new(),
            limits,
        }
    }

    /// Returns whether an address is on the public internet: not this host, a private or link-local network, a metadata
    /// service of a cloud, or any of these behind an IPv6 form of an IPv4 address (mapped, NAT64, 6to4).
    pub fn is_public(address: IpAddr) -> bool {
        is_public(address)
    }

    /// Sends a request and waits for the whole response, until `deadline` at the latest. A name is looked up once, and
    /// only addresses that `admit` accepts are connected to.
    ///
    /// # Errors
    /// Each case of [`HttpFailure`].
    pub fn exchange(
        &self,
        request: &HttpRequest,
        deadline: Instant,
        mut admit: impl FnMut(IpAddr) -> bool,
    ) -> Result<HttpResponse, HttpFailure> {
        let message = request.message(&self.limits)?;
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(HttpFailure::Timeout);
        }
        let Some(open) = Connections::default().open(1) else {
            return Err(HttpFailure::Failed("too many connections".to_owned()));
        };
        let target = Target {
            host: request.host.clone(),
            port: request.port,
            secure: request.secure,
        };
        let times = Times {
            connect: self.limits.connect_time.min(left),
            first_byte: self.limits.first_byte_time.min(left),
        };
        let head = HeadLimits {
            bytes: self.limits.field_bytes,
            fields: self.limits.fields,
        };
        let way = Way {
            addresses: self.addresses(&request.host, request.port, &mut admit),
            held: None,
            target,
            tls: match request.secure {
                true => self.tls.get_or_init(|| self.roots.config()).clone(),
                false => Err(ErrorCode::ConfigurationError),
            },
        };
        let work = async {
            let received = client::exchange(way, message, times, head, open).await;
            let received = received.map_err(failure)?;
            let (head, body) = received.response.into_parts();
            let body = self.whole(body).await?;
            // The connection ends here.
            drop(received.connection);
            Ok(HttpResponse {
                status: head.status.as_u16(),
                headers: shown(&head.headers),
                body,
            })
        };
        let mut work = pin!(work);
        match executor::wait(deadline, |cx| work.as_mut().poll(cx)) {
            Ok(Some(result)) => result,
            Ok(None) => Err(HttpFailure::Timeout),
            Err(error) => Err(HttpFailure::Failed(error.to_string())),
        }
    }

    async fn addresses(
        &self,
        host: &str,
        port: u16,
        admit: &mut impl FnMut(IpAddr) -> bool,
    ) -> Result<Vec<SocketAddr>, ErrorCode> {
        let mut found = match crate::net::parse_address(host) {
            Some(address) => vec![address],
            None => {
                let found = self.net.look_up(host.to_owned()).await;
                found.map_err(errors::of_lookup)?
            }
        };
        found.retain(|address| admit(*address));
        Ok(found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
    }

    /// Reads a body to its end.
    async fn whole(&self, mut body: Incoming) -> Result<Vec<u8>, HttpFailure> {
        let most = self.limits.incoming_body_bytes;
        let too_large = Err(HttpFailure::TooLarge(most));
        if body.size_hint().lower() > most {
            return too_large;
        }
        let mut out = Vec::new();
        loop {
            let frame = timeout(self.limits.between_bytes_time, body.frame()).await;
            let frame = match frame.map_err(|_| HttpFailure::Timeout)? {
                None => return Ok(out),
                Some(frame) => frame.map_err(|error| failure(errors::of_response(&error)))?,
            };
            if let Ok(data) = frame.into_data() {
                let bytes = u64::try_from(out.len().saturating_add(data.len()));
                if bytes.is_ok_and(|bytes| bytes > most) {
                    return too_large;
                }
                out.extend_from_slice(&data);
            }
        }
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("roots", &self.roots)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
    let fields = headers.iter().filter(|(name, _)| !fields::is_forbidden(name));
    fields
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect()
}

fn failure(code: ErrorCode) -> HttpFailure {
    let text = match code {
        ErrorCode::DestinationIpProhibited => return HttpFailure::Denied,
        ErrorCode::HttpResponseTimeout | ErrorCode::ConnectionReadTimeout => return HttpFailure::Timeout,
        ErrorCode::HttpRequestUriInvalid => {
            return HttpFailure::InvalidRequest("the URL's host is not a name".to_owned());
        }
        ErrorCode::DnsTimeout => "name resolution is temporarily unavailable".to_owned(),
        ErrorCode::DnsError(_) => "the host name does not resolve".to_owned(),
        ErrorCode::ConnectionTimeout => "the connection was not established in time".to_owned(),
        ErrorCode::ConnectionRefused => "the connection was refused".to_owned(),
        ErrorCode::ConnectionTerminated => "the server closed the connection".to_owned(),
        ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable => {
            "the server is unreachable".to_owned()
        }
        ErrorCode::TlsCertificateError => "the server's certificate is not trusted".to_owned(),
        ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => "TLS failed".to_owned(),
        ErrorCode::ConfigurationError => "TLS cannot be configured".to_owned(),
        ErrorCode::HttpResponseIncomplete => "the response ended early".to_owned(),
        ErrorCode::HttpResponseHeaderSectionSize(_) => "the response's headers are too large".to_owned(),
        ErrorCode::HttpProtocolError => "the response is not valid HTTP".to_owned(),
        ErrorCode::InternalError(Some(text)) => text,
        other => format!("{other:?}"),
    };
    HttpFailure::Failed(text)
}

#[cfg(test)]
#[path = "whole_tests.rs"]
mod tests;
