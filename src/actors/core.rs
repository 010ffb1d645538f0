//! The part of an actor system that its threads share.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::actor::Actor;
use super::dead_letters::DeadLetters;
use super::durable::SystemStore;
use super::error::ActorError;
use super::events::EventHub;
use super::pending::Completer;
use super::state::Closing;
use super::status::ActorCounters;
use super::timer::{Alarm, Timer};
use super::turn::turn;

/// Time between two looks of an idle worker at the queue, while others run: the longest time that a message of a component waits
/// for a worker that is free. Waking one for each costs more than most messages take.
const LOOK: Duration = Duration::from_micros(500);

/// Time in which calls that are interrupted at the end of a shutdown are awaited.
const GRACE: Duration = Duration::from_secs(1);

/// Result of [`ActorSystem::shutdown`](super::ActorSystem::shutdown).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// All messages of the system's life.
    pub counters: ActorCounters,
    /// Actors and loads whose call could not be stopped within a second after the deadline. Their threads end with it.
    pub unfinished: usize,
}

/// Queue, timer and actors of a system.
pub(super) struct Core {
    /// Messages of one actor in a turn.
    pub(super) turn_messages: usize,
    workers: usize,
    pub(super) timer: Arc<Timer>,
    pub(super) dead: DeadLetters,
    pub(super) store: SystemStore,
    pub(super) events: EventHub,
    queue: Mutex<Queue>,
    added: Condvar,
    registry: Mutex<Registry>,
    /// The system is shut down, and its mailboxes are not empty yet.
    draining: AtomicBool,
    /// Messages that components sent to actors.
    guest_messages: AtomicU64,
}

#[derive(Default)]
struct Queue {
    work: VecDeque<Work>,
    /// Workers that wait.
    idle: usize,
    /// One of them looks at the queue at intervals.
    looks: bool,
    ended: bool,
}

thread_local! {
    /// The system whose worker this thread is, while it runs.
    static WORKER: RefCell<Option<Arc<Core>>> = const { RefCell::new(None) };
}

/// Has another worker take what this one would take next, if this thread is a worker of an actor system. For functions of the host
/// application, and [forwarders](crate::messaging::Forwarder), that are about to block for longer than a message takes: what comes
/// meanwhile may otherwise wait for half a millisecond.
pub fn before_blocking() {
    // While the thread ends, it is no worker any more.
    let _ = WORKER.try_with(|worker| {
        if let Ok(worker) = worker.try_borrow()
            && let Some(core) = &*worker
        {
            core.wake();
        }
    });
}

enum Work {
    /// Of an actor's instance.
    Turn(Arc<Actor>, usize),
    Job(Box<dyn FnOnce() + Send>),
}

#[derive(Default)]
struct Registry {
    actors: BTreeMap<u64, Arc<Actor>>,
    next: u64,
    /// Components that are loaded now.
    loads: usize,
    closing: bool,
    /// The threads have ended, or will at once.
    ended: bool,
    /// Of actors that are removed.
    counters: ActorCounters,
    waiting: Vec<Completer<ShutdownReport>>,
}

impl Registry {
    fn report(&self) -> ShutdownReport {
        let mut counters = self.counters;
        for actor in self.actors.values() {
            counters += actor.counters();
        }
        ShutdownReport {
            counters,
            unfinished: self.actors.len() + self.loads,
        }
    }
}

/// A load in progress, until it is dropped. The system does not end before.
pub(super) struct Load(Arc<Core>);

impl Core {
    pub(super) fn new(workers: usize, turn_messages: usize, dead: DeadLetters, store: SystemStore) -> Core {
        Core {
            turn_messages,
            workers,
            timer: Arc::default(),
            dead,
            store,
            events: EventHub::default(),
            queue: Mutex::default(),
            added: Condvar::new(),
            registry: Mutex::default(),
            draining: AtomicBool::new(false),
            guest_messages: AtomicU64::new(0),
        }
    }

