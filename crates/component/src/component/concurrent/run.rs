//! Threads on their stacks: resuming, blocking, the loop of a call, and their end after a trap.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use wasmer::{StoreMut, Value};

use super::host::{Activity, Gone};
use super::state::{Body, Kind, Place, Task, TaskKey, TaskState, Tasks, ThreadKey, Wait, WaitableKey};
use super::task;
use super::transmit::Shared;
use super::waitable::Callee;
use crate::component::instance::InstanceInner;
use crate::component::store::StoreCore;
use crate::engine::{Fiber, Resume, Switch, suspend};
use crate::error::{AsyncTrap, Error, Result, TrapKind};

/// Resumes a thread that waits, or starts one, until it waits, has a result for the host, or ends.
///
/// # Errors
/// The trap that ended it. The instance of its task must not run on.
pub(super) fn resume(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    key: ThreadKey,
    cancelled: bool,
) -> Result<()> {
    let (body, wait, cancelled) = {
        let mut tasks = core.tasks();
        let wait = tasks.end_wait(key)?;
        let thread = tasks.thread(key)?;
        // It may have been when it began to wait, too.
        thread.cancelled |= cancelled;
        let body = std::mem::replace(&mut thread.body, Body::Running);
        (body, wait, thread.cancelled)
    };
    let fiber = match body {
        Body::Suspended(fiber) => Ok(fiber),
        Body::New => new_fiber(store, core, move |store, core| task::start(store, core, key)),
        Body::Parked => new_fiber(store, core, move |store, core| {
            task::call_back(store, core, key, wait, cancelled)
        }),
        Body::Running => Err(Error::bug("a thread that runs already is resumed")),
    };
    let mut fiber = match fiber {
        Ok(fiber) => fiber,
        Err(error) => {
            discard(core, key);
            return Err(error);
        }
    };
    let before = enter(store, core, key)?;
    // A function of the host may panic, and the store is used afterwards.
    let switched = catch_unwind(AssertUnwindSafe(|| fiber.resume(store, Resume::Continue)));
    let left = leave(store, core, key, before);
    let switched = switched.unwrap_or_else(|panic| {
        discard(core, key);
        resume_unwind(panic)
    });
    left?;
    match switched {
        Ok(Switch::Suspended) => {
            core.tasks().thread(key)?.body = Body::Suspended(fiber);
            Ok(())
        }
        Ok(Switch::Ended(Ok(()))) => Ok(()),
        Ok(Switch::Ended(Err(error))) => {
            discard(core, key);
            Err(error)
        }
        Err(error) => {
            // Not resumed: it is as before, for those that end it.
            core.tasks().thread(key)?.body = Body::Suspended(fiber);
            Err(error)
        }
    }
}

/// Removes a thread that ended by a trap, with its task and the scopes of its calls. Returns its code.
pub(super) fn discard(core: &StoreCore, key: ThreadKey) -> Option<Body> {
    let (body, mut scopes, task) = {
        let mut tasks = core.tasks();
        let thread = tasks.threads.remove(key)?;
        let task = tasks.tasks.remove(thread.task);
        let place = task.as_ref().map(Task::place);
        if let Some(place) = place {
            tasks.release(place, key);
        }
        let mut scopes = thread.scopes;
        if let Some(task) = &task {
            // That of a resolved task ends otherwise, and may be another's by now.
            scopes.retain(|scope| *scope != task.scope);
            if task.state != TaskState::Resolved {
                scopes.insert(0, task.scope);
            }
        }
        (thread.body, scopes, task)
    };
    // Without the lock: it may wake a future of the host's, and drop the values that the host passed.
    drop(task);
    // Innermost first.
    while let Some(scope) = scopes.pop() {
        core.end_scope(scope);
    }
    Some(body)
}

