//! The threads that run guests, for others to signal.
#![allow(unsafe_code, reason = "signals and the names of threads are the system's")]

use std::cell::Cell;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::signal::SIGNAL;

/// A thread that runs guests or has run some. There are as many of them as there were threads with guests at a time: the next thread
/// uses the one of a thread that has ended.
#[derive(Debug)]
pub(super) struct Thread(Mutex<Option<libc::pthread_t>>);

/// Those of threads that have ended.
static UNUSED: Mutex<Vec<&'static Thread>> = Mutex::new(Vec::new());

/// Ends this thread's use of its [`Thread`] with the thread.
struct Used(Cell<Option<&'static Thread>>);

thread_local! {
    static CURRENT: Used = const { Used(Cell::new(None)) };
}

impl Thread {
    /// Returns this thread; `None` while its own values are dropped at its end, when nothing can signal it any more.
    #[inline]
    pub(super) fn current() -> Option<&'static Thread> {
        CURRENT
            .try_with(|used| used.0.get().unwrap_or_else(|| used.begin()))
            .ok()
    }

    /// Sends it the signal that stops guests, unless it has ended.
    pub(super) fn signal(&self) {
        let name = self.lock();
        if let Some(name) = *name {
            // SAFETY: the thread has not ended: it takes this lock before.
            let failed = unsafe { libc::pthread_kill(name, SIGNAL) };
            if failed != 0 {
                let error = std::io::Error::from_raw_os_error(failed);
                log::warn!("cannot signal the thread of a guest: {error}");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<libc::pthread_t>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Used {
    #[cold]
    fn begin(&self) -> &'static Thread {
        let unused = unused().pop();
        let thread = unused.unwrap_or_else(|| Box::leak(Box::new(Thread(Mutex::new(None)))));
        // SAFETY: has no preconditions.
        *thread.lock() = Some(unsafe { libc::pthread_self() });
        self.0.set(Some(thread));
        thread
    }
}

impl Drop for Used {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            *thread.lock() = None;
            unused().push(thread);
        }
    }
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
