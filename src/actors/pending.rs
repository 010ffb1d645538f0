//! Results that are not there yet.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use super::actor::Actor;
use super::core::before_blocking;
use super::error::ActorError;

/// The result of an operation of an actor system, once it is there: a future for any executor, which it never blocks; or
/// [`Pending::wait`], which blocks the calling thread.
///
/// The operation has begun when this value is returned, whether it is polled or not. Dropping this value gives the
/// operation up, as the method that returned it documents.
#[must_use = "dropping it gives the operation up"]
pub struct Pending<T> {
    cell: Arc<Cell<T>>,
    cancel: Option<Cancel>,
}

/// The message that is canceled when its sender gives up.
#[derive(Debug)]
pub(super) struct Cancel {
    pub(super) actor: Weak<Actor>,
    pub(super) ticket: u64,
}

/// The side that completes a [`Pending`]. Dropping it without a result is [`ActorError::ShutDown`].
#[derive(Debug)]
pub(super) struct Completer<T>(Option<Arc<Cell<T>>>);

struct Cell<T> {
    state: Mutex<State<T>>,
    done: Condvar,
}

enum State<T> {
    Waiting(Receiver),
    Done(Result<T, ActorError>),
    /// The result was returned.
    Taken,
    /// The receiver is gone.
    Abandoned,
}

/// The receiver of a result that is not there.
enum Receiver {
    /// None yet.
    Away,
    Task(Waker),
    /// A thread that is blocked.
    Thread,
}

/// Creates both sides.
pub(super) fn pending<T>() -> (Completer<T>, Pending<T>) {
    let cell = Arc::new(Cell {
        state: Mutex::new(State::Waiting(Receiver::Away)),
        done: Condvar::new(),
    });
    let completer = Completer(Some(cell.clone()));
    (completer, Pending { cell, cancel: None })
}

impl<T> Cell<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Each state is replaced in one step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Pending<T> {
    /// Returns a result that is there.
    pub(super) fn ready(result: Result<T, ActorError>) -> Pending<T> {
        let (completer, pending) = pending();
        completer.complete(result);
        pending
    }

    /// Sets the message that is canceled if this value is dropped before the result is there.
    pub(super) fn cancels(mut self, cancel: Cancel) -> Pending<T> {
        self.cancel = Some(cancel);
        self
    }

    /// Reports whether the result is there.
    pub fn is_done(&self) -> bool {
        !matches!(*self.cell.lock(), State::Waiting(_))
    }

    /// Blocks the calling thread until the result is there. For threads of an executor, await it instead. In a host function, it
    /// blocks one of the workers: a message to the calling component itself is not handled meanwhile, so give it a time.
    ///
    /// # Errors
    /// Those of the method that returned this value.
    pub fn wait(self) -> Result<T, ActorError> {
        if !self.is_done() {
            before_blocking();
        }
        let mut state = self.cell.lock();
        loop {
            match std::mem::replace(&mut *state, State::Taken) {
                State::Done(result) => return result,
                State::Waiting(_) => {
                    *state = State::Waiting(Receiver::Thread);
                    state = self.cell.done.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                // A future that was polled to its end.
                State::Taken | State::Abandoned => return Err(ActorError::ShutDown),
            }
        }
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, ActorError>;

    /// Once it was ready, it is pending for good.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let waker = context.waker().clone();
        let before = {
            let mut state = self.cell.lock();
            match &mut *state {
                State::Waiting(known) => Some(std::mem::replace(known, Receiver::Task(waker))),
                State::Done(_) => match std::mem::replace(&mut *state, State::Taken) {
                    State::Done(result) => return Poll::Ready(result),
                    _ => None,
                },
                State::Taken | State::Abandoned => None,
            }
        };
        // It may belong to another task, whose end must find no lock held.
        drop(before);
        Poll::Pending
    }
}

impl<T> Drop for Pending<T> {
    fn drop(&mut self) {
        let before = {
            let mut state = self.cell.lock();
            match &*state {
                State::Waiting(_) => std::mem::replace(&mut *state, State::Abandoned),
                _ => return,
            }
        };
        drop(before);
        if let Some(Cancel { actor, ticket }) = self.cancel.take()
            && let Some(actor) = actor.upgrade()
        {
            actor.cancel(ticket);
        }
    }
}

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = self.is_done();
        f.debug_struct("Pending")
            .field("done", &done)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Cell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cell").finish_non_exhaustive()
    }
}

impl<T> Completer<T> {
    /// Completes the operation; returns false if its receiver is gone.
    pub(super) fn complete(mut self, result: Result<T, ActorError>) -> bool {
        self.finish(result)
    }

    fn finish(&mut self, result: Result<T, ActorError>) -> bool {
        let Some(cell) = self.0.take() else { return false };
        let before = {
            let mut state = cell.lock();
            match &*state {
                State::Waiting(_) => std::mem::replace(&mut *state, State::Done(result)),
                _ => return false,
            }
        };
        match before {
            // Waking without need costs a system call.
            State::Waiting(Receiver::Thread) => cell.done.notify_all(),
            // A waker is code of the executor: no lock is held while it runs.
            State::Waiting(Receiver::Task(waker)) => waker.wake(),
            _ => {}
        }
        true
    }
}

impl<T> Drop for Completer<T> {
    fn drop(&mut self) {
        self.finish(Err(ActorError::ShutDown));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn poll<T>(pending: &mut Pending<T>, wakes: &Arc<Wakes>) -> Poll<Result<T, ActorError>> {
        let waker = wakes.clone().into();
        Pin::new(pending).poll(&mut Context::from_waker(&waker))
    }

    #[test]
    fn a_future_is_woken_once_and_ready_once() {
        let wakes = Arc::new(Wakes::default());
        let (completer, mut receiver) = pending();
        assert!(poll(&mut receiver, &wakes).is_pending());
        assert!(poll(&mut receiver, &wakes).is_pending());
        assert!(!receiver.is_done());
        assert!(completer.complete(Ok(7)));
        assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
        assert!(matches!(poll(&mut receiver, &wakes), Poll::Ready(Ok(7))));
        assert!(poll(&mut receiver, &wakes).is_pending());
        assert!(matches!(receiver.wait(), Err(ActorError::ShutDown)));
    }

    #[test]
    fn a_dropped_side_ends_the_other() {
        let (completer, receiver) = pending::<()>();
        drop(completer);
        assert!(matches!(receiver.wait(), Err(ActorError::ShutDown)));
        let (completer, receiver) = pending();
        drop(receiver);
        assert!(!completer.complete(Ok(())));
    }

    #[test]
    fn a_waiting_thread_gets_the_result_of_another() {
        let (completer, receiver) = pending();
        std::thread::scope(|scope| {
            scope.spawn(|| completer.complete(Ok("done")));
            assert_eq!(receiver.wait().ok(), Some("done"));
        });
        assert_eq!(Pending::ready(Ok(1)).wait().ok(), Some(1));
    }
}
