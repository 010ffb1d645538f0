//! Calls by the host of components that use concurrency.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use wasmer::{AsStoreMut, StoreMut};

use super::host::{Caller, HostCall, Lift, Returns, park, turn};
use super::run::{Failed, abort, discard, enter, leave, resume_on, swap_storage};
use super::stacks::{StackNeed, passes};
use super::state::{self, Body, Call, Task, TaskKey, TaskState, Tasks, Thread, ThreadKey, Wait};
use super::task::must_wait;
use crate::component::call::func::{Func, explained};
use crate::component::call::scope::NO_SCOPE;
use crate::component::instance::InstanceInner;
use crate::component::ir::Options;
use crate::component::resource::handles::Room;
use crate::component::store::StoreCore;
use crate::engine::EngineEntry;
use crate::error::{AsyncTrap, CoreTrap, Error, ResourceError, Result, TrapKind};

/// A task of the host's, and its thread.
pub(super) struct Called {
    pub(super) task: TaskKey,
    pub(super) thread: ThreadKey,
}

/// Creates the task of a call of an `async` function, whose thread waits for `wait` if there is one.
///
/// # Errors
/// As [`new_task`].
pub(super) fn new_host_task(core: &StoreCore, caller: Caller, wait: Option<Wait>) -> Result<Called> {
    let func = caller.call.func.clone();
    let scope = match func.lends()? {
        true => core.new_scope(),
        false => NO_SCOPE,
    };
    let (instance, options) = (func.instance(), func.options());
    let body = (Body::New, wait);
    new_task(
        core,
        instance,
        options,
        func.result_type(),
        scope,
        body,
        Call::Host(caller),
    )
}

