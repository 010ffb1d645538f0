//! Conversion of HTTP, socket and TLS errors to the error codes of `wasi:http`.

use std::error::Error as StdError;
use std::io;

use super::body::{Failed, Unfinished};
use super::fields::FieldError;
use crate::WasiCtx;
use crate::bindings::wasi::http::types::{
    self, DnsErrorPayload, ErrorCode, HeaderError, TlsAlertReceivedPayload,
};
use crate::io::IoError;
use crate::net::NetError;
use airssys_wasm_component::component::{HostResult, Resource};

impl types::Host for WasiCtx {
    fn http_error_code(&mut self, error: Resource<IoError>) -> HostResult<Option<ErrorCode>> {
        let error = self.table.get(&error)?;
        Ok(error.downcast_ref::<Failed>().map(|failed| failed.0.clone()))
    }
}

impl FieldError {
    /// Converts to the interface's error; a trap if the interface has none.
    pub(super) fn told<R>(result: Result<R, FieldError>) -> HostResult<Result<R, HeaderError>> {
        match result {
            Ok(value) => Ok(Ok(value)),
            Err(FieldError::Syntax) => Ok(Err(HeaderError::InvalidSyntax)),
            Err(FieldError::Forbidden) => Ok(Err(HeaderError::Forbidden)),
            Err(FieldError::Immutable) => Ok(Err(HeaderError::Immutable)),
            Err(error @ FieldError::TooLarge) => Err(error.into()),
        }
    }
}

/// Returns an internal error with a message for people. The host's log has more details than the guest gets.
pub(crate) fn internal(what: &str) -> ErrorCode {
    ErrorCode::InternalError(Some(what.to_owned()))
}

/// Converts the error of a host name that was not looked up, or has no address that the component may reach.
pub(super) fn of_lookup(error: NetError) -> ErrorCode {
    match error {
        NetError::Denied => ErrorCode::DestinationIpProhibited,
        NetError::InvalidName => ErrorCode::HttpRequestUriInvalid,
        NetError::Unresolvable => ErrorCode::DnsError(DnsErrorPayload {
            rcode: Some("NXDOMAIN".to_owned()),
            info_code: None,
        }),
        NetError::Busy => ErrorCode::DnsTimeout,
    }
}

/// Converts the error of a connection that failed or broke.
pub(super) fn of_io(error: &io::Error) -> ErrorCode {
    if let Some(error) = within::<rustls::Error>(error) {
        return of_tls(error);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ErrorCode::ConnectionRefused,
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::NotConnected => ErrorCode::ConnectionTerminated,
        io::ErrorKind::TimedOut => ErrorCode::ConnectionTimeout,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            ErrorCode::DestinationIpUnroutable
        }
        io::ErrorKind::PermissionDenied => ErrorCode::DestinationIpProhibited,
        _ => ErrorCode::DestinationUnavailable,
    }
}

/// Converts the error of a TLS connection that failed.
pub(super) fn of_tls_connection(error: &io::Error) -> ErrorCode {
    match within::<rustls::Error>(error) {
        Some(error) => of_tls(error),
        None => of_io(error),
    }
}

/// Converts a TLS error.
fn of_tls(error: &rustls::Error) -> ErrorCode {
    match error {
        rustls::Error::InvalidCertificate(_)
        | rustls::Error::NoCertificatesPresented
        | rustls::Error::UnsupportedNameType
        | rustls::Error::InvalidCertRevocationList(_) => ErrorCode::TlsCertificateError,
        rustls::Error::AlertReceived(alert) => ErrorCode::TlsAlertReceived(TlsAlertReceivedPayload {
            alert_id: Some(u8::from(*alert)),
            alert_message: Some(format!("{alert:?}")),
        }),
        _ => ErrorCode::TlsProtocolError,
    }
}

/// Converts the error of an exchange with another server.
pub(super) fn of_response(error: &hyper::Error) -> ErrorCode {
    if let Some(error) = within::<io::Error>(error) {
        return match error.kind() {
            // The body ended too early.
            io::ErrorKind::UnexpectedEof => ErrorCode::HttpResponseIncomplete,
            _ => of_transfer(error),
        };
    }
    if within::<Unfinished>(error).is_some() {
        return ErrorCode::HttpRequestBodySize(None);
    }
    if error.is_timeout() {
        ErrorCode::HttpResponseTimeout
    } else if error.is_parse_too_large() {
        ErrorCode::HttpResponseHeaderSectionSize(None)
    } else if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        ErrorCode::HttpResponseIncomplete
    } else {
        ErrorCode::HttpProtocolError
    }
}

/// Converts the error of a body that broke, or has invalid chunks.
fn of_transfer(error: &io::Error) -> ErrorCode {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
            if within::<rustls::Error>(error).is_none() =>
        {
            ErrorCode::HttpProtocolError
        }
        _ => of_io(error),
    }
}

/// Converts the error of a request's body on its way in.
pub(super) fn of_request(error: &hyper::Error) -> ErrorCode {
    if let Some(error) = within::<io::Error>(error) {
        return of_transfer(error);
    }
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        ErrorCode::ConnectionTerminated
    } else if error.is_timeout() {
        ErrorCode::ConnectionReadTimeout
    } else {
        ErrorCode::HttpProtocolError
    }
}

/// Returns the cause of this type, if there is one. TLS errors are wrapped in I/O errors, and those in hyper's.
fn within<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        // `source` of an I/O error skips the error that it wraps, and returns that error's source.
        if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref)
            && let Some(found) = inner.downcast_ref::<E>()
        {
            return Some(found);
        }
        next = error.source();
    }
    None
}
