//! A worker's turn with an actor: some of its messages, then the next actor. No lock is held while a guest runs.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::actor::Actor;
use super::error::ActorError;
use super::events::ActorEventKind;
use super::health::Probe;
use super::letter::Letter;
use super::mailbox::Entry;
use super::state::{Outcome, Step, Target};
use super::versions::Version;
use crate::runtime::Supervised;

/// Time after which a turn ends with the call in flight, whatever the number of its messages. Stops an actor whose messages
/// take long from holding its worker for many of them.
const TURN_TIME: Duration = Duration::from_millis(10);

/// Runs an instance of an actor until it has nothing to do, or its turn is over.
pub(super) fn turn(actor: &Arc<Actor>, lane: usize) {
    let begin = Instant::now();
    for _ in 0..actor.core.turn_messages {
        match actor.step(lane) {
            Step::Idle => return,
            Step::Call(entry, target) => call(actor, entry, &target),
            Step::Transfer(from, to) => transfer(actor, &from, &to),
            Step::Probe(target, time) => probe(actor, &target, time),
            Step::Restart => restart(actor),
            Step::RestartLane(component) => restart_lane(actor, lane, &component),
            Step::RenewLane(version) => renew_lane(actor, lane, &version),
            Step::RestartCandidate(component) => restart_candidate(actor, &component),
            Step::Stop { orderly } => return stop(actor, orderly),
        }
        if begin.elapsed() >= TURN_TIME {
            break;
        }
    }
    // Behind all actors that have something to do.
    actor.core.push(actor.clone(), lane);
}

fn call(actor: &Arc<Actor>, entry: Entry<Box<Letter>>, target: &Target) {
    let options = entry.message.execute_options();
    let component = &target.component;
    let result = contained(actor, || {
        Ok(component.execute(&entry.message.payload, options, |handle| {
            actor.started(target.lane, handle)
        }))
    });
    let outcome = match result {
        Ok(Err(error)) if component.has_failed() => Outcome::Ended(error.into()),
        Ok(answer) => Outcome::Answered(answer),
        Err(panicked) => Outcome::Ended(panicked),
    };
    actor.finish(entry, outcome, target);
}

fn restart(actor: &Arc<Actor>) {
    let component = actor.component();
    actor.restarted(replace(actor, &component));
}

/// Replaces an instance, and initializes the new one.
fn replace(actor: &Arc<Actor>, component: &Supervised) -> Result<(), ActorError> {
    contained(actor, || {
        component.end_instance();
        component.replace()?;
        let restarts = actor.restarts();
        let kind = ActorEventKind::Restarted { restarts };
        actor.core.events.publish(actor.id(), kind);
        component.init()?;
        Ok(())
    })
}

fn restart_lane(actor: &Arc<Actor>, lane: usize, component: &Supervised) {
    actor.lane_restarted(lane, replace(actor, component));
}

fn renew_lane(actor: &Arc<Actor>, lane: usize, version: &Version) {
    let result = contained(actor, || actor.instance(version));
    actor.lane_renewed(lane, version.number, result);
}

fn restart_candidate(actor: &Arc<Actor>, component: &Supervised) {
    let result = contained(actor, || {
        component.replace()?;
        Ok(component.init()?)
    });
    actor.candidate_restarted(result);
}

fn probe(actor: &Arc<Actor>, target: &Target, time: Duration) {
    let component = &target.component;
    let result = contained(actor, || {
        Ok(component.health(time, |handle| actor.started(target.lane, handle)))
    });
    let probe = match result {
        Ok(Ok(status)) => Probe::Status(status),
        Ok(Err(error)) if component.has_failed() => Probe::Ended(error.into()),
        Ok(Err(error)) => Probe::Failed(error.into()),
        Err(panicked) => Probe::Ended(panicked),
    };
    actor.probed(probe, target);
}

fn transfer(actor: &Arc<Actor>, from: &Supervised, to: &Supervised) {
    let result = contained(actor, || super::transfer::hand_over(actor.id(), from, to));
    actor.transferred(result);
}

fn stop(actor: &Arc<Actor>, orderly: bool) {
    let component = actor.component();
    actor.end_trial_with_actor();
    if orderly {
        let result = contained(actor, || Ok(component.shutdown()?));
        if let Err(error) = result {
            log::warn!("`{}` did not shut down: {error}", actor.id());
        }
    }
    for lane in actor.take_lanes() {
        let ended = contained(actor, || {
            if orderly {
                lane.retire()?;
            }
            lane.discard();
            Ok(())
        });
        if let Err(error) = ended {
            log::warn!("an instance of `{}` did not shut down: {error}", actor.id());
        }
    }
    component.unload();
    if let Some(group) = &actor.group {
        group.leave(actor);
    }
    // Whoever is notified may end the process.
    actor.queue.close();
    let receivers = actor.stopped();
    actor.core.remove(actor);
    for receiver in receivers {
        receiver.complete(Ok(()));
    }
}

/// Runs calls of a component. A panic of a function of the host application ends the instance, not the worker.
pub(super) fn contained<R>(
    actor: &Arc<Actor>,
    calls: impl FnOnce() -> Result<R, ActorError>,
) -> Result<R, ActorError> {
    catch_unwind(AssertUnwindSafe(calls)).unwrap_or_else(|panic| {
        Err(ActorError::Panicked {
            id: actor.id().clone(),
            message: text(&*panic),
        })
    })
}

/// Returns the text of a panic.
fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}
