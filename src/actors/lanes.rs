//! Actors with several instances: each takes messages from the one mailbox, and is replaced alone. The first is the one that the
//! rest of the actor knows; these are the others.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::actor::Actor;
use super::durable::is_storing;
use super::error::ActorError;
use super::events::ActorEventKind;
use super::health::Health;
use super::options::InvalidActorOptions;
use super::state::{Closing, Outbox, PROBE, Phase, Running, State, Step, Target};
use super::timer::Set;
use super::versions::Version;
use crate::runtime::Supervised;

/// Number of the first instance. The others are counted from 1.
pub(super) const FIRST: usize = 0;

/// One more instance of a component.
#[derive(Debug)]
pub(super) struct Lane {
    component: Arc<Supervised>,
    /// Number of its version.
    version: u64,
    /// Set while the instance is gone: the time of the next.
    pausing: Option<Instant>,
    /// It is in the queue of the workers, or one of them runs it.
    pub(super) scheduled: bool,
    pub(super) running: Option<Running>,
    /// It is to be replaced after the call in flight.
    restarts: bool,
    health: Option<Box<Health>>,
    alarm: Option<Set>,
}

impl Lane {
    /// Begins a probe before the next message.
    pub(super) fn probe(&mut self) {
        if let Some(health) = &mut self.health
            && self.pausing.is_none()
        {
            health.is_due = true;
        }
    }

    fn probe_time(&self, closing: Closing) -> Option<Duration> {
        let health = self.health.as_ref()?;
        (health.is_due && closing == Closing::No).then(|| health.timeout())
    }

    fn pause(&mut self, until: Instant, alarm: Option<Set>) {
        self.pausing = Some(until);
        self.alarm = alarm;
    }

    /// Reports whether it has something to do but messages.
    fn has_work(&self, current: u64, closing: Closing) -> bool {
        match self.pausing {
            Some(until) => until <= Instant::now(),
            None => self.version != current || self.probe_time(closing).is_some(),
        }
    }
}

impl State {
    fn lane(&mut self, lane: usize) -> Option<&mut Lane> {
        self.lanes.get_mut(lane.checked_sub(1)?)
    }

    /// Reports whether the other instances have nothing to do any more.
    fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
            || self.closing == Closing::Now
            || (self.closing >= Closing::Stop && self.is_empty())
    }

    /// Returns the call in flight of an instance.
    pub(super) fn running_of(&mut self, lane: usize) -> &mut Option<Running> {
        match self.lanes.get_mut(lane.wrapping_sub(1)) {
            Some(lane) => &mut lane.running,
            None => &mut self.running,
        }
    }

    /// Returns all calls in flight.
    pub(super) fn all_running(&mut self) -> impl Iterator<Item = &mut Running> {
        let of_lanes = self.lanes.iter_mut().map(|lane| &mut lane.running);
        of_lanes.chain([&mut self.running]).flatten()
    }

    pub(super) fn health_of(&mut self, lane: usize) -> Option<&mut Health> {
        match self.lanes.get_mut(lane.wrapping_sub(1)) {
            Some(lane) => lane.health.as_deref_mut(),
            None => self.health.as_deref_mut(),
        }
    }

    pub(super) fn component_of(&self, lane: usize) -> Arc<Supervised> {
        let lane = self.lanes.get(lane.wrapping_sub(1));
        lane.map_or(&self.component, |lane| &lane.component).clone()
    }

    /// Returns the number of instances that are initialized.
    pub(super) fn instances(&self) -> usize {
        match self.phase {
            Phase::Ended(_) => 0,
            _ => {
                let of_lanes = self.lanes.iter().filter(|lane| lane.pausing.is_none()).count();
                of_lanes + usize::from(matches!(self.phase, Phase::Ready))
            }
        }
    }

    /// Records that an instance is gone, and that the next comes at this time.
    pub(super) fn pause(&mut self, lane: usize, until: Instant, alarm: Option<Set>) {
        match self.lane(lane) {
            Some(lane) => lane.pause(until, alarm),
            None => {
                self.phase = Phase::Pausing(until);
                self.restart_alarm = alarm;
            }
        }
    }

    /// Returns the components to free after the actor has ended. Those that workers have are freed by them.
    pub(super) fn free(&self) -> Vec<Arc<Supervised>> {
        let lanes = self.lanes.iter().filter(|lane| !lane.scheduled);
        let mut free: Vec<_> = lanes.map(|lane| lane.component.clone()).collect();
        if self.running.is_none() && !self.scheduled {
            free.push(self.component.clone());
        }
        free
    }

    /// Returns the components to free after the actor has ended with an instance.
    pub(super) fn freed_by(&self, lane: usize) -> Vec<Arc<Supervised>> {
        let mut free = self.free();
        free.push(self.component_of(lane));
        free
    }

    /// Replaces the other instances, after the calls in flight.
    pub(super) fn restart_lanes(&mut self) {
        if let Phase::Ended(_) = self.phase {
            return;
        }
        for lane in 1..=self.lanes.len() {
            if let Some(of) = self.lane(lane) {
                of.restarts = true;
                // A worker that has it looks after its call.
                let is_free = !of.scheduled;
                if is_free {
                    self.after_call_of_lane(lane);
                }
            }
        }
    }

    /// Applies what was to wait for the end of a call.
    pub(super) fn after_call_of_lane(&mut self, lane: usize) {
        let Some(lane) = self.lane(lane) else { return };
        if std::mem::take(&mut lane.restarts) && lane.pausing.is_none() {
            lane.pause(Instant::now(), None);
            self.supervisor.replaced();
        }
    }
}

