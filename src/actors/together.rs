//! Restarts and ends of an actor that follow from another of its group.

use std::sync::Arc;
use std::time::Instant;

use super::actor::Actor;
use super::dead_letters::DeadLetterReason;
use super::events::ActorEventKind;
use super::lanes::FIRST;
use super::state::{End, Outbox, Phase, State};
use crate::runtime::Supervised;

impl Actor {
    /// Replaces the instance, after the call in flight.
    pub(super) fn restart_with_group(self: &Arc<Self>) {
        let mut state = self.lock();
        if let Phase::Ready = state.phase {
            state.restarts_with_group = true;
            if state.running.is_none() {
                state.after_call(FIRST);
            }
        }
        state.restart_lanes();
        self.schedule_in(&mut state);
    }

    /// Gives up, because of the group. A call in flight runs to its end.
    pub(super) fn give_up(self: &Arc<Self>, reason: &str) {
        let mut outbox = Outbox::default();
        let mut state = self.lock();
        if let Phase::Ended(_) = state.phase {
            return;
        }
        let end = End::GaveUp {
            restarts: state.supervisor.restarts(),
            last: reason.to_owned(),
        };
        outbox.events.push(ActorEventKind::GaveUp {
            restarts: state.supervisor.restarts(),
            error: reason.to_owned(),
        });
        state.drop_trial(end.error(self.id()), &mut outbox);
        let error = || end.error(self.id());
        state.drain(self.id(), &DeadLetterReason::GaveUp, error, &mut outbox);
        state.phase = Phase::Ended(end);
        state.restart_alarm = None;
        let freed = state.free();
        drop(state);
        for component in freed {
            component.discard();
        }
        outbox.send(self);
    }
}

impl State {
    /// Applies what was to wait for the end of a call. Returns the component to free, if the actor has ended meanwhile.
    pub(super) fn after_call(&mut self, lane: usize) -> Option<Arc<Supervised>> {
        match self.phase {
            Phase::Ended(_) => Some(self.component_of(lane)),
            _ if lane != FIRST => {
                self.after_call_of_lane(lane);
                None
            }
            Phase::Ready if std::mem::take(&mut self.restarts_with_group) => {
                self.supervisor.replaced();
                self.phase = Phase::Pausing(Instant::now());
                None
            }
            _ => {
                self.restarts_with_group = false;
                None
            }
        }
    }
}
