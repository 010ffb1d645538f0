//! Stores, as targets of interruption.
#![allow(
    unsafe_code,
    reason = "the signal's handler follows a pointer to the store that runs"
)]

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

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
        }
        Running {
            target: self,
            outer,
            stays: PhantomData,
        }
    }

    /// Reports whether the guest is to stop. May be called in a signal handler.
    #[inline]
    pub(super) fn is_requested(&self) -> bool {
        self.state.load(Ordering::Acquire) & REQUESTED != 0
    }
}

/// A call into a store's guest. Stays on its thread.
#[derive(Debug)]
pub struct Running<'a> {
    target: &'a Target,
    outer: *const Target,
    stays: PhantomData<*const ()>,
}

impl Drop for Running<'_> {
    #[inline]
    fn drop(&mut self) {
        INNERMOST.set(self.outer);
        let target = self.target;
        let depth = target.depth.load(Ordering::Relaxed).wrapping_sub(1);
        target.depth.store(depth, Ordering::Relaxed);
        if depth == 0 {
            // A request that comes now has no effect: the call has ended.
            let state = target.state.load(Ordering::Relaxed) & !(RUNNING | REQUESTED);
            target.state.store(state.wrapping_add(CALL), Ordering::Release);
        }
    }
}

/// Calls `use_it` with the store whose guest runs on this thread. May be called in a signal handler.
#[inline]
pub(super) fn innermost<R>(use_it: impl FnOnce(&Target) -> R) -> Option<R> {
    let target = INNERMOST.get();
    // SAFETY: it is borrowed by a `Running` of this thread, which replaces the pointer before the borrow ends.
    unsafe { target.as_ref() }.map(use_it)
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