impl Actor {
    /// Creates the other instances of an actor that has `instances` of them.
    ///
    /// # Errors
    /// [`InvalidActorOptions::Stateful`], and the errors of each load and `init`. The instances that were created stay, for
    /// [`Actor::take_lanes`].
    pub(super) fn open_lanes(self: &Arc<Self>, instances: usize) -> Result<(), ActorError> {
        if instances == 1 {
            return Ok(());
        }
        check_stateless(&self.component(), instances)?;
        let version = self.lock().versions.current.clone();
        for _ in 1..instances {
            let component = self.instance(&version)?;
            let mut state = self.lock();
            let health = state.health.as_ref().map(|health| Box::new(health.again()));
            state.lanes.push(Lane {
                component,
                version: version.number,
                pausing: None,
                scheduled: false,
                running: None,
                restarts: false,
                health,
                alarm: None,
            });
        }
        Ok(())
    }

    pub(super) fn number_of_instances(&self) -> usize {
        self.lock().lanes.len() + 1
    }

    /// Creates and initializes one more instance of a version.
    ///
    /// # Errors
    /// Those of a load and of `init`: then nothing of it remains.
    pub(super) fn instance(&self, version: &Version) -> Result<Arc<Supervised>, ActorError> {
        let component = self.component().twin(&version.loaded, version.options.clone())?;
        match component.init() {
            Ok(()) => Ok(Arc::new(component)),
            Err(error) => {
                component.discard();
                Err(error.into())
            }
        }
    }

    /// Removes the other instances, which have no calls in flight.
    pub(super) fn take_lanes(&self) -> Vec<Arc<Supervised>> {
        let lanes = std::mem::take(&mut self.lock().lanes);
        lanes.into_iter().map(|lane| lane.component).collect()
    }

    /// Puts the other instances that have something to do into the queue of the workers: one for each message that none takes yet.
    pub(super) fn schedule_lanes(self: &Arc<Self>, state: &mut State) {
        if state.lanes.is_empty() || state.is_over() {
            return;
        }
        let are_held = is_storing(state.mailbox.first()) || state.trial.is_some();
        let waiting = if are_held { 0 } else { state.mailbox.len() };
        let (current, closing) = (state.versions.current.number, state.closing);
        let takes = |lane: &&Lane| {
            lane.scheduled && lane.running.is_none() && lane.pausing.is_none() && lane.version == current
        };
        let first_takes = state.scheduled && state.running.is_none() && matches!(state.phase, Phase::Ready);
        let taking = state.lanes.iter().filter(takes).count() + usize::from(first_takes);
        let mut left = waiting.saturating_sub(taking);
        for (index, lane) in state.lanes.iter_mut().enumerate() {
            if lane.scheduled {
                continue;
            }
            let takes_message = left > 0 && lane.pausing.is_none();
            if takes_message || (state.trial.is_none() && lane.has_work(current, closing)) {
                left = left.saturating_sub(usize::from(takes_message));
                lane.scheduled = true;
                self.core.push(self.clone(), index + 1);
            }
        }
    }

