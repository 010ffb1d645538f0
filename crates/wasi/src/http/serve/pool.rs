//! The threads that run the component.
//!
//! There are at first as many as processors, since guests compute. A guest that waits blocks its thread: more threads
//! start when requests are delayed, up to the limit, and end when idle.
//!
//! Requests that wait for their client have threads of their own, with a limit of their own, so that no client can
//! block the threads of other requests by sending or reading slowly.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::flight::Flight;
use super::waiting::{Waiting, Waits};

/// Delay of waiting work before another thread starts.
pub(super) const PATIENCE: Duration = Duration::from_millis(20);
/// Interval between checks of waiting work.
const LOOK: Duration = Duration::from_millis(10);
/// Idle time after which a thread beyond the first ones ends.
const IDLE: Duration = Duration::from_secs(10);

/// Work for one of the threads.
pub(super) struct Work {
    run: Box<dyn FnOnce(&Seat) + Send>,
    /// The request that it is for, if it is for a single one.
    flight: Option<Arc<Flight>>,
}

impl Work {
    pub(super) fn new(run: impl FnOnce(&Seat) + Send + 'static) -> Work {
        Work {
            run: Box::new(run),
            flight: None,
        }
    }

    /// Creates the work for a request, which gives up its place in the queue once its client has left.
    pub(super) fn of(flight: Arc<Flight>, run: impl FnOnce(&Seat) + Send + 'static) -> Work {
        Work {
            run: Box::new(run),
            flight: Some(flight),
        }
    }
}

impl Waits for (Instant, Work) {
    fn has_left(&mut self) -> bool {
        let flight = self.1.flight.as_ref();
        flight.is_some_and(|flight| flight.is_cancelled())
    }
}

/// A permit for one of the threads that may wait for clients.
pub(super) type SlowPlace = OwnedSemaphorePermit;

/// The pool, shared with its threads.
#[derive(Clone)]
pub(super) struct Pool(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Notified when there is work, or the pool closes.
    changed: Condvar,
    /// Notified when a thread ends.
    ended: Condvar,
    queue: usize,
    first: usize,
    most: usize,
    slow: Arc<Semaphore>,
}

#[derive(Default)]
struct State {
    waiting: Waiting<(Instant, Work)>,
    /// Work that has a slow place already.
    slow: VecDeque<(SlowPlace, Work)>,
    threads: usize,
    idle: usize,
    /// Threads whose work waits for no client.
    running: usize,
    /// A minder watches the waiting work.
    minded: bool,
    closed: bool,
}

/// The thread of some work.
#[derive(Clone)]
pub(super) struct Seat {
    pool: Pool,
    place: Arc<Mutex<Option<SlowPlace>>>,
}

impl Seat {
    fn place(&self) -> MutexGuard<'_, Option<SlowPlace>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Releases the thread's regular place to other work, since this work waits for its client; false if no slow place
    /// is free.
    pub(super) fn give_way(&self) -> bool {
        let mut place = self.place();
        if place.is_some() {
            return true;
        }
        let Some(slow) = self.pool.slow_place() else {
            return false;
        };
        *place = Some(slow);
        drop(place);
        let mut state = self.pool.0.lock();
        state.running = state.running.saturating_sub(1);
        self.pool.arrange(&mut state);
        true
    }
}

