//! The stacks of threads: taken before a thread goes on, and waited for if others have them all.

use std::collections::VecDeque;
use std::sync::Arc;

use wasmer::StoreMut;

use super::state::{Body, Tasks, ThreadKey, Wait};
use super::{task, threads};
use crate::component::store::StoreCore;
use crate::engine::Fiber;
use crate::error::{Error, Result, TrapKind};

/// Threads that found no stack.
#[derive(Default)]
pub(super) struct Starved {
    /// In their order.
    threads: VecDeque<ThreadKey>,
    /// Number of stacks that the store had when the last of them found none.
    stacks: usize,
}

/// The stack that a thread needs to go on.
#[derive(Clone, Copy)]
pub(super) enum StackNeed {
    /// Its own. True if that is on this thread.
    Own(bool),
    /// A new one, for the code that it begins with.
    For(Code),
}

/// The code of a thread without a stack.
#[derive(Clone, Copy)]
pub(super) enum Code {
    Task,
    /// The number of the function that calls the thread's, that one's place in a table, and its argument.
    Thread(u32, [u32; 2]),
    /// With the event that the thread has waited for.
    Callback(Option<Wait>, bool),
}

impl Code {
    fn run(self, store: &mut StoreMut<'_>, core: &Arc<StoreCore>, key: ThreadKey) -> Result<()> {
        match self {
            Code::Task => task::start(store, core, key),
            Code::Thread(start, arguments) => threads::start(store, core, key, start, arguments),
            Code::Callback(wait, cancelled) => task::call_back(store, core, key, wait, cancelled),
        }
    }
}

impl StackNeed {
    /// Takes a stack, or checks that the thread's own can be switched to. Changes nothing of the thread.
    ///
    /// # Errors
    /// [`Error::SuspendedCalls`], of this place, not of the thread; [`TrapKind::Limit`] if there is no stack.
    pub(super) fn take(
        self,
        store: &mut StoreMut<'_>,
        core: &Arc<StoreCore>,
        key: ThreadKey,
    ) -> Result<Option<Fiber<Result<()>>>> {
        let stacks = core.stacks();
        stacks.check_switch()?;
        match self {
            StackNeed::Own(true) => Ok(None),
            StackNeed::Own(false) => Err(stacks.elsewhere()),
            StackNeed::For(code) => {
                let core = core.clone();
                Fiber::new(stacks, store, move |store| code.run(store, &core, key)).map(Some)
            }
        }
    }
}

/// As [`StackNeed::take`], for a thread that others resume.
///
/// # Errors
/// As there.
pub(super) fn stack_for(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    key: ThreadKey,
    cancelled: bool,
) -> Result<Option<Fiber<Result<()>>>> {
    let needs = core.tasks().stack_need(key, cancelled)?;
    needs.take(store, core, key)
}

/// The error of a call that waits for a stack which no task will give back.
#[cold]
fn no_stack() -> Error {
    Error::SuspendedCalls("they have all stacks that a store may have: let some of them end first")
}

fn is_limit(error: &Error) -> bool {
    matches!(error, Error::Trap(trap) if matches!(trap.kind(), TrapKind::Limit(_)))
}

/// Returns whether a thread that could not go on for this error may do so later, elsewhere or once others have ended.
pub(super) fn passes(error: &Error) -> bool {
    is_limit(error) || matches!(error, Error::SuspendedCalls(_))
}

impl Tasks {
    /// Returns the stack that a thread needs.
    ///
    /// # Errors
    /// If it runs.
    pub(super) fn stack_need(&mut self, key: ThreadKey, cancelled: bool) -> Result<StackNeed> {
        let thread = self.thread(key)?;
        // It may have been when it began to wait, too.
        let cancelled = thread.cancelled || cancelled;
        Ok(match thread.body {
            Body::Suspended(ref fiber) => StackNeed::Own(fiber.is_here()),
            Body::New => StackNeed::For(Code::Task),
            Body::Start {
                start,
                place,
                argument,
            } => StackNeed::For(Code::Thread(start, [place, argument])),
            Body::Parked => StackNeed::For(Code::Callback(thread.wait, cancelled)),
            Body::Running => return Err(Error::bug("a thread that runs already is resumed")),
        })
    }

    /// Queues a thread again that could not go on: behind others that wait for a stack, if it has found none.
    ///
    /// # Errors
    /// The error, if it is not that there is no stack, or if no thread of this store could give one back.
    pub(super) fn put_off(&mut self, key: ThreadKey, error: Error) -> Result<()> {
        let stacks = self.stacks.live();
        let Some(thread) = self.threads.get_mut(key) else {
            return Err(error);
        };
        let was_queued = std::mem::replace(&mut thread.queued, true);
        if is_limit(&error) && stacks > 0 {
            if was_queued {
                self.ready.retain(|other| *other != key);
            }
            self.starved.threads.push_back(key);
            self.starved.stacks = stacks;
            return Ok(());
        }
        if !was_queued {
            self.ready.push_front(key);
        }
        Err(error)
    }

    /// Takes the next thread that may be ready: one that waits for a stack, if there may be one.
    pub(super) fn next_queued(&mut self) -> Option<ThreadKey> {
        match self.may_have_stack() {
            true => self.starved.threads.pop_front(),
            false => self.ready.pop_front(),
        }
    }

    /// Queues all threads that wait for a stack among the others, if there may be one.
    pub(super) fn queue_starved(&mut self) {
        while self.may_have_stack()
            && let Some(key) = self.starved.threads.pop_back()
        {
            self.ready.push_front(key);
        }
    }

    fn may_have_stack(&self) -> bool {
        !self.starved.threads.is_empty() && self.stacks.live() < self.starved.stacks
    }

    /// Returns the error of a call of an instance if nothing is ready since threads wait for stacks, and whether the instance is to blame: if
    /// it has most of the stacks itself.
    pub(super) fn starves(&self, instance: u64) -> Option<(Error, bool)> {
        let mut starved = self.starved.threads.iter();
        starved.find(|key| self.threads.contains_key(**key))?;
        let suspended = self.threads.iter();
        let suspended = suspended.filter(|(_, thread)| matches!(thread.body, Body::Suspended(_)));
        let own = suspended.filter(|(key, _)| self.instance_of(*key) == Some(instance));
        Some(match own.count() > self.stacks.live() / 2 {
            true => (self.stacks.too_many(), true),
            false => (no_stack(), false),
        })
    }
}
