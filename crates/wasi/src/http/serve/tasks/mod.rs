//! Components that export `wasi:http/handler` 0.3: instances that answer several requests at a time.
//!
//! An instance has a thread of the [pool](super::pool) while it exists, and takes requests from one queue for all of them: up to
//! [`ServeLimits::instance_concurrency`] at a time, and [`ServeLimits::instance_requests`] in total. The requests of an instance wait for their
//! clients while others run, so that none of them blocks a thread.
//!
//! | event | effect |
//! |---|---|
//! | a request's time is over, or its client is gone | its task is cancelled; the others go on |
//! | its task does not end within [`GRACE`] then, or there was no room for it | the instance takes no more requests, and ends with its last one |
//! | it computes without end | the instance is stopped [`GRACE`] after the time of all its requests is over |
//! | a trap | the instance ends: its requests get 500, or are cut off |

mod call;
mod instance;
mod passed;
mod queue;
mod watchdog;

use std::sync::Arc;
use std::time::{Duration, Instant};

use airssys_wasm_component::component::{self, Component, InstancePre, Linker, Resource, Store, TypedFunc};
use airssys_wasm_component::engine::Engine;
use airssys_wasm_component::error::Result;
use airssys_wasm_component::internal::timer;

use super::pool::{Pool, Seat, Work};
use super::{ServeError, ServeLimits};
use crate::bindings::wasi::http::types::ErrorCode;
use crate::p3::exported;
use crate::p3::http::Response;
use crate::{WasiCtxBuilder, WasiState};
use passed::Passed;
use queue::Queue;
pub(super) use queue::{Job, Ticket};

/// The interface and the function that answer requests.
const HANDLE: [&str; 2] = ["wasi:http/handler", "handle"];

/// Time for a cancelled task to end, and for an instance that computes to notice that a request's time is over.
pub(super) const GRACE: Duration = Duration::from_millis(500);

/// The type of the function: a request, and the response or the failure.
type Handle = TypedFunc<(Passed,), (Result<Resource<Response>, ErrorCode>,)>;

/// Creator of instances, and the requests for them.
#[derive(Debug)]
pub(super) struct Handler {
    engine: Engine,
    component: InstancePre<WasiState>,
    wasi: WasiCtxBuilder,
    limits: ServeLimits,
    queue: Queue,
}

/// An instance in its store.
struct Instance {
    store: Store<WasiState>,
    instance: component::Instance,
    handle: Handle,
}

impl Handler {
    /// Links the component, and creates one instance to check that it instantiates and exports the handler.
    pub(super) fn new(
        engine: &Engine,
        component: &Component,
        wasi: WasiCtxBuilder,
        limits: ServeLimits,
    ) -> Result<Handler, ServeError> {
        let mut linker = Linker::new(engine);
        crate::add_imports_to_linker(&mut linker, component)?;
        let handler = Handler {
            engine: engine.clone(),
            component: linker.instantiate_pre(component)?,
            wasi,
            queue: Queue::new(&limits),
            limits,
        };
        handler.instance()?;
        Ok(handler)
    }

    /// Creates an instance.
    fn instance(&self) -> Result<Instance> {
        let deadline = Instant::now().checked_add(self.limits.request_time);
        let mut wasi = self.wasi.build();
        wasi.set_deadline(deadline);
        let mut store = Store::with_limits(&self.engine, wasi.into(), self.limits.store.clone());
        let armed = deadline.and_then(|deadline| timer::arm(deadline, store.interrupter()));
        let instance = self.component.instantiate(&mut store)?;
        let handle = exported(&mut store, &instance, HANDLE[0], HANDLE[1])?;
        drop(armed);
        Ok(Instance {
            store,
            instance,
            handle,
        })
    }

    /// Queues a request, and starts an instance for it if that is needed. Returns false if there is no place for it.
    pub(super) fn submit(self: &Arc<Handler>, pool: &Pool, job: Job) -> bool {
        self.queue.push(job) && self.grow(pool, false)
    }

    /// Starts another instance if a request waits for one: `late` if it has waited for some time.
    pub(super) fn grow(self: &Arc<Handler>, pool: &Pool, late: bool) -> bool {
        let Some(place) = self.queue.wants_more(late) else {
            return true;
        };
        let (handler, again) = (Arc::clone(self), pool.clone());
        let work = Work::new(move |_: &Seat| {
            instance::run(&handler, &place);
            drop(place);
            // For requests that came while it ended.
            handler.grow(&again, false);
        });
        // Without a thread, the place is given back with the work.
        pool.submit(work, None) || self.queue.has_instances()
    }

    /// Returns the number of instances.
    #[cfg(test)]
    pub(super) fn instances(&self) -> usize {
        self.queue.instances()
    }

    /// Ends instances that have no requests, and has the others end with their last one.
    pub(super) fn close(&self) {
        self.queue.close();
    }
}
