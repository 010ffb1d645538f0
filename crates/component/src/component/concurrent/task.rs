//! A task from its start to its end: the code of its thread.
//!
//! Implements [`canon lift`] for `async` functions, `task.return` and `task.cancel`.
//!
//! [`canon lift`]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#canon-lift

use std::sync::Arc;

use wasmer::StoreMut;

use super::adapters;
use super::block::block;
use super::run::swap_storage;
use super::state::{Body, Call, Frame, Lift, Place, TaskKey, TaskState, ThreadKey, Wait};
use super::waitable::{Event, NO_EVENT, SubtaskState, TASK_CANCELLED};
use crate::component::instance::InstanceInner;
use crate::component::store::StoreCore;
use crate::error::{AsyncTrap, Error, Result};

/// The parts of a task that its code needs again and again.
struct Running {
    key: ThreadKey,
    task: TaskKey,
    instance: Arc<InstanceInner>,
    place: Place,
    lift: Lift,
    is_async: bool,
    is_host: bool,
    /// True if the host's call waits for it, and passes the parameters itself.
    is_awaited: bool,
}

impl Running {
    fn of(core: &StoreCore, key: ThreadKey) -> Result<Running> {
        let mut tasks = core.tasks();
        let task_key = tasks.thread(key)?.task;
        let task = tasks.task(task_key)?;
        Ok(Running {
            key,
            task: task_key,
            instance: task.instance.clone(),
            place: task.place(),
            lift: task.lift,
            is_async: task.is_async,
            is_host: matches!(task.call, Call::Host(_)),
            is_awaited: task.is_awaited(),
        })
    }
}

