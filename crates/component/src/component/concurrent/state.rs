//! The state of a store's concurrency.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use slotmap::{SlotMap, new_key_type};

use crate::component::concurrent::adapters::GuestCall;
use crate::component::concurrent::host::{Activity, ConcurrentCall, Outcome, Wakes};
use crate::component::concurrent::transmit::{EndState, Shared};
use crate::component::concurrent::waitable::{Subtask, WaitableSet};
use crate::component::instance::InstanceInner;
use crate::component::ir::Options;
use crate::component::resource::handles::Room;
use crate::engine::{Fiber, Stacks};
use crate::error::{AsyncTrap, Error, Result};

new_key_type! {
    /// A task.
    pub(crate) struct TaskKey;
    /// A thread.
    pub(crate) struct ThreadKey;
    /// A subtask, or the end of a stream or future.
    pub(crate) struct WaitableKey;
    /// A waitable set.
    pub(crate) struct SetKey;
    /// A stream or future.
    pub(crate) struct SharedKey;
    /// An activity of the host.
    pub(crate) struct ActivityKey;
}

/// A component instance: its instance's identity and its index there.
pub(crate) type Place = (u64, u32);

/// The concurrency of one store. Locked for single steps only, never while guest or host functions run.
pub(crate) struct Tasks {
    pub(super) tasks: SlotMap<TaskKey, Task>,
    pub(super) threads: SlotMap<ThreadKey, Thread>,
    pub(super) waitables: SlotMap<WaitableKey, Waitable>,
    pub(super) sets: SlotMap<SetKey, WaitableSet>,
    pub(super) shared: SlotMap<SharedKey, Shared>,
    pub(super) instances: HashMap<Place, InstanceState>,
    pub(super) activities: SlotMap<ActivityKey, Activity>,
    pub(super) wakes: Arc<Wakes>,
    /// Threads that may be ready, in the order in which they became so.
    pub(super) ready: VecDeque<ThreadKey>,
    /// The thread that runs.
    pub(super) current: Option<ThreadKey>,
    pub(super) stacks: Stacks,
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks")
            .field("tasks", &self.tasks.len())
            .field("threads", &self.threads.len())
            .field("waitables", &self.waitables.len())
            .finish_non_exhaustive()
    }
}

/// The concurrency of one component instance.
#[derive(Debug, Default)]
pub(super) struct InstanceState {
    pub(super) backpressure: u32,
    /// Threads that wait to enter, in their order: those that need no exclusivity, and those that do.
    pub(super) entering: [VecDeque<ThreadKey>; 2],
    /// The thread that no other that needs exclusivity may interleave with.
    pub(super) exclusive: Option<ThreadKey>,
    /// Threads that wait for the end of another's exclusivity, and for nothing else.
    pub(super) excluded: VecDeque<ThreadKey>,
}

/// A task's state, as the specification has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TaskState {
    Initial,
    Started,
    PendingCancel,
    CancelDelivered,
    Resolved,
}

/// The form of a lifted function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lift {
    Sync,
    Stackful,
    /// With the index of its callback.
    Callback(u32),
}

impl Lift {
    pub(super) fn of(options: &Options) -> Lift {
        match (options.is_async, options.callback) {
            (false, _) => Lift::Sync,
            (true, None) => Lift::Stackful,
            (true, Some(callback)) => Lift::Callback(callback),
        }
    }

    /// Returns whether no other such task may run in the instance between two of its waits.
    pub(super) fn needs_exclusive(self) -> bool {
        self != Lift::Stackful
    }
}

/// A call of a lifted function.
pub(super) struct Task {
    pub(super) instance: Arc<InstanceInner>,
    pub(super) component_instance: u32,
    /// True if the function's type is `async`.
    pub(super) is_async: bool,
    pub(super) lift: Lift,
    /// Memory and string encoding that `task.return` must have too.
    pub(super) memory: Option<u32>,
    pub(super) string_encoding: airssys_wasm_abi::StringEncoding,
    pub(super) result_type: u32,
    pub(super) state: TaskState,
    /// The scope of its borrows and of its caller's loans.
    pub(super) scope: usize,
    pub(super) thread: ThreadKey,
    pub(super) call: Call,
    /// A task may go on when no handle of it is left.
    #[expect(dead_code, reason = "held for its drop")]
    pub(super) room: Room,
}

