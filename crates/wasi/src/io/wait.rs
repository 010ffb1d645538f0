//! The one way in which guests wait.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::executor;
use airssys_wasm_component::component::HostResult;
use airssys_wasm_component::error::{CoreTrap, Error, TrapKind};

/// A step that is taken before a guest's thread sleeps.
pub(crate) type BeforeWait = Arc<dyn Fn() + Send + Sync>;

/// How long the call in flight may wait.
#[derive(Clone)]
pub(crate) struct Patience {
    deadline: Instant,
    before: Option<BeforeWait>,
}

impl Patience {
    /// Until the call's deadline, or for the longest wait if it has none.
    pub(crate) fn new(deadline: Option<Instant>, longest: Duration, before: Option<BeforeWait>) -> Patience {
        let now = Instant::now();
        let deadline = deadline.or_else(|| now.checked_add(longest)).unwrap_or(now);
        Patience { deadline, before }
    }

    /// Waits until `poll` is ready. Sleeps in between, under tokio's runtime.
    ///
    /// # Errors
    /// [`CoreTrap::Interrupted`] at the deadline; whatever the host has no threads for.
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

    /// For loops that wait for something again and again.
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

fn interrupted() -> Error {
    Error::from(TrapKind::Core(CoreTrap::Interrupted))
}
