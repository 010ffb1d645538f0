//! Threads on their stacks: resuming, blocking, the loop of a call, and their end after a trap.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use wasmer::StoreMut;

use super::host::{Activity, Gone, HostCall};
use super::stacks::stack_for;
use super::state::{Body, Kind, Place, Task, TaskKey, TaskState, Tasks, Thread, ThreadKey, WaitableKey};
use super::transmit::Shared;
use super::waitable::Callee;
use crate::component::instance::InstanceInner;
use crate::component::store::StoreCore;
use crate::engine::{EngineEntry, Fiber, Resume, Switch};
use crate::error::{Error, Result};

/// A trap that ended a thread.
pub(super) struct Failed {
    pub(super) error: Error,
    /// The rest of the thread, whose drop ends the host's call, whose future must learn the error before.
    ended: Option<Box<Ended>>,
}

impl Failed {
    /// Ends a thread.
    pub(super) fn of(core: &StoreCore, key: ThreadKey, error: Error) -> Failed {
        let ended = end(core, key).map(|(_, ended)| Box::new(ended));
        Failed { error, ended }
    }

    /// Returns the host's call that the task of the thread was or is, if a future waits for it.
    pub(super) fn unawaited_call(&self, core: &StoreCore, key: ThreadKey) -> Option<Arc<HostCall>> {
        let call_of = |task: &Task| task.host_call().filter(|_| !task.is_awaited());
        let tasks = core.tasks();
        let task = match self.ended.as_deref() {
            Some(Ended(_, Some(task))) => return call_of(task),
            Some(Ended(thread, None)) => thread.task,
            None => tasks.threads.get(key)?.task,
        };
        tasks.tasks.get(task).and_then(call_of)
    }

    /// Records the error before the thread and its task end.
    pub(super) fn end(self, record: impl FnOnce(Error)) {
        record(self.error);
        drop(self.ended);
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed { error, ended: None }
    }
}

/// For those whose host's call is not over.
impl From<Failed> for Error {
    fn from(failed: Failed) -> Error {
        drop(failed.ended);
        failed.error
    }
}

/// Resumes a thread that waits, or starts one, until it waits, has a result for the host, or ends.
///
/// # Errors
/// The trap that ended it. The instance of its task must not run on.
pub(super) fn resume(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    key: ThreadKey,
    cancelled: bool,
) -> Result<(), Failed> {
    let stack = stack_for(store, core, key, cancelled);
    let stack = stack.map_err(|error| Failed::of(core, key, error))?;
    resume_on(store, core, key, stack, cancelled, None)
}

/// As [`resume`], with what [`stack_for`] has returned, in an entry into the engine if there is one.
///
/// # Errors
/// As there.
pub(super) fn resume_on(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    key: ThreadKey,
    stack: Option<Fiber<Result<()>>>,
    cancelled: bool,
    entry: Option<&EngineEntry>,
) -> Result<(), Failed> {
    let mut next = resume_one(store, core, key, stack, cancelled, entry)?;
    while let Some(key) = next {
        let stack = stack_for(store, core, key, false);
        let stack = stack.map_err(|error| Failed::of(core, key, error))?;
        next = resume_one(store, core, key, stack, false, entry)?;
    }
    Ok(())
}

/// Resumes a thread. Returns another that it switched to, if it did.
fn resume_one(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    key: ThreadKey,
    stack: Option<Fiber<Result<()>>>,
    cancelled: bool,
    entry: Option<&EngineEntry>,
) -> Result<Option<ThreadKey>, Failed> {
    let (fiber, before) = {
        let mut tasks = core.tasks();
        tasks.end_wait(key)?;
        let thread = tasks.thread(key)?;
        thread.cancelled |= cancelled;
        let body = std::mem::replace(&mut thread.body, Body::Running);
        match (stack, body) {
            (Some(fiber), _) | (None, Body::Suspended(fiber)) => (Some(fiber), tasks.enter(key)?),
            (None, _) => (None, tasks.enter(key)?),
        }
    };
    let before = before.swap(store, core);
    let Some(mut fiber) = fiber else {
        leave(store, core, key, before);
        return Err(Failed::of(core, key, Error::bug("a thread without a stack")));
    };
    // A function of the host may panic, and the store is used afterwards.
    let switched = catch_unwind(AssertUnwindSafe(|| {
        fiber.resume_in(entry, store, Resume::Continue)
    }));
    let left = before.swap(store, core);
    let mut tasks = core.tasks();
    tasks.leave(key, left);
    match switched {
        Ok(Ok(Switch::Suspended)) => {
            let thread = tasks.thread(key)?;
            thread.body = Body::Suspended(fiber);
            let other = thread.switch_to.take();
            Ok(other.map_or(Ok(None), |other| tasks.switched_to(other))?)
        }
        Ok(Ok(Switch::Ended(Ok(())))) => Ok(None),
        Ok(Ok(Switch::Ended(Err(error)))) => {
            drop(tasks);
            Err(Failed::of(core, key, error))
        }
        Ok(Err(error)) => {
            // Not resumed: it is as before, for those that end it.
            tasks.thread(key)?.body = Body::Suspended(fiber);
            Err(error.into())
        }
        Err(panic) => {
            drop(tasks);
            discard(core, key);
            resume_unwind(panic)
        }
    }
}