impl Task {
    /// Returns the end of the call that a future of the host's waits for.
    pub(super) fn outcome(&self) -> Option<Arc<Outcome>> {
        match &self.call {
            Call::Host(call) => Some(Arc::clone(&call.concurrent.as_ref()?.outcome)),
            _ => None,
        }
    }

    pub(super) fn place(&self) -> Place {
        (self.instance.id, self.component_instance)
    }
}

/// The caller of a task.
pub(super) enum Call {
    /// The host, which lowers parameters before the task starts.
    Host(Box<HostCall>),
    Guest(Box<GuestCall>),
    /// The host, for a function that is not `async`, or the instantiation: its code runs on the host's stack.
    Sync,
}

/// A call of an `async` function by the host.
pub(super) struct HostCall {
    pub(super) func: crate::component::call::func::Func,
    pub(super) args: Vec<u64>,
    /// `None` if the host's call waits for the task, and passes the values itself.
    pub(super) concurrent: Option<Box<ConcurrentCall>>,
}

/// A thread of a task: its code, on a stack of its own.
pub(super) struct Thread {
    pub(super) task: TaskKey,
    /// Synchronous calls between components that run on it, innermost last.
    pub(super) frames: Vec<Frame>,
    pub(super) body: Body,
    pub(super) wait: Option<Wait>,
    /// True if its wait ends when the task is cancelled.
    pub(super) cancellable: bool,
    /// True if it was resumed because the task is cancelled.
    pub(super) cancelled: bool,
    /// True if it is in the queue of those that may be ready.
    pub(super) queued: bool,
    /// Thread-local storage, while it does not run.
    pub(super) storage: [i32; 2],
    /// Scopes of its calls, while it does not run.
    pub(super) scopes: Vec<usize>,
    /// The call between components that is prepared next.
    pub(super) prepared: Option<super::adapters::Prepared>,
    /// The flat result of its task, for the host's call, which lifts it and resumes the thread.
    pub(super) returned: Option<Vec<u64>>,
}

impl Thread {
    pub(super) fn new(task: TaskKey, body: Body) -> Thread {
        Thread {
            task,
            frames: Vec::new(),
            body,
            wait: None,
            cancellable: false,
            cancelled: false,
            queued: false,
            storage: [0; 2],
            scopes: Vec::new(),
            prepared: None,
            returned: None,
        }
    }
}

/// The code of a thread.
pub(super) enum Body {
    New,
    Running,
    Suspended(Fiber<Result<()>>),
    /// Waits for its callback's next event, without a stack.
    Parked,
}

/// A synchronous call of one component by another, on the caller's thread.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) place: Place,
    /// True if the function's type is `async`.
    pub(super) is_async: bool,
    /// The caller's thread-local storage.
    pub(super) storage: [i32; 2],
}

/// A thread's reason to wait.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wait {
    /// None: others have a turn.
    Yield,
    /// To enter an instance, exclusively or not.
    Enter(Place, bool),
    /// In its callback's stead, for nothing.
    CallbackYield(Place),
    /// In its callback's stead, for an event.
    CallbackEvent(Place, SetKey),
    /// For an event of a set.
    Set(SetKey),
    /// For the event of one waitable.
    Event(WaitableKey),
    /// For the end of a subtask.
    Resolved(WaitableKey),
}

/// A subtask, or the end of a stream or future.
pub(super) struct Waitable {
    /// The component instance whose handle it is, and the handle's index; 0 while it has none.
    pub(super) place: Place,
    pub(super) handle: u32,
    pub(super) set: Option<SetKey>,
    /// The thread that waits for it alone.
    pub(super) waiter: Option<ThreadKey>,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    Subtask(Subtask),
    End(EndState),
}

impl Waitable {
    pub(super) fn has_event(&self) -> bool {
        match &self.kind {
            Kind::Subtask(subtask) => subtask.event,
            Kind::End(end) => end.event.is_some(),
        }
    }
}

/// The error for a key of something that is gone, which no guest can cause.
#[cold]
pub(super) fn gone(what: &str) -> Error {
    Error::bug(format!("a {what} that is gone"))
}

