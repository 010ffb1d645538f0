//! Incoming and outgoing requests, and their options.

use std::time::Duration;

use http::uri::{Authority, PathAndQuery, Scheme as HttpScheme};

use super::body::{Direction, IncomingBody, OutgoingBody, Reader};
use super::fields::{self, Fields};
use crate::WasiCtx;
use crate::bindings::wasi::http::types::{
    HostIncomingRequest, HostOutgoingRequest, HostRequestOptions, Method, Scheme,
};
use airssys_wasm_component::component::{HostResult, Resource};

/// The resource `incoming-request`.
#[derive(Debug)]
pub(crate) struct IncomingRequest {
    pub(crate) method: http::Method,
    pub(crate) path: Option<PathAndQuery>,
    pub(crate) scheme: Scheme,
    pub(crate) authority: Option<Authority>,
    pub(crate) headers: Fields,
    pub(crate) body: Option<IncomingBody>,
}

/// The resource `outgoing-request`.
#[derive(Debug)]
pub(crate) struct OutgoingRequest {
    pub(crate) method: Method,
    pub(crate) path: Option<String>,
    pub(crate) scheme: Option<Scheme>,
    pub(crate) authority: Option<String>,
    pub(crate) headers: Fields,
    pub(crate) body: Option<Reader>,
}

/// The resource `request-options`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RequestOptions {
    pub(crate) connect: Option<Duration>,
    pub(crate) first_byte: Option<Duration>,
    pub(crate) between_bytes: Option<Duration>,
}

