//! Waitables: their events, the sets that they are in, and subtasks.
//!
//! Implements [Waitable State] and [Subtask State].
//!
//! [Waitable State]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#waitable-state
//! [Subtask State]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#subtask-state

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use wasmer::StoreMut;

use super::block::block;
use super::cancel::cancel_task;
use super::state::{
    ActivityKey, Kind, Place, SetKey, TaskKey, TaskState, Tasks, ThreadKey, Wait, Waitable, WaitableKey, gone,
};
use crate::component::instance::InstanceInner;
use crate::component::resource::handles::Handle;
use crate::component::store::StoreCore;
use crate::error::{AsyncTrap, Error, ResourceError, Result};

/// An event: its code, and two values.
pub(super) type Event = (u32, u32, u32);

pub(super) const NO_EVENT: Event = (0, 0, 0);
const SUBTASK: u32 = 1;
pub(super) const TASK_CANCELLED: Event = (6, 0, 0);

/// The result of a built-in that has not ended yet.
pub(super) const BLOCKED: u32 = u32::MAX;

/// The state of a subtask. The numbers are the specification's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SubtaskState {
    Starting = 0,
    Started = 1,
    Returned = 2,
    CancelledBeforeStarted = 3,
    CancelledBeforeReturned = 4,
}

impl SubtaskState {
    pub(super) fn is_resolved(self) -> bool {
        !matches!(self, SubtaskState::Starting | SubtaskState::Started)
    }
}

/// The callee of a subtask.
#[derive(Clone, Copy, Debug)]
pub(super) enum Callee {
    Task(TaskKey),
    /// A function of the host.
    Host(ActivityKey),
}

/// A call as its caller sees it.
pub(super) struct Subtask {
    pub(super) state: SubtaskState,
    pub(super) callee: Callee,
    /// True while its state has changed and its caller has not got the event.
    pub(super) event: bool,
    /// True once its caller knows that it is resolved.
    pub(super) delivered: bool,
    pub(super) cancel_requested: bool,
    /// The scope of the caller's loans, until they end.
    pub(super) scope: Option<usize>,
    /// The flat result for a synchronous caller.
    pub(super) result: u64,
}

/// A waitable set.
pub(super) struct WaitableSet {
    /// The component instance that has a handle of it.
    pub(super) place: Place,
    /// Number of its waitables.
    pub(super) elements: u32,
    /// Waitables that have had an event since they were looked at.
    events: VecDeque<WaitableKey>,
    /// Number of threads that wait for an event.
    pub(super) waiting: u32,
    pub(super) waiters: VecDeque<ThreadKey>,
}

impl Tasks {
    /// Wakes those that wait for this waitable's event, which is there now.
    pub(super) fn has_event_now(&mut self, key: WaitableKey) {
        let Some(waitable) = self.waitables.get(key) else {
            return;
        };
        if let Some(thread) = waitable.waiter {
            self.may_be_ready(thread);
        }
        if let Some(set) = self.waitables.get(key).and_then(|waitable| waitable.set) {
            self.set_has_event_now(set, key);
        }
    }

    fn set_has_event_now(&mut self, key_of_set: SetKey, key: WaitableKey) {
        let Some(set) = self.sets.get_mut(key_of_set) else {
            return;
        };
        set.events.push_back(key);
        if set.events.len() > 2 * set.elements as usize + 16 {
            // The same ones again and again: each waitable is there once from now on.
            let mut seen = HashSet::new();
            let waitables = &self.waitables;
            set.events.retain(|key| {
                waitables
                    .get(*key)
                    .is_some_and(|waitable| waitable.set == Some(key_of_set))
                    && seen.insert(*key)
            });
        }
        let waiters: Vec<ThreadKey> = set.waiters.iter().copied().collect();
        for thread in waiters {
            self.may_be_ready(thread);
        }
    }

    /// Returns whether one of a set's waitables has an event.
    pub(super) fn set_has_event(&mut self, key: SetKey) -> bool {
        loop {
            let Some(set) = self.sets.get_mut(key) else {
                return false;
            };
            let Some(first) = set.events.front().copied() else {
                return false;
            };
            let waitable = self.waitables.get(first);
            if waitable.is_some_and(|waitable| waitable.set == Some(key) && waitable.has_event()) {
                return true;
            }
            set.events.pop_front();
        }
    }

    fn set_event(&mut self, key: SetKey) -> Option<WaitableKey> {
        match self.set_has_event(key) {
            true => self.sets.get_mut(key)?.events.pop_front(),
            false => None,
        }
    }

