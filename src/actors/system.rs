//! The actor system: its settings, threads and end.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::core::{Core, ShutdownReport};
use super::dead_letters::{DeadLetter, DeadLetters};
use super::durable::SystemStore;
use super::error::ActorSystemError;
use super::events::ActorEvents;
use super::options::InvalidActorOptions;
use super::pending::{Pending, pending};
use super::status::ActorCounters;
use airssys_wasm_component::internal::threads::parallel;

/// Largest number of workers of one system.
const MAX_WORKERS: usize = 1024;
/// Largest number of messages in a turn.
const MAX_TURN_MESSAGES: usize = 10_000;

/// Runs components as actors, of any number of runtimes. Cheap to clone.
///
/// It has [a number of workers](ActorSystemBuilder::with_workers), threads on which all calls of all its actors run, and one
/// thread for times. An idle actor has no thread.
///
/// When the last clone is dropped, the system shuts down as with [`ActorSystem::shutdown`], in the background, within
/// [`ActorSystemBuilder::with_drain_time`].
#[derive(Clone)]
pub struct ActorSystem {
    handle: Arc<Handle>,
}

struct Handle {
    core: Arc<Core>,
    workers: usize,
    drain_time: Duration,
}

/// Settings of an [`ActorSystem`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ActorSystemBuilder {
    workers: usize,
    turn_messages: usize,
    dead_letters: usize,
    dead_letter_bytes: usize,
    drain_time: Duration,
    store: SystemStore,
}

impl ActorSystem {
    /// Creates a system with the default settings.
    ///
    /// # Errors
    /// [`ActorSystemError::Threads`].
    pub fn new() -> Result<ActorSystem, ActorSystemError> {
        ActorSystem::builder().build()
    }

    /// Starts from the default settings.
    pub fn builder() -> ActorSystemBuilder {
        ActorSystemBuilder {
            workers: parallel().clamp(2, MAX_WORKERS),
            turn_messages: 16,
            dead_letters: 1024,
            dead_letter_bytes: 16 << 20,
            drain_time: Duration::from_secs(30),
            store: SystemStore::default(),
        }
    }

    /// Shuts the system down: no message is accepted and no actor started any more. Messages in mailboxes are handled; then
    /// each component's `shutdown` is called, and the component is unloaded. After `time` the remaining messages go to the
    /// dead letters, guests are interrupted, and their `shutdown` is not called. Without any time, no message is begun after
    /// this returns.
    ///
    /// The result is there when the last actor has ended, or one second after `time` if a call could not be stopped: in a
    /// function of the host application, in `sleep-millis`, or in `init`; its thread ends with it. Dropping the result changes
    /// nothing. A second call can shorten the time.
    ///
    /// # Errors
    /// None.
    pub fn shutdown(&self, time: Duration) -> Pending<ShutdownReport> {
        let (receiver, report) = pending();
        self.core().shut_down(time, Some(receiver));
        report
    }

    /// Subscribes to the events of all actors from now on. The subscription keeps at most `most` events that are not read
    /// yet, 1 to [`MAX_KEPT_EVENTS`](super::MAX_KEPT_EVENTS); other numbers are replaced by the nearest.
    pub fn subscribe(&self, most: usize) -> ActorEvents {
        self.core().events.subscribe(most)
    }

    /// Removes and returns the dead letters, the oldest first: those in the store, then those in memory. With a store it waits
    /// for the disk.
    pub fn take_dead_letters(&self) -> Vec<DeadLetter> {
        let mut letters = self.core().store.take_dead_letters();
        letters.extend(self.core().dead.take());
        letters
    }

    /// Returns the number of dead letters that were dropped because there were too many, or because they were too large.
    pub fn lost_dead_letters(&self) -> u64 {
        self.core().dead.lost() + self.core().store.lost()
    }

    /// Returns the numbers of messages of all actors, also of those that are stopped.
    pub fn counters(&self) -> ActorCounters {
        self.core().counters()
    }

    /// Returns the number of workers.
    pub fn workers(&self) -> usize {
        self.handle.workers
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.handle.core
    }
}

impl fmt::Debug for ActorSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActorSystem")
            .field("workers", &self.handle.workers)
            .field("actors", &self.core().actors())
            .finish_non_exhaustive()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.core.shut_down(self.drain_time, None);
    }
}

