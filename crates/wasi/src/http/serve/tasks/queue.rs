//! The queue of requests for all instances of a component, and the count of the instances.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::http::response::Answer;
use crate::http::serve::ServeLimits;
use crate::http::serve::component::Request;
use crate::http::serve::waiting::{Waiting, Waits};

/// A request that waits for an instance.
pub(in crate::http::serve) struct Job {
    pub(super) request: Request,
    pub(super) answer: oneshot::Sender<Answer>,
    /// Completes when the response is no longer needed.
    pub(super) gone: oneshot::Receiver<()>,
    /// End of the request's time, once an instance has begun with it.
    pub(super) deadline: Arc<OnceLock<Instant>>,
}

impl Waits for Job {
    fn has_left(&mut self) -> bool {
        !matches!(self.gone.try_recv(), Err(oneshot::error::TryRecvError::Empty))
    }
}

/// The client's part in a [`Job`]. Dropping it cancels the request, unless [`Ticket::answered`] was called.
pub(in crate::http::serve) struct Ticket {
    gone: Option<oneshot::Sender<()>>,
    deadline: Arc<OnceLock<Instant>>,
}

impl Ticket {
    /// Creates the job of a request, and its ticket.
    pub(in crate::http::serve) fn new(request: Request, answer: oneshot::Sender<Answer>) -> (Ticket, Job) {
        let (sender, gone) = oneshot::channel();
        let deadline = Arc::default();
        let job = Job {
            request,
            answer,
            gone,
            deadline: Arc::clone(&deadline),
        };
        let ticket = Ticket {
            gone: Some(sender),
            deadline,
        };
        (ticket, job)
    }

    /// Returns whether an instance has begun with the request.
    pub(in crate::http::serve) fn has_begun(&self) -> bool {
        self.deadline.get().is_some()
    }

    /// Returns whether the request's time is over.
    pub(in crate::http::serve) fn is_late(&self) -> bool {
        self.deadline.get().is_some_and(|end| *end <= Instant::now())
    }

    /// Leaves the rest of the request to its component.
    pub(in crate::http::serve) fn answered(mut self) {
        if let Some(gone) = self.gone.take() {
            // Received as a success, which is no cancellation.
            let _ = gone.send(());
        }
    }
}

/// The queue.
pub(super) struct Queue(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Requests that may wait.
    most: usize,
    /// Instances that are started at once, and those that there may be.
    instances: (usize, usize),
    /// Requests that a new instance takes at a time.
    concurrency: usize,
    /// Instances without requests that stay.
    idle: usize,
}

#[derive(Default)]
struct State {
    waiting: Waiting<Job>,
    instances: usize,
    /// Number of the last instance.
    last: u64,
    /// Requests that instances have room for.
    room: usize,
    /// Instances without requests.
    idle: usize,
    /// Instances with room that wait for requests; the one that has waited for the shortest time is the last.
    sleepers: Vec<Sleeper>,
    closed: bool,
}

/// An instance that waits for requests.
struct Sleeper {
    number: u64,
    is_idle: bool,
    waker: Waker,
}

impl State {
    /// Returns whom to wake for a new request: one of the instances without requests, so that the others of them may end; if there is none,
    /// all others, of which some may be computing.
    fn wake_for_one(&mut self) -> Vec<Waker> {
        match self.sleepers.iter().rposition(|sleeper| sleeper.is_idle) {
            Some(at) => vec![self.sleepers.remove(at).waker],
            None => self.wake_all(),
        }
    }

    fn wake_all(&mut self) -> Vec<Waker> {
        self.sleepers.drain(..).map(|sleeper| sleeper.waker).collect()
    }
}

/// The place of an instance among all of them, which it gives back when it is dropped.
pub(super) struct Place {
    shared: Arc<Shared>,
    number: u64,
    count: Mutex<Count>,
}

/// The part of an instance in the counts.
#[derive(Default)]
struct Count {
    room: usize,
    is_idle: bool,
}

impl Queue {
    pub(super) fn new(limits: &ServeLimits) -> Queue {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Queue(Arc::new(Shared {
            state: Mutex::default(),
            most: limits.queue,
            instances: (processors.min(limits.threads), limits.threads),
            concurrency: limits.instance_concurrency.min(limits.requests_of_instance()),
            idle: limits.instances,
        }))
    }

    /// Queues a request. Returns false if the queue is full or closed.
    pub(super) fn push(&self, job: Job) -> bool {
        let mut state = self.0.lock();
        if state.closed {
            return false;
        }
        // Requests that will be taken at once do not count.
        let unborn = self.0.instances.1.saturating_sub(state.instances);
        let room = unborn
            .saturating_mul(self.0.concurrency)
            .saturating_add(state.room);
        let pushed = state.waiting.push(job, self.0.most.saturating_add(room));
        let wakers = match pushed {
            Ok(_) => state.wake_for_one(),
            Err(_) => Vec::new(),
        };
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        pushed.is_ok()
    }

