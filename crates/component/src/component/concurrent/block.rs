//! Waits of the running thread: its stack is left, or others run on top of it.

use std::sync::Arc;

use wasmer::StoreMut;

use super::host::poll;
use super::run::resume;
use super::state::{ActivityKey, Body, Kind, Place, Tasks, ThreadKey, Wait, WaitableKey, gone};
use super::waitable::{Callee, Subtask};
use crate::component::store::StoreCore;
use crate::engine::{Resume, suspend};
use crate::error::{AsyncTrap, Result, TrapKind};

/// The calls that must end before the running thread may give way to others.
enum Barrier {
    None,
    /// The innermost call is synchronous: threads of its instance may run meanwhile.
    Own(Place),
    /// A call further out is.
    Outer,
}

impl Tasks {
    /// Checks that the running thread may call a function that may wait, synchronously.
    ///
    /// # Errors
    /// [`AsyncTrap::CannotBlock`] within a synchronous call if nothing of its instance could run meanwhile.
    pub(super) fn check_may_wait(&mut self, key: ThreadKey) -> Result<()> {
        match self.barrier(key)? {
            Barrier::None => Ok(()),
            Barrier::Own(place) if self.has_next_in(place) => Ok(()),
            Barrier::Own(_) | Barrier::Outer => Err(AsyncTrap::CannotBlock.into()),
        }
    }

    /// Ends the wait of a thread that another switched to. Returns it if it is to be resumed; one that waits within a synchronous call goes on
    /// by itself.
    pub(super) fn switched_to(&mut self, key: ThreadKey) -> Result<Option<ThreadKey>> {
        match self.thread(key)?.body {
            Body::Running => self.end_wait(key).map(|_| None),
            _ => Ok(Some(key)),
        }
    }

    fn barrier(&self, key: ThreadKey) -> Result<Barrier> {
        let thread = self.threads.get(key).ok_or_else(|| gone("thread"))?;
        let task = self.tasks.get(thread.task).ok_or_else(|| gone("task"))?;
        // Other threads than the first are not part of the task's call.
        let of_task = (task.place(), task.is_async || task.thread != key);
        let frames = thread.frames.iter().rev();
        let mut calls = frames.map(|frame| (frame.place, frame.is_async)).chain([of_task]);
        Ok(match calls.next() {
            Some((place, false)) => Barrier::Own(place),
            _ if calls.any(|(_, is_async)| !is_async) => Barrier::Outer,
            _ => Barrier::None,
        })
    }

    /// Records that the running thread leaves its stack to wait.
    fn begin_leave(
        &mut self,
        key: ThreadKey,
        wait: Wait,
        cancellable: bool,
        switch_to: Option<ThreadKey>,
    ) -> Result<()> {
        self.begin_wait(key, wait, cancellable)?;
        self.thread(key)?.switch_to = switch_to;
        Ok(())
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
            tasks.begin_leave(key, wait, cancellable, None)?;
        }
        (key, barrier)
    };
    match (barrier, wait) {
        (Barrier::None, _) => leave_stack(store, core, key, cancellable),
        (Barrier::Own(_) | Barrier::Outer, Wait::Suspended) => {
            stay_suspended(store, core, key, None).map(|()| false)
        }
        (Barrier::Own(place), _) => {
            core.tasks().set_waiter(wait, Some(key));
            let ended = run_others(store, core, wait, place);
            core.tasks().set_waiter(wait, None);
            ended.map(|()| false)
        }
        (Barrier::Outer, Wait::Yield) => Ok(false),
        (Barrier::Outer, _) => Err(AsyncTrap::CannotBlock.into()),
    }
}

