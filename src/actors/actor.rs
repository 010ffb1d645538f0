//! One actor: its mailbox and its state. Workers run it ([`turn`](super::turn)); senders and the timer change it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::core::Core;
use super::dead_letters::DeadLetterReason;
use super::durable::Queue;
use super::error::ActorError;
use super::group::ActorGroup;
use super::health::Health;
use super::lanes::FIRST;
use super::letter::Letter;
use super::mailbox::{Mailbox, Offer};
use super::options::{ActorOptions, Backpressure};
use super::pending::Completer;
use super::state::{Cause, Closing, End, Outbox, Phase, State};
use super::status::{ActorCounters, ActorPhase, ActorStatus};
use super::supervision::Supervisor;
use super::timer::Alarm;
use super::versions::{Version, Versions};
use crate::messaging::ComponentId;
use crate::runtime::Supervised;

/// A component that is called for its messages, one at a time.
#[derive(Debug)]
pub(super) struct Actor {
    pub(super) core: Arc<Core>,
    /// Number in the system.
    pub(super) key: u64,
    id: ComponentId,
    pub(super) group: Option<ActorGroup>,
    /// Its messages in the store.
    pub(super) queue: Queue,
    /// Longest wait of a sender for room.
    longest_wait: Option<Duration>,
    state: Mutex<State>,
}

impl Actor {
    /// Creates the actor of a component that is loaded.
    pub(super) fn new(
        core: Arc<Core>,
        key: u64,
        component: Supervised,
        version: Version,
        queue: Queue,
        options: ActorOptions,
    ) -> Actor {
        let limits = options.mailbox_of(component.mailbox_limits());
        let mailbox = Mailbox::new(limits, &options.backpressure);
        Actor {
            core,
            key,
            id: component.id().clone(),
            group: options.group,
            queue,
            longest_wait: match options.backpressure {
                Backpressure::Wait { longest } => Some(longest),
                _ => None,
            },
            state: Mutex::new(State {
                phase: Phase::Ready,
                closing: Closing::No,
                scheduled: false,
                mailbox,
                running: None,
                lanes: Vec::new(),
                counters: ActorCounters::default(),
                supervisor: Supervisor::new(options.restarts),
                component: Arc::new(component),
                versions: Versions::new(version),
                trial: None,
                is_replacing: false,
                health: options.health.map(|probe| Box::new(Health::new(probe))),
                restarts_with_group: false,
                restart_alarm: None,
                stopping: Vec::new(),
            }),
        }
    }

    pub(super) fn id(&self) -> &ComponentId {
        &self.id
    }