impl Tasks {
    pub(crate) fn new(stacks: Stacks, wakes: Arc<Wakes>) -> Tasks {
        Tasks {
            tasks: SlotMap::default(),
            threads: SlotMap::default(),
            waitables: SlotMap::default(),
            sets: SlotMap::default(),
            shared: SlotMap::default(),
            instances: HashMap::new(),
            activities: SlotMap::default(),
            wakes,
            ready: VecDeque::new(),
            current: None,
            stacks,
        }
    }

    /// Returns whether a thread or an activity is left.
    pub(crate) fn has_any(&self) -> bool {
        !self.threads.is_empty() || !self.activities.is_empty()
    }

    pub(super) fn thread(&mut self, key: ThreadKey) -> Result<&mut Thread> {
        self.threads.get_mut(key).ok_or_else(|| gone("thread"))
    }

    pub(super) fn task(&mut self, key: TaskKey) -> Result<&mut Task> {
        self.tasks.get_mut(key).ok_or_else(|| gone("task"))
    }

    pub(super) fn waitable(&mut self, key: WaitableKey) -> Result<&mut Waitable> {
        self.waitables.get_mut(key).ok_or_else(|| gone("waitable"))
    }

    pub(super) fn set(&mut self, key: SetKey) -> Result<&mut WaitableSet> {
        self.sets.get_mut(key).ok_or_else(|| gone("waitable set"))
    }

    pub(super) fn instance(&mut self, place: Place) -> &mut InstanceState {
        self.instances.entry(place).or_default()
    }

    /// Returns the thread that runs.
    ///
    /// # Errors
    /// A trap if no task runs: in a function that the host called directly, such as a realloc.
    pub(super) fn running(&self) -> Result<ThreadKey> {
        self.current.ok_or_else(|| AsyncTrap::CannotBlock.into())
    }

    /// Queues a thread that may be ready now.
    pub(super) fn may_be_ready(&mut self, key: ThreadKey) {
        if let Some(thread) = self.threads.get_mut(key)
            && !thread.queued
        {
            thread.queued = true;
            self.ready.push_back(key);
        }
    }

    /// Queues the threads that an instance's state let wait.
    pub(super) fn instance_changed(&mut self, place: Place) {
        let Some(state) = self.instances.get_mut(&place) else {
            return;
        };
        let [shared, exclusively] = &state.entering;
        let entering = [shared.front().copied(), exclusively.front().copied()];
        let excluded = match state.exclusive {
            None => state.excluded.pop_front(),
            Some(_) => None,
        };
        for key in entering.into_iter().chain([excluded]).flatten() {
            self.may_be_ready(key);
        }
    }

    /// Ends a thread's exclusivity.
    pub(super) fn release(&mut self, place: Place, key: ThreadKey) {
        let state = self.instance(place);
        if state.exclusive == Some(key) {
            state.exclusive = None;
            self.instance_changed(place);
        }
    }

    /// Returns whether a wait is over.
    pub(super) fn is_over(&mut self, wait: Wait) -> bool {
        match wait {
            Wait::Yield => true,
            Wait::Enter(place, exclusively) => !self.is_full(place, exclusively),
            Wait::CallbackYield(place) => self.instance(place).exclusive.is_none(),
            Wait::CallbackEvent(place, set) => {
                self.instance(place).exclusive.is_none() && self.set_has_event(set)
            }
            Wait::Set(set) => self.set_has_event(set),
            Wait::Event(key) => self.waitables.get(key).is_some_and(Waitable::has_event),
            Wait::Resolved(key) => match self.waitables.get(key) {
                Some(Waitable {
                    kind: Kind::Subtask(subtask),
                    ..
                }) => subtask.state.is_resolved(),
                _ => false,
            },
        }
    }

    /// Returns whether an instance lets no task enter.
    pub(super) fn is_full(&mut self, place: Place, exclusively: bool) -> bool {
        let state = self.instance(place);
        state.backpressure > 0 || (exclusively && state.exclusive.is_some())
    }

