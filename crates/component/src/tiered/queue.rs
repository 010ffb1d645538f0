//! Compilations in the background: one thread for all of a process, which is there while there is something to do.

use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::component::{Shared, compile};
use crate::artifact::ComponentCache;
use crate::component::Component;
use crate::engine::Engine;
use crate::error::{Error, Result};

/// A component that waits to be compiled.
pub(super) struct Job {
    shared: Arc<Shared>,
    engine: Engine,
    bytes: Box<[u8]>,
    cache: Option<ComponentCache>,
}

impl Job {
    /// The work on what `shared` is of, which ends early if that is stopped.
    pub(super) fn new(
        shared: Arc<Shared>,
        engine: &Engine,
        bytes: Box<[u8]>,
        cache: Option<ComponentCache>,
    ) -> Job {
        let asked = shared.clone();
        Job {
            engine: engine.stopped_if(move || asked.is_stopped()),
            shared,
            bytes,
            cache,
        }
    }

    fn compile(&self) -> Result<Component> {
        if self.shared.is_stopped() {
            return Err(Error::Stopped);
        }
        let compiled = AssertUnwindSafe(|| compile(&self.engine, &self.bytes, self.cache.as_ref()));
        panic::catch_unwind(compiled)
            .unwrap_or_else(|_| Err(Error::bug("a compilation in the background has panicked")))
    }
}

struct Queue {
    state: Mutex<State>,
    idle: Condvar,
}

struct State {
    jobs: VecDeque<Job>,
    /// Whether there is a thread that takes them.
    working: bool,
}

static QUEUE: Queue = Queue {
    state: Mutex::new(State {
        jobs: VecDeque::new(),
        working: false,
    }),
    idle: Condvar::new(),
};

/// Has a job done when those before it are.
pub(super) fn submit(job: Job) {
    let mut state = QUEUE.lock();
    state.jobs.push_back(job);
    if state.working {
        return;
    }
    let worker = thread::Builder::new().name("airssys-wasm-tiered".into());
    match worker.spawn(|| QUEUE.work()) {
        Ok(_) => state.working = true,
        Err(error) => {
            let jobs = std::mem::take(&mut state.jobs);
            drop(state);
            for job in jobs {
                job.shared.end(Err(Error::NoThread(error.kind().into())));
            }
        }
    }
}

/// Takes a job out that has not begun.
pub(super) fn forget(shared: &Arc<Shared>) {
    let mut state = QUEUE.lock();
    let at = state.jobs.iter().position(|job| Arc::ptr_eq(&job.shared, shared));
    let job = at.and_then(|at| state.jobs.remove(at));
    drop(state);
    drop(job);
}

/// Waits until nothing is compiled in the background any more, and for no longer than `timeout`; whether that is so.
///
/// For processes that are about to end: what a compiler works with must not be torn down under it. Drop the
/// [`TieredComponent`](super::TieredComponent)s first, which stops their compilations.
pub fn settle(timeout: Duration) -> bool {
    let waited = QUEUE
        .idle
        .wait_timeout_while(QUEUE.lock(), timeout, |state| state.working);
    let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
    !state.working
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // It is whole at any time: nothing that may panic is done with it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does all jobs that there are.
    fn work(&self) {
        loop {
            let mut state = self.lock();
            let Some(job) = state.jobs.pop_front() else {
                state.working = false;
                drop(state);
                self.idle.notify_all();
                return;
            };
            drop(state);
            let compiled = job.compile();
            job.shared.end(compiled);
        }
    }
}
