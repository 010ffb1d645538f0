//! Deadlines of calls and limits on their CPU time, which one thread for the whole process enforces.

use std::collections::BTreeMap;
use std::io;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::cpu_clock::CpuClock;
use super::handle::InterruptHandle;
use crate::error::{CoreTrap, Error, Result, TrapKind};

/// Interval between requests to stop the same guest: the first may arrive while the guest is in the engine's code, and have no effect.
const AGAIN: Duration = Duration::from_millis(5);

/// Shortest time after which the CPU time of a call is looked at again.
const SOONEST: Duration = Duration::from_micros(200);

/// Longest time after which the CPU time of a call is looked at again: a limit may be centuries.
const LATEST: Duration = Duration::from_secs(86_400);

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
    armed: BTreeMap<u64, Watch>,
}

#[derive(Debug)]
struct Watch {
    /// Time of the next look.
    at: Instant,
    handle: InterruptHandle,
    /// `None` for a deadline.
    cpu: Option<Arc<CpuWatch>>,
}

#[derive(Debug)]
struct CpuWatch {
    clock: CpuClock,
    /// The clock's time at which the limit is reached.
    end: Duration,
    reached: AtomicBool,
}

impl Watch {
    /// Stops the guest if its time is over. Returns false if there is nothing more to watch.
    fn look(&mut self, now: Instant) -> bool {
        if let Some(cpu) = &self.cpu {
            let Ok(time) = cpu.clock.now() else { return false };
            if let Some(left) = cpu.end.checked_sub(time).filter(|left| !left.is_zero()) {
                // However fast the thread runs, it needs so long.
                self.at = now + left.clamp(SOONEST, LATEST);
                return true;
            }
            cpu.reached.store(true, Ordering::Relaxed);
        }
        self.handle.interrupt();
        self.at = now + AGAIN;
        true
    }
}

/// Stops the guest behind `handle` at `deadline` and after, until the returned value is dropped. `None` if the
/// operating system provides no thread for that: then only the host's own functions observe the deadline.
pub fn arm(deadline: Instant, handle: InterruptHandle) -> Option<Armed> {
    insert(Watch {
        at: deadline,
        handle,
        cpu: None,
    })
}

fn insert(watch: Watch) -> Option<Armed> {
    static TIMER: OnceLock<Option<&'static DeadlineTimer>> = OnceLock::new();
    let timer = (*TIMER.get_or_init(DeadlineTimer::start))?;
    let mut state = timer.lock();
    let number = state.next;
    state.next += 1;
    let soon_enough = state.looks.is_some_and(|looks| looks <= watch.at);
    state.armed.insert(number, watch);
    drop(state);
    // Waking the thread costs more than most calls take.
    if !soon_enough {
        timer.changed.notify_one();
    }
    Some(Armed { timer, number })
}

/// A limit on this thread's CPU time, which is watched until this value is dropped: on the same thread, so that the thread outlives it.
#[derive(Debug)]
pub struct ArmedCpu {
    _armed: Armed,
    watch: Arc<CpuWatch>,
    limit: Duration,
    stays: PhantomData<*const ()>,
}

impl ArmedCpu {
    /// Returns the error of a call which was watched: [`TrapKind::CpuTime`] if it was stopped because of its CPU time,
    /// otherwise the same.
    #[cold]
    pub fn explain(&self, error: Error) -> Error {
        match error {
            Error::Trap(trap)
                if *trap.kind() == TrapKind::Core(CoreTrap::Interrupted)
                    && self.watch.reached.load(Ordering::Relaxed) =>
            {
                let over = self.watch.clock.now().unwrap_or_default();
                let kind = TrapKind::CpuTime {
                    limit: self.limit,
                    used: self.limit.saturating_add(over.saturating_sub(self.watch.end)),
                };
                Error::Trap(Box::new(trap.because(kind)))
            }
            other => other,
        }
    }
}

/// Stops the guest behind `handle`, which this thread calls, once the thread has used `limit` of CPU time from now on, until the
/// returned value is dropped. The thread's host functions count too; time in which it sleeps or waits does not.
///
/// # Errors
/// [`Error::CpuLimit`] where the CPU time of threads cannot be read, or there is no thread for the timer.
pub fn arm_cpu(limit: Duration, handle: InterruptHandle) -> Result<ArmedCpu> {
    let clock = CpuClock::of_this_thread().map_err(Error::CpuLimit)?;
    let start = clock.now().map_err(Error::CpuLimit)?;
    let watch = Arc::new(CpuWatch {
        clock,
        end: start.saturating_add(limit),
        reached: AtomicBool::new(false),
    });
    let armed = insert(Watch {
        at: Instant::now() + limit.min(LATEST),
        handle,
        cpu: Some(Arc::clone(&watch)),
    });
    let armed = armed.ok_or_else(|| Error::CpuLimit(io::Error::other("there is no thread for the timer")))?;
    Ok(ArmedCpu {
        _armed: armed,
        watch,
        limit,
        stays: PhantomData,
    })
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
            state.armed.retain(|_, watch| watch.at > now || watch.look(now));
            let next = state.armed.values().map(|watch| watch.at).min();
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
