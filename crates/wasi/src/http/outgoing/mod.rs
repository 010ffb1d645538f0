//! `wasi:http/outgoing-handler`: requests to other servers.

mod client;
mod connections;
mod tls;
mod whole;

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::uri::{Authority, PathAndQuery, Uri};
use http::{HeaderValue, header};

use super::body::{Bounds, Direction, IncomingBody, Pace, Sent};
use super::fields::Fields;
use super::request::{self, RequestOptions};
use super::response::IncomingResponse;
use super::{OutgoingRequest, errors};
use crate::WasiCtx;
use crate::bindings::wasi::http::outgoing_handler;
use crate::bindings::wasi::http::types::{ErrorCode, HostFutureIncomingResponse, Scheme};
use crate::executor::{self, Task};
use crate::io::{self, Pollable, Waits};
use crate::net::{NetError, Request};
use airssys_wasm_component::component::{HostResult, Resource};

pub(crate) use client::Received;
use client::Target;
pub(super) use connections::Connections;
pub use tls::{InvalidRoots, TlsRoots};
pub use whole::{HttpClient, HttpFailure, HttpRequest, HttpResponse};

/// The resource `future-incoming-response`.
#[derive(Debug)]
pub(crate) struct FutureIncomingResponse {
    state: State,
    /// Time that the response's body may pause.
    pause: Duration,
}

#[derive(Debug)]
enum State {
    /// Dropping the task ends the exchange.
    Pending(Task<Result<Received, ErrorCode>>),
    Ready(Result<Received, ErrorCode>),
    Taken,
}

impl Waits for FutureIncomingResponse {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let State::Pending(task) = &mut self.state else {
            return Poll::Ready(());
        };
        match Pin::new(task).poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(result) => {
                let result = result.unwrap_or_else(|_| Err(errors::internal("the exchange was canceled")));
                self.state = State::Ready(result);
                Poll::Ready(())
            }
        }
    }
}

/// The end of an exchange: a response, and the time that its body may pause.
pub(crate) type Taken = Result<(Received, Duration), ErrorCode>;

impl FutureIncomingResponse {
    /// Takes the response; `None` if it is pending, or was taken.
    pub(crate) fn take(&mut self) -> Option<Taken> {
        match mem::replace(&mut self.state, State::Taken) {
            State::Ready(result) => Some(result.map(|received| (received, self.pause))),
            pending @ State::Pending(_) => {
                self.state = pending;
                None
            }
            State::Taken => None,
        }
    }
}

/// Returns the guest's timeout, capped by the host's.
fn within(asked: Option<Duration>, most: Duration) -> Duration {
    asked.map_or(most, |asked| asked.min(most))
}

impl WasiCtx {
    /// Checks everything that needs no connection, and starts the exchange of a request whose body is `body`.
    pub(crate) fn send(
        &mut self,
        request: OutgoingRequest,
        body: Sent,
        options: RequestOptions,
    ) -> Result<FutureIncomingResponse, ErrorCode> {
        let limits = &self.http.limits;
        let (target, message) = assemble(request, body, limits.uri_bytes)?;
        let to = Request {
            host: target.host.clone(),
            port: target.port,
            secure: target.secure,
        };
        match self.net.check_request(&to) {
            Ok(()) => {}
            // If the component may connect somewhere, the error says that this address is prohibited.
            Err(NetError::Denied) if self.net.can_connect() && target.is_address() => {
                return Err(ErrorCode::DestinationIpProhibited);
            }
            Err(NetError::Denied) => return Err(ErrorCode::HttpRequestDenied),
            Err(error) => return Err(errors::of_lookup(error)),
        }
        let connection = self.http.connections.open(limits.connections);
        let connection = connection.ok_or(ErrorCode::ConnectionLimitReached)?;
        let times = client::Times {
            connect: within(options.connect, limits.connect_time),
            first_byte: within(options.first_byte, limits.first_byte_time),
        };
        let head = client::HeadLimits {
            bytes: limits.field_bytes,
            fields: limits.fields,
        };
        let way = client::Way {
            addresses: client::addresses(self.net.clone(), to.clone()),
            held: self.net.has_policy().then(|| (self.net.clone(), to)),
            target,
            tls: tls::shared(),
        };
        let exchange = client::exchange(way, message, times, head, connection);
        let task = executor::spawn(exchange).map_err(|_| errors::internal("cannot spawn threads"))?;
        Ok(FutureIncomingResponse {
            state: State::Pending(task),
            pause: within(options.between_bytes, limits.between_bytes_time),
        })
    }

