//! One request, as a task of an instance.

use std::future::{Future, poll_fn, ready};
use std::pin::pin;
use std::time::Instant;

use airssys_wasm_component::component::{self, Accessor, CallTask, Resource};
use airssys_wasm_component::error::{Error, Result};
use futures_util::future::{Either, join, select};

use super::passed::{Entry, Passed};
use super::queue::{Job, cancelled};
use super::watchdog::{Watchdog, Watched};
use super::{GRACE, Handle};
use crate::WasiState;
use crate::bindings::wasi::http::types::ErrorCode;
use crate::executor::Timer;
use crate::http::response::Answer;
use crate::http::serve::component::misfit;
use crate::http::serve::{SERVE_LOG, ServeLimits};
use crate::link::attached;
use crate::p3::http::{Request, Response, Rest};
use crate::view::HasWasi;

/// The function, its instance, and the limits of its calls.
pub(super) struct Call<'a> {
    pub(super) handle: &'a Handle,
    pub(super) component: &'a component::Instance,
    pub(super) limits: &'a ServeLimits,
    pub(super) watchdog: &'a Watchdog<'a>,
}

/// The end of a request.
pub(super) enum Ended {
    Well,
    /// The instance is to take no more requests: a task goes on after its time, or there was no room for one.
    Last,
    /// The instance has failed.
    Failed(Error),
}

impl Call<'_> {
    /// Returns the end of a request with an error, which is that of the whole instance if it was a trap.
    fn failed(&self, error: Error) -> Ended {
        log::warn!(target: SERVE_LOG, "a request failed: {error}");
        match self.component.is_poisoned() {
            true => Ended::Failed(error),
            false => Ended::Last,
        }
    }
}

type Answered = Result<Result<Resource<Response>, ErrorCode>>;

/// Converts the answer of a component, and begins to send its response.
fn respond(accessor: &Accessor<WasiState>, answered: Answered) -> Result<(Answer, Option<Rest>)> {
    let response = match answered? {
        Ok(response) => response,
        Err(error) => return Ok((Err(error), None)),
    };
    let accessor = accessor.with_getter::<HasWasi>(attached);
    let sent = accessor.with(|mut store| {
        let response: Response = store.get().table.delete(response)?;
        response.send(&mut store)
    });
    let sent = sent.map_err(|source| Error::Host {
        name: super::HANDLE.join("#"),
        source,
    })?;
    Ok(match sent {
        Ok(response) => {
            let (head, outbound) = response.into_parts();
            let (body, rest) = outbound.into_parts();
            (Ok(http::Response::from_parts(head, body)), Some(rest))
        }
        Err(error) => (Err(error), None),
    })
}

/// Answers a request, and waits for the end of its task and of the response's body.
pub(super) async fn answer(accessor: &Accessor<WasiState>, call: &Call<'_>, job: Job) -> Ended {
    let Job {
        request,
        answer,
        mut gone,
        deadline,
        ..
    } = job;
    let now = Instant::now();
    let end = now.checked_add(call.limits.request_time).unwrap_or(now);
    let _ = deadline.set(end);
    let stop = end.checked_add(GRACE).unwrap_or(end);
    // Only for a guest that computes: otherwise the end comes first.
    let watched = call.watchdog.watch(stop);
    let begun = accessor.with(|mut store| {
        let ctx = &mut store.data_mut().ctx;
        // A wait that blocks the thread ends then. The tasks' own waits are cancelled before.
        ctx.set_deadline(Some(stop.checked_add(GRACE).unwrap_or(stop)));
        let request = request.into_resource(&ctx.http)?;
        store
            .data_mut()
            .table
            .push(Request::received(request))
            .map_err(misfit)
    });
    let (request, entry) = match begun {
        Ok(request) => Passed::new(request),
        Err(error) => {
            log::warn!(target: SERVE_LOG, "a request failed: {error}");
            return Ended::Well;
        }
    };
    let (result, mut task) = match call.handle.begin_concurrent(accessor, (request,)) {
        Ok(begun) => begun,
        Err(error) => {
            accessor.with(|mut store| entry.remove(&mut store.data_mut().table));
            return call.failed(error);
        }
    };
    let mut result = pin!(async move { result.await.map(|(answered,)| answered) });
    let mut timer = Timer::at(end);
    let over = pin!(poll_fn(|cx| timer.poll(cx)));
    let cancelled = pin!(cancelled(&mut gone));
    let mut over = select(over, cancelled);
    let answered = match select(result.as_mut(), &mut over).await {
        Either::Left((answered, _)) => answered,
        Either::Right(_) => {
            let unneeded = async {
                if let Ok(Ok(response)) = result.await {
                    let response = accessor.with(|mut store| store.data_mut().table.delete(response));
                    drop(response);
                }
            };
            return outlive(accessor, &watched, (task, entry), unneeded).await;
        }
    };
    let mut rest = match respond(accessor, answered) {
        Ok((response, rest)) => {
            // The client may be gone.
            let _ = answer.send(response);
            rest
        }
        Err(error) => {
            drop(answer);
            // Of a response that could not be sent, the task goes on.
            outlive(accessor, &watched, (task, entry), ready(())).await;
            return call.failed(error);
        }
    };
    if let Either::Right(_) = select(&mut task, &mut over).await {
        if let Some(rest) = &rest {
            rest.cut();
        }
        return outlive(accessor, &watched, (task, entry), ready(())).await;
    }
    if let Some(error) = task.take_failure() {
        return call.failed(error);
    }
    // The host goes on with a stream of its own, or another's: without the instance, it would end.
    if let Some(rest) = &mut rest
        && let Either::Right(_) = select(pin!(poll_fn(|cx| rest.poll_end(cx))), &mut over).await
    {
        rest.cut();
    }
    Ended::Well
}

/// Cancels a task, and waits for its end. `unneeded` drops the response that it may return nevertheless, so that it does not wait for the
/// reader of its body.
async fn outlive(
    accessor: &Accessor<WasiState>,
    watched: &Watched<'_>,
    (task, entry): (CallTask, Entry),
    unneeded: impl Future<Output = ()>,
) -> Ended {
    task.cancel();
    let now = Instant::now();
    let end = now.checked_add(GRACE).unwrap_or(now);
    // Later than that, if the guest computes.
    watched.extend(end.checked_add(GRACE).unwrap_or(end));
    let mut timer = Timer::at(end);
    match select(pin!(join(task, unneeded)), pin!(poll_fn(|cx| timer.poll(cx)))).await {
        Either::Left(_) => {
            accessor.with(|mut store| entry.remove(&mut store.data_mut().table));
            Ended::Well
        }
        Either::Right(_) => {
            log::warn!(target: SERVE_LOG, "a task goes on after its request; its instance ends with its last request");
            Ended::Last
        }
    }
}
