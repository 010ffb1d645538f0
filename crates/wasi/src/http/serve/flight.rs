//! Shared state of a request's connection and the thread that answers it; either side may end first.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use airssys_wasm_component::internal::{InterruptHandle, timer};

/// State of a request, with the means to stop the component once the response is no longer needed.
#[derive(Default)]
pub(super) struct Flight {
    state: Mutex<State>,
    /// True if the component was stopped because its time was up.
    late: AtomicBool,
}

#[derive(Default)]
enum State {
    #[default]
    Waiting,
    Running(InterruptHandle),
    /// The response is no longer needed. A running component is being stopped.
    Cancelled {
        _stop: Option<timer::Armed>,
    },
    Ended,
}

impl Flight {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Only single assignments run under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks the start of the component. Returns false if it is not to start.
    pub(super) fn begin(&self, handle: InterruptHandle) -> bool {
        let mut state = self.lock();
        if !matches!(*state, State::Waiting) {
            return false;
        }
        *state = State::Running(handle);
        true
    }

    /// Marks the answer as no longer wanted, and stops the component if it runs.
    pub(super) fn cancel(&self) {
        let mut state = self.lock();
        match &*state {
            State::Running(handle) => {
                let stop = timer::arm(Instant::now(), handle.clone());
                *state = State::Cancelled { _stop: stop };
            }
            State::Waiting => {
                *state = State::Cancelled { _stop: None };
            }
            State::Cancelled { .. } | State::Ended => {}
        }
    }

    /// Returns whether the response is no longer needed.
    pub(super) fn is_cancelled(&self) -> bool {
        matches!(*self.lock(), State::Cancelled { .. })
    }

    /// Marks the component as stopped because its time was up.
    pub(super) fn set_late(&self) {
        self.late.store(true, Ordering::Release);
    }

    /// Returns whether the component was stopped because its time was up.
    pub(super) fn is_late(&self) -> bool {
        self.late.load(Ordering::Acquire)
    }

    /// Marks the end of the component. Returns whether the request was canceled before.
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
