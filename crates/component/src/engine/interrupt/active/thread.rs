//! The threads that run guests, for others to signal.
#![allow(unsafe_code, reason = "signals and the names of threads are the system's")]

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::signal::SIGNAL;

/// A thread that runs guests or has run some. There are as many of them as there were threads with guests at a time: the next thread
/// uses the one of a thread that has ended.
#[derive(Debug, Default)]
pub(super) struct Thread {
    /// Its name, an address on some systems; `None` once it has ended.
    name: Mutex<Option<usize>>,
    /// Set when the signal is sent. Others may send it, too, for purposes of their own.
    sent: AtomicBool,
}

/// Those of threads that have ended.
static UNUSED: Mutex<Vec<&'static Thread>> = Mutex::new(Vec::new());

thread_local! {
    /// Has no destructor, so that a handler may use it.
    static CURRENT: Cell<Option<&'static Thread>> = const { Cell::new(None) };
    static END: End = const { End };
}

/// Ends this thread's use of its [`Thread`] with the thread.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        if let Some(thread) = CURRENT.take() {
            *thread.lock() = None;
            unused().push(thread);
        }
    }
}

impl Thread {
    /// Returns this thread; `None` while its own values are dropped at its end: a guest that runs then is not signalled, and stops where a
    /// host function returns to it.
    #[inline]
    pub(super) fn current() -> Option<&'static Thread> {
        match CURRENT.get() {
            None => Thread::begin(),
            current => current,
        }
    }

    #[cold]
    fn begin() -> Option<&'static Thread> {
        END.try_with(|_| ()).ok()?;
        let unused = unused().pop();
        let thread = unused.unwrap_or_else(|| Box::leak(Box::default()));
        // SAFETY: has no preconditions.
        *thread.lock() = Some(unsafe { libc::pthread_self() } as usize);
        // For the thread before, which may have ended first.
        thread.sent.store(false, Ordering::Release);
        CURRENT.set(Some(thread));
        Some(thread)
    }

    /// Sends it the signal that stops guests, unless it has ended.
    pub(super) fn signal(&self) {
        let name = self.lock();
        let Some(name) = *name else { return };
        self.sent.store(true, Ordering::Release);
        // SAFETY: the thread has not ended: it takes this lock before.
        let failed = unsafe { libc::pthread_kill(name as libc::pthread_t, SIGNAL) };
        if failed != 0 {
            let error = std::io::Error::from_raw_os_error(failed);
            log::warn!("cannot signal the thread of a guest: {error}");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<usize>> {
        self.name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reports whether this thread's signal was sent by [`Thread::signal`]. Several that come together are one. May be called in the signal's
/// handler.
pub(super) fn take_sent() -> bool {
    let sent = |thread: &Thread| thread.sent.swap(false, Ordering::AcqRel);
    CURRENT.get().is_some_and(sent)
}

fn unused() -> MutexGuard<'static, Vec<&'static Thread>> {
    UNUSED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_thread_uses_what_an_earlier_one_has_left() {
        let address =
            || std::thread::spawn(|| Thread::current().map(|thread| std::ptr::from_ref(thread).addr()));
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..100 {
            seen.insert(address().join().expect("it ends").expect("a thread has one"));
        }
        // Other tests run threads meanwhile.
        assert!(seen.len() < 50, "{} of 100", seen.len());
    }
}
