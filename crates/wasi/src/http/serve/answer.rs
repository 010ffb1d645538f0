//! Responses on their way to clients, and their lines in the access log.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, Uri, header};
use hyper::body::{Body, Frame, SizeHint};

use super::ACCESS_LOG;
use super::heads::Turn;
use super::wire::{Flush, Wire};
use crate::bindings::wasi::http::types::ErrorCode;
use crate::http::body::{Sent, Unfinished};

/// Bytes of a path in the access log; the rest is cut off. Stops a log that outgrows the traffic.
const MAX_PATH: usize = 512;

/// Fields of a request's line in the access log, which is written on drop.
#[derive(Debug)]
pub(super) struct Access {
    peer: SocketAddr,
    method: Method,
    uri: Uri,
    begun: Instant,
    status: StatusCode,
    sent: u64,
    /// True if the whole response was sent.
    complete: bool,
    /// Marks the request as running; the connection waits for its next request once this is dropped.
    _turn: Turn,
}

impl Access {
    pub(super) fn new(peer: SocketAddr, method: &Method, uri: &Uri, turn: Turn) -> Access {
        Access {
            peer,
            method: method.clone(),
            uri: uri.clone(),
            begun: Instant::now(),
            status: StatusCode::INTERNAL_SERVER_ERROR,
            sent: 0,
            complete: false,
            _turn: turn,
        }
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        if !log::log_enabled!(target: ACCESS_LOG, log::Level::Info) {
            return;
        }
        let path = self.uri.path();
        // A query may be secret.
        let query = if self.uri.query().is_some() { "?…" } else { "" };
        let shown = &path.as_bytes()[..path.len().min(MAX_PATH)];
        log::info!(
            target: ACCESS_LOG,
            peer:% = self.peer,
            status = self.status.as_u16(),
            bytes = self.sent,
            micros = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX),
            complete = self.complete;
            "{} {}{query}", self.method.as_str().escape_debug(), shown.escape_ascii()
        );
    }
}

/// A response's body: the component's, or a short text of the server.
#[derive(Debug)]
pub(super) struct AnswerBody {
    body: Content,
    access: Access,
}

#[derive(Debug)]
enum Content {
    Guest(Sent, Cut),
    Text(Option<Bytes>),
}

/// The end of a connection whose response is incomplete: everything written so far is sent first.
#[derive(Debug)]
pub(super) struct Cut {
    wire: Wire,
    flush: Flush,
    /// Only the connection's end marks the body's end.
    unmarked: bool,
}

impl Cut {
    /// Creates the end of a connection. `unmarked` says that the client sees neither a length nor chunks.
    pub(super) fn new(wire: Wire, unmarked: bool) -> Cut {
        Cut {
            wire,
            flush: Flush::default(),
            unmarked,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.wire.poll_flushed(&mut self.flush, cx));
        if self.unmarked {
            self.wire.reset();
        }
        Poll::Ready(())
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        // hyper stops reading a body once it has reached its declared length.
        self.access.complete |= self.is_end_stream();
    }
}

/// Creates the response from the component's answer.
pub(super) fn of_guest(response: Response<Sent>, cut: Cut, mut access: Access) -> Response<AnswerBody> {
    access.status = response.status();
    response.map(|body| AnswerBody {
        body: Content::Guest(body, cut),
        access,
    })
}

/// Creates the server's response to a request that it does not read to its end; it closes the connection.
pub(super) fn refusal(status: StatusCode, access: Access) -> Response<AnswerBody> {
    let mut response = plain(status, access);
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
    response
}

/// Returns the status for a request whose body failed on its way in.
pub(super) fn of_body(error: &ErrorCode) -> StatusCode {
    match error {
        ErrorCode::HttpRequestBodySize(_) => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::ConnectionReadTimeout => StatusCode::REQUEST_TIMEOUT,
        // RFC 9112, 7.1 and 8: invalid chunks, or an incomplete body.
        _ => StatusCode::BAD_REQUEST,
    }
}

/// Creates a response of the server: the status, and its reason as text.
pub(super) fn plain(status: StatusCode, mut access: Access) -> Response<AnswerBody> {
    access.status = status;
    let text = Bytes::from_static(status.canonical_reason().unwrap_or("error").as_bytes());
    let mut response = Response::new(AnswerBody {
        body: Content::Text(Some(text)),
        access,
    });
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Returns the status for an error that a component answers with.
pub(super) fn status(error: &ErrorCode) -> StatusCode {
    match error {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => StatusCode::FORBIDDEN,
        ErrorCode::HttpRequestLengthRequired => StatusCode::LENGTH_REQUIRED,
        ErrorCode::HttpRequestBodySize(_) => StatusCode::PAYLOAD_TOO_LARGE,
        // 405 must list the allowed methods (RFC 9110, 15.5.6), which only the component knows.
        ErrorCode::HttpRequestMethodInvalid => StatusCode::NOT_IMPLEMENTED,
        ErrorCode::HttpRequestUriInvalid => StatusCode::BAD_REQUEST,
        ErrorCode::HttpRequestUriTooLong => StatusCode::URI_TOO_LONG,
        ErrorCode::HttpRequestHeaderSectionSize(_) | ErrorCode::HttpRequestHeaderSize(_) => {
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
        }
        ErrorCode::ConnectionReadTimeout => StatusCode::REQUEST_TIMEOUT,
        ErrorCode::DnsTimeout | ErrorCode::ConnectionTimeout | ErrorCode::HttpResponseTimeout => {
            StatusCode::GATEWAY_TIMEOUT
        }
        ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTerminated
        | ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_)
        | ErrorCode::HttpResponseIncomplete => StatusCode::BAD_GATEWAY,
        ErrorCode::ConnectionLimitReached => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::LoopDetected => StatusCode::LOOP_DETECTED,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Unfinished;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Unfinished>>> {
        let frame = match &mut self.body {
            Content::Guest(body, cut) => match ready!(Pin::new(body).poll_frame(cx)) {
                // hyper discards unwritten bytes when a body fails.
                Some(Err(error)) => {
                    ready!(cut.poll(cx));
                    Poll::Ready(Some(Err(error)))
                }
                frame => Poll::Ready(frame),
            },
            Content::Text(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
        };
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
                self.access.sent = self.access.sent.saturating_add(bytes);
                self.access.complete = self.is_end_stream();
            }
            Poll::Ready(None) => self.access.complete = true,
            _ => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Content::Guest(body, _) => body.is_end_stream(),
            Content::Text(text) => text.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Content::Guest(body, _) => body.size_hint(),
            Content::Text(text) => {
                let len = text.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(len).unwrap_or(u64::MAX))
            }
        }
    }
}
