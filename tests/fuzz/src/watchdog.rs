//! Ends guests that compute on: one thread, which watches one store at a time.

use std::sync::{Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use airssys_wasm::engine::InterruptHandle;

/// Between two requests: one that comes while the guest is in the host gets lost.
const AGAIN: Duration = Duration::from_millis(1);

static WATCHED: Mutex<Option<(Instant, InterruptHandle)>> = Mutex::new(None);
static CHANGED: Condvar = Condvar::new();

/// A store that is watched until this is dropped.
pub(crate) struct Watched;

/// Has the guest behind `handle` stopped, again and again, once `time` has passed.
pub(crate) fn watch(handle: InterruptHandle, time: Duration) -> Watched {
    static START: Once = Once::new();
    START.call_once(|| {
        thread::spawn(run);
    });
    *lock() = Some((Instant::now() + time, handle));
    CHANGED.notify_one();
    Watched
}

impl Drop for Watched {
    fn drop(&mut self) {
        *lock() = None;
    }
}

fn lock() -> MutexGuard<'static, Option<(Instant, InterruptHandle)>> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run() {
    let mut watched = lock();
    loop {
        watched = match &*watched {
            None => CHANGED.wait(watched).unwrap_or_else(PoisonError::into_inner),
            Some((deadline, handle)) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    handle.interrupt();
                }
                let wait = left.max(AGAIN);
                let woken = CHANGED.wait_timeout(watched, wait);
                woken.unwrap_or_else(PoisonError::into_inner).0
            }
        };
    }
}
