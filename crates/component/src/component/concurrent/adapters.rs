//! Calls from one component to another, of which one side is asynchronous: the host functions of adapter modules.
//!
//! An adapter prepares a call with its parameters, as its caller passed them, and starts it. The host calls the adapter's start function,
//! which passes the parameters on, once the callee lets the task enter, and its return function with the result.

use std::sync::Arc;

use airssys_wasm_abi::{CoreSignature, StringEncoding};
use wasmer::StoreMut;

use super::block::{block, run_others};
use super::run::{resume, without_storage};
use super::state::{
    Body, Call, Kind, Lift, Place, Task, TaskKey, TaskState, Thread, ThreadKey, Wait, Waitable, WaitableKey,
};
use super::waitable::{Callee, Subtask, SubtaskState};
use crate::component::instance::InstanceInner;
use crate::component::resource::handles::Room;
use crate::component::store::StoreCore;
use crate::error::{Error, ResourceError, Result};

/// A prepared call.
#[derive(Debug)]
pub(super) struct Prepared {
    /// Numbers of the start and return functions.
    pub(super) start: u32,
    pub(super) return_: u32,
    pub(super) caller: u32,
    pub(super) callee: u32,
    pub(super) result_type: u32,
    pub(super) is_async: bool,
    pub(super) string_encoding: StringEncoding,
    pub(super) memory: Option<u32>,
    pub(super) results: Results,
    pub(super) is_sync_caller: bool,
    pub(super) params: Vec<u64>,
}

/// The place of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Results {
    None,
    /// In memory, where the last parameter points.
    Memory,
    /// The result of the caller's function.
    Flat,
}

/// The markers of asynchronous calls without and with a result, in place of its number of flat values.
const ASYNC_NONE: u32 = u32::MAX;
const ASYNC_ONE: u32 = u32::MAX - 1;

impl Results {
    /// Decodes the number that an adapter passes: of flat results of a synchronous call, or one of two markers.
    pub(super) fn of(number: u32) -> Results {
        match number {
            ASYNC_NONE | 0 => Results::None,
            1 => Results::Flat,
            ASYNC_ONE | 2.. => Results::Memory,
        }
    }

    /// Returns whether the number is a synchronous caller's.
    pub(super) fn is_sync(number: u32) -> bool {
        !matches!(number, ASYNC_NONE | ASYNC_ONE)
    }
}

/// A call by another component.
pub(super) struct GuestCall {
    pub(super) subtask: WaitableKey,
    prepared: Prepared,
    /// Number of the callee's function.
    callee: u32,
    post_return: Option<u32>,
}

/// Starts the call that the running thread has prepared.
///
/// # Errors
/// A trap of the callee.
pub(super) fn start_call(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    instance: &Arc<InstanceInner>,
    callee: u32,
    lift: Lift,
    post_return: Option<u32>,
    is_sync: bool,
) -> Result<u64> {
    let (thread, subtask, place, is_async, caller) = {
        let mut tasks = core.tasks();
        let current = tasks.running()?;
        let prepared = tasks.thread(current)?.prepared.take();
        let prepared = prepared.ok_or_else(|| Error::bug("a call that is not prepared"))?;
        let room = Room::take(&core.handles).map_err(ResourceError::TableFull)?;
        let (is_async, caller) = (prepared.is_async, prepared.caller);
        let place = (instance.id, prepared.callee);
        let scope = core.new_scope();
        let tasks = &mut *tasks;
        let subtask = tasks.waitables.insert(Waitable {
            place: (instance.id, caller),
            handle: 0,
            set: None,
            waiter: None,
            kind: Kind::Subtask(Subtask {
                state: SubtaskState::Starting,
                callee: Callee::Task(TaskKey::default()),
                event: false,
                delivered: false,
                cancel_requested: false,
                scope: Some(scope),
                result: 0,
            }),
        });
        let task = tasks.tasks.insert(Task {
            instance: instance.clone(),
            component_instance: prepared.callee,
            is_async,
            lift,
            memory: prepared.memory,
            string_encoding: prepared.string_encoding,
            result_type: prepared.result_type,
            state: TaskState::Initial,
            scope,
            thread: ThreadKey::default(),
            threads: 1,
            call: Call::Guest(Box::new(GuestCall {
                subtask,
                prepared,
                callee,
                post_return,
            })),
            room,
        });
        let mut new = Thread::new(task, Body::New);
        new.scopes = vec![scope];
        let thread = tasks.threads.insert(new);
        tasks.task(task)?.thread = thread;
        tasks.subtask(subtask)?.callee = Callee::Task(task);
        (thread, subtask, place, is_async, caller)
    };
    resume(store, core, thread, false)?;
    make_room(store, core, place, thread, subtask)?;
    if !is_async {
        run_others(store, core, Wait::Resolved(subtask), place)?;
    }
    if is_sync {
        block(store, core, Wait::Resolved(subtask), false)?;
        let result = core.tasks().subtask(subtask)?.result;
        core.take_event(subtask)?;
        core.tasks().remove_waitable(subtask)?;
        return Ok(result);
    }
    let state = core.tasks().subtask(subtask)?.state;
    if state.is_resolved() {
        core.take_event(subtask)?;
        core.tasks().remove_waitable(subtask)?;
        return Ok(SubtaskState::Returned as u64);
    }
    let handle = instance.add_waitable(core, caller, subtask)?;
    Ok(u64::from(state as u32 | handle << 4))
}

