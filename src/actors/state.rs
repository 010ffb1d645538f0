//! The locked part of an actor, and the steps that change it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::actor::Actor;
use super::dead_letters::{DeadLetter, DeadLetterReason};
use super::durable::is_storing;
use super::error::ActorError;
use super::events::ActorEventKind;
use super::group::MemberEnd;
use super::health::Health;
use super::lanes::Lane;
use super::letter::{Accepted, Letter};
use super::mailbox::{Entry, Mailbox};
use super::pending::Completer;
use super::replace::Replaced;
use super::status::ActorCounters;
use super::supervision::Supervisor;
use super::timer::Set;
use super::versions::{Stage, Trial, Version, Versions};
use crate::messaging::ComponentId;
use crate::runtime::{RuntimeError, Supervised};
use airssys_wasm_component::internal::InterruptHandle;
use airssys_wasm_component::internal::timer as guest_timer;

#[derive(Debug)]
pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) closing: Closing,
    /// It is in the queue of the workers, or one of them runs it.
    pub(super) scheduled: bool,
    pub(super) mailbox: Mailbox<Box<Letter>>,
    /// The call in flight of the first instance.
    pub(super) running: Option<Running>,
    /// The other instances, if there are several.
    pub(super) lanes: Vec<Lane>,
    /// Without those in flight.
    pub(super) counters: ActorCounters,
    pub(super) supervisor: Supervisor,
    /// The version that handles messages.
    pub(super) component: Arc<Supervised>,
    pub(super) versions: Versions,
    pub(super) trial: Option<Box<Trial>>,
    /// A new version is being prepared, or on trial.
    pub(super) is_replacing: bool,
    pub(super) health: Option<Box<Health>>,
    /// The instance is to be replaced after the call in flight, with those of its group.
    pub(super) restarts_with_group: bool,
    pub(super) restart_alarm: Option<Set>,
    /// Receivers of its end.
    pub(super) stopping: Vec<Completer<()>>,
}

#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// The instance is initialized.
    Ready,
    /// The instance is gone; the next comes at this time.
    Pausing(Instant),
    /// There are no more instances.
    Ended(End),
}

#[derive(Clone, Debug)]
pub(super) enum End {
    Stopped,
    GaveUp { restarts: u64, last: String },
}

impl End {
    pub(super) fn error(&self, id: &ComponentId) -> ActorError {
        let id = id.clone();
        match self {
            End::Stopped => ActorError::Stopped(id),
            End::GaveUp { restarts, last } => ActorError::GaveUp {
                id,
                restarts: *restarts,
                last: last.clone(),
            },
        }
    }
}

/// Stages of the end that the host requested, each beyond those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Closing {
    No,
    /// The system is shut down, and handles what is in its mailboxes, with the messages that its components send meanwhile.
    Drain,
    /// The messages in the mailbox are handled, and no more accepted.
    Stop,
    /// The same, for the whole system, once all its mailboxes are empty.
    ShutDown,
    /// Nothing is handled any more.
    Now,
}

/// Ticket of a call of `health`, which no message has.
pub(super) const PROBE: u64 = u64::MAX;

/// The call in flight.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) ticket: u64,
    pub(super) stop: Option<Cause>,
    pub(super) handle: Option<InterruptHandle>,
    /// Repeats the interrupt until the call has ended.
    pub(super) armed: Option<guest_timer::Armed>,
}

/// Reasons for which a call is stopped from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Its sender gave up.
    Sender,
    ShutDown,
}

/// The next step of an actor.
#[derive(Debug)]
pub(super) enum Step {
    Call(Entry<Box<Letter>>, Target),
    /// Query the health, within a time.
    Probe(Target, Duration),
    /// Hand the state of the first over to the second.
    Transfer(Arc<Supervised>, Arc<Supervised>),
    Restart,
    /// Replace one of several instances.
    RestartLane(Arc<Supervised>),
    /// Replace one of several instances by one of this version.
    RenewLane(Arc<Version>),
    /// Replace the instance of a version on trial.
    RestartCandidate(Arc<Supervised>),
    /// The end; with a call of `shutdown` if there is time for it and an instance.
    Stop {
        orderly: bool,
    },
    Idle,
}

/// The version that a message goes to.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) component: Arc<Supervised>,
    /// The instance: the first, or one of several.
    pub(super) lane: usize,
    /// It is on trial.
    pub(super) is_candidate: bool,
}

/// The end of a call.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The instance can be called again.
    Answered(Result<Vec<u8>, RuntimeError>),
    /// The instance is gone.
    Ended(ActorError),
}

/// The result of a message.
type Answer = Result<Vec<u8>, ActorError>;