impl ActorSystemBuilder {
    /// Sets the number of workers: the number of calls that run at the same time; 1 to 1024. By default the number of
    /// processors, at least 2. Since a call blocks its worker, components that wait for long need more.
    pub fn with_workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// Sets the number of messages that a worker handles for one actor before it turns to the next; 1 to 10,000, by default
    /// 16. A turn ends earlier once it has taken 10 ms. Stops an actor that is flooded from starving others.
    pub fn with_turn_messages(mut self, messages: usize) -> Self {
        self.turn_messages = messages;
        self
    }

    /// Sets the number of dead letters that are kept, and the bytes of all of them together; 1024 and 16 MiB by default, and
    /// 0 keeps none. The oldest are dropped and counted. Stops dead letters that no one reads from filling the host's memory.
    pub fn with_dead_letters(mut self, letters: usize, bytes: usize) -> Self {
        (self.dead_letters, self.dead_letter_bytes) = (letters, bytes);
        self
    }

    /// Sets the store of durable actors ([`ActorOptions::durable`](super::ActorOptions::durable)). Their dead letters are in it
    /// too, within its own bounds. Any number of systems of this process may use one, for actors with different identities.
    #[cfg(feature = "durable")]
    pub fn with_store(mut self, store: airssys_wasm_store::Store) -> Self {
        self.store = SystemStore::new(Some(store));
        self
    }

    /// Sets the time of the shutdown that dropping the system begins; 30 seconds by default.
    pub fn with_drain_time(mut self, time: Duration) -> Self {
        self.drain_time = time;
        self
    }

    /// Starts the threads.
    ///
    /// # Errors
    /// [`ActorSystemError::Options`] for numbers outside their ranges; [`ActorSystemError::Threads`].
    pub fn build(self) -> Result<ActorSystem, ActorSystemError> {
        for (what, value, most) in [
            ("the number of workers", self.workers, MAX_WORKERS),
            (
                "the number of messages in a turn",
                self.turn_messages,
                MAX_TURN_MESSAGES,
            ),
        ] {
            if !(1..=most).contains(&value) {
                let number = |value| u64::try_from(value).unwrap_or(u64::MAX);
                return Err(ActorSystemError::Options(InvalidActorOptions::Range {
                    what,
                    value: number(value),
                    least: 1,
                    most: number(most),
                }));
            }
        }
        let dead = DeadLetters::new(self.dead_letters, self.dead_letter_bytes);
        // Its drop ends the threads that were started if another cannot be.
        let handle = Handle {
            core: Arc::new(Core::new(self.workers, self.turn_messages, dead, self.store)),
            workers: self.workers,
            drain_time: self.drain_time,
        };
        for number in 0..self.workers {
            let core = handle.core.clone();
            start(format!("actors-{number}"), move || core.work())?;
        }
        let core = handle.core.clone();
        start("actors-timer".to_owned(), move || core.run_timer())?;
        Ok(ActorSystem {
            handle: Arc::new(handle),
        })
    }
}

fn start(name: String, run: impl FnOnce() + Send + 'static) -> Result<(), ActorSystemError> {
    let thread = thread::Builder::new().name(name).spawn(run);
    thread.map(drop).map_err(ActorSystemError::Threads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_outside_their_ranges_are_refused() {
        let builder = ActorSystem::builder;
        for refused in [
            builder().with_workers(0),
            builder().with_workers(MAX_WORKERS + 1),
            builder().with_turn_messages(0),
        ] {
            let refused = refused.build();
            assert!(
                matches!(refused, Err(ActorSystemError::Options(_))),
                "{refused:?}"
            );
        }
    }

    #[test]
    fn a_system_without_actors_ends_at_once() {
        let system = ActorSystem::builder().with_workers(2).build().unwrap();
        let events = system.subscribe(1);
        let report = system.shutdown(Duration::MAX).wait().unwrap();
        assert_eq!(
            (report.unfinished, report.counters),
            (0, ActorCounters::default())
        );
        // Again, which is no error.
        assert!(system.shutdown(Duration::ZERO).wait().is_ok());
        assert_eq!(events.wait_next(Duration::MAX), None);
    }
}
