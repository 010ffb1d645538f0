//! Snapshots: artifacts whose components begin initialized.

mod record;

use super::error::RuntimeError;
use super::{ComponentId, ComponentRuntime};
use crate::artifact::{Artifact, SecretKey, SnapshotError};

pub(super) use record::Record;

/// Reasons for which no snapshot is made of a component, or a snapshot is not loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotProblem {
    /// The host has state of the component, which another host would lack. Each part: messages that it has not received, settings that it
    /// has set, secrets that it was given.
    #[error("the host has {} for it, which the file cannot have", .0.join(", "))]
    HostState(Vec<String>),
    /// The component's own state cannot be saved.
    #[error(transparent)]
    Component(#[from] SnapshotError),
    /// It was initialized with another configuration than the one that is stated for it now.
    #[error(
        "it was initialized with other environment variables or configuration data than stated now: \
         state the same or none, or make a snapshot with these"
    )]
    Configuration,
    /// It was initialized with another value of a setting than the one that is stated for it now.
    #[error(
        "it was initialized with another value of the setting `{0}` than stated now: \
         state the same or none, or make a snapshot with this one"
    )]
    Setting(String),
    /// The record in the file is malformed, or was written by another kind of host.
    #[error("its record is malformed: {0}")]
    Record(String),
}

/// # Snapshots
impl ComponentRuntime {
    /// Returns an artifact whose component begins with the state that `id` has now: a runtime that loads it starts at
    /// [`Initialized`](super::ComponentState::Initialized), and `init` returns at once. `artifact` is the one that the component was loaded from,
    /// and the component was initialized. It can be used afterwards as before. With a `key`, the snapshot is signed.
    ///
    /// The configuration of `init` is part of the state. A host that loads the snapshot states the same environment variables and
    /// configuration data, or none, and no other value for a setting that was there. Variables of a [`WasiCtxBuilder`](crate::wasi::WasiCtxBuilder)
    /// are not compared. Capabilities are those that the loading host grants. Random numbers that the component has drawn are part of the
    /// state, too: all instances share them. Its monotonic clock goes on.
    ///
    /// # Errors
    /// [`RuntimeError::Snapshot`] for a component with state that a file cannot have: resources, messages that it has not received, settings that it
    /// has set, values marked secret; for one of another artifact; for code that changes tables, and for modules that import WASI preview 1 by
    /// wasmer-wasix. Also the errors of [`ComponentRuntime::health`].
    pub fn snapshot(
        &self,
        id: &ComponentId,
        artifact: &Artifact<'_>,
        key: Option<&SecretKey>,
    ) -> Result<Vec<u8>, RuntimeError> {
        self.callable(id)?.snapshot(artifact, key)
    }
}
