//! Cooperative threads: several threads of one task, which take turns.
//!
//! Implements [`thread.index`] and the built-ins behind it. A component instance has a table of its threads. A synchronous call between
//! components is a thread of its own there, though it runs on its caller's: so an index stands for a thread and the number of calls on it.
//!
//! [`thread.index`]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#-canon-threadindex

use std::sync::Arc;

use slab::Slab;
use wasmer::StoreMut;

use super::block::{block, switch};
use super::state::{Body, Call, Lift, Place, Task, TaskState, Tasks, Thread, ThreadKey, Wait};
use super::task::end_thread;
use crate::component::instance::InstanceInner;
use crate::component::ir::MOST_THREADS;
use crate::component::resource::handles::Room;
use crate::component::store::StoreCore;
use crate::error::{AsyncTrap, CoreTrap, Error, ResourceError, Result, TrapKind};

/// The threads of a component instance that have an index, from 1.
#[derive(Debug, Default)]
pub(super) struct Indices(Slab<Indexed>);

/// A thread, or a synchronous call on one.
#[derive(Clone, Copy, Debug)]
struct Indexed {
    thread: ThreadKey,
    /// Number of synchronous calls on the thread, up to this one.
    depth: usize,
}

/// An index that a thread has.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnIndex {
    place: Place,
    index: u32,
    depth: usize,
}

impl Indices {
    fn insert(&mut self, indexed: Indexed) -> Result<u32> {
        let index = u32::try_from(self.0.insert(indexed) + 1);
        // There is no room for so many threads.
        index.map_err(|_| Error::bug("too many threads"))
    }

    fn get(&self, index: u32) -> Result<Indexed> {
        let key = index.checked_sub(1).and_then(|key| usize::try_from(key).ok());
        let found = key.and_then(|key| self.0.get(key)).copied();
        found.ok_or_else(|| AsyncTrap::UnknownThread(index).into())
    }

    fn remove(&mut self, index: u32) {
        let key = index.checked_sub(1).and_then(|key| usize::try_from(key).ok());
        key.and_then(|key| self.0.try_remove(key));
        if self.0.is_empty() {
            self.0 = Slab::new();
        }
    }
}

impl Tasks {
    /// Returns the index of the thread or call that runs, in the table of a component instance. It gets one if it has none.
    fn own_index(&mut self, place: Place) -> Result<u32> {
        let key = self.running()?;
        let thread = self.thread(key)?;
        let depth = thread.frames.len();
        let mut own = thread.indices.iter();
        if let Some(own) = own.find(|own| own.depth == depth && own.place == place) {
            return Ok(own.index);
        }
        self.add_index(place, key, depth)
    }

    fn add_index(&mut self, place: Place, thread: ThreadKey, depth: usize) -> Result<u32> {
        let index = self.instance(place).indices.insert(Indexed { thread, depth })?;
        self.thread(thread)?
            .indices
            .push(OwnIndex { place, index, depth });
        Ok(index)
    }

    /// Removes the indices of the calls on a thread that have ended.
    pub(super) fn end_indices(&mut self, key: ThreadKey) {
        let Some(thread) = self.threads.get_mut(key) else {
            return;
        };
        let depth = thread.frames.len();
        while let Some(own) = thread.indices.pop_if(|own| own.depth > depth) {
            if let Some(state) = self.instances.get_mut(&own.place) {
                state.indices.remove(own.index);
            }
        }
    }

    /// Removes a thread, and its task if that has no other.
    pub(super) fn remove_thread(&mut self, key: ThreadKey) -> Option<(Thread, Option<Task>)> {
        let thread = self.threads.remove(key)?;
        for own in &thread.indices {
            if let Some(state) = self.instances.get_mut(&own.place) {
                state.indices.remove(own.index);
            }
        }
        let Some(task) = self.tasks.get_mut(thread.task) else {
            return Some((thread, None));
        };
        task.threads = task.threads.saturating_sub(1);
        let (place, is_last) = (task.place(), task.threads == 0);
        self.release(place, key);
        let task = match is_last {
            true => self.tasks.remove(thread.task),
            false => None,
        };
        Some((thread, task))
    }

