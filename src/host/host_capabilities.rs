//! `airssys:host-core/host-capabilities`: actions on the outside world.
//!
//! Every call is denied with the capability that it would need: this version has no grants to check, and a denied call has
//! no effect.

use super::HostContext;
use super::bindings::airssys::host_core::host_capabilities::{
    FileError, Host, HostFunctionError, HttpError, Request, Response,
};
use crate::security::Capability;

impl Host for HostContext {
    fn read_file(&mut self, path: String) -> Result<Vec<u8>, FileError> {
        Err(FileError::Denied(Capability::to_read_file(&path).into()))
    }

    fn write_file(&mut self, path: String, _: Vec<u8>) -> Result<(), FileError> {
        Err(FileError::Denied(Capability::to_write_file(&path).into()))
    }

    fn http_request(&mut self, request: Request) -> Result<Response, HttpError> {
        Err(HttpError::Denied(Capability::to_request(&request.url).into()))
    }

    fn call_host_function(&mut self, name: String, _: Vec<u8>) -> Result<Vec<u8>, HostFunctionError> {
        let needed = Capability::to_call_host_function(&name);
        Err(HostFunctionError::Denied(needed.into()))
    }
}
