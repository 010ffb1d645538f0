//! Requests to cancel a task, by the component or the host that called it.
//!
//! Implements `Task.request_cancellation` of [Task State].
//!
//! [Task State]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#task-state

use std::sync::Arc;

use wasmer::StoreMut;

use super::run::{discard, resume};
use super::state::{Body, Place, TaskKey, TaskState, Tasks, ThreadKey, Wait};
use crate::component::store::StoreCore;
use crate::error::Result;

/// Requests a task's cancellation, on behalf of the running thread.
pub(super) fn cancel_task(store: &mut StoreMut<'_>, core: &Arc<StoreCore>, key: TaskKey) -> Result<()> {
    let thread = {
        let mut tasks = core.tasks();
        let task = tasks.task(key)?;
        let (place, thread, state) = (task.place(), task.thread, task.state);
        match state {
            TaskState::Initial => {
                tasks.task(key)?.state = TaskState::CancelDelivered;
                thread
            }
            TaskState::Started => {
                let cancellable = tasks.cancellable(key)?.filter(|_| !tasks.is_entered(place));
                let Some(thread) = cancellable else {
                    tasks.task(key)?.state = TaskState::PendingCancel;
                    return Ok(());
                };
                tasks.task(key)?.state = TaskState::CancelDelivered;
                thread
            }
            _ => return Ok(()),
        }
    };
    Ok(resume(store, core, thread, true)?)
}

/// Requests the cancellation of a task of the host's, if it is still there. One that has not begun ends at once. Otherwise, the thread that it is
/// delivered to goes on at the next turn that its instance permits: the instance may execute further out on the stack.
pub(super) fn cancel_call(core: &StoreCore, key: TaskKey) -> Result<()> {
    let unbegun = {
        let mut tasks = core.tasks();
        let Some(task) = tasks.tasks.get(key) else {
            return Ok(());
        };
        let (first, state) = (task.thread, task.state);
        // Its first thread may have ended before others.
        let thread = tasks.threads.get(first);
        let is_new = thread.is_some_and(|thread| matches!(thread.body, Body::New));
        match state {
            TaskState::Initial if is_new => Some(first),
            TaskState::Initial => tasks.deliver_later(key, Some(first)).map(|()| None)?,
            TaskState::Started => {
                let thread = tasks.cancellable(key)?;
                tasks.deliver_later(key, thread).map(|()| None)?
            }
            _ => None,
        }
    };
    if let Some(thread) = unbegun {
        discard(core, thread);
    }
    Ok(())
}

impl Tasks {
    /// Delivers a cancellation to a thread that waits, at its next turn, or lets it wait if there is none.
    fn deliver_later(&mut self, key: TaskKey, thread: Option<ThreadKey>) -> Result<()> {
        let task = self.task(key)?;
        let place = task.place();
        let Some(thread) = thread else {
            task.state = TaskState::PendingCancel;
            return Ok(());
        };
        task.state = TaskState::CancelDelivered;
        self.end_wait(thread)?;
        let wait = match self.thread(thread)?.body {
            Body::Parked => Wait::CallbackYield(place),
            _ => Wait::Yield,
        };
        self.begin_wait(thread, wait, false)?;
        self.thread(thread)?.cancelled = true;
        Ok(())
    }

    /// Returns a thread of a task whose wait ends when the task is cancelled: its first, if that may run, or another.
    fn cancellable(&mut self, key: TaskKey) -> Result<Option<ThreadKey>> {
        let task = self.task(key)?;
        let (place, first, has_others) = (task.place(), task.thread, task.threads > 1);
        let needs_exclusive = task.is_async && task.lift.needs_exclusive();
        let exclusive = self.instance(place).exclusive;
        let excluded = needs_exclusive && exclusive.is_some_and(|exclusive| exclusive != first);
        let waits = self.threads.get(first).map(|thread| thread.cancellable);
        let has_first = waits.is_some();
        if waits == Some(true) && !excluded {
            return Ok(Some(first));
        }
        if has_first && !has_others {
            return Ok(None);
        }
        let mut others = self.threads.iter();
        let other =
            others.find(|(other, thread)| thread.task == key && *other != first && thread.cancellable);
        Ok(other.map(|(other, _)| other))
    }

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
