//! Errors of operations on sockets.

use std::error::Error as StdError;
use std::io;

use rustix::io::Errno;

use crate::WasiCtx;
use crate::bindings::wasi::sockets::network::{self, ErrorCode};
use crate::net::NetError;
use airssys_wasm_component::component::{HostResult, ResourceTableError};
use airssys_wasm_component::error::Error;

/// The error of an operation: a code for the guest, or a trap.
#[derive(Debug)]
pub(crate) enum SocketError {
    Code(ErrorCode),
    /// The guest broke a rule, or its time is up.
    Trap(Box<dyn StdError + Send + Sync>),
}

impl network::Host for WasiCtx {
    fn convert_error_code(&mut self, error: SocketError) -> HostResult<ErrorCode> {
        match error {
            SocketError::Code(code) => Ok(code),
            SocketError::Trap(error) => Err(error),
        }
    }
}

impl From<ErrorCode> for SocketError {
    fn from(code: ErrorCode) -> SocketError {
        SocketError::Code(code)
    }
}

impl From<ResourceTableError> for SocketError {
    fn from(error: ResourceTableError) -> SocketError {
        SocketError::Trap(error.into())
    }
}

impl From<Error> for SocketError {
    fn from(error: Error) -> SocketError {
        SocketError::Trap(error.into())
    }
}

impl From<Box<dyn StdError + Send + Sync>> for SocketError {
    fn from(error: Box<dyn StdError + Send + Sync>) -> SocketError {
        SocketError::Trap(error)
    }
}

impl From<NetError> for SocketError {
    fn from(error: NetError) -> SocketError {
        SocketError::Code(match error {
            NetError::Denied => ErrorCode::AccessDenied,
            NetError::InvalidName => ErrorCode::InvalidArgument,
            NetError::Unresolvable => ErrorCode::NameUnresolvable,
            NetError::Busy => ErrorCode::TemporaryResolverFailure,
        })
    }
}

impl From<io::Error> for SocketError {
    fn from(error: io::Error) -> SocketError {
        SocketError::Code(code_of(&error))
    }
}

impl From<Errno> for SocketError {
    fn from(error: Errno) -> SocketError {
        SocketError::Code(code_of_number(error))
    }
}

/// Returns the code of an error of the system.
pub(crate) fn code_of(error: &io::Error) -> ErrorCode {
    if let Some(number) = Errno::from_io_error(error) {
        return code_of_number(number);
    }
    match error.kind() {
        io::ErrorKind::WouldBlock => ErrorCode::WouldBlock,
        io::ErrorKind::TimedOut => ErrorCode::Timeout,
        io::ErrorKind::InvalidInput => ErrorCode::InvalidArgument,
        _ => ErrorCode::Unknown,
    }
}

fn code_of_number(number: Errno) -> ErrorCode {
    match number {
        Errno::PERM | Errno::ACCESS => ErrorCode::AccessDenied,
        Errno::ADDRINUSE => ErrorCode::AddressInUse,
        Errno::ADDRNOTAVAIL => ErrorCode::AddressNotBindable,
        Errno::TIMEDOUT => ErrorCode::Timeout,
        Errno::CONNREFUSED => ErrorCode::ConnectionRefused,
        Errno::CONNRESET => ErrorCode::ConnectionReset,
        Errno::CONNABORTED => ErrorCode::ConnectionAborted,
        Errno::INVAL => ErrorCode::InvalidArgument,
        Errno::HOSTUNREACH | Errno::HOSTDOWN | Errno::NETDOWN | Errno::NETUNREACH => {
            ErrorCode::RemoteUnreachable
        }
        Errno::ISCONN | Errno::NOTCONN | Errno::DESTADDRREQ => ErrorCode::InvalidState,
        Errno::MSGSIZE => ErrorCode::DatagramTooLarge,
        Errno::NOMEM | Errno::NOBUFS => ErrorCode::OutOfMemory,
        Errno::MFILE | Errno::NFILE => ErrorCode::NewSocketLimit,
        Errno::OPNOTSUPP
        | Errno::NOPROTOOPT
        | Errno::PFNOSUPPORT
        | Errno::PROTONOSUPPORT
        | Errno::PROTOTYPE
        | Errno::SOCKTNOSUPPORT
        | Errno::AFNOSUPPORT => ErrorCode::NotSupported,
        Errno::AGAIN => ErrorCode::WouldBlock,
        _ => ErrorCode::Unknown,
    }
}
