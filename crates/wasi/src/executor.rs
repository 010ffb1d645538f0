//! The executor: async-std, with its tokio bridge, so that libraries that need tokio work. No other module of WASI
//! names one.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio::runtime::{EnterGuard, Handle};
use tokio::task::JoinHandle;

use airssys_wasm_component::internal::threads;

/// The runtime that async-std runs for tokio's types, for libraries that need its handle. Requested on a separate thread: on a
/// thread of another runtime, async-std would use that one, which may end earlier.
///
/// # Errors
/// If there are no threads for the executor; the message names the remedy, since it is shown as it is.
pub(crate) fn handle() -> io::Result<&'static Handle> {
    static HANDLE: OnceLock<Handle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle);
    }
    let handle = start().map_err(|error| {
        let text = format!(
            "cannot spawn threads for the executor: {error}; {}",
            threads::REMEDY
        );
        io::Error::new(error.kind(), text)
    })?;
    Ok(HANDLE.get_or_init(|| handle))
}

fn start() -> io::Result<Handle> {
    // The libraries panic without threads: two pools of one thread per processor, one thread for readiness, one for the
    // lookup.
    threads::check(2 * threads::parallel() + 2)?;
    let asked = thread::Builder::new()
        .name("wasi-executor".to_owned())
        .spawn(|| async_std::task::block_on(async { Handle::try_current() }))?
        .join();
    match asked {
        Ok(Ok(handle)) => Ok(handle),
        Ok(Err(error)) => Err(io::Error::other(error)),
        Err(_) => Err(io::Error::other("the executor failed to start")),
    }
}

/// Returns a guard that makes tokio's types work on this thread while it lives. Sockets are created, and polled outside
/// [`wait`], under it.
///
/// # Errors
/// If there are no threads for the executor.
pub(crate) fn enter() -> io::Result<EnterGuard<'static>> {
    Ok(handle()?.enter())
}

/// Runs a future to its end on this thread.
///
/// # Errors
/// If there are no threads for the executor.
#[allow(dead_code, reason = "for servers")]
pub(crate) fn block_on<F: Future>(future: F) -> io::Result<F::Output> {
    let _context = enter()?;
    Ok(async_std::task::block_on(future))
}

/// Blocks this thread until `poll` is ready; `None` if `deadline` comes first. Sleeps in between: `poll` is called
/// again only after a wake-up.
///
/// # Errors
/// If there are no threads for the executor.
pub fn wait<R>(
    deadline: Instant,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<R>,
) -> io::Result<Option<R>> {
    let _context = enter()?;
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(result) = poll(&mut cx) {
            return Ok(Some(result));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        thread::park_timeout(left);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

/// A task on the executor's threads. Dropping it stops the task at its next step.
#[derive(Debug)]
pub(crate) struct Task<T>(JoinHandle<T>);

impl<T> Future for Task<T> {
    type Output = io::Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        Pin::new(&mut self.0).poll(cx).map_err(io::Error::other)
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Lets a task finish in the background, and stops it if it has not ended within `time`.
pub(crate) fn linger<T: Send + 'static>(task: Task<T>, time: Duration) {
    if let Ok(handle) = handle() {
        handle.spawn(async move { tokio::time::timeout(time, task).await.is_ok() });
    }
}

/// Runs a future on the executor's threads.
///
/// # Errors
/// If there are no threads for the executor.
#[allow(dead_code, reason = "for connections")]
pub(crate) fn spawn<F>(future: F) -> io::Result<Task<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    Ok(Task(handle()?.spawn(future)))
}

/// Runs `work` on a thread that may block. Dropping the task does not stop work that has begun.
///
/// # Errors
/// If there are no threads for the executor.
#[allow(dead_code, reason = "for files and names")]
pub(crate) fn spawn_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<Task<T>> {
    Ok(Task(handle()?.spawn_blocking(work)))
}

/// Ready from a given time on.
pub(crate) struct Timer {
    when: Instant,
    /// `None` before the first poll, and after the end.
    sleep: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Timer {
    /// Creates a timer that is ready at `when`.
    pub(crate) fn at(when: Instant) -> Timer {
        Timer { when, sleep: None }
    }

    /// Ready once the time has come. It may be polled again after that.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let left = self.when.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            let sleep = self
                .sleep
                .get_or_insert_with(|| Box::pin(async_std::task::sleep(left)));
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
        self.sleep = None;
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_with_what_it_waits_for_or_at_its_deadline() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut timer = Timer::at(at(20));
        let mut polls = 0;
        let done = wait(at(10_000), |cx| {
            polls += 1;
            timer.poll(cx)
        });
        assert_eq!(done.unwrap(), Some(()));
        assert!(wait(at(0), |cx| timer.poll(cx)).unwrap().is_some());
        assert!(start.elapsed() >= Duration::from_millis(20));
        assert!(polls <= 5, "{polls} polls");
        let ended = wait(Instant::now() + Duration::from_millis(10), |_| {
            Poll::<()>::Pending
        });
        assert_eq!(ended.unwrap(), None);
        assert!(start.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn tasks_give_what_they_make_and_stop_when_dropped() {
        let mut task = spawn(async { 7 }).unwrap();
        let soon = || Instant::now() + Duration::from_secs(10);
        let seven = wait(soon(), |cx| Pin::new(&mut task).poll(cx)).unwrap().unwrap();
        assert_eq!(seven.unwrap(), 7);
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        drop(spawn(async move {
            std::future::pending::<()>().await;
            drop(sender);
        }));
        // The task's end drops the sender.
        let ended = receiver.recv_timeout(Duration::from_secs(10));
        assert_eq!(ended, Err(std::sync::mpsc::RecvTimeoutError::Disconnected));
    }

    #[test]
    fn sockets_of_tokio_work_on_any_thread() {
        let addr = block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
            listener.local_addr()
        });
        assert!(addr.unwrap().is_ok());
    }
}
