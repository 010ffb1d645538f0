//! Updates without a stop: another version of a component takes the place of the one that runs.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::actor::Actor;
use super::error::ActorError;
use super::lanes;
use super::options::InvalidActorOptions;
use super::pending::{Completer, Pending, pending};
use super::transfer::{self, RESTORE, SNAPSHOT};
use super::trial::{Tally, TrialPolicy};
use super::turn::contained;
use super::versions::{ActorVersion, Candidate, Version};
use crate::artifact::Trust;
use crate::host::HealthState;
use crate::load::{Loaded, Source};
use crate::messaging::ComponentId;
use crate::runtime::{ComponentOptions, ComponentRuntime, RuntimeError, Supervised};
use airssys_wasm_component::internal::threads::aside;

/// Longest time of the call of `health` before a new version gets messages.
const HEALTH_TIME: Duration = Duration::from_secs(10);

/// The source of a new version.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum NewVersion {
    /// A file: a component, or an artifact that [`ReplaceOptions::trust`] accepts.
    File(PathBuf),
    /// The bytes of one.
    Bytes(Vec<u8>),
    /// A component that is loaded.
    Loaded(Loaded),
}

impl From<PathBuf> for NewVersion {
    fn from(path: PathBuf) -> NewVersion {
        NewVersion::File(path)
    }
}

impl From<Vec<u8>> for NewVersion {
    fn from(bytes: Vec<u8>) -> NewVersion {
        NewVersion::Bytes(bytes)
    }
}

impl From<Loaded> for NewVersion {
    fn from(loaded: Loaded) -> NewVersion {
        NewVersion::Loaded(loaded)
    }
}

/// Options of [`ComponentRuntime::replace_component`].
///
/// ```
/// use std::time::Duration;
/// use airssys_wasm::actors::ReplaceOptions;
///
/// // A tenth of the messages, until it has handled 1000 of them or 5 minutes have passed.
/// let canary = ReplaceOptions::new()
///     .with_share(10)
///     .with_trial(1000, Duration::from_secs(300))
///     .with_max_errors(1);
/// # drop(canary);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReplaceOptions {
    /// Options of the new version, with its manifest and policy. `None`, the default: those of the version before. Its identity
    /// is that of the actor in any case.
    pub component: Option<ComponentOptions>,
    /// Keys of the artifacts that are accepted. None by default.
    pub trust: Trust,
    /// Part of the messages that the new version gets during its trial, in percent; 1 to 100, the default.
    pub share: u32,
    /// Number of messages of its trial; 0 to 1,000,000. 0, the default: it takes the place of the one before without a trial.
    pub trial_messages: u32,
    /// Longest time of the trial; 60 seconds by default. If it has not failed by then, it has passed.
    pub trial_time: Duration,
    /// Part of the messages of the trial that may fail, in percent; 0, the default, to 100. A message fails if the component
    /// answers with an error. A trap, an exceeded limit or an exit ends the trial at once, and its message is handled by the
    /// version before.
    pub max_error_percent: u32,
    /// Handover of state. None by default.
    pub state: StateTransfer,
}

/// Handover of state from one version to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StateTransfer {
    /// The new version starts with its configuration only.
    #[default]
    None,
    /// The answer of the operation `snapshot` of the version before is the parameter of `restore` of the new one, between the
    /// last message of the one and the first of the other. Both operations are in the metadata of their components; the share is 100.
    /// After a rollback, changes of state during the trial are lost.
    Operations,
}

/// Result of [`ComponentRuntime::replace_component`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replaced {
    /// [`ActorVersion::number`] of the new version.
    pub version: u64,
}

impl Default for ReplaceOptions {
    fn default() -> ReplaceOptions {
        ReplaceOptions {
            component: None,
            trust: Trust::default(),
            share: 100,
            trial_messages: 0,
            trial_time: Duration::from_secs(60),
            max_error_percent: 0,
            state: StateTransfer::None,
        }
    }
}

impl ReplaceOptions {
    /// Creates options with the defaults.
    pub fn new() -> ReplaceOptions {
        ReplaceOptions::default()
    }

    /// Sets [`ReplaceOptions::component`].
    #[must_use]
    pub fn with_component(mut self, options: ComponentOptions) -> Self {
        self.component = Some(options);
        self
    }

    /// Sets [`ReplaceOptions::trust`].
    #[must_use]
    pub fn with_trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// Sets [`ReplaceOptions::share`].
    #[must_use]
    pub fn with_share(mut self, percent: u32) -> Self {
        self.share = percent;
        self
    }