    /// Takes a place for another instance, if there is one and it is needed.
    pub(super) fn wants_more(&self, late: bool) -> Option<Place> {
        let mut state = self.0.lock();
        let (first, most) = self.0.instances;
        let waiting = state.waiting.len();
        let is_needed = late || waiting > state.room || (state.idle == 0 && state.instances < first);
        if waiting == 0 || state.closed || state.instances >= most || !is_needed {
            return None;
        }
        state.instances += 1;
        state.last += 1;
        // It takes as many once it is there.
        state.room += self.0.concurrency;
        Some(Place {
            shared: Arc::clone(&self.0),
            number: state.last,
            count: Mutex::new(Count {
                room: self.0.concurrency,
                is_idle: false,
            }),
        })
    }

    pub(super) fn has_instances(&self) -> bool {
        self.0.lock().instances > 0
    }

    #[cfg(test)]
    pub(super) fn instances(&self) -> usize {
        self.0.lock().instances
    }

    pub(super) fn close(&self) {
        let (waiting, wakers) = {
            let mut state = self.0.lock();
            state.closed = true;
            (std::mem::take(&mut state.waiting), state.wake_all())
        };
        drop(waiting);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next request whose client still waits.
    pub(super) fn next(&self) -> Option<Job> {
        loop {
            let mut job = self.shared.lock().waiting.pop()?;
            if !job.has_left() {
                return Some(job);
            }
        }
    }

    /// Sets the number of requests that the instance has, and may take.
    pub(super) fn set(&self, requests: usize, room: usize) {
        let mut count = self.count();
        let mut state = self.shared.lock();
        let is_idle = requests == 0 && room > 0;
        state.room = state.room.saturating_sub(count.room).saturating_add(room);
        match (count.is_idle, is_idle) {
            (false, true) => state.idle += 1,
            (true, false) => state.idle = state.idle.saturating_sub(1),
            _ => {}
        }
        *count = Count { room, is_idle };
        state.sleepers.retain(|sleeper| sleeper.number != self.number);
        // It may have been woken for them.
        let wakers = match room == 0 && !state.waiting.is_empty() {
            true => state.wake_all(),
            false => Vec::new(),
        };
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Returns whether the instance may stay without requests. One that may not no longer counts among those that do, so that as many of
    /// them end as there are too many.
    pub(super) fn may_idle(&self) -> bool {
        let mut count = self.count();
        let mut state = self.shared.lock();
        if !state.closed && state.idle <= self.shared.idle {
            return true;
        }
        let Count { room, is_idle } = std::mem::take(&mut *count);
        state.room = state.room.saturating_sub(room);
        state.idle = state.idle.saturating_sub(usize::from(is_idle));
        false
    }

    pub(super) fn is_closed(&self) -> bool {
        self.shared.lock().closed
    }

    /// Ready when there may be a request for this instance, or the queue is closed.
    pub(super) fn poll_more(&self, cx: &mut Context<'_>, is_idle: bool) -> Poll<()> {
        let mut state = self.shared.lock();
        if state.closed || !state.waiting.is_empty() {
            return Poll::Ready(());
        }
        let sleeper = Sleeper {
            number: self.number,
            is_idle,
            waker: cx.waker().clone(),
        };
        let own = state
            .sleepers
            .iter()
            .position(|sleeper| sleeper.number == self.number);
        let before = match own {
            Some(at) => Some(std::mem::replace(&mut state.sleepers[at], sleeper)),
            None => {
                state.sleepers.push(sleeper);
                None
            }
        };
        drop(state);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.set(1, 0);
        let mut state = self.shared.lock();
        state.instances = state.instances.saturating_sub(1);
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}

/// Completes when a request is to be cancelled; never if its answer was taken.
pub(super) async fn cancelled(gone: &mut oneshot::Receiver<()>) {
    if gone.await.is_ok() {
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::IncomingBody;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    fn queue(change: impl FnOnce(&mut ServeLimits)) -> Queue {
        let mut limits = ServeLimits {
            queue: 0,
            threads: 1,
            instance_concurrency: 4,
            ..ServeLimits::default()
        };
        change(&mut limits);
        Queue::new(&limits)
    }

    fn job() -> (Ticket, Job) {
        let (head, ()) = http::Request::new(()).into_parts();
        let request = Request {
            head,
            authority: None,
            body: IncomingBody::empty(),
        };
        Ticket::new(request, oneshot::channel().0)
    }

    /// Queues a request whose client waits.
    fn push(queue: &Queue) -> Option<Ticket> {
        let (ticket, job) = job();
        queue.push(job).then_some(ticket)
    }

    #[test]
    fn a_queue_without_places_takes_requests_that_begin_at_once() {
        let queue = queue(|_| ());
        let tickets: Vec<Ticket> = std::iter::from_fn(|| push(&queue)).collect();
        assert_eq!(tickets.len(), 4, "as many as an instance takes");
        let place = queue.wants_more(false).unwrap();
        assert!(push(&queue).is_none());
        let taken: Vec<Job> = std::iter::from_fn(|| place.next()).collect();
        assert_eq!(taken.len(), 4);
        place.set(4, 0);
        assert!(push(&queue).is_none(), "it has no room, and there is no other");
        place.set(3, 1);
        let _last = push(&queue).unwrap();
        assert!(push(&queue).is_none());
    }

    #[test]
    fn a_new_instance_has_room_for_as_many_requests_as_it_answers() {
        type Change = fn(&mut ServeLimits);
        let changes: [(usize, Change); 3] = [
            (4, |_| ()),
            (2, |limits| limits.instance_requests = 2),
            (1, |limits| limits.instances = 0),
        ];
        for (room, change) in changes {
            let queue = queue(change);
            let _ticket = push(&queue).unwrap();
            let place = queue.wants_more(false).unwrap();
            assert_eq!(queue.0.lock().room, room);
            drop(place);
            assert_eq!(queue.0.lock().room, 0);
        }
    }

    #[test]
    fn requests_whose_clients_have_left_make_room() {
        let queue = queue(|limits| {
            limits.queue = 2;
            limits.instance_concurrency = 1;
        });
        let mut tickets: Vec<Ticket> = std::iter::from_fn(|| push(&queue)).collect();
        assert_eq!(tickets.len(), 3);
        drop(tickets.swap_remove(1));
        assert!(push(&queue).is_some());
        assert!(push(&queue).is_some(), "the one before has left, too");
        assert_eq!(tickets.len(), 2);
    }

    #[test]
    fn as_many_instances_end_as_there_are_too_many() {
        let queue = queue(|limits| {
            limits.threads = 3;
            limits.instances = 1;
        });
        let _ticket = push(&queue);
        let places: Vec<Place> = std::iter::from_fn(|| queue.wants_more(true)).collect();
        for place in &places {
            place.set(0, 4);
        }
        let stay: Vec<bool> = places.iter().map(Place::may_idle).collect();
        assert_eq!(stay, [false, false, true]);
        assert_eq!(queue.0.lock().room, 4);
        drop(places);
        let state = queue.0.lock();
        assert_eq!((state.room, state.idle, state.instances), (0, 0, 0));
    }

    /// Counts wake-ups.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// All instances without requests were woken for each request, so that none of them ended.
    #[test]
    fn a_request_wakes_the_instance_that_was_used_last() {
        let queue = queue(|limits| {
            limits.threads = 3;
            limits.queue = 10;
        });
        let mut ticket = push(&queue);
        let places: Vec<Place> = std::iter::from_fn(|| queue.wants_more(true)).collect();
        assert_eq!(places.len(), 3);
        drop(places[0].next());
        drop(ticket.take());
        let woken: Vec<Arc<Woken>> = places.iter().map(|_| Arc::default()).collect();
        let wait = |at: usize, requests: usize| {
            places[at].set(requests, 1);
            let waker = Waker::from(woken[at].clone());
            places[at].poll_more(&mut Context::from_waker(&waker), requests == 0)
        };
        let counts = || -> Vec<usize> { woken.iter().map(|woken| woken.0.load(Ordering::SeqCst)).collect() };
        assert!(wait(1, 0).is_pending() && wait(0, 0).is_pending() && wait(2, 3).is_pending());
        let _first = push(&queue).unwrap();
        assert_eq!(counts(), [1, 0, 0], "the last that has no requests");
        let _second = push(&queue).unwrap();
        assert_eq!(counts(), [1, 1, 0]);
        // It takes one, and has no room for the other: those that have are woken.
        assert!(places[0].next().is_some());
        places[0].set(1, 0);
        assert_eq!(counts(), [1, 1, 1]);
        assert!(wait(2, 3).is_ready(), "one request waits");
        assert!(places[2].next().is_some());
        assert!(wait(2, 3).is_pending());
        queue.close();
        assert_eq!(counts(), [1, 1, 2]);
        assert!(wait(1, 0).is_ready());
    }
}
