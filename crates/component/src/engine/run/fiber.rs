//! Stacks on which guest code of a store runs, can be suspended inside a host function, and is resumed later.
//!
//! wasmer runs each call of a guest on a stack of its own, and the host functions that it calls on the stack of the caller. So a
//! coroutine around the whole call can be suspended in a host function. Three things of wasmer and of this crate belong to the
//! thread, though, and each is handled at both sides of a switch:
//!
//! - The handler of traps. It is that of the call that was entered last, on whichever stack: a trap on an older stack would find
//!   the handler of a newer one, and end the process. Only an entry into a guest sets it, and sets it back at its end. So each
//!   side switches within such an entry of its own, which goes back to its own stack at once ([`entered`]). Several new fibers can
//!   share one of the resuming side, which each sets back as it ends ([`Stacks::entered`]).
//! - The list of stores that are borrowed. Each guest call adds an entry and removes the last one at its end. Of a suspended
//!   stack, all entries stay, each with one borrow: that of the host function, or of the body. If all are of one store, it does
//!   not matter which of them a stack removes. So a thread has the fibers of one store only, no guest of another store runs
//!   around or between them, and a store's fibers are all on one thread. What would break this is refused.
//! - The calls in progress, which interruption and contained panics look at. They are set back after each switch.
//!
//! Nothing unwinds a suspended stack by force, since wasmer's frames are on it. It is resumed with [`Resume::Abort`]: the host
//! function in which it was suspended returns an error, and the guest ends as by a trap.
#![allow(
    unsafe_code,
    reason = "switching stacks takes pointers, and wasmer's entry is unsafe"
)]

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use wasmer::sys::NativeEngineExt;
use wasmer::sys::vm::{StoreId, VMConfig, catch_traps, drain_stack_pool, get_stack_size, on_host_stack};
use wasmer::{AsStoreMut, Store, StoreMut};

use crate::engine::interrupt::InterruptHandle;
use crate::engine::interrupt::{from_stack, to_stack};
use crate::error::{Error, Result, TrapKind};
use crate::panics::{at_depth, contain, depth};

/// Bytes of a fiber's own stack, beside a guard page. The guest does not run on it, but the host functions that it calls do, and those of
/// guests that they call in turn. Half of what Rust gives a thread, and as much as wasmer gives guests. Only what is used takes memory.
const BYTES: usize = 1 << 20;

/// Stacks without a fiber that a store keeps.
const KEPT: usize = 16;

/// Fibers that a store can have at a time. Each has three stacks while it is suspended (its own, the guest's, and that of the entry to
/// switch in), which are two mappings each; Linux allows 65,530 of them.
const LIMIT: usize = 8_000;

/// How a suspended fiber goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    /// The host function finds that what it waited for may have come.
    Continue,
    /// The host function must return an error: the call ends. Further requests to suspend it do nothing, and return this again.
    Abort,
}

/// The state of a fiber after it was resumed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Switch<R> {
    /// It waits to be resumed.
    Suspended,
    /// Its body has returned.
    Ended(R),
}

type Outcome<R> = Option<std::result::Result<R, Box<dyn Any + Send>>>;
type Suspending = Yielder<Resume, ()>;

/// The stacks of one store, for its fibers. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Stacks(Arc<Pool>);

struct Pool {
    interrupter: InterruptHandle,
    limit: usize,
    /// Bytes of the stacks that the store's guests run on: for the entries to switch in, so that wasmer uses one for the other.
    entry: OnceLock<usize>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    free: Vec<DefaultStack>,
    live: usize,
    /// Number of fibers that were dropped while suspended.
    lost: usize,
    /// Most fibers at a time since there was none.
    peak: usize,
    /// The count of the thread that has them.
    home: Option<Arc<AtomicUsize>>,
}

impl State {
    fn check_home(&self, here: &Arc<AtomicUsize>) -> Result<()> {
        match &self.home {
            Some(home) if !Arc::ptr_eq(home, here) && self.live > 0 => Err(elsewhere()),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Pool")
            .field("limit", &self.limit)
            .field("free", &state.free.len())
            .field("live", &state.live)
            .finish_non_exhaustive()
    }
}

impl Stacks {
    /// Creates the pool of a store, whose calls enter this handle.
    pub(crate) fn new(interrupter: &InterruptHandle) -> Stacks {
        Stacks::with_limit(interrupter, LIMIT)
    }

