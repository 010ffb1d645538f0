//! The threads that run the component.
//!
//! As many as processors, since guests compute. Guests that wait hold their thread meanwhile: more threads come when requests
//! are not begun for a while, up to the limit, and go when they have nothing to do.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Time that work waits for before there is another thread.
const PATIENCE: Duration = Duration::from_millis(20);
/// Between two looks at work that waits.
const LOOK: Duration = Duration::from_millis(10);
/// Time that a thread beyond the first ones has nothing to do for before it ends.
const IDLE: Duration = Duration::from_secs(10);

/// What is to be done, on some thread.
pub(super) type Work = Box<dyn FnOnce() + Send>;

/// The pool; the threads hold it as well.
#[derive(Clone)]
pub(super) struct Pool(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// There is work, or the end has come.
    changed: Condvar,
    /// A thread has ended.
    ended: Condvar,
    queue: usize,
    first: usize,
    most: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(Instant, Work)>,
    threads: usize,
    idle: usize,
    /// Whether somebody looks at work that waits.
    minded: bool,
    closed: bool,
}

impl Pool {
    /// Without threads; they come with the work.
    pub(super) fn new(queue: usize, most: usize) -> Pool {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Pool(Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            ended: Condvar::new(),
            queue,
            first: processors.min(most).max(1),
            most: most.max(1),
        }))
    }

    /// Takes the work on, unless too much waits already.
    pub(super) fn submit(&self, work: Work) -> bool {
        let mut state = self.0.lock();
        if state.closed || state.waiting.len() >= self.0.queue {
            return false;
        }
        state.waiting.push_back((Instant::now(), work));
        if state.idle > 0 {
            drop(state);
            self.0.changed.notify_one();
            return true;
        }
        if state.threads < self.0.first {
            return self.grow(&mut state) || state.threads > 0;
        }
        if state.threads < self.0.most && !state.minded {
            state.minded = self.mind();
        }
        true
    }

    /// Waits until all work is done, and no longer than for `time`. Nothing is taken on any more.
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

    /// One more thread. Whether there is one.
    fn grow(&self, state: &mut State) -> bool {
        let shared = self.0.clone();
        let thread = thread::Builder::new().name("airssys-wasm-serve".into());
        match thread.spawn(move || shared.work()) {
            Ok(_) => {
                state.threads += 1;
                true
            }
            Err(error) => {
                log::warn!("no thread for requests: {error}");
                if state.threads == 0 {
                    state.waiting.pop_back();
                }
                false
            }
        }
    }

    /// Has somebody add threads while work waits for too long. Whether there is somebody.
    fn mind(&self) -> bool {
        let pool = self.clone();
        let thread = thread::Builder::new().name("airssys-wasm-serve".into());
        let minder = thread.spawn(move || {
            loop {
                thread::sleep(LOOK);
                let mut state = pool.0.lock();
                let waited = state.waiting.front().map(|(since, _)| since.elapsed());
                if waited.is_none() || state.threads >= pool.0.most || state.closed {
                    state.minded = false;
                    return;
                }
                if waited >= Some(PATIENCE) && state.idle == 0 {
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

    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some((_, work)) = state.waiting.pop_front() {
                drop(state);
                if catch_unwind(AssertUnwindSafe(work)).is_err() {
                    log::error!("the host panicked in the course of a request: a bug in airssys-wasm");
                }
                state = self.lock();
                continue;
            }
            if state.closed {
                break;
            }
            state.idle += 1;
            let waited = self.changed.wait_timeout(state, IDLE);
            let (guard, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = guard;
            state.idle -= 1;
            if timeout.timed_out() && state.waiting.is_empty() && state.threads > self.first {
                break;
            }
        }
        state.threads -= 1;
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
        let pool = Pool::new(4, 6);
        let (release, held) = mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let begun = Arc::new(AtomicUsize::new(0));
        let mut taken = 0;
        let start = Instant::now();
        // Each piece of work waits for its release, so only more threads begin more of it.
        while begun.load(Ordering::SeqCst) < 6 {
            let (held, begun) = (held.clone(), begun.clone());
            let work = move || {
                begun.fetch_add(1, Ordering::SeqCst);
                let _ = held.lock().unwrap().recv();
            };
            if taken < 10 && pool.submit(Box::new(work)) {
                taken += 1;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{taken} taken");
            thread::sleep(Duration::from_millis(5));
        }
        while taken < 10 {
            assert!(pool.submit(Box::new(|| ())));
            taken += 1;
        }
        assert!(!pool.submit(Box::new(|| ())), "six run and four wait");
        drop(release);
        assert!(pool.close(Duration::from_secs(20)));
        assert!(!pool.submit(Box::new(|| ())), "closed");
    }

    #[test]
    fn work_that_panics_costs_no_thread() {
        let pool = Pool::new(10, 1);
        let (sender, receiver) = mpsc::channel();
        assert!(pool.submit(Box::new(|| panic!("on purpose"))));
        assert!(pool.submit(Box::new(move || sender.send(1).unwrap())));
        assert_eq!(receiver.recv_timeout(Duration::from_secs(20)), Ok(1));
        assert!(pool.close(Duration::from_secs(20)));
    }
}
