//! The state of an actor, for hosts.

use std::ops::AddAssign;

/// States of an actor, for hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ActorPhase {
    /// It handles messages.
    Ready,
    /// It accepts messages, which wait until a fresh instance is initialized.
    Restarting,
    /// It refuses messages, and handles those in its mailbox.
    Stopping,
    /// Its policy stopped it: it refuses messages.
    Stopped,
    /// It failed more often than its policy allows: it refuses messages.
    GaveUp,
}

/// State of an actor at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActorStatus {
    /// The state.
    pub phase: ActorPhase,
    /// Messages in the mailbox, without the one that is handled.
    pub waiting: usize,
    /// Their bytes.
    pub waiting_bytes: usize,
    /// Senders that wait for room in the mailbox.
    pub waiting_senders: usize,
    /// Instances that are initialized, of as many as [`ActorOptions::instances`](super::ActorOptions::instances) says.
    pub instances: usize,
    /// Number of restarts since it was loaded.
    pub restarts: u64,
    /// Its messages.
    pub counters: ActorCounters,
}

/// Numbers of messages of one actor, or of all. Each message that was sent counts in exactly one of the others, at every
/// moment: [`ActorCounters::add_up`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActorCounters {
    /// Messages that were sent to an actor, accepted or not; for a durable actor, those that were in the store when it was
    /// loaded too.
    pub sent: u64,
    /// Handled: the component returned an answer or an error.
    pub delivered: u64,
    /// Not accepted: too large, no room, or the actor is stopped or gave up.
    pub refused: u64,
    /// Accepted and not handled; [`ActorSystem::take_dead_letters`](super::ActorSystem::take_dead_letters) has them.
    pub dead_lettered: u64,
    /// Given up by their senders, before or during their call.
    pub canceled: u64,
    /// Of durable actors: not handled before the end of the shutdown, and in the store for the next start.
    pub kept: u64,
    /// Waiting for room, waiting in the mailbox, or being handled.
    pub in_flight: u64,
}

impl ActorCounters {
    /// Reports whether the messages sent are those of the other numbers. They always are.
    pub fn add_up(&self) -> bool {
        let ended = self.delivered + self.refused + self.dead_lettered + self.canceled + self.kept;
        self.sent == ended + self.in_flight
    }
}

impl AddAssign for ActorCounters {
    fn add_assign(&mut self, other: ActorCounters) {
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.refused += other.refused;
        self.dead_lettered += other.dead_lettered;
        self.canceled += other.canceled;
        self.kept += other.kept;
        self.in_flight += other.in_flight;
    }
}
