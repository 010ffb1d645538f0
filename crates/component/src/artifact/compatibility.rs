//! Check that an artifact's code runs on this host.

use super::error::ArtifactError;
use super::format::{Header, Section};
use crate::engine::{Backend, CORE_FEATURES, Engine, Machine, tunables};

impl Header {
    /// Creates the header of a component that `engine` compiled.
    pub(super) fn new(engine: &Engine, component: &[u8], sections: Vec<Section>) -> Header {
        let target = engine.target();
        Header {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            engine: Backend::wasmer_version().to_owned(),
            backend: engine.backend().name().to_owned(),
            target: target.triple(),
            cpu: target.features().map(str::to_owned).collect(),
            tunables: tunables(engine.backend()).to_owned(),
            options: engine.options(),
            features: CORE_FEATURES.to_owned(),
            component: *blake3::hash(component).as_bytes(),
            component_bytes: component.len() as u64,
            sections,
        }
    }

    /// Checks that the code runs on this host, and returns the backend that compiled it.
    ///
    /// # Errors
    /// The first mismatch between the artifact and the host.
    pub fn check_host(&self) -> Result<Backend, ArtifactError> {
        let (version, engine) = (env!("CARGO_PKG_VERSION"), Backend::wasmer_version());
        if self.version != version || self.engine != engine {
            let versions =
                |library: &str, engine: &str| format!("airssys-wasm {library} with wasmer {engine}");
            return Err(ArtifactError::Version {
                found: versions(&self.version, &self.engine),
                expected: versions(version, engine),
            });
        }
        let mut compilers = Backend::ALL.into_iter();
        let backend = compilers.find(|backend| backend.name() == self.backend);
        let backend =
            backend.ok_or_else(|| ArtifactError::Header(format!("`{}` is not a compiler", self.backend)))?;
        let host = Machine::host();
        if self.target != host.triple {
            return Err(ArtifactError::Target {
                found: self.target.clone(),
                expected: host.triple.clone(),
            });
        }
        let lacking: Vec<String> = self
            .cpu
            .iter()
            .filter(|feature| !host.features.contains(feature))
            .cloned()
            .collect();
        if !lacking.is_empty() {
            return Err(ArtifactError::Cpu(lacking));
        }
        let expected = tunables(backend);
        if self.tunables != expected {
            return Err(ArtifactError::Tunables {
                found: self.tunables.clone(),
                expected: expected.to_owned(),
            });
        }
        Ok(backend)
    }
}
