//! Host functions that wait: futures, run to their end on the thread of the call.

use std::pin::pin;
use std::time::{Duration, Instant};

use super::{CallInfo, HostFunctionError, HostFunctions, InvalidFunction};
#[cfg(feature = "wasi")]
use crate::wasi::internal::wait;
#[cfg(not(feature = "wasi"))]
use without_executor::wait;

/// Longest wait of a call without a deadline. Stops a future that is never ready from holding its thread forever.
const LONGEST: Duration = Duration::from_secs(60 * 60);

impl HostFunctions {
    /// Adds an asynchronous function over bytes. The component waits for its end, on the thread of the call.
    ///
    /// At the call's deadline, or after an hour in a call without one, the future is dropped, and the guest gets
    /// [`HostFunctionError::Failed`]. With the feature `wasi`, futures of tokio can be awaited; without, a future must not
    /// need an executor.
    ///
    /// ```
    /// use airssys_wasm::host::HostFunctions;
    ///
    /// let functions = HostFunctions::new().with_async("echo", async |_, args| Ok(args.to_vec()))?;
    /// # Ok::<(), airssys_wasm::host::InvalidFunction>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`HostFunctions::with_raw`].
    pub fn with_async(
        self,
        name: &str,
        function: impl AsyncFn(&CallInfo<'_>, &[u8]) -> Result<Vec<u8>, HostFunctionError> + Send + Sync + 'static,
    ) -> Result<HostFunctions, InvalidFunction> {
        self.with_raw(name, move |info, args| {
            let mut future = pin!(function(info, args));
            let deadline = info.deadline.unwrap_or_else(|| Instant::now() + LONGEST);
            match wait(deadline, |cx| future.as_mut().poll(cx)) {
                Ok(Some(result)) => result,
                Ok(None) => failed("the function did not end within the time of the call"),
                Err(error) => failed(&error.to_string()),
            }
        })
    }
}

fn failed(text: &str) -> Result<Vec<u8>, HostFunctionError> {
    Err(HostFunctionError::Failed(text.to_owned()))
}

/// Waiting in a build without the executor of WASI.
#[cfg(not(feature = "wasi"))]
mod without_executor {
    use std::io;
    use std::sync::Arc;
    use std::task::{Context, Poll, Wake, Waker};
    use std::thread::{self, Thread};
    use std::time::Instant;

    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    /// Blocks this thread until `poll` is ready; `None` if `deadline` comes first.
    pub(super) fn wait<R>(
        deadline: Instant,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<R>,
    ) -> io::Result<Option<R>> {
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
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Poll;

    use super::*;
    use crate::host::HostLimits;
    use crate::messaging::ComponentId;

    fn call(functions: &HostFunctions, deadline: Option<Instant>) -> Result<Vec<u8>, HostFunctionError> {
        let component: ComponentId = "caller".parse().unwrap();
        let info = CallInfo {
            function: "f",
            component: &component,
            request_id: None,
            trace: None,
            deadline,
        };
        functions.call(&info, b"abc", &HostLimits::default())
    }

    /// Ready when another thread has slept.
    async fn other_thread() {
        let mut started = false;
        std::future::poll_fn(|cx| {
            if std::mem::replace(&mut started, true) {
                return Poll::Ready(());
            }
            let waker = cx.waker().clone();
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(5));
                waker.wake();
            });
            Poll::Pending
        })
        .await;
    }

    #[test]
    fn an_asynchronous_function_is_awaited() {
        let functions = HostFunctions::new().with_async("f", async |info, args| {
            other_thread().await;
            Ok([info.function.as_bytes(), args].concat())
        });
        assert_eq!(call(&functions.unwrap(), None), Ok(b"fabc".to_vec()));
    }

    #[test]
    fn a_future_is_dropped_at_the_deadline() {
        struct Counted(Arc<AtomicU32>);
        impl Drop for Counted {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        let dropped = Arc::new(AtomicU32::new(0));
        let held = dropped.clone();
        let functions = HostFunctions::new().with_async("f", async move |_, _| {
            let _counted = Counted(held.clone());
            std::future::pending().await
        });
        let start = Instant::now();
        let ended = call(&functions.unwrap(), Some(start + Duration::from_millis(20)));
        match ended {
            Err(HostFunctionError::Failed(text)) => assert!(text.contains("within the time"), "{text}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
        assert!(start.elapsed() >= Duration::from_millis(20));
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn panics_of_a_future_and_of_its_end_are_contained() {
        struct PanicsAtEnd;
        impl Drop for PanicsAtEnd {
            fn drop(&mut self) {
                assert!(std::thread::panicking(), "secret state");
            }
        }
        let polled = HostFunctions::new().with_async("f", async |_, _| {
            other_thread().await;
            panic!("secret state")
        });
        let ended = HostFunctions::new().with_async("f", async |_, _| {
            let _guard = PanicsAtEnd;
            std::future::pending().await
        });
        let soon = Some(Instant::now() + Duration::from_millis(50));
        for (functions, deadline) in [(polled.unwrap(), None), (ended.unwrap(), soon)] {
            let failed = call(&functions, deadline);
            assert_eq!(
                failed,
                Err(HostFunctionError::Failed("the function panicked".into()))
            );
        }
    }
}
