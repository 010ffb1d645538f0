//! Standard streams, as files of wasmer-wasix.

use std::io::{self, SeekFrom};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use wasmer_wasix::virtual_fs::{AsyncRead, AsyncSeek, AsyncWrite, ReadBuf, Result, VirtualFile};

use crate::cli::{SharedInput, SharedOutput};
use crate::executor::Timer;
use crate::io::{Input, Output, StreamError, Waits};

/// Bytes of one write, at most.
const WRITE: usize = 64 << 10;

/// Standard input. A wait for it ends at the deadline.
pub(super) struct StandardInput {
    from: SharedInput,
    /// Behind a lock, because files are shared between threads, and timers cannot be. The lock is never contended.
    deadline: Option<Mutex<Timer>>,
}

impl StandardInput {
    pub(super) fn new(from: SharedInput, deadline: Option<Instant>) -> StandardInput {
        StandardInput {
            from,
            deadline: deadline.map(|deadline| Mutex::new(Timer::at(deadline))),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.from.poll_ready(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let deadline = self.deadline.as_mut().map(|deadline| {
            deadline
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner)
                .poll(cx)
        });
        match deadline {
            Some(Poll::Ready(())) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            _ => Poll::Pending,
        }
    }
}

impl std::fmt::Debug for StandardInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StandardInput")
    }
}

/// Standard output or error.
#[derive(Debug)]
pub(super) struct StandardOutput {
    to: SharedOutput,
    number: u32,
}

impl StandardOutput {
    /// Creates the stream with this number: 1 or 2.
    pub(super) fn new(to: SharedOutput, number: u32) -> StandardOutput {
        StandardOutput { to, number }
    }
}

fn io_error(error: StreamError) -> io::Error {
    match error {
        StreamError::Closed => io::ErrorKind::BrokenPipe.into(),
        other => io::Error::other(format!("{other:?}")),
    }
}

impl AsyncRead for StandardInput {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.poll(cx) {
            Poll::Ready(Ok(())) => {}
            other => return other,
        }
        Poll::Ready(match self.from.read(buf.remaining()) {
            Ok(bytes) => {
                buf.put_slice(&bytes);
                Ok(())
            }
            // An empty read is the end.
            Err(StreamError::Closed) => Ok(()),
            Err(error) => Err(io_error(error)),
        })
    }
}

impl AsyncWrite for StandardOutput {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let part = &bytes[..bytes.len().min(WRITE)];
        let written = self.to.write(Bytes::copy_from_slice(part));
        Poll::Ready(written.map(|()| part.len()).map_err(io_error))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.to.flush().map_err(io_error))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl AsyncWrite for StandardInput {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::PermissionDenied.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for StandardOutput {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::PermissionDenied.into()))
    }
}

/// Behavior that all streams share: no times, no size, and no seeking.
macro_rules! stream {
    ($name:ty, $number:expr, $read_ready:expr, $write_ready:expr) => {
        impl AsyncSeek for $name {
            fn start_seek(self: Pin<&mut Self>, _: SeekFrom) -> io::Result<()> {
                Err(io::ErrorKind::NotSeekable.into())
            }

            fn poll_complete(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<u64>> {
                Poll::Ready(Err(io::ErrorKind::NotSeekable.into()))
            }
        }

        impl VirtualFile for $name {
            fn last_accessed(&self) -> u64 {
                0
            }

            fn last_modified(&self) -> u64 {
                0
            }

            fn created_time(&self) -> u64 {
                0
            }

            fn size(&self) -> u64 {
                0
            }

            fn set_len(&mut self, _: u64) -> Result<()> {
                Err(wasmer_wasix::FsError::PermissionDenied)
            }

            fn unlink(&mut self) -> Result<()> {
                Err(wasmer_wasix::FsError::PermissionDenied)
            }

            fn get_special_fd(&self) -> Option<u32> {
                let number: fn(&$name) -> u32 = $number;
                Some(number(self))
            }

            fn poll_read_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
                let ready: fn(&mut $name, &mut Context<'_>) -> Poll<io::Result<usize>> = $read_ready;
                ready(self.get_mut(), cx)
            }

            fn poll_write_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
                let ready: fn(&mut $name, &mut Context<'_>) -> Poll<io::Result<usize>> = $write_ready;
                ready(self.get_mut(), cx)
            }
        }
    };
}

stream!(
    StandardInput,
    |_| 0,
    |input, cx| input.poll(cx).map_ok(|()| 1),
    |_, _| Poll::Ready(Ok(0))
);
stream!(
    StandardOutput,
    |output| output.number,
    |_, _| Poll::Ready(Ok(0)),
    |_, _| Poll::Ready(Ok(WRITE))
);
