//! The state of a store's concurrency.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use slotmap::{SlotMap, new_key_type};

use crate::component::concurrent::adapters::GuestCall;
use crate::component::concurrent::host::{Activity, Caller, HostCall, Wakes};
use crate::component::concurrent::ready::remove_from;
use crate::component::concurrent::stacks::Starved;
use crate::component::concurrent::threads::{Indices, OwnIndex};
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
    /// By keys that the host chooses.
    pub(super) instances: FxHashMap<Place, InstanceState>,
    pub(super) activities: SlotMap<ActivityKey, Activity>,
    pub(super) wakes: Arc<Wakes>,
    /// Threads that may be ready, in the order in which they became so.
    pub(super) ready: VecDeque<ThreadKey>,
    pub(super) starved: Starved,
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
    pub(super) indices: Indices,
}

impl InstanceState {
    /// Returns whether it lets no task enter.
    pub(super) fn is_full(&self, exclusively: bool) -> bool {
        self.backpressure > 0 || (exclusively && self.exclusive.is_some())
    }
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
    /// Its implicit thread: the one that calls its function, which may have ended. The null key if it never had one.
    pub(super) thread: ThreadKey,
    /// Number of its threads; it ends with the last.
    pub(super) threads: usize,
    pub(super) call: Call,
    /// A task may go on when no handle of it is left.
    #[expect(dead_code, reason = "held for its drop")]
    pub(super) room: Room,
}

impl Task {
    /// Returns the host's call.
    pub(super) fn host_call(&self) -> Option<Arc<HostCall>> {
        match &self.call {
            Call::Host(caller) => Some(Arc::clone(&caller.call)),
            _ => None,
        }
    }

    /// Returns whether a call of the host waits for it, rather than a future.
    pub(super) fn is_awaited(&self) -> bool {
        matches!(&self.call, Call::Host(caller) if caller.args.is_some())
    }

    pub(super) fn place(&self) -> Place {
        (self.instance.id, self.component_instance)
    }
}

/// The caller of a task.
pub(super) enum Call {
    /// The host, which lowers parameters before the task starts.
    Host(Caller),
    Guest(Box<GuestCall>),
    /// The host, for a function that is not `async`, or the instantiation: its code runs on the host's stack.
    Sync,
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
    /// True if it is in the queue of those that wait for the end of another's exclusivity.
    pub(super) excluded: bool,
    /// Thread-local storage, while it does not run.
    pub(super) storage: [i32; 2],
    /// Scopes of its calls, while it does not run.
    pub(super) scopes: Vec<usize>,
    /// The call between components that is prepared next.
    pub(super) prepared: Option<super::adapters::Prepared>,
    /// The thread that goes on once this one is suspended.
    pub(super) switch_to: Option<ThreadKey>,
    /// Its indices in tables of threads, and those of the calls on it, innermost last.
    pub(super) indices: Vec<OwnIndex>,
    /// Room for it, if it is not its task's first thread.
    pub(super) room: Option<Room>,
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
            excluded: false,
            storage: [0; 2],
            scopes: Vec::new(),
            prepared: None,
            switch_to: None,
            indices: Vec::new(),
            room: None,
        }
    }
}

/// The code of a thread.
pub(super) enum Body {
    /// Begins its task.
    New,
    /// Begins with a function of its creator's choice: the number of the function that calls it, its place in a table, and its argument.
    Start {
        start: u32,
        place: u32,
        argument: u32,
    },
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
    /// To be resumed by another thread of its component instance.
    Suspended,
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
            instances: FxHashMap::default(),
            activities: SlotMap::default(),
            wakes,
            ready: VecDeque::new(),
            starved: Starved::default(),
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

    /// Returns whether a wait is over.
    pub(super) fn is_over(&mut self, wait: Wait) -> bool {
        match wait {
            Wait::Yield => true,
            Wait::Suspended => false,
            Wait::Enter(place, exclusively) => !self.instance(place).is_full(exclusively),
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

    /// Records that a thread waits. Where the reason will end, it is found.
    pub(super) fn begin_wait(&mut self, key: ThreadKey, wait: Wait, cancellable: bool) -> Result<()> {
        match wait {
            Wait::Yield | Wait::Suspended | Wait::CallbackYield(_) => {}
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
            Wait::Yield | Wait::Suspended | Wait::CallbackYield(_) => {}
            Wait::Enter(place, exclusively) => {
                remove_from(&mut self.instance(place).entering[usize::from(exclusively)], key);
                self.instance_changed(place);
            }
            Wait::CallbackEvent(_, set) | Wait::Set(set) => {
                let set = self.set(set)?;
                set.waiting = set.waiting.saturating_sub(1);
                remove_from(&mut set.waiters, key);
            }
            Wait::Event(waitable) | Wait::Resolved(waitable) => {
                if let Some(waitable) = self.waitables.get_mut(waitable) {
                    waitable.waiter = None;
                }
            }
        }
        Ok(Some(wait))
    }
}
