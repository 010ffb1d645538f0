//! Options of actors and of messages.

use std::time::Duration;

use super::group::ActorGroup;
use crate::messaging::{ComponentId, MailboxLimits};
use crate::runtime::{CallerInfo, TraceContext};

/// Options of one actor.
///
/// ```
/// use std::time::Duration;
/// use airssys_wasm::actors::{ActorOptions, Backpressure, Restart, RestartPolicy};
///
/// let options = ActorOptions::new()
///     .with_backpressure(Backpressure::Wait { longest: Duration::from_secs(1) })
///     .with_restarts(RestartPolicy::new(Restart::Transient).with_max_tries(1));
/// # drop(options);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ActorOptions {
    /// Bounds of the mailbox. `None`, the default: those of the component's mailbox, which the runtime, the component's
    /// options, its manifest and the policy set. They can be lowered here, not raised; 0 is refused.
    pub mailbox: Option<MailboxLimits>,
    /// Behavior of a full mailbox. By default it refuses.
    pub backpressure: Backpressure,
    /// Replacement of failed instances.
    pub restarts: RestartPolicy,
    /// Delivery of the messages of other components.
    pub guest_messages: GuestMessages,
    /// Probes of its health. None by default.
    pub health: Option<HealthProbe>,
    /// The group that it joins. None by default.
    pub group: Option<ActorGroup>,
    /// Keep messages and changed settings in the store of the system, so that they outlast the process; `false` by default.
    /// A message is in the store before it is accepted, and leaves it before its answer is delivered; an actor that is loaded
    /// with the same identity takes up those that are there. Needs the feature `durable` and `ActorSystemBuilder::with_store`.
    pub durable: bool,
    /// Instances of the component, 1 to [`MAX_INSTANCES`]; 1 by default. Several handle as many messages at the same time, each on
    /// a worker: messages are taken from the mailbox in their order, and may end in another. Only for components whose metadata has
    /// `stateful: false`; each has its own memory, and its own calls of `init` and `shutdown`.
    pub instances: usize,
}

/// Largest [`ActorOptions::instances`]. Bounds the memory of one actor.
pub const MAX_INSTANCES: usize = 1024;

impl Default for ActorOptions {
    fn default() -> ActorOptions {
        ActorOptions {
            mailbox: None,
            backpressure: Backpressure::default(),
            restarts: RestartPolicy::default(),
            guest_messages: GuestMessages::default(),
            health: None,
            group: None,
            durable: false,
            instances: 1,
        }
    }
}

/// Calls of the component's `health` at intervals, between messages. An instance that is unhealthy as often is replaced by the
/// policy on restarts, as after a trap; a new version on trial is rolled back. The first report that is not healthy is
/// [`ActorEventKind::Degraded`](super::ActorEventKind::Degraded).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HealthProbe {
    /// Time between probes; at least 1 ms, by default 10 seconds.
    pub interval: Duration,
    /// Time of one call; 1 second by default. A call that takes longer ends its instance.
    pub timeout: Duration,
    /// Number of unhealthy reports, or failed calls, in a row after which the instance is replaced; 1 to 1000, by default 3.
    pub failures: u32,
}

impl Default for HealthProbe {
    fn default() -> HealthProbe {
        HealthProbe {
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(1),
            failures: 3,
        }
    }
}

impl HealthProbe {
    /// Creates probes at this interval, with the defaults otherwise.
    pub fn every(interval: Duration) -> HealthProbe {
        HealthProbe {
            interval,
            ..HealthProbe::default()
        }
    }

    /// Sets [`HealthProbe::timeout`].
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets [`HealthProbe::failures`].
    #[must_use]
    pub fn with_failures(mut self, failures: u32) -> Self {
        self.failures = failures;
        self
    }
}

/// Delivery of the messages that other components send to an actor, with the contract's `send-message`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GuestMessages {
    /// They wait until the component calls `receive-message`. For components that do so in their operations.
    #[default]
    Receive,
    /// Each is a message of the actor, as one of the host: a call of `execute` with the message as its operation and its
    /// sender as the caller, the sender's request id and trace. The answer is dropped. The sender never waits for
    /// room: with [`Backpressure::Wait`] its message is refused by a full mailbox (`mailbox-full`).
    Execute,
}

/// Behavior of a full mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backpressure {
    /// The message is refused with [`ActorError::Full`](super::ActorError::Full).
    #[default]
    Refuse,
    /// The sender waits for room, in the order of sending, with at most [`MAX_WAITING_SENDERS`](super::MAX_WAITING_SENDERS) others. Then its message is
    /// refused as above.
    Wait {
        /// Longest time of waiting.
        longest: Duration,
    },
    /// The oldest messages go to the dead letters until there is room.
    DropOldest,
}

