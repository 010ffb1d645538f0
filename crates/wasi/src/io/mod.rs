//! `wasi:io`: errors, waiting, streams.
//!
//! Whoever makes a stream implements [`Input`] or [`Output`], and no rule of the interface's: what may be written when, and
//! what a stream that failed answers, is decided here, once for all.

mod error;
mod poll;
mod streams;
mod wait;

pub(crate) use error::{IoError, StreamError, beyond, misuse};
pub(crate) use poll::{Pollable, subscribe, subscribe_own};
pub(crate) use streams::{InputStream, OutputStream};
pub(crate) use wait::{BeforeWait, Patience};

use std::task::{Context, Poll};

use bytes::Bytes;

/// What can be waited for.
pub(crate) trait Waits: Send + 'static {
    /// Whether it is ready; if not, wakes `cx` when it could be. It is called under tokio's runtime, and may be called again
    /// after it was ready. An error counts as ready.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// Where the bytes of an input stream come from. Ready when there are bytes, or it has ended or failed.
pub(crate) trait Input: Waits {
    /// At most `max` bytes, without waiting; none if there are none at the moment. `max` may be 0, which asks only whether
    /// it has ended.
    ///
    /// # Errors
    /// [`StreamError::Closed`] at its end.
    fn read(&mut self, max: usize) -> Result<Bytes, StreamError>;

    /// As [`Input::read`], for whoever does not want the bytes.
    ///
    /// # Errors
    /// As [`Input::read`].
    fn skip(&mut self, max: usize) -> Result<usize, StreamError> {
        self.read(max).map(|bytes| bytes.len())
    }
}

/// Where the bytes of an output stream go. Ready when there is room, or it has ended or failed.
pub(crate) trait Output: Waits {
    /// How much may be written at the moment, without waiting; 0 while it is being flushed.
    ///
    /// # Errors
    /// [`StreamError::Closed`]; [`StreamError::Failed`] if what was written before did not arrive.
    fn check_write(&mut self) -> Result<usize, StreamError>;

    /// Takes bytes, without waiting: at most as many as `check_write` gave last.
    ///
    /// # Errors
    /// As [`Output::check_write`].
    fn write(&mut self, bytes: Bytes) -> Result<(), StreamError>;

    /// Asks that what was written gets where it should go, without waiting for it.
    ///
    /// # Errors
    /// As [`Output::check_write`].
    fn flush(&mut self) -> Result<(), StreamError>;
}
