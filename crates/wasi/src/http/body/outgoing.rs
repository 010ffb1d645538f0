//! Outgoing bodies, which guests write.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;

use super::incoming::Failed;
use super::pipe::{self, Abandoned, Reader, Writer};
use super::{Direction, Transmission};
use crate::bindings::wasi::http::types::ErrorCode;
use crate::http::{Ended, HttpCtx};
use crate::io::{Output, StreamError, Waits};

/// The resource `outgoing-body`. Dropping it unfinished aborts the body, unless the component has ended its work and
/// the declared length is met: JavaScript engines leave their bodies unfinished at their end.
#[derive(Debug)]
pub(crate) struct OutgoingBody {
    writer: BodyWriter,
    streamed: bool,
    finished: bool,
    ended: Ended,
}

impl OutgoingBody {
    /// Creates a body whose headers declare `declared` bytes, and its reader.
    pub(crate) fn new(declared: Option<u64>, direction: Direction, http: &HttpCtx) -> (OutgoingBody, Reader) {
        let limits = &http.limits;
        let (writer, reader) = match direction {
            Direction::Request => pipe::pipe(limits.body_buffer_bytes),
            Direction::Response => pipe::held_pipe(limits.body_buffer_bytes, http.behind.clone()),
        };
        let body = OutgoingBody {
            writer: BodyWriter {
                pipe: writer,
                declared,
                most: limits.outgoing_body_bytes.min(declared.unwrap_or(u64::MAX)),
                direction,
                transmission: None,
            },
            streamed: false,
            finished: false,
            ended: http.ended.clone(),
        };
        (body, reader)
    }

    /// Sets the place of the result of sending the message, which fails as the body does.
    pub(crate) fn report(&mut self, transmission: Transmission) {
        self.writer.transmission = Some(transmission);
    }

    /// Starts sending the message.
    pub(crate) fn begin(&self) {
        self.writer.pipe.begin();
    }

    /// Returns the stream that writes the body; `None` after the first call.
    pub(crate) fn stream(&mut self) -> Option<BodyWriter> {
        if self.streamed {
            return None;
        }
        self.streamed = true;
        Some(self.writer.clone())
    }

    /// Ends the body.
    ///
    /// # Errors
    /// If its length is not the declared one. The body is then aborted.
    pub(crate) fn finish(mut self, trailers: Option<HeaderMap>) -> Result<(), ErrorCode> {
        let written = self.writer.pipe.written();
        if self.writer.declared.is_some_and(|declared| declared != written) {
            return Err(self.writer.failed(written));
        }
        self.finished = true;
        self.writer.pipe.finish(trailers);
        Ok(())
    }
}

impl Drop for OutgoingBody {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let written = self.writer.pipe.written();
        match self.ended.is_set() && self.writer.declared.is_none_or(|declared| declared == written) {
            true => self.writer.pipe.finish(None),
            false => self.writer.pipe.abort(),
        }
    }
}

/// The stream that a body is written to.
#[derive(Clone, Debug)]
pub(crate) struct BodyWriter {
    pipe: Writer,
    declared: Option<u64>,
    /// Bytes that may be written in total.
    most: u64,
    direction: Direction,
    /// The result of sending the message, if there is a place for it.
    transmission: Option<Transmission>,
}

impl BodyWriter {
    /// Returns the error for a body that has `written` bytes, and not those that it may have, or is to have.
    fn failed(&self, written: u64) -> ErrorCode {
        let error = self.direction.too_long(written);
        if let Some(transmission) = &self.transmission {
            transmission.set(Err(error.clone()));
        }
        error
    }

    /// Returns the number of bytes that may be written. A connection that has received all declared bytes stops
    /// reading; that is not a failure here, and `write` reports an excess.
    fn room(&self) -> Result<usize, StreamError> {
        match self.pipe.room() {
            Err(Abandoned) if self.declared == Some(self.pipe.written()) && self.pipe.is_taken() => Ok(1),
            room => Ok(room?),
        }
    }
}

impl Waits for BodyWriter {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.pipe.poll_room(cx)
    }
}

impl Output for BodyWriter {
    fn check_write(&mut self) -> Result<usize, StreamError> {
        self.room()
    }

    fn write(&mut self, bytes: Bytes) -> Result<(), StreamError> {
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let written = self.pipe.written().saturating_add(len);
        if written > self.most {
            let error = self.failed(written);
            self.pipe.abort();
            return Err(StreamError::failed(Failed(error)));
        }
        Ok(self.pipe.write(bytes)?)
    }

    /// Starts sending the message. Its bytes are then sent as soon as the connection accepts them.
    fn flush(&mut self) -> Result<(), StreamError> {
        self.pipe.begin();
        self.room().map(|_| ())
    }
}

impl From<Abandoned> for StreamError {
    fn from(_: Abandoned) -> StreamError {
        StreamError::Closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    /// Reads one frame, as hyper does, and drops the reader.
    fn take(mut reader: Reader) {
        let read = crate::executor::block_on(async { reader.frame().await });
        assert!(matches!(read, Ok(Some(Ok(_)))));
    }

    #[test]
    fn a_body_that_was_taken_whole_is_not_closed() {
        let http = HttpCtx::default();
        let (mut body, reader) = OutgoingBody::new(Some(4), Direction::Request, &http);
        let mut stream = body.stream().unwrap();
        stream.write(Bytes::from_static(b"some")).unwrap();
        take(reader);
        assert!(stream.flush().is_ok());
        assert_eq!(stream.check_write().unwrap(), 1);
        assert!(body.finish(None).is_ok());
        let (mut body, reader) = OutgoingBody::new(Some(4), Direction::Request, &http);
        let mut stream = body.stream().unwrap();
        stream.write(Bytes::from_static(b"some")).unwrap();
        take(reader);
        assert!(matches!(
            stream.write(Bytes::from_static(b"x")),
            Err(StreamError::Failed(_))
        ));
        assert!(matches!(stream.check_write(), Err(StreamError::Closed)));
    }

    #[test]
    fn a_body_that_was_not_taken_whole_is_closed() {
        let http = HttpCtx::default();
        for (declared, taken) in [(Some(8), true), (None, true), (Some(4), false)] {
            let (mut body, reader) = OutgoingBody::new(declared, Direction::Request, &http);
            let mut stream = body.stream().unwrap();
            stream.write(Bytes::from_static(b"some")).unwrap();
            match taken {
                true => take(reader),
                false => drop(reader),
            }
            assert!(matches!(stream.flush(), Err(StreamError::Closed)));
        }
    }
}
