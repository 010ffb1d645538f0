//! Activities of the host that the store's loop polls: calls of host functions, streams and futures, spawned tasks.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use slotmap::SlotMap;
use wasmer::StoreMut;

use super::ends;
use crate::component::concurrent::run::abort;
use crate::component::concurrent::state::{ActivityKey, SharedKey, Tasks};
use crate::component::instance::InstanceInner;
use crate::component::store::StoreCore;
use crate::error::{Error, Result};

/// Polls a future of the host's.
pub(in crate::component) type Future =
    dyn FnMut(&mut StoreMut<'_>, &Arc<StoreCore>, &mut Context<'_>) -> Poll<Result<()>> + Send;

/// The next step of an activity.
pub(in crate::component::concurrent) enum Step {
    Future(Box<Future>),
    /// Copies to or from the end that waits.
    Transmit(SharedKey),
}

/// An activity.
pub(in crate::component::concurrent) struct Activity {
    /// `None` while it is polled.
    step: Option<Step>,
    waker: Arc<ActivityWaker>,
    /// True if its last poll left it waiting for a wake-up.
    waiting: bool,
    /// True if it was to be polled while it was polled.
    again: bool,
    /// The instance that it runs for, and that a failure of it poisons.
    pub(in crate::component::concurrent) instance: Option<Arc<InstanceInner>>,
}

/// The activities of a store that are to be polled, and whom to wake for that.
#[derive(Default)]
pub(in crate::component) struct Wakes {
    state: Mutex<State>,
    /// False if none is to be polled, as far as this thread knows.
    has_some: AtomicBool,
}

#[derive(Default)]
struct State {
    woken: VecDeque<ActivityKey>,
    driver: Option<Waker>,
}

impl Wakes {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, key: ActivityKey) {
        let driver = {
            let mut state = self.state();
            state.woken.push_back(key);
            self.has_some.store(true, Ordering::Release);
            state.driver.take()
        };
        if let Some(driver) = driver {
            driver.wake();
        }
    }

    fn pop(&self) -> Option<ActivityKey> {
        if !self.has_some.load(Ordering::Acquire) {
            return None;
        }
        let mut state = self.state();
        let first = state.woken.pop_front();
        self.has_some.store(!state.woken.is_empty(), Ordering::Release);
        first
    }

    /// Wakes the loop, which finds that something else is ready.
    pub(in crate::component) fn wake_driver(&self) {
        let driver = self.state().driver.take();
        if let Some(driver) = driver {
            driver.wake();
        }
    }

    /// Sets the waker of the loop. Returns whether there is something to poll already.
    pub(super) fn set_driver(&self, waker: &Waker) -> bool {
        let waker = waker.clone();
        let (before, has_some) = {
            let mut state = self.state();
            (state.driver.replace(waker), !state.woken.is_empty())
        };
        // Without the lock: it may be the last that keeps an executor's future, and the streams in that.
        drop(before);
        has_some
    }

    /// Returns whether there is something to poll.
    pub(super) fn has_some(&self) -> bool {
        !self.state().woken.is_empty()
    }

    /// Forgets wake-ups of activities that are gone, once they may be the most.
    fn forget(&self, activities: &SlotMap<ActivityKey, Activity>) {
        let mut state = self.state();
        if state.woken.len() > 2 * activities.len() + 64 {
            state.woken.retain(|key| activities.contains_key(*key));
        }
    }
}

struct ActivityWaker {
    wakes: Arc<Wakes>,
    key: ActivityKey,
    queued: AtomicBool,
}

impl Wake for ActivityWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.wakes.push(self.key);
        }
    }
}

impl Tasks {
    /// Adds an activity; it is not polled before it is woken.
    pub(in crate::component::concurrent) fn add_activity(
        &mut self,
        step: Option<Step>,
        instance: Option<Arc<InstanceInner>>,
    ) -> ActivityKey {
        let wakes = Arc::clone(&self.wakes);
        wakes.forget(&self.activities);
        self.activities.insert_with_key(|key| Activity {
            step,
            waker: Arc::new(ActivityWaker {
                wakes,
                key,
                queued: AtomicBool::new(false),
            }),
            waiting: false,
            again: false,
            instance,
        })
    }

    /// Has an activity polled at the loop's next turn.
    pub(in crate::component::concurrent) fn wake(&mut self, key: ActivityKey) {
        if let Some(activity) = self.activities.get(key) {
            activity.waker.wake_by_ref();
        }
    }