/// Creates a task of the host's.
///
/// # Errors
/// [`ResourceError::TableFull`], before code of the instance runs.
fn new_task(
    core: &StoreCore,
    instance: &Arc<InstanceInner>,
    options: &Options,
    result_type: u32,
    scope: usize,
    (body, wait): (Body, Option<Wait>),
    call: Call,
) -> Result<Called> {
    let is_async = matches!(call, Call::Host(_));
    let room = match Room::take(&core.handles) {
        Ok(room) => room,
        Err(most) => {
            core.end_scope(scope);
            return Err(Error::Resource(ResourceError::TableFull(most)));
        }
    };
    let mut tasks = core.tasks();
    let task = tasks.tasks.insert(Task {
        instance: instance.clone(),
        component_instance: options.instance,
        is_async,
        lift: state::Lift::of(options),
        memory: options.memory,
        string_encoding: options.string_encoding,
        result_type,
        state: TaskState::Initial,
        scope,
        thread: ThreadKey::default(),
        threads: 1,
        call,
        room,
    });
    let mut new = Thread::new(task, body);
    if scope != NO_SCOPE {
        new.scopes = vec![scope];
    }
    let thread = tasks.threads.insert(new);
    tasks.task(task)?.thread = thread;
    if let Some(wait) = wait {
        tasks.begin_wait(thread, wait, false)?;
    }
    Ok(Called { task, thread })
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
    let body = (Body::Running, None);
    let called = new_task(core, instance, options, 0, NO_SCOPE, body, Call::Sync)?;
    let current = core.tasks().current.replace(called.thread);
    let storage = swap_storage(store, core, [0; 2]);
    // As in other threads, a function of the host may panic.
    let result = catch_unwind(AssertUnwindSafe(|| code(store)));
    swap_storage(store, core, storage);
    let ended = {
        let mut tasks = core.tasks();
        tasks.current = current;
        tasks.remove_thread(called.thread)
    };
    drop(ended);
    let result = result.unwrap_or_else(|panic| {
        abort(store, core, instance);
        resume_unwind(panic)
    });
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
/// The instance is poisoned if it fails itself. After an error of others, it goes on with the task in the next call or run.
///
/// # Errors
/// [`AsyncTrap::Deadlock`] if the task waits for something that cannot happen; traps; those of [`turn`]; [`Error::SuspendedCalls`] and
/// [`Error::Resource`] before its code runs.
pub(crate) fn call<R>(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    func: &Func,
    lower: impl FnOnce(&mut StoreMut<'_>) -> Result<Vec<u64>>,
    lift: impl Lift<R> + 'static,
) -> Result<R>
where
    R: Send + 'static,
{
    let (instance, options) = (func.instance().clone(), *func.options());
    let place = (instance.id, options.instance);
    let exclusively = state::Lift::of(&options).needs_exclusive();
    // Nothing is lost by a call in another place.
    let id = store.objects_mut().id();
    core.tasks().stacks.check_here(id)?;
    while must_wait(core, place, exclusively) {
        turn_or_park(store, core, &instance)?;
        if instance.poisoned.load(Ordering::Relaxed) {
            return Err(TrapKind::Poisoned.into());
        }
    }
    type NoLower = fn(&Func, &mut StoreMut<'_>, &Arc<StoreCore>) -> Result<Vec<u64>>;
    let call = HostCall::<dyn Returns<R>>::new(func, None::<NoLower>, lift);
    let caller = Caller {
        call: call.clone(),
        args: Some(Vec::new()),
    };
    let called = new_host_task(core, caller, None)?;
    // For a stack, perhaps.
    core.tasks().thread(called.thread)?.wait = Some(Wait::Yield);
    if exclusively {
        core.tasks().instance(place).exclusive = Some(called.thread);
    }
    let lowered = catch_unwind(AssertUnwindSafe(|| {
        let args = within(store, core, called.thread, lower)?;
        if let Call::Host(caller) = &mut core.tasks().task(called.task)?.call {
            caller.args = Some(args);
        }
        Ok(())
    }));
    if !matches!(lowered, Ok(Ok(()))) {
        // Its code has not begun.
        discard(core, called.thread);
        if !matches!(&lowered, Ok(Err(error)) if !stops(error)) {
            poison(store, core, &instance);
        }
        lowered.unwrap_or_else(|panic| resume_unwind(panic))?;
    }
    let ran = catch_unwind(AssertUnwindSafe(|| run(store, core, &called, &instance, &call)));
    if !matches!(ran, Ok(Ok(_))) && !instance.poisoned.load(Ordering::Relaxed) {
        match &ran {
            Ok(Err(error)) if interrupts(error) => poison(store, core, &instance),
            // Others failed.
            _ => core.discard_unbegun(called.thread),
        }
    }
    ran.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Ends an instance that failed: its calls and its tasks.
fn poison(store: &mut StoreMut<'_>, core: &Arc<StoreCore>, instance: &InstanceInner) {
    instance.poisoned.store(true, Ordering::Relaxed);
    abort(store, core, instance);
}

impl StoreCore {
    /// Ends the task of a thread whose code has not begun.
    fn discard_unbegun(&self, key: ThreadKey) {
        let is_new = {
            let tasks = self.tasks();
            let thread = tasks.threads.get(key);
            thread.is_some_and(|thread| matches!(thread.body, Body::New))
        };
        if is_new {
            discard(self, key);
        }
    }
}

/// Turns of threads that yield, one after the other, for which a call goes on after its task has returned: beside one of each thread that is
/// ready. Stops a component that yields without end from keeping its caller.
const LAST_YIELDS: usize = 1_000;

impl Tasks {
    /// Counts the next turn, if its thread only yielded. Returns whether there were too many of them since another turn.
    fn only_yields(&mut self, count: &mut usize) -> bool {
        let next = self.ready.front().and_then(|key| self.threads.get(*key));
        match next.and_then(|thread| thread.wait) {
            Some(Wait::Yield | Wait::CallbackYield(_)) => *count += 1,
            _ => *count = 0,
        }
        *count > LAST_YIELDS + self.ready.len()
    }
}

/// Runs a called task and others until it has ended, or has returned and nothing is ready any more but threads that yield again and again.
fn run<R>(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    called: &Called,
    instance: &Arc<InstanceInner>,
    call: &HostCall<dyn Returns<R>>,
) -> Result<R> {
    let mut yields = 0;
    let first = core.tasks().turn_of(called.thread)?;
    let resumed = resume_any(store, core, first, None);
    settle(store, core, resumed, Some(instance))?;
    loop {
        if let Some(error) = call.outcome.take_error() {
            return Err(error);
        }
        if !core.tasks().tasks.contains_key(called.task) {
            break;
        }
        match call.values.has_result() {
            false => turn_or_park(store, core, instance)?,
            true if core.tasks().only_yields(&mut yields) => break,
            true if turn(store, core, Some(instance), None)?.ran() => {}
            true => break,
        }
    }
    let result = call.values.take();
    result.ok_or_else(|| Error::bug("a call that ended without a result"))
}

/// Runs what is ready for a call, or waits until something is.
///
/// # Errors
/// [`AsyncTrap::Deadlock`] if nothing will be; [`TrapKind::Limit`] or [`Error::SuspendedCalls`] if that is for want of a stack; those of
/// [`turn`].
fn turn_or_park(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    instance: &Arc<InstanceInner>,
) -> Result<()> {
    if turn(store, core, Some(instance), None)?.ran() || park(core)? {
        return Ok(());
    }
    let starves = core.tasks().starves(instance.id);
    let (error, is_own) = starves.unwrap_or_else(|| (AsyncTrap::Deadlock.into(), true));
    if is_own {
        poison(store, core, instance);
    }
    Err(error)
}

/// A thread that is to be resumed, and its task's instance.
pub(super) struct Turn {
    key: ThreadKey,
    instance: Arc<InstanceInner>,
    needs: StackNeed,
}

impl Tasks {
    /// Takes the next thread that is ready.
    pub(super) fn next_turn(&mut self) -> Result<Option<Turn>> {
        let ready = self.next_ready();
        ready.map(|key| self.turn_of(key)).transpose()
    }

    fn turn_of(&mut self, key: ThreadKey) -> Result<Turn> {
        let needs = self.stack_need(key, false)?;
        let task = self.thread(key)?.task;
        let task = self.task(task)?;
        Ok(Turn {
            key,
            instance: task.instance.clone(),
            needs,
        })
    }
}

/// A thread that was resumed, or could not be.
pub(super) struct Resumed {
    key: ThreadKey,
    instance: Arc<InstanceInner>,
    end: End,
}

enum End {
    /// It waits, or has ended.
    Fine,
    /// It found no stack.
    NoStack(Error),
    Failed(Failed),
    Panicked(Box<dyn Any + Send>),
}

impl Resumed {
    pub(super) fn is_fine(&self) -> bool {
        matches!(self.end, End::Fine)
    }
}

/// Resumes a thread of any instance, in an entry into the engine if there is one. Its end is to be [settled](settle).
pub(super) fn resume_any(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    turn: Turn,
    entry: Option<&EngineEntry>,
) -> Resumed {
    let Turn { key, instance, needs } = turn;
    let end = match needs.take(store, core, key) {
        Ok(stack) => {
            let resumed = catch_unwind(AssertUnwindSafe(|| {
                let _executing = Executing::begin(&instance);
                resume_on(store, core, key, stack, false, entry)
            }));
            match resumed {
                Ok(Ok(())) => End::Fine,
                Ok(Err(failed)) => End::Failed(failed),
                Err(panic) => End::Panicked(panic),
            }
        }
        Err(error) => End::NoStack(error),
    };
    Resumed { key, instance, end }
}

/// Obeys the end of a thread that was resumed for a call of `called` or for none. A trap ends its instance; that of another than the called one
/// is the error of the call that waits for it.
///
/// # Errors
/// As [`fail`].
///
/// # Panics
/// With the panic of a function of the host that the thread called.
pub(super) fn settle(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    resumed: Resumed,
    called: Option<&Arc<InstanceInner>>,
) -> Result<()> {
    let Resumed { key, instance, end } = resumed;
    let failed = match end {
        End::Fine => return Ok(()),
        End::NoStack(error) if passes(&error) => return core.tasks().put_off(key, error),
        End::NoStack(error) => {
            return fail(store, core, &instance, Failed::of(core, key, error), called);
        }
        End::Failed(failed) => failed,
        End::Panicked(panic) => {
            poison(store, core, &instance);
            resume_unwind(panic)
        }
    };
    match failed.unawaited_call(core, key) {
        // The call is over, before its code has begun.
        Some(call) if !stops(&failed.error) => {
            failed.end(|error| call.outcome.end(Some(error)));
            Ok(())
        }
        Some(call) if !is(called, &instance) && !interrupts(&failed.error) => {
            instance.poisoned.store(true, Ordering::Relaxed);
            failed.end(|error| call.outcome.end(Some(explained(store, core, error))));
            abort(store, core, &instance);
            Ok(())
        }
        _ => fail(store, core, &instance, failed, called),
    }
}

fn is(called: Option<&Arc<InstanceInner>>, instance: &InstanceInner) -> bool {
    called.is_some_and(|called| called.id == instance.id)
}

/// An instance that executes, as far as calls by a host function that it calls are concerned.
struct Executing<'a> {
    instance: &'a InstanceInner,
    before: bool,
}

impl Executing<'_> {
    fn begin(instance: &InstanceInner) -> Executing<'_> {
        let before = instance.entered.swap(true, Ordering::Relaxed);
        Executing { instance, before }
    }
}

impl Drop for Executing<'_> {
    fn drop(&mut self) {
        self.instance.entered.store(self.before, Ordering::Relaxed);
    }
}

