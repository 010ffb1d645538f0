//! One instance on its thread: its requests, until it ends.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use airssys_wasm_component::component::Accessor;
use airssys_wasm_component::error::{Error, Result, TrapKind};
use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::call::{self, Call, Ended};
use super::queue::Place;
use super::watchdog::Watchdog;
use super::{Handler, Instance};
use crate::WasiState;
use crate::executor::{self, Timer};
use crate::http::serve::SERVE_LOG;

/// Time after which an instance without requests ends, if more of them stay than [`ServeLimits::instances`].
///
/// [`ServeLimits::instances`]: crate::http::serve::ServeLimits::instances
const IDLE: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 10 });

/// Creates an instance, and has it answer requests until it ends.
pub(super) fn run(handler: &Handler, place: &Place) {
    let mut instance = match handler.instance() {
        Ok(instance) => instance,
        Err(error) => {
            log::warn!(target: SERVE_LOG, "an instance cannot be created: {error}");
            // Its request fails, and not those that other instances can answer.
            drop(place.next());
            return;
        }
    };
    instance.store.data_mut().ctx.set_deadline(None);
    if let Err(error) = serve(handler, place, &mut instance) {
        log::warn!(target: SERVE_LOG, "an instance was stopped: {error}");
    }
}

fn serve(handler: &Handler, place: &Place, instance: &mut Instance) -> Result<()> {
    let interrupter = instance.store.interrupter();
    let handle = instance.handle.clone();
    let component = instance.instance.clone();
    let watchdog = Watchdog::new(&interrupter);
    let call = Call {
        handle: &handle,
        component: &component,
        limits: &handler.limits,
        watchdog: &watchdog,
    };
    let run = instance
        .store
        .run_concurrent(async |accessor| requests(handler, place, accessor, &call).await);
    let ran = executor::block_on(run).map_err(|source| Error::Host {
        name: super::HANDLE.join("#"),
        source: source.into(),
    })?;
    ran?
}

/// Answers requests until the instance may take no more.
async fn requests(
    handler: &Handler,
    place: &Place,
    accessor: &Accessor<WasiState>,
    call: &Call<'_>,
) -> Result<()> {
    let limits = &handler.limits;
    let mut left = limits.requests_of_instance();
    let mut running = FuturesUnordered::new();
    let mut idle_since = None;
    loop {
        if call.component.is_poisoned() {
            // By a task that outlived its request.
            return Err(TrapKind::Poisoned.into());
        }
        if place.is_closed() {
            left = 0;
        }
        while left > 0 && running.len() < limits.instance_concurrency {
            let Some(job) = place.next() else { break };
            left -= 1;
            running.push(call::answer(accessor, call, job));
        }
        let room = left.min(limits.instance_concurrency.saturating_sub(running.len()));
        place.set(running.len(), room);
        if left == 0 && running.is_empty() {
            return Ok(());
        }
        let is_idle = running.is_empty();
        // Wake-ups for requests that others have taken do not count.
        idle_since = is_idle.then(|| idle_since.unwrap_or_else(Instant::now));
        let ended = async {
            match running.next().await {
                Some(ended) => ended,
                None => pending().await,
            }
        };
        let more = poll_fn(|cx| match room {
            0 => Poll::Pending,
            _ => place.poll_more(cx, is_idle),
        });
        let mut timer = idle_since.map(|since| Timer::at(since.checked_add(IDLE).unwrap_or(since)));
        let idle = poll_fn(|cx| match &mut timer {
            Some(timer) => timer.poll(cx),
            None => Poll::Pending,
        });
        match select(pin!(ended), select(pin!(more), pin!(idle))).await {
            Either::Left((Ended::Well, _)) => {}
            // Nothing more is asked of an instance that does not do as it is asked.
            Either::Left((Ended::Last, _)) => left = 0,
            Either::Left((Ended::Failed(error), _)) => return Err(error),
            Either::Right((Either::Left(_), _)) => {}
            Either::Right((Either::Right(_), _)) if place.may_idle() => idle_since = None,
            Either::Right((Either::Right(_), _)) => return Ok(()),
        }
    }
}
