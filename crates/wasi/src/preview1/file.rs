//! A file of the host, as a file of wasmer-wasix.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cap_std::fs::Dir;
use fs_set_times::{SetTimes, SystemTimeSpec};
use wasmer_wasix::FsError;
use wasmer_wasix::virtual_fs::{AsyncRead, AsyncSeek, AsyncWrite, ReadBuf, Result, VirtualFile};

/// One of the files that a module may have open.
#[derive(Debug)]
pub(super) struct OpenSlot(Arc<AtomicUsize>);

impl OpenSlot {
    /// Takes one of `left`, if there is one.
    pub(super) fn take(left: &Arc<AtomicUsize>) -> Option<OpenSlot> {
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
            .ok()?;
        Some(OpenSlot(left.clone()))
    }
}

impl Drop for OpenSlot {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A regular file. Its reads and writes never wait for another program, so they run at once.
#[derive(Debug)]
pub(super) struct OpenFile {
    file: File,
    /// The folder that it was opened in, needed to unlink it.
    dir: Arc<Dir>,
    path: PathBuf,
    writable: bool,
    /// Position after the last seek.
    position: u64,
    _slot: OpenSlot,
}

impl OpenFile {
    pub(super) fn new(file: File, dir: Arc<Dir>, path: PathBuf, writable: bool, slot: OpenSlot) -> OpenFile {
        OpenFile {
            file,
            dir,
            path,
            writable,
            position: 0,
            _slot: slot,
        }
    }

    fn time(&self, of: impl Fn(&std::fs::Metadata) -> io::Result<SystemTime>) -> u64 {
        let time = self.file.metadata().and_then(|metadata| of(&metadata));
        nanoseconds(time.ok())
    }
}

/// Returns nanoseconds since 1970; 0 for an unknown time.
pub(super) fn nanoseconds(time: Option<SystemTime>) -> u64 {
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

fn time_spec(nanoseconds: Option<u64>) -> Option<SystemTimeSpec> {
    nanoseconds
        .and_then(|nanoseconds| UNIX_EPOCH.checked_add(Duration::from_nanos(nanoseconds)))
        .map(SystemTimeSpec::Absolute)
}

impl VirtualFile for OpenFile {
    fn last_accessed(&self) -> u64 {
        self.time(std::fs::Metadata::accessed)
    }

    fn last_modified(&self) -> u64 {
        self.time(std::fs::Metadata::modified)
    }

    fn created_time(&self) -> u64 {
        self.time(std::fs::Metadata::created)
    }

    fn set_times(&mut self, accessed: Option<u64>, modified: Option<u64>) -> Result<()> {
        if !self.writable {
            return Err(FsError::PermissionDenied);
        }
        Ok(SetTimes::set_times(
            &self.file,
            time_spec(accessed),
            time_spec(modified),
        )?)
    }

    fn size(&self) -> u64 {
        self.file.metadata().map_or(0, |metadata| metadata.len())
    }

    fn set_len(&mut self, size: u64) -> Result<()> {
        match self.writable {
            true => Ok(self.file.set_len(size)?),
            false => Err(FsError::PermissionDenied),
        }
    }

    fn unlink(&mut self) -> Result<()> {
        match self.writable {
            true => Ok(self.dir.remove_file(&self.path)?),
            false => Err(FsError::PermissionDenied),
        }
    }

    fn poll_read_ready(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let left = self
            .file
            .stream_position()
            .map(|at| self.size().saturating_sub(at));
        Poll::Ready(left.map(|left| usize::try_from(left).unwrap_or(usize::MAX)))
    }

    fn poll_write_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(64 << 10))
    }
}

impl AsyncRead for OpenFile {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = self.file.read(buf.initialize_unfilled());
        Poll::Ready(read.map(|read| buf.advance(read)))
    }
}

impl AsyncWrite for OpenFile {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.file.write(bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.file.flush())
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl AsyncSeek for OpenFile {
    fn start_seek(mut self: Pin<&mut Self>, to: SeekFrom) -> io::Result<()> {
        self.position = self.file.seek(to)?;
        Ok(())
    }

    fn poll_complete(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Poll::Ready(Ok(self.position))
    }
}
