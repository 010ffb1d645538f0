//! A task from its start to its end: the code of its thread.
//!
//! Implements [`canon lift`] for `async` functions, `task.return` and `task.cancel`.
//!
//! [`canon lift`]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#canon-lift

use std::sync::Arc;

use wasmer::StoreMut;

use super::adapters;
use super::block::block;
use super::host::{Caller, HostCall};
use super::run::swap_storage;
use super::state::{Body, Call, Frame, Lift, Place, TaskKey, TaskState, Tasks, ThreadKey, Wait};
use super::waitable::{Event, NO_EVENT, SubtaskState, TASK_CANCELLED};
use crate::component::instance::InstanceInner;
use crate::component::store::StoreCore;
use crate::error::{AsyncTrap, Error, Result};

/// The parts of a task that its code needs again and again.
struct Running {
    key: ThreadKey,
    task: TaskKey,
    place: Place,
    lift: Lift,
    is_async: bool,
}

impl Running {
    fn instance(&self, core: &StoreCore) -> Result<Arc<InstanceInner>> {
        Ok(core.tasks().task(self.task)?.instance.clone())
    }
}

impl Tasks {
    fn running_task(&mut self, key: ThreadKey) -> Result<Running> {
        let task_key = self.thread(key)?.task;
        let task = self.task(task_key)?;
        Ok(Running {
            key,
            task: task_key,
            place: task.place(),
            lift: task.lift,
            is_async: task.is_async,
        })
    }
}

/// The source of a task's parameters.
enum Params {
    Host(Arc<HostCall>),
    /// Made already.
    Made(Arc<HostCall>, Vec<u64>),
    Guest,
}

/// The code of a new thread.
pub(super) fn start(store: &mut StoreMut<'_>, core: &Arc<StoreCore>, key: ThreadKey) -> Result<()> {
    let (running, begun) = {
        let mut tasks = core.tasks();
        let running = tasks.running_task(key)?;
        // For a call of the host that waits for the task, it has waited already.
        let may_wait = running.is_async && !tasks.task(running.task)?.is_awaited();
        let waits = may_wait && tasks.must_wait(running.place, running.lift.needs_exclusive());
        let begun = match waits {
            true => None,
            false => Some(tasks.begin(&running)?),
        };
        (running, begun)
    };
    let params = match begun {
        Some(params) => params,
        None if wait_to_enter(store, core, &running)? => core.tasks().begin(&running)?,
        None => return Ok(()),
    };
    let result = match params {
        Params::Host(call) => {
            let args = call.lower(store, core)?;
            Some(call.func.call_core(store, &args)?)
        }
        Params::Made(call, args) => Some(call.func.call_core(store, &args)?),
        Params::Guest => {
            let args = adapters::start(store, core, running.task)?;
            adapters::call(store, core, running.task, &args)?
        }
    };
    match running.lift {
        Lift::Sync => {
            return_flat(store, core, running.task, result.as_slice())?;
            adapters::post_return(store, core, running.task, result.unwrap_or(0))?;
            end_thread(core, key)
        }
        Lift::Stackful => end_thread(core, key),
        Lift::Callback(_) => {
            let code = result.ok_or_else(|| Error::bug("a callback without a result"))?;
            after_callback(store, core, &running, code)
        }
    }
}

impl Tasks {
    /// Begins a task that need not wait. Returns the source of its parameters.
    fn begin(&mut self, running: &Running) -> Result<Params> {
        if running.is_async && running.lift.needs_exclusive() {
            self.instance(running.place).exclusive = Some(running.key);
        }
        let task = self.task(running.task)?;
        task.state = TaskState::Started;
        Ok(match &mut task.call {
            Call::Host(Caller { call, args: None }) => Params::Host(Arc::clone(call)),
            Call::Host(Caller {
                call,
                args: Some(args),
            }) => Params::Made(Arc::clone(call), std::mem::take(args)),
            Call::Guest(_) | Call::Sync => Params::Guest,
        })
    }

    /// Returns whether a task has to wait for its turn to enter.
    fn must_wait(&mut self, place: Place, exclusively: bool) -> bool {
        let instance = self.instance(place);
        let is_full = instance.is_full(exclusively);
        is_full || instance.entering.iter().any(|waiting| !waiting.is_empty())
    }
}

