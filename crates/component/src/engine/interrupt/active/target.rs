//! Stores, as targets of interruption.
#![allow(
    unsafe_code,
    reason = "the signal's handler follows a pointer to the store that runs"
)]

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use super::guest_code::GuestCode;
use super::signal;
use super::thread::Thread;
use crate::error::{CoreTrap, Error, TrapKind};

/// Set while a guest of the store runs.
const RUNNING: u64 = 1;
/// Set once that guest is to stop.
const REQUESTED: u64 = 2;
/// Number of calls into the store before. A request is for one of them.
const CALL: u64 = 4;

/// A store whose guest can be stopped.
#[derive(Debug, Default)]
pub(super) struct Target {
    code: GuestCode,
    /// The thread that runs its guest.
    thread: AtomicPtr<Thread>,
    state: AtomicU64,
    /// Calls into the store in progress, one within the other. Only the thread that runs the guest uses it.
    depth: AtomicU32,
    /// Those of them that began within a call into another store. Only that thread uses it.
    within_others: AtomicU32,
}

thread_local! {
    /// The store whose guest runs on this thread: the innermost one. Has no destructor, so that a handler may use it.
    static INNERMOST: Cell<*const Target> = const { Cell::new(ptr::null()) };
}

impl Target {
    pub(super) fn new(code: GuestCode) -> Target {
        signal::install();
        Target {
            code,
            ..Target::default()
        }
    }

    pub(super) fn code(&self) -> &GuestCode {
        &self.code
    }

    /// Requests that the guest which runs stop.
    pub(super) fn interrupt(&self) {
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            if state & RUNNING == 0 {
                return;
            }
            let requested = state | REQUESTED;
            match self
                .state
                .compare_exchange_weak(state, requested, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => break,
                Err(changed) => state = changed,
            }
        }
        // If the call has ended meanwhile, the signal finds another call, or none, and is passed over.
        // SAFETY: what it points to lives as long as the process.
        if let Some(thread) = unsafe { self.thread.load(Ordering::Acquire).as_ref() } {
            thread.signal();
        }
    }

    /// Marks that this thread calls the store's guest until the returned value is dropped.
    #[inline]
    pub(super) fn enter(&self) -> Running<'_> {
        Running {
            target: self,
            outer: self.begin(),
            stays: PhantomData,
        }
    }

    /// Sends the requests for a call in progress to this thread: a store that was entered as it was made may be called on another.
    pub(super) fn is_called_here(&self) {
        if let Some(thread) = Thread::current() {
            self.thread
                .store(ptr::from_ref(thread).cast_mut(), Ordering::Release);
        }
    }

    /// Begins a call on this thread; returns the store whose guest runs on it.
    #[inline]
    fn begin(&self) -> *const Target {
        let depth = self.depth.load(Ordering::Relaxed);
        self.depth.store(depth.wrapping_add(1), Ordering::Relaxed);
        if depth == 0 {
            let thread = Thread::current().map_or(ptr::null_mut(), |thread| ptr::from_ref(thread).cast_mut());
            self.thread.store(thread, Ordering::Release);
            // Nothing else changes the state while no guest runs.
            let state = self.state.load(Ordering::Relaxed);
            self.state.store(state | RUNNING, Ordering::Release);
        }
        let outer = INNERMOST.replace(self);
        if outer.is_null() {
            signal::forget_stopped();
        } else if !ptr::eq(outer, self) {
            let within = self.within_others.load(Ordering::Relaxed);
            self.within_others
                .store(within.wrapping_add(1), Ordering::Relaxed);
        }
        outer
    }

    /// Ends the call.
    #[inline]
    fn finish(&self, outer: *const Target) {
        INNERMOST.set(outer);
        if !outer.is_null() && !ptr::eq(outer, self) {
            let within = self.within_others.load(Ordering::Relaxed);
            self.within_others
                .store(within.wrapping_sub(1), Ordering::Relaxed);
        }
        let depth = self.depth.load(Ordering::Relaxed).wrapping_sub(1);
        self.depth.store(depth, Ordering::Relaxed);
        if depth == 0 {
            // A request that comes now has no effect: the call has ended.
            let state = self.state.load(Ordering::Relaxed) & !(RUNNING | REQUESTED);
            self.state.store(state.wrapping_add(CALL), Ordering::Release);
        }
    }

    /// Reports whether no guest of another store runs on this thread, neither around this store's calls nor within.
    pub(super) fn is_alone(&self) -> bool {
        let innermost = INNERMOST.get();
        let within = self.within_others.load(Ordering::Relaxed);
        innermost.is_null() || (ptr::eq(innermost, self) && within == 0)
    }

    /// Reports whether the guest is to stop. May be called in a signal handler.
    #[inline]
    pub(super) fn is_requested(&self) -> bool {
        self.state.load(Ordering::Acquire) & REQUESTED != 0
    }
}

/// A call into a store's guest. Stays on its thread.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    target: &'a Target,
    outer: *const Target,
    stays: PhantomData<*const ()>,
}

impl Drop for Running<'_> {
    #[inline]
    fn drop(&mut self) {
        self.target.finish(self.outer);
    }
}

/// The store of a library's thread: entered when the library creates it, since the library calls the guest at times of its own.
#[derive(Debug)]
struct OfThread {
    target: Arc<Target>,
    outer: *const Target,
    /// Dead once the store is dropped.
    store: Weak<()>,
}

impl Drop for OfThread {
    fn drop(&mut self) {
        self.target.finish(self.outer);
    }
}

thread_local! {
    static OF_THREAD: RefCell<Option<OfThread>> = const { RefCell::new(None) };
}

