//! Waiting: the only place where guests block.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::executor;
use airssys_wasm_component::component::HostResult;
use airssys_wasm_component::error::{CoreTrap, Error, TrapKind};

/// A callback that runs before a guest's thread sleeps.
pub(crate) type BeforeWait = Arc<dyn Fn() + Send + Sync>;

/// The time for which the current call may wait.
#[derive(Clone)]
pub(crate) struct Patience {
    deadline: Instant,
    before: Option<BeforeWait>,
}

impl Patience {
    /// Waits until the call's deadline; a call without one waits for `longest` at most.
    pub(crate) fn new(deadline: Option<Instant>, longest: Duration, before: Option<BeforeWait>) -> Patience {
        let now = Instant::now();
        let deadline = deadline.or_else(|| now.checked_add(longest)).unwrap_or(now);
        Patience { deadline, before }
    }

    /// Waits until `poll` is ready. Sleeps in between, under tokio's runtime.
    ///
    /// # Errors
    /// [`CoreTrap::Interrupted`] at the deadline; an I/O error if the host has no threads.
    pub(crate) fn wait<R>(&self, mut poll: impl FnMut(&mut Context<'_>) -> Poll<R>) -> HostResult<R> {
        let mut before = self.before.as_ref();
        let waited = executor::wait(self.deadline, |cx| {
            let polled = poll(cx);
            if polled.is_pending()
                && let Some(before) = before.take()
            {
                before();
            }
            polled
        });
        waited?.ok_or_else(|| interrupted().into())
    }

    /// Checks the deadline, for loops that wait repeatedly.
    ///
    /// # Errors
    /// [`CoreTrap::Interrupted`] after the deadline.
    pub(crate) fn check(&self) -> HostResult<()> {
        match Instant::now() < self.deadline {
            true => Ok(()),
            false => Err(interrupted().into()),
        }
    }
}

/// Creates the trap of a call whose time is up.
pub(crate) fn interrupted() -> Error {
    Error::from(TrapKind::Core(CoreTrap::Interrupted))
}