/// Waits until the task may enter its instance. Returns false if it was cancelled before.
fn wait_to_enter(store: &mut StoreMut<'_>, core: &Arc<StoreCore>, running: &Running) -> Result<bool> {
    let wait = Wait::Enter(running.place, running.lift.needs_exclusive());
    if !block(store, core, wait, true)? {
        return Ok(true);
    }
    core.tasks().task(running.task)?.state = TaskState::CancelDelivered;
    resolve_cancelled(core, running.task)?;
    end_thread(core, running.key)?;
    Ok(false)
}

/// Returns whether a task has to wait for its turn to enter.
pub(super) fn must_wait(core: &StoreCore, place: Place, exclusively: bool) -> bool {
    core.tasks().must_wait(place, exclusively)
}

/// Continues a task with its callback, after its wait.
pub(super) fn call_back(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    key: ThreadKey,
    wait: Option<Wait>,
    cancelled: bool,
) -> Result<()> {
    let (code, first, second): Event = match wait {
        _ if cancelled => TASK_CANCELLED,
        Some(Wait::CallbackEvent(_, set)) => core.take_set_event(set)?,
        _ => NO_EVENT,
    };
    let running = {
        let mut tasks = core.tasks();
        let running = tasks.running_task(key)?;
        tasks.instance(running.place).exclusive = Some(key);
        running
    };
    let code = call_with_event(store, core, &running, (code, first, second))?;
    after_callback(store, core, &running, code)
}

/// Calls a task's callback with an event. Returns its code.
fn call_with_event(
    store: &mut StoreMut<'_>,
    core: &StoreCore,
    running: &Running,
    (code, first, second): Event,
) -> Result<u64> {
    let Lift::Callback(callback) = running.lift else {
        return Err(Error::bug("a task without a callback"));
    };
    let instance = running.instance(core)?;
    instance
        .callback(callback)?
        .call(store, &[code, first, second].map(u64::from))
}

/// Obeys the codes that a callback returns, until the task ends or waits.
fn after_callback(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    running: &Running,
    mut packed: u64,
) -> Result<()> {
    loop {
        // Its result is an `i32`.
        let code = packed as u32;
        let wait = match code & 0xf {
            0 => return end_thread(core, running.key),
            1 => Wait::CallbackYield(running.place),
            2 => {
                let instance = running.instance(core)?;
                let set = instance.waitable_set(running.place.1, code >> 4)?;
                Wait::CallbackEvent(running.place, set)
            }
            other => return Err(AsyncTrap::CallbackCode(other).into()),
        };
        {
            let mut tasks = core.tasks();
            let task = tasks.task(running.task)?;
            if task.state != TaskState::PendingCancel {
                tasks.release(running.place, running.key);
                tasks.thread(running.key)?.body = Body::Parked;
                return tasks.begin_wait(running.key, wait, true);
            }
            // Delivered at once: no other thread has a turn before.
            task.state = TaskState::CancelDelivered;
        }
        packed = call_with_event(store, core, running, TASK_CANCELLED)?;
    }
}

/// Ends a thread, and its task with the last.
///
/// # Errors
/// [`AsyncTrap::NotReturned`] if the task ends unresolved.
pub(super) fn end_thread(core: &StoreCore, key: ThreadKey) -> Result<()> {
    let ended = {
        let mut tasks = core.tasks();
        let task = tasks.thread(key)?.task;
        let task = tasks.task(task)?;
        if task.threads == 1 && task.state != TaskState::Resolved {
            return Err(AsyncTrap::NotReturned.into());
        }
        tasks.remove_thread(key)
    };
    // Without the lock: it may wake a future of the host's.
    drop(ended);
    Ok(())
}

/// The way of a result that is returned.
enum Returning {
    Host(Arc<HostCall>),
    Guest,
}

impl Tasks {
    /// Checks that a task may return.
    ///
    /// # Errors
    /// [`AsyncTrap::ReturnedTwice`]; [`TrapKind::BorrowsRemain`](crate::error::TrapKind::BorrowsRemain).
    fn may_return(&mut self, core: &StoreCore, key: TaskKey) -> Result<Returning> {
        let task = self.task(key)?;
        if task.state == TaskState::Resolved {
            return Err(AsyncTrap::ReturnedTwice.into());
        }
        core.check_returned(task.scope)?;
        Ok(match task.host_call() {
            Some(call) => Returning::Host(call),
            None => Returning::Guest,
        })
    }
}

/// Passes the flat result of a task to its caller.
fn return_flat(store: &mut StoreMut<'_>, core: &Arc<StoreCore>, key: TaskKey, result: &[u64]) -> Result<()> {
    let returning = core.tasks().may_return(core, key)?;
    pass_result(store, core, key, returning, result)
}

