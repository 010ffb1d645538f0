//! Calls by the host of components that use concurrency.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use wasmer::StoreMut;

use super::host::{park, turn};
use super::run::{Before, abort, discard, enter, leave, resume, swap_storage};
use super::state::{Body, Call, HostCall, Lift, Task, TaskKey, TaskState, Thread, ThreadKey};
use super::task::must_wait;
use crate::component::call::func::{Func, explained};
use crate::component::instance::InstanceInner;
use crate::component::ir::Options;
use crate::component::resource::handles::Room;
use crate::component::store::StoreCore;
use crate::error::{AsyncTrap, CoreTrap, Error, ResourceError, Result, TrapKind};

/// A task of the host's, and its thread.
pub(super) struct Called {
    task: TaskKey,
    pub(super) thread: ThreadKey,
    scope: usize,
}

pub(super) fn new_task(
    core: &StoreCore,
    instance: &Arc<InstanceInner>,
    options: &Options,
    result_type: u32,
    body: Body,
    call: Call,
) -> Result<Called> {
    let is_async = matches!(call, Call::Host(_));
    let room = Room::take(&core.handles).map_err(ResourceError::TableFull)?;
    let scope = match is_async {
        true => core.new_scope(),
        // The guard of the call has one.
        false => usize::MAX,
    };
    let mut tasks = core.tasks();
    let task = tasks.tasks.insert(Task {
        instance: instance.clone(),
        component_instance: options.instance,
        is_async,
        lift: Lift::of(options),
        memory: options.memory,
        string_encoding: options.string_encoding,
        result_type,
        state: TaskState::Initial,
        scope,
        thread: ThreadKey::default(),
        call,
        room,
    });
    let mut new = Thread::new(task, body);
    if is_async {
        new.scopes = vec![scope];
    }
    let thread = tasks.threads.insert(new);
    tasks.task(task)?.thread = thread;
    Ok(Called { task, thread, scope })
}

