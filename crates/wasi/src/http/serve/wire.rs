//! A connection below HTTP: gives up on a client that takes too little, sees one that has gone, and closes in stages
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

/// Time in which what a client still sends is read and thrown away after the last response. Without it, the system would
/// answer those bytes with a reset, which can take the response with it.
const LINGER: Duration = Duration::from_secs(2);
/// Bytes that are thrown away so. Stops a client that sends on and on.
const LINGER_BYTES: u64 = 16 << 20;

/// A connection. hyper has one handle; the requests on it and what closes it have others.
#[derive(Clone)]
pub(super) struct Wire(Arc<Mutex<State>>);

struct State {
    stream: TokioIo<TcpStream>,
    /// How fast the client has to take what is written.
    watch: Watch,
    /// Times that all that was written has been given to the system.
    flushes: u64,
    /// Waits for the next time.
    flushed: Option<Waker>,
    /// The connection ends with a reset.
    reset: bool,
}

/// A wait for what was written before it to be given to the system.
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
        // One task has all handles; nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ready when all that hyper had written when it was asked first is with the system.
    pub(super) fn poll_flushed(&self, flush: &mut Flush, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        let before = *flush.0.get_or_insert(state.flushes);
        if state.flushes > before {
            return Poll::Ready(());
        }
        state.flushed = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Has the connection end with a reset: for a body that the client could take for whole otherwise.
    pub(super) fn reset(&self) {
        let mut state = self.lock();
        // Without it, the client sees an end; there is nothing better.
        state.reset = state.stream.inner().set_zero_linger().is_ok();
    }

    /// Ends when no client is there for the answer: at once if the connection broke; `time` after the client has closed its side,
    /// since it may wait for the answer all the same.
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
                // More of this request, or the next one: the client is there.
                Ok(_) => Poll::Pending,
                Err(_) => Poll::Ready(false),
            }
        });
        if closed.await {
            sleep(time).await;
        }
    }

    /// Closes the connection: says that nothing more comes, and reads until the client has closed its side, too.
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
        // Nothing follows either way.
        let _ = timeout(LINGER, read).await;
    }
}

impl State {
    /// Notes what the client took, or fails if it takes too little.
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
        // hyper flushes when it has nothing left to write.
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
