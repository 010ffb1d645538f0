//! Bodies on their way from guests to connections.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use airssys_wasm_component::component::{
    Aborts, Access, Accessor, AccessorTask, AsContextMut, FutureConsumer, HostResult, Source,
    StoreContextMut, StreamConsumer, StreamResult,
};
use bytes::Bytes;
use http::HeaderMap;

use super::Ending;
use super::body::{Body, Made};
use crate::bindings::wasi::http::types::ErrorCode;
use crate::http::body::{BodyWriter, Direction, OutgoingBody, Sent, Transmission, Watched};
use crate::http::{errors, fields};
use crate::io::{Output, StreamError, Waits};
use crate::p3::wait::End;
use crate::view::{Attached, HasWasi};

/// Turns that a guest has after its first bytes, to end a short body, or to write more of it, before its message is sent.
const TURNS: u32 = 4;

/// A body that is being sent: its parts arrive from the guest's stream and future, in any order.
#[derive(Clone)]
pub(crate) struct Sending(Arc<Mutex<State>>);

struct State {
    /// `None` once it has ended.
    body: Option<OutgoingBody>,
    /// True once the guest has closed the stream.
    is_written: bool,
    trailers: Option<Result<Option<HeaderMap>, ErrorCode>>,
    transmission: Transmission,
    /// Waits for the trailers.
    waker: Option<Waker>,
    /// Waits for the end of the body.
    end_waker: Option<Waker>,
}

impl Sending {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, ends the body if its parts are there, and wakes those who wait for that.
    fn update(&self, change: impl FnOnce(&mut State)) {
        let wakers = {
            let mut state = self.lock();
            change(&mut state);
            state.settle();
            let (has_trailers, has_ended) = (state.trailers.is_some(), state.body.is_none());
            let waker = state.waker.take_if(|_| has_trailers);
            [waker, state.end_waker.take_if(|_| has_ended)]
        };
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    /// Ends a body that is not complete.
    fn fail(&self, error: ErrorCode) {
        self.update(|state| {
            if state.body.is_some() {
                state.trailers = Some(Err(error));
            }
        });
    }

    /// Sets the trailers, or the failure that ends the body.
    fn end(&self, trailers: Result<Option<HeaderMap>, ErrorCode>) {
        self.update(|state| {
            state.trailers.get_or_insert(trailers);
        });
    }

    /// Ready once the body has ended.
    fn poll_end(&self, cx: &mut Context<'_>) -> Poll<()> {
        let before = {
            let mut state = self.lock();
            if state.body.is_none() {
                return Poll::Ready(());
            }
            state.end_waker.replace(cx.waker().clone())
        };
        drop(before);
        Poll::Pending
    }
}

impl State {
    /// Ends the body if its parts are there.
    fn settle(&mut self) {
        match &mut self.trailers {
            Some(Err(error)) => {
                self.transmission.set(Err(error.clone()));
                // Aborted.
                self.body = None;
            }
            Some(Ok(trailers)) if self.is_written => {
                if let Some(body) = self.body.take() {
                    // The transmission has the failure.
                    let _ = body.finish(trailers.take());
                }
            }
            _ => {}
        }
    }
}

/// A body for a connection, with the result of sending it if a guest has made it.
pub(crate) struct Outbound {
    pub(crate) body: Sent,
    pub(super) transmission: Option<Transmission>,
    rest: Rest,
    /// True if the message has no contents.
    is_written: bool,
}

/// The part of a body that is still to come.
pub(crate) enum Rest {
    /// From a guest's stream and future, which may be the host's own.
    Made(Sending),
    /// Of a message that is passed on.
    Received(Watched),
}

impl Rest {
    /// Ready once the connection has the body, or at least the host has all of it, or the body has failed.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Rest::Made(sending) => sending.poll_end(cx),
            Rest::Received(watched) => watched.poll_end(cx),
        }
    }

    /// Cuts the body off, unless it has ended.
    pub(crate) fn cut(&self) {
        let error = ErrorCode::HttpResponseTimeout;
        match self {
            Rest::Made(sending) => sending.fail(error),
            Rest::Received(watched) => watched.fail(error),
        }
    }
}

impl Outbound {
    /// Begins to read a guest's body, whose message has these headers.
    ///
    /// # Errors
    /// If the headers contradict each other.
    pub(super) fn new<T: Send + 'static>(
        store: &mut Access<'_, T, HasWasi>,
        body: Body,
        headers: &HeaderMap,
        direction: Direction,
    ) -> HostResult<Result<Outbound, ErrorCode>> {
        let made = match body {
            Body::Made(made) => made,
            Body::Received(body) => {
                let rest = Rest::Received(body.watch());
                return Ok(Ok(Outbound {
                    body: Sent::received(body),
                    transmission: None,
                    rest,
                    is_written: false,
                }));
            }
        };
        let Made {
            contents,
            trailers,
            transmission,
        } = made;
        let Ok(declared) = fields::declared_length(headers) else {
            let error = direction.too_long(0);
            transmission.set(Err(error.clone()));
            return Ok(Err(error));
        };
        let (mut body, reader) = OutgoingBody::new(declared, direction, &store.get().http);
        body.report(transmission.clone());
        if direction == Direction::Response {
            transmission.set_answered();
        }
        let writer = body.stream();
        let is_written = contents.is_none();
        let sending = Sending(Arc::new(Mutex::new(State {
            body: Some(body),
            is_written,
            trailers: None,
            transmission: transmission.clone(),
            waker: None,
            end_waker: None,
        })));
        let ctx = store.getter();
        if let (Some(contents), Some(writer)) = (contents, writer) {
            let contents_of = Contents {
                writer,
                sending: sending.clone(),
                has_begun: direction == Direction::Request,
                end: End::default(),
                aborts: AsContextMut::as_context_mut(store).aborts(),
                ctx,
            };
            contents.pipe(&mut *store, contents_of)?;
        }
        let trailers_of = Trailers {
            sending: sending.clone(),
            ctx,
        };
        trailers.pipe(&mut *store, trailers_of)?;
        Ok(Ok(Outbound {
            body: Sent::new(Some(reader)).reported(transmission.clone(), declared),
            transmission: Some(transmission),
            rest: Rest::Made(sending),
            is_written,
        }))
    }

    /// Returns the body for the connection, and the part that is still to come.
    pub(crate) fn into_parts(self) -> (Sent, Rest) {
        (self.body, self.rest)
    }

    /// Ready when the head may be sent: a message without contents needs no body at all if it has no trailers.
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Rest::Made(sending) = &self.rest
            && self.is_written
        {
            let mut state = sending.lock();
            if state.trailers.is_none() {
                state.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }
}

