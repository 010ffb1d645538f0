//! `wasi:io/error`, and the failures of streams.

use std::error::Error as StdError;
use std::fmt;

use crate::WasiCtx;
use crate::bindings::wasi::io::error;
use crate::bindings::wasi::io::streams;
use airssys_wasm_component::component::{HostResult, Resource, ResourceTableError};
use airssys_wasm_component::error::{Error, TrapKind};

/// Bytes of an error's text for guests, at most. Stops an error that repeats a guest's own text without end.
const MAX_DEBUG_BYTES: usize = 1024;

/// The resource `error`: the cause of a failed operation on a stream.
#[derive(Debug)]
pub(crate) struct IoError(Box<dyn StdError + Send + Sync>);

impl IoError {
    /// Wraps an error of the host.
    pub(crate) fn new(error: impl Into<Box<dyn StdError + Send + Sync>>) -> IoError {
        IoError(error.into())
    }

    /// Returns the host's error, if it is of this type. Interfaces derive their own codes from it.
    pub(crate) fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }
}

impl fmt::Display for IoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The failure of a stream operation.
#[derive(Debug)]
pub(crate) enum StreamError {
    /// The stream has ended.
    Closed,
    /// The operation failed, and the stream is closed from now on.
    Failed(IoError),
    /// The guest broke a rule, or its time is up.
    Trap(Box<dyn StdError + Send + Sync>),
}

impl StreamError {
    /// Creates the failure of an operation of the host's system.
    pub(crate) fn failed(error: impl Into<Box<dyn StdError + Send + Sync>>) -> StreamError {
        StreamError::Failed(IoError::new(error))
    }

    /// Creates a trap with a message about the guest's mistake.
    pub(crate) fn misuse(message: impl Into<String>) -> StreamError {
        misuse(message).into()
    }
}

/// Creates the trap of a guest that broke a rule of an interface.
pub(crate) fn misuse(message: impl Into<String>) -> Error {
    TrapKind::Other(message.into()).into()
}

/// Creates the trap of a guest that exceeded a limit.
pub(crate) fn beyond(limit: impl Into<String>) -> Error {
    TrapKind::Limit(limit.into()).into()
}

impl From<ResourceTableError> for StreamError {
    fn from(error: ResourceTableError) -> StreamError {
        StreamError::Trap(error.into())
    }
}

impl From<Error> for StreamError {
    fn from(error: Error) -> StreamError {
        StreamError::Trap(error.into())
    }
}

impl From<Box<dyn StdError + Send + Sync>> for StreamError {
    fn from(error: Box<dyn StdError + Send + Sync>) -> StreamError {
        StreamError::Trap(error)
    }
}

impl error::Host for WasiCtx {}

impl error::HostError for WasiCtx {
    fn to_debug_string(&mut self, error: Resource<IoError>) -> HostResult<String> {
        let mut text = self.table.get(&error)?.to_string();
        text.truncate(text.floor_char_boundary(MAX_DEBUG_BYTES));
        Ok(text)
    }

    fn drop(&mut self, error: Resource<IoError>) -> HostResult<()> {
        self.table.delete(error)?;
        Ok(())
    }
}

impl streams::Host for WasiCtx {
    fn convert_stream_error(&mut self, error: StreamError) -> HostResult<streams::StreamError> {
        match error {
            StreamError::Closed => Ok(streams::StreamError::Closed),
            StreamError::Failed(error) => {
                let error = self.table.push(error)?;
                Ok(streams::StreamError::LastOperationFailed(error))
            }
            StreamError::Trap(error) => Err(error),
        }
    }
}
