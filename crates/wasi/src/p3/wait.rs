//! Waits of asynchronous functions and streams. The store's other tasks run meanwhile.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use airssys_wasm_component::component::{Accessor, HostResult};
use airssys_wasm_component::error::Error;

use crate::WasiCtx;
use crate::executor::{self, Timer};
use crate::io::interrupted;
use crate::view::HasWasi;

/// The end of a wait: the deadline of the call that runs the store's tasks. That may be a later one than the call in which the wait began.
#[derive(Default)]
pub(super) struct End {
    /// The beginning of the wait, and the end that was known last.
    waits: Option<(Instant, Timer)>,
}

impl End {
    /// Forgets the wait: the next one begins anew.
    pub(super) fn reset(&mut self) {
        self.waits = None;
    }

    /// Ready once the wait has taken its time. `when` returns the current end of a wait that began at a given time.
    ///
    /// # Errors
    /// If there are no threads for the executor.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut when: impl FnMut(Instant) -> Instant,
    ) -> Poll<HostResult<Error>> {
        let (began, timer) = match &mut self.waits {
            Some(waits) => waits,
            None => {
                executor::handle()?;
                let now = Instant::now();
                self.waits.insert((now, Timer::at(when(now))))
            }
        };
        loop {
            ready!(timer.poll(cx));
            let end = when(*began);
            if end <= Instant::now() {
                return Poll::Ready(Ok(interrupted()));
            }
            *timer = Timer::at(end);
        }
    }
}

impl WasiCtx {
    /// Returns the end of a wait that began at this time, as of the current call.
    pub(super) fn end_of_wait(&self, began: Instant) -> Instant {
        let longest = || began.checked_add(self.limits.longest_wait);
        self.deadline.or_else(longest).unwrap_or(began)
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
            return Poll::Ready(Ok(value));
        }
        let when = |began| accessor.with(|mut store| store.get().end_of_wait(began));
        let over = ready!(end.poll(cx, when))?;
        Poll::Ready(Err(over.into()))
    })
    .await
}