    /// Sets [`ReplaceOptions::trial_messages`] and [`ReplaceOptions::trial_time`].
    #[must_use]
    pub fn with_trial(mut self, messages: u32, longest: Duration) -> Self {
        (self.trial_messages, self.trial_time) = (messages, longest);
        self
    }

    /// Sets [`ReplaceOptions::max_error_percent`].
    #[must_use]
    pub fn with_max_errors(mut self, percent: u32) -> Self {
        self.max_error_percent = percent;
        self
    }

    /// Sets [`ReplaceOptions::state`].
    #[must_use]
    pub fn with_state(mut self, transfer: StateTransfer) -> Self {
        self.state = transfer;
        self
    }

    fn policy(&self) -> Result<TrialPolicy, InvalidActorOptions> {
        let policy = TrialPolicy {
            percent: self.share,
            messages: self.trial_messages,
            max_error_percent: self.max_error_percent,
        };
        policy.check()?;
        match (self.state, self.share) {
            (StateTransfer::None, _) | (_, 100) => Ok(policy),
            _ => Err(InvalidActorOptions::SharedState(self.share)),
        }
    }
}

/// # Updates
///
/// Methods of [`actors`](crate::actors).
impl ComponentRuntime {
    /// Puts another version in place of an actor's component, between two messages, which keep their order. Messages that wait, the
    /// identity, subscriptions and the mailbox for `receive-message` stay.
    ///
    /// The new version is loaded, compiled, checked against the contract, its manifest and the policy, initialized, and
    /// queried for its health, on a thread of its own, while the one before goes on handling messages; on Linux the compilation has a
    /// lower priority than calls. Then it has its
    /// [trial](ReplaceOptions::trial_messages), if there is one: it gets its share of the messages, and is rolled back by itself if
    /// it fails. The one that is not used any more is shut down after its last message. The result is there at the end of the trial;
    /// dropping it changes nothing.
    ///
    /// # Errors
    /// [`ActorError::Unknown`], [`ActorError::Options`], [`ActorError::Replacing`], [`ActorError::Unhealthy`],
    /// [`ActorError::Transfer`], [`ActorError::RolledBack`], [`ActorError::Thread`]; [`ActorError::Stopped`],
    /// [`ActorError::GaveUp`] and [`ActorError::ShutDown`] if the actor ends first; [`ActorError::Runtime`] with the errors of
    /// [`ComponentRuntime::load`] and [`ComponentRuntime::init`]. After each the version before handles all messages.
    pub fn replace_component(
        &self,
        id: &ComponentId,
        source: impl Into<NewVersion>,
        options: ReplaceOptions,
    ) -> Pending<Replaced> {
        self.replace_with(id, Some(source.into()), options)
    }

    /// Puts the version before the current one in its place again, as [`ComponentRuntime::replace_component`] does without a
    /// trial. It is compiled already. Can be repeated, up to [`MAX_EARLIER_VERSIONS`](super::MAX_EARLIER_VERSIONS) versions.
    ///
    /// # Errors
    /// [`ActorError::NoEarlierVersion`], and the errors of [`ComponentRuntime::replace_component`].
    pub fn rollback(&self, id: &ComponentId) -> Pending<Replaced> {
        self.replace_with(id, None, ReplaceOptions::new())
    }

    /// Returns the versions of an actor's component that can run again, the oldest first; the last is the current one.
    ///
    /// # Errors
    /// [`ActorError::Unknown`].
    pub fn versions(&self, id: &ComponentId) -> Result<Vec<ActorVersion>, ActorError> {
        let actor = self.actor(id).ok_or_else(|| ActorError::Unknown(id.clone()))?;
        Ok(actor.versions())
    }

    /// Replaces by `source`, or by the earlier version.
    fn replace_with(
        &self,
        id: &ComponentId,
        source: Option<NewVersion>,
        options: ReplaceOptions,
    ) -> Pending<Replaced> {
        let (receiver, result) = pending();
        match self.begin_replacement(id, source, options) {
            Ok(replacement) => replacement.start(receiver),
            Err(error) => drop(receiver.complete(Err(error))),
        }
        result
    }

