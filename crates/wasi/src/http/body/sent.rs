//! Bodies of outgoing messages, as the connection takes them, and the result of sending them.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;

use super::{IncomingBody, Reader, Unfinished};
use crate::bindings::wasi::http::types::ErrorCode;

/// The result of sending a message: the first one that is set.
#[derive(Clone, Debug)]
pub(crate) struct Transmission(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// `None` once the result is known.
    sender: Option<oneshot::Sender<Result<(), ErrorCode>>>,
    failure: Option<ErrorCode>,
    /// Set once the connection has given the body up: true if it had taken the whole of it.
    dropped: Option<bool>,
    /// True if no better reason for that can come.
    is_answered: bool,
}

impl State {
    fn set(&mut self, result: Result<(), ErrorCode>) {
        if let Some(sender) = self.sender.take() {
            self.failure = result.clone().err();
            // The guest may have dropped the future.
            let _ = sender.send(result);
        }
    }

    fn settle(&mut self) {
        match self.dropped.filter(|_| self.is_answered) {
            Some(true) => self.set(Ok(())),
            Some(false) => self.set(Err(ErrorCode::ConnectionTerminated)),
            None => {}
        }
    }
}

impl Transmission {
    /// Creates a result that is not known yet, and its receiver. The receiver fails if the message is given up unsent.
    pub(crate) fn new() -> (Transmission, oneshot::Receiver<Result<(), ErrorCode>>) {
        let (sender, receiver) = oneshot::channel();
        let state = State {
            sender: Some(sender),
            failure: None,
            dropped: None,
            is_answered: false,
        };
        (Transmission(Arc::new(Mutex::new(state))), receiver)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Only assignments run under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the result, unless it is known.
    pub(crate) fn set(&self, result: Result<(), ErrorCode>) {
        self.lock().set(result);
    }

    /// Records that the connection has given up the body: whole, or before its end. That is the result unless the exchange has failed.
    fn dropped(&self, whole: bool) {
        let mut state = self.lock();
        state.dropped.get_or_insert(whole);
        state.settle();
    }

    /// Records that the exchange has its answer: no failure comes after it.
    pub(crate) fn set_answered(&self) {
        let mut state = self.lock();
        state.is_answered = true;
        state.settle();
    }

    /// Returns the failure, if the result is one.
    pub(crate) fn failure(&self) -> Option<ErrorCode> {
        self.lock().failure.clone()
    }
}

/// The body of an outgoing message.
#[derive(Debug)]
pub(crate) struct Sent {
    content: Content,
    report: Option<Report>,
}

/// The place of the result, and the length by which a body is recognized as whole.
#[derive(Debug)]
struct Report {
    transmission: Transmission,
    declared: Option<u64>,
    taken: u64,
}

#[derive(Debug)]
enum Content {
    Empty,
    /// The bytes that a guest writes.
    Written(Reader),
    /// The body of a message that was received, and is passed on.
    Received(IncomingBody),
}

impl Sent {
    /// Creates the body that a guest writes, an empty one without.
    pub(crate) fn new(reader: Option<Reader>) -> Sent {
        Sent {
            content: reader.map_or(Content::Empty, Content::Written),
            report: None,
        }
    }

    /// Creates the body of a message that is passed on.
    pub(crate) fn received(body: IncomingBody) -> Sent {
        Sent {
            content: match body.is_empty() {
                true => Content::Empty,
                false => Content::Received(body),
            },
            report: None,
        }
    }

    /// Sets the place of the result, for a message whose headers declare `declared` bytes.
    pub(crate) fn reported(mut self, transmission: Transmission, declared: Option<u64>) -> Sent {
        self.report = Some(Report {
            transmission,
            declared,
            taken: 0,
        });
        self
    }

    /// Returns whether the message has no body.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.content, Content::Empty)
    }

    /// Drops the content of a message that is sent without it.
    pub(crate) fn discard(&mut self) {
        if let Some(report) = &self.report {
            report.transmission.set(Ok(()));
        }
        self.content = Content::Empty;
    }

    /// Ready when the message may be sent ([`Reader::poll_begun`]).
    ///
    /// # Errors
    /// As there.
    pub(crate) fn poll_begun(&self, cx: &mut Context<'_>) -> Poll<Result<(), Unfinished>> {
        match &self.content {
            Content::Written(reader) => reader.poll_begun(cx),
            Content::Empty | Content::Received(_) => Poll::Ready(Ok(())),
        }
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Unfinished;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Unfinished>>> {
        let this = &mut *self;
        let polled = match &mut this.content {
            Content::Empty => Poll::Ready(None),
            Content::Written(reader) => Pin::new(reader).poll_frame(cx),
            Content::Received(body) => body
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map_err(|_| Unfinished))),
        };
        if let (Some(report), Poll::Ready(frame)) = (&mut this.report, &polled) {
            match frame {
                None => report.transmission.set(Ok(())),
                Some(Ok(frame)) => match frame.data_ref() {
                    Some(data) => {
                        let len = u64::try_from(data.len()).unwrap_or(u64::MAX);
                        report.taken = report.taken.saturating_add(len);
                    }
                    None => report.transmission.set(Ok(())),
                },
                Some(Err(Unfinished)) => report.transmission.dropped(false),
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Empty => true,
            Content::Written(reader) => reader.is_end_stream(),
            Content::Received(body) => body.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Empty => SizeHint::with_exact(0),
            Content::Written(reader) => reader.size_hint(),
            Content::Received(body) => body.size_hint(),
        }
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        let Some(report) = &self.report else {
            return;
        };
        // A connection stops reading once it has the declared length.
        let is_whole = self.is_end_stream() || report.declared == Some(report.taken);
        report.transmission.dropped(is_whole);
    }
}
