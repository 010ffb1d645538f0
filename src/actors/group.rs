//! Groups of actors that restart together, and give up together.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::actor::Actor;
use super::events::ActorEventKind;

/// Members of a group that are restarted when one of them is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GroupStrategy {
    /// None: it alone is restarted.
    #[default]
    OneForOne,
    /// All.
    OneForAll,
    /// Those that were started after it.
    RestForOne,
}

/// A group of actors. Its members share a limit on restarts: beyond it, or when one of them gives up, all give up, and the host
/// gets [`ActorEventKind::Escalated`]. Cheap to clone.
///
/// An actor joins when it is started ([`ActorOptions::group`](super::ActorOptions::group)), and leaves when it is stopped.
#[derive(Clone, Debug)]
pub struct ActorGroup(Arc<Group>);

#[derive(Debug)]
struct Group {
    name: String,
    strategy: GroupStrategy,
    intensity: usize,
    period: Duration,
    members: Mutex<Members>,
}

#[derive(Debug, Default)]
struct Members {
    /// In the order of joining.
    actors: Vec<(u64, Weak<Actor>)>,
    /// Restarts within the period, the oldest first.
    recent: VecDeque<Instant>,
}

/// The end of a member's instance.
#[derive(Debug)]
pub(super) enum MemberEnd {
    /// It is restarted.
    Restarts,
    /// It gives up.
    GivesUp(String),
}

/// Largest number of restarts of a group within its period.
const MAX_INTENSITY: u32 = 10_000;

impl ActorGroup {
    /// Creates a group without members. `intensity` is the number of restarts of all members within `period` after which they
    /// give up at the next; numbers above 10,000 are replaced by it. Restarts that follow from the restart of another member
    /// do not count.
    pub fn new(
        name: impl Into<String>,
        strategy: GroupStrategy,
        intensity: u32,
        period: Duration,
    ) -> ActorGroup {
        ActorGroup(Arc::new(Group {
            name: name.into(),
            strategy,
            intensity: intensity.min(MAX_INTENSITY) as usize,
            period,
            members: Mutex::default(),
        }))
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub(super) fn join(&self, actor: &Arc<Actor>) {
        self.lock().actors.push((actor.key, Arc::downgrade(actor)));
    }

    pub(super) fn leave(&self, actor: &Actor) {
        self.lock().actors.retain(|(key, _)| *key != actor.key);
    }

    /// Restarts other members, or lets all give up. No actor is locked.
    pub(super) fn member_ended(&self, actor: &Arc<Actor>, end: MemberEnd) {
        let reason = match end {
            MemberEnd::GivesUp(reason) => Some(reason),
            MemberEnd::Restarts => self.exceeded(Instant::now()),
        };
        match reason {
            Some(reason) => {
                let group = self.0.name.clone();
                let text = format!("the group `{group}` gave up with `{}`: {reason}", actor.id());
                for member in self.members(|_| true) {
                    member.give_up(&text);
                }
                let kind = ActorEventKind::Escalated { group, reason };
                actor.core.events.publish(actor.id(), kind);
            }
            None => {
                let affected = |key: u64| match self.0.strategy {
                    GroupStrategy::OneForOne => false,
                    GroupStrategy::OneForAll => key != actor.key,
                    GroupStrategy::RestForOne => key > actor.key,
                };
                for member in self.members(affected) {
                    member.restart_with_group();
                }
            }
        }
    }

    /// Records a restart. Returns the reason to give up, if there are too many.
    fn exceeded(&self, now: Instant) -> Option<String> {
        let Group {
            intensity, period, ..
        } = &*self.0;
        let mut members = self.lock();
        let is_old = |first: &Instant| now.saturating_duration_since(*first) >= *period;
        while members.recent.front().is_some_and(is_old) {
            members.recent.pop_front();
        }
        if members.recent.len() >= *intensity {
            return Some(format!("more than {intensity} restarts within {period:?}"));
        }
        members.recent.push_back(now);
        None
    }

    fn members(&self, affected: impl Fn(u64) -> bool) -> Vec<Arc<Actor>> {
        let members = self.lock();
        let affected = members.actors.iter().filter(|(key, _)| affected(*key));
        affected.filter_map(|(_, actor)| actor.upgrade()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        // No step in between panics.
        self.0.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_within_the_period_are_counted() {
        let second = Duration::from_secs(1);
        let group = ActorGroup::new("g", GroupStrategy::OneForAll, 2, 10 * second);
        let start = Instant::now();
        let mut at = |seconds: u32| group.exceeded(start + seconds * second).is_some();
        assert_eq!([0, 1, 9].map(&mut at), [false, false, true]);
        // The first is a period ago.
        assert_eq!([10, 10, 11].map(&mut at), [false, true, false]);
        let none = ActorGroup::new("g", GroupStrategy::OneForAll, 0, second);
        assert!(none.exceeded(start).is_some());
    }
}