    /// Returns the thread of an index, and its wait if it is that thread that waits, and no call on it.
    fn indexed(&mut self, place: Place, index: u32) -> Result<(ThreadKey, Option<Wait>)> {
        let Indexed { thread: key, depth } = self.instance(place).indices.get(index)?;
        let thread = self.thread(key)?;
        let wait = thread.wait.filter(|_| thread.frames.len() == depth);
        Ok((key, wait))
    }

    /// Returns the thread of an index, which must be suspended.
    fn suspended(&mut self, place: Place, index: u32) -> Result<ThreadKey> {
        match self.indexed(place, index)? {
            (key, Some(Wait::Suspended)) => Ok(key),
            _ => Err(AsyncTrap::NotSuspended(index).into()),
        }
    }

    /// Returns the thread of an index, if it is ready.
    fn ready_at(&mut self, place: Place, index: u32) -> Result<Option<ThreadKey>> {
        let (key, wait) = self.indexed(place, index)?;
        let runs = matches!(self.thread(key)?.body, Body::Running);
        Ok(match wait {
            Some(wait) if !runs && self.is_over(wait) => Some(key),
            _ => None,
        })
    }

    /// Returns whether a thread's wait is that to be resumed by another.
    pub(super) fn is_suspended(&self, key: ThreadKey) -> bool {
        let thread = self.threads.get(key);
        thread.is_some_and(|thread| matches!(thread.wait, Some(Wait::Suspended)))
    }

    /// Returns whether a thread of the store is ready that no call runs on top of.
    pub(super) fn has_ready(&mut self) -> bool {
        let waiting = self.threads.values();
        let waiting = waiting.filter(|thread| !matches!(thread.body, Body::Running));
        let waits: Vec<Wait> = waiting.filter_map(|thread| thread.wait).collect();
        waits.into_iter().any(|wait| self.is_over(wait))
    }
}

/// Results of taking a thread's function from a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// It is there.
    Function,
    /// The table has no such element.
    OutOfBounds,
    /// The element is null.
    Null,
    /// There is no room for more functions.
    Full,
}

impl Taken {
    /// Returns the meaning of the code that the made module's function returns.
    fn of(code: u64) -> Taken {
        match code {
            0 => Taken::Function,
            1 => Taken::OutOfBounds,
            2 => Taken::Null,
            _ => Taken::Full,
        }
    }
}

/// A switch from the running thread to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct SwitchTo {
    /// True if the running thread is ready meanwhile.
    pub(super) yields: bool,
    /// True if the other thread is to be one that is ready, and need not be.
    pub(super) promotes: bool,
    pub(super) cancellable: bool,
}

impl InstanceInner {
    /// `thread.index`.
    pub(super) fn thread_index(&self, core: &StoreCore, component_instance: u32) -> Result<u32> {
        core.tasks().own_index((self.id, component_instance))
    }

    /// `thread.new-indirect`. `take` is the number of the function that takes the thread's from its table.
    pub(super) fn thread_new(
        self: &Arc<Self>,
        store: &mut StoreMut<'_>,
        core: &Arc<StoreCore>,
        (component_instance, take): (u32, u32),
        function: u32,
        argument: u32,
    ) -> Result<u32> {
        let place = (self.id, component_instance);
        let (key, index) = new_thread(core, self, place, take, argument)?;
        let taken = self.take_function(store, core, take, [function, index - 1]);
        if taken.is_err() {
            let removed = core.tasks().remove_thread(key);
            drop(removed);
        }
        taken.map(|()| index)
    }

    /// Takes the function of a new thread from its table.
    fn take_function(
        &self,
        store: &mut StoreMut<'_>,
        core: &StoreCore,
        take: u32,
        args: [u32; 2],
    ) -> Result<()> {
        let taker = self.adapter(store, core, take)?;
        let code = taker.func.call(store, &args.map(u64::from))?;
        Err(match Taken::of(code) {
            Taken::Function => return Ok(()),
            Taken::OutOfBounds => TrapKind::Core(CoreTrap::TableOutOfBounds),
            Taken::Null => TrapKind::Core(CoreTrap::IndirectCallToNull),
            Taken::Full => {
                let limit = format!("a component instance may have {MOST_THREADS} threads at a time");
                TrapKind::Limit(limit)
            }
        }
        .into())
    }