/// Lets the task that keeps another from entering run on once, if the reason of its wait is over: then the other may start before its caller
/// goes on. One that only gives way is left to the scheduler, as it may do that without end.
fn make_room(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    place: Place,
    entering: ThreadKey,
    subtask: WaitableKey,
) -> Result<()> {
    let holder = core.tasks().instance(place).exclusive;
    for key in [holder, Some(entering)].into_iter().flatten() {
        let goes_on = {
            let mut tasks = core.tasks();
            if tasks.subtask(subtask)?.state != SubtaskState::Starting {
                return Ok(());
            }
            let thread = tasks.threads.get(key);
            let thread = thread.filter(|thread| !matches!(thread.body, Body::Running));
            let wait = thread.and_then(|thread| thread.wait);
            wait.is_some_and(|wait| !matches!(wait, Wait::Yield) && tasks.is_over(wait))
        };
        if goes_on {
            resume(store, core, key, false)?;
        }
    }
    Ok(())
}

/// The parts of a call by another component that its steps need.
struct Parts {
    instance: Arc<InstanceInner>,
    subtask: WaitableKey,
    function: u32,
}

fn parts(core: &StoreCore, key: TaskKey, function: impl Fn(&GuestCall) -> u32) -> Result<Parts> {
    let mut tasks = core.tasks();
    let task = tasks.task(key)?;
    let Call::Guest(call) = &task.call else {
        return Err(Error::bug("a call of the host's among those of guests"));
    };
    Ok(Parts {
        instance: task.instance.clone(),
        subtask: call.subtask,
        function: function(call),
    })
}

/// Passes the parameters of a call to the callee; returns them flat.
pub(super) fn start(store: &mut StoreMut<'_>, core: &Arc<StoreCore>, key: TaskKey) -> Result<Vec<u64>> {
    let parts = parts(core, key, |call| call.prepared.start)?;
    let params = {
        let mut tasks = core.tasks();
        tasks.set_subtask(parts.subtask, SubtaskState::Started)?;
        match &mut tasks.task(key)?.call {
            Call::Guest(call) => call.prepared.params.clone(),
            _ => Vec::new(),
        }
    };
    let function = parts.instance.adapter(store, core, parts.function)?;
    // The place of the result is not a parameter of the start function.
    let count = function.signature.params.len().min(params.len());
    let results = function.signature.results.len();
    // The callee's realloc may run, which has none of a thread's storage.
    without_storage(store, core, |store| {
        function.func.call_many(store, &params[..count], results)
    })
}

/// Calls the task's function; returns its flat result, if it has one.
pub(super) fn call(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    key: TaskKey,
    args: &[u64],
) -> Result<Option<u64>> {
    let parts = parts(core, key, |call| call.callee)?;
    let function = parts.instance.adapter(store, core, parts.function)?;
    let result = function.func.call(store, args)?;
    Ok((!function.signature.results.is_empty()).then_some(result))
}

/// Runs the post-return function of a task that was lifted synchronously.
pub(super) fn post_return(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    key: TaskKey,
    result: u64,
) -> Result<()> {
    let call = core.tasks().task(key)?.host_call();
    if let Some(call) = call {
        return call.func.call_post_return(store, result);
    }
    let (post_return, component_instance) = {
        let mut tasks = core.tasks();
        let task = tasks.task(key)?;
        let component_instance = task.component_instance;
        match &task.call {
            Call::Guest(call) => (call.post_return, component_instance),
            _ => (None, component_instance),
        }
    };
    let Some(post_return) = post_return else {
        return Ok(());
    };
    let parts = parts(core, key, |call| call.callee)?;
    let callee = parts.instance.adapter(store, core, parts.function)?;
    let results = callee.signature.results.clone();
    let args = [result];
    let args = &args[..results.len().min(1)];
    let signature = CoreSignature {
        params: results,
        results: Vec::new(),
    };
    let function = parts
        .instance
        .post_return(store, post_return, &signature, core.is_unguarded())?;
    parts
        .instance
        .staying(store, component_instance, |store| function.call(store, args))?;
    Ok(())
}

/// Passes a task's flat result to the component that called it.
pub(super) fn return_result(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    key: TaskKey,
    mut result: Vec<u64>,
) -> Result<()> {
    let parts = parts(core, key, |call| call.prepared.return_)?;
    let (results, place) = {
        let mut tasks = core.tasks();
        match &tasks.task(key)?.call {
            Call::Guest(call) => (call.prepared.results, call.prepared.params.last().copied()),
            _ => (Results::None, None),
        }
    };
    let function = parts.instance.adapter(store, core, parts.function)?;
    if results == Results::Memory {
        result.push(place.ok_or_else(|| Error::bug("a call without the place of its result"))?);
    }
    result.truncate(function.signature.params.len());
    // The caller's realloc may run, which has none of a thread's storage.
    let flat = without_storage(store, core, |store| function.func.call(store, &result))?;
    let mut tasks = core.tasks();
    tasks.task(key)?.state = TaskState::Resolved;
    tasks.subtask(parts.subtask)?.result = flat;
    tasks.set_subtask(parts.subtask, SubtaskState::Returned)
}
