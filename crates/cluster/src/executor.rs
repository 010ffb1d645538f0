//! The threads of a cluster: the only file that makes an executor.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::thread;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

use crate::error::ClusterError;
use crate::pending::Pending;

/// Threads that talk to the servers. Components are not called on them.
const THREADS: usize = 2;
/// Threads that read files and resolve names.
const BLOCKING_THREADS: usize = 4;

/// A runtime of its own, so that callers need none, and are not blocked.
#[derive(Debug)]
pub(crate) struct Executor {
    handle: Handle,
    runtime: Mutex<Option<Runtime>>,
}

impl Executor {
    pub(crate) fn new() -> Result<Executor, ClusterError> {
        let mut builder = Builder::new_multi_thread();
        let builder = builder
            .worker_threads(THREADS)
            .max_blocking_threads(BLOCKING_THREADS);
        let runtime = builder
            .thread_name("cluster")
            .enable_all()
            .build()
            .map_err(ClusterError::Threads)?;
        Ok(Executor {
            handle: runtime.handle().clone(),
            runtime: Mutex::new(Some(runtime)),
        })
    }

    /// Starts an operation.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        operation: impl Future<Output = Result<T, ClusterError>> + Send + 'static,
    ) -> Pending<T> {
        let (sender, receiver) = oneshot::channel();
        let task = self.handle.spawn(async move {
            // The receiver may have given up.
            let _ = sender.send(operation.await);
        });
        Pending::new(receiver, task.abort_handle())
    }

    /// Starts an operation that goes on if its result is dropped.
    pub(crate) fn spawn_detached<T: Send + 'static>(
        &self,
        operation: impl Future<Output = Result<T, ClusterError>> + Send + 'static,
    ) -> Pending<T> {
        let (sender, receiver) = oneshot::channel();
        // Dropping the handle does not end the task.
        drop(self.handle.spawn(async move {
            // The receiver may have given up.
            let _ = sender.send(operation.await);
        }));
        Pending::detached(receiver)
    }

    /// Ends the threads after a last operation, in the background.
    pub(crate) fn end_after(&self, last: impl Future<Output = ()> + Send + 'static) {
        let Some(runtime) = self.take() else { return };
        // A runtime that the thread cannot be started for is dropped as below.
        let mut runtime = Dropped(Some(runtime));
        let spawned = thread::Builder::new()
            .name("cluster-end".to_owned())
            .spawn(move || {
                if let Some(runtime) = runtime.0.take() {
                    runtime.block_on(last);
                    runtime.shutdown_background();
                }
            });
        if let Err(error) = spawned {
            log::warn!("the cluster ends without its last messages: {error}");
        }
    }

    fn take(&self) -> Option<Runtime> {
        self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A runtime that is shut down without waiting, which is allowed in all places.
struct Dropped(Option<Runtime>);

impl Drop for Dropped {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        drop(Dropped(self.take()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_runs_without_being_polled_and_can_end_the_executor() {
        let executor = Executor::new().unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        let pending = executor.spawn(async move {
            let _ = sender.send(());
            Ok(1)
        });
        receiver.recv().unwrap();
        assert_eq!(pending.wait().ok(), Some(1));
        let executor = std::sync::Arc::new(executor);
        let own = executor.clone();
        // The last owner may be one of its own threads.
        drop(executor.spawn(async move {
            drop(own);
            Ok(())
        }));
        let never = executor.spawn(std::future::pending::<Result<(), ClusterError>>());
        executor.end_after(async {});
        assert!(matches!(never.wait(), Err(ClusterError::Left)));
    }
}