    /// `thread.resume-later`.
    pub(super) fn thread_resume_later(
        &self,
        core: &StoreCore,
        component_instance: u32,
        index: u32,
    ) -> Result<()> {
        let mut tasks = core.tasks();
        let key = tasks.suspended((self.id, component_instance), index)?;
        let thread = tasks.thread(key)?;
        thread.wait = Some(Wait::Yield);
        // One that waits within a synchronous call goes on by itself.
        if !matches!(thread.body, Body::Running) {
            tasks.may_be_ready(key);
        }
        Ok(())
    }

    /// `thread.suspend-then-resume` and the three like it. Returns true if the task is cancelled instead.
    pub(super) fn thread_switch(
        &self,
        store: &mut StoreMut<'_>,
        core: &Arc<StoreCore>,
        component_instance: u32,
        index: u32,
        by: SwitchTo,
    ) -> Result<bool> {
        let wait = match by.yields {
            true => Wait::Yield,
            false => Wait::Suspended,
        };
        let place = (self.id, component_instance);
        let other = match by.promotes {
            false => Some(core.tasks().suspended(place, index)?),
            // Known, at least.
            true => core.tasks().indexed(place, index).map(|_| None)?,
        };
        if by.cancellable && core.tasks().deliver_cancel()? {
            return Ok(true);
        }
        let other = match by.promotes {
            false => other,
            true => core.tasks().ready_at(place, index)?,
        };
        match other {
            Some(other) => switch(store, core, wait, by.cancellable, other),
            None => block(store, core, wait, by.cancellable),
        }
    }
}

/// Creates a thread that is suspended, with its index in the table of a component instance.
fn new_thread(
    core: &StoreCore,
    instance: &Arc<InstanceInner>,
    place: Place,
    take: u32,
    argument: u32,
) -> Result<(ThreadKey, u32)> {
    let room = Room::take(&core.handles).map_err(ResourceError::TableFull)?;
    let mut tasks = core.tasks();
    let current = tasks.running()?;
    let thread = tasks.thread(current)?;
    let (of_task, in_call) = (thread.task, !thread.frames.is_empty());
    let task = tasks.task(of_task)?;
    let (task, room) = match in_call || matches!(task.call, Call::Sync) || task.place() != place {
        false => (of_task, Some(room)),
        // The thread outlives its creator, whose call returns in any case and cannot be cancelled: it needs no more of the task than this.
        true => {
            let task = Task {
                instance: instance.clone(),
                component_instance: place.1,
                is_async: true,
                lift: Lift::Sync,
                memory: None,
                string_encoding: airssys_wasm_abi::StringEncoding::Utf8,
                result_type: 0,
                state: TaskState::Resolved,
                scope: usize::MAX,
                thread: ThreadKey::default(),
                threads: 0,
                call: Call::Sync,
                room,
            };
            (tasks.tasks.insert(task), None)
        }
    };
    let mut new = Thread::new(task, Body::New);
    new.room = room;
    new.wait = Some(Wait::Suspended);
    let key = tasks.threads.insert(new);
    tasks.task(task)?.threads += 1;
    let index = tasks.add_index(place, key, 0)?;
    tasks.thread(key)?.body = Body::Start {
        start: take + 1,
        // Indices count from 1.
        place: index - 1,
        argument,
    };
    Ok((key, index))
}

/// The code of a thread that another created: `start` is the number of the function that calls its own.
pub(super) fn start(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    key: ThreadKey,
    start: u32,
    args: [u32; 2],
) -> Result<()> {
    let instance = {
        let mut tasks = core.tasks();
        let task = tasks.thread(key)?.task;
        tasks.task(task)?.instance.clone()
    };
    core.enter_scope();
    let starter = instance.adapter(store, core, start)?;
    starter.func.call(store, &args.map(u64::from))?;
    core.exit_scope()?;
    end_thread(core, key)
}