    /// Queues a turn of an actor's instance.
    pub(super) fn push(&self, actor: Arc<Actor>, lane: usize) {
        self.add(Work::Turn(actor, lane));
    }

    /// Queues a job.
    pub(super) fn submit(&self, job: impl FnOnce() + Send + 'static) {
        self.add(Work::Job(Box::new(job)));
    }

    fn add(&self, work: Work) {
        let mut queue = self.queue();
        queue.work.push_back(work);
        // This worker takes it next, or the idle one that looks does.
        let waits = queue.idle == 0 || (queue.looks && queue.work.len() == 1 && self.is_worker());
        drop(queue);
        if !waits {
            self.added.notify_one();
        }
    }

    /// Reports whether this thread is a worker of the system.
    fn is_worker(&self) -> bool {
        let is_own = |core: &Arc<Core>| std::ptr::eq(Arc::as_ptr(core), self);
        let of_thread = WORKER.try_with(|worker| {
            let worker = worker.try_borrow().ok()?;
            worker.as_ref().map(is_own)
        });
        matches!(of_thread, Ok(Some(true)))
    }

    /// Wakes an idle worker if there is work.
    fn wake(&self) {
        let queue = self.queue();
        let is_needed = queue.idle > 0 && !queue.work.is_empty();
        drop(queue);
        if is_needed {
            self.added.notify_one();
        }
    }

    /// Runs the queue until the system has ended.
    pub(super) fn work(self: &Arc<Self>) {
        WORKER.set(Some(self.clone()));
        self.work_to_end();
        WORKER.take();
    }

    fn work_to_end(&self) {
        loop {
            let mut queue = self.queue();
            let work = loop {
                match queue.work.pop_front() {
                    Some(work) => break work,
                    None if queue.ended => return,
                    None => queue = self.rest(queue),
                }
            };
            // The wakeup for what is left may have been this worker's.
            let is_another_needed = !queue.work.is_empty() && queue.idle > 0;
            drop(queue);
            if is_another_needed {
                self.added.notify_one();
            }
            let done = catch_unwind(AssertUnwindSafe(|| match work {
                Work::Turn(actor, lane) => turn(&actor, lane),
                Work::Job(job) => job(),
            }));
            if done.is_err() {
                log::error!("a worker of the actor system panicked outside of a call, which is a bug");
            }
        }
    }

