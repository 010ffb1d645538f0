//! Incoming bodies: bytes, then trailers.

use std::collections::VecDeque;
use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;

use super::Direction;
use super::pace::{Pace, Watch};
use crate::bindings::wasi::http::types::ErrorCode;
use crate::executor::Task;
use crate::io::{Input, StreamError, Waits};

/// A body with WASI's errors.
pub(crate) type BoxBody = UnsyncBoxBody<Bytes, ErrorCode>;

/// Limits of an incoming body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Bytes of the body.
    pub(crate) bytes: u64,
    /// Minimum speed while the guest waits for the body.
    pub(crate) pace: Pace,
    pub(crate) direction: Direction,
}

/// The resource `incoming-body`, shared with its stream and its trailers.
#[derive(Clone)]
pub(crate) struct IncomingBody {
    shared: Arc<Mutex<Incoming>>,
}

struct Incoming {
    /// `None` once the body has ended or failed.
    body: Option<BoxBody>,
    /// Parts that have arrived and are not yet read; none of them is empty.
    parts: VecDeque<Bytes>,
    /// Bytes of all parts.
    buffered: usize,
    received: u64,
    failed: Option<ErrorCode>,
    /// The first failure, for the response to the client.
    failure: Failure,
    trailers: Option<HeaderMap>,
    bounds: Bounds,
    watch: Watch,
    /// The connection of the body; it ends when this is dropped.
    _connection: Option<Task<()>>,
    streamed: bool,
    /// Dropped once the body has ended or failed, or is no longer needed.
    watch_end: Option<oneshot::Sender<()>>,
    /// The reader of a body that is watched.
    reader: Option<Waker>,
}

/// A body that another has. It does not keep it.
#[derive(Debug)]
pub(crate) struct Watched {
    body: Weak<Mutex<Incoming>>,
    ended: oneshot::Receiver<()>,
}

