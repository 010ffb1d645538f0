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
use crate::component::concurrent::host_call::new_host_task;
use crate::component::concurrent::state::{TaskKey, Wait};
use crate::component::store::StoreCore;
use crate::error::{AsyncTrap, Error, Result, TrapKind};

/// Makes the flat parameters of a function.
pub(in crate::component) trait Lower:
    FnOnce(&Func, &mut StoreMut<'_>, &Arc<StoreCore>) -> Result<Vec<u64>> + Send
{
}

impl<L> Lower for L where L: FnOnce(&Func, &mut StoreMut<'_>, &Arc<StoreCore>) -> Result<Vec<u64>> + Send {}

/// Reads the flat result of a function.
pub(in crate::component) trait Lift<R>:
    FnOnce(&Func, &mut StoreMut<'_>, &Arc<StoreCore>, &[u64]) -> Result<R> + Send
{
}

impl<R, F> Lift<R> for F where F: FnOnce(&Func, &mut StoreMut<'_>, &Arc<StoreCore>, &[u64]) -> Result<R> + Send
{}

/// The values of a call, without their Rust types.
pub(in crate::component::concurrent) trait Values: Send + Sync {
    /// Makes the flat parameters of a function, once.
    fn lower(&self, func: &Func, store: &mut StoreMut<'_>, core: &Arc<StoreCore>) -> Result<Vec<u64>>;

    /// Reads the flat result, once, and keeps it.
    ///
    /// # Errors
    /// [`AsyncTrap::ReturnedTwice`]; those of the value.
    fn lift(&self, func: &Func, store: &mut StoreMut<'_>, core: &Arc<StoreCore>, flat: &[u64]) -> Result<()>;

    /// Returns whether there is a result that was not taken.
    fn has_result(&self) -> bool;

    /// Drops the parameters, if they were not made.
    fn forget(&self);
}

/// The values of a call whose result is an `R`.
pub(in crate::component) trait Returns<R>: Values {
    /// Takes the result, if it has arrived.
    fn take(&self) -> Option<R>;
}

/// The steps that make and read values, each until it is taken, and the result.
struct Steps<L, F, R>(Mutex<(Option<L>, Option<F>, Option<R>)>);

impl<L, F, R> Steps<L, F, R> {
    fn get(&self) -> MutexGuard<'_, (Option<L>, Option<F>, Option<R>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<L, F, R> Values for Steps<L, F, R>
where
    L: Lower,
    F: Lift<R>,
    R: Send,
{
    fn lower(&self, func: &Func, store: &mut StoreMut<'_>, core: &Arc<StoreCore>) -> Result<Vec<u64>> {
        let lower = self.get().0.take();
        lower.ok_or_else(|| Error::bug("a call without parameters"))?(func, store, core)
    }

    fn lift(&self, func: &Func, store: &mut StoreMut<'_>, core: &Arc<StoreCore>, flat: &[u64]) -> Result<()> {
        let lift = self.get().1.take();
        let result = lift.ok_or(AsyncTrap::ReturnedTwice)?(func, store, core, flat)?;
        self.get().2 = Some(result);
        Ok(())
    }

    fn has_result(&self) -> bool {
        self.get().2.is_some()
    }

    fn forget(&self) {
        let mut steps = self.get();
        let left = (steps.0.take(), steps.1.take());
        drop(steps);
        // Without the lock: the host's values may run code as they end.
        drop(left);
    }
}

impl<L, F, R> Returns<R> for Steps<L, F, R>
where
    Steps<L, F, R>: Values,
{
    fn take(&self) -> Option<R> {
        self.get().2.take()
    }
}

/// A call of an `async` function by the host: its values pass when its task starts and returns.
pub(in crate::component) struct HostCall<V: ?Sized = dyn Values> {
    pub(in crate::component::concurrent) func: Func,
    pub(in crate::component::concurrent) outcome: Outcome,
    pub(in crate::component::concurrent) values: V,
}

impl HostCall {
    /// Makes the flat parameters.
    pub(in crate::component::concurrent) fn lower(
        &self,
        store: &mut StoreMut<'_>,
        core: &Arc<StoreCore>,
    ) -> Result<Vec<u64>> {
        self.values.lower(&self.func, store, core)
    }

    /// Reads the flat result.
    pub(in crate::component::concurrent) fn lift(
        &self,
        store: &mut StoreMut<'_>,
        core: &Arc<StoreCore>,
        flat: &[u64],
    ) -> Result<()> {
        self.values.lift(&self.func, store, core, flat)
    }
}

impl<R: Send + 'static> HostCall<dyn Returns<R>> {
    /// Creates a call. Without `lower`, another passes the parameters.
    pub(in crate::component::concurrent) fn new(
        func: &Func,
        lower: Option<impl Lower + 'static>,
        lift: impl Lift<R> + 'static,
    ) -> Arc<HostCall<dyn Returns<R>>> {
        Arc::new(HostCall {
            func: func.clone(),
            outcome: Outcome::default(),
            values: Steps(Mutex::new((lower, Some(lift), None))),
        })
    }
}

/// The part of a call that its task has.
pub(in crate::component::concurrent) struct Caller {
    pub(in crate::component::concurrent) call: Arc<HostCall>,
    /// The flat parameters, if the host's call waits for the task, and passes them itself.
    pub(in crate::component::concurrent) args: Option<Vec<u64>>,
}

/// Dropped with the task, once that has ended.
impl Drop for Caller {
    fn drop(&mut self) {
        self.call.values.forget();
        self.call.outcome.exit();
    }
}

/// The end of a call, as far as it has no Rust type.
#[derive(Default)]
pub(in crate::component) struct Outcome(Mutex<State>);

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

    /// Records the end of the task, and of the call if it has not ended.
    fn exit(&self) {
        let wakers = {
            let mut state = self.state();
            state.ended = true;
            state.exited = true;
            [state.waker.take(), state.exit_waker.take()]
        };
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

/// The task of a call that a future of the host has begun. It is itself a future that is ready once the task has ended: its code may go on after
/// it has returned its result. Dropping it leaves the task running.
pub struct CallTask(
    /// `None` for a call that was no task, and has ended.
    Option<BegunTask>,
);

struct BegunTask {
    core: Weak<StoreCore>,
    call: Arc<HostCall>,
    key: TaskKey,
}

impl CallTask {
    /// Returns that of a call which has ended.
    pub(in crate::component) fn ended() -> CallTask {
        CallTask(None)
    }

    /// Returns whether the task has ended.
    pub fn has_ended(&self) -> bool {
        let begun = self.0.as_ref();
        begun.is_none_or(|begun| begun.call.outcome.state().exited)
    }

    /// Returns the error that ended the task after its result, once. Before the result, the call ends with it.
    pub fn take_failure(&self) -> Option<Error> {
        self.0.as_ref()?.call.outcome.take_error()
    }

    /// Requests that the task be cancelled, at the store's next turn: its wait ends with a cancellation if it permits one, and otherwise the
    /// next one that does. The call then ends with [`TrapKind::Poisoned`](crate::error::TrapKind::Poisoned), unless the task returns
    /// instead. A task that has not begun ends without running. One that has returned goes on.
    pub fn cancel(&self) {
        let Some(begun) = &self.0 else { return };
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
        let activity = tasks.add_activity(Some(step), Some(Arc::clone(begun.call.func.instance())));
        tasks.wake(activity);
    }
}

impl Future for CallTask {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(begun) = &self.0 else {
            return Poll::Ready(());
        };
        let mut state = begun.call.outcome.state();
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
    call: Arc<HostCall<dyn Returns<R>>>,
    key: TaskKey,
}

impl<R: Send + 'static> Calling<R> {
    /// Returns the task of the call.
    pub(in crate::component) fn task(&self, core: &Arc<StoreCore>) -> CallTask {
        CallTask(Some(BegunTask {
            core: Arc::downgrade(core),
            call: self.call.clone(),
            key: self.key,
        }))
    }
}

impl<R> Future for Calling<R> {
    type Output = Result<R>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<R>> {
        let mut state = self.call.outcome.state();
        if !state.ended {
            let before = state.waker.replace(cx.waker().clone());
            drop(state);
            drop(before);
            return Poll::Pending;
        }
        if let Some(value) = self.call.values.take() {
            return Poll::Ready(Ok(value));
        }
        // Without an error, its instance was stopped by another call's trap.
        let error = state.error.take();
        Poll::Ready(Err(error.unwrap_or_else(|| TrapKind::Poisoned.into())))
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
    lower: impl Lower + 'static,
    lift: impl Lift<R> + 'static,
) -> Result<Calling<R>> {
    if func.instance().poisoned.load(Ordering::Relaxed) {
        return Err(TrapKind::Poisoned.into());
    }
    let call = HostCall::<dyn Returns<R>>::new(func, Some(lower), lift);
    let caller = Caller {
        call: call.clone(),
        args: None,
    };
    let called = new_host_task(core, caller, Some(Wait::Yield))?;
    core.wake_driver();
    Ok(Calling {
        call,
        key: called.task,
    })
}