/// A thread that has ended, and its task if that had no other. To be dropped without the lock: it may wake a future of the host's, and drop the
/// values that the host passed.
struct Ended(Thread, Option<Task>);

/// Removes a thread that ended by a trap, with the scopes of its calls, and its task if that has no other. Returns its code.
pub(super) fn discard(core: &StoreCore, key: ThreadKey) -> Option<Body> {
    let (body, ended) = end(core, key)?;
    drop(ended);
    Some(body)
}

/// As [`discard`], but for the drop of what is left.
fn end(core: &StoreCore, key: ThreadKey) -> Option<(Body, Ended)> {
    let (body, mut scopes, ended) = {
        let mut tasks = core.tasks();
        let task = tasks.threads.get(key)?.task;
        let of_task = tasks.tasks.get(task).filter(|task| task.thread == key);
        let of_task = of_task.map(|task| task.scope);
        let (mut thread, task) = tasks.remove_thread(key)?;
        let mut scopes = std::mem::take(&mut thread.scopes);
        // The first thread has that of its task, which ends otherwise once that is resolved, and may be another's by now.
        if of_task.is_some() && scopes.first().copied() == of_task {
            scopes.remove(0);
        }
        if let Some(task) = &task
            && task.state != TaskState::Resolved
        {
            scopes.insert(0, task.scope);
        }
        let body = std::mem::replace(&mut thread.body, Body::Running);
        (body, scopes, Ended(thread, task))
    };
    // Innermost first.
    while let Some(scope) = scopes.pop() {
        core.end_scope(scope);
    }
    Some((body, ended))
}

/// The state of a thread that does not run: its scopes and its local storage, and the thread that was the running one meanwhile.
pub(super) struct Resting {
    current: Option<ThreadKey>,
    scopes: Vec<usize>,
    storage: [i32; 2],
}

impl Resting {
    /// Exchanges it with that of the thread that runs.
    fn swap(self, store: &mut StoreMut<'_>, core: &StoreCore) -> Resting {
        Resting {
            current: self.current,
            scopes: core.swap_scopes(self.scopes),
            storage: swap_storage(store, core, self.storage),
        }
    }
}

impl Tasks {
    /// Makes a thread the running one. Returns its state, which is to be exchanged.
    fn enter(&mut self, key: ThreadKey) -> Result<Resting> {
        let current = self.current.replace(key);
        let thread = self.thread(key)?;
        Ok(Resting {
            current,
            scopes: std::mem::take(&mut thread.scopes),
            storage: thread.storage,
        })
    }

    /// Makes the thread that ran before the running one again. `resting` is the state of the one that ran.
    fn leave(&mut self, key: ThreadKey, resting: Resting) {
        self.current = resting.current;
        if let Some(thread) = self.threads.get_mut(key) {
            thread.scopes = resting.scopes;
            thread.storage = resting.storage;
        }
    }
}

/// Makes a thread the running one.
pub(super) fn enter(store: &mut StoreMut<'_>, core: &StoreCore, key: ThreadKey) -> Result<Resting> {
    let resting = core.tasks().enter(key)?;
    Ok(resting.swap(store, core))
}

/// Makes the thread that ran before the running one again.
pub(super) fn leave(store: &mut StoreMut<'_>, core: &StoreCore, key: ThreadKey, before: Resting) {
    let resting = before.swap(store, core);
    core.tasks().leave(key, resting);
}

/// Sets the running thread's local storage; returns what was there.
pub(super) fn swap_storage(store: &mut StoreMut<'_>, core: &StoreCore, values: [i32; 2]) -> [i32; 2] {
    match core.context_globals() {
        Some([first, second]) => [first.replace(store, values[0]), second.replace(store, values[1])],
        None => [0; 2],
    }
}

/// Runs code of a guest's that is part of no thread, such as a realloc: with thread-local storage of its own, which ends with it.
pub(in crate::component) fn without_storage<'a, R>(
    store: &mut StoreMut<'a>,
    core: &StoreCore,
    step: impl FnOnce(&mut StoreMut<'a>) -> Result<R>,
) -> Result<R> {
    if core.context_globals().is_none() {
        return step(store);
    }
    let storage = swap_storage(store, core, [0; 2]);
    let result = step(store);
    swap_storage(store, core, storage);
    result
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
    let _aborting = core.closing.aborting();
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