/// Effects of a change, which take place when no lock is held.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub(super) answers: Vec<(Box<Letter>, Answer)>,
    pub(super) accepted: Vec<Accepted>,
    pub(super) dead: Vec<DeadLetter>,
    pub(super) events: Vec<ActorEventKind>,
    /// The version to make visible.
    pub(super) installed: Option<Arc<Supervised>>,
    /// Versions to end.
    pub(super) retired: Vec<Arc<Supervised>>,
    /// An end that concerns the group.
    pub(super) group: Option<MemberEnd>,
    pub(super) replaced: Vec<(Completer<Replaced>, Result<Replaced, ActorError>)>,
}

impl Outbox {
    /// Adds a receiver to be notified that its message is accepted.
    #[cfg(feature = "durable")]
    pub(super) fn accept(&mut self, receiver: Option<Completer<()>>) {
        self.accepted.extend(receiver.map(Accepted::Notify));
    }

    pub(super) fn send(self, actor: &Arc<Actor>) {
        if let Some(component) = self.installed {
            component.install(actor.weak());
        }
        for component in self.retired {
            actor.retire(component);
        }
        for letter in self.dead {
            actor.core.dead.add(letter);
        }
        for event in self.events {
            actor.core.events.publish(actor.id(), event);
        }
        // Before the answers: a sender that has one finds the group as it is after it.
        if let (Some(group), Some(end)) = (&actor.group, self.group) {
            group.member_ended(actor, end);
        }
        for accepted in self.accepted {
            match accepted {
                Accepted::Notify(receiver) => drop(receiver.complete(Ok(()))),
                Accepted::Store(slot) => slot.store(actor),
            }
        }
        for (letter, answer) in self.answers {
            letter.answer(answer);
        }
        for (receiver, result) in self.replaced {
            receiver.complete(result);
        }
        actor.core.check_drained();
    }
}

impl State {
    /// Moves a message to the dead letters. Its sender gets `error`.
    pub(super) fn bury(
        &mut self,
        id: &ComponentId,
        mut letter: Box<Letter>,
        reason: DeadLetterReason,
        error: ActorError,
        outbox: &mut Outbox,
    ) {
        if letter.stored.stays(&reason) {
            self.counters.kept += 1;
        } else {
            self.counters.dead_lettered += 1;
        }
        outbox.dead.extend(letter.dead(id, reason));
        outbox.answers.push((letter, Err(error)));
    }

    pub(super) fn refuse(&mut self, letter: Box<Letter>, error: ActorError, outbox: &mut Outbox) {
        self.counters.refused += 1;
        outbox.answers.push((letter, Err(error)));
    }

    /// Removes all messages.
    pub(super) fn drain(
        &mut self,
        id: &ComponentId,
        reason: &DeadLetterReason,
        error: impl Fn() -> ActorError,
        outbox: &mut Outbox,
    ) {
        let (inside, outside) = self.mailbox.drain();
        for letter in inside {
            self.bury(id, letter, reason.clone(), error(), outbox);
        }
        for letter in outside {
            self.refuse(letter, error(), outbox);
        }
    }

    pub(super) fn has_work(&self) -> bool {
        match &self.phase {
            Phase::Ready => {
                let first = self.mailbox.first();
                let stage = self.trial.as_ref().map(|trial| trial.stage);
                (first.is_some() && !is_storing(first))
                    || self.health.as_ref().is_some_and(|health| health.is_due)
                    || self.closing >= Closing::Stop
                    || stage.is_some_and(|stage| stage != Stage::Messages)
            }
            Phase::Pausing(until) => {
                *until <= Instant::now()
                    || self
                        .trial
                        .as_ref()
                        .is_some_and(|trial| trial.stage == Stage::Passed)
                    || self.closing == Closing::Now
                    || (self.closing >= Closing::Stop && self.is_empty())
            }
            Phase::Ended(_) => self.closing >= Closing::Stop,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.mailbox.len() + self.mailbox.senders() == 0
    }

    pub(super) fn counters(&self) -> ActorCounters {
        let of_lanes = self.lanes.iter().map(|lane| &lane.running);
        let running = of_lanes.chain([&self.running]).flatten();
        let handled = running.filter(|running| running.is_message()).count();
        let waiting = self.mailbox.len() + self.mailbox.senders() + handled;
        ActorCounters {
            in_flight: u64::try_from(waiting).unwrap_or(u64::MAX),
            ..self.counters
        }
    }
}

impl Running {
    /// Creates the record of a call that begins.
    pub(super) fn new(ticket: u64) -> Running {
        Running {
            ticket,
            stop: None,
            handle: None,
            armed: None,
        }
    }

    fn is_message(&self) -> bool {
        self.ticket != PROBE
    }

    pub(super) fn stop(&mut self, cause: Cause) {
        self.stop.get_or_insert(cause);
        self.interrupt();
    }

    /// Interrupts the guest if it is to be stopped and its handle is known.
    pub(super) fn interrupt(&mut self) {
        if let (Some(_), Some(handle), None) = (self.stop, &self.handle, &self.armed) {
            self.armed = guest_timer::arm(Instant::now(), handle.clone());
        }
    }
}
