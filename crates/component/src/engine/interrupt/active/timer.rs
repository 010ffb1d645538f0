//! Deadlines of calls, which one thread for the whole process enforces.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::handle::InterruptHandle;

/// Interval between requests to stop the same guest: the first may arrive while the guest is in the host, and get lost.
const AGAIN: Duration = Duration::from_millis(5);

/// A deadline that is watched until this value is dropped.
#[derive(Debug)]
pub struct Armed {
    timer: &'static DeadlineTimer,
    number: u64,
}

#[derive(Debug, Default)]
struct DeadlineTimer {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// Time at which the thread wakes by itself; `None` while it waits for a first deadline.
    looks: Option<Instant>,
    armed: BTreeMap<u64, (Instant, InterruptHandle)>,
}

/// Stops the guest behind `handle` at `deadline` and after, until the returned value is dropped. `None` if the
/// operating system provides no thread for that: then only the host's own functions observe the deadline.
pub fn arm(deadline: Instant, handle: InterruptHandle) -> Option<Armed> {
    static TIMER: OnceLock<Option<&'static DeadlineTimer>> = OnceLock::new();
    let timer = (*TIMER.get_or_init(DeadlineTimer::start))?;
    let mut state = timer.lock();
    let number = state.next;
    state.next += 1;
    state.armed.insert(number, (deadline, handle));
    let soon_enough = state.looks.is_some_and(|looks| looks <= deadline);
    drop(state);
    // Waking the thread costs more than most calls take.
    if !soon_enough {
        timer.changed.notify_one();
    }
    Some(Armed { timer, number })
}

impl Drop for Armed {
    fn drop(&mut self) {
        self.timer.lock().armed.remove(&self.number);
    }
}

impl DeadlineTimer {
    /// Starts the timer, which lives as long as the process.
    fn start() -> Option<&'static DeadlineTimer> {
        let timer: &'static DeadlineTimer = Box::leak(Box::default());
        let thread = thread::Builder::new().name("airssys-wasm-deadlines".into());
        match thread.spawn(|| timer.run()) {
            Ok(_) => Some(timer),
            Err(error) => {
                log::warn!(
                    "cannot spawn the deadline thread: {error}; guests that exceed their deadline are not interrupted"
                );
                None
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while it was held left at worst a step undone; the data stays consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            for (deadline, handle) in state.armed.values_mut() {
                if *deadline <= now {
                    handle.interrupt();
                    *deadline = now + AGAIN;
                }
            }
            let next = state.armed.values().map(|(deadline, _)| *deadline).min();
            // A deadline that is removed leaves one wake-up without effect.
            state.looks = next;
            state = match next {
                Some(next) => {
                    let wait = next.saturating_duration_since(now);
                    self.changed
                        .wait_timeout(state, wait)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}
