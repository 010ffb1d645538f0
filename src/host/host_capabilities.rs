//! `airssys:host-core/host-capabilities`: actions on the outside world.
//!
//! Each function asks the component's grants first. A denied call has no effect.

use super::HostContext;
use super::bindings::airssys::host_core::host_capabilities::{
    FileError, Host, HostFunctionError, HttpError, Request, Response,
};
use super::files::{self, Access, Bounds};
use super::functions::CallInfo;
use crate::security::{self, Capability, Grants, RequestInfo};

impl Host for HostContext {
    fn read_file(&mut self, path: String) -> Result<Vec<u8>, FileError> {
        let access = Checked {
            grants: &self.grants,
            info: self.info(),
            request: |path| security::Request::ReadFile(path),
        };
        files::read(&path, &access, self.file_bounds())
    }

    fn write_file(&mut self, path: String, data: Vec<u8>) -> Result<(), FileError> {
        let access = Checked {
            grants: &self.grants,
            info: self.info(),
            request: |path| security::Request::WriteFile(path),
        };
        files::write(&path, &data, &access, self.file_bounds())
    }

    #[cfg(feature = "wasi")]
    fn http_request(&mut self, request: Request) -> Result<Response, HttpError> {
        super::http::request(self, request)
    }

    /// Checks the grants, and fails: this build has no client.
    #[cfg(not(feature = "wasi"))]
    fn http_request(&mut self, request: Request) -> Result<Response, HttpError> {
        let target = security::Target::from_url(&request.url)
            .map_err(|error| HttpError::InvalidRequest(format!("the URL {}", error.problem())))?;
        let connect = security::Request::Connect(&target);
        match self.grants.check(&connect, self.info()) {
            Err(denied) => Err(HttpError::Denied(denied.into_capability().into())),
            Ok(_) => Err(HttpError::ConnectionFailed(
                "this host is built without an HTTP client (feature `wasi`)".to_owned(),
            )),
        }
    }

    fn call_host_function(&mut self, name: String, args: Vec<u8>) -> Result<Vec<u8>, HostFunctionError> {
        let request = security::Request::CallFunction(&name);
        if let Err(denied) = self.grants.check(&request, self.info()) {
            return Err(HostFunctionError::Denied(denied.into_capability().into()));
        }
        let info = CallInfo {
            function: &name,
            component: &self.id,
            request_id: self.call.request_id.as_deref(),
            trace: self.call.trace.as_deref(),
            deadline: self.deadline,
        };
        self.powers.functions.call(&info, &args, &self.powers.limits)
    }
}

impl HostContext {
    /// Returns the circumstances of a request, for the audit.
    pub(super) fn info(&self) -> RequestInfo<'_> {
        RequestInfo {
            request_id: self.call.request_id.as_deref(),
            trace: self.call.trace.as_deref(),
        }
    }

    fn file_bounds(&self) -> Bounds {
        Bounds {
            bytes: self.powers.limits.file_bytes,
            deadline: self.deadline,
        }
    }
}

/// Access to files by a component's grants.
struct Checked<'a> {
    grants: &'a Grants,
    info: RequestInfo<'a>,
    request: for<'p> fn(&'p str) -> security::Request<'p>,
}

impl Access for Checked<'_> {
    fn check(&self, path: &str) -> Result<String, Capability> {
        match self.grants.check(&(self.request)(path), self.info) {
            // A capability without scope covers all paths.
            Ok(allowed) => Ok(scope(allowed.rule().capability()).unwrap_or("/").to_owned()),
            Err(denied) => Err(denied.into_capability()),
        }
    }

    fn required(&self, path: &str) -> Capability {
        (self.request)(path).capability()
    }
}

/// Returns the part behind domain and action.
fn scope(capability: &Capability) -> Option<&str> {
    capability.as_str().splitn(3, ':').nth(2)
}
