//! Changes that wait for the next commit.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::change::Job;
use crate::error::{Bound, StoreError};

/// Largest number of changes in a commit, and bytes after which it takes no more. Bounds the time that the first of them
/// waits.
const BATCH: usize = 1024;
const BATCH_BYTES: usize = 8 << 20;

/// The changes that wait, in the order in which they were handed over.
pub(crate) struct Pending {
    most: usize,
    most_bytes: usize,
    state: Mutex<State>,
    added: Condvar,
    room: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Box<dyn Job>>,
    bytes: usize,
    closed: bool,
}

impl Pending {
    pub(crate) fn new(most: usize, most_bytes: usize) -> Pending {
        Pending {
            most,
            most_bytes,
            state: Mutex::default(),
            added: Condvar::new(),
            room: Condvar::new(),
        }
    }

    /// Adds a change. Without `wait`, one for which there is no room is completed with an error at once.
    pub(crate) fn add(&self, job: Box<dyn Job>, wait: bool) {
        let bytes = job.bytes();
        if bytes > self.most_bytes {
            let (bound, limit) = (Bound::Change, self.most_bytes);
            return job.complete(Err(StoreError::TooLarge {
                bound,
                value: bytes,
                limit,
            }));
        }
        let mut state = self.lock();
        let error = loop {
            if state.closed {
                break StoreError::Closed;
            }
            let has_room = state.jobs.len() < self.most && state.bytes + bytes <= self.most_bytes;
            if has_room || job.frees() {
                state.bytes += bytes;
                state.jobs.push_back(job);
                drop(state);
                self.added.notify_one();
                return;
            }
            if !wait {
                break StoreError::Busy {
                    changes: state.jobs.len(),
                    bytes: state.bytes,
                };
            }
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        // It is the caller's code: no lock is held while it runs.
        drop(state);
        job.complete(Err(error));
    }

    /// Waits for changes, and returns those of the next commit; `None` when the queue is closed and empty.
    pub(crate) fn take(&self) -> Option<Vec<Box<dyn Job>>> {
        let mut state = self.lock();
        while state.jobs.is_empty() {
            if state.closed {
                return None;
            }
            state = self.added.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < BATCH
            && bytes < BATCH_BYTES
            && let Some(job) = state.jobs.pop_front()
        {
            bytes += job.bytes();
            batch.push(job);
        }
        state.bytes = state.bytes.saturating_sub(bytes);
        drop(state);
        self.room.notify_all();
        Some(batch)
    }

    /// Accepts no more changes.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.added.notify_all();
        self.room.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No step in between panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