/// Writes a guest's stream to a body.
struct Contents<T> {
    writer: BodyWriter,
    sending: Sending,
    /// True if nothing holds the message back.
    has_begun: bool,
    end: End,
    /// A guest that was stopped has not ended the body.
    aborts: Aborts,
    /// Finds the context in the store's data.
    ctx: fn(&mut T) -> Attached<'_>,
}

impl<T> Drop for Contents<T> {
    fn drop(&mut self) {
        if self.aborts.is_aborting() {
            self.sending.fail(unfinished());
            return;
        }
        self.sending.update(|state| state.is_written = true);
    }
}

fn unfinished() -> ErrorCode {
    errors::internal("the component did not finish the body")
}

impl<T: Send + 'static> StreamConsumer<T> for Contents<T> {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'_, T>,
        source: Source<'_, u8>,
        finish: bool,
    ) -> Poll<HostResult<StreamResult>> {
        let polled = self.poll_write(cx, store, source, finish);
        if let Poll::Ready(Err(_)) = &polled {
            // Whatever its trailers say.
            self.sending.fail(unfinished());
        }
        polled
    }
}

impl<T: Send + 'static> Contents<T> {
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'_, T>,
        source: Source<'_, u8>,
        finish: bool,
    ) -> Poll<HostResult<StreamResult>> {
        let this = self;
        if this.writer.poll_ready(cx).is_pending() {
            ready!(this.end.poll_stream(cx, &mut store, this.ctx, finish))?;
            return Poll::Ready(Ok(StreamResult::Cancelled));
        }
        this.end.reset();
        let most = {
            let mut ctx = (this.ctx)(store.data_mut());
            ctx.goes_on();
            ctx.limits.write_bytes.max(1)
        };
        let room = match this.writer.check_write() {
            Ok(room) => room.min(most),
            Err(StreamError::Trap(error)) => return Poll::Ready(Err(error)),
            // The other side needs no more, or is gone: the result of sending has the reason.
            Err(StreamError::Closed | StreamError::Failed(_)) => {
                return Poll::Ready(Ok(StreamResult::Dropped));
            }
        };
        if source.remaining(&mut store) > 0 && !this.has_begun {
            this.has_begun = true;
            store.spawn(Begin(this.sending.clone()));
        }
        let mut direct = source.as_direct(store)?;
        let bytes = direct.remaining();
        let len = bytes.len().min(room);
        if len > 0 {
            match this.writer.write(Bytes::copy_from_slice(&bytes[..len])) {
                Ok(()) => direct.mark_read(len),
                Err(StreamError::Trap(error)) => return Poll::Ready(Err(error)),
                Err(StreamError::Closed | StreamError::Failed(_)) => {
                    return Poll::Ready(Ok(StreamResult::Dropped));
                }
            }
        }
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

/// Sends a message that has begun, unless its body ends at once: clients see events as they happen, and short bodies have a length.
struct Begin(Sending);

impl<T: Send + 'static> AccessorTask<T> for Begin {
    async fn run(self, _: &Accessor<T>) -> HostResult<()> {
        for _ in 0..TURNS {
            let mut yielded = false;
            std::future::poll_fn(|cx| {
                if std::mem::replace(&mut yielded, true) {
                    return Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
        if let Some(body) = &self.0.lock().body {
            body.begin();
        }
        Ok(())
    }
}

/// Takes the trailers of a body from a guest's future.
struct Trailers<T> {
    sending: Sending,
    /// Finds the context in the store's data.
    ctx: fn(&mut T) -> Attached<'_>,
}

impl<T> Drop for Trailers<T> {
    fn drop(&mut self) {
        self.sending.end(Err(unfinished()));
    }
}

impl<T: Send + 'static> FutureConsumer<T> for Trailers<T> {
    type Item = Ending;

    fn poll_consume(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut store: StoreContextMut<'_, T>,
        mut source: Source<'_, Ending>,
        finish: bool,
    ) -> Poll<HostResult<()>> {
        let mut ending = None;
        source.read(&mut store, &mut ending)?;
        let trailers = match ending {
            Some(Ok(Some(trailers))) => {
                let trailers = (self.ctx)(store.data_mut()).table.delete(trailers)?;
                Ok(Some(trailers.into_map()))
            }
            Some(Ok(None)) => Ok(None),
            Some(Err(error)) => Err(error),
            None if finish => return Poll::Ready(Ok(())),
            None => return Poll::Pending,
        };
        self.sending.end(trailers);
        Poll::Ready(Ok(()))
    }
}
