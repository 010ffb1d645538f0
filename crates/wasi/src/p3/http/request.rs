//! The resource `request`.

use airssys_wasm_component::component::{Access, FutureReader, HostResult, Resource, StreamReader};
use http::uri::PathAndQuery;

use super::body::Body;
use super::{Consumed, Done, Ending, Options};
use crate::WasiCtx;
use crate::bindings::wasi::http::types::{Method, Scheme};
use crate::http::{Fields, IncomingBody, IncomingRequest, OutgoingRequest, RequestOptions, request};
use crate::p3::bindings::wasi::http::types::{HostRequest, HostRequestWithStore};
use crate::view::HasWasi;

/// A request: one that a guest makes, or one that was received.
#[derive(Debug)]
pub(crate) struct Request {
    /// Everything but the body.
    pub(super) head: OutgoingRequest,
    pub(super) options: Option<RequestOptions>,
    pub(super) body: Body,
}

impl Request {
    /// Creates a request that was received.
    pub(crate) fn received(request: IncomingRequest) -> Request {
        let IncomingRequest {
            method,
            path,
            scheme,
            authority,
            headers,
            body,
        } = request;
        let mut head = OutgoingRequest::new(headers);
        head.method = request::told(&method);
        head.path = path.map(|path| path.as_str().to_owned());
        head.scheme = Some(scheme);
        head.authority = authority.map(|authority| authority.as_str().to_owned());
        Request {
            head,
            options: None,
            body: Body::Received(body.unwrap_or_else(IncomingBody::empty)),
        }
    }
}

/// Returns the method that a name stands for.
fn known_method(method: Method) -> Method {
    match request::method(&method) {
        Some(method) => request::told(&method),
        None => method,
    }
}

/// Returns the scheme that a name stands for.
fn known_scheme(scheme: Scheme) -> Scheme {
    match scheme {
        Scheme::Other(name) if name.eq_ignore_ascii_case("http") => Scheme::Http,
        Scheme::Other(name) if name.eq_ignore_ascii_case("https") => Scheme::Https,
        scheme => scheme,
    }
}

/// Returns a path and query as it is kept: `/` for the empty one, and nothing of a fragment. `None` if it is not valid. A relative path is: it
/// cannot be sent.
fn known_path(text: &str) -> Option<String> {
    if text.starts_with('/') || text == "*" || text.is_empty() {
        let path = if text.is_empty() { "/" } else { text };
        return Some(path.parse::<PathAndQuery>().ok()?.as_str().to_owned());
    }
    let path = format!("/{text}").parse::<PathAndQuery>().ok()?;
    path.as_str().strip_prefix('/').map(str::to_owned)
}

impl HostRequest for WasiCtx {
    fn get_method(&mut self, request: Resource<Request>) -> HostResult<Method> {
        Ok(self.table.get(&request)?.head.method.clone())
    }

    fn set_method(&mut self, request: Resource<Request>, method: Method) -> HostResult<Result<(), ()>> {
        let most = self.http.limits.uri_bytes;
        let head = &mut self.table.get_mut(&request)?.head;
        Ok(head.set_method(known_method(method), most))
    }

    fn get_path_with_query(&mut self, request: Resource<Request>) -> HostResult<Option<String>> {
        Ok(self.table.get(&request)?.head.path.clone())
    }

    fn set_path_with_query(
        &mut self,
        request: Resource<Request>,
        path: Option<String>,
    ) -> HostResult<Result<(), ()>> {
        let head = &mut self.table.get_mut(&request)?.head;
        match path.map(|path| known_path(&path)) {
            Some(None) => return Ok(Err(())),
            Some(Some(path)) => head.path = Some(path),
            None => head.path = None,
        }
        Ok(Ok(()))
    }

    fn get_scheme(&mut self, request: Resource<Request>) -> HostResult<Option<Scheme>> {
        Ok(self.table.get(&request)?.head.scheme.clone())
    }

    fn set_scheme(
        &mut self,
        request: Resource<Request>,
        scheme: Option<Scheme>,
    ) -> HostResult<Result<(), ()>> {
        let head = &mut self.table.get_mut(&request)?.head;
        Ok(head.set_scheme(scheme.map(known_scheme)))
    }

    fn get_authority(&mut self, request: Resource<Request>) -> HostResult<Option<String>> {
        Ok(self.table.get(&request)?.head.authority.clone())
    }

    fn set_authority(
        &mut self,
        request: Resource<Request>,
        authority: Option<String>,
    ) -> HostResult<Result<(), ()>> {
        Ok(self.table.get_mut(&request)?.head.set_authority(authority))
    }

    fn get_options(&mut self, request: Resource<Request>) -> HostResult<Option<Resource<Options>>> {
        match self.table.get(&request)?.options {
            Some(times) => Ok(Some(self.table.push(Options::view(times))?)),
            None => Ok(None),
        }
    }

    fn get_headers(&mut self, request: Resource<Request>) -> HostResult<Resource<Fields>> {
        let headers = self.table.get(&request)?.head.headers.view(&self.http.limits)?;
        Ok(self.table.push(headers)?)
    }

    fn drop(&mut self, request: Resource<Request>) -> HostResult<()> {
        self.table.delete(request)?;
        Ok(())
    }
}

impl<T: Send + 'static> HostRequestWithStore<T> for HasWasi {
    fn new(
        mut store: Access<'_, T, Self>,
        headers: Resource<Fields>,
        contents: Option<StreamReader<u8>>,
        trailers: FutureReader<Ending>,
        options: Option<Resource<Options>>,
    ) -> HostResult<(Resource<Request>, FutureReader<Done>)> {
        let (body, sent) = Body::made(&mut store, contents, trailers);
        let mut ctx = store.get();
        let headers = ctx.table.delete(headers)?;
        let options = match options {
            Some(options) => Some(ctx.table.delete(options)?.times),
            None => None,
        };
        let request = ctx.table.push(Request {
            head: OutgoingRequest::new(headers),
            options,
            body,
        })?;
        Ok((request, sent))
    }

    fn consume_body(
        mut store: Access<'_, T, Self>,
        request: Resource<Request>,
        res: FutureReader<Done>,
    ) -> HostResult<Consumed> {
        let request = store.get().table.delete(request)?;
        request.body.consume(store, res)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_kept_as_they_are_sent() {
        for (text, kept) in [
            ("", "/"),
            ("/", "/"),
            ("/a?b", "/a?b"),
            ("/a#b", "/a"),
            ("*", "*"),
            ("?a", "?a"),
            ("a/b", "a/b"),
            ("../..", "../.."),
        ] {
            assert_eq!(known_path(text).as_deref(), Some(kept), "{text}");
        }
        for text in [" ", "/ ", "a b", "/\n", "/\0"] {
            assert_eq!(known_path(text), None, "{text:?}");
        }
    }

    #[test]
    fn names_of_methods_and_schemes_are_known() {
        let method = |name: &str| known_method(Method::Other(name.to_owned()));
        assert!(matches!(method("GET"), Method::Get));
        assert!(matches!(method("get"), Method::Other(name) if name == "get"));
        assert!(matches!(method(""), Method::Other(_)));
        let scheme = |name: &str| known_scheme(Scheme::Other(name.to_owned()));
        assert!(matches!(scheme("https"), Scheme::Https));
        assert!(matches!(scheme("HTTP"), Scheme::Http));
        assert!(matches!(scheme("ftp"), Scheme::Other(_)));
    }
}