/// Replacement of failed instances by fresh ones, which are initialized as the first was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestartPolicy {
    /// Ends after which there is a restart. [`Restart::Permanent`] by default.
    pub restart: Restart,
    /// Number of restarts within [`RestartPolicy::period`] after which the actor gives up at the next end; 0 to 10,000, by
    /// default 10. Stops a component that always fails.
    pub intensity: u32,
    /// Period of the intensity; 60 seconds by default.
    pub period: Duration,
    /// Pause before the first restart, doubled for each further end until a message is handled; 10 ms by default.
    pub first_pause: Duration,
    /// Longest pause; not shorter than the first, by default 10 seconds.
    pub longest_pause: Duration,
    /// Largest random part by which a pause is shortened, in percent; 0 to 100, by default 50. Stops many actors that
    /// failed together from restarting together.
    pub jitter_percent: u32,
    /// Number of times that a message may end the instance before it goes to the dead letters; 1 to 1000, by default 3.
    /// Stops a message that the component cannot survive from coming again and again.
    pub max_tries: u32,
    /// Start of the random numbers, for pauses that can be repeated. `None`, the default: another for each actor.
    pub seed: Option<u64>,
}

/// Ends of an instance after which there is a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Restart {
    /// After each end.
    #[default]
    Permanent,
    /// After a failure: a trap, a limit, an exit status other than 0. Exiting with status 0 stops the actor.
    Transient,
    /// Never: the first end stops the actor.
    Temporary,
}

impl Default for RestartPolicy {
    fn default() -> RestartPolicy {
        RestartPolicy {
            restart: Restart::default(),
            intensity: 10,
            period: Duration::from_secs(60),
            first_pause: Duration::from_millis(10),
            longest_pause: Duration::from_secs(10),
            jitter_percent: 50,
            max_tries: 3,
            seed: None,
        }
    }
}

impl RestartPolicy {
    /// Creates a policy with the defaults otherwise.
    pub fn new(restart: Restart) -> RestartPolicy {
        RestartPolicy {
            restart,
            ..RestartPolicy::default()
        }
    }

    /// Sets [`RestartPolicy::intensity`] and [`RestartPolicy::period`].
    #[must_use]
    pub fn with_intensity(mut self, restarts: u32, period: Duration) -> Self {
        (self.intensity, self.period) = (restarts, period);
        self
    }

    /// Sets [`RestartPolicy::first_pause`] and [`RestartPolicy::longest_pause`].
    #[must_use]
    pub fn with_pauses(mut self, first: Duration, longest: Duration) -> Self {
        (self.first_pause, self.longest_pause) = (first, longest);
        self
    }

    /// Sets [`RestartPolicy::jitter_percent`].
    #[must_use]
    pub fn with_jitter(mut self, percent: u32) -> Self {
        self.jitter_percent = percent;
        self
    }

    /// Sets [`RestartPolicy::max_tries`].
    #[must_use]
    pub fn with_max_tries(mut self, tries: u32) -> Self {
        self.max_tries = tries;
        self
    }

    /// Sets [`RestartPolicy::seed`].
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }
}

impl ActorOptions {
    /// Creates options with the defaults.
    pub fn new() -> ActorOptions {
        ActorOptions::default()
    }

    /// Sets [`ActorOptions::mailbox`].
    #[must_use]
    pub fn with_mailbox(mut self, limits: MailboxLimits) -> Self {
        self.mailbox = Some(limits);
        self
    }

    /// Sets [`ActorOptions::backpressure`].
    #[must_use]
    pub fn with_backpressure(mut self, backpressure: Backpressure) -> Self {
        self.backpressure = backpressure;
        self
    }

    /// Sets [`ActorOptions::restarts`].
    #[must_use]
    pub fn with_restarts(mut self, policy: RestartPolicy) -> Self {
        self.restarts = policy;
        self
    }

    /// Sets [`ActorOptions::guest_messages`].
    #[must_use]
    pub fn with_guest_messages(mut self, delivery: GuestMessages) -> Self {
        self.guest_messages = delivery;
        self
    }

    /// Sets [`ActorOptions::health`].
    #[must_use]
    pub fn with_health(mut self, probe: HealthProbe) -> Self {
        self.health = Some(probe);
        self
    }

    /// Sets [`ActorOptions::group`].
    #[must_use]
    pub fn with_group(mut self, group: &ActorGroup) -> Self {
        self.group = Some(group.clone());
        self
    }

    /// Sets [`ActorOptions::durable`].
    #[must_use]
    pub fn with_durable(mut self, durable: bool) -> Self {
        self.durable = durable;
        self
    }

    /// Sets [`ActorOptions::instances`].
    #[must_use]
    pub fn with_instances(mut self, instances: usize) -> Self {
        self.instances = instances;
        self
    }

