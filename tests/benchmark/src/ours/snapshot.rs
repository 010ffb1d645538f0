//! A component of the contract from its artifact, with `init`, and from a snapshot after `init`.

use crate::measure::Side;
use airssys_wasm::artifact::{PublicKey, Records, SecretKey, Trust};
use airssys_wasm::codec::{self, Codec};
use airssys_wasm::engine::Backend;
use airssys_wasm::load::Source;
use airssys_wasm::{ComponentOptions, ComponentRuntime, RuntimeConfig};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) const ARTIFACT: &str = "artifact";
pub(crate) const SNAPSHOT: &str = "snapshot";

/// A text processor in two files.
pub(crate) struct Snapshot {
    runtime: ComponentRuntime,
    trust: Trust,
    operation: Vec<u8>,
    artifact: PathBuf,
    snapshot: PathBuf,
}

impl Snapshot {
    /// Makes a snapshot of the artifact in `file`.
    pub(crate) fn new(backend: Backend, file: &Path, signer: PublicKey) -> Result<Snapshot> {
        let records = Records::open(&file.with_extension("verified"))?;
        let config = RuntimeConfig::builder()
            .with_backend(backend)
            .with_records(records)
            .build()?;
        let runtime = ComponentRuntime::new(config)?;
        let key = SecretKey::generate()?;
        let trust = Trust::new([signer, key.public()]);
        let source = Source::open_artifact(file)?;
        let id = runtime.load(&source, &trust, ComponentOptions::new())?;
        runtime.init(&id)?;
        let artifact = runtime.loader().verify(&source)?;
        let bytes = runtime.snapshot(&id, &artifact, Some(&key))?;
        let snapshot = file.with_extension("snapshot.cwasm");
        fs::write(&snapshot, bytes).with_context(|| format!("cannot write {}", snapshot.display()))?;
        runtime.unload(&id)?;
        let params = serde_json::json!({"text": "to be or not to be"});
        let both = Snapshot {
            runtime,
            trust,
            operation: codec::operation(Codec::Json, "word-count", &params)?,
            artifact: file.to_owned(),
            snapshot,
        };
        let answers = [both.answer(&both.artifact)?, both.answer(&both.snapshot)?];
        ensure!(answers[0] == answers[1], "the snapshot answers otherwise");
        Ok(both)
    }

    /// Returns the first answer of the component in a file.
    fn answer(&self, file: &Path) -> Result<Vec<u8>> {
        let id = self
            .runtime
            .load_artifact_from_file(file, &self.trust, ComponentOptions::new())?;
        self.runtime.init(&id)?;
        let answer = self.runtime.execute(&id, &self.operation)?;
        self.runtime.unload(&id)?;
        Ok(answer)
    }

    /// Measures from each file to the first answer.
    pub(crate) fn sides(&self) -> Vec<Side<'_>> {
        let side = |name, file: &'_ PathBuf| {
            let file = file.clone();
            Side::new(name, move |times| {
                for _ in 0..times {
                    std::hint::black_box(self.answer(&file)?);
                }
                Ok(())
            })
        };
        vec![side(SNAPSHOT, &self.snapshot), side(ARTIFACT, &self.artifact)]
    }
}
