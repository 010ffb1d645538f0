//! `wasi:io/streams`: the rules that apply to all streams.

use std::fmt;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::{Input, Output, Patience, Pollable, StreamError, Waits, subscribe};
use crate::WasiCtx;
use crate::bindings::wasi::io::streams::{HostInputStream, HostOutputStream};
use airssys_wasm_component::component::{HostResult, Resource, ResourceTable};

/// Bytes of `blocking-write-and-flush`, at most, as the interface defines.
const MAX_BLOCKING_WRITE: u64 = 4096;

/// Source of `write-zeroes`.
static ZEROES: [u8; 4096] = [0; 4096];

/// The resource `input-stream`.
pub(crate) struct InputStream {
    input: Box<dyn Input>,
    /// True once a failure was reported.
    failed: bool,
}

impl InputStream {
    /// Creates a stream that reads from `input`.
    pub(crate) fn new(input: impl Input) -> InputStream {
        InputStream {
            input: Box::new(input),
            failed: false,
        }
    }

    /// Reads at most `max` bytes of those that are available.
    pub(crate) fn read(&mut self, max: usize) -> Result<Bytes, StreamError> {
        self.attempt(|input| input.read(max))
    }

    fn skip(&mut self, max: usize) -> Result<usize, StreamError> {
        self.attempt(|input| input.skip(max))
    }

    fn attempt<R>(
        &mut self,
        work: impl FnOnce(&mut dyn Input) -> Result<R, StreamError>,
    ) -> Result<R, StreamError> {
        if self.failed {
            return Err(StreamError::Closed);
        }
        work(&mut *self.input).inspect_err(|error| self.failed = is_final(error))
    }
}

impl Waits for InputStream {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.failed {
            true => Poll::Ready(()),
            false => self.input.poll_ready(cx),
        }
    }
}

impl fmt::Debug for InputStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InputStream").finish_non_exhaustive()
    }
}

/// The resource `output-stream`.
pub(crate) struct OutputStream {
    output: Box<dyn Output>,
    /// Bytes that may still be written until the next `check-write`.
    permit: usize,
    /// True once a failure was reported.
    failed: bool,
}

impl OutputStream {
    /// Creates a stream that writes to `output`.
    pub(crate) fn new(output: impl Output) -> OutputStream {
        OutputStream {
            output: Box::new(output),
            permit: 0,
            failed: false,
        }
    }

    /// Returns the number of bytes that may be written, at most `most`.
    pub(crate) fn check_write(&mut self, most: usize) -> Result<usize, StreamError> {
        self.permit = 0;
        let permit = self.attempt(|output| output.check_write())?;
        self.permit = permit.min(most);
        Ok(self.permit)
    }

    /// Writes bytes, and traps if there are more than `check_write` permitted.
    pub(crate) fn write(&mut self, bytes: Bytes) -> Result<(), StreamError> {
        let Some(left) = self.permit.checked_sub(bytes.len()) else {
            let (len, permit) = (bytes.len(), self.permit);
            return Err(StreamError::misuse(format!(
                "{len} bytes were written to a stream, but `check-write` permitted {permit}"
            )));
        };
        self.permit = left;
        if bytes.is_empty() && !self.failed {
            return Ok(());
        }
        self.attempt(|output| output.write(bytes))
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        self.permit = 0;
        self.attempt(|output| output.flush())
    }

    fn attempt<R>(
        &mut self,
        work: impl FnOnce(&mut dyn Output) -> Result<R, StreamError>,
    ) -> Result<R, StreamError> {
        if self.failed {
            return Err(StreamError::Closed);
        }
        work(&mut *self.output).inspect_err(|error| self.failed = is_final(error))
    }

    /// Waits until there is room, and returns its size.
    fn wait_for_room(&mut self, patience: &Patience, most: usize) -> Result<usize, StreamError> {
        loop {
            patience.wait(|cx| self.poll_ready(cx))?;
            let permit = self.check_write(most)?;
            if permit > 0 {
                return Ok(permit);
            }
            // The room that was ready is gone again.
            patience.check()?;
        }
    }

