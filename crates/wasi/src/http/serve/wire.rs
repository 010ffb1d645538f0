//! A connection below HTTP: gives up on a client that reads too slowly, notices one that has left, and closes in stages
//! (RFC 9112, section 9.6).

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use futures_util::future::poll_fn;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::http::body::{Pace, Watch};

/// Time for which bytes that the client still sends are read and discarded after the last response. Without it, the
/// system would answer those bytes with a reset, and the client could lose the response.
const LINGER: Duration = Duration::from_secs(2);
/// Bytes that are discarded in this way. Stops a client that never stops sending.
const LINGER_BYTES: u64 = 16 << 20;

/// A connection. Its handles are held by hyper, by the requests on it, and by the task that closes it.
#[derive(Clone)]
pub(super) struct Wire(Arc<Mutex<State>>);

struct State {
    stream: TokioIo<TcpStream>,
    /// The pace that the client must keep in reading what is written.
    watch: Watch,
    /// Number of flushes: each passed all written bytes to the system.
    flushes: u64,
    /// Waker of the task that waits for the next flush.
    flushed: Option<Waker>,
    /// True if the connection ends with a reset.
    reset: bool,
}

/// A wait until all bytes that are already written have been passed to the system.
#[derive(Debug, Default)]
pub(super) struct Flush(Option<u64>);

impl Wire {
    pub(super) fn new(stream: TcpStream, pace: Pace) -> Wire {
        Wire(Arc::new(Mutex::new(State {
            stream: TokioIo::new(stream),
            watch: Watch::new(pace),
            flushes: 0,
            flushed: None,
            reset: false,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // One task has all handles; nothing panics under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ready when all that hyper had written before the first poll of `flush` has been passed to the system.
    pub(super) fn poll_flushed(&self, flush: &mut Flush, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        let before = *flush.0.get_or_insert(state.flushes);
        if state.flushes > before {
            return Poll::Ready(());
        }
        state.flushed = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Makes the connection end with a reset, for a body that the client could otherwise consider complete.
    pub(super) fn reset(&self) {
        let mut state = self.lock();
        // If that fails, the client sees a normal end; there is no better way.
        state.reset = state.stream.inner().set_zero_linger().is_ok();
    }

    /// Completes when no client waits for the answer: at once if the connection broke, and `time` after the client has
    /// closed its side, since it may still wait for the answer.
    pub(super) async fn gone(&self, time: Duration) {
        let closed = poll_fn(|cx| {
            let mut byte = [0; 1];
            let peeked = self
                .lock()
                .stream
                .inner()
                .poll_peek(cx, &mut ReadBuf::new(&mut byte));
            match ready!(peeked) {
                Ok(0) => Poll::Ready(true),
                // More of this request, or the next one: the client is still there.
                Ok(_) => Poll::Pending,
                Err(_) => Poll::Ready(false),
            }
        });
        if closed.await {
            sleep(time).await;
        }
    }

    /// Closes the connection: shuts down its own side, and reads until the client has closed the other.
    pub(super) async fn close(&self) {
        if self.lock().reset {
            return;
        }
        let shutdown = poll_fn(|cx| Pin::new(self.lock().stream.inner_mut()).poll_shutdown(cx));
        if shutdown.await.is_err() {
            return;
        }
        let mut bytes = 0_u64;
        let read = poll_fn(|cx| {
            let mut part = [0; 8192];
            loop {
                let mut part = ReadBuf::new(&mut part);
                let read = Pin::new(self.lock().stream.inner_mut()).poll_read(cx, &mut part);
                let len = u64::try_from(part.filled().len()).unwrap_or(u64::MAX);
                bytes = bytes.saturating_add(len);
                match ready!(read) {
                    Ok(()) if len > 0 && bytes < LINGER_BYTES => {}
                    _ => return Poll::Ready(()),
                }
            }
        });
        // The connection is dropped in any case.
        let _ = timeout(LINGER, read).await;
    }
}

impl State {
    /// Records the bytes that the client has read, or fails if it reads too slowly.
    fn watch<R>(
        &mut self,
        cx: &mut Context<'_>,
        poll: Poll<io::Result<R>>,
        len: impl FnOnce(&R) -> usize,
    ) -> Poll<io::Result<R>> {
        match poll {
            Poll::Ready(Ok(written)) => {
                self.watch.progress(len(&written));
                Poll::Ready(Ok(written))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => match self.watch.poll(cx) {
                Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                Poll::Pending => Poll::Pending,
            },
        }
    }
}

impl Read for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().stream).poll_read(cx, buffer)
    }
}

impl Write for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.lock();
        let poll = Pin::new(&mut state.stream).poll_write(cx, bytes);
        state.watch(cx, poll, |written| *written)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.lock();
        ready!(Pin::new(&mut state.stream).poll_flush(cx))?;
        // hyper flushes when it has written everything.
        state.flushes = state.flushes.saturating_add(1);
        let flushed = state.flushed.take();
        drop(state);
        if let Some(flushed) = flushed {
            flushed.wake();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.lock().stream.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.lock();
        let poll = Pin::new(&mut state.stream).poll_write_vectored(cx, parts);
        state.watch(cx, poll, |written| *written)
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}
