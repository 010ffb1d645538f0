//! Bodies from outside: bytes, then trailers.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Body;

use super::Direction;
use crate::wasi::bindings::wasi::http::types::ErrorCode;
use crate::wasi::executor::{Task, Timer};
use crate::wasi::io::{Input, StreamError, Waits};

/// A body whose errors are WASI's.
pub(crate) type BoxBody = UnsyncBoxBody<Bytes, ErrorCode>;

/// What a body from outside may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Bytes that it may have.
    pub(crate) bytes: u64,
    /// Time that it may pause for while somebody waits.
    pub(crate) pause: Duration,
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
    /// What has come and is not read.
    buffer: Bytes,
    received: u64,
    failed: Option<ErrorCode>,
    trailers: Option<HeaderMap>,
    bounds: Bounds,
    /// Since when somebody waits.
    pause: Option<Timer>,
    /// The connection that the body comes from ends with this.
    _connection: Option<Task<()>>,
    streamed: bool,
}

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
            buffer: Bytes::new(),
            received: 0,
            failed: None,
            trailers: None,
            bounds,
            pause: None,
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
        while self.buffer.is_empty() {
            let Some(body) = &mut self.body else {
                return Poll::Ready(());
            };
            match Pin::new(body).poll_frame(cx) {
                Poll::Ready(frame) => {
                    self.pause = None;
                    match frame {
                        Some(Ok(frame)) => match frame.into_data() {
                            Ok(bytes) => self.receive(bytes),
                            Err(frame) => {
                                self.trailers = frame.into_trailers().ok();
                                self.body = None;
                            }
                        },
                        Some(Err(error)) => self.fail(error),
                        None => self.body = None,
                    }
                }
                Poll::Pending => {
                    let most = self.bounds.pause;
                    let pause = self.pause.get_or_insert_with(|| {
                        let now = Instant::now();
                        Timer::at(now.checked_add(most).unwrap_or(now))
                    });
                    if pause.poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    self.fail(ErrorCode::ConnectionReadTimeout);
                }
            }
        }
        Poll::Ready(())
    }

    fn receive(&mut self, bytes: Bytes) {
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.received = self.received.saturating_add(len);
        if self.received > self.bounds.bytes {
            self.fail(self.bounds.direction.too_long(self.received));
        } else {
            self.buffer = bytes;
        }
    }

    fn fail(&mut self, error: ErrorCode) {
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
        if incoming.buffer.is_empty() {
            // The trailers say it again: whoever waits for those has to know, too.
            return Err(match incoming.failed.clone() {
                Some(error) => StreamError::failed(Failed(error)),
                None => StreamError::Closed,
            });
        }
        let len = max.min(incoming.buffer.len());
        Ok(incoming.buffer.split_to(len))
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
            // Bytes that nobody wants.
            incoming.buffer = Bytes::new();
            if incoming.poll(cx).is_pending() {
                return Poll::Pending;
            }
            if incoming.buffer.is_empty() {
                return Poll::Ready(());
            }
        }
    }
}