/// Returns whether an error is an interruption, or a deadline.
pub(super) fn interrupts(error: &Error) -> bool {
    matches!(error, Error::Trap(trap) if *trap.kind() == TrapKind::Core(CoreTrap::Interrupted))
}

impl Tasks {
    /// Returns whether code of an instance is on a running stack.
    fn executes(&self, instance: u64) -> bool {
        let mut running = self
            .threads
            .iter()
            .filter(|(_, thread)| matches!(thread.body, Body::Running));
        running.any(|(key, _)| self.instance_of(key) == Some(instance))
    }

    /// Returns a call of an instance: one that waits for its task, if there is one.
    fn call_of(&self, instance: u64) -> Option<Arc<HostCall>> {
        let of_instance = || self.tasks.values().filter(|task| task.instance.id == instance);
        let awaited = of_instance().find(|task| task.is_awaited());
        awaited
            .and_then(Task::host_call)
            .or_else(|| of_instance().find_map(Task::host_call))
    }
}

/// Ends an instance that failed. A call of it that waits ends with the error.
///
/// # Errors
/// The error, if the instance is the one that is `called`, or executes further out on the stack, or if the error is an interruption.
pub(super) fn fail(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    instance: &Arc<InstanceInner>,
    failed: Failed,
    called: Option<&Arc<InstanceInner>>,
) -> Result<()> {
    instance.poisoned.store(true, Ordering::Relaxed);
    let executes = core.tasks().executes(instance.id);
    if is(called, instance) || executes || interrupts(&failed.error) {
        abort(store, core, instance);
        return Err(failed.into());
    }
    let call = core.tasks().call_of(instance.id);
    // Before the end of the tasks, which ends their calls.
    failed.end(|error| match call {
        Some(call) => call.outcome.end(Some(explained(store, core, error))),
        None => log::warn!("a task that no call waits for trapped: {error}"),
    });
    abort(store, core, instance);
    Ok(())
}

/// Runs a step of the host's as part of a thread: with its scopes and its local storage.
fn within<R>(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    thread: ThreadKey,
    step: impl FnOnce(&mut StoreMut<'_>) -> Result<R>,
) -> Result<R> {
    let before = enter(store, core, thread)?;
    // Code of the host's may panic.
    let result = catch_unwind(AssertUnwindSafe(|| step(store)));
    leave(store, core, thread, before);
    result.unwrap_or_else(|panic| resume_unwind(panic))
}
