//! Waits of asynchronous functions and streams. The store's other tasks run meanwhile.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use airssys_wasm_component::component::{Accessor, HostResult, StoreContextMut};
use airssys_wasm_component::error::Error;

use crate::WasiCtx;
use crate::executor::{self, Timer};
use crate::io::interrupted;
use crate::view::{Attached, HasWasi};

/// The end of a wait: the deadline of the call that runs the store's tasks. That may be a later one than the call in which the wait began.
#[derive(Default)]
pub(super) struct End {
    waits: Option<Wait>,
}

/// A wait in progress.
struct Wait {
    /// Its beginning, or the last time at which others were known to go on.
    since: Instant,
    /// [`WasiCtx::progress`] at that time.
    progress: u64,
    /// The time of the next look.
    timer: Timer,
}

/// The state of a context that ends waits.
struct Terms {
    deadline: Option<Instant>,
    longest: Duration,
    progress: u64,
}

impl Terms {
    /// Returns the time at which a wait ends, or is looked at again.
    fn end(&self, since: Instant) -> Instant {
        let longest = || since.checked_add(self.longest);
        self.deadline.or_else(longest).unwrap_or(since)
    }
}

impl End {
    /// Forgets the wait: the next one begins anew.
    pub(super) fn reset(&mut self) {
        self.waits = None;
    }

    /// Waits with a stream or future that is not ready: for its guest, without a limit but the deadline. Ready if it is to `finish` instead,
    /// since its guest has given up.
    ///
    /// # Errors
    /// [`CoreTrap::Interrupted`](airssys_wasm_component::error::CoreTrap::Interrupted) at the deadline; an I/O error if the host has no
    /// threads.
    pub(super) fn poll_stream<T: Send + 'static>(
        &mut self,
        cx: &mut Context<'_>,
        store: &mut StoreContextMut<'_, T>,
        ctx: fn(&mut T) -> Attached<'_>,
        finish: bool,
    ) -> Poll<HostResult<()>> {
        if finish {
            self.reset();
            return Poll::Ready(Ok(()));
        }
        let over = ready!(self.poll(cx, false, || ctx(store.data_mut()).terms()))?;
        Poll::Ready(Err(over.into()))
    }

    /// Ready once the wait has taken its time. One that `is_limited` ends also without a deadline, if nothing else of the component goes on.
    ///
    /// # Errors
    /// If there are no threads for the executor.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        is_limited: bool,
        terms: impl FnMut() -> Terms,
    ) -> Poll<HostResult<Error>> {
        let mut terms = terms;
        let wait = match &mut self.waits {
            Some(wait) => wait,
            None => {
                executor::handle()?;
                let (since, terms) = (Instant::now(), terms());
                self.waits.insert(Wait {
                    since,
                    progress: terms.progress,
                    timer: Timer::at(terms.end(since)),
                })
            }
        };
        loop {
            ready!(wait.timer.poll(cx));
            let (now, terms) = (Instant::now(), terms());
            if terms.deadline.is_none() && (!is_limited || wait.progress != terms.progress) {
                (wait.since, wait.progress) = (now, terms.progress);
            }
            let end = terms.end(wait.since);
            if end <= now && (is_limited || terms.deadline.is_some()) {
                return Poll::Ready(Ok(interrupted()));
            }
            wait.timer = Timer::at(end);
        }
    }
}

impl WasiCtx {
    fn terms(&self) -> Terms {
        Terms {
            deadline: self.deadline,
            longest: self.limits.longest_wait,
            progress: self.progress,
        }
    }

    /// Records that a wait has ended, or that a stream has moved something.
    pub(super) fn goes_on(&mut self) {
        self.progress = self.progress.wrapping_add(1);
    }

    /// Returns the end of a wait that begins now, as of the current call.
    pub(super) fn end_of_wait(&self) -> Instant {
        self.terms().end(Instant::now())
    }
}

/// Waits until `poll` is ready.
///
/// # Errors
/// [`CoreTrap::Interrupted`](airssys_wasm_component::error::CoreTrap::Interrupted) at the deadline; an I/O error if the host has no
/// threads.
pub(super) async fn wait<T: Send + 'static, R>(
    accessor: &Accessor<T, HasWasi>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<R> + Send,
) -> HostResult<R> {
    // Timers need its threads.
    executor::handle()?;
    let mut end = End::default();
    poll_fn(move |cx| {
        if let Poll::Ready(value) = poll(cx) {
            if end.waits.is_some() {
                accessor.with(|mut store| store.get().goes_on());
            }
            return Poll::Ready(Ok(value));
        }
        let terms = || accessor.with(|mut store| store.get().terms());
        let over = ready!(end.poll(cx, true, terms))?;
        Poll::Ready(Err(over.into()))
    })
    .await
}