fn pass_result(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    key: TaskKey,
    returning: Returning,
    result: &[u64],
) -> Result<()> {
    let Returning::Host(call) = returning else {
        return adapters::return_result(store, core, key, result.to_vec());
    };
    call.lift(store, core, result)?;
    let scope = {
        let mut tasks = core.tasks();
        let task = tasks.task(key)?;
        task.state = TaskState::Resolved;
        task.scope
    };
    core.end_scope(scope);
    call.outcome.end(None);
    Ok(())
}

/// `task.return`, with the flat result. The options are those of the built-in.
pub(super) fn task_return(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    result_type: u32,
    memory: Option<u32>,
    string_encoding: airssys_wasm_abi::StringEncoding,
    result: &[u64],
) -> Result<()> {
    let (key, returning) = {
        let mut tasks = core.tasks();
        let key = tasks.innermost()?;
        let task = tasks.task(key)?;
        // A built-in without a memory takes a result that needs none.
        let other_memory = memory.is_some() && task.memory != memory;
        if task.result_type != result_type || other_memory || task.string_encoding != string_encoding {
            return Err(AsyncTrap::ReturnOptions.into());
        }
        (key, tasks.may_return(core, key)?)
    };
    pass_result(store, core, key, returning, result)
}

impl Tasks {
    /// Returns the running task, which must have been lifted asynchronously.
    fn innermost(&mut self) -> Result<TaskKey> {
        let key = self.running()?;
        let thread = self.thread(key)?;
        let (key, in_sync_call) = (thread.task, !thread.frames.is_empty());
        match in_sync_call || self.task(key)?.lift == Lift::Sync {
            true => Err(AsyncTrap::NotAsync.into()),
            false => Ok(key),
        }
    }
}

/// `task.cancel`.
pub(super) fn task_cancel(core: &Arc<StoreCore>) -> Result<()> {
    let (key, state, scope) = {
        let mut tasks = core.tasks();
        let key = tasks.innermost()?;
        let task = tasks.task(key)?;
        (key, task.state, task.scope)
    };
    if state != TaskState::CancelDelivered {
        return Err(AsyncTrap::NotCancelled.into());
    }
    core.check_returned(scope)?;
    resolve_cancelled(core, key)
}

fn resolve_cancelled(core: &StoreCore, key: TaskKey) -> Result<()> {
    let mut tasks = core.tasks();
    let task = tasks.task(key)?;
    task.state = TaskState::Resolved;
    let subtask = match &task.call {
        Call::Guest(call) => call.subtask,
        Call::Host(_) => {
            let (scope, call) = (task.scope, task.host_call());
            drop(tasks);
            // No caller takes an event that would end it.
            core.end_scope(scope);
            if let Some(call) = call {
                call.outcome.end(None);
            }
            return Ok(());
        }
        Call::Sync => return Ok(()),
    };
    let state = match tasks.subtask(subtask)?.state {
        SubtaskState::Starting => SubtaskState::CancelledBeforeStarted,
        _ => SubtaskState::CancelledBeforeReturned,
    };
    tasks.set_subtask(subtask, state)
}

/// Begins a synchronous call of one component by another, on the running thread.
pub(super) fn enter_sync_call(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    place: Place,
    is_async: bool,
) -> Result<()> {
    let key = core.tasks().running()?;
    if is_async {
        core.tasks().check_may_wait(key)?;
        if must_wait(core, place, true) {
            block(store, core, Wait::Enter(place, true), false)?;
        }
        core.tasks().instance(place).exclusive = Some(key);
    }
    let storage = swap_storage(store, core, [0; 2]);
    core.tasks().thread(key)?.frames.push(Frame {
        place,
        is_async,
        storage,
    });
    core.enter_scope();
    Ok(())
}

/// Ends what [`enter_sync_call`] began.
pub(super) fn exit_sync_call(store: &mut StoreMut<'_>, core: &Arc<StoreCore>) -> Result<()> {
    let (key, frame) = {
        let mut tasks = core.tasks();
        let key = tasks.running()?;
        let frame = tasks.thread(key)?.frames.pop();
        tasks.end_indices(key);
        (key, frame)
    };
    let frame = frame.ok_or_else(|| Error::bug("a call ended that never began"))?;
    swap_storage(store, core, frame.storage);
    if frame.is_async {
        core.tasks().release(frame.place, key);
    }
    core.exit_scope()?;
    Ok(())
}
