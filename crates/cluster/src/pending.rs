//! Results that are not there yet.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use crate::error::ClusterError;

/// The result of an operation of a cluster, once it is there: a future for any executor, which it never blocks; or
/// [`Pending::wait`], which blocks the calling thread.
///
/// The operation has begun when this value is returned, on threads of the cluster, whether it is polled or not. Dropping this
/// value ends the wait for the result; what other hosts and the servers have got by then takes its course.
#[must_use = "dropping it gives the operation up"]
pub struct Pending<T> {
    receiver: oneshot::Receiver<Result<T, ClusterError>>,
    task: Option<AbortHandle>,
}

impl<T> Pending<T> {
    pub(crate) fn new(receiver: oneshot::Receiver<Result<T, ClusterError>>, task: AbortHandle) -> Pending<T> {
        Pending {
            receiver,
            task: Some(task),
        }
    }

    /// Returns the result of an operation that goes on if this value is dropped.
    pub(crate) fn detached(receiver: oneshot::Receiver<Result<T, ClusterError>>) -> Pending<T> {
        Pending { receiver, task: None }
    }

    /// Returns a result that is there.
    pub(crate) fn ready(result: Result<T, ClusterError>) -> Pending<T> {
        let (sender, receiver) = oneshot::channel();
        // The receiver is not dropped yet.
        let _ = sender.send(result);
        Pending::detached(receiver)
    }

    /// Blocks the calling thread until the result is there. For threads of an executor, await it instead.
    ///
    /// # Errors
    /// Those of the method that returned this value.
    pub fn wait(mut self) -> Result<T, ClusterError> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            match Pin::new(&mut self).poll(&mut context) {
                Poll::Ready(result) => return result,
                Poll::Pending => thread::park(),
            }
        }
    }
}

/// Wakes a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, ClusterError>;

    /// # Panics
    /// If it is polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let result = Pin::new(&mut self.receiver).poll(context);
        // The other side is dropped without a result when the cluster is left.
        result.map(|result| result.unwrap_or(Err(ClusterError::Left)))
    }
}

impl<T> Drop for Pending<T> {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_that_is_there_is_returned_at_once() {
        assert_eq!(Pending::ready(Ok(7)).wait().ok(), Some(7));
        let error = Pending::<()>::ready(Err(ClusterError::Left)).wait();
        assert!(matches!(error, Err(ClusterError::Left)));
    }
}
