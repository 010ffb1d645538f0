//! A request between its connection and the thread that answers it: either side may end first.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
#[cfg(all(unix, feature = "interrupt"))]
use std::time::Instant;

#[cfg(all(unix, feature = "interrupt"))]
use airssys_wasm_component::engine::{InterruptHandle, watchdog};

/// Whether anybody still wants the answer, and how to stop the component if nobody does.
#[derive(Default)]
pub(super) struct Flight {
    state: Mutex<State>,
    /// Whether the component was stopped because its time was up.
    late: AtomicBool,
}

#[derive(Default)]
enum State {
    #[default]
    Waiting,
    #[cfg(all(unix, feature = "interrupt"))]
    Running(InterruptHandle),
    #[cfg(not(all(unix, feature = "interrupt")))]
    Running,
    /// Nobody wants the answer. The component is being stopped if it runs.
    Cancelled {
        #[cfg(all(unix, feature = "interrupt"))]
        _stop: Option<watchdog::Armed>,
    },
    Ended,
}

impl Flight {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Single assignments only.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The component begins. Whether it is to.
    pub(super) fn begin(&self, #[cfg(all(unix, feature = "interrupt"))] handle: InterruptHandle) -> bool {
        let mut state = self.lock();
        if !matches!(*state, State::Waiting) {
            return false;
        }
        #[cfg(all(unix, feature = "interrupt"))]
        {
            *state = State::Running(handle);
        }
        #[cfg(not(all(unix, feature = "interrupt")))]
        {
            *state = State::Running;
        }
        true
    }

    /// Nobody wants the answer any more.
    pub(super) fn cancel(&self) {
        let mut state = self.lock();
        match &*state {
            #[cfg(all(unix, feature = "interrupt"))]
            State::Running(handle) => {
                let stop = watchdog::arm(Instant::now(), handle.clone());
                *state = State::Cancelled { _stop: stop };
            }
            #[cfg(not(all(unix, feature = "interrupt")))]
            State::Running => *state = State::Cancelled {},
            State::Waiting => {
                *state = State::Cancelled {
                    #[cfg(all(unix, feature = "interrupt"))]
                    _stop: None,
                };
            }
            State::Cancelled { .. } | State::Ended => {}
        }
    }

    /// Whether nobody wants the answer.
    pub(super) fn is_cancelled(&self) -> bool {
        matches!(*self.lock(), State::Cancelled { .. })
    }

    /// The component's time was up.
    pub(super) fn set_late(&self) {
        self.late.store(true, Ordering::Release);
    }

    /// Whether the component's time was up.
    pub(super) fn is_late(&self) -> bool {
        self.late.load(Ordering::Acquire)
    }

    /// The component has ended. Whether somebody had wanted that.
    pub(super) fn end(&self) -> bool {
        let mut state = self.lock();
        let cancelled = matches!(*state, State::Cancelled { .. });
        *state = State::Ended;
        cancelled
    }
}

impl fmt::Debug for Flight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flight")
    }
}