impl Watched {
    /// Ready once all of the body has arrived, it has failed, or is no longer needed.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.ended).poll(cx).map(drop)
    }

    /// Has the body fail, unless it has ended.
    pub(crate) fn fail(&self, error: ErrorCode) {
        let Some(shared) = self.body.upgrade() else {
            return;
        };
        let body = IncomingBody { shared };
        let (reader, left) = {
            let mut incoming = body.lock();
            let left = incoming.body.take();
            if left.is_some() {
                incoming.fail(error);
            }
            (incoming.reader.take(), left)
        };
        drop(left);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

/// The error that the body failed with, if it failed. Outlives the body.
pub(crate) type Failure = Arc<OnceLock<ErrorCode>>;

impl IncomingBody {
    /// Creates a body; `connection` lives as long as the body does.
    pub(crate) fn new(body: BoxBody, bounds: Bounds, connection: Option<Task<()>>) -> IncomingBody {
        IncomingBody::of(Some(body), bounds, connection)
    }

    /// Creates a body from one of hyper; `error` converts its errors.
    pub(crate) fn of_hyper(
        body: hyper::body::Incoming,
        bounds: Bounds,
        connection: Option<Task<()>>,
        error: fn(&hyper::Error) -> ErrorCode,
    ) -> IncomingBody {
        if body.is_end_stream() {
            return IncomingBody::of(None, bounds, connection);
        }
        let body = body.map_err(move |cause| error(&cause)).boxed_unsync();
        IncomingBody::new(body, bounds, connection)
    }

    /// Creates a body without bytes.
    pub(crate) fn empty() -> IncomingBody {
        let bounds = Bounds {
            bytes: 0,
            pace: Pace {
                pause: Duration::ZERO,
                rate: 0,
            },
            direction: Direction::Response,
        };
        IncomingBody::of(None, bounds, None)
    }

    fn of(body: Option<BoxBody>, bounds: Bounds, connection: Option<Task<()>>) -> IncomingBody {
        let incoming = Incoming {
            body,
            parts: VecDeque::new(),
            buffered: 0,
            received: 0,
            failed: None,
            failure: Failure::default(),
            trailers: None,
            bounds,
            watch: Watch::new(bounds.pace),
            _connection: connection,
            streamed: false,
            watch_end: None,
            reader: None,
        };
        IncomingBody {
            shared: Arc::new(Mutex::new(incoming)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Incoming> {
        // A panic under this lock leaves a body that can be read further.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether the body has ended or failed, so that nothing more arrives.
    pub(crate) fn is_whole(&self) -> bool {
        self.lock().body.is_none()
    }

    /// Reads ahead of the guest. Ready with true when the body has ended or failed, and with false when at least `most`
    /// bytes are buffered.
    pub(crate) fn poll_ahead(&self, cx: &mut Context<'_>, most: usize) -> Poll<bool> {
        let mut incoming = self.lock();
        while incoming.body.is_some() {
            if incoming.buffered >= most {
                return Poll::Ready(false);
            }
            ready!(incoming.pull(cx));
        }
        Poll::Ready(true)
    }

    /// Watches the body for its end.
    pub(crate) fn watch(&self) -> Watched {
        let (sender, ended) = oneshot::channel();
        let mut incoming = self.lock();
        // Of a body that is there already, nothing more is to come.
        incoming.watch_end = incoming.body.is_some().then_some(sender);
        Watched {
            body: Arc::downgrade(&self.shared),
            ended,
        }
    }

    /// Returns the cell that receives the body's failure.
    pub(crate) fn failure(&self) -> Failure {
        self.lock().failure.clone()
    }

    /// Returns the stream of the body's bytes; `None` after the first call.
    pub(crate) fn stream(&self) -> Option<BodyStream> {
        let mut incoming = self.lock();
        if incoming.streamed {
            return None;
        }
        incoming.streamed = true;
        Some(BodyStream(self.clone()))
    }

    /// Returns whether nothing of the body is left.
    pub(crate) fn is_empty(&self) -> bool {
        let incoming = self.lock();
        incoming.body.is_none()
            && incoming.parts.is_empty()
            && incoming.trailers.is_none()
            && incoming.failed.is_none()
    }

    /// Takes the next frame, for a body that is passed on.
    pub(crate) fn poll_frame(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ErrorCode>>> {
        let mut incoming = self.lock();
        ready!(incoming.poll(cx));
        let frame = match incoming.take(usize::MAX) {
            Some(bytes) => Some(Ok(Frame::data(bytes))),
            None => match incoming.failed.clone() {
                Some(error) => Some(Err(error)),
                None => incoming
                    .trailers
                    .take()
                    .map(|trailers| Ok(Frame::trailers(trailers))),
            },
        };
        Poll::Ready(frame)
    }

    /// Returns the size of the part that is left, as far as it is known.
    pub(crate) fn size_hint(&self) -> SizeHint {
        let incoming = self.lock();
        let buffered = u64::try_from(incoming.buffered).unwrap_or(u64::MAX);
        let Some(body) = &incoming.body else {
            return match incoming.trailers.is_none() && incoming.failed.is_none() {
                true => SizeHint::with_exact(buffered),
                false => SizeHint::new(),
            };
        };
        match body.size_hint().exact() {
            Some(rest) => SizeHint::with_exact(rest.saturating_add(buffered)),
            None => SizeHint::new(),
        }
    }

    /// Ends the reading of bytes, and returns the future of the trailers.
    pub(crate) fn finish(self) -> FutureTrailers {
        FutureTrailers { body: Some(self) }
    }
}

impl fmt::Debug for IncomingBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncomingBody").finish_non_exhaustive()
    }
}

impl Incoming {
    /// Ready when bytes are buffered, or when the body has ended or failed.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.parts.is_empty() && self.body.is_some() {
            ready!(self.pull(cx));
        }
        Poll::Ready(())
    }

    /// Ready when one more frame has arrived, or when the body has ended or failed.
    fn pull(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(());
        };
        match Pin::new(body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(bytes) => self.receive(bytes),
                Err(frame) => {
                    self.trailers = frame.into_trailers().ok();
                    self.end();
                }
            },
            Poll::Ready(Some(Err(error))) => self.fail(error),
            Poll::Ready(None) => self.end(),
            Poll::Pending => {
                if self.watch_end.is_some() {
                    self.reader = Some(cx.waker().clone());
                }
                ready!(self.watch.poll(cx));
                self.fail(ErrorCode::ConnectionReadTimeout);
            }
        }
        Poll::Ready(())
    }

    fn receive(&mut self, bytes: Bytes) {
        self.watch.progress(bytes.len());
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.received = self.received.saturating_add(len);
        if self.received > self.bounds.bytes {
            self.fail(self.bounds.direction.too_long(self.received));
        } else if !bytes.is_empty() {
            self.buffered = self.buffered.saturating_add(bytes.len());
            self.parts.push_back(bytes);
        }
    }

    /// Takes at most `max` bytes from the first part.
    fn take(&mut self, max: usize) -> Option<Bytes> {
        let part = self.parts.front_mut()?;
        let taken = part.split_to(max.min(part.len()));
        if part.is_empty() {
            self.parts.pop_front();
        }
        self.buffered = self.buffered.saturating_sub(taken.len());
        Some(taken)
    }

    fn discard(&mut self) {
        self.parts.clear();
        self.buffered = 0;
    }

    fn fail(&mut self, error: ErrorCode) {
        // The first failure is the reason; later ones follow from it.
        let _ = self.failure.set(error.clone());
        self.failed = Some(error);
        self.end();
    }

    fn end(&mut self) {
        self.body = None;
        self.watch_end = None;
    }
}