    /// Returns whether an activity is to be polled at the loop's next turn.
    pub(in crate::component::concurrent) fn is_woken(&self, key: ActivityKey) -> bool {
        let activity = self.activities.get(key);
        activity.is_some_and(|activity| activity.waker.queued.load(Ordering::Acquire))
    }

    /// Returns the waker of an activity.
    pub(super) fn waker(&self, key: ActivityKey) -> Waker {
        match self.activities.get(key) {
            Some(activity) => Waker::from(Arc::clone(&activity.waker)),
            None => Waker::noop().clone(),
        }
    }

    /// Sets the step of an activity whose first poll was made elsewhere, and has left it waiting.
    pub(super) fn go_on(&mut self, key: ActivityKey, step: Step) {
        if let Some(activity) = self.activities.get_mut(key) {
            activity.step = Some(step);
            activity.waiting = true;
            if activity.again {
                activity.waker.wake_by_ref();
            }
        }
    }

    /// Returns whether an activity waits for something outside the store.
    pub(super) fn awaits_outside(&self) -> bool {
        self.activities.values().any(|activity| activity.waiting)
    }

    /// Removes an activity. To be dropped without the lock: futures of the host run code as they end.
    pub(in crate::component::concurrent) fn remove_activity(&mut self, key: ActivityKey) -> Option<Activity> {
        self.activities.remove(key)
    }
}

/// Ends an activity that has failed, with the host's side of its stream or future.
fn end(core: &StoreCore, key: ActivityKey, step: Step) {
    let gone = {
        let mut tasks = core.tasks();
        let side = match &step {
            Step::Transmit(shared) => {
                if let Some(shared) = tasks.shared_of(*shared) {
                    shared.dropped = true;
                }
                tasks.end_host_side(*shared)
            }
            Step::Future(_) => None,
        };
        (side, tasks.remove_activity(key))
    };
    // What a consumer has got is not all.
    let _aborting = core.closing.aborting();
    drop((gone, step));
}

/// A failure of an activity, and the instance that it ran for.
pub(in crate::component::concurrent) struct Failure {
    pub(in crate::component::concurrent) error: Error,
    pub(in crate::component::concurrent) instance: Option<Arc<InstanceInner>>,
}

/// Polls the next activity that was woken. Returns false if there is none.
pub(super) fn poll_next(store: &mut StoreMut<'_>, core: &Arc<StoreCore>) -> Result<bool, Failure> {
    match core.closing.wakes().pop() {
        Some(key) => poll(store, core, key).map(|()| true),
        None => Ok(false),
    }
}

/// Polls an activity. One that is polled already, further out on the stack, is polled again after that.
///
/// # Errors
/// Its failure.
pub(in crate::component::concurrent) fn poll(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    key: ActivityKey,
) -> Result<(), Failure> {
    let (mut step, waker, mut instance) = {
        let mut tasks = core.tasks();
        let Some(activity) = tasks.activities.get_mut(key) else {
            return Ok(());
        };
        // Wake-ups from now on count, also while it is polled.
        activity.waker.queued.store(false, Ordering::Release);
        let Some(step) = activity.step.take() else {
            activity.again = true;
            return Ok(());
        };
        activity.again = false;
        activity.waiting = false;
        (
            step,
            Waker::from(Arc::clone(&activity.waker)),
            activity.instance.clone(),
        )
    };
    let mut cx = Context::from_waker(&waker);
    let polled = catch_unwind(AssertUnwindSafe(|| match &mut step {
        Step::Future(future) => future(store, core, &mut cx),
        Step::Transmit(shared) => ends::copy(store, core, *shared, &mut cx, &mut instance),
    }));
    let polled = match polled {
        Ok(polled) => polled,
        Err(panic) => {
            end(core, key, step);
            if let Some(instance) = instance {
                // It waits for something that does not come any more.
                instance.poisoned.store(true, Ordering::Relaxed);
                abort(store, core, &instance);
            }
            resume_unwind(panic)
        }
    };
    if let Poll::Ready(Err(error)) = polled {
        end(core, key, step);
        return Err(Failure { error, instance });
    }
    let left = {
        let mut tasks = core.tasks();
        let ends = matches!((&step, &polled), (Step::Future(_), Poll::Ready(_)));
        match tasks.activities.get_mut(key) {
            Some(_) if ends => tasks.remove_activity(key),
            Some(activity) => {
                activity.waiting = polled.is_pending();
                activity.step = Some(step);
                if activity.again {
                    activity.waker.wake_by_ref();
                }
                return Ok(());
            }
            // It was cancelled meanwhile.
            None => None,
        }
    };
    drop((left, step));
    Ok(())
}
