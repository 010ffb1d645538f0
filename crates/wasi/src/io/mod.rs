//! `wasi:io`: errors, waiting, streams.
//!
//! A stream's source or sink implements [`Input`] or [`Output`], and none of the interface's rules: this module decides
//! for all streams when a guest may write, and what a failed stream returns.

mod error;
mod poll;
mod streams;
mod wait;

pub(crate) use error::{IoError, StreamError, beyond, misuse};
pub(crate) use poll::{Pollable, subscribe, subscribe_own};
pub(crate) use streams::{InputStream, OutputStream};
pub(crate) use wait::{BeforeWait, Patience, interrupted};

use std::task::{Context, Poll};

use bytes::Bytes;

/// A value that can be waited for.
pub(crate) trait Waits: Send + 'static {
    /// Ready, or wakes `cx` when that may have changed. Called under tokio's runtime, possibly again after it was
    /// ready. An error counts as ready.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// The source of an input stream. Ready when there are bytes, or it has ended or failed.
pub(crate) trait Input: Waits {
    /// Reads at most `max` bytes, without waiting; returns none if none are available. A `max` of 0 only checks for the
    /// end.
    ///
    /// # Errors
    /// [`StreamError::Closed`] at its end.
    fn read(&mut self, max: usize) -> Result<Bytes, StreamError>;

    /// As [`Input::read`], but discards the bytes, and returns their number.
    ///
    /// # Errors
    /// As [`Input::read`].
    fn skip(&mut self, max: usize) -> Result<usize, StreamError> {
        self.read(max).map(|bytes| bytes.len())
    }
}

/// The sink of an output stream. Ready when there is room, or it has ended or failed.
pub(crate) trait Output: Waits {
    /// Returns the number of bytes that can be written without waiting; 0 during a flush.
    ///
    /// # Errors
    /// [`StreamError::Closed`]; [`StreamError::Failed`] if bytes that were written before got lost.
    fn check_write(&mut self) -> Result<usize, StreamError>;

    /// Accepts bytes without waiting: at most as many as `check_write` returned last.
    ///
    /// # Errors
    /// As [`Output::check_write`].
    fn write(&mut self, bytes: Bytes) -> Result<(), StreamError>;

    /// Starts to flush what was written, without waiting.
    ///
    /// # Errors
    /// As [`Output::check_write`].
    fn flush(&mut self) -> Result<(), StreamError>;
}
