//! One actor: its mailbox and its state. Workers run it ([`turn`](super::turn)); senders and the timer change it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::core::Core;
use super::dead_letters::DeadLetterReason;
use super::durable::{Queue, is_storing};
use super::error::ActorError;
use super::events::ActorEventKind;
use super::group::{ActorGroup, MemberEnd};
use super::health::Health;
use super::letter::Letter;
use super::mailbox::{Entry, Mailbox, Offer};
use super::options::{ActorOptions, Backpressure};
use super::pending::Completer;
use super::state::{Cause, Closing, End, Outbox, Outcome, PROBE, Phase, Running, State, Step};
use super::status::{ActorCounters, ActorPhase, ActorStatus};
use super::supervision::{Decision, Ending, Supervisor};
use super::timer::Alarm;
use super::versions::{Version, Versions};
use crate::messaging::ComponentId;
use crate::runtime::{RuntimeError, Supervised, TimeLimit};
use airssys_wasm_component::internal::InterruptHandle;

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
                if let Some(running) = state.running.as_mut().filter(|running| running.ticket == ticket) {
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
            self.core.push(self.clone());
        }
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
            if let Some(running) = &mut state.running {
                running.stop(Cause::ShutDown);
            }
        }
        self.schedule_in(&mut state);
        drop(state);
        outbox.send(self);
    }

    /// Returns the next step, for the worker that runs the actor.
    pub(super) fn step(self: &Arc<Self>) -> Step {
        let mut outbox = Outbox::default();
        let mut guard = self.lock();
        let state = &mut *guard;
        if state.closing != Closing::Now && !matches!(state.phase, Phase::Ended(_)) {
            state.install_passed(&mut outbox);
        }
        let step = match &state.phase {
            _ if state.closing == Closing::Now => Step::Stop { orderly: false },
            Phase::Ended(_) if state.closing >= Closing::Stop => Step::Stop { orderly: false },
            Phase::Pausing(_) if state.closing >= Closing::Stop && state.is_empty() => {
                Step::Stop { orderly: false }
            }
            Phase::Pausing(until) if *until <= Instant::now() => Step::Restart,
            Phase::Ended(_) | Phase::Pausing(_) => Step::Idle,
            Phase::Ready if let Some(step) = state.trial_step() => step,
            Phase::Ready if let Some(time) = state.probe_time() => {
                state.running = Some(Running::new(PROBE));
                Step::Probe(state.target_of_probe(), time)
            }
            Phase::Ready if is_storing(state.mailbox.first()) => Step::Idle,
            Phase::Ready => loop {
                let accepted = &mut outbox.accepted;
                match state.mailbox.take(|letter| accepted.extend(letter.accepted())) {
                    None if state.closing < Closing::Stop => break Step::Idle,
                    None => break Step::Stop { orderly: true },
                    Some(entry) if entry.message.is_expired() => {
                        let error = entry.message.expired(self.id());
                        state.bury(
                            self.id(),
                            entry.message,
                            DeadLetterReason::Expired,
                            error,
                            &mut outbox,
                        );
                        if is_storing(state.mailbox.first()) {
                            break Step::Idle;
                        }
                    }
                    Some(entry) => {
                        state.running = Some(Running::new(entry.ticket));
                        break Step::Call(entry, state.target());
                    }
                }
            },
        };
        let mut freed = None;
        if matches!(step, Step::Idle) {
            state.scheduled = false;
            // Its group may have given up while it was scheduled.
            let has_ended = matches!(state.phase, Phase::Ended(_));
            freed = has_ended.then(|| state.component.clone());
        }
        drop(guard);
        if let Some(component) = freed {
            component.discard();
        }
        outbox.send(self);
        step
    }

    /// Records the handle that stops the call in flight.
    pub(super) fn started(&self, handle: InterruptHandle) {
        if let Some(running) = &mut self.lock().running {
            running.handle = Some(handle);
            running.interrupt();
        }
    }

    /// Records the end of a call.
    pub(super) fn finish(
        self: &Arc<Self>,
        mut entry: Entry<Box<Letter>>,
        outcome: Outcome,
        is_candidate: bool,
    ) {
        let mut outbox = Outbox::default();
        let mut guard = self.lock();
        let state = &mut *guard;
        let running = state.running.take();
        let mut has_ended = false;
        match outcome {
            Outcome::Answered(answer) => {
                state.counters.delivered += 1;
                state.supervisor.succeeded();
                if is_candidate {
                    state.judge(&self.id, answer.as_ref().err(), &mut outbox);
                }
                outbox
                    .answers
                    .push((entry.message, answer.map_err(ActorError::from)));
            }
            Outcome::Ended(error) => {
                let now = Instant::now();
                let reason = error.to_string();
                outbox.events.push(ActorEventKind::Trapped {
                    error: reason.clone(),
                });
                match running.and_then(|running| running.stop) {
                    Some(Cause::Sender) => {
                        state.counters.canceled += 1;
                        outbox.answers.push((entry.message, Err(error)));
                        state.replace_instance(is_candidate, now);
                    }
                    Some(Cause::ShutDown) => {
                        let error = ActorError::ShutDown;
                        state.bury(
                            self.id(),
                            entry.message,
                            DeadLetterReason::ShutDown,
                            error,
                            &mut outbox,
                        );
                    }
                    None if is_senders_time(&error) => {
                        state.bury(
                            self.id(),
                            entry.message,
                            DeadLetterReason::TimedOut,
                            error,
                            &mut outbox,
                        );
                        state.replace_instance(is_candidate, now);
                    }
                    None if matches!(state.phase, Phase::Ended(_)) => {
                        // Its group gave up meanwhile.
                        let gave_up = match &state.phase {
                            Phase::Ended(end) => end.error(&self.id),
                            _ => error,
                        };
                        state.bury(
                            &self.id,
                            entry.message,
                            DeadLetterReason::GaveUp,
                            gave_up,
                            &mut outbox,
                        );
                    }
                    None if is_candidate => {
                        // The version before handles it.
                        state.mailbox.put_back(entry);
                        state.roll_back(&self.id, reason, &mut outbox);
                    }
                    None => {
                        entry.message.tries += 1;
                        let tries = entry.message.tries;
                        let decision = state.supervisor.ended(ending(&error), now);
                        let goes_on = matches!(decision, Decision::RestartAt(_));
                        if goes_on && entry.message.is_expired() {
                            let error = entry.message.expired(self.id());
                            state.bury(
                                self.id(),
                                entry.message,
                                DeadLetterReason::Expired,
                                error,
                                &mut outbox,
                            );
                        } else if goes_on && tries < state.supervisor.policy().max_tries {
                            state.mailbox.put_back(entry);
                        } else {
                            let poison = DeadLetterReason::Poison {
                                tries,
                                error: reason.clone(),
                            };
                            let error = ActorError::Poison {
                                id: self.id().clone(),
                                tries,
                                source: Box::new(error),
                            };
                            state.bury(self.id(), entry.message, poison, error, &mut outbox);
                        }
                        has_ended = self.decided(state, decision, reason, &mut outbox);
                    }
                }
            }
        }
        let component = match has_ended {
            true => Some(state.component.clone()),
            false => state.after_call(),
        };
        drop(guard);
        if let Some(component) = component {
            component.discard();
        }
        outbox.send(self);
    }

    /// Applies a decision of the supervisor; returns whether there are no more instances.
    pub(super) fn decided(
        self: &Arc<Self>,
        state: &mut State,
        decision: Decision,
        last: String,
        outbox: &mut Outbox,
    ) -> bool {
        let restarts = state.supervisor.restarts();
        let (end, event) = match decision {
            Decision::RestartAt(at) => {
                state.phase = Phase::Pausing(at);
                let alarm = Alarm::Restart(Arc::downgrade(self));
                state.restart_alarm = Some(self.core.timer.set(at, alarm));
                outbox.group = Some(MemberEnd::Restarts);
                return false;
            }
            Decision::GiveUp => {
                let error = last.clone();
                outbox.group = Some(MemberEnd::GivesUp(last.clone()));
                (
                    End::GaveUp { restarts, last },
                    ActorEventKind::GaveUp { restarts, error },
                )
            }
            Decision::Stop => (End::Stopped, ActorEventKind::Stopped),
        };
        let id = self.id();
        state.drop_trial(end.error(id), outbox);
        state.drain(id, &DeadLetterReason::GaveUp, || end.error(id), outbox);
        state.phase = Phase::Ended(end);
        outbox.events.push(event);
        true
    }

    /// Returns the number of restarts, for the one that begins.
    pub(super) fn restarts(&self) -> u64 {
        self.lock().supervisor.restarts()
    }

    /// Records the result of a restart.
    pub(super) fn restarted(self: &Arc<Self>, result: Result<(), ActorError>) {
        let mut outbox = Outbox::default();
        let mut guard = self.lock();
        let state = &mut *guard;
        state.restart_alarm = None;
        if let Some(health) = &mut state.health {
            health.reset();
        }
        let has_ended = match result {
            _ if matches!(state.phase, Phase::Ended(_)) => true,
            Ok(()) => {
                state.phase = Phase::Ready;
                outbox.events.push(ActorEventKind::Ready);
                false
            }
            Err(error) => {
                let error = error.to_string();
                outbox
                    .events
                    .push(ActorEventKind::Trapped { error: error.clone() });
                let decision = state.supervisor.ended(Ending::Failed, Instant::now());
                self.decided(state, decision, error, &mut outbox)
            }
        };
        let component = has_ended.then(|| state.component.clone());
        drop(guard);
        if let Some(component) = component {
            component.discard();
        }
        outbox.send(self);
    }

    /// Records the end. Returns its receivers.
    pub(super) fn stopped(&self) -> Vec<Completer<()>> {
        let mut state = self.lock();
        let has_ended = matches!(state.phase, Phase::Ended(End::Stopped));
        state.phase = Phase::Ended(End::Stopped);
        let receivers = std::mem::take(&mut state.stopping);
        drop(state);
        if !has_ended {
            self.core.events.publish(self.id(), ActorEventKind::Stopped);
        }
        receivers
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
            restarts: state.supervisor.restarts(),
            counters: state.counters(),
        }
    }
}

/// Reports whether the call ended with the time that its sender gave it: then it says nothing about the component.
fn is_senders_time(error: &ActorError) -> bool {
    matches!(
        error,
        ActorError::Runtime(RuntimeError::Timeout {
            limit: TimeLimit::Caller,
            ..
        })
    )
}

/// Returns the kind of an end, from its error.
fn ending(error: &ActorError) -> Ending {
    #[cfg(feature = "wasi")]
    if let ActorError::Runtime(RuntimeError::Stopped { source, .. }) = error
        && crate::wasi::Exit::of(source).is_some_and(|exit| exit.code == 0)
    {
        return Ending::Finished;
    }
    let _ = error;
    Ending::Failed
}
