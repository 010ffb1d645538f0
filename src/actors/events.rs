//! Events in the lives of actors.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::messaging::ComponentId;

/// Largest number of events that a subscription keeps. Bounds the memory of a subscriber that does not read.
pub const MAX_KEPT_EVENTS: usize = 65_536;

/// An event in the life of an actor.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActorEvent {
    /// The actor.
    pub id: ComponentId,
    /// The event.
    pub kind: ActorEventKind,
}

/// Events in the life of an actor. The events of one actor come in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActorEventKind {
    /// The component is loaded; its `init` begins.
    Started,
    /// Its `init` has succeeded: messages are handled.
    Ready,
    /// The component reports that it is degraded or unhealthy, or its `health` failed, for the first time since it was healthy.
    Degraded {
        /// The component's own reason, or the error.
        reason: String,
    },
    /// The component is healthy again.
    Recovered,
    /// The group of this actor gave up: because of it, or of too many restarts, the last of which was its own.
    Escalated {
        /// The group's name.
        group: String,
        /// The reason.
        reason: String,
    },
    /// The instance has ended: by a trap, a limit, an exit, a failed `init`, or because the sender of its message gave up.
    Trapped {
        /// The reason.
        error: String,
    },
    /// A fresh instance takes its place; its `init` begins.
    Restarted {
        /// Number of restarts since it was loaded.
        restarts: u64,
    },
    /// It has failed more often than its policy allows, and refuses messages.
    GaveUp {
        /// Number of restarts since it was loaded.
        restarts: u64,
        /// The last failure.
        error: String,
    },
    /// A new version of the component handles its messages from now on.
    Replaced {
        /// [`ActorVersion::number`](super::ActorVersion::number).
        version: u64,
    },
    /// A new version of the component failed its trial; the one before it handles all messages again.
    RolledBack {
        /// [`ActorVersion::number`](super::ActorVersion::number) of the new version.
        version: u64,
        /// The reason.
        error: String,
    },
    /// It is stopped: by the host, by its policy, or since its first `init` failed.
    Stopped,
}

/// A subscription to the events of all actors of a system. When it is full, the oldest events are dropped and counted.
#[derive(Debug)]
pub struct ActorEvents(Arc<EventQueue>);

#[derive(Debug)]
struct EventQueue {
    most: usize,
    state: Mutex<Queue>,
    added: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<ActorEvent>,
    lost: u64,
    waker: Option<Waker>,
    closed: bool,
}

impl ActorEvents {
    /// Returns the next event; `None` if there is none now.
    pub fn try_next(&self) -> Option<ActorEvent> {
        self.0.lock().events.pop_front()
    }

    /// Waits for the next event; `None` if there is none within `timeout`, or the system has ended.
    pub fn wait_next(&self, timeout: Duration) -> Option<ActorEvent> {
        let deadline = Instant::now().checked_add(timeout);
        let mut queue = self.0.lock();
        loop {
            if let Some(event) = queue.events.pop_front() {
                return Some(event);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if queue.closed || left.is_some_and(|left| left.is_zero()) {
                return None;
            }
            let left = left.unwrap_or(timeout);
            let woken = self.0.added.wait_timeout(queue, left);
            queue = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Returns the next event once there is one; `None` when the system has ended.
    pub async fn next(&mut self) -> Option<ActorEvent> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    /// Polls for the next event, in the way of a stream. The last context is woken.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<ActorEvent>> {
        let mut queue = self.0.lock();
        match queue.events.pop_front() {
            Some(event) => Poll::Ready(Some(event)),
            None if queue.closed => Poll::Ready(None),
            None => {
                queue.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Returns the number of events that were dropped because this subscription was full.
    pub fn lost(&self) -> u64 {
        self.0.lock().lost
    }
}

impl EventQueue {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // No step in between panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Queue)) {
        let waker = {
            let mut queue = self.lock();
            change(&mut queue);
            queue.waker.take()
        };
        self.added.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The subscriptions of a system.
#[derive(Debug, Default)]
pub(super) struct EventHub(Mutex<Subscribers>);

#[derive(Debug, Default)]
struct Subscribers {
    queues: Vec<Weak<EventQueue>>,
    closed: bool,
}

impl EventHub {
    /// Subscribes to all events from now on; `most` is from 1 to [`MAX_KEPT_EVENTS`].
    pub(super) fn subscribe(&self, most: usize) -> ActorEvents {
        let mut subscribers = self.lock();
        let queue = Arc::new(EventQueue {
            most: most.clamp(1, MAX_KEPT_EVENTS),
            state: Mutex::new(Queue {
                closed: subscribers.closed,
                ..Queue::default()
            }),
            added: Condvar::new(),
        });
        subscribers.queues.retain(|queue| queue.strong_count() > 0);
        subscribers.queues.push(Arc::downgrade(&queue));
        ActorEvents(queue)
    }

    pub(super) fn publish(&self, id: &ComponentId, kind: ActorEventKind) {
        for queue in self.queues() {
            let (id, kind) = (id.clone(), kind.clone());
            queue.change(|state| {
                if state.events.len() == queue.most {
                    state.events.pop_front();
                    state.lost += 1;
                }
                state.events.push_back(ActorEvent { id, kind });
            });
        }
    }

    /// Ends all subscriptions, once their events are read.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        for queue in self.queues() {
            queue.change(|state| state.closed = true);
        }
    }

    fn queues(&self) -> Vec<Arc<EventQueue>> {
        self.lock().queues.iter().filter_map(Weak::upgrade).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Subscribers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_subscription_keeps_the_newest_and_counts_the_rest() {
        let hub = EventHub::default();
        let (small, large) = (hub.subscribe(2), hub.subscribe(usize::MAX));
        let id: ComponentId = "a".parse().unwrap();
        for restarts in 1..=5 {
            hub.publish(&id, ActorEventKind::Restarted { restarts });
        }
        let read = |events: &ActorEvents| -> Vec<_> {
            std::iter::from_fn(|| events.try_next())
                .map(|event| match event.kind {
                    ActorEventKind::Restarted { restarts } => restarts,
                    other => panic!("{other:?}"),
                })
                .collect()
        };
        assert_eq!((read(&small), small.lost()), (vec![4, 5], 3));
        assert_eq!((read(&large), large.lost()), (vec![1, 2, 3, 4, 5], 0));
        assert_eq!(small.wait_next(Duration::ZERO), None);
        hub.publish(&id, ActorEventKind::Stopped);
        hub.close();
        let last = small.wait_next(Duration::MAX).map(|event| event.kind);
        assert_eq!(last, Some(ActorEventKind::Stopped));
        assert_eq!(small.wait_next(Duration::MAX), None);
        assert_eq!(hub.subscribe(0).wait_next(Duration::MAX), None);
    }
}