    /// The same with another limit on fibers.
    pub(crate) fn with_limit(interrupter: &InterruptHandle, limit: usize) -> Stacks {
        Stacks(Arc::new(Pool {
            interrupter: interrupter.clone(),
            limit,
            entry: OnceLock::new(),
            state: Mutex::default(),
        }))
    }

    /// Checks that fibers of this store can be switched to and made in this place: that those which have not ended are on this thread, and that
    /// it has none of other stores, nor guests of theirs that run.
    ///
    /// # Errors
    /// [`Error::SuspendedCalls`].
    pub(crate) fn check_here(&self, store: StoreId) -> Result<()> {
        self.check_switch()?;
        let here = here(store)?;
        self.0.state().check_home(&here)
    }

    /// Checks that the thread may switch between stacks: that no guest of another store runs on it.
    ///
    /// # Errors
    /// [`Error::SuspendedCalls`].
    pub(crate) fn check_switch(&self) -> Result<()> {
        self.0.check_switch()
    }

    /// Returns the error of a store whose fibers are on another thread.
    #[cold]
    pub(crate) fn elsewhere(&self) -> Error {
        elsewhere()
    }

    /// Runs code within an entry into the engine, in which new fibers begin without one of their own, if it passes the entry on to
    /// [`Fiber::resume`]. To be left before code of the host's runs once the entry is not [intact](EngineEntry::is_intact) any more.
    ///
    /// # Errors
    /// [`TrapKind::Limit`] if there is no memory for the engine's stack.
    ///
    /// # Panics
    /// If the code does.
    pub(crate) fn entered<R>(
        &self,
        store: &mut StoreMut<'_>,
        run: impl FnOnce(&mut StoreMut<'_>, &EngineEntry) -> R,
    ) -> Result<R> {
        let bytes = self.0.entry_bytes(store);
        let depth = depth();
        let (mut run, mut result) = (Some(run), None);
        let mut body = || {
            let entry = EngineEntry {
                intact: Cell::new(true),
            };
            let run = || run.take().map(|run| at_depth(depth, || run(store, &entry)));
            result = Some(catch_unwind(AssertUnwindSafe(run)));
        };
        let body: *mut (dyn FnMut() + '_) = &mut body;
        // SAFETY: only the lifetime is another: it is called once, before this function returns.
        let body: *mut (dyn FnMut() + 'static) = unsafe { mem::transmute(body) };
        // SAFETY: it is borrowed above, and used nowhere else until the entry has ended.
        entered(Some(bytes), move || unsafe { (*body)() })?;
        match result {
            Some(Ok(Some(result))) => Ok(result),
            Some(Err(panic)) => resume_unwind(panic),
            Some(Ok(None)) | None => Err(Error::bug("an entry into the engine without its code")),
        }
    }

    /// Returns the error of a store that has too many fibers.
    pub(crate) fn too_many(&self) -> Error {
        self.0.too_many()
    }

    /// Returns the number of fibers that have not ended.
    pub(crate) fn live(&self) -> usize {
        self.0.state().live
    }

    /// Returns the number of fibers that were dropped while they were suspended.
    pub(crate) fn lost(&self) -> usize {
        self.0.state().lost
    }
}

/// An entry into the engine that [`Stacks::entered`] has made.
pub(crate) struct EngineEntry {
    /// True if the thread's handler of traps is that of this entry.
    intact: Cell<bool>,
}

impl EngineEntry {
    /// Returns whether no fiber that began in this entry is suspended. Otherwise, the thread's handler of traps is that of the fiber, whose
    /// stack may end.
    pub(crate) fn is_intact(&self) -> bool {
        self.intact.get()
    }
}

#[cold]
fn elsewhere() -> Error {
    Error::SuspendedCalls("those of this store are on another thread: let them end there, or call it there")
}

impl Pool {
    /// Returns the bytes of the stack for an entry to switch in.
    fn entry_bytes(&self, store: &StoreMut<'_>) -> usize {
        *self.entry.get_or_init(|| {
            let bytes = store.engine().tunables().vmconfig().wasm_stack_size;
            bytes.unwrap_or_else(get_stack_size)
        })
    }

    /// Checks that the thread may switch between stacks.
    fn check_switch(&self) -> Result<()> {
        if thread::panicking() {
            return Err(Error::SuspendedCalls(
                "none is suspended or resumed during a panic",
            ));
        }
        match self.interrupter.is_alone() {
            true => Ok(()),
            false => Err(Error::SuspendedCalls(
                "none is suspended or resumed within a call of another store: use another thread for one of the stores",
            )),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cold]
    fn too_many(&self) -> Error {
        let message = format!(
            "{} calls at a time that can be suspended in a store; let some end first",
            self.limit
        );
        TrapKind::Limit(message).into()
    }

    /// Takes a stack for a fiber on this thread, and counts it in both.
    fn take(&self, store: StoreId) -> Result<(DefaultStack, Arc<AtomicUsize>)> {
        let mut state = self.state();
        let here = here(store)?;
        state.check_home(&here)?;
        if state.live >= self.limit {
            return Err(self.too_many());
        }
        let stack = match state.free.pop() {
            Some(stack) => stack,
            None => DefaultStack::new(BYTES).map_err(no_memory)?,
        };
        state.live += 1;
        state.peak = state.peak.max(state.live);
        if !state.home.as_ref().is_some_and(|home| Arc::ptr_eq(home, &here)) {
            state.home = Some(Arc::clone(&here));
        }
        here.fetch_add(1, Ordering::AcqRel);
        Ok((stack, here))
    }

    /// Takes back what an ended fiber had; `None` for a stack that is left as it is.
    fn give_back(&self, stack: Option<DefaultStack>, here: &AtomicUsize) {
        let mut state = self.state();
        state.live -= 1;
        here.fetch_sub(1, Ordering::AcqRel);
        let surplus = match stack {
            Some(stack) if state.free.len() < KEPT => {
                state.free.push(stack);
                None
            }
            surplus => surplus,
        };
        let had_many = state.live == 0 && mem::take(&mut state.peak) > KEPT;
        drop(state);
        drop(surplus);
        if had_many {
            // wasmer keeps the stacks of all these guests, for no more calls at a time than there usually are.
            drain_stack_pool();
        }
    }
}

#[cold]
fn no_memory(error: std::io::Error) -> Error {
    let message = format!("no memory for the stack of a call that can be suspended, {BYTES} bytes: {error}");
    TrapKind::Limit(message).into()
}

/// The fibers of a thread.
struct Here {
    store: Cell<Option<StoreId>>,
    /// Number of fibers that have not ended. Others decrement it when they drop one.
    count: Arc<AtomicUsize>,
}

thread_local! {
    static HERE: Here = Here { store: Cell::new(None), count: Arc::default() };
    /// The fiber that runs on this thread: the innermost one.
    static CURRENT: Cell<*const Current> = const { Cell::new(ptr::null()) };
}

/// Returns the number of fibers on this thread, if they may be of this store.
fn here(store: StoreId) -> Result<Arc<AtomicUsize>> {
    let here = HERE.try_with(|here| {
        if here.count.load(Ordering::Acquire) == 0 {
            here.store.set(Some(store));
        }
        (here.store.get() == Some(store)).then(|| Arc::clone(&here.count))
    });
    match here {
        Ok(Some(here)) => Ok(here),
        Ok(None) => Err(Error::SuspendedCalls(
            "this thread has some of another store: let them end first, or use another thread",
        )),
        Err(_) => Err(Error::SuspendedCalls(
            "this thread is about to end: use another thread",
        )),
    }
}

/// The part of a fiber that code on it finds.
struct Current {
    store: StoreId,
    pool: Arc<Pool>,
    /// Set when the body begins. It is on the fiber's stack.
    suspending: Cell<*const Suspending>,
    aborted: Cell<bool>,
}

impl Current {
    /// Checks what both sides of a switch must observe.
    fn check(&self, store: &mut StoreMut<'_>) -> Result<()> {
        if store.objects_mut().id() != self.store {
            return Err(Error::WrongStore("a call that can be suspended"));
        }
        self.pool.check_switch()
    }
}

/// Restores the fiber that ran before.
struct Outer(*const Current);

impl Drop for Outer {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

/// A call on a stack of its own. Stays on the thread that made it.
///
/// The owner resumes it until it has ended, with [`Resume::Abort`] if need be. One that is dropped while it is suspended, or on another
/// thread, leaves its memory behind, with all that is on its stacks: neither can be unwound then. Its store remains usable.
pub(crate) struct Fiber<R: 'static> {
    /// `None` once it has ended.
    coroutine: Option<Coroutine<Resume, (), Outcome<R>>>,
    current: Box<Current>,
    /// The number of fibers on its thread, which is also how that thread is recognized.
    here: Arc<AtomicUsize>,
}

// SAFETY: on a thread other than the one that made it, it is neither resumed nor are the parts that are not `Send` (the body, and what is on
// the stack) dropped: `resume` and `drop` compare the thread's count, which is the thread's own as long as this value has it.
unsafe impl<R: 'static> Send for Fiber<R> {}

impl<R: 'static> fmt::Debug for Fiber<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fiber")
            .field("store", &self.current.store)
            .field("ended", &self.coroutine.is_none())
            .finish_non_exhaustive()
    }
}

impl<R: 'static> Fiber<R> {
    /// Creates a fiber of this store, whose `body` runs from the first [`resume`](Fiber::resume) on.
    ///
    /// # Errors
    /// [`TrapKind::Limit`] if the store has too many, or there is no memory for a stack; [`Error::SuspendedCalls`] if the thread has
    /// fibers of another store, or another thread has fibers of this store.
    pub(crate) fn new(
        stacks: &Stacks,
        store: &mut StoreMut<'_>,
        body: impl FnOnce(&mut StoreMut<'_>) -> R + 'static,
    ) -> Result<Fiber<R>> {
        let pool = Arc::clone(&stacks.0);
        pool.entry_bytes(store);
        let store = store.objects_mut().id();
        let (stack, here) = pool.take(store)?;
        let coroutine = Coroutine::with_stack(stack, move |suspending: &Suspending, _: Resume| {
            // SAFETY: `resume` has set it, and keeps it until this stack switches back.
            if let Some(current) = unsafe { CURRENT.get().as_ref() } {
                current.suspending.set(suspending);
            }
            // The store that `resume` has parked. The panic ends within, where the borrow is given back as after other bodies.
            Store::with_current(|store| catch_unwind(AssertUnwindSafe(|| body(store))))
        });
        Ok(Fiber {
            coroutine: Some(coroutine),
            current: Box::new(Current {
                store,
                pool,
                suspending: Cell::new(ptr::null()),
                aborted: Cell::new(false),
            }),
            here,
        })
    }

    /// Returns whether the body has returned or panicked.
    #[cfg(test)]
    pub(crate) fn has_ended(&self) -> bool {
        self.coroutine.is_none()
    }

    /// Runs it until it suspends or ends. A body that has not begun runs also to be aborted, and is at the first attempt to suspend.
    ///
    /// # Errors
    /// [`Error::SuspendedCalls`] on another thread, within a call of another store, and during a panic; [`Error::WrongStore`];
    /// [`Error::Bug`] if it has ended; [`TrapKind::Panicked`] if there is no memory for the engine's stack. Then it is as before.
    ///
    /// # Panics
    /// If the body panics, with its panic.
    pub(crate) fn resume(&mut self, store: &mut StoreMut<'_>, with: Resume) -> Result<Switch<R>> {
        self.resume_in(None, store, with)
    }

    /// As [`Fiber::resume`], in an entry into the engine that no guest's frame is above: a fiber that begins and ends in it sets the thread's
    /// handler of traps back itself.
    pub(crate) fn resume_in(
        &mut self,
        entry: Option<&EngineEntry>,
        store: &mut StoreMut<'_>,
        with: Resume,
    ) -> Result<Switch<R>> {
        self.current.check(store)?;
        if !self.is_here() {
            return Err(Error::SuspendedCalls(
                "they are resumed on the thread that began them",
            ));
        }
        let Some(coroutine) = self.coroutine.as_mut() else {
            return Err(Error::bug("a call is resumed that has ended"));
        };
        if with == Resume::Abort {
            self.current.aborted.set(true);
        }
        let entry = entry.filter(|entry| entry.is_intact() && !coroutine.started());
        let coroutine = ptr::from_mut(coroutine);
        let bytes = self.current.pool.entry.get().copied();
        let depth = depth();
        let outer = Outer(CURRENT.replace(&*self.current));
        let switched = to_stack(|| {
            store.parked(|| {
                // SAFETY: `self` has the coroutine and is borrowed until the switch back.
                let switch = move || at_depth(depth, || unsafe { (*coroutine).resume(with) });
                match entry {
                    Some(_) => Ok(switch()),
                    None => entered(bytes, switch),
                }
            })
        });
        drop(outer);
        match switched? {
            CoroutineResult::Yield(()) => {
                if let Some(entry) = entry {
                    entry.intact.set(false);
                }
                Ok(Switch::Suspended)
            }
            CoroutineResult::Return(outcome) => {
                let stack = self.coroutine.take().map(Coroutine::into_stack);
                self.current.pool.give_back(stack, &self.here);
                match outcome {
                    Some(Ok(result)) => Ok(Switch::Ended(result)),
                    Some(Err(panic)) => resume_unwind(panic),
                    None => Err(Error::bug("the store of a resumed call is borrowed")),
                }
            }
        }
    }

    /// Returns whether it is on this thread.
    pub(crate) fn is_here(&self) -> bool {
        HERE.try_with(|here| Arc::ptr_eq(&here.count, &self.here))
            .unwrap_or(false)
    }
}

impl<R: 'static> Drop for Fiber<R> {
    fn drop(&mut self) {
        let Some(coroutine) = self.coroutine.take() else {
            return;
        };
        if !coroutine.started() && self.is_here() {
            // Drops the body, and unmaps the stack.
            drop(coroutine);
        } else {
            // To unwind it by force would take a panic through wasmer's frames.
            mem::forget(coroutine);
            self.current.pool.state().lost += 1;
            log::warn!("a suspended call is dropped without being ended: its memory is lost");
        }
        self.current.pool.give_back(None, &self.here);
    }
}

/// Suspends the fiber that this code runs on, and returns how it was resumed; at once if it is aborted already. To be called in a host
/// function, with its borrow of the store.
///
/// Others use the store meanwhile, by borrows of their own: nothing of it may be kept across the call but handles.
///
/// # Errors
/// [`Error::SuspendedCalls`] if the code does not run on a fiber, or within a call of another store, or during a panic;
/// [`Error::WrongStore`] if the fiber is another store's; [`TrapKind::Panicked`] if there is no memory for the engine's stack.
pub(crate) fn suspend(store: &mut StoreMut<'_>) -> Result<Resume> {
    // SAFETY: `resume` keeps it while the fiber runs, and has it again when it goes on: the reference is not used in between.
    let Some(current) = (unsafe { CURRENT.get().as_ref() }) else {
        return Err(Error::SuspendedCalls(
            "a call that was not begun so that it can be suspended is to wait: begin it as an asynchronous one",
        ));
    };
    current.check(store)?;
    if current.aborted.get() {
        return Ok(Resume::Abort);
    }
    let suspending = current.suspending.get();
    let bytes = current.pool.entry.get().copied();
    // The borrow is parked, so that nothing on this stack uses it until the resumer, which has the store by then, switches back. wasmer's own
    // frames on this stack go on with their pointers to the same store, whose address does not change.
    from_stack(|| {
        store.parked(|| {
            // SAFETY: it is at the root of the stack on which this code runs.
            entered(bytes, move || unsafe { (*suspending).suspend(()) })
        })
    })
}

/// Reports whether the code runs on a fiber of this store.
#[cfg(test)]
pub(crate) fn is_running(store: &mut StoreMut<'_>) -> bool {
    let store = store.objects_mut().id();
    // SAFETY: `resume` keeps it while the fiber runs.
    unsafe { CURRENT.get().as_ref() }.is_some_and(|current| current.store == store)
}

/// Runs what switches to another stack and back within an entry into the engine. The thread's handler of traps, which that entry sets,
/// is the same after it as before it, whatever other stacks did to it. So is the number of contained calls.
fn entered<T: 'static>(bytes: Option<usize>, switch: impl FnOnce() -> T + 'static) -> Result<T> {
    let config = VMConfig {
        wasm_stack_size: bytes,
    };
    let entered = contain("the engine", || {
        // SAFETY: `switch` traps on no stack but its own, where nothing of it is to be dropped, and it is run on the stack that this code runs
        // on: where the engine has the place to unwind to is not seen from it.
        unsafe { catch_traps(None, &config, move || on_host_stack(switch)) }
    });
    match entered {
        Ok(Ok(switched)) => Ok(switched),
        Ok(Err(_)) => Err(TrapKind::Limit("no memory for the stack of signals".into()).into()),
        Err(panicked) => Err(panicked.trap()),
    }
}

#[cfg(all(test, feature = "compile"))]
mod tests;
