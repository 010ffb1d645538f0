//! The change from one version of an actor's component to another, between two messages.

use std::any::Any;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::actor::Actor;
use super::error::ActorError;
use super::events::ActorEventKind;
use super::lanes::FIRST;
use super::replace::{Replaced, StateTransfer};
use super::state::{Closing, End, Outbox, Phase, State, Step, Target};
use super::timer::Alarm;
use super::trial::Verdict;
use super::turn::contained;
use super::versions::{ActorVersion, Candidate, Stage, Trial, Version};
use crate::messaging::ComponentId;
use crate::runtime::{RuntimeError, Supervised};

impl Actor {
    /// Returns the form in which the runtime refers to this actor.
    pub(super) fn weak(self: &Arc<Self>) -> Weak<dyn Any + Send + Sync> {
        let weak: Weak<Actor> = Arc::downgrade(self);
        weak
    }

    /// Begins a replacement; returns the version to go back to, and the number of the new one.
    ///
    /// # Errors
    /// [`ActorError::Replacing`]; [`ActorError::NoEarlierVersion`] if it goes `back` and there is none; and the error of a
    /// message, if the actor has ended.
    pub(super) fn begin_replacing(&self, back: bool) -> Result<(Arc<Version>, u64), ActorError> {
        let mut state = self.lock();
        if let Some(error) = self.refusal(&state, false) {
            return Err(error);
        }
        if state.is_replacing {
            return Err(ActorError::Replacing(self.id().clone()));
        }
        let from = match (back, state.versions.earlier()) {
            (false, _) => state.versions.current.clone(),
            (true, Some(earlier)) => earlier.clone(),
            (true, None) => return Err(ActorError::NoEarlierVersion(self.id().clone())),
        };
        state.is_replacing = true;
        Ok((from, state.versions.next()))
    }

    /// Records that a new version could not be prepared.
    pub(super) fn not_replacing(&self) {
        self.lock().is_replacing = false;
    }

    /// Puts a version that is initialized on trial, or in place of the one before, between two messages. Its trial ends after
    /// `time` at the latest.
    pub(super) fn try_version(self: &Arc<Self>, candidate: Candidate, time: Duration) {
        let mut outbox = Outbox::default();
        let mut state = self.lock();
        let stage = match (candidate.transfer, &candidate.tally) {
            (StateTransfer::Operations, _) => Stage::Transfer,
            (StateTransfer::None, Some(_)) => Stage::Messages,
            (StateTransfer::None, None) => Stage::Passed,
        };
        let until = candidate.tally.as_ref().and(Instant::now().checked_add(time));
        let alarm = Alarm::Trial(Arc::downgrade(self), candidate.version.number);
        let refusal = self.refusal(&state, false);
        state.trial = Some(Box::new(Trial {
            candidate,
            stage,
            _alarm: until.map(|at| self.core.timer.set(at, alarm)),
        }));
        state.count_health_anew();
        match refusal {
            Some(error) => state.drop_trial(error, &mut outbox),
            None => self.schedule_in(&mut state),
        }
        drop(state);
        outbox.send(self);
    }

    /// Ends the trial of a version that has not failed in its time.
    pub(super) fn end_trial(self: &Arc<Self>, version: u64) {
        let mut state = self.lock();
        if let Some(trial) = &mut state.trial
            && trial.candidate.version.number == version
            && trial.stage == Stage::Messages
        {
            trial.stage = Stage::Passed;
        }
        self.schedule_in(&mut state);
    }

    /// Ends a trial with its actor.
    pub(super) fn end_trial_with_actor(self: &Arc<Self>) {
        let mut outbox = Outbox::default();
        self.lock().drop_trial(End::Stopped.error(self.id()), &mut outbox);
        outbox.send(self);
    }

    /// Records the result of handing the state over.
    pub(super) fn transferred(self: &Arc<Self>, result: Result<(), ActorError>) {
        let mut outbox = Outbox::default();
        let mut guard = self.lock();
        let state = &mut *guard;
        let mut freed = Vec::new();
        match result {
            Ok(()) => {
                if let Some(trial) = &mut state.trial {
                    trial.stage = match trial.candidate.tally {
                        Some(_) => Stage::Messages,
                        None => Stage::Passed,
                    };
                }
            }
            Err(error) => {
                let error = error.to_string();
                state.roll_back(self.id(), error.clone(), &mut outbox);
                // One that its group gave up meanwhile is freed by the next step.
                if state.component.has_failed() && !matches!(state.phase, Phase::Ended(_)) {
                    freed = self.failed(state, FIRST, error, &mut outbox);
                }
            }
        }
        drop(guard);
        for component in freed {
            component.discard();
        }
        outbox.send(self);
    }

    /// Records the result of replacing the instance of a version on trial.
    pub(super) fn candidate_restarted(self: &Arc<Self>, result: Result<(), ActorError>) {
        let mut outbox = Outbox::default();
        let mut state = self.lock();
        match result {
            Ok(()) => {
                if let Some(trial) = &mut state.trial {
                    trial.stage = Stage::Messages;
                }
            }
            Err(error) => state.roll_back(self.id(), error.to_string(), &mut outbox),
        }
        drop(state);
        outbox.send(self);
    }