/// Runs code of an instance as a synchronous task on the host's stack: a function whose type is not `async`, a
/// destructor, the instantiation.
pub(crate) fn run_sync<R>(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    instance: &Arc<InstanceInner>,
    options: &Options,
    code: impl FnOnce(&mut StoreMut<'_>) -> Result<R>,
) -> Result<R> {
    let called = new_task(core, instance, options, 0, Body::Running, Call::Sync)?;
    let current = core.tasks().current.replace(called.thread);
    let storage = swap_storage(store, core, [0; 2])?;
    // As in other threads, a function of the host may panic.
    let result = catch_unwind(AssertUnwindSafe(|| code(store)));
    let restored = swap_storage(store, core, storage);
    {
        let mut tasks = core.tasks();
        tasks.current = current;
        tasks.threads.remove(called.thread);
        tasks.tasks.remove(called.task);
    }
    let result = result.unwrap_or_else(|panic| {
        abort(store, core, instance);
        resume_unwind(panic)
    });
    let result = result.and_then(|value| restored.map(|_| value));
    if result.as_ref().is_err_and(stops) {
        abort(store, core, instance);
    }
    result
}

/// Returns whether an error stopped the guest. Others are about the host's values, and come before the guest runs.
fn stops(error: &Error) -> bool {
    !matches!(error, Error::Argument(_) | Error::Resource(_))
}

/// Calls an `async` function, and runs the store's tasks until it has returned and its task has ended, or nothing is ready any more.
/// `lower` makes the flat parameters; `lift` reads the flat result.
///
/// # Errors
/// [`AsyncTrap::Deadlock`] if the task waits for something that cannot happen; traps.
pub(crate) fn call<R>(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    func: &Func,
    lower: impl FnOnce(&mut StoreMut<'_>) -> Result<Vec<u64>>,
    lift: impl FnOnce(&mut StoreMut<'_>, &[u64]) -> Result<R>,
) -> Result<R> {
    let (instance, options) = (func.instance().clone(), *func.options());
    let place = (instance.id, options.instance);
    let exclusively = Lift::of(&options).needs_exclusive();
    while must_wait(core, place, exclusively) {
        if let Err(error) = turn_or_park(store, core, &instance) {
            abort(store, core, &instance);
            return Err(error);
        }
    }
    let host_call = HostCall {
        func: func.clone(),
        args: Vec::new(),
        concurrent: None,
    };
    let called = match new_task(
        core,
        &instance,
        &options,
        func.result_type(),
        Body::New,
        Call::Host(Box::new(host_call)),
    ) {
        Ok(called) => called,
        Err(error) => {
            // For want of room: its tasks have it.
            abort(store, core, &instance);
            return Err(error);
        }
    };
    if exclusively {
        core.tasks().instance(place).exclusive = Some(called.thread);
    }
    let lowered = within(store, core, called.thread, lower).and_then(|args| {
        if let Call::Host(call) = &mut core.tasks().task(called.task)?.call {
            call.args = args;
        }
        Ok(())
    });
    if let Err(error) = lowered {
        // Its code has not begun.
        discard(core, called.thread);
        if stops(&error) {
            abort(store, core, &instance);
        }
        return Err(error);
    }
    let ran = catch_unwind(AssertUnwindSafe(|| run(store, core, &called, &instance, lift)));
    if !matches!(ran, Ok(Ok(_))) {
        // Also of an error that is not its own: its code cannot go on.
        instance.poisoned.store(true, Ordering::Relaxed);
        abort(store, core, &instance);
    }
    ran.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Runs a called task and others until it has ended, or has returned and nothing is ready any more.
fn run<R>(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    called: &Called,
    instance: &Arc<InstanceInner>,
    lift: impl FnOnce(&mut StoreMut<'_>, &[u64]) -> Result<R>,
) -> Result<R> {
    let (mut lift, mut value) = (Some(lift), None);
    resume_any(store, core, called.thread, Some(instance))?;
    loop {
        let (has_ended, returned) = {
            let mut tasks = core.tasks();
            let thread = tasks.threads.get_mut(called.thread);
            (thread.is_none(), thread.and_then(|thread| thread.returned.take()))
        };
        if let Some(flat) = returned {
            let lift = lift.take().ok_or(AsyncTrap::ReturnedTwice)?;
            value = Some(within(store, core, called.thread, |store| lift(store, &flat))?);
            core.tasks().task(called.task)?.state = TaskState::Resolved;
            core.end_scope(called.scope);
            resume_any(store, core, called.thread, Some(instance))?;
            continue;
        }
        if has_ended {
            break;
        }
        match value {
            None => turn_or_park(store, core, instance)?,
            Some(_) if turn(store, core, Some(instance))? => {}
            Some(_) => break,
        }
    }
    value.ok_or_else(|| Error::bug("a call that ended without a result"))
}

/// Runs what is ready for a call, or waits until something is.
///
/// # Errors
/// [`AsyncTrap::Deadlock`] if nothing will be.
fn turn_or_park(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    instance: &Arc<InstanceInner>,
) -> Result<()> {
    match turn(store, core, Some(instance))? || park(core)? {
        true => Ok(()),
        false => Err(AsyncTrap::Deadlock.into()),
    }
}

/// Resumes a thread of any instance, for a call of `called` or for none. A trap of another instance ends that one only.
///
/// # Errors
/// As [`fail`].
pub(super) fn resume_any(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    key: ThreadKey,
    called: Option<&Arc<InstanceInner>>,
) -> Result<()> {
    let (instance, outcome) = {
        let mut tasks = core.tasks();
        let task = tasks.thread(key)?.task;
        let task = tasks.task(task)?;
        (task.instance.clone(), task.outcome())
    };
    // It executes, as far as calls by a host function that it calls are concerned.
    let executed = instance.entered.swap(true, Ordering::Relaxed);
    let resumed = resume(store, core, key, false);
    instance.entered.store(executed, Ordering::Relaxed);
    let Err(error) = resumed else {
        return Ok(());
    };
    match outcome {
        // The call is over, before its code has begun.
        Some(outcome) if !stops(&error) => {
            outcome.end(Some(error));
            Ok(())
        }
        Some(outcome) if called.is_none_or(|called| called.id != instance.id) => {
            instance.poisoned.store(true, Ordering::Relaxed);
            if interrupts(&error) {
                // The whole call or run ends.
                abort(store, core, &instance);
                return Err(error);
            }
            outcome.end(Some(explained(store, core, error)));
            abort(store, core, &instance);
            Ok(())
        }
        _ => fail(store, core, &instance, error, called, executed),
    }
}

fn interrupts(error: &Error) -> bool {
    matches!(error, Error::Trap(trap) if *trap.kind() == TrapKind::Core(CoreTrap::Interrupted))
}

/// Ends an instance that failed. A call of it that the host's futures wait for ends with the error.
///
/// # Errors
/// The error, if the instance is the one that is `called`, `executed` when it failed, or if the error is an interruption.
pub(super) fn fail(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    instance: &Arc<InstanceInner>,
    error: Error,
    called: Option<&Arc<InstanceInner>>,
    executed: bool,
) -> Result<()> {
    if called.is_some_and(|called| called.id == instance.id) {
        return Err(error);
    }
    instance.poisoned.store(true, Ordering::Relaxed);
    let outcome = {
        let tasks = core.tasks();
        let mut of_instance = tasks
            .tasks
            .values()
            .filter(|task| task.instance.id == instance.id);
        of_instance.find_map(Task::outcome)
    };
    abort(store, core, instance);
    if interrupts(&error) || executed {
        return Err(error);
    }
    if let Some(outcome) = outcome {
        outcome.end(Some(explained(store, core, error)));
        return Ok(());
    }
    log::warn!("a task that no call waits for trapped: {error}");
    Ok(())
}

/// Runs a step of the host's as part of a thread: with its scopes and its local storage.
fn within<R>(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    thread: ThreadKey,
    step: impl FnOnce(&mut StoreMut<'_>) -> Result<R>,
) -> Result<R> {
    let before: Before = enter(store, core, thread)?;
    let result = step(store);
    leave(store, core, thread, before)?;
    result
}