    /// Converts the end of an exchange to a response.
    pub(crate) fn receive(&self, taken: Taken) -> Result<IncomingResponse, ErrorCode> {
        let (Received { response, connection }, pause) = taken?;
        let (head, body) = response.into_parts();
        let Ok(headers) = Fields::received(head.headers, &self.http.room, &self.http.limits) else {
            return Err(ErrorCode::HttpResponseHeaderSectionSize(None));
        };
        let bounds = Bounds {
            bytes: self.http.limits.incoming_body_bytes,
            pace: Pace { pause, rate: 0 },
            direction: Direction::Response,
        };
        let body = IncomingBody::of_hyper(body, bounds, Some(connection), errors::of_response);
        Ok(IncomingResponse {
            status: head.status,
            headers,
            body: Some(body),
        })
    }
}

/// Builds the message to send, and its target.
fn assemble(
    request: OutgoingRequest,
    body: Sent,
    uri_bytes: usize,
) -> Result<(Target, http::Request<Sent>), ErrorCode> {
    let method = request::method(&request.method).ok_or(ErrorCode::HttpRequestMethodInvalid)?;
    // A tunnel would bypass the checks of destinations.
    if method == http::Method::CONNECT {
        return Err(ErrorCode::HttpRequestMethodInvalid);
    }
    let secure = match request.scheme {
        Some(Scheme::Http) => false,
        Some(Scheme::Https) | None => true,
        Some(Scheme::Other(_)) => return Err(ErrorCode::HttpProtocolError),
    };
    let authority = request.authority.unwrap_or_default();
    let mut path = request.path.unwrap_or_else(|| "/".to_owned());
    // RFC 9112, 3.2.1: an empty path is sent as `/`.
    if path.starts_with('?') {
        path.insert(0, '/');
    }
    if authority.len().saturating_add(path.len()) > uri_bytes {
        return Err(ErrorCode::HttpRequestUriTooLong);
    }
    let invalid = ErrorCode::HttpRequestUriInvalid;
    let authority: Authority = authority.parse().map_err(|_| invalid.clone())?;
    let path: PathAndQuery = path.parse().map_err(|_| invalid.clone())?;
    // HTTP forbids user names and passwords before the host.
    if authority.as_str().contains('@') || authority.host().is_empty() {
        return Err(invalid);
    }
    let port = match request::port(&authority) {
        Ok(Some(port)) => port,
        Ok(None) if secure => 443,
        Ok(None) => 80,
        Err(()) => return Err(invalid),
    };
    let host = HeaderValue::from_str(authority.as_str()).map_err(|_| invalid)?;
    let mut message = http::Request::new(body);
    *message.method_mut() = method;
    *message.uri_mut() = Uri::from(path);
    *message.headers_mut() = request.headers.into_map();
    message.headers_mut().insert(header::HOST, host);
    let target = Target {
        host: authority.host().to_owned(),
        port,
        secure,
    };
    Ok((target, message))
}

impl outgoing_handler::Host for WasiCtx {
    fn handle(
        &mut self,
        request: Resource<OutgoingRequest>,
        options: Option<Resource<RequestOptions>>,
    ) -> HostResult<Result<Resource<FutureIncomingResponse>, ErrorCode>> {
        let options = match options {
            Some(options) => self.table.delete(options)?,
            None => RequestOptions::default(),
        };
        let mut request = self.table.delete(request)?;
        let body = Sent::new(request.body.take());
        match self.send(request, body, options) {
            Ok(future) => Ok(Ok(self.table.push(future)?)),
            Err(error) => Ok(Err(error)),
        }
    }
}

impl HostFutureIncomingResponse for WasiCtx {
    fn subscribe(&mut self, future: Resource<FutureIncomingResponse>) -> HostResult<Resource<Pollable>> {
        Ok(io::subscribe(&mut self.table, &future)?)
    }

    fn get(
        &mut self,
        future: Resource<FutureIncomingResponse>,
    ) -> HostResult<Option<Result<Result<Resource<IncomingResponse>, ErrorCode>, ()>>> {
        let _context = executor::enter()?;
        let pending = self.table.get_mut(&future)?;
        if pending
            .poll_ready(&mut Context::from_waker(Waker::noop()))
            .is_pending()
        {
            return Ok(None);
        }
        let Some(taken) = pending.take() else {
            return Ok(Some(Err(())));
        };
        Ok(Some(Ok(match self.receive(taken) {
            Ok(response) => Ok(self.table.push(response)?),
            Err(error) => Err(error),
        })))
    }

    fn drop(&mut self, future: Resource<FutureIncomingResponse>) -> HostResult<()> {
        self.table.delete(future)?;
        Ok(())
    }
}
