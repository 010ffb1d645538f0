//! Tasks that wasmer-wasix runs on other threads: their panics end only the program.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use wasmer_wasix::VirtualTaskManager;
use wasmer_wasix::WasiThreadError;
use wasmer_wasix::runtime::task_manager::TaskWasm;
use wasmer_wasix::runtime::task_manager::tokio::TokioTaskManager;
use wasmer_wasix::wasmer_wasix_types::wasi::{Errno, ExitCode};

use airssys_wasm_component::engine::Deadlines;
use airssys_wasm_component::error::Error;
use airssys_wasm_component::internal::{Panicked, contain};

/// The error that ends a program after a panic on one of its threads. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Failure(Arc<Mutex<Option<Error>>>);

impl Failure {
    /// Keeps the error, unless there is one.
    pub(super) fn set(&self, error: Error) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(error);
    }

    pub(super) fn take(&self) -> Option<Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn keep<R>(&self, result: Result<R, Panicked>) -> Option<R> {
        result.map_err(|panicked| self.set(panicked.trap())).ok()
    }
}

/// Threads of wasmer-wasix that contain the panics of their tasks.
#[derive(Debug)]
pub(super) struct Tasks {
    threads: TokioTaskManager,
    failure: Failure,
    deadlines: Deadlines,
}

/// The name of this place in errors.
const THREAD: &str = "a thread of the module";

impl Tasks {
    pub(super) fn new(threads: TokioTaskManager, failure: Failure, deadlines: Deadlines) -> Tasks {
        Tasks {
            threads,
            failure,
            deadlines,
        }
    }
}

/// Polls a future; if it panics, the result is `after`.
async fn contained<T>(failure: Failure, mut future: BoxFuture<'static, T>, after: T) -> T {
    let mut after = Some(after);
    poll_fn(move |cx| {
        let polled = failure.keep(contain(THREAD, || future.as_mut().poll(cx)));
        match (polled, &mut after) {
            (Some(polled), _) => polled,
            (None, after) => after
                .take()
                .map_or(std::task::Poll::Pending, std::task::Poll::Ready),
        }
    })
    .await
}

impl VirtualTaskManager for Tasks {
    fn sleep_now(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + Sync + 'static>> {
        self.threads.sleep_now(time)
    }

    fn task_shared(
        &self,
        task: Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send + 'static>,
    ) -> Result<(), WasiThreadError> {
        let failure = self.failure.clone();
        self.threads
            .task_shared(Box::new(move || match failure.keep(contain(THREAD, task)) {
                Some(future) => Box::pin(contained(failure, future, ())),
                None => Box::pin(std::future::ready(())),
            }))
    }

    fn task_wasm(&self, mut task: TaskWasm) -> Result<(), WasiThreadError> {
        let code = ExitCode::from(Errno::Fault);
        let (process, thread) = (task.env.process.clone(), task.env.thread.clone());
        let failure = self.failure.clone();
        let (run, deadlines) = (task.callbacks.run, self.deadlines.clone());
        task.callbacks.run = Box::new(move |properties| {
            let store = properties.store.id();
            let running = || deadlines.running(store, || run(properties));
            // Without a result, it has panicked, or the program has ended.
            if failure.keep(contain(THREAD, running)).flatten().is_none() {
                deadlines.stop();
                // Threads that wait for this one continue, and see that the process has ended.
                let ending = contain(THREAD, || {
                    thread.set_status_finished(Ok(code));
                    process.terminate(code);
                });
                failure.keep(ending);
            }
        });
        if let Some(trigger) = task.callbacks.trigger.take() {
            let failure = self.failure.clone();
            task.callbacks.trigger = Some(Box::new(move || match failure.keep(contain(THREAD, trigger)) {
                Some(future) => Box::pin(contained(failure, future, Err(code))),
                None => Box::pin(std::future::ready(Err(code))),
            }));
        }
        self.threads.task_wasm(task)
    }

    fn task_dedicated(&self, task: Box<dyn FnOnce() + Send + 'static>) -> Result<(), WasiThreadError> {
        let failure = self.failure.clone();
        self.threads.task_dedicated(Box::new(move || {
            failure.keep(contain(THREAD, task));
        }))
    }

    fn thread_parallelism(&self) -> Result<usize, WasiThreadError> {
        self.threads.thread_parallelism()
    }
}
