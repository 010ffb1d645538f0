//! The ends of calls and of instances, as workers report them.

use std::sync::Arc;
use std::time::Instant;

use super::actor::Actor;
use super::dead_letters::DeadLetterReason;
use super::error::ActorError;
use super::events::ActorEventKind;
use super::group::MemberEnd;
use super::lanes::FIRST;
use super::letter::Letter;
use super::mailbox::Entry;
use super::pending::Completer;
use super::state::{Cause, End, Outbox, Outcome, Phase, State, Target};
use super::supervision::{Decision, Ending};
use super::timer::Alarm;
use crate::runtime::{RuntimeError, Supervised, TimeLimit};
use airssys_wasm_component::internal::InterruptHandle;

impl Actor {
    /// Records the handle that stops the call in flight of an instance.
    pub(super) fn started(&self, lane: usize, handle: InterruptHandle) {
        if let Some(running) = self.lock().running_of(lane) {
            running.handle = Some(handle);
            running.interrupt();
        }
    }

    /// Records the end of a call.
    pub(super) fn finish(self: &Arc<Self>, mut entry: Entry<Box<Letter>>, outcome: Outcome, target: &Target) {
        let Target {
            lane, is_candidate, ..
        } = *target;
        let mut outbox = Outbox::default();
        let mut guard = self.lock();
        let state = &mut *guard;
        let running = state.running_of(lane).take();
        let mut has_ended = false;
        match outcome {
            Outcome::Answered(answer) => {
                state.counters.delivered += 1;
                state.supervisor.succeeded();
                if is_candidate {
                    state.judge(self.id(), answer.as_ref().err(), &mut outbox);
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
                        state.replace_instance(lane, is_candidate, now);
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
                        state.replace_instance(lane, is_candidate, now);
                    }
                    None if matches!(state.phase, Phase::Ended(_)) => {
                        // Its group gave up meanwhile.
                        let gave_up = match &state.phase {
                            Phase::Ended(end) => end.error(self.id()),
                            _ => error,
                        };
                        state.bury(
                            self.id(),
                            entry.message,
                            DeadLetterReason::GaveUp,
                            gave_up,
                            &mut outbox,
                        );
                    }
                    None if is_candidate => {
                        // The version before handles it.
                        state.mailbox.put_back(entry);
                        state.roll_back(self.id(), reason, &mut outbox);
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
                        has_ended = self.decided(state, lane, decision, reason, &mut outbox);
                    }
                }
            }
        }
        let freed = match has_ended {
            true => state.freed_by(lane),
            false => state.after_call(lane).into_iter().collect(),
        };
        if !state.lanes.is_empty() {
            self.schedule_in(state);
        }
        drop(guard);
        for component in freed {
            component.discard();
        }
        outbox.send(self);
    }

    /// Records that an instance failed outside of a message. Returns the components to free, if the actor ends with it.
    pub(super) fn failed(
        self: &Arc<Self>,
        state: &mut State,
        lane: usize,
        error: String,
        outbox: &mut Outbox,
    ) -> Vec<Arc<Supervised>> {
        outbox
            .events
            .push(ActorEventKind::Trapped { error: error.clone() });
        let decision = state.supervisor.ended(Ending::Failed, Instant::now());
        match self.decided(state, lane, decision, error, outbox) {
            true => state.freed_by(lane),
            false => Vec::new(),
        }
    }

    /// Applies a decision of the supervisor on the end of an instance; returns whether there are no more instances.
    fn decided(
        self: &Arc<Self>,
        state: &mut State,
        lane: usize,
        decision: Decision,
        last: String,
        outbox: &mut Outbox,
    ) -> bool {
        let restarts = state.supervisor.restarts();
        let (end, event) = match decision {
            Decision::RestartAt(at) => {
                let alarm = Alarm::Restart(Arc::downgrade(self));
                state.pause(lane, at, Some(self.core.timer.set(at, alarm)));
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
        let freed = match result {
            _ if matches!(state.phase, Phase::Ended(_)) => state.freed_by(FIRST),
            Ok(()) => {
                state.phase = Phase::Ready;
                outbox.events.push(ActorEventKind::Ready);
                Vec::new()
            }
            Err(error) => self.failed(state, FIRST, error.to_string(), &mut outbox),
        };
        drop(guard);
        for component in freed {
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