    /// Adds a waitable to a set, or removes it from its own.
    fn join(&mut self, key: WaitableKey, set: Option<SetKey>) -> Result<()> {
        let waitable = self.waitable(key)?;
        let before = std::mem::replace(&mut waitable.set, set);
        let has_event = waitable.has_event();
        if let Some(before) = before.and_then(|before| self.sets.get_mut(before)) {
            before.elements = before.elements.saturating_sub(1);
        }
        if let Some(key_of_set) = set {
            self.set(key_of_set)?.elements += 1;
            if has_event {
                self.set_has_event_now(key_of_set, key);
            }
        }
        Ok(())
    }

    /// Removes a waitable whose handle is gone.
    pub(super) fn remove_waitable(&mut self, key: WaitableKey) -> Result<()> {
        self.join(key, None)?;
        self.waitables.remove(key);
        Ok(())
    }

    pub(super) fn subtask(&mut self, key: WaitableKey) -> Result<&mut Subtask> {
        match self.waitables.get_mut(key) {
            Some(Waitable {
                kind: Kind::Subtask(subtask),
                ..
            }) => Ok(subtask),
            _ => Err(gone("subtask")),
        }
    }

    /// Records a subtask's new state, an event for its caller if that has a handle of it.
    pub(super) fn set_subtask(&mut self, key: WaitableKey, state: SubtaskState) -> Result<()> {
        let has_handle = self.waitable(key)?.handle != 0;
        let subtask = self.subtask(key)?;
        subtask.state = state;
        subtask.event = has_handle;
        let waiter = self.waitable(key)?.waiter;
        match (has_handle, waiter) {
            (true, _) => self.has_event_now(key),
            (false, Some(thread)) => self.may_be_ready(thread),
            (false, None) => {}
        }
        Ok(())
    }
}

impl StoreCore {
    /// Takes a waitable's event, with what it brings about.
    pub(super) fn take_event(&self, key: WaitableKey) -> Result<Event> {
        let mut tasks = self.tasks();
        let tasks = &mut *tasks;
        let waitable = tasks.waitables.get_mut(key).ok_or_else(|| gone("waitable"))?;
        let handle = waitable.handle;
        match &mut waitable.kind {
            Kind::Subtask(subtask) => {
                subtask.event = false;
                let state = subtask.state;
                if state.is_resolved() && !subtask.delivered {
                    subtask.delivered = true;
                    if let Some(scope) = subtask.scope.take() {
                        self.end_scope(scope);
                    }
                }
                Ok((SUBTASK, handle, state as u32))
            }
            Kind::End(end) => {
                let (code, payload, reclaimed) = end.take_event()?;
                if let Some(shared) = reclaimed.and_then(|shared| tasks.shared.get_mut(shared)) {
                    shared.pending = None;
                }
                Ok((code, handle, payload))
            }
        }
    }

    /// Takes an event of a set that has one.
    pub(super) fn take_set_event(&self, set: SetKey) -> Result<Event> {
        let key = self.tasks().set_event(set);
        self.take_event(key.ok_or_else(|| Error::bug("a set without the event that ended a wait"))?)
    }

    /// Takes an event of a set, if there is one.
    fn poll_set(&self, set: SetKey) -> Result<Event> {
        let key = self.tasks().set_event(set);
        key.map_or(Ok(NO_EVENT), |key| self.take_event(key))
    }
}

fn wrong_type(index: u32) -> Error {
    ResourceError::WrongType(index).into()
}

impl InstanceInner {
    /// Returns the waitable set that a component instance has a handle of.
    pub(super) fn waitable_set(&self, component_instance: u32, index: u32) -> Result<SetKey> {
        match self.handles(component_instance, |table| table.get_any(index))? {
            Handle::WaitableSet(key) => Ok(key),
            _ => Err(wrong_type(index)),
        }
    }

    /// Returns the waitable that a component instance has a handle of.
    pub(super) fn waitable(&self, component_instance: u32, index: u32) -> Result<WaitableKey> {
        match self.handles(component_instance, |table| table.get_any(index))? {
            Handle::Waitable(key) => Ok(key),
            _ => Err(wrong_type(index)),
        }
    }

    /// `waitable-set.new`.
    pub(super) fn waitable_set_new(&self, core: &StoreCore, component_instance: u32) -> Result<u32> {
        let key = core.tasks().sets.insert(WaitableSet {
            place: (self.id, component_instance),
            elements: 0,
            events: VecDeque::new(),
            waiting: 0,
            waiters: VecDeque::new(),
        });
        let added = self.handles(component_instance, |table| table.insert(Handle::WaitableSet(key)));
        if added.is_err() {
            core.tasks().sets.remove(key);
        }
        Ok(added?)
    }

