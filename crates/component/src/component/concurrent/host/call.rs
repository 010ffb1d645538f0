//! Calls of `async` functions by the host's futures.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use wasmer::StoreMut;

use super::activity::Step;
use crate::component::call::func::Func;
use crate::component::concurrent::cancel::cancel_call;
use crate::component::concurrent::host_call::new_task;
use crate::component::concurrent::state::{Body, Call, HostCall, TaskKey, Wait};
use crate::component::instance::InstanceInner;
use crate::component::store::StoreCore;
use crate::error::{Error, Result, TrapKind};

type Lower = dyn FnOnce(&mut StoreMut<'_>, &Arc<StoreCore>) -> Result<Vec<u64>> + Send;
type Lift = dyn FnOnce(&mut StoreMut<'_>, &Arc<StoreCore>, &[u64]) -> Result<()> + Send;

/// The place of a call's result.
pub(in crate::component::concurrent) type Slot<R> = Arc<Mutex<Option<R>>>;

/// A call whose values pass when its task starts and returns.
pub(in crate::component::concurrent) struct ConcurrentCall {
    /// `None` from then on, and if the host's call passes the parameters itself.
    pub(in crate::component::concurrent) lower: Option<Box<Lower>>,
    pub(in crate::component::concurrent) lift: Option<Box<Lift>>,
    pub(in crate::component::concurrent) outcome: Arc<Outcome>,
}

impl ConcurrentCall {
    /// Creates a call, and the place of its result, which `lift` reads.
    pub(in crate::component::concurrent) fn new<R: Send + 'static>(
        lower: Option<Box<Lower>>,
        lift: impl FnOnce(&mut StoreMut<'_>, &Arc<StoreCore>, &[u64]) -> Result<R> + Send + 'static,
    ) -> (ConcurrentCall, Slot<R>) {
        let value = Slot::default();
        let slot = Arc::clone(&value);
        let call = ConcurrentCall {
            lower,
            lift: Some(Box::new(move |store, core, flat| {
                let value = lift(store, core, flat)?;
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
                Ok(())
            })),
            outcome: Arc::default(),
        };
        (call, value)
    }
}

/// Dropped with the task, once that has ended.
impl Drop for ConcurrentCall {
    fn drop(&mut self) {
        self.outcome.end(None);
        self.outcome.exit();
    }
}

/// The end of a call, as far as it has no Rust type.
#[derive(Default)]
pub(in crate::component::concurrent) struct Outcome(Mutex<State>);

#[derive(Default)]
struct State {
    ended: bool,
    error: Option<Error>,
    waker: Option<Waker>,
    /// True once the task has ended, which may be long after its result.
    exited: bool,
    exit_waker: Option<Waker>,
}

impl Outcome {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the error that the call has ended with.
    pub(in crate::component::concurrent) fn take_error(&self) -> Option<Error> {
        self.state().error.take()
    }

    /// Records the end of the call, with an error or its value's arrival.
    pub(in crate::component::concurrent) fn end(&self, error: Option<Error>) {
        let waker = {
            let mut state = self.state();
            state.ended = true;
            if state.error.is_none() {
                state.error = error;
            }
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Outcome {
    /// Records the end of the task.
    fn exit(&self) {
        let waker = {
            let mut state = self.state();
            state.exited = true;
            state.exit_waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The task of a call that a future of the host has begun. It is itself a future that is ready once the task has ended: its code may go on after
/// it has returned its result. Dropping it leaves the task running.
pub struct CallTask {
    outcome: Arc<Outcome>,
    /// `None` for a call that was no task, and has ended.
    begun: Option<BegunTask>,
}

struct BegunTask {
    core: Weak<StoreCore>,
    instance: Arc<InstanceInner>,
    key: TaskKey,
}

impl CallTask {
    /// Returns that of a call which has ended.
    pub(in crate::component) fn ended() -> CallTask {
        let outcome = Outcome::default();
        outcome.exit();
        CallTask {
            outcome: Arc::new(outcome),
            begun: None,
        }
    }

    /// Returns whether the task has ended.
    pub fn has_ended(&self) -> bool {
        self.outcome.state().exited
    }

    /// Returns the error that ended the task after its result, once. Before the result, the call ends with it.
    pub fn take_failure(&self) -> Option<Error> {
        self.outcome.state().error.take()
    }

    /// Requests that the task be cancelled, at the store's next turn: its wait ends with a cancellation if it permits one, and otherwise the
    /// next one that does. The call then ends with [`TrapKind::Poisoned`](crate::error::TrapKind::Poisoned), unless the task returns
    /// instead. A task that has not begun ends without running. One that has returned goes on.
    pub fn cancel(&self) {
        let Some(begun) = &self.begun else { return };
        let Some(core) = begun.core.upgrade() else { return };
        let key = begun.key;
        let step = move |_: &mut StoreMut<'_>, core: &Arc<StoreCore>, _: &mut Context<'_>| {
            Poll::Ready(cancel_call(core, key))
        };
        let mut tasks = core.tasks();
        if core.closing.has_ended() || !tasks.tasks.contains_key(key) {
            return;
        }
        let step = Step::Future(Box::new(step));
        let activity = tasks.add_activity(Some(step), Some(Arc::clone(&begun.instance)));
        tasks.wake(activity);
    }
}

impl Future for CallTask {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.outcome.state();
        if state.exited {
            return Poll::Ready(());
        }
        let before = state.exit_waker.replace(cx.waker().clone());
        drop(state);
        drop(before);
        Poll::Pending
    }
}

impl fmt::Debug for CallTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallTask")
            .field("has_ended", &self.has_ended())
            .finish()
    }
}

/// A call in progress. Dropping it leaves the task running.
pub(in crate::component) struct Calling<R> {
    outcome: Arc<Outcome>,
    value: Slot<R>,
}

impl<R> Future for Calling<R> {
    type Output = Result<R>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<R>> {
        let value = self.value.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(value) = value {
            return Poll::Ready(Ok(value));
        }
        let mut state = self.outcome.state();
        if let Some(error) = state.error.take() {
            return Poll::Ready(Err(error));
        }
        if state.ended {
            // Its instance was stopped by another call's trap.
            return Poll::Ready(Err(TrapKind::Poisoned.into()));
        }
        let before = state.waker.replace(cx.waker().clone());
        drop(state);
        drop(before);
        Poll::Pending
    }
}

/// Starts a call of an `async` function, whose code runs at the loop's next turn. `lower` makes the flat parameters once the task may
/// enter its instance; `lift` reads the flat result.
///
/// # Errors
/// [`TrapKind::Poisoned`]; [`ResourceError::TableFull`](crate::error::ResourceError::TableFull).
pub(in crate::component) fn start<R: Send + 'static>(
    core: &Arc<StoreCore>,
    func: &Func,
    lower: impl FnOnce(&mut StoreMut<'_>, &Arc<StoreCore>) -> Result<Vec<u64>> + Send + 'static,
    lift: impl FnOnce(&mut StoreMut<'_>, &Arc<StoreCore>, &[u64]) -> Result<R> + Send + 'static,
) -> Result<(Calling<R>, CallTask)> {
    let instance = func.instance();
    if instance.poisoned.load(Ordering::Relaxed) {
        return Err(TrapKind::Poisoned.into());
    }
    let (concurrent, value) = ConcurrentCall::new(Some(Box::new(lower)), lift);
    let outcome = Arc::clone(&concurrent.outcome);
    let call = HostCall {
        func: func.clone(),
        args: Vec::new(),
        concurrent,
        is_awaited: false,
    };
    let called = new_task(
        core,
        instance,
        func.options(),
        func.result_type(),
        Body::New,
        Call::Host(Box::new(call)),
    )?;
    core.tasks().begin_wait(called.thread, Wait::Yield, false)?;
    core.wake_driver();
    let task = CallTask {
        outcome: Arc::clone(&outcome),
        begun: Some(BegunTask {
            core: Arc::downgrade(core),
            instance: Arc::clone(instance),
            key: called.task,
        }),
    };
    Ok((Calling { outcome, value }, task))
}