impl Pool {
    /// Creates a pool without threads; they start with the work.
    pub(super) fn new(queue: usize, most: usize, slow: usize) -> Pool {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Pool(Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            ended: Condvar::new(),
            queue,
            first: processors.min(most).max(1),
            most: most.max(1),
            slow: Arc::new(Semaphore::new(slow.min(Semaphore::MAX_PERMITS))),
        }))
    }

    /// Returns a place for a request that waits for its client, if one is free.
    pub(super) fn slow_place(&self) -> Option<SlowPlace> {
        self.0.slow.clone().try_acquire_owned().ok()
    }

    /// As [`Pool::slow_place`], but waits for a place.
    pub(super) async fn next_slow_place(&self) -> Option<SlowPlace> {
        self.0.slow.clone().acquire_owned().await.ok()
    }

    /// Queues the work. Returns false if the queue is full, the pool is closed, or there is no thread.
    pub(super) fn submit(&self, work: Work, place: Option<SlowPlace>) -> bool {
        let mut state = self.0.lock();
        if state.closed {
            return false;
        }
        let mut left = None;
        match place {
            Some(place) => state.slow.push_back((place, work)),
            None => {
                // Work that can begin at once does not count.
                let room = self.0.most.saturating_sub(state.running);
                let waits = (Instant::now(), work);
                let pushed = state.waiting.push(waits, self.0.queue.saturating_add(room));
                if pushed.is_err() {
                    drop(state);
                    return false;
                }
                left = pushed.ok().flatten();
            }
        }
        self.arrange(&mut state);
        if state.threads > 0 {
            drop(state);
            drop(left);
            return true;
        }
        // There is no thread, and the system cannot create one.
        state.waiting = Waiting::default();
        state.slow.clear();
        false
    }

    /// Closes the pool to new work, and waits until all work is done, at most for `time`. Returns false if some is not.
    pub(super) fn close(&self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        let mut state = self.0.lock();
        state.closed = true;
        self.0.changed.notify_all();
        while state.threads > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.0.ended.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Ensures that work that may start has a thread, or gets one soon.
    fn arrange(&self, state: &mut State) {
        if state.idle > 0 {
            self.0.changed.notify_one();
        }
        let ready = state.waiting.len().min(self.0.most.saturating_sub(state.running));
        if state.slow.len() + ready <= state.idle {
            return;
        }
        if state.slow.len() > state.idle || (ready > 0 && state.running < self.0.first) {
            self.grow(state);
        } else if !state.minded {
            state.minded = self.mind();
        }
    }

    /// Starts one more thread, if the system has one.
    fn grow(&self, state: &mut State) {
        let shared = self.0.clone();
        let seats = self.clone();
        let thread = thread::Builder::new().name("airssys-wasm-serve".into());
        match thread.spawn(move || shared.work(&seats)) {
            Ok(_) => state.threads += 1,
            Err(error) => log::warn!("cannot spawn a thread for requests: {error}"),
        }
    }

    /// Starts a minder: a thread that adds threads while work waits for too long. Returns whether it runs.
    fn mind(&self) -> bool {
        let pool = self.clone();
        let thread = thread::Builder::new().name("airssys-wasm-serve".into());
        let minder = thread.spawn(move || {
            loop {
                thread::sleep(LOOK);
                let mut state = pool.0.lock();
                let waited = state.waiting.front().map(|(since, _)| since.elapsed());
                let over = waited.is_none() || state.running >= pool.0.most;
                if (over && state.slow.is_empty()) || state.closed {
                    state.minded = false;
                    return;
                }
                if (waited >= Some(PATIENCE) || !state.slow.is_empty()) && state.idle == 0 {
                    pool.grow(&mut state);
                }
            }
        });
        minder.is_ok()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Work runs without the lock; nothing else panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns work that may start, with its slow place if it has one.
    fn next(&self, state: &mut State) -> Option<(Option<SlowPlace>, Work)> {
        if let Some((place, work)) = state.slow.pop_front() {
            return Some((Some(place), work));
        }
        if state.running >= self.most {
            return None;
        }
        let (_, work) = state.waiting.pop()?;
        state.running += 1;
        Some((None, work))
    }

    fn work(&self, pool: &Pool) {
        let mut state = self.lock();
        loop {
            if let Some((place, work)) = self.next(&mut state) {
                drop(state);
                let seat = Seat {
                    pool: pool.clone(),
                    place: Arc::new(Mutex::new(place)),
                };
                if catch_unwind(AssertUnwindSafe(|| (work.run)(&seat))).is_err() {
                    log::error!("the host panicked while handling a request, which is a bug in airssys-wasm");
                }
                let place = seat.place().take();
                state = self.lock();
                if place.is_none() {
                    state.running = state.running.saturating_sub(1);
                }
                continue;
            }
            if state.closed && state.waiting.is_empty() {
                break;
            }
            state.idle += 1;
            let waited = self.changed.wait_timeout(state, IDLE);
            let (guard, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = guard;
            state.idle -= 1;
            let nothing = state.waiting.is_empty() && state.slow.is_empty();
            if timeout.timed_out() && nothing && state.threads > self.first {
                break;
            }
        }
        state.threads -= 1;
        if state.closed {
            self.changed.notify_all();
        }
        drop(state);
        self.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    #[test]
    fn held_up_work_gets_more_threads_and_a_full_queue_refuses() {
        let pool = Pool::new(4, 6, 0);
        let (release, held) = mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let begun = Arc::new(AtomicUsize::new(0));
        let mut taken = 0;
        let start = Instant::now();
        // Each piece of work blocks until its release, so only more threads start more of it.
        while begun.load(Ordering::SeqCst) < 6 {
            let (held, begun) = (held.clone(), begun.clone());
            let work = move |_: &Seat| {
                begun.fetch_add(1, Ordering::SeqCst);
                let _ = held.lock().unwrap().recv();
            };
            if taken < 10 && pool.submit(Work::new(work), None) {
                taken += 1;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{taken} taken");
            thread::sleep(Duration::from_millis(5));
        }
        while taken < 10 {
            assert!(pool.submit(Work::new(|_| ()), None));
            taken += 1;
        }
        assert!(!pool.submit(Work::new(|_| ()), None), "six run and four wait");
        drop(release);
        assert!(pool.close(Duration::from_secs(20)));
        assert!(!pool.submit(Work::new(|_| ()), None), "closed");
    }

    #[test]
    fn a_pool_without_a_queue_takes_work_that_can_begin_at_once() {
        let pool = Pool::new(0, 2, 0);
        let (release, held) = mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let (sender, begun) = mpsc::channel();
        for _ in 0..2 {
            let (held, sender) = (held.clone(), sender.clone());
            let work = move |_: &Seat| {
                sender.send(()).unwrap();
                let _ = held.lock().unwrap().recv();
            };
            assert!(pool.submit(Work::new(work), None));
        }
        assert!(!pool.submit(Work::new(|_| ()), None), "there are two threads");
        for _ in 0..2 {
            assert_eq!(begun.recv_timeout(Duration::from_secs(20)), Ok(()));
        }
        assert!(!pool.submit(Work::new(|_| ()), None));
        drop(release);
        assert!(pool.close(Duration::from_secs(20)));
    }

    #[test]
    fn work_whose_client_has_left_makes_room_in_the_queue() {
        let pool = Pool::new(2, 1, 0);
        let (release, held) = mpsc::channel::<()>();
        let (sender, begun) = mpsc::channel();
        let work = move |_: &Seat| {
            sender.send(()).unwrap();
            let _ = held.recv();
        };
        assert!(pool.submit(Work::new(work), None));
        assert_eq!(begun.recv_timeout(Duration::from_secs(20)), Ok(()));
        let flights = [Arc::new(Flight::default()), Arc::new(Flight::default())];
        for flight in &flights {
            assert!(pool.submit(Work::of(flight.clone(), |_| ()), None));
        }
        assert!(!pool.submit(Work::new(|_| ()), None), "it is full");
        flights[1].cancel();
        assert!(pool.submit(Work::new(|_| ()), None));
        assert!(!pool.submit(Work::new(|_| ()), None), "it is full again");
        drop(release);
        assert!(pool.close(Duration::from_secs(20)));
    }

    #[test]
    fn work_that_panics_costs_no_thread() {
        let pool = Pool::new(10, 1, 0);
        let (sender, receiver) = mpsc::channel();
        assert!(pool.submit(Work::new(|_| panic!("on purpose")), None));
        assert!(pool.submit(Work::new(move |_| sender.send(1).unwrap()), None));
        assert_eq!(receiver.recv_timeout(Duration::from_secs(20)), Ok(1));
        assert!(pool.close(Duration::from_secs(20)));
    }

    #[test]
    fn work_that_waits_for_its_client_leaves_its_thread_to_others() {
        let pool = Pool::new(10, 1, 2);
        let (release, held) = mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let (sender, receiver) = mpsc::channel();
        for number in 0..3 {
            let (held, sender) = (held.clone(), sender.clone());
            let work = move |seat: &Seat| {
                sender.send((number, seat.give_way())).unwrap();
                let _ = held.lock().unwrap().recv();
            };
            assert!(pool.submit(Work::new(work), None));
        }
        let next = || receiver.recv_timeout(Duration::from_secs(20));
        // The threads report in any order. The third began after the others had their places.
        let mut begun = [next(), next(), next()].map(|seat| seat.expect("they begin"));
        begun.sort_unstable();
        let expected = [(0, true), (1, true), (2, false)];
        assert_eq!(begun, expected, "there are two such places");
        let quick = sender.clone();
        assert!(pool.submit(Work::new(move |_| quick.send((3, true)).unwrap()), None));
        assert!(receiver.recv_timeout(Duration::from_millis(50)).is_err());
        drop(release);
        assert_eq!(next(), Ok((3, true)));
        assert!(pool.close(Duration::from_secs(20)));
    }

    #[test]
    fn work_with_a_place_of_its_own_does_not_wait_for_a_thread() {
        let pool = Pool::new(10, 1, 4);
        let (release, held) = mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let (sender, receiver) = mpsc::channel();
        for number in 0..5 {
            let (held, sender) = (held.clone(), sender.clone());
            let place = (number > 0).then(|| pool.slow_place().unwrap());
            let work = move |_: &Seat| {
                sender.send(number).unwrap();
                let _ = held.lock().unwrap().recv();
            };
            assert!(pool.submit(Work::new(work), place));
        }
        let mut begun: Vec<_> = (0..5)
            .map(|_| receiver.recv_timeout(Duration::from_secs(20)).unwrap())
            .collect();
        begun.sort_unstable();
        assert_eq!(begun, [0, 1, 2, 3, 4]);
        assert!(pool.slow_place().is_none());
        drop(release);
        assert!(pool.close(Duration::from_secs(20)));
        assert!(pool.slow_place().is_some(), "places come back");
    }
}