/// Blocks the running thread, and lets another go on at once, before all that are ready. Otherwise as [`block`].
///
/// # Errors
/// As [`block`].
pub(super) fn switch(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    wait: Wait,
    cancellable: bool,
    other: ThreadKey,
) -> Result<bool> {
    let (key, barrier) = {
        let mut tasks = core.tasks();
        let key = tasks.running()?;
        let barrier = tasks.barrier(key)?;
        if let Barrier::None = barrier {
            tasks.begin_leave(key, wait, cancellable, Some(other))?;
        }
        (key, barrier)
    };
    match (barrier, wait) {
        (Barrier::None, _) => leave_stack(store, core, key, cancellable),
        (_, Wait::Suspended) => stay_suspended(store, core, key, Some(other)).map(|()| false),
        _ => {
            resume_other(store, core, other)?;
            Ok(false)
        }
    }
}

/// Leaves the stack of the running thread, whose wait has begun. Returns true if its task was cancelled meanwhile.
fn leave_stack(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    key: ThreadKey,
    cancellable: bool,
) -> Result<bool> {
    match suspend(store)? {
        Resume::Continue => Ok(cancellable && core.tasks().thread(key)?.cancelled),
        Resume::Abort => Err(TrapKind::Poisoned.into()),
    }
}

/// Resumes a thread that a synchronous call switches to.
fn resume_other(store: &mut StoreMut<'_>, core: &Arc<StoreCore>, other: ThreadKey) -> Result<()> {
    let other = core.tasks().switched_to(other)?;
    match other {
        Some(other) => Ok(resume(store, core, other, false)?),
        None => Ok(()),
    }
}

/// Suspends the running thread within a synchronous call: others run on top of its stack until one of them has resumed it.
fn stay_suspended(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    key: ThreadKey,
    mut other: Option<ThreadKey>,
) -> Result<()> {
    core.tasks().begin_wait(key, Wait::Suspended, false)?;
    loop {
        if let Some(other) = other.take() {
            resume_other(store, core, other)?;
        }
        let mut tasks = core.tasks();
        if !tasks.is_suspended(key) {
            tasks.end_wait(key)?;
            return Ok(());
        }
        other = match tasks.barrier(key)? {
            Barrier::Own(place) => tasks.next_in(place),
            Barrier::None | Barrier::Outer => None,
        };
        if other.is_none() {
            return Err(match tasks.has_ready() {
                // Threads that may not run meanwhile.
                true => AsyncTrap::Deadlock,
                false => AsyncTrap::CannotBlock,
            }
            .into());
        }
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
        // Threads that are always ready do not keep the host's end of the wait from coming.
        let awaited = match turns {
            0 => None,
            _ => core.tasks().woken_for(wait),
        };
        if let Some(activity) = awaited {
            poll(store, core, activity).map_err(|failure| failure.error)?;
        }
        let other = {
            let mut tasks = core.tasks();
            let is_yield = matches!(wait, Wait::Yield);
            if tasks.is_over(wait) && (!is_yield || turns > 0) {
                return Ok(());
            }
            match tasks.next_in(place) {
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
    /// Returns the activity of the host that will end a wait, if it was woken.
    fn woken_for(&self, wait: Wait) -> Option<ActivityKey> {
        let of = |key| self.activity_of(key).filter(|activity| self.is_woken(*activity));
        match wait {
            Wait::Event(key) | Wait::Resolved(key) => of(key),
            Wait::Set(set) => {
                let members = self
                    .waitables
                    .iter()
                    .filter(|(_, waitable)| waitable.set == Some(set));
                members.map(|(key, _)| key).find_map(of)
            }
            _ => None,
        }
    }

    /// Returns the activity of the host that a waitable waits for.
    fn activity_of(&self, key: WaitableKey) -> Option<ActivityKey> {
        match &self.waitables.get(key)?.kind {
            Kind::Subtask(Subtask {
                callee: Callee::Host(activity),
                ..
            }) => Some(*activity),
            Kind::Subtask(_) => None,
            Kind::End(end) => Some(self.shared.get(end.shared())?.host.as_ref()?.activity),
        }
    }

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
