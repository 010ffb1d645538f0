//! The runtime's record in a snapshot, in JSON.

use std::collections::BTreeMap;
#[cfg(feature = "wasi")]
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::SnapshotProblem;
use crate::host::{ComponentMetadata, MemoryRequirements, Settings};
use crate::runtime::lifecycle::ComponentConfig;
use crate::runtime::metadata;
#[cfg(feature = "wasi")]
use crate::wasi::Lasting;
use airssys_wasm_component::internal::text;

/// Facts about the component that were found out before the snapshot.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::runtime) struct Record {
    /// Digest of the environment and the configuration data of `init`, in hexadecimal.
    configuration: String,
    /// Digest of each setting that the host had, in hexadecimal.
    settings: BTreeMap<String, String>,
    /// Nanoseconds of the monotonic clock; 0 without WASI.
    clock: u64,
    /// The insecure seed of WASI, if the component asked for it.
    seed: Option<(u64, u64)>,
    metadata: SavedMetadata,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SavedMetadata {
    name: String,
    version: String,
    description: String,
    author: String,
    license: String,
    required_capabilities: Vec<String>,
    supported_operations: Vec<String>,
    supported_codecs: Vec<u64>,
    language: String,
    memory_requirements: SavedMemory,
    timeout_ms: Option<u64>,
    stateful: bool,
    api_version: String,
    homepage: Option<String>,
    repository: Option<String>,
    tags: Vec<String>,
    custom_metadata: Option<Vec<(String, String)>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SavedMemory {
    min_memory_bytes: u64,
    max_memory_bytes: u64,
    preferred_memory_bytes: u64,
}

impl Record {
    pub(in crate::runtime) fn new(
        config: &ComponentConfig,
        settings: &Settings,
        metadata: &ComponentMetadata,
    ) -> Record {
        let settings = settings.given();
        Record {
            configuration: digest(config),
            settings: settings
                .map(|(key, value)| (key.to_owned(), digest_of(value)))
                .collect(),
            clock: 0,
            seed: None,
            metadata: SavedMetadata::of(metadata),
        }
    }

    /// Adds the host's state that the component relies on.
    #[cfg(feature = "wasi")]
    pub(in crate::runtime) fn with_wasi(self, lasting: Lasting) -> Record {
        Record {
            clock: u64::try_from(lasting.clock.as_nanos()).unwrap_or(u64::MAX),
            seed: lasting.seed,
            ..self
        }
    }

    /// Returns the host's state that the component relies on.
    #[cfg(feature = "wasi")]
    pub(in crate::runtime) fn lasting(&self) -> Lasting {
        let mut lasting = Lasting::default();
        (lasting.clock, lasting.seed) = (Duration::from_nanos(self.clock), self.seed);
        lasting
    }

    /// Returns the bytes of the record.
    ///
    /// # Errors
    /// [`SnapshotProblem::Record`].
    pub(in crate::runtime) fn write(&self) -> Result<Vec<u8>, SnapshotProblem> {
        serde_json::to_vec(self).map_err(|error| malformed(&error))
    }

    /// Reads a record, which an artifact of unknown origin may have.
    ///
    /// # Errors
    /// [`SnapshotProblem::Record`].
    pub(in crate::runtime) fn read(bytes: &[u8]) -> Result<Record, SnapshotProblem> {
        if bytes.is_empty() {
            let what = "it was made by a host without a runtime: its component was not initialized by one";
            return Err(SnapshotProblem::Record(what.into()));
        }
        serde_json::from_slice(bytes).map_err(|error| malformed(&error))
    }

    /// Checks that a host which loads the snapshot states the same configuration, or none, and gives no other value to a setting.
    ///
    /// # Errors
    /// [`SnapshotProblem::Configuration`], [`SnapshotProblem::Setting`].
    pub(in crate::runtime) fn check(
        &self,
        config: &ComponentConfig,
        settings: &Settings,
    ) -> Result<(), SnapshotProblem> {
        let states = !config.env_vars.is_empty() || config.config_data.is_some();
        if states && digest(config) != self.configuration {
            return Err(SnapshotProblem::Configuration);
        }
        let differs = |(key, value): &(&str, &str)| {
            let had = self.settings.get(*key);
            had.is_some_and(|had| *had != digest_of(value))
        };
        match settings.given().find(differs) {
            Some((key, _)) => Err(SnapshotProblem::Setting(text::brief(&key))),
            None => Ok(()),
        }
    }

    /// Returns the metadata.
    ///
    /// # Errors
    /// [`SnapshotProblem::Record`] if it exceeds a bound.
    pub(in crate::runtime) fn into_metadata(self) -> Result<ComponentMetadata, SnapshotProblem> {
        let found = self.metadata.into_metadata();
        metadata::check(&found).map_err(SnapshotProblem::Record)?;
        Ok(found)
    }
}

fn malformed(error: &serde_json::Error) -> SnapshotProblem {
    SnapshotProblem::Record(text::brief(error))
}

fn digest_of(value: &str) -> String {
    blake3::hash(value.as_bytes()).to_hex().to_string()
}

/// Returns a digest of the environment and the configuration data. The file has no copy of them.
fn digest(config: &ComponentConfig) -> String {
    let mut env: Vec<_> = config.env_vars.iter().collect();
    env.sort();
    let mut hasher = blake3::Hasher::new();
    let mut add = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    };
    for (name, value) in env {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    // No variable has an empty name.
    add(&[]);
    if let Some(data) = &config.config_data {
        add(data);
    }
    hasher.finalize().to_hex().to_string()
}

impl SavedMetadata {
    fn of(metadata: &ComponentMetadata) -> SavedMetadata {
        let metadata = metadata.clone();
        let memory = metadata.memory_requirements;
        SavedMetadata {
            name: metadata.name,
            version: metadata.version,
            description: metadata.description,
            author: metadata.author,
            license: metadata.license,
            required_capabilities: metadata.required_capabilities,
            supported_operations: metadata.supported_operations,
            supported_codecs: metadata.supported_codecs,
            language: metadata.language,
            memory_requirements: SavedMemory {
                min_memory_bytes: memory.min_memory_bytes,
                max_memory_bytes: memory.max_memory_bytes,
                preferred_memory_bytes: memory.preferred_memory_bytes,
            },
            timeout_ms: metadata.timeout_ms,
            stateful: metadata.stateful,
            api_version: metadata.api_version,
            homepage: metadata.homepage,
            repository: metadata.repository,
            tags: metadata.tags,
            custom_metadata: metadata.custom_metadata,
        }
    }

    fn into_metadata(self) -> ComponentMetadata {
        let memory = self.memory_requirements;
        ComponentMetadata {
            name: self.name,
            version: self.version,
            description: self.description,
            author: self.author,
            license: self.license,
            required_capabilities: self.required_capabilities,
            supported_operations: self.supported_operations,
            supported_codecs: self.supported_codecs,
            language: self.language,
            memory_requirements: MemoryRequirements {
                min_memory_bytes: memory.min_memory_bytes,
                max_memory_bytes: memory.max_memory_bytes,
                preferred_memory_bytes: memory.preferred_memory_bytes,
            },
            timeout_ms: self.timeout_ms,
            stateful: self.stateful,
            api_version: self.api_version,
            homepage: self.homepage,
            repository: self.repository,
            tags: self.tags,
            custom_metadata: self.custom_metadata,
        }
    }
}
