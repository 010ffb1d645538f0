//! The versions of an actor's component: the one that handles messages, those before it, and one on trial.

use std::collections::VecDeque;
use std::sync::Arc;

use super::pending::Completer;
use super::replace::{Replaced, StateTransfer};
use super::timer::Set;
use super::trial::Tally;
use crate::load::Loaded;
use crate::runtime::{ComponentOptions, Supervised};

/// Number of earlier versions of an actor that are kept for [a rollback](crate::ComponentRuntime::rollback). Bounds the compiled
/// components that many updates leave behind.
pub const MAX_EARLIER_VERSIONS: usize = 8;

/// A version of an actor's component, for hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActorVersion {
    /// 1 for the component that was loaded first, one more for each that was tried to replace it.
    pub number: u64,
    /// The name in the component's metadata.
    pub name: String,
    /// The version in the component's metadata.
    pub version: String,
    /// True for the one that handles messages; of two, the one before.
    pub current: bool,
}

/// A version, and all that is needed to start it again.
#[derive(Debug)]
pub(super) struct Version {
    pub(super) number: u64,
    pub(super) loaded: Loaded,
    pub(super) options: ComponentOptions,
    pub(super) name: String,
    pub(super) version: String,
}

impl Version {
    pub(super) fn new(number: u64, loaded: Loaded, options: ComponentOptions) -> Version {
        Version {
            number,
            loaded,
            options,
            name: String::new(),
            version: String::new(),
        }
    }

    /// Records the metadata of a component that is initialized.
    pub(super) fn record(&mut self, component: &Supervised) {
        if let Some(metadata) = component.metadata() {
            self.name.clone_from(&metadata.name);
            self.version.clone_from(&metadata.version);
        }
    }

    fn describe(&self, current: bool) -> ActorVersion {
        ActorVersion {
            number: self.number,
            name: self.name.clone(),
            version: self.version.clone(),
            current,
        }
    }
}

/// All versions of one actor but the one on trial.
#[derive(Debug)]
pub(super) struct Versions {
    pub(super) current: Arc<Version>,
    /// The oldest first.
    earlier: VecDeque<Arc<Version>>,
    /// Number of the last that was tried.
    last: u64,
}

impl Versions {
    pub(super) fn new(current: Version) -> Versions {
        Versions {
            last: current.number,
            current: Arc::new(current),
            earlier: VecDeque::new(),
        }
    }

    /// Records the metadata of the first version, once it is initialized.
    pub(super) fn record(&mut self, component: &Supervised) {
        if let Some(current) = Arc::get_mut(&mut self.current) {
            current.record(component);
        }
    }

    /// Returns the number of the next version.
    pub(super) fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    pub(super) fn earlier(&self) -> Option<&Arc<Version>> {
        self.earlier.back()
    }

    /// Makes `version` the current one. The one before it is kept, unless this goes `back` to an earlier one.
    pub(super) fn install(&mut self, version: Version, back: bool) {
        let before = std::mem::replace(&mut self.current, Arc::new(version));
        match back {
            true => drop(self.earlier.pop_back()),
            false => self.earlier.push_back(before),
        }
        if self.earlier.len() > MAX_EARLIER_VERSIONS {
            self.earlier.pop_front();
        }
    }

    /// Returns all, the oldest first.
    pub(super) fn list(&self) -> Vec<ActorVersion> {
        let earlier = self.earlier.iter().map(|version| version.describe(false));
        earlier.chain([self.current.describe(true)]).collect()
    }
}

/// A version that is initialized, before or during its trial.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) component: Arc<Supervised>,
    pub(super) version: Version,
    /// It is an earlier version.
    pub(super) back: bool,
    pub(super) transfer: StateTransfer,
    /// `None`: it takes the place of the one before without a trial.
    pub(super) tally: Option<Tally>,
    /// Gets the result.
    pub(super) receiver: Completer<Replaced>,
}

/// The trial of a version.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) candidate: Candidate,
    pub(super) stage: Stage,
    /// Alarm at the end of its time, which is off once the trial has ended.
    pub(super) _alarm: Option<Set>,
}

/// Steps of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The state of the version before is to be handed over.
    Transfer,
    /// Its next messages decide.
    Messages,
    /// The instance was stopped for a sender, and is to be replaced.
    Restart,
    /// It has passed.
    Passed,
}
