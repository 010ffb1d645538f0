//! Waiting for results that may be given up.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::time::Duration;

/// Interval at which a command that waits looks whether its client is still there.
pub(super) const LOOK: Duration = Duration::from_millis(250);

/// Waits for a result as long as `given_up` is false. `None` then, and the operation is given up.
pub(super) fn wait<T>(
    mut pending: impl Future<Output = T> + Unpin,
    given_up: impl Fn() -> bool,
) -> Option<T> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(result) = Pin::new(&mut pending).poll(&mut context) {
            return Some(result);
        }
        if given_up() {
            return None;
        }
        thread::park_timeout(LOOK);
    }
}