    /// Ends a version that is no longer used, on a worker.
    pub(super) fn retire(self: &Arc<Self>, component: Arc<Supervised>) {
        let actor = self.clone();
        self.core.submit(move || {
            let result = contained(&actor, || Ok(component.retire()?));
            if let Err(error) = result {
                log::warn!(
                    "a replaced version of `{}` did not shut down: {error}",
                    actor.id()
                );
            }
        });
    }

    /// Returns the versions, the oldest first.
    pub(super) fn versions(&self) -> Vec<ActorVersion> {
        self.lock().versions.list()
    }
}

impl State {
    /// Puts the version that has passed its trial in place of the one before.
    pub(super) fn install_passed(&mut self, outbox: &mut Outbox) {
        let Some(trial) = self.trial.take_if(|trial| trial.stage == Stage::Passed) else {
            return;
        };
        let candidate = trial.candidate;
        let before = std::mem::replace(&mut self.component, candidate.component.clone());
        let version = candidate.version.number;
        self.versions.install(candidate.version, candidate.back);
        self.supervisor.succeeded();
        if let Phase::Pausing(_) = self.phase {
            self.phase = Phase::Ready;
            self.restart_alarm = None;
        }
        self.is_replacing = false;
        outbox.installed = Some(candidate.component);
        outbox.retired.push(before);
        outbox.events.push(ActorEventKind::Replaced { version });
        outbox
            .replaced
            .push((candidate.receiver, Ok(Replaced { version })));
    }

    /// Returns the step that a trial needs before the next message.
    pub(super) fn trial_step(&self) -> Option<Step> {
        let trial = self.trial.as_ref()?;
        let component = trial.candidate.component.clone();
        match trial.stage {
            Stage::Transfer => Some(Step::Transfer(self.component.clone(), component)),
            Stage::Restart => Some(Step::RestartCandidate(component)),
            Stage::Messages | Stage::Passed => None,
        }
    }

    /// Returns the version that the next message goes to.
    pub(super) fn target(&mut self) -> Target {
        if let Some(trial) = &mut self.trial
            && trial.stage == Stage::Messages
            && let Some(tally) = &mut trial.candidate.tally
            && tally.takes_next()
        {
            return Target {
                component: trial.candidate.component.clone(),
                lane: FIRST,
                is_candidate: true,
            };
        }
        Target {
            component: self.component.clone(),
            lane: FIRST,
            is_candidate: false,
        }
    }

    /// Returns the time of a probe that is due.
    pub(super) fn probe_time(&self) -> Option<Duration> {
        let health = self.health.as_ref()?;
        (health.is_due && self.closing == Closing::No).then(|| health.timeout())
    }

    /// Returns the version whose health counts: the one on trial, if there is one.
    pub(super) fn target_of_probe(&self) -> Target {
        let trial = self.trial.as_ref().map(|trial| &trial.candidate.component);
        Target {
            component: trial.unwrap_or(&self.component).clone(),
            lane: FIRST,
            is_candidate: trial.is_some(),
        }
    }

    /// Records that the version on trial handled a message.
    pub(super) fn judge(&mut self, id: &ComponentId, error: Option<&RuntimeError>, outbox: &mut Outbox) {
        let Some(trial) = &mut self.trial else { return };
        let Some(tally) = &mut trial.candidate.tally else {
            return;
        };
        match tally.record(error.is_some()) {
            Verdict::Open => {}
            Verdict::Passed => trial.stage = Stage::Passed,
            Verdict::Failed { failed, of } => {
                let last = error.map(ToString::to_string).unwrap_or_default();
                let reason = format!("{failed} of {of} messages failed, the last with: {last}");
                self.roll_back(id, reason, outbox);
            }
        }
    }

    /// Ends a trial that has failed.
    pub(super) fn roll_back(&mut self, id: &ComponentId, reason: String, outbox: &mut Outbox) {
        let Some(trial) = &self.trial else { return };
        let version = trial.candidate.version.number;
        outbox.events.push(ActorEventKind::RolledBack {
            version,
            error: reason.clone(),
        });
        let id = id.clone();
        self.drop_trial(ActorError::RolledBack { id, version, reason }, outbox);
    }

    /// Ends a trial. Its receiver gets `error`.
    pub(super) fn drop_trial(&mut self, error: ActorError, outbox: &mut Outbox) {
        if let Some(trial) = self.trial.take() {
            self.is_replacing = false;
            self.count_health_anew();
            outbox.retired.push(trial.candidate.component);
            outbox.replaced.push((trial.candidate.receiver, Err(error)));
        }
    }

    /// Keeps failed probes of one version from counting for another: during a trial, the version on trial is probed.
    fn count_health_anew(&mut self) {
        if let Some(health) = &mut self.health {
            health.count_anew();
        }
    }

    /// Replaces an instance that was stopped for the sender of its message, unless the actor has ended meanwhile.
    pub(super) fn replace_instance(&mut self, lane: usize, is_candidate: bool, now: Instant) {
        if let Phase::Ended(_) = self.phase {
            return;
        }
        match &mut self.trial {
            Some(trial) if is_candidate => trial.stage = Stage::Restart,
            _ => {
                self.supervisor.replaced();
                self.pause(lane, now, None);
            }
        }
    }
}
