//! Calls of `async` functions by the host's futures.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use wasmer::StoreMut;

use crate::component::call::func::Func;
use crate::component::concurrent::host_call::new_task;
use crate::component::concurrent::state::{Body, Call, HostCall, Wait};
use crate::component::store::StoreCore;
use crate::error::{Error, Result, TrapKind};

type Lower = dyn FnOnce(&mut StoreMut<'_>, &Arc<StoreCore>) -> Result<Vec<u64>> + Send;
type Lift = dyn FnOnce(&mut StoreMut<'_>, &Arc<StoreCore>, &[u64]) -> Result<()> + Send;

/// A call whose values pass when its task starts and returns.
pub(in crate::component::concurrent) struct ConcurrentCall {
    pub(in crate::component::concurrent) lower: Option<Box<Lower>>,
    pub(in crate::component::concurrent) lift: Option<Box<Lift>>,
    pub(in crate::component::concurrent) outcome: Arc<Outcome>,
}

impl Drop for ConcurrentCall {
    fn drop(&mut self) {
        self.outcome.end(None);
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
}

impl Outcome {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

/// A call in progress. Dropping it leaves the task running.
pub(in crate::component) struct Calling<R> {
    outcome: Arc<Outcome>,
    value: Arc<Mutex<Option<R>>>,
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
) -> Result<Calling<R>> {
    let instance = func.instance();
    if instance.poisoned.load(Ordering::Relaxed) {
        return Err(TrapKind::Poisoned.into());
    }
    let outcome = Arc::new(Outcome::default());
    let value = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&value);
    let call = HostCall {
        func: func.clone(),
        args: Vec::new(),
        concurrent: Some(Box::new(ConcurrentCall {
            lower: Some(Box::new(lower)),
            lift: Some(Box::new(move |store, core, flat| {
                let value = lift(store, core, flat)?;
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
                Ok(())
            })),
            outcome: Arc::clone(&outcome),
        })),
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
    Ok(Calling { outcome, value })
}