/// The bytes of a body.
pub(crate) struct BodyStream(IncomingBody);

impl Waits for BodyStream {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.lock().poll(cx)
    }
}

impl Input for BodyStream {
    fn read(&mut self, max: usize) -> Result<Bytes, StreamError> {
        let mut incoming = self.0.lock();
        if incoming
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
        {
            return Ok(Bytes::new());
        }
        match incoming.take(max) {
            Some(bytes) => Ok(bytes),
            // The failure stays set: the trailers report it again.
            None => Err(match incoming.failed.clone() {
                Some(error) => StreamError::failed(Failed(error)),
                None => StreamError::Closed,
            }),
        }
    }
}

/// An HTTP error as the error of a stream.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) ErrorCode);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl StdError for Failed {}

/// The resource `future-trailers`.
#[derive(Debug)]
pub(crate) struct FutureTrailers {
    /// `None` once the trailers were returned.
    body: Option<IncomingBody>,
}

/// The result of a body: its trailers, if it has any, or the error that it failed with.
pub(crate) type Trailers = Result<Option<HeaderMap>, ErrorCode>;

impl FutureTrailers {
    /// Returns `None` if the trailers have not arrived, `Some(None)` if they were returned before.
    pub(crate) fn get(&mut self) -> Option<Option<Trailers>> {
        let mut cx = Context::from_waker(Waker::noop());
        if self.poll_ready(&mut cx).is_pending() {
            return None;
        }
        Some(self.body.take().map(|body| {
            let mut incoming = body.lock();
            match incoming.failed.take() {
                Some(error) => Err(error),
                None => Ok(incoming.trailers.take()),
            }
        }))
    }
}

impl Waits for FutureTrailers {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(body) = &self.body else {
            return Poll::Ready(());
        };
        let mut incoming = body.lock();
        loop {
            // The guest has finished reading the bytes.
            incoming.discard();
            if incoming.body.is_none() {
                return Poll::Ready(());
            }
            ready!(incoming.pull(cx));
        }
    }
}