    /// `waitable-set.wait`.
    pub(super) fn waitable_set_wait(
        &self,
        store: &mut StoreMut<'_>,
        core: &Arc<StoreCore>,
        component_instance: u32,
        index: u32,
        cancellable: bool,
    ) -> Result<Event> {
        let set = self.waitable_set(component_instance, index)?;
        match block(store, core, Wait::Set(set), cancellable)? {
            true => Ok(TASK_CANCELLED),
            false => core.take_set_event(set),
        }
    }

    /// `waitable-set.poll`.
    pub(super) fn waitable_set_poll(
        &self,
        core: &StoreCore,
        component_instance: u32,
        index: u32,
        cancellable: bool,
    ) -> Result<Event> {
        let set = self.waitable_set(component_instance, index)?;
        match cancellable && core.tasks().deliver_cancel()? {
            true => Ok(TASK_CANCELLED),
            false => core.poll_set(set),
        }
    }

    /// `waitable-set.drop`.
    pub(super) fn waitable_set_drop(
        &self,
        core: &StoreCore,
        component_instance: u32,
        index: u32,
    ) -> Result<()> {
        let key = self.waitable_set(component_instance, index)?;
        let mut tasks = core.tasks();
        let set = tasks.set(key)?;
        if set.elements > 0 {
            return Err(AsyncTrap::SetNotEmpty.into());
        }
        if set.waiting > 0 {
            return Err(AsyncTrap::SetWaitedFor.into());
        }
        tasks.sets.remove(key);
        drop(tasks);
        self.handles(component_instance, |table| table.remove_any(index))?;
        Ok(())
    }

    /// `waitable.join`.
    pub(super) fn waitable_join(
        &self,
        core: &StoreCore,
        component_instance: u32,
        index: u32,
        set: u32,
    ) -> Result<()> {
        let key = self.waitable(component_instance, index)?;
        if core.tasks().waitable(key)?.waiter.is_some() {
            return Err(AsyncTrap::InSet.into());
        }
        let set = match set {
            0 => None,
            set => Some(self.waitable_set(component_instance, set)?),
        };
        core.tasks().join(key, set)
    }

    fn subtask(&self, core: &StoreCore, component_instance: u32, index: u32) -> Result<WaitableKey> {
        let key = self.waitable(component_instance, index)?;
        let is_subtask = core.tasks().subtask(key).is_ok();
        is_subtask.then_some(key).ok_or_else(|| wrong_type(index))
    }

    /// `subtask.drop`.
    pub(super) fn subtask_drop(&self, core: &StoreCore, component_instance: u32, index: u32) -> Result<()> {
        let key = self.subtask(core, component_instance, index)?;
        if !core.tasks().subtask(key)?.delivered {
            return Err(AsyncTrap::SubtaskNotResolved.into());
        }
        core.tasks().remove_waitable(key)?;
        self.handles(component_instance, |table| table.remove_any(index))?;
        Ok(())
    }

    /// `subtask.cancel`.
    pub(super) fn subtask_cancel(
        &self,
        store: &mut StoreMut<'_>,
        core: &Arc<StoreCore>,
        component_instance: u32,
        index: u32,
        is_async: bool,
    ) -> Result<u32> {
        let key = self.subtask(core, component_instance, index)?;
        let callee = {
            let mut tasks = core.tasks();
            let in_set = tasks.waitable(key)?.set.is_some();
            let subtask = tasks.subtask(key)?;
            if subtask.delivered || subtask.cancel_requested {
                return Err(AsyncTrap::CancelledTwice.into());
            }
            if in_set && !is_async {
                return Err(AsyncTrap::InSet.into());
            }
            let resolved = subtask.state.is_resolved();
            subtask.cancel_requested = !resolved;
            (!resolved).then_some(subtask.callee)
        };
        if let Some(callee) = callee {
            match callee {
                Callee::Task(task) => cancel_task(store, core, task)?,
                Callee::Host(activity) => core.cancel_host_call(key, activity)?,
            }
            if !core.tasks().subtask(key)?.state.is_resolved() {
                if is_async {
                    return Ok(BLOCKED);
                }
                block(store, core, Wait::Resolved(key), false)?;
            }
        }
        let (_, _, state) = core.take_event(key)?;
        Ok(state)
    }
}

impl Tasks {
    /// Returns whether the running task's cancellation is delivered now: only to the task itself, not during a
    /// synchronous call by it.
    pub(super) fn deliver_cancel(&mut self) -> Result<bool> {
        let current = self.running()?;
        let thread = self.thread(current)?;
        if !thread.frames.is_empty() {
            return Ok(false);
        }
        let key = thread.task;
        let task = self.task(key)?;
        let pending = task.state == TaskState::PendingCancel;
        if pending {
            task.state = TaskState::CancelDelivered;
        }
        Ok(pending)
    }
}