impl OfThread {
    /// Returns whether the store is dropped, and no call is in progress on the thread: one would come back to this store.
    fn is_over(&self) -> bool {
        self.store.strong_count() == 0 && ptr::eq(Arc::as_ptr(&self.target), INNERMOST.get())
    }
}

/// Marks that this thread calls the guest of a new store from now on, until the store is dropped. Has no effect if a guest runs on the
/// thread.
pub(super) fn enter_thread(target: Arc<Target>, store: Weak<()>) {
    leave_thread();
    // At the thread's end, no store is created.
    let _ = OF_THREAD.try_with(|of_thread| {
        if INNERMOST.get().is_null() {
            let outer = target.begin();
            *of_thread.borrow_mut() = Some(OfThread { target, outer, store });
        }
    });
}

/// Ends what [`enter_thread`] began on this thread, if it is over.
pub(super) fn leave_thread() {
    let _ = OF_THREAD.try_with(|of_thread| {
        let before = of_thread.borrow_mut().take_if(|before| before.is_over());
        drop(before);
    });
}

/// Runs what switches to another stack of this thread and back. The store whose guest runs on this stack is the same after it.
pub(crate) fn to_stack<R>(switch: impl FnOnce() -> R) -> R {
    let _innermost = Innermost(INNERMOST.get());
    switch()
}

/// The same on the other stack, which may be switched to by a call of the store that began in between, or by none: if no guest's call was
/// in progress there, that is the one afterwards.
pub(crate) fn from_stack<R>(switch: impl FnOnce() -> R) -> R {
    let innermost = INNERMOST.get();
    let switched = switch();
    if !innermost.is_null() {
        INNERMOST.set(innermost);
    }
    switched
}

/// Restores the store whose guest runs.
struct Innermost(*const Target);

impl Drop for Innermost {
    fn drop(&mut self) {
        INNERMOST.set(self.0);
    }
}

/// Calls `use_it` with the store whose guest runs on this thread. May be called in a signal handler.
#[inline]
pub(super) fn innermost<R>(use_it: impl FnOnce(&Target) -> R) -> Option<R> {
    let target = INNERMOST.get();
    // SAFETY: it is borrowed by a `Running` of this thread, or held by its `OfThread`; both replace the pointer before they end. A stack that
    // is switched to again restores it, and the handle of the stack's store, whose it is, is kept with the stack.
    unsafe { target.as_ref() }.map(use_it)
}

/// Reports whether a guest runs on this thread: it, or the host for it.
pub fn runs_here() -> bool {
    leave_thread();
    !INNERMOST.get().is_null()
}

/// Fails if the guest that runs on this thread is to stop. To be asked where a host function returns to it, and before the host calls
/// it: a request that came while the thread was in the host has no other effect.
///
/// # Errors
/// [`CoreTrap::Interrupted`].
#[inline]
pub fn check() -> Result<(), Error> {
    match innermost(Target::is_requested) {
        Some(true) => Err(stopped()),
        _ => Ok(()),
    }
}

#[cold]
fn stopped() -> Error {
    TrapKind::Core(CoreTrap::Interrupted).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_of_a_thread_is_entered_until_it_is_dropped() {
        let new = || (Arc::new(Target::new(GuestCode::default())), Arc::new(()));
        assert!(!runs_here());
        let ((first, store), (second, other)) = (new(), new());
        enter_thread(first.clone(), Arc::downgrade(&store));
        enter_thread(second.clone(), Arc::downgrade(&other));
        second.interrupt();
        assert!(check().is_ok(), "another store of a thread whose guest runs");
        first.interrupt();
        assert!(check().is_err());
        assert!(runs_here());
        drop(store);
        {
            let third = Target::new(GuestCode::default());
            let _running = third.enter();
            leave_thread();
            enter_thread(second.clone(), Arc::downgrade(&other));
            third.interrupt();
            assert!(
                check().is_err(),
                "a call in progress, which comes back to the first store"
            );
        }
        assert!(check().is_err());
        enter_thread(second.clone(), Arc::downgrade(&other));
        assert!(check().is_ok(), "the next store of the thread");
        second.interrupt();
        assert!(check().is_err());
        assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (1, 2));
        drop(other);
        assert!(!runs_here(), "a store that is dropped");
    }

    #[test]
    fn a_store_is_alone_without_calls_of_others() {
        let [target, other] = [(); 2].map(|()| Target::new(GuestCode::default()));
        assert!(target.is_alone());
        let outer = target.enter();
        assert!(target.is_alone() && !other.is_alone());
        {
            let _between = other.enter();
            assert!(!target.is_alone() && !other.is_alone());
            let _inner = target.enter();
            assert!(!target.is_alone());
            to_stack(|| {
                INNERMOST.set(ptr::null());
                assert!(other.is_alone());
            });
            assert!(!other.is_alone());
        }
        assert!(target.is_alone());
        drop(outer);
        assert!(target.is_alone() && other.is_alone());
    }

    #[test]
    fn a_request_is_for_the_call_in_progress() {
        let (target, other) = (
            Target::new(GuestCode::default()),
            Target::new(GuestCode::default()),
        );
        target.interrupt();
        {
            let _running = target.enter();
            assert!(check().is_ok(), "a request before the call");
            target.interrupt();
            assert!(check().is_err());
            {
                let _inner = other.enter();
                assert!(check().is_ok(), "a request for another store");
                let _again = target.enter();
                assert!(check().is_err(), "a request for the outer call");
            }
            assert!(check().is_err());
        }
        assert!(check().is_ok(), "no call");
        let _running = target.enter();
        assert!(check().is_ok(), "the call after");
    }
}