    /// Records that a thread waits. Where the reason will end, it is found.
    pub(super) fn begin_wait(&mut self, key: ThreadKey, wait: Wait, cancellable: bool) -> Result<()> {
        match wait {
            Wait::Yield | Wait::CallbackYield(_) => {}
            Wait::Enter(place, exclusively) => {
                self.instance(place).entering[usize::from(exclusively)].push_back(key);
            }
            Wait::CallbackEvent(_, set) | Wait::Set(set) => {
                let set = self.set(set)?;
                set.waiting += 1;
                set.waiters.push_back(key);
            }
            Wait::Event(waitable) | Wait::Resolved(waitable) => self.waitable(waitable)?.waiter = Some(key),
        }
        let thread = self.thread(key)?;
        thread.wait = Some(wait);
        thread.cancellable = cancellable;
        thread.cancelled = false;
        if self.is_over(wait) {
            self.may_be_ready(key);
        }
        Ok(())
    }

    /// Ends a thread's wait.
    pub(super) fn end_wait(&mut self, key: ThreadKey) -> Result<Option<Wait>> {
        let thread = self.thread(key)?;
        thread.cancellable = false;
        let Some(wait) = thread.wait.take() else {
            return Ok(None);
        };
        match wait {
            Wait::Yield | Wait::CallbackYield(_) => {}
            Wait::Enter(place, exclusively) => {
                self.instance(place).entering[usize::from(exclusively)].retain(|other| *other != key);
                self.instance_changed(place);
            }
            Wait::CallbackEvent(_, set) | Wait::Set(set) => {
                let set = self.set(set)?;
                set.waiting = set.waiting.saturating_sub(1);
                set.waiters.retain(|other| *other != key);
            }
            Wait::Event(waitable) | Wait::Resolved(waitable) => {
                if let Some(waitable) = self.waitables.get_mut(waitable) {
                    waitable.waiter = None;
                }
            }
        }
        Ok(Some(wait))
    }

    /// Takes the next thread that is ready. During a call by a host function, those of instances that run are left for later.
    pub(super) fn next_ready(&mut self) -> Option<ThreadKey> {
        if self.current.is_none() {
            return self.next_of_all();
        }
        let running: Vec<ThreadKey> = self
            .threads
            .iter()
            .filter(|(_, thread)| matches!(thread.body, Body::Running))
            .map(|(key, _)| key)
            .collect();
        let instances: Vec<u64> = running
            .into_iter()
            .filter_map(|key| self.instance_of(key))
            .collect();
        let mut later = Vec::new();
        let mut found = None;
        while let Some(key) = self.next_of_all() {
            match self.instance_of(key) {
                Some(instance) if instances.contains(&instance) => later.push(key),
                _ => {
                    found = Some(key);
                    break;
                }
            }
        }
        for key in later {
            self.may_be_ready(key);
        }
        found
    }

    fn instance_of(&self, key: ThreadKey) -> Option<u64> {
        let task = self.threads.get(key)?.task;
        Some(self.tasks.get(task)?.instance.id)
    }

    fn next_of_all(&mut self) -> Option<ThreadKey> {
        while let Some(key) = self.ready.pop_front() {
            let Some(thread) = self.threads.get_mut(key) else {
                continue;
            };
            thread.queued = false;
            let Some(wait) = thread.wait else { continue };
            if self.is_over(wait) {
                return Some(key);
            }
            if let Wait::CallbackYield(place) | Wait::CallbackEvent(place, _) = wait {
                let over = match wait {
                    Wait::CallbackEvent(_, set) => self.set_has_event(set),
                    _ => true,
                };
                if over {
                    let excluded = &mut self.instance(place).excluded;
                    if !excluded.contains(&key) {
                        excluded.push_back(key);
                    }
                } else {
                    // Another may have waited behind it.
                    self.instance_changed(place);
                }
            }
        }
        None
    }

    /// Returns a thread of one component instance that is ready and may run during a synchronous call of it.
    pub(super) fn ready_in(&mut self, place: Place) -> Option<ThreadKey> {
        let exclusive = self.instance(place).exclusive;
        let waiting = self.threads.iter().filter_map(|(key, thread)| {
            let task = self.tasks.get(thread.task)?;
            (task.place() == place && Some(key) != exclusive).then_some((key, thread.wait?))
        });
        let waiting: Vec<_> = waiting.collect();
        let ready = waiting.into_iter().find(|(_, wait)| self.is_over(*wait));
        ready.map(|(key, _)| key)
    }
}
