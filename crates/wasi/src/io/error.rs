//! `wasi:io/error`, and why streams fail.

use std::error::Error as StdError;
use std::fmt;

use crate::WasiCtx;
use crate::bindings::wasi::io::error;
use crate::bindings::wasi::io::streams;
use airssys_wasm_component::component::{HostResult, Resource, ResourceTableError};
use airssys_wasm_component::error::{Error, TrapKind};

/// Most bytes of an error's text for guests. Stops an error that repeats a guest's own text without end.
const MAX_DEBUG_BYTES: usize = 1024;

/// The resource `error`: what an operation on a stream failed with.
#[derive(Debug)]
pub(crate) struct IoError(Box<dyn StdError + Send + Sync>);

impl IoError {
    /// An error of the host's.
    pub(crate) fn new(error: impl Into<Box<dyn StdError + Send + Sync>>) -> IoError {
        IoError(error.into())
    }

    /// The host's error, if it is of this type: interfaces find their own codes with it.
    pub(crate) fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }
}

impl fmt::Display for IoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a stream gave or took nothing.
#[derive(Debug)]
pub(crate) enum StreamError {
    /// It has ended.
    Closed,
    /// It failed, and is closed from now on.
    Failed(IoError),
    /// The guest broke a rule, or its time is up.
    Trap(Box<dyn StdError + Send + Sync>),
}

impl StreamError {
    /// A failed operation of the host's system.
    pub(crate) fn failed(error: impl Into<Box<dyn StdError + Send + Sync>>) -> StreamError {
        StreamError::Failed(IoError::new(error))
    }

    /// A trap that says what the guest did wrong.
    pub(crate) fn misuse(message: impl Into<String>) -> StreamError {
        misuse(message).into()
    }
}

/// The trap of a guest that did what an interface forbids.
pub(crate) fn misuse(message: impl Into<String>) -> Error {
    TrapKind::Other(message.into()).into()
}

/// The trap of a guest that asks for more than there may be.
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
