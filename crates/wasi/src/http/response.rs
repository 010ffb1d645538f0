//! Incoming and outgoing responses, and the `response-outparam` that receives a guest's response.

use std::fmt;
use std::sync::Arc;

use http::StatusCode;

use super::body::{Direction, IncomingBody, OutgoingBody, Reader, Sent};
use super::errors;
use super::fields::{self, Fields};
use crate::WasiCtx;
use crate::bindings::wasi::http::types::{
    ErrorCode, HostIncomingResponse, HostOutgoingResponse, HostResponseOutparam,
};
use crate::io::BeforeWait;
use airssys_wasm_component::component::{HostResult, Resource};

/// The resource `incoming-response`.
#[derive(Debug)]
pub(crate) struct IncomingResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: Fields,
    pub(crate) body: Option<IncomingBody>,
}

/// The resource `outgoing-response`.
#[derive(Debug)]
pub(crate) struct OutgoingResponse {
    status: StatusCode,
    headers: Fields,
    body: Option<Reader>,
}

impl OutgoingResponse {
    fn into_http(self) -> http::Response<Sent> {
        let mut response = http::Response::new(Sent::new(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.into_map();
        response
    }
}

/// A guest's answer: a response or an error.
pub(crate) type Answer = Result<http::Response<Sent>, ErrorCode>;

/// The resource `response-outparam`: the callback that receives the answer.
pub(crate) struct ResponseOutparam(Box<dyn FnOnce(Answer) + Send>);

impl ResponseOutparam {
    pub(crate) fn new(answer: impl FnOnce(Answer) + Send + 'static) -> ResponseOutparam {
        ResponseOutparam(Box::new(answer))
    }
}

impl fmt::Debug for ResponseOutparam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseOutparam")
    }
}

impl HostResponseOutparam for WasiCtx {
    fn send_informational(
        &mut self,
        _: Resource<ResponseOutparam>,
        status: u16,
        headers: Resource<Fields>,
    ) -> HostResult<Result<(), ErrorCode>> {
        self.table.delete(headers)?;
        Ok(Err(match status {
            100..200 => errors::internal("this server sends no informational responses"),
            _ => ErrorCode::HttpProtocolError,
        }))
    }

    fn set(
        &mut self,
        param: Resource<ResponseOutparam>,
        response: Result<Resource<OutgoingResponse>, ErrorCode>,
    ) -> HostResult<()> {
        let answer = match response {
            Ok(response) => {
                let response = self.table.delete(response)?;
                // Bytes that a guest has written are sent when it starts to wait, so that clients see events as they
                // happen.
                self.before_wait = response.body.as_ref().map(|reader| {
                    let writer = reader.writer();
                    let begin: BeforeWait = Arc::new(move || writer.begin());
                    begin
                });
                Ok(response.into_http())
            }
            Err(error) => Err(error),
        };
        (self.table.delete(param)?.0)(answer);
        Ok(())
    }

    fn drop(&mut self, param: Resource<ResponseOutparam>) -> HostResult<()> {
        self.table.delete(param)?;
        Ok(())
    }
}

impl HostIncomingResponse for WasiCtx {
    fn status(&mut self, response: Resource<IncomingResponse>) -> HostResult<u16> {
        Ok(self.table.get(&response)?.status.as_u16())
    }

    fn headers(&mut self, response: Resource<IncomingResponse>) -> HostResult<Resource<Fields>> {
        let headers = self.table.get(&response)?.headers.view(&self.http.limits)?;
        Ok(self.table.push(headers)?)
    }

    fn consume(
        &mut self,
        response: Resource<IncomingResponse>,
    ) -> HostResult<Result<Resource<IncomingBody>, ()>> {
        match self.table.get_mut(&response)?.body.take() {
            Some(body) => Ok(Ok(self.table.push(body)?)),
            None => Ok(Err(())),
        }
    }

    fn drop(&mut self, response: Resource<IncomingResponse>) -> HostResult<()> {
        self.table.delete(response)?;
        Ok(())
    }
}

impl HostOutgoingResponse for WasiCtx {
    fn new(&mut self, headers: Resource<Fields>) -> HostResult<Resource<OutgoingResponse>> {
        let headers = self.table.delete(headers)?.freeze();
        Ok(self.table.push(OutgoingResponse {
            status: StatusCode::OK,
            headers,
            body: None,
        })?)
    }

    fn status_code(&mut self, response: Resource<OutgoingResponse>) -> HostResult<u16> {
        Ok(self.table.get(&response)?.status.as_u16())
    }

    fn set_status_code(
        &mut self,
        response: Resource<OutgoingResponse>,
        status: u16,
    ) -> HostResult<Result<(), ()>> {
        let response = self.table.get_mut(&response)?;
        match StatusCode::from_u16(status) {
            // Informational responses (1xx) are not final responses.
            Ok(status) if !status.is_informational() => {
                response.status = status;
                Ok(Ok(()))
            }
            _ => Ok(Err(())),
        }
    }

    fn headers(&mut self, response: Resource<OutgoingResponse>) -> HostResult<Resource<Fields>> {
        let headers = self.table.get(&response)?.headers.view(&self.http.limits)?;
        Ok(self.table.push(headers)?)
    }

    fn body(
        &mut self,
        response: Resource<OutgoingResponse>,
    ) -> HostResult<Result<Resource<OutgoingBody>, ()>> {
        let message = self.table.get_mut(&response)?;
        let Ok(declared) = fields::declared_length(message.headers.map()) else {
            return Ok(Err(()));
        };
        if message.body.is_some() {
            return Ok(Err(()));
        }
        let (body, reader) = OutgoingBody::new(declared, Direction::Response, &self.http);
        message.body = Some(reader);
        Ok(Ok(self.table.push(body)?))
    }

    fn drop(&mut self, response: Resource<OutgoingResponse>) -> HostResult<()> {
        self.table.delete(response)?;
        Ok(())
    }
}
