//! Bodies of incoming and outgoing messages.

mod host;
mod incoming;
mod outgoing;
mod pace;
mod pipe;
mod sent;

pub(crate) use incoming::{BodyStream, Bounds, Failed, FutureTrailers, IncomingBody, Trailers, Watched};
pub(crate) use outgoing::{BodyWriter, OutgoingBody};
pub(crate) use pace::{Pace, Watch};
pub(crate) use pipe::{Behind, Reader, Unfinished};
pub(crate) use sent::{Sent, Transmission};

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