    fn wait_for_flush(&mut self, patience: &Patience) -> Result<(), StreamError> {
        self.flush()?;
        match self.wait_for_room(patience, usize::MAX) {
            // Everything written has arrived, and the stream is closed after that.
            Err(StreamError::Closed) if !self.failed => Ok(()),
            result => result.map(|_| ()),
        }
    }
}

impl Waits for OutputStream {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.failed {
            true => Poll::Ready(()),
            false => self.output.poll_ready(cx),
        }
    }
}

impl fmt::Debug for OutputStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutputStream")
            .field("permit", &self.permit)
            .finish_non_exhaustive()
    }
}

fn is_final(error: &StreamError) -> bool {
    matches!(error, StreamError::Failed(_))
}

/// Converts a guest's number of bytes, capped at `most`.
fn bounded(len: u64, most: usize) -> usize {
    usize::try_from(len).map_or(most, |len| len.min(most))
}

fn wide(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// Moves the bytes that are available and have room.
fn splice(
    table: &mut ResourceTable,
    output: &Resource<OutputStream>,
    input: &Resource<InputStream>,
    most: usize,
) -> Result<u64, StreamError> {
    let most = table.get_mut(output)?.check_write(most)?;
    if most == 0 {
        return Ok(0);
    }
    let bytes = table.get_mut(input)?.read(most)?;
    let len = wide(bytes.len());
    if len > 0 {
        table.get_mut(output)?.write(bytes)?;
    }
    Ok(len)
}

impl WasiCtx {
    /// Returns the time for which the current call may wait.
    pub(crate) fn patience(&self) -> Patience {
        Patience::new(self.deadline, self.limits.longest_wait, self.before_wait.clone())
    }

    fn wait_for_input(&mut self, stream: &Resource<InputStream>) -> Result<(), StreamError> {
        let patience = self.patience();
        let stream = self.table.get_mut(stream)?;
        Ok(patience.wait(|cx| stream.poll_ready(cx))?)
    }

    /// Writes all bytes, and waits until they are flushed.
    pub(crate) fn write_all(
        &mut self,
        stream: &Resource<OutputStream>,
        mut bytes: Bytes,
    ) -> Result<(), StreamError> {
        let (patience, most) = (self.patience(), self.limits.write_bytes);
        let stream = self.table.get_mut(stream)?;
        while !bytes.is_empty() {
            let room = stream.wait_for_room(&patience, most)?;
            stream.write(bytes.split_to(room.min(bytes.len())))?;
        }
        stream.wait_for_flush(&patience)
    }
}

fn check_blocking(len: u64) -> Result<(), StreamError> {
    if len <= MAX_BLOCKING_WRITE {
        return Ok(());
    }
    Err(StreamError::misuse(format!(
        "a blocking write has {len} bytes, more than the limit of {MAX_BLOCKING_WRITE}"
    )))
}

impl HostInputStream for WasiCtx {
    fn read(&mut self, stream: Resource<InputStream>, len: u64) -> Result<Vec<u8>, StreamError> {
        let most = bounded(len, self.limits.read_bytes);
        Ok(self.table.get_mut(&stream)?.read(most)?.into())
    }

    fn blocking_read(&mut self, stream: Resource<InputStream>, len: u64) -> Result<Vec<u8>, StreamError> {
        let patience = self.patience();
        loop {
            self.wait_for_input(&stream)?;
            let bytes = self.read(Resource::new_borrow(stream.rep()), len)?;
            if len == 0 || !bytes.is_empty() {
                return Ok(bytes);
            }
            // The bytes that were ready are gone again.
            patience.check()?;
        }
    }

    fn skip(&mut self, stream: Resource<InputStream>, len: u64) -> Result<u64, StreamError> {
        let most = bounded(len, self.limits.read_bytes);
        Ok(wide(self.table.get_mut(&stream)?.skip(most)?))
    }

    fn blocking_skip(&mut self, stream: Resource<InputStream>, len: u64) -> Result<u64, StreamError> {
        let patience = self.patience();
        loop {
            self.wait_for_input(&stream)?;
            let skipped = self.skip(Resource::new_borrow(stream.rep()), len)?;
            if len == 0 || skipped > 0 {
                return Ok(skipped);
            }
            patience.check()?;
        }
    }

    fn subscribe(&mut self, stream: Resource<InputStream>) -> HostResult<Resource<Pollable>> {
        Ok(subscribe(&mut self.table, &stream)?)
    }

    fn drop(&mut self, stream: Resource<InputStream>) -> HostResult<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}

impl HostOutputStream for WasiCtx {
    fn check_write(&mut self, stream: Resource<OutputStream>) -> Result<u64, StreamError> {
        let most = self.limits.write_bytes;
        Ok(wide(self.table.get_mut(&stream)?.check_write(most)?))
    }

    fn write(&mut self, stream: Resource<OutputStream>, contents: Vec<u8>) -> Result<(), StreamError> {
        self.table.get_mut(&stream)?.write(contents.into())
    }

    fn blocking_write_and_flush(
        &mut self,
        stream: Resource<OutputStream>,
        contents: Vec<u8>,
    ) -> Result<(), StreamError> {
        check_blocking(wide(contents.len()))?;
        self.write_all(&stream, contents.into())
    }

    fn flush(&mut self, stream: Resource<OutputStream>) -> Result<(), StreamError> {
        self.table.get_mut(&stream)?.flush()
    }

    fn blocking_flush(&mut self, stream: Resource<OutputStream>) -> Result<(), StreamError> {
        let patience = self.patience();
        self.table.get_mut(&stream)?.wait_for_flush(&patience)
    }

    fn subscribe(&mut self, stream: Resource<OutputStream>) -> HostResult<Resource<Pollable>> {
        Ok(subscribe(&mut self.table, &stream)?)
    }

    fn write_zeroes(&mut self, stream: Resource<OutputStream>, len: u64) -> Result<(), StreamError> {
        let stream = self.table.get_mut(&stream)?;
        let permit = stream.permit;
        if len > wide(permit) {
            return Err(StreamError::misuse(format!(
                "{len} zeroes were written to a stream, but `check-write` permitted {permit}"
            )));
        }
        let mut left = bounded(len, permit);
        while left > 0 {
            let part = left.min(ZEROES.len());
            stream.write(Bytes::from_static(&ZEROES).slice(..part))?;
            left -= part;
        }
        Ok(())
    }

    fn blocking_write_zeroes_and_flush(
        &mut self,
        stream: Resource<OutputStream>,
        len: u64,
    ) -> Result<(), StreamError> {
        check_blocking(len)?;
        let len = bounded(len, ZEROES.len());
        self.write_all(&stream, Bytes::from_static(&ZEROES).slice(..len))
    }

    fn splice(
        &mut self,
        stream: Resource<OutputStream>,
        src: Resource<InputStream>,
        len: u64,
    ) -> Result<u64, StreamError> {
        let most = bounded(len, self.limits.read_bytes.min(self.limits.write_bytes));
        splice(&mut self.table, &stream, &src, most)
    }

    fn blocking_splice(
        &mut self,
        stream: Resource<OutputStream>,
        src: Resource<InputStream>,
        len: u64,
    ) -> Result<u64, StreamError> {
        let patience = self.patience();
        let output = self.table.get_mut(&stream)?;
        patience.wait(|cx| output.poll_ready(cx))?;
        self.wait_for_input(&src)?;
        HostOutputStream::splice(self, stream, src, len)
    }

    fn drop(&mut self, stream: Resource<OutputStream>) -> HostResult<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}