    pub(super) fn check(&self) -> Result<(), InvalidActorOptions> {
        if !(1..=MAX_INSTANCES).contains(&self.instances) {
            let number = |value| u64::try_from(value).unwrap_or(u64::MAX);
            return Err(InvalidActorOptions::Range {
                what: "the number of instances",
                value: number(self.instances),
                least: 1,
                most: number(MAX_INSTANCES),
            });
        }
        if self.durable && cfg!(not(feature = "durable")) {
            return Err(InvalidActorOptions::NoStore);
        }
        if let Some(mailbox) = &self.mailbox {
            for (what, value) in [
                ("the number of messages in a mailbox", mailbox.messages),
                ("the bytes of a mailbox", mailbox.bytes),
                ("the bytes of a message", mailbox.message_bytes),
            ] {
                if value == 0 {
                    return Err(InvalidActorOptions::Zero(what));
                }
            }
        }
        if let Some(probe) = &self.health {
            probe.check()?;
        }
        self.restarts.check()
    }

    /// Returns the bounds of the mailbox of a component with these limits.
    pub(super) fn mailbox_of(&self, limits: MailboxLimits) -> MailboxLimits {
        match &self.mailbox {
            None => limits,
            Some(own) => MailboxLimits {
                messages: own.messages.min(limits.messages),
                bytes: own.bytes.min(limits.bytes),
                message_bytes: own.message_bytes.min(limits.message_bytes),
            },
        }
    }
}

/// Options of one message.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SendOptions {
    /// Time until the message is handled, waiting included. `None`, the default: it waits as long as those before it take,
    /// and its call has the runtime's default time. The call ends early as for
    /// [`ExecuteOptions::timeout`](crate::ExecuteOptions::timeout), by the other limits on its time.
    pub timeout: Option<Duration>,
    /// Identifies the request in logs and traces, and correlates dead letters. `None` or empty: the runtime generates one.
    pub request_id: Option<String>,
    /// The caller, for the component. `None`: the host application.
    pub caller: Option<CallerInfo>,
    /// The trace that the operation belongs to. Passed on unchanged.
    pub trace_context: Option<TraceContext>,
}

impl SendOptions {
    /// Creates options with the defaults.
    pub fn new() -> SendOptions {
        SendOptions::default()
    }

    /// Sets [`SendOptions::timeout`].
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets [`SendOptions::request_id`].
    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// Sets [`SendOptions::caller`].
    #[must_use]
    pub fn with_caller(mut self, caller: CallerInfo) -> Self {
        self.caller = Some(caller);
        self
    }

    /// Sets [`SendOptions::trace_context`].
    #[must_use]
    pub fn with_trace_context(mut self, trace: TraceContext) -> Self {
        self.trace_context = Some(trace);
        self
    }
}

/// Options of an actor or of an actor system that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidActorOptions {
    /// A bound is zero: no message could be sent.
    #[error("{0} must not be zero")]
    Zero(&'static str),
    /// A number is outside its range.
    #[error("{what} must be from {least} to {most}, not {value}")]
    Range {
        /// The number's meaning.
        what: &'static str,
        /// The number.
        value: u64,
        /// The least that it may be.
        least: u64,
        /// The most that it may be.
        most: u64,
    },
    /// State cannot be handed over to a version that gets a part of the messages, in percent.
    #[error("state can only be handed over to a version that gets all messages, not {0} percent of them")]
    SharedState(u32),
    /// The interval of health probes is too short.
    #[error("the interval of health probes must be at least 1 ms, not {0:?}")]
    ShortInterval(Duration),
    /// A component with state is to have several instances.
    #[error(
        "`{id}` cannot have {instances} instances, since its metadata has `stateful: true`: load it with one"
    )]
    Stateful {
        /// The actor.
        id: ComponentId,
        /// [`ActorOptions::instances`].
        instances: usize,
    },
    /// An actor is to be durable, and its system has no store.
    #[error(
        "a durable actor needs a store: build with the feature `durable`, and set `ActorSystemBuilder::with_store`"
    )]
    NoStore,
    /// The first pause is longer than the longest.
    #[error("the first pause before a restart ({first:?}) is longer than the longest ({longest:?})")]
    Pauses {
        /// The first pause.
        first: Duration,
        /// The longest pause.
        longest: Duration,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_can_be_lowered_and_not_raised() {
        let limits = |messages, bytes| MailboxLimits {
            messages,
            bytes,
            ..MailboxLimits::default()
        };
        let options = ActorOptions::new().with_mailbox(limits(2, usize::MAX));
        assert_eq!(options.mailbox_of(limits(5, 100)), limits(2, 100));
        assert_eq!(ActorOptions::new().mailbox_of(limits(5, 100)), limits(5, 100));
        assert!(options.check().is_ok());
        let zero = ActorOptions::new().with_mailbox(limits(0, 1)).check();
        assert_eq!(
            zero,
            Err(InvalidActorOptions::Zero("the number of messages in a mailbox"))
        );
    }
}
