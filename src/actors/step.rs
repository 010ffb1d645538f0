//! The next step of an actor, for the worker that runs one of its instances.

use std::sync::Arc;
use std::time::Instant;

use super::actor::Actor;
use super::dead_letters::DeadLetterReason;
use super::durable::is_storing;
use super::lanes::FIRST;
use super::letter::Letter;
use super::mailbox::Entry;
use super::state::{Closing, Outbox, PROBE, Phase, Running, State, Step};

impl Actor {
    /// Returns the next step of an instance.
    pub(super) fn step(self: &Arc<Self>, lane: usize) -> Step {
        match lane {
            FIRST => self.step_of_first(),
            _ => self.step_of_lane(lane),
        }
    }

    /// Returns the next step of the first instance, which also decides for all: on trials, and on the end.
    fn step_of_first(self: &Arc<Self>) -> Step {
        let mut outbox = Outbox::default();
        let mut guard = self.lock();
        let state = &mut *guard;
        if state.closing != Closing::Now && !matches!(state.phase, Phase::Ended(_)) {
            state.install_passed(&mut outbox);
        }
        // The last of the others that is busy has this one look again.
        let stop = |orderly| match state.lanes.iter().any(|lane| lane.scheduled) {
            true => Step::Idle,
            false => Step::Stop { orderly },
        };
        let step = match &state.phase {
            _ if state.closing == Closing::Now => stop(false),
            Phase::Ended(_) if state.closing >= Closing::Stop => stop(false),
            Phase::Pausing(_) if state.closing >= Closing::Stop && state.is_empty() => stop(false),
            Phase::Pausing(until) if *until <= Instant::now() => Step::Restart,
            Phase::Ended(_) | Phase::Pausing(_) => Step::Idle,
            Phase::Ready if let Some(step) = state.trial_step() => step,
            Phase::Ready if let Some(time) = state.probe_time() => {
                state.running = Some(Running::new(PROBE));
                Step::Probe(state.target_of_probe(), time)
            }
            Phase::Ready if is_storing(state.mailbox.first()) => Step::Idle,
            Phase::Ready => match self.take_message(state, &mut outbox) {
                Some(entry) => {
                    state.running = Some(Running::new(entry.ticket));
                    Step::Call(entry, state.target())
                }
                None if state.closing < Closing::Stop || !state.is_empty() => Step::Idle,
                None if state.lanes.iter().any(|lane| lane.scheduled) => Step::Idle,
                None => Step::Stop { orderly: true },
            },
        };
        let mut freed = None;
        if matches!(step, Step::Idle) {
            state.scheduled = false;
            // Its group may have given up while it was scheduled.
            let has_ended = matches!(state.phase, Phase::Ended(_));
            freed = has_ended.then(|| state.component.clone());
        }
        self.schedule_lanes(state);
        drop(guard);
        if let Some(component) = freed {
            component.discard();
        }
        outbox.send(self);
        step
    }

    /// Removes the oldest message from the mailbox; those whose time is over go to the dead letters.
    pub(super) fn take_message(&self, state: &mut State, outbox: &mut Outbox) -> Option<Entry<Box<Letter>>> {
        loop {
            if is_storing(state.mailbox.first()) {
                return None;
            }
            let accepted = &mut outbox.accepted;
            let entry = state.mailbox.take(|letter| accepted.extend(letter.accepted()))?;
            if !entry.message.is_expired() {
                return Some(entry);
            }
            let error = entry.message.expired(self.id());
            state.bury(self.id(), entry.message, DeadLetterReason::Expired, error, outbox);
        }
    }
}