    /// Returns the next step of one of the other instances.
    pub(super) fn step_of_lane(self: &Arc<Self>, number: usize) -> Step {
        let mut outbox = Outbox::default();
        let mut guard = self.lock();
        let state = &mut *guard;
        let has_ended = matches!(state.phase, Phase::Ended(_));
        let step = match state.is_over() || state.trial.is_some() {
            true => Step::Idle,
            false => {
                state.after_call_of_lane(number);
                self.step_between(state, number, &mut outbox)
            }
        };
        let mut freed = None;
        if matches!(step, Step::Idle) {
            if let Some(lane) = state.lane(number) {
                lane.scheduled = false;
            }
            freed = has_ended.then(|| state.component_of(number));
            // The first may wait for it.
            self.schedule_in(state);
        }
        drop(guard);
        if let Some(component) = freed {
            component.discard();
        }
        outbox.send(self);
        step
    }

    fn step_between(self: &Arc<Self>, state: &mut State, number: usize, outbox: &mut Outbox) -> Step {
        let (current, closing) = (state.versions.current.clone(), state.closing);
        let Some(lane) = state.lane(number) else {
            return Step::Idle;
        };
        let is_current = lane.version == current.number;
        match lane.pausing {
            Some(until) if until > Instant::now() => return Step::Idle,
            Some(_) if is_current => return Step::RestartLane(lane.component.clone()),
            None if is_current => {}
            _ => return Step::RenewLane(current),
        }
        let target = Target {
            component: lane.component.clone(),
            lane: number,
            is_candidate: false,
        };
        if let Some(time) = lane.probe_time(closing) {
            lane.running = Some(Running::new(PROBE));
            return Step::Probe(target, time);
        }
        let Some(entry) = self.take_message(state, outbox) else {
            return Step::Idle;
        };
        *state.running_of(number) = Some(Running::new(entry.ticket));
        Step::Call(entry, target)
    }

    /// Records that an instance was replaced by one of the same version.
    pub(super) fn lane_restarted(self: &Arc<Self>, number: usize, result: Result<(), ActorError>) {
        self.lane_made(number, result, |_| None);
    }

    /// Records that an instance was replaced by one of another version.
    pub(super) fn lane_renewed(
        self: &Arc<Self>,
        number: usize,
        version: u64,
        result: Result<Arc<Supervised>, ActorError>,
    ) {
        let (result, new) = match result {
            Ok(new) => (Ok(()), Some(new)),
            Err(error) => (Err(error), None),
        };
        self.lane_made(number, result, |lane| {
            lane.version = version;
            new.map(|new| std::mem::replace(&mut lane.component, new))
        });
    }

    /// Records the result of making an instance. `renew` puts it in place of the one before, which it returns.
    fn lane_made(
        self: &Arc<Self>,
        number: usize,
        result: Result<(), ActorError>,
        renew: impl FnOnce(&mut Lane) -> Option<Arc<Supervised>>,
    ) {
        let mut outbox = Outbox::default();
        let mut guard = self.lock();
        let state = &mut *guard;
        let mut freed = Vec::new();
        match result {
            Ok(()) => {
                if let Some(lane) = state.lane(number) {
                    (lane.pausing, lane.alarm, lane.restarts) = (None, None, false);
                    if let Some(health) = &mut lane.health {
                        health.reset();
                    }
                    outbox.retired.extend(renew(lane));
                }
                outbox.events.push(ActorEventKind::Ready);
            }
            Err(_) if matches!(state.phase, Phase::Ended(_)) => freed.push(state.component_of(number)),
            Err(error) => {
                freed = self.failed(state, number, error.to_string(), &mut outbox);
            }
        }
        drop(guard);
        for component in freed {
            component.discard();
        }
        outbox.send(self);
    }
}

/// Checks that a component, which is initialized, may have several instances.
///
/// # Errors
/// [`InvalidActorOptions::Stateful`].
pub(super) fn check_stateless(component: &Supervised, instances: usize) -> Result<(), InvalidActorOptions> {
    let is_stateful = component.metadata().is_none_or(|metadata| metadata.stateful);
    match instances > 1 && is_stateful {
        true => Err(InvalidActorOptions::Stateful {
            id: component.id().clone(),
            instances,
        }),
        false => Ok(()),
    }
}