/// The code of a new thread.
pub(super) fn start(store: &mut StoreMut<'_>, core: &Arc<StoreCore>, key: ThreadKey) -> Result<()> {
    let running = Running::of(core, key)?;
    // For a call of the host that waits for the task, it has waited already.
    if running.is_async && !running.is_awaited && !enter(store, core, &running)? {
        return Ok(());
    }
    core.tasks().task(running.task)?.state = TaskState::Started;
    let args = match running.is_host {
        true => host_args(store, core, running.task)?,
        false => adapters::start(store, core, running.task)?,
    };
    let result = adapters::call(store, core, running.task, &args)?;
    match running.lift {
        Lift::Sync => {
            return_flat(store, core, &running, result.into_iter().collect())?;
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

/// Returns the flat parameters of a call of the host.
fn host_args(store: &mut StoreMut<'_>, core: &Arc<StoreCore>, key: TaskKey) -> Result<Vec<u64>> {
    let lower = match &mut core.tasks().task(key)?.call {
        Call::Host(call) if call.is_awaited => return Ok(std::mem::take(&mut call.args)),
        Call::Host(call) => call.concurrent.lower.take(),
        _ => None,
    };
    lower.ok_or_else(|| Error::bug("a call without parameters"))?(store, core)
}

/// Waits until the task may enter its instance. Returns false if it was cancelled before.
fn enter(store: &mut StoreMut<'_>, core: &Arc<StoreCore>, running: &Running) -> Result<bool> {
    let exclusively = running.lift.needs_exclusive();
    if must_wait(core, running.place, exclusively) {
        let wait = Wait::Enter(running.place, exclusively);
        if block(store, core, wait, true)? {
            core.tasks().task(running.task)?.state = TaskState::CancelDelivered;
            resolve_cancelled(core, running.task)?;
            end_thread(core, running.key)?;
            return Ok(false);
        }
    }
    if exclusively {
        core.tasks().instance(running.place).exclusive = Some(running.key);
    }
    Ok(true)
}

/// Returns whether a task has to wait for its turn to enter.
pub(super) fn must_wait(core: &StoreCore, place: Place, exclusively: bool) -> bool {
    let mut tasks = core.tasks();
    tasks.is_full(place, exclusively)
        || tasks
            .instance(place)
            .entering
            .iter()
            .any(|waiting| !waiting.is_empty())
}

/// Continues a task with its callback, after its wait.
pub(super) fn call_back(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    key: ThreadKey,
    wait: Option<Wait>,
    cancelled: bool,
) -> Result<()> {
    let running = Running::of(core, key)?;
    let (code, first, second): Event = match wait {
        _ if cancelled => TASK_CANCELLED,
        Some(Wait::CallbackEvent(_, set)) => core.take_set_event(set)?,
        _ => NO_EVENT,
    };
    core.tasks().instance(running.place).exclusive = Some(key);
    let code = call_with_event(store, &running, (code, first, second))?;
    after_callback(store, core, &running, code)
}

/// Calls a task's callback with an event. Returns its code.
fn call_with_event(store: &mut StoreMut<'_>, running: &Running, (code, first, second): Event) -> Result<u64> {
    let Lift::Callback(callback) = running.lift else {
        return Err(Error::bug("a task without a callback"));
    };
    let callback = running.instance.callback(callback)?;
    callback.call(store, &[code, first, second].map(u64::from))
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
                let set = running.instance.waitable_set(running.place.1, code >> 4)?;
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
        packed = call_with_event(store, running, TASK_CANCELLED)?;
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

/// Passes the flat result of a task to its caller.
fn return_flat(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    running: &Running,
    result: Vec<u64>,
) -> Result<()> {
    {
        let mut tasks = core.tasks();
        let task = tasks.task(running.task)?;
        if task.state == TaskState::Resolved {
            return Err(AsyncTrap::ReturnedTwice.into());
        }
        core.check_returned(task.scope)?;
    }
    match running.is_host {
        true => {
            let (lift, outcome, scope) = {
                let mut tasks = core.tasks();
                let task = tasks.task(running.task)?;
                let Call::Host(call) = &mut task.call else {
                    return Err(Error::bug("a call of a guest's among those of the host"));
                };
                let call = &mut call.concurrent;
                (call.lift.take(), Arc::clone(&call.outcome), task.scope)
            };
            lift.ok_or(AsyncTrap::ReturnedTwice)?(store, core, &result)?;
            core.tasks().task(running.task)?.state = TaskState::Resolved;
            core.end_scope(scope);
            outcome.end(None);
        }
        false => adapters::return_result(store, core, running.task, result)?,
    }
    Ok(())
}

/// `task.return`, with the flat result. The options are those of the built-in.
pub(super) fn task_return(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    result_type: u32,
    memory: Option<u32>,
    string_encoding: airssys_wasm_abi::StringEncoding,
    result: Vec<u64>,
) -> Result<()> {
    let running = innermost(core)?;
    {
        let mut tasks = core.tasks();
        let task = tasks.task(running.task)?;
        // A built-in without a memory takes a result that needs none.
        let other_memory = memory.is_some() && task.memory != memory;
        if task.result_type != result_type || other_memory || task.string_encoding != string_encoding {
            return Err(AsyncTrap::ReturnOptions.into());
        }
    }
    return_flat(store, core, &running, result)
}

/// Returns the running task, which must have been lifted asynchronously.
fn innermost(core: &StoreCore) -> Result<Running> {
    let key = core.tasks().running()?;
    let in_sync_call = !core.tasks().thread(key)?.frames.is_empty();
    let running = Running::of(core, key)?;
    match in_sync_call || running.lift == Lift::Sync {
        true => Err(AsyncTrap::NotAsync.into()),
        false => Ok(running),
    }
}

/// `task.cancel`.
pub(super) fn task_cancel(core: &Arc<StoreCore>) -> Result<()> {
    let running = innermost(core)?;
    let (state, scope) = {
        let mut tasks = core.tasks();
        let task = tasks.task(running.task)?;
        (task.state, task.scope)
    };
    if state != TaskState::CancelDelivered {
        return Err(AsyncTrap::NotCancelled.into());
    }
    core.check_returned(scope)?;
    resolve_cancelled(core, running.task)
}

fn resolve_cancelled(core: &StoreCore, key: TaskKey) -> Result<()> {
    let mut tasks = core.tasks();
    let task = tasks.task(key)?;
    task.state = TaskState::Resolved;
    let subtask = match &task.call {
        Call::Guest(call) => call.subtask,
        Call::Host(_) => {
            let (scope, outcome) = (task.scope, task.outcome());
            drop(tasks);
            // No caller takes an event that would end it.
            core.end_scope(scope);
            if let Some(outcome) = outcome {
                outcome.end(None);
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
