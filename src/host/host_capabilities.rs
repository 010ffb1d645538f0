//! `airssys:host-core/host-capabilities`: actions on the outside world.
//!
//! Every call is denied, with the capability that it would need: this version has no grants to check, and a
//! denied call does nothing else.

use super::convert::{record, variant};
use super::{HostState, versioned};
use crate::component::{Linker, StoreContextMut};
use crate::error::Result;
use crate::security::Capability;

pub(super) const INTERFACE: &str = "airssys:host-core/host-capabilities";

type Answer<T, E> = std::result::Result<T, E>;
type Bytes = Vec<u8>;

/// Defines the interface.
pub(super) fn add_to_linker<T: HostState>(linker: &mut Linker<T>) -> Result<()> {
    let mut interface = linker.instance(&versioned(INTERFACE))?;
    interface.func_wrap("read-file", |_: StoreContextMut<'_, T>, (path,): (String,)| {
        let answer: Answer<Bytes, _> = Err(FileError::Denied(Capability::to_read_file(&path).into()));
        Ok((answer,))
    })?;
    interface.func_wrap(
        "write-file",
        |_: StoreContextMut<'_, T>, (path, _): (String, Bytes)| {
            let answer: Answer<(), _> = Err(FileError::Denied(Capability::to_write_file(&path).into()));
            Ok((answer,))
        },
    )?;
    interface.func_wrap(
        "http-request",
        |_: StoreContextMut<'_, T>, (request,): (Request,)| {
            let needed = Capability::to_request(&request.url);
            let answer: Answer<Response, _> = Err(HttpError::Denied(needed.into()));
            Ok((answer,))
        },
    )?;
    interface.func_wrap(
        "call-host-function",
        |_: StoreContextMut<'_, T>, (name, _): (String, Bytes)| {
            let needed = Capability::to_call_host_function(&name);
            let answer: Answer<Bytes, _> = Err(HostFunctionError::Denied(needed.into()));
            Ok((answer,))
        },
    )
}

variant! {
    /// Why a file could not be read or written.
    #[allow(dead_code, reason = "the contract's cases; only a denial occurs so far")]
    FileError {
        Denied(capability: String) = "denied",
        NotFound(path: String) = "not-found",
        TooLarge(limit: u64) = "too-large",
        Io(text: String) = "io",
    }
}

record! {
    /// An HTTP request.
    Request {
        method: String = "method",
        url: String = "url",
        headers: Vec<(String, String)> = "headers",
        body: Option<Bytes> = "body",
        timeout_ms: Option<u64> = "timeout-ms",
    }
}

record! {
    /// An HTTP response.
    Response {
        status: u16 = "status",
        headers: Vec<(String, String)> = "headers",
        body: Bytes = "body",
    }
}

variant! {
    /// Why there is no HTTP response.
    #[allow(dead_code, reason = "the contract's cases; only a denial occurs so far")]
    HttpError {
        Denied(capability: String) = "denied",
        InvalidRequest(text: String) = "invalid-request",
        Timeout = "timeout",
        ConnectionFailed(text: String) = "connection-failed",
        TooLarge(limit: u64) = "too-large",
    }
}

variant! {
    /// Why a function of the host application gave no answer.
    #[allow(dead_code, reason = "the contract's cases; only a denial occurs so far")]
    HostFunctionError {
        Unknown(name: String) = "unknown",
        Denied(capability: String) = "denied",
        Failed(text: String) = "failed",
    }
}
