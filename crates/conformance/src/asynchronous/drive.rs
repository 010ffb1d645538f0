//! Futures of one thread, run until they end, or nothing can wake them.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs a future whose wakers are all on this thread. `None`: it waits for nothing that can come.
pub fn run<F: Future>(future: F) -> Option<F::Output> {
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&flag));
    let mut future = pin!(future);
    loop {
        flag.0.store(false, Ordering::Relaxed);
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
        if !flag.0.load(Ordering::Relaxed) {
            return None;
        }
    }
}

/// Is pending as often as given, and wakes itself each time.
#[derive(Debug)]
pub struct Turns(pub u32);

impl Future for Turns {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.0.checked_sub(1) {
            None => Poll::Ready(()),
            Some(left) => {
                self.0 = left;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}

/// Futures that run at a time, and tell of each one's end.
pub struct All<'a, R> {
    futures: Vec<Option<Pin<Box<dyn Future<Output = R> + 'a>>>>,
    ended: &'a mut dyn FnMut(usize, R),
}

impl<R> std::fmt::Debug for All<'_, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("All").finish_non_exhaustive()
    }
}

impl<'a, R> All<'a, R> {
    pub fn new(
        futures: impl IntoIterator<Item = Pin<Box<dyn Future<Output = R> + 'a>>>,
        ended: &'a mut dyn FnMut(usize, R),
    ) -> All<'a, R> {
        All {
            futures: futures.into_iter().map(Some).collect(),
            ended,
        }
    }
}

impl<R> Future for All<'_, R> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut waits = false;
        for (index, place) in this.futures.iter_mut().enumerate() {
            let Some(future) = place else { continue };
            match future.as_mut().poll(cx) {
                Poll::Ready(output) => {
                    *place = None;
                    (this.ended)(index, output);
                }
                Poll::Pending => waits = true,
            }
        }
        if waits { Poll::Pending } else { Poll::Ready(()) }
    }
}
