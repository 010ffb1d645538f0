//! Alarms at points in time, by one thread of the system.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use super::actor::Actor;

/// An alarm.
#[derive(Debug)]
pub(super) enum Alarm {
    /// A message's time, or its sender's, may be over.
    Message(Weak<Actor>, u64),
    /// An actor's pause before a restart is over.
    Restart(Weak<Actor>),
    /// The health of an actor is to be probed.
    Probe(Weak<Actor>),
    /// The trial of the version with this number has lasted long enough.
    Trial(Weak<Actor>, u64),
    /// The time for the shutdown is over.
    ForceShutdown,
    /// So is the time for what cannot be stopped at once.
    ReportShutdown,
}

/// Alarms of one system.
#[derive(Debug, Default)]
pub(super) struct Timer {
    alarms: Mutex<Alarms>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Alarms {
    by_time: BTreeMap<Key, Alarm>,
    next: u64,
    /// Time at which the thread wakes by itself.
    looks: Option<Instant>,
    ended: bool,
}

type Key = (Instant, u64);

/// An alarm that is off once this value is dropped.
#[derive(Debug)]
pub(super) struct Set {
    timer: Arc<Timer>,
    key: Key,
}

impl Timer {
    /// Sets an alarm, until the result is dropped.
    pub(super) fn set(self: &Arc<Self>, at: Instant, alarm: Alarm) -> Set {
        let key = self.insert(at, alarm);
        Set {
            timer: self.clone(),
            key,
        }
    }

    /// Sets an alarm for good.
    pub(super) fn insert(&self, at: Instant, alarm: Alarm) -> Key {
        let mut alarms = self.lock();
        let key = (at, alarms.next);
        alarms.next += 1;
        alarms.by_time.insert(key, alarm);
        // Waking the thread costs more than most messages take.
        let soon_enough = alarms.looks.is_some_and(|looks| looks <= at);
        drop(alarms);
        if !soon_enough {
            self.changed.notify_one();
        }
        key
    }

    /// Runs the alarms until [`Timer::end`]. No lock is held while `ring` runs.
    pub(super) fn run(&self, ring: impl Fn(Alarm)) {
        let mut alarms = self.lock();
        while !alarms.ended {
            let now = Instant::now();
            let due = alarms.by_time.first_entry().filter(|first| first.key().0 <= now);
            if let Some(due) = due {
                let alarm = due.remove();
                drop(alarms);
                ring(alarm);
                alarms = self.lock();
                continue;
            }
            alarms.looks = alarms.by_time.first_key_value().map(|((at, _), _)| *at);
            alarms = match alarms.looks {
                Some(at) => {
                    let wait = at.saturating_duration_since(now);
                    let woken = self.changed.wait_timeout(alarms, wait);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(alarms).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Ends the thread.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Alarms> {
        // No step in between panics.
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Set {
    fn drop(&mut self) {
        let removed = self.timer.lock().by_time.remove(&self.key);
        drop(removed);
    }
}