    /// Waits for work. One of the workers that wait looks again after a while, unless no other runs.
    fn rest<'a>(&'a self, mut queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
        queue.idle += 1;
        if queue.looks || queue.idle == self.workers {
            queue = self.added.wait(queue).unwrap_or_else(PoisonError::into_inner);
        } else {
            queue.looks = true;
            let woken = self.added.wait_timeout(queue, LOOK);
            queue = woken.unwrap_or_else(PoisonError::into_inner).0;
            queue.looks = false;
        }
        queue.idle -= 1;
        queue
    }

    /// Runs the alarms until the system has ended.
    pub(super) fn run_timer(&self) {
        self.timer.run(|alarm| match alarm {
            Alarm::Message(actor, ticket) => {
                if let Some(actor) = actor.upgrade() {
                    actor.expire(ticket);
                }
            }
            Alarm::Restart(actor) => {
                if let Some(actor) = actor.upgrade() {
                    actor.schedule();
                }
            }
            Alarm::Probe(actor) => {
                if let Some(actor) = actor.upgrade() {
                    actor.probe();
                }
            }
            Alarm::Trial(actor, version) => {
                if let Some(actor) = actor.upgrade() {
                    actor.end_trial(version);
                }
            }
            Alarm::ForceShutdown => self.force_shutdown(),
            Alarm::ReportShutdown => self.report_shutdown(),
        });
    }

    /// Begins a load; returns it with the number of the actor.
    ///
    /// # Errors
    /// [`ActorError::ShutDown`].
    pub(super) fn begin_load(self: &Arc<Self>) -> Result<(Load, u64), ActorError> {
        let mut registry = self.registry();
        if registry.closing {
            return Err(ActorError::ShutDown);
        }
        registry.loads += 1;
        registry.next += 1;
        Ok((Load(self.clone()), registry.next))
    }

    /// Adds an actor that is loaded.
    ///
    /// # Errors
    /// [`ActorError::ShutDown`].
    pub(super) fn enter(&self, actor: &Arc<Actor>) -> Result<(), ActorError> {
        let mut registry = self.registry();
        if registry.closing {
            return Err(ActorError::ShutDown);
        }
        registry.actors.insert(actor.key, actor.clone());
        Ok(())
    }

    /// Removes an actor that is stopped.
    pub(super) fn remove(&self, actor: &Arc<Actor>) {
        let removed = {
            let mut registry = self.registry();
            registry.counters += actor.counters();
            registry.actors.remove(&actor.key)
        };
        drop(removed);
        self.check_drained();
        self.settle();
    }

    pub(super) fn counters(&self) -> ActorCounters {
        self.registry().report().counters
    }

    pub(super) fn actors(&self) -> usize {
        self.registry().actors.len()
    }

    /// Begins the shutdown; it is forced after `time`.
    pub(super) fn shut_down(&self, time: Duration, receiver: Option<Completer<ShutdownReport>>) {
        let actors: Vec<_> = {
            let mut registry = self.registry();
            registry.closing = true;
            registry.waiting.extend(receiver);
            registry.actors.values().cloned().collect()
        };
        if !time.is_zero()
            && let Some(at) = Instant::now().checked_add(time)
        {
            self.timer.insert(at, Alarm::ForceShutdown);
        }
        self.draining.store(true, Ordering::SeqCst);
        for actor in actors {
            actor.close(Closing::Drain, None);
        }
        if time.is_zero() {
            // An alarm would come after the next messages of some.
            self.force_shutdown();
        }
        self.check_drained();
        self.settle();
    }

    /// Records that an actor has a message of a component, before the call ends that sent it.
    pub(super) fn accepted_guest_message(&self) {
        self.guest_messages.fetch_add(1, Ordering::SeqCst);
    }

    /// Stops all actors if the system is shut down and no message is left, which could be one that leads to another. No lock
    /// is held.
    pub(super) fn check_drained(&self) {
        while self.draining.load(Ordering::SeqCst) {
            let before = self.guest_messages.load(Ordering::SeqCst);
            let actors: Vec<_> = self.registry().actors.values().cloned().collect();
            if !actors.iter().all(|actor| actor.is_idle()) {
                // The actor that handles the last of them looks again.
                return;
            }
            // A message can have gone from one that was busy to one that was seen idle.
            if self.guest_messages.load(Ordering::SeqCst) != before {
                continue;
            }
            self.draining.store(false, Ordering::SeqCst);
            for actor in actors {
                actor.close(Closing::ShutDown, None);
            }
        }
    }

    fn force_shutdown(&self) {
        let actors: Vec<_> = self.registry().actors.values().cloned().collect();
        self.timer.insert(Instant::now() + GRACE, Alarm::ReportShutdown);
        for actor in actors {
            actor.close(Closing::Now, None);
        }
    }

    fn report_shutdown(&self) {
        let (report, receivers) = {
            let mut registry = self.registry();
            (registry.report(), std::mem::take(&mut registry.waiting))
        };
        for receiver in receivers {
            receiver.complete(Ok(report.clone()));
        }
    }

    /// Ends the threads if the system is shut down and nothing is left.
    fn settle(&self) {
        {
            let mut registry = self.registry();
            if !registry.closing || !registry.actors.is_empty() || registry.loads > 0 {
                return;
            }
            registry.ended = true;
        }
        self.queue().ended = true;
        self.added.notify_all();
        self.timer.end();
        self.events.close();
        self.report_shutdown();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // No step in between panics.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        // No step in between panics. Actors are locked while it is held, never the other way round.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.registry().loads -= 1;
        self.0.settle();
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let registry = self.registry();
        f.debug_struct("Core")
            .field("actors", &registry.actors.len())
            .field("ended", &registry.ended)
            .finish_non_exhaustive()
    }
}
