//! Bodies of incoming and outgoing messages.

mod host;
mod incoming;
mod outgoing;
mod pace;
mod pipe;

pub(crate) use incoming::{Bounds, Failed, FutureTrailers, IncomingBody};
pub(crate) use outgoing::OutgoingBody;
pub(crate) use pace::{Pace, Watch};
pub(crate) use pipe::{Behind, Reader, Unfinished};

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::bindings::wasi::http::types::ErrorCode;

/// The kind of message that a body belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Request,
    Response,
}

impl Direction {
    /// Returns the error for a body that exceeds its limit, or does not have its declared length.
    pub(crate) fn too_long(self, bytes: u64) -> ErrorCode {
        match self {
            Direction::Request => ErrorCode::HttpRequestBodySize(Some(bytes)),
            Direction::Response => ErrorCode::HttpResponseBodySize(Some(bytes)),
        }
    }
}

/// The body of an outgoing message: the bytes that a guest writes, or empty.
#[derive(Debug)]
pub(crate) struct Sent(Option<Reader>);

impl Sent {
    pub(crate) fn new(reader: Option<Reader>) -> Sent {
        Sent(reader)
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Unfinished;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Unfinished>>> {
        match &mut self.0 {
            Some(reader) => Pin::new(reader).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
