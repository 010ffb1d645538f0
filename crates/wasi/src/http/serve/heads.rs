//! Connections that wait for a request: the first to be closed when a new connection needs a place.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// Time that every connection has for its first request, even if others wait for a place.
const GRACE: Duration = Duration::from_millis(250);

/// The connections that wait for a request's head, ordered by the start of the wait.
#[derive(Clone, Default)]
pub(super) struct Heads(Arc<Mutex<WaitingHead>>);

#[derive(Default)]
struct WaitingHead {
    next: u64,
    waiting: BTreeMap<u64, (Instant, Arc<Notify>)>,
}

/// One such connection.
#[derive(Clone)]
pub(super) struct Head(Arc<Inner>);

struct Inner {
    heads: Heads,
    closed: Arc<Notify>,
    number: Mutex<Option<u64>>,
}

/// A running request: its connection waits for the next one when this is dropped.
pub(super) struct Turn(Head);

impl Heads {
    fn lock(&self) -> MutexGuard<'_, WaitingHead> {
        // Nothing panics under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection, which starts to wait for its first request.
    pub(super) fn enter(&self) -> Head {
        let head = Head(Arc::new(Inner {
            heads: self.clone(),
            closed: Arc::default(),
            number: Mutex::default(),
        }));
        head.wait();
        head
    }

    /// Closes the connection that has waited longest, if its grace time is over.
    pub(super) fn close_oldest(&self, now: Instant) {
        let mut heads = self.lock();
        if let Some(oldest) = heads.waiting.first_entry()
            && now.saturating_duration_since(oldest.get().0) >= GRACE
        {
            oldest.remove().1.notify_one();
        }
    }
}

impl Head {
    fn wait(&self) {
        let mut heads = self.0.heads.lock();
        let number = heads.next;
        heads.next += 1;
        heads
            .waiting
            .insert(number, (Instant::now(), self.0.closed.clone()));
        drop(heads);
        *self.number() = Some(number);
    }

    fn leave(&self) {
        if let Some(number) = self.number().take() {
            self.0.heads.lock().waiting.remove(&number);
        }
    }

    fn number(&self) -> MutexGuard<'_, Option<u64>> {
        self.0.number.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks the start of a request.
    pub(super) fn turn(&self) -> Turn {
        self.leave();
        Turn(self.clone())
    }

    /// Completes when the connection is to be closed for another.
    pub(super) async fn closed(&self) {
        self.0.closed.notified().await;
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let number = self
            .number
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(number) = number {
            self.heads.lock().waiting.remove(&number);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.leave();
        self.0.wait();
    }
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Turn")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_connections_without_a_request_are_closed_the_oldest_first() {
        let (heads, begin) = (Heads::default(), Instant::now());
        let (busy, first, second) = (heads.enter(), heads.enter(), heads.enter());
        let turn = busy.turn();
        heads.close_oldest(begin + GRACE / 2);
        assert_eq!(heads.lock().waiting.len(), 2, "they have their time");
        heads.close_oldest(Instant::now() + GRACE);
        assert_eq!(heads.lock().waiting.len(), 1);
        drop(second);
        assert_eq!(heads.lock().waiting.len(), 0);
        let closed = async { tokio::time::timeout(Duration::from_secs(10), first.closed()).await };
        assert!(crate::executor::block_on(closed).unwrap().is_ok());
        drop(turn);
        assert_eq!(heads.lock().waiting.len(), 1);
    }
}
