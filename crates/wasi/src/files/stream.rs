//! Streams of files. Files are always ready: reads and writes run on the calling thread.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use system_interface::fs::FileIoExt;

use super::descriptor::OpenFile;
use super::error::FileError;
use crate::io::{Input, Output, StreamError, Waits};

/// Bytes that a write stream accepts at once.
const ROOM: usize = 1 << 20;

/// Reads up to `max` bytes at an offset; returns none at the end of the file and beyond.
pub(super) fn read_at(file: &OpenFile, max: usize, offset: u64) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; max];
    loop {
        match file.file.read_at(&mut buffer, offset) {
            Ok(read) => {
                buffer.truncate(read);
                return Ok(buffer);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Converts the refusal of a stream that was permitted when it was created.
fn refused(_: FileError) -> StreamError {
    StreamError::failed(io::Error::from(rustix::io::Errno::ACCESS))
}

/// A file's bytes from an offset to its end.
pub(crate) struct Reading {
    file: Arc<OpenFile>,
    at: u64,
    ended: bool,
}

impl Reading {
    pub(super) fn new(file: Arc<OpenFile>, at: u64) -> Reading {
        Reading {
            file,
            at,
            ended: false,
        }
    }
}

impl Waits for Reading {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

impl Input for Reading {
    /// A stream that has reached the end of the file stays closed, even if the file grows later.
    fn read(&mut self, max: usize) -> Result<Bytes, StreamError> {
        self.file.readable().map_err(refused)?;
        if self.ended {
            return Err(StreamError::Closed);
        }
        if max == 0 {
            return Ok(Bytes::new());
        }
        let bytes = read_at(&self.file, max, self.at).map_err(StreamError::failed)?;
        if bytes.is_empty() {
            self.ended = true;
            return Err(StreamError::Closed);
        }
        self.at = self
            .at
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(bytes.into())
    }
}

/// Writes to a file.
pub(crate) struct Writing {
    file: Arc<OpenFile>,
    /// The offset of the next write; `None` appends.
    at: Option<u64>,
}

impl Writing {
    pub(super) fn new(file: Arc<OpenFile>, at: Option<u64>) -> Writing {
        Writing { file, at }
    }

    /// Writes all bytes.
    ///
    /// # Errors
    /// [`StreamError::Failed`].
    pub(crate) fn write_bytes(&mut self, mut left: &[u8]) -> Result<(), StreamError> {
        self.file.writable().map_err(refused)?;
        while !left.is_empty() {
            match self.write_some(left) {
                Ok(0) => return Err(StreamError::failed(io::Error::from(io::ErrorKind::WriteZero))),
                Ok(written) => left = left.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(StreamError::failed(error)),
            }
        }
        Ok(())
    }

    fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(at) = &mut self.at else {
            return self.file.file.append(bytes);
        };
        let written = self.file.file.write_at(bytes, *at)?;
        *at = at.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        Ok(written)
    }
}

impl Waits for Writing {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

impl Output for Writing {
    fn check_write(&mut self) -> Result<usize, StreamError> {
        Ok(ROOM)
    }

    fn write(&mut self, bytes: Bytes) -> Result<(), StreamError> {
        self.write_bytes(&bytes)
    }

    /// Does nothing, since no bytes are buffered here. `sync` writes what the system buffers.
    fn flush(&mut self) -> Result<(), StreamError> {
        Ok(())
    }
}
