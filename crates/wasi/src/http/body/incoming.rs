//! Bodies from outside: bytes, then trailers.

use std::collections::VecDeque;
use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Body;

use super::Direction;
use super::pace::{Pace, Watch};
use crate::bindings::wasi::http::types::ErrorCode;
use crate::executor::Task;
use crate::io::{Input, StreamError, Waits};

/// A body whose errors are WASI's.
pub(crate) type BoxBody = UnsyncBoxBody<Bytes, ErrorCode>;

/// What a body from outside may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Bytes that it may have.
    pub(crate) bytes: u64,
    /// How slowly it may come while it is waited for.
    pub(crate) pace: Pace,
    pub(crate) direction: Direction,
}

/// The resource `incoming-body`, and what its stream and its trailers are of.
#[derive(Clone)]
pub(crate) struct IncomingBody {
    shared: Arc<Mutex<Incoming>>,
}

struct Incoming {
    /// Nothing once it has ended or failed.
    body: Option<BoxBody>,
    /// Parts that have come and are not read; none of them is empty.
    parts: VecDeque<Bytes>,
    /// Bytes of all parts.
    buffered: usize,
    received: u64,
    failed: Option<ErrorCode>,
    /// The first failure, for the other side of the connection.
    failure: Failure,
    trailers: Option<HeaderMap>,
    bounds: Bounds,
    watch: Watch,
    /// The connection that the body comes from ends with this.
    _connection: Option<Task<()>>,
    streamed: bool,
}

/// The error that a body has failed with, if it has; outlives the body.
pub(crate) type Failure = Arc<OnceLock<ErrorCode>>;

impl IncomingBody {
    /// `connection` lives as long as the body.
    pub(crate) fn new(body: BoxBody, bounds: Bounds, connection: Option<Task<()>>) -> IncomingBody {
        IncomingBody::of(Some(body), bounds, connection)
    }

    /// One of hyper's, whose errors `error` translates.
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
        };
        IncomingBody {
            shared: Arc::new(Mutex::new(incoming)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Incoming> {
        // Whatever panics while it is held leaves a body that is read on from where it was.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True when nothing more comes.
    pub(crate) fn is_whole(&self) -> bool {
        self.lock().body.is_none()
    }

    /// Reads ahead of the guest: ready when nothing more comes, or when at least `most` bytes are held. Whether it was the
    /// former.
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

    /// The place of its failure.
    pub(crate) fn failure(&self) -> Failure {
        self.lock().failure.clone()
    }

    /// Its bytes, once.
    pub(crate) fn stream(&self) -> Option<BodyStream> {
        let mut incoming = self.lock();
        if incoming.streamed {
            return None;
        }
        incoming.streamed = true;
        Some(BodyStream(self.clone()))
    }

    /// What comes after its bytes.
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
    /// Ready when there are bytes, or when the body has ended or failed.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.parts.is_empty() && self.body.is_some() {
            ready!(self.pull(cx));
        }
        Poll::Ready(())
    }

    /// Ready when one more frame has come, or when the body has ended or failed.
    fn pull(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(());
        };
        match Pin::new(body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(bytes) => self.receive(bytes),
                Err(frame) => {
                    self.trailers = frame.into_trailers().ok();
                    self.body = None;
                }
            },
            Poll::Ready(Some(Err(error))) => self.fail(error),
            Poll::Ready(None) => self.body = None,
            Poll::Pending => {
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

    /// At most `max` bytes of the first part.
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
        // Only the first failure is the reason.
        let _ = self.failure.set(error.clone());
        self.failed = Some(error);
        self.body = None;
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
            // The trailers say it again: a reader of those has to know, too.
            None => Err(match incoming.failed.clone() {
                Some(error) => StreamError::failed(Failed(error)),
                None => StreamError::Closed,
            }),
        }
    }
}

/// An error of HTTP's, as streams have it.
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
    /// Nothing once they were got.
    body: Option<IncomingBody>,
}

/// What follows a body: perhaps trailers, or what it failed of.
pub(crate) type Trailers = Result<Option<HeaderMap>, ErrorCode>;

impl FutureTrailers {
    /// Nothing yet, or what there is; `None` within if that was got before.
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
            // The guest has finished with its bytes.
            incoming.discard();
            if incoming.body.is_none() {
                return Poll::Ready(());
            }
            ready!(incoming.pull(cx));
        }
    }
}