    fn begin_replacement(
        &self,
        id: &ComponentId,
        source: Option<NewVersion>,
        options: ReplaceOptions,
    ) -> Result<Replacement, ActorError> {
        let policy = options.policy()?;
        let actor = self.actor(id).ok_or_else(|| ActorError::Unknown(id.clone()))?;
        let back = source.is_none();
        let (from, number) = actor.begin_replacing(back)?;
        Ok(Replacement {
            runtime: self.clone(),
            component: options
                .component
                .unwrap_or_else(|| from.options.clone())
                .with_saved_settings(from.options.saved_settings()),
            source: source.unwrap_or_else(|| from.loaded.clone().into()),
            trust: options.trust,
            tally: (policy.messages > 0).then(|| Tally::new(policy)),
            time: options.trial_time,
            transfer: options.state,
            actor,
            number,
            back,
        })
    }
}

/// A replacement in preparation.
struct Replacement {
    runtime: ComponentRuntime,
    actor: Arc<Actor>,
    component: ComponentOptions,
    source: NewVersion,
    trust: Trust,
    tally: Option<Tally>,
    time: Duration,
    transfer: StateTransfer,
    number: u64,
    back: bool,
}

impl Replacement {
    /// Prepares the version on a thread of its own: compiling takes long.
    fn start(self, receiver: Completer<Replaced>) {
        let actor = self.actor.clone();
        let name = "actors-replace".to_owned();
        let load = match actor.core.begin_load() {
            Ok((load, _)) => load,
            Err(error) => {
                actor.not_replacing();
                receiver.complete(Err(error));
                return;
            }
        };
        // Shared, so that it outlasts a thread that cannot be started.
        let receiver = Arc::new(Mutex::new(Some(receiver)));
        let taken = receiver.clone();
        let spawned = thread::Builder::new().name(name).spawn(move || {
            if let Some(receiver) = take(&taken) {
                self.run(receiver);
            }
            drop(load);
        });
        if let Err(error) = spawned {
            actor.not_replacing();
            if let Some(receiver) = take(&receiver) {
                receiver.complete(Err(ActorError::Thread(error)));
            }
        }
    }

    fn run(self, receiver: Completer<Replaced>) {
        let prepared = contained(&self.actor, || self.prepare());
        match prepared {
            Ok((component, version)) => {
                let candidate = Candidate {
                    component: Arc::new(component),
                    version,
                    back: self.back,
                    transfer: self.transfer,
                    tally: self.tally,
                    receiver,
                };
                self.actor.try_version(candidate, self.time);
            }
            Err(error) => {
                self.actor.not_replacing();
                receiver.complete(Err(error));
            }
        }
    }

    /// Loads, initializes and checks the version. After an error nothing of it remains.
    fn prepare(&self) -> Result<(Supervised, Version), ActorError> {
        let loaded = self.load()?;
        let before = self.actor.component();
        let component = before.successor(&loaded, self.component.clone())?;
        let result = contained(&self.actor, || {
            component.init()?;
            lanes::check_stateless(&component, self.actor.number_of_instances())?;
            self.check(&before, &component)
        });
        if let Err(error) = result {
            // Its own error says nothing about the version that runs.
            let _ = contained(&self.actor, || Ok(component.retire()?));
            return Err(error);
        }
        let mut version = Version::new(self.number, loaded, self.component.clone());
        version.record(&component);
        Ok((component, version))
    }

    fn load(&self) -> Result<Loaded, RuntimeError> {
        let (loader, options) = (self.runtime.loader(), self.component.load_options());
        let load = |source: &Source<'_>| aside("actors-load", || loader.load(source, &self.trust, options));
        Ok(match &self.source {
            NewVersion::File(path) => load(&Source::open(path)?)?,
            NewVersion::Bytes(bytes) => load(&bytes.as_slice().into())?,
            NewVersion::Loaded(loaded) => loaded.clone(),
        })
    }

    /// Checks what a version must have before it gets messages.
    fn check(&self, before: &Supervised, component: &Supervised) -> Result<(), ActorError> {
        let id = || self.actor.id().clone();
        let health = component.health(HEALTH_TIME, drop)?;
        if health.state == HealthState::Unhealthy {
            let reason = health.message.unwrap_or_else(|| "no reason given".to_owned());
            return Err(ActorError::Unhealthy { id: id(), reason });
        }
        if self.transfer == StateTransfer::Operations {
            let lacks = |which: &str, reason| ActorError::Transfer {
                id: id(),
                reason: format!("of the {which} version, {reason}"),
            };
            transfer::declares(before, SNAPSHOT).map_err(|reason| lacks("present", reason))?;
            transfer::declares(component, RESTORE).map_err(|reason| lacks("new", reason))?;
        }
        Ok(())
    }
}

fn take(receiver: &Mutex<Option<Completer<Replaced>>>) -> Option<Completer<Replaced>> {
    receiver.lock().unwrap_or_else(PoisonError::into_inner).take()
}
