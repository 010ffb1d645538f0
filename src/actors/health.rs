//! Health of an actor: its component is queried at intervals, and replaced when it stays unhealthy.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::actor::Actor;
use super::error::ActorError;
use super::events::ActorEventKind;
use super::lanes::FIRST;
use super::options::{HealthProbe, InvalidActorOptions};
use super::state::{Outbox, Phase, Target};
use super::timer::{Alarm, Set};
use crate::host::{HealthState, HealthStatus};

/// Largest [`HealthProbe::failures`].
const MAX_FAILURES: u32 = 1000;
/// Shortest [`HealthProbe::interval`]. Stops probes from taking the time of messages.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);

/// The result of one probe.
#[derive(Debug)]
pub(super) enum Probe {
    Status(HealthStatus),
    /// The call failed, and the instance can be called again.
    Failed(ActorError),
    /// The instance is gone.
    Ended(ActorError),
}

/// The health of one actor.
#[derive(Debug)]
pub(super) struct Health {
    probe: HealthProbe,
    /// A probe is to be made before the next message.
    pub(super) is_due: bool,
    /// Failures in a row.
    failures: u32,
    is_degraded: bool,
    /// Alarm of the next probe.
    alarm: Option<Set>,
}

impl HealthProbe {
    pub(super) fn check(&self) -> Result<(), InvalidActorOptions> {
        if self.interval < SHORTEST_INTERVAL {
            return Err(InvalidActorOptions::ShortInterval(self.interval));
        }
        match (1..=MAX_FAILURES).contains(&self.failures) {
            true => Ok(()),
            false => Err(InvalidActorOptions::Range {
                what: "the number of failed health probes",
                value: self.failures.into(),
                least: 1,
                most: MAX_FAILURES.into(),
            }),
        }
    }
}

impl Health {
    pub(super) fn new(probe: HealthProbe) -> Health {
        Health {
            probe,
            is_due: false,
            failures: 0,
            is_degraded: false,
            alarm: None,
        }
    }

    /// Creates the record of another instance.
    pub(super) fn again(&self) -> Health {
        Health::new(self.probe.clone())
    }

    pub(super) fn timeout(&self) -> Duration {
        self.probe.timeout
    }

    /// Forgets what an instance reported that is gone.
    pub(super) fn reset(&mut self) {
        (self.failures, self.is_degraded) = (0, false);
    }

    /// Counts failures anew: the probes are of another version from now on.
    pub(super) fn count_anew(&mut self) {
        self.failures = 0;
    }

    /// Records a probe. Returns the reason to replace the instance, if there is one.
    fn record(&mut self, probe: Probe, events: &mut Vec<ActorEventKind>) -> Option<String> {
        let reason = match probe {
            Probe::Status(HealthStatus {
                state: HealthState::Healthy,
                ..
            }) => {
                if std::mem::take(&mut self.is_degraded) {
                    events.push(ActorEventKind::Recovered);
                }
                self.failures = 0;
                return None;
            }
            Probe::Status(status) => {
                match status.state {
                    HealthState::Unhealthy => self.failures += 1,
                    _ => self.failures = 0,
                }
                status.message.unwrap_or_else(|| "no reason given".to_owned())
            }
            Probe::Failed(error) => {
                self.failures += 1;
                error.to_string()
            }
            Probe::Ended(error) => return Some(error.to_string()),
        };
        if self.failures >= self.probe.failures {
            return Some(format!("unhealthy in {} probes: {reason}", self.failures));
        }
        if !std::mem::replace(&mut self.is_degraded, true) {
            events.push(ActorEventKind::Degraded { reason });
        }
        None
    }
}

impl Actor {
    /// Sets the alarm of the next probe, if the actor has probes.
    pub(super) fn watch_health(self: &Arc<Self>) {
        let alarm = Alarm::Probe(Arc::downgrade(self));
        if let Some(health) = &mut self.lock().health
            && let Some(at) = Instant::now().checked_add(health.probe.interval)
        {
            health.alarm = Some(self.core.timer.set(at, alarm));
        }
    }

    /// Begins a probe before the next message.
    pub(super) fn probe(self: &Arc<Self>) {
        let mut state = self.lock();
        if let Some(health) = &mut state.health {
            health.is_due = true;
        }
        for lane in &mut state.lanes {
            lane.probe();
        }
        self.schedule_in(&mut state);
    }

    /// Records a probe, of the version on trial or of the one before.
    pub(super) fn probed(self: &Arc<Self>, probe: Probe, target: &Target) {
        let Target {
            lane, is_candidate, ..
        } = *target;
        let mut outbox = Outbox::default();
        let mut guard = self.lock();
        let state = &mut *guard;
        let running = state.running_of(lane).take();
        let is_stopped = running.is_some_and(|running| running.stop.is_some());
        let has_ended = matches!(state.phase, Phase::Ended(_));
        let mut freed = Vec::new();
        if let Some(health) = state.health_of(lane) {
            health.is_due = false;
            let failure = health.record(probe, &mut outbox.events);
            match failure.filter(|_| !is_stopped && !has_ended) {
                Some(reason) if is_candidate => state.roll_back(self.id(), reason, &mut outbox),
                Some(error) => {
                    freed = self.failed(state, lane, error, &mut outbox);
                }
                None => freed.extend(state.after_call(lane)),
            }
        }
        drop(guard);
        for component in freed {
            component.discard();
        }
        if lane == FIRST {
            self.watch_health();
        }
        outbox.send(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(state: HealthState) -> Probe {
        Probe::Status(HealthStatus { state, message: None })
    }

    fn health() -> Health {
        Health::new(HealthProbe {
            failures: 3,
            ..HealthProbe::default()
        })
    }

    #[test]
    fn it_is_replaced_after_as_many_failures_in_a_row() {
        let mut health = health();
        let mut events = Vec::new();
        let states = [
            (HealthState::Unhealthy, false),
            (HealthState::Unhealthy, false),
            (HealthState::Healthy, false),
            (HealthState::Unhealthy, false),
            (HealthState::Degraded, false),
            (HealthState::Unhealthy, false),
            (HealthState::Unhealthy, false),
            (HealthState::Unhealthy, true),
        ];
        for (number, (state, ends)) in states.into_iter().enumerate() {
            let ended = health.record(status(state), &mut events).is_some();
            assert_eq!(ended, ends, "probe {number}");
        }
        let degraded = ActorEventKind::Degraded {
            reason: "no reason given".to_owned(),
        };
        assert_eq!(events, [degraded.clone(), ActorEventKind::Recovered, degraded]);
    }

    #[test]
    fn an_instance_that_is_gone_is_replaced_at_once() {
        let mut events = Vec::new();
        let gone = Probe::Ended(ActorError::ShutDown);
        assert!(health().record(gone, &mut events).is_some());
        assert!(events.is_empty());
    }

    #[test]
    fn a_failed_call_counts_as_unhealthy() {
        let (mut health, mut events) = (health(), Vec::new());
        let mut failed = || health.record(Probe::Failed(ActorError::ShutDown), &mut events);
        assert_eq!((failed(), failed()), (None, None));
        assert!(failed().is_some_and(|reason| reason.starts_with("unhealthy in 3 probes")));
    }
}
