//! The resource `response`.

use airssys_wasm_component::component::{Access, FutureReader, HostResult, Resource, StreamReader};
use http::StatusCode;

use super::body::Body;
use super::{Consumed, Done, Ending, Outbound};
use crate::WasiCtx;
use crate::bindings::wasi::http::types::ErrorCode;
use crate::http::body::Direction;
use crate::http::{Fields, IncomingBody, IncomingResponse, errors};
use crate::p3::bindings::wasi::http::types::{HostResponse, HostResponseWithStore};
use crate::view::HasWasi;

/// A response: one that a guest makes, or one that was received.
#[derive(Debug)]
pub(crate) struct Response {
    pub(super) status: StatusCode,
    pub(super) headers: Fields,
    pub(super) body: Body,
}

impl Response {
    /// Creates a response that was received.
    pub(super) fn received(response: IncomingResponse) -> Response {
        let IncomingResponse {
            status,
            headers,
            body,
        } = response;
        Response {
            status,
            headers,
            body: Body::Received(body.unwrap_or_else(IncomingBody::empty)),
        }
    }
}

impl Response {
    /// Begins to send a response that a guest returned. Its transmission goes on while the store runs.
    ///
    /// # Errors
    /// If its headers contradict each other, or its status is none of a response.
    pub(crate) fn send<T: Send + 'static>(
        self,
        store: &mut Access<'_, T, HasWasi>,
    ) -> HostResult<Result<http::Response<Outbound>, ErrorCode>> {
        let Response {
            status,
            headers,
            body,
        } = self;
        // RFC 9110, 15.2: one of these is no final response.
        if status.is_informational() {
            return Ok(Err(errors::internal(
                "the status of the response is informational",
            )));
        }
        let outbound = match Outbound::new(store, body, headers.map(), Direction::Response)? {
            Ok(outbound) => outbound,
            Err(error) => return Ok(Err(error)),
        };
        let mut response = http::Response::new(outbound);
        *response.status_mut() = status;
        *response.headers_mut() = headers.into_map();
        Ok(Ok(response))
    }
}

impl HostResponse for WasiCtx {
    fn get_status_code(&mut self, response: Resource<Response>) -> HostResult<u16> {
        Ok(self.table.get(&response)?.status.as_u16())
    }

    fn set_status_code(&mut self, response: Resource<Response>, status: u16) -> HostResult<Result<(), ()>> {
        let response = self.table.get_mut(&response)?;
        // RFC 9110, 15: other classes of status codes are not valid.
        match StatusCode::from_u16(status) {
            Ok(code) if status < 600 => {
                response.status = code;
                Ok(Ok(()))
            }
            _ => Ok(Err(())),
        }
    }

    fn get_headers(&mut self, response: Resource<Response>) -> HostResult<Resource<Fields>> {
        let headers = self.table.get(&response)?.headers.view(&self.http.limits)?;
        Ok(self.table.push(headers)?)
    }

    fn drop(&mut self, response: Resource<Response>) -> HostResult<()> {
        self.table.delete(response)?;
        Ok(())
    }
}

impl<T: Send + 'static> HostResponseWithStore<T> for HasWasi {
    fn new(
        mut store: Access<'_, T, Self>,
        headers: Resource<Fields>,
        contents: Option<StreamReader<u8>>,
        trailers: FutureReader<Ending>,
    ) -> HostResult<(Resource<Response>, FutureReader<Done>)> {
        let (body, sent) = Body::made(&mut store, contents, trailers);
        let mut ctx = store.get();
        let headers = ctx.table.delete(headers)?.freeze();
        let response = ctx.table.push(Response {
            status: StatusCode::OK,
            headers,
            body,
        })?;
        Ok((response, sent))
    }

    fn consume_body(
        mut store: Access<'_, T, Self>,
        response: Resource<Response>,
        res: FutureReader<Done>,
    ) -> HostResult<Consumed> {
        let response = store.get().table.delete(response)?;
        response.body.consume(store, res)
    }
}