fn new_fiber(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    body: impl FnOnce(&mut StoreMut<'_>, &Arc<StoreCore>) -> Result<()> + 'static,
) -> Result<Fiber<Result<()>>> {
    let stacks = core.tasks().stacks.clone();
    let core = core.clone();
    Fiber::new(&stacks, store, move |store| body(store, &core))
}

/// The state of the thread that ran before another was resumed.
pub(super) struct Before {
    current: Option<ThreadKey>,
    scopes: Vec<usize>,
    storage: [i32; 2],
}

/// Makes a thread the running one.
pub(super) fn enter(store: &mut StoreMut<'_>, core: &StoreCore, key: ThreadKey) -> Result<Before> {
    let mut tasks = core.tasks();
    let current = tasks.current.replace(key);
    let thread = tasks.thread(key)?;
    let scopes = std::mem::take(&mut thread.scopes);
    let storage = thread.storage;
    drop(tasks);
    Ok(Before {
        current,
        scopes: core.swap_scopes(scopes),
        storage: swap_storage(store, core, storage)?,
    })
}

/// Makes the thread that ran before the running one again.
pub(super) fn leave(
    store: &mut StoreMut<'_>,
    core: &StoreCore,
    key: ThreadKey,
    before: Before,
) -> Result<()> {
    let scopes = core.swap_scopes(before.scopes);
    let storage = swap_storage(store, core, before.storage)?;
    let mut tasks = core.tasks();
    tasks.current = before.current;
    if let Some(thread) = tasks.threads.get_mut(key) {
        thread.scopes = scopes;
        thread.storage = storage;
    }
    Ok(())
}

/// Sets the running thread's local storage; returns what was there.
pub(super) fn swap_storage(store: &mut StoreMut<'_>, core: &StoreCore, values: [i32; 2]) -> Result<[i32; 2]> {
    let Some(globals) = core.context_globals() else {
        return Ok([0; 2]);
    };
    let mut before = [0; 2];
    for ((global, value), before) in globals.iter().zip(values).zip(&mut before) {
        *before = global.get(store).i32().unwrap_or(0);
        if *before != value {
            let set = global.set(store, Value::I32(value));
            set.map_err(|error| Error::bug(error.message()))?;
        }
    }
    Ok(before)
}

/// The calls that must end before the running thread may give way to others.
enum Barrier {
    None,
    /// The innermost call is synchronous: threads of its instance may run meanwhile.
    Own(Place),
    /// A call further out is.
    Outer,
}

impl Tasks {
    /// Returns whether the innermost call on a thread is synchronous.
    pub(super) fn is_sync(&mut self, key: ThreadKey) -> Result<bool> {
        Ok(!matches!(self.barrier(key)?, Barrier::None))
    }

    fn barrier(&mut self, key: ThreadKey) -> Result<Barrier> {
        let thread = self.thread(key)?;
        let frames = thread.frames.iter();
        let mut calls: Vec<(Place, bool)> = frames.map(|frame| (frame.place, frame.is_async)).collect();
        let task = thread.task;
        let task = self.task(task)?;
        calls.insert(0, (task.place(), task.is_async));
        let innermost = calls.len() - 1;
        let synchronous = calls.iter().rposition(|(_, is_async)| !is_async);
        Ok(match synchronous {
            None => Barrier::None,
            Some(at) if at == innermost => Barrier::Own(calls[at].0),
            Some(_) => Barrier::Outer,
        })
    }
}

/// Blocks the running thread until a wait is over. Returns true if its task was cancelled instead, if it is `cancellable`.
///
/// # Errors
/// [`AsyncTrap::CannotBlock`] within a synchronous task if nothing of its instance can run meanwhile; the trap of
/// another thread.
pub(super) fn block(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    wait: Wait,
    cancellable: bool,
) -> Result<bool> {
    let (key, barrier) = {
        let mut tasks = core.tasks();
        if cancellable && tasks.deliver_cancel()? {
            return Ok(true);
        }
        if !matches!(wait, Wait::Yield) && tasks.is_over(wait) {
            return Ok(false);
        }
        let key = tasks.running()?;
        let barrier = tasks.barrier(key)?;
        if let Barrier::None = barrier {
            tasks.begin_wait(key, wait, cancellable)?;
        }
        (key, barrier)
    };
    match barrier {
        Barrier::None => match suspend(store)? {
            Resume::Continue => Ok(core.tasks().thread(key)?.cancelled),
            Resume::Abort => Err(TrapKind::Poisoned.into()),
        },
        Barrier::Own(place) => {
            core.tasks().set_waiter(wait, Some(key));
            let ended = run_others(store, core, wait, place);
            core.tasks().set_waiter(wait, None);
            ended.map(|()| false)
        }
        Barrier::Outer => match wait {
            Wait::Yield => Ok(false),
            _ => Err(AsyncTrap::CannotBlock.into()),
        },
    }
}

/// Runs threads of one component instance until a wait is over.
pub(super) fn run_others(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    wait: Wait,
    place: Place,
) -> Result<()> {
    let mut turns = 0;
    loop {
        let other = {
            let mut tasks = core.tasks();
            let is_yield = matches!(wait, Wait::Yield);
            if tasks.is_over(wait) && (!is_yield || turns > 0) {
                return Ok(());
            }
            match tasks.ready_in(place) {
                Some(other) => other,
                None if is_yield => return Ok(()),
                None => return Err(AsyncTrap::CannotBlock.into()),
            }
        };
        turns += 1;
        resume(store, core, other, false)?;
    }
}

impl Tasks {
    fn set_waiter(&mut self, wait: Wait, waiter: Option<ThreadKey>) {
        match wait {
            Wait::Event(key) | Wait::Resolved(key) => {
                if let Some(waitable) = self.waitables.get_mut(key) {
                    waitable.waiter = waiter;
                }
            }
            Wait::Set(set) => {
                if let Some(set) = self.sets.get_mut(set) {
                    set.waiting = match waiter {
                        Some(_) => set.waiting + 1,
                        None => set.waiting.saturating_sub(1),
                    };
                }
            }
            _ => {}
        }
    }
}

/// Requests a task's cancellation, on behalf of the running thread.
pub(super) fn cancel_task(store: &mut StoreMut<'_>, core: &Arc<StoreCore>, key: TaskKey) -> Result<()> {
    let thread = {
        let mut tasks = core.tasks();
        let task = tasks.task(key)?;
        let (place, thread, state) = (task.place(), task.thread, task.state);
        let needs_exclusive = task.is_async && task.lift.needs_exclusive();
        match state {
            TaskState::Initial => {
                tasks.task(key)?.state = TaskState::CancelDelivered;
                thread
            }
            TaskState::Started => {
                let exclusive = tasks.instance(place).exclusive;
                let excluded = needs_exclusive && exclusive.is_some_and(|exclusive| exclusive != thread);
                let cancellable = tasks.thread(thread)?.cancellable;
                if !cancellable || excluded || tasks.is_entered(place) {
                    tasks.task(key)?.state = TaskState::PendingCancel;
                    return Ok(());
                }
                tasks.task(key)?.state = TaskState::CancelDelivered;
                thread
            }
            _ => return Ok(()),
        }
    };
    resume(store, core, thread, true)
}

impl Tasks {
    /// Returns whether code of a component instance is on a running stack.
    fn is_entered(&mut self, place: Place) -> bool {
        self.threads.values().any(|thread| {
            matches!(thread.body, Body::Running)
                && (thread.frames.iter().any(|frame| frame.place == place)
                    || self
                        .tasks
                        .get(thread.task)
                        .is_some_and(|task| task.place() == place))
        })
    }
}

/// Ends all threads of an instance that trapped, and what they hold.
pub(super) fn abort(store: &mut StoreMut<'_>, core: &Arc<StoreCore>, instance: &InstanceInner) {
    abort_where(store, core, |place| place.0 == instance.id);
}

/// Ends all threads of the store.
pub(crate) fn abort_all(store: &mut StoreMut<'_>, core: &Arc<StoreCore>) {
    core.close_dropped();
    abort_where(store, core, |_| true);
    // What the host has between its own ends, and in the background.
    let left = core.tasks().remove_rest();
    drop(left);
}

fn abort_where(store: &mut StoreMut<'_>, core: &Arc<StoreCore>, of: impl Fn(Place) -> bool) {
    let keys: Vec<ThreadKey> = {
        let mut tasks = core.tasks();
        let tasks = &mut *tasks;
        let of_task = |task: TaskKey| tasks.tasks.get(task).is_none_or(|task| of(task.place()));
        let threads = tasks.threads.iter();
        let left =
            threads.filter(|(_, thread)| !matches!(thread.body, Body::Running) && of_task(thread.task));
        let keys: Vec<ThreadKey> = left.map(|(key, _)| key).collect();
        for key in &keys {
            let _ = tasks.end_wait(*key);
        }
        keys
    };
    for key in keys {
        if let Some(Body::Suspended(mut fiber)) = discard(core, key) {
            // It ends with the error that its suspended host function returns now.
            let _ = fiber.resume(store, Resume::Abort);
        }
    }
    let (scopes, gone) = core.tasks().remove_where(of);
    for scope in scopes {
        core.end_scope(scope);
    }
    // Futures of the host run code as they end.
    drop(gone);
}

impl Tasks {
    /// Removes what no component instance has a part in. To be dropped without the lock.
    fn remove_rest(&mut self) -> (Vec<Shared>, Vec<Activity>) {
        let shared = self.shared.drain().map(|(_, shared)| shared).collect();
        let activities = self.activities.drain().map(|(_, activity)| activity);
        (shared, activities.collect())
    }

    /// Removes what component instances have handles of, and their states. Returns the scopes that end with it, and what is to be dropped
    /// without the lock.
    fn remove_where(&mut self, of: impl Fn(Place) -> bool) -> (Vec<usize>, Vec<Dropped>) {
        self.instances.retain(|place, _| !of(*place));
        let removed = self.waitables.iter().filter(|(_, waitable)| of(waitable.place));
        let removed: Vec<WaitableKey> = removed.map(|(key, _)| key).collect();
        let (mut scopes, mut gone) = (Vec::new(), Vec::new());
        for key in removed {
            match self.waitables.get(key).map(|waitable| &waitable.kind) {
                Some(Kind::End(_)) => gone.extend(self.drop_end(key).ok().flatten().map(Dropped::End)),
                Some(Kind::Subtask(subtask)) => {
                    if let Callee::Host(activity) = subtask.callee {
                        scopes.extend(subtask.scope);
                        gone.extend(self.remove_activity(activity).map(Dropped::Call));
                    } else if subtask.state.is_resolved() {
                        // Of one whose task goes on, the scope has ended with the task.
                        scopes.extend(subtask.scope);
                    }
                    let _ = self.remove_waitable(key);
                }
                None => {}
            }
        }
        self.sets.retain(|_, set| !of(set.place));
        (scopes, gone)
    }
}

/// Code of the host's that ends.
#[expect(dead_code, reason = "held for their drop")]
enum Dropped {
    End(Gone),
    Call(Activity),
}