/// Converts a method of HTTP.
pub(crate) fn told(method: &http::Method) -> Method {
    match method.as_str() {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

/// Converts a method to HTTP's; `None` if its name is not valid.
pub(crate) fn method(method: &Method) -> Option<http::Method> {
    Some(match method {
        Method::Get => http::Method::GET,
        Method::Head => http::Method::HEAD,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Delete => http::Method::DELETE,
        Method::Connect => http::Method::CONNECT,
        Method::Options => http::Method::OPTIONS,
        Method::Trace => http::Method::TRACE,
        Method::Patch => http::Method::PATCH,
        Method::Other(name) => http::Method::from_bytes(name.as_bytes()).ok()?,
    })
}

/// Returns the port of an authority, if it has one; an error for an invalid port, which the parser accepts.
pub(super) fn port(authority: &Authority) -> Result<Option<u16>, ()> {
    let text = authority.as_str();
    let behind_user = text.rsplit_once('@').map_or(text, |(_, rest)| rest);
    match behind_user.strip_prefix(authority.host()) {
        Some("") => Ok(None),
        Some(rest) => match rest.strip_prefix(':') {
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                port.parse().map(Some).map_err(|_| ())
            }
            _ => Err(()),
        },
        None => Err(()),
    }
}

impl OutgoingRequest {
    /// Creates a request: `GET`, without anything else.
    pub(crate) fn new(headers: Fields) -> OutgoingRequest {
        OutgoingRequest {
            method: Method::Get,
            path: None,
            scheme: None,
            authority: None,
            headers: headers.freeze(),
            body: None,
        }
    }

    /// Sets the method. Fails if its name is not valid, or has more than `most` bytes.
    pub(crate) fn set_method(&mut self, method: Method, most: usize) -> Result<(), ()> {
        if matches!(&method, Method::Other(name) if name.len() > most) || self::method(&method).is_none() {
            return Err(());
        }
        self.method = method;
        Ok(())
    }

    /// Sets the scheme. Fails if its name is not valid.
    pub(crate) fn set_scheme(&mut self, scheme: Option<Scheme>) -> Result<(), ()> {
        if let Some(Scheme::Other(name)) = &scheme
            && (name.is_empty() || name.parse::<HttpScheme>().is_err())
        {
            return Err(());
        }
        self.scheme = scheme;
        Ok(())
    }

    /// Sets the authority. Fails if it is not valid.
    pub(crate) fn set_authority(&mut self, authority: Option<String>) -> Result<(), ()> {
        let valid = |authority: &String| {
            let parsed = authority.parse::<Authority>();
            parsed.is_ok_and(|authority| port(&authority).is_ok())
        };
        if !authority.as_ref().is_none_or(valid) {
            return Err(());
        }
        self.authority = authority;
        Ok(())
    }
}

impl HostIncomingRequest for WasiCtx {
    fn method(&mut self, request: Resource<IncomingRequest>) -> HostResult<Method> {
        Ok(told(&self.table.get(&request)?.method))
    }

    fn path_with_query(&mut self, request: Resource<IncomingRequest>) -> HostResult<Option<String>> {
        let path = &self.table.get(&request)?.path;
        Ok(path.as_ref().map(|path| path.as_str().to_owned()))
    }

    fn scheme(&mut self, request: Resource<IncomingRequest>) -> HostResult<Option<Scheme>> {
        Ok(Some(self.table.get(&request)?.scheme.clone()))
    }

    fn authority(&mut self, request: Resource<IncomingRequest>) -> HostResult<Option<String>> {
        let authority = &self.table.get(&request)?.authority;
        Ok(authority.as_ref().map(|authority| authority.as_str().to_owned()))
    }

    fn headers(&mut self, request: Resource<IncomingRequest>) -> HostResult<Resource<Fields>> {
        let headers = self.table.get(&request)?.headers.view(&self.http.limits)?;
        Ok(self.table.push(headers)?)
    }

    fn consume(
        &mut self,
        request: Resource<IncomingRequest>,
    ) -> HostResult<Result<Resource<IncomingBody>, ()>> {
        match self.table.get_mut(&request)?.body.take() {
            Some(body) => Ok(Ok(self.table.push(body)?)),
            None => Ok(Err(())),
        }
    }

    fn drop(&mut self, request: Resource<IncomingRequest>) -> HostResult<()> {
        self.table.delete(request)?;
        Ok(())
    }
}

impl HostOutgoingRequest for WasiCtx {
    fn new(&mut self, headers: Resource<Fields>) -> HostResult<Resource<OutgoingRequest>> {
        let headers = self.table.delete(headers)?;
        Ok(self.table.push(OutgoingRequest::new(headers))?)
    }

    fn body(&mut self, request: Resource<OutgoingRequest>) -> HostResult<Result<Resource<OutgoingBody>, ()>> {
        let message = self.table.get_mut(&request)?;
        let Ok(declared) = fields::declared_length(message.headers.map()) else {
            return Ok(Err(()));
        };
        if message.body.is_some() {
            return Ok(Err(()));
        }
        let (body, reader) = OutgoingBody::new(declared, Direction::Request, &self.http);
        message.body = Some(reader);
        Ok(Ok(self.table.push(body)?))
    }

    fn method(&mut self, request: Resource<OutgoingRequest>) -> HostResult<Method> {
        Ok(self.table.get(&request)?.method.clone())
    }

    fn set_method(
        &mut self,
        request: Resource<OutgoingRequest>,
        method: Method,
    ) -> HostResult<Result<(), ()>> {
        let most = self.http.limits.uri_bytes;
        Ok(self.table.get_mut(&request)?.set_method(method, most))
    }

    fn path_with_query(&mut self, request: Resource<OutgoingRequest>) -> HostResult<Option<String>> {
        Ok(self.table.get(&request)?.path.clone())
    }

    fn set_path_with_query(
        &mut self,
        request: Resource<OutgoingRequest>,
        path: Option<String>,
    ) -> HostResult<Result<(), ()>> {
        let message = self.table.get_mut(&request)?;
        let valid = |path: &String| path.parse::<PathAndQuery>().is_ok();
        if !path.as_ref().is_none_or(valid) {
            return Ok(Err(()));
        }
        message.path = path;
        Ok(Ok(()))
    }

    fn scheme(&mut self, request: Resource<OutgoingRequest>) -> HostResult<Option<Scheme>> {
        Ok(self.table.get(&request)?.scheme.clone())
    }

    fn set_scheme(
        &mut self,
        request: Resource<OutgoingRequest>,
        scheme: Option<Scheme>,
    ) -> HostResult<Result<(), ()>> {
        Ok(self.table.get_mut(&request)?.set_scheme(scheme))
    }

    fn authority(&mut self, request: Resource<OutgoingRequest>) -> HostResult<Option<String>> {
        Ok(self.table.get(&request)?.authority.clone())
    }

    fn set_authority(
        &mut self,
        request: Resource<OutgoingRequest>,
        authority: Option<String>,
    ) -> HostResult<Result<(), ()>> {
        Ok(self.table.get_mut(&request)?.set_authority(authority))
    }

    fn headers(&mut self, request: Resource<OutgoingRequest>) -> HostResult<Resource<Fields>> {
        let headers = self.table.get(&request)?.headers.view(&self.http.limits)?;
        Ok(self.table.push(headers)?)
    }

    fn drop(&mut self, request: Resource<OutgoingRequest>) -> HostResult<()> {
        self.table.delete(request)?;
        Ok(())
    }
}

/// Converts a timeout to the interface's unit.
pub(crate) fn nanoseconds(duration: Option<Duration>) -> Option<u64> {
    // The value came from such a number, and fits.
    duration.map(|duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

impl HostRequestOptions for WasiCtx {
    fn new(&mut self) -> HostResult<Resource<RequestOptions>> {
        Ok(self.table.push(RequestOptions::default())?)
    }

    fn connect_timeout(&mut self, options: Resource<RequestOptions>) -> HostResult<Option<u64>> {
        Ok(nanoseconds(self.table.get(&options)?.connect))
    }

    fn set_connect_timeout(
        &mut self,
        options: Resource<RequestOptions>,
        duration: Option<u64>,
    ) -> HostResult<Result<(), ()>> {
        self.table.get_mut(&options)?.connect = duration.map(Duration::from_nanos);
        Ok(Ok(()))
    }

    fn first_byte_timeout(&mut self, options: Resource<RequestOptions>) -> HostResult<Option<u64>> {
        Ok(nanoseconds(self.table.get(&options)?.first_byte))
    }

    fn set_first_byte_timeout(
        &mut self,
        options: Resource<RequestOptions>,
        duration: Option<u64>,
    ) -> HostResult<Result<(), ()>> {
        self.table.get_mut(&options)?.first_byte = duration.map(Duration::from_nanos);
        Ok(Ok(()))
    }

    fn between_bytes_timeout(&mut self, options: Resource<RequestOptions>) -> HostResult<Option<u64>> {
        Ok(nanoseconds(self.table.get(&options)?.between_bytes))
    }

    fn set_between_bytes_timeout(
        &mut self,
        options: Resource<RequestOptions>,
        duration: Option<u64>,
    ) -> HostResult<Result<(), ()>> {
        self.table.get_mut(&options)?.between_bytes = duration.map(Duration::from_nanos);
        Ok(Ok(()))
    }

    fn drop(&mut self, options: Resource<RequestOptions>) -> HostResult<()> {
        self.table.delete(options)?;
        Ok(())
    }
}
