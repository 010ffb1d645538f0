//! Error codes.

use std::io;

use airssys_wasm_component::component::HostResult;

use crate::bindings::wasi::sockets::network as p2;
use crate::io::IoError;
use crate::p3::bindings::wasi::sockets::types::ErrorCode;
use crate::sockets::{SocketError, code_of};

/// The result of a function: its value, or an error code; a trap otherwise.
pub(super) type Answer<R> = HostResult<Result<R, ErrorCode>>;

/// Converts a result.
pub(super) fn answer<R>(result: Result<R, SocketError>) -> Answer<R> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(SocketError::Code(code)) => Ok(Err(error_code(code))),
        Err(SocketError::Trap(error)) => Err(error),
    }
}

/// Converts the failure of a stream.
pub(super) fn stream_code(error: &IoError) -> ErrorCode {
    match error.downcast_ref::<io::Error>() {
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => ErrorCode::ConnectionBroken,
        Some(error) => error_code(code_of(error)),
        None => ErrorCode::Other(None),
    }
}

fn error_code(code: p2::ErrorCode) -> ErrorCode {
    let other = |text: &str| ErrorCode::Other(Some(text.to_owned()));
    match code {
        p2::ErrorCode::Unknown => ErrorCode::Other(None),
        p2::ErrorCode::AccessDenied => ErrorCode::AccessDenied,
        p2::ErrorCode::NotSupported => ErrorCode::NotSupported,
        p2::ErrorCode::InvalidArgument => ErrorCode::InvalidArgument,
        p2::ErrorCode::OutOfMemory => ErrorCode::OutOfMemory,
        p2::ErrorCode::Timeout => ErrorCode::Timeout,
        p2::ErrorCode::ConcurrencyConflict | p2::ErrorCode::NotInProgress | p2::ErrorCode::InvalidState => {
            ErrorCode::InvalidState
        }
        p2::ErrorCode::WouldBlock => other("the operation would block"),
        p2::ErrorCode::NewSocketLimit => other("the limit of sockets is reached"),
        p2::ErrorCode::AddressNotBindable => ErrorCode::AddressNotBindable,
        p2::ErrorCode::AddressInUse => ErrorCode::AddressInUse,
        p2::ErrorCode::RemoteUnreachable => ErrorCode::RemoteUnreachable,
        p2::ErrorCode::ConnectionRefused => ErrorCode::ConnectionRefused,
        p2::ErrorCode::ConnectionReset => ErrorCode::ConnectionReset,
        p2::ErrorCode::ConnectionAborted => ErrorCode::ConnectionAborted,
        p2::ErrorCode::DatagramTooLarge => ErrorCode::DatagramTooLarge,
        p2::ErrorCode::NameUnresolvable
        | p2::ErrorCode::TemporaryResolverFailure
        | p2::ErrorCode::PermanentResolverFailure => other("the host name does not resolve"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn failures_have_the_codes_of_the_interface() {
        let of = |number: Errno| stream_code(&IoError::new(io::Error::from(number)));
        assert!(matches!(of(Errno::PIPE), ErrorCode::ConnectionBroken));
        assert!(matches!(of(Errno::CONNRESET), ErrorCode::ConnectionReset));
        assert!(matches!(of(Errno::ACCESS), ErrorCode::AccessDenied));
        assert!(matches!(of(Errno::NETDOWN), ErrorCode::RemoteUnreachable));
        assert!(matches!(of(Errno::IO), ErrorCode::Other(None)));
        let limit = answer::<()>(Err(p2::ErrorCode::NewSocketLimit.into())).unwrap();
        assert!(matches!(limit, Err(ErrorCode::Other(Some(_)))));
        let conflict = answer::<()>(Err(p2::ErrorCode::ConcurrencyConflict.into())).unwrap();
        assert!(matches!(conflict, Err(ErrorCode::InvalidState)));
    }
}
