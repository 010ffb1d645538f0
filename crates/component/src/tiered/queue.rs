//! Queue of background compilations: one thread for the whole process, which runs only while there are jobs.

use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::component::{Shared, compile};
use crate::artifact::{ComponentCache, Digested};
use crate::component::Component;
use crate::engine::Engine;
use crate::error::{Error, Result};

/// A component to be compiled in the background.
pub(super) struct Job {
    shared: Arc<Shared>,
    engine: Engine,
    bytes: Digested<'static>,
    cache: Option<ComponentCache>,
}

impl Job {
    /// Creates the job that compiles for `shared`, and ends early if `shared` is stopped.
    pub(super) fn new(
        shared: Arc<Shared>,
        engine: &Engine,
        bytes: Digested<'static>,
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
    /// True while a thread runs the jobs.
    working: bool,
}

static QUEUE: Queue = Queue {
    state: Mutex::new(State {
        jobs: VecDeque::new(),
        working: false,
    }),
    idle: Condvar::new(),
};

/// Appends a job to the queue, and starts the thread if it does not run.
pub(super) fn submit(job: Job) {
    let mut state = QUEUE.lock();
    state.jobs.push_back(job);
    if state.working {
        return;
    }
    crate::threads::start_shared();
    let worker = thread::Builder::new().name("airssys-wasm-tiered".into());
    let work = || {
        crate::threads::give_way();
        QUEUE.work();
    };
    match worker.spawn(work) {
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

/// Removes a job that has not begun.
pub(super) fn forget(shared: &Arc<Shared>) {
    let mut state = QUEUE.lock();
    let at = state.jobs.iter().position(|job| Arc::ptr_eq(&job.shared, shared));
    let job = at.and_then(|at| state.jobs.remove(at));
    drop(state);
    drop(job);
}

/// Waits until no background compilation is left, for at most `timeout`. Returns whether none is left.
///
/// For processes that are about to end: their exit must not tear down the data of a running compiler. Drop the
/// [`TieredComponent`](super::TieredComponent)s first, which cancels their compilations.
pub fn settle(timeout: Duration) -> bool {
    let waited = QUEUE
        .idle
        .wait_timeout_while(QUEUE.lock(), timeout, |state| state.working);
    let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
    !state.working
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The data is consistent at any time: nothing that may panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs jobs until the queue is empty.
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