    /// Returns the version of the component that handles messages.
    pub(super) fn component(&self) -> Arc<Supervised> {
        self.lock().component.clone()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // No step in between panics, and no guest or host function runs.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a message; returns its ticket, unless it is refused. Its receiver gets the result.
    pub(super) fn offer(self: &Arc<Self>, letter: Box<Letter>) -> Option<u64> {
        let refused = self.offer_waiting(letter, true);
        refused.map_err(|(letter, error)| letter.answer(Err(error))).ok()
    }

    /// Sends a message whose sender does not wait for room.
    pub(super) fn offer_now(self: &Arc<Self>, letter: Box<Letter>) {
        if let Err((letter, error)) = self.offer_waiting(letter, false) {
            letter.answer(Err(error));
        }
    }

    /// Sends a message; returns its ticket. One that is refused comes back, with the reason, and its receiver has no answer yet.
    pub(super) fn offer_waiting(
        self: &Arc<Self>,
        mut letter: Box<Letter>,
        may_wait: bool,
    ) -> Result<u64, (Box<Letter>, ActorError)> {
        let mut outbox = Outbox::default();
        self.queue.attach(&mut letter);
        let mut state = self.lock();
        state.counters.sent += 1;
        if let Some(refusal) = self.refusal(&state, !may_wait) {
            state.counters.refused += 1;
            drop(state);
            outbox.send(self);
            return Err((letter, refusal));
        }
        let ticket = state.mailbox.next_ticket();
        letter.stored.set_ticket(ticket);
        let alarm = |at| {
            self.core
                .timer
                .set(at, Alarm::Message(Arc::downgrade(self), ticket))
        };
        letter.alarm = letter.deadline.map(alarm);
        let receiver = letter.accepted();
        let bytes = letter.payload.len();
        let offer = state.mailbox.offer(bytes, letter, may_wait);
        let result = match offer {
            Offer::Accepted(dropped) => {
                outbox.accepted.extend(receiver);
                for letter in dropped {
                    let error = ActorError::Displaced(self.id().clone());
                    state.bury(self.id(), letter, DeadLetterReason::Displaced, error, &mut outbox);
                }
                Ok(ticket)
            }
            Offer::Waits => {
                let longest = self.longest_wait.unwrap_or_default();
                let until = Instant::now().checked_add(longest);
                if let Some(letter) = state.mailbox.outside(ticket) {
                    letter.restore(receiver);
                    letter.room_alarm = until.map(alarm);
                }
                Ok(ticket)
            }
            Offer::TooLarge(mut letter, limit) => {
                letter.restore(receiver);
                let id = self.id().clone();
                state.counters.refused += 1;
                Err((letter, ActorError::TooLarge { id, bytes, limit }))
            }
            Offer::Full(mut letter) => {
                letter.restore(receiver);
                state.counters.refused += 1;
                Err((letter, self.full(&state)))
            }
        };
        self.schedule_in(&mut state);
        drop(state);
        outbox.send(self);
        result
    }

    /// Returns the reason to refuse a message, or a new version. A system that is shut down still accepts what its components
    /// send.
    pub(super) fn refusal(&self, state: &State, is_guest: bool) -> Option<ActorError> {
        match (&state.phase, state.closing) {
            (Phase::Ended(end @ End::GaveUp { .. }), _) => Some(end.error(self.id())),
            (_, Closing::ShutDown | Closing::Now) => Some(ActorError::ShutDown),
            (_, Closing::Drain) if !is_guest => Some(ActorError::ShutDown),
            (Phase::Ended(end), _) => Some(end.error(self.id())),
            (_, Closing::Stop) => Some(End::Stopped.error(self.id())),
            (Phase::Ready | Phase::Pausing(_), Closing::No | Closing::Drain) => None,
        }
    }

    fn full(&self, state: &State) -> ActorError {
        ActorError::Full {
            id: self.id().clone(),
            messages: state.mailbox.len(),
            bytes: state.mailbox.bytes(),
        }
    }

    /// Gives a message up: it leaves the mailbox, or its call is stopped.
    pub(super) fn cancel(self: &Arc<Self>, ticket: u64) {
        let mut outbox = Outbox::default();
        let mut guard = self.lock();
        let state = &mut *guard;
        let accepted = &mut outbox.accepted;
        match state
            .mailbox
            .remove(ticket, |letter| accepted.extend(letter.accepted()))
        {
            Some(letter) => {
                state.counters.canceled += 1;
                // No receiver is left; it is dropped when no lock is held.
                outbox.answers.push((letter, Err(ActorError::ShutDown)));
            }
            None => {
                for running in state.all_running().filter(|running| running.ticket == ticket) {
                    running.stop(Cause::Sender);
                }
            }
        }
        self.schedule_in(state);
        drop(guard);
        outbox.send(self);
    }

    /// Ends a message that waits if its time, or its sender's, is over.
    pub(super) fn expire(self: &Arc<Self>, ticket: u64) {
        let mut outbox = Outbox::default();
        let mut guard = self.lock();
        let full = self.full(&guard);
        let state = &mut *guard;
        let waits_outside = state.mailbox.outside(ticket).is_some();
        let is_expired = state
            .mailbox
            .inside(ticket)
            .is_some_and(|letter| letter.is_expired());
        if waits_outside || is_expired {
            let accepted = &mut outbox.accepted;
            let removed = state
                .mailbox
                .remove(ticket, |letter| accepted.extend(letter.accepted()));
            if let Some(letter) = removed {
                let expired = letter.expired(self.id());
                if is_expired {
                    state.bury(self.id(), letter, DeadLetterReason::Expired, expired, &mut outbox);
                } else {
                    let error = if letter.is_expired() { expired } else { full };
                    state.refuse(letter, error, &mut outbox);
                }
            }
        }
        self.schedule_in(state);
        drop(guard);
        outbox.send(self);
    }

    /// Puts the actor into the queue of the workers if it has something to do.
    pub(super) fn schedule(self: &Arc<Self>) {
        self.schedule_in(&mut self.lock());
    }

    pub(super) fn schedule_in(self: &Arc<Self>, state: &mut State) {
        if !state.scheduled && state.has_work() {
            state.scheduled = true;
            self.core.push(self.clone(), FIRST);
        }
        self.schedule_lanes(state);
    }

    /// Requests the end. `stopped` is completed with it.
    pub(super) fn close(self: &Arc<Self>, closing: Closing, stopped: Option<Completer<()>>) {
        let mut outbox = Outbox::default();
        let mut state = self.lock();
        state.closing = state.closing.max(closing);
        state.stopping.extend(stopped);
        if closing == Closing::Now {
            let error = || ActorError::ShutDown;
            state.drain(self.id(), &DeadLetterReason::ShutDown, error, &mut outbox);
            for running in state.all_running() {
                running.stop(Cause::ShutDown);
            }
        }
        self.schedule_in(&mut state);
        drop(state);
        outbox.send(self);
    }

    pub(super) fn counters(&self) -> ActorCounters {
        self.lock().counters()
    }

    /// Reports whether no message waits or is handled.
    pub(super) fn is_idle(&self) -> bool {
        self.counters().in_flight == 0
    }

    pub(super) fn status(&self) -> ActorStatus {
        let state = self.lock();
        let phase = match (&state.phase, state.closing) {
            (Phase::Ended(End::GaveUp { .. }), _) => ActorPhase::GaveUp,
            (Phase::Ended(End::Stopped), _) => ActorPhase::Stopped,
            (_, Closing::Drain | Closing::Stop | Closing::ShutDown | Closing::Now) => ActorPhase::Stopping,
            (Phase::Ready, Closing::No) => ActorPhase::Ready,
            (Phase::Pausing(_), Closing::No) => ActorPhase::Restarting,
        };
        ActorStatus {
            phase,
            waiting: state.mailbox.len(),
            waiting_bytes: state.mailbox.bytes(),
            waiting_senders: state.mailbox.senders(),
            instances: state.instances(),
            restarts: state.supervisor.restarts(),
            counters: state.counters(),
        }
    }
}
