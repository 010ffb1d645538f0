//! Artifact headers, as text and as JSON.

use airssys_wasm::artifact::{Artifact, Header, PublicKey};
use airssys_wasm::manifest::ComponentManifest;
use airssys_wasm::security::Capability;
use serde_json::{Value, json};

use crate::exit::{Exit, Failure, Outcome};
use crate::{output, text};

/// An artifact's header, its signer, and the reason that it cannot run here, if there is one.
pub(crate) struct About {
    header: Header,
    signer: Option<PublicKey>,
    bytes: u64,
    /// The reason that the artifact cannot run here; `None` if it can.
    pub(crate) obstacle: Option<String>,
    /// The component's metadata, recorded when it was compiled.
    metadata: Option<Value>,
    manifest: Option<String>,
    is_snapshot: bool,
}

impl About {
    /// Reads the header of an artifact in a file of `bytes` bytes.
    pub(crate) fn new(artifact: &Artifact<'_>, bytes: u64) -> Outcome<About> {
        let header = artifact.header();
        let metadata = artifact.metadata()?;
        let metadata = metadata.map(|json| serde_json::from_slice(&json)).transpose();
        let unreadable = |error| {
            let failure = Failure::new(Exit::Load, error);
            failure.context("the artifact's description of its component is not valid JSON".to_owned())
        };
        let manifest = artifact.manifest()?;
        Ok(About {
            metadata: metadata.map_err(unreadable)?,
            manifest: manifest.map(|text| String::from_utf8_lossy(&text).into_owned()),
            is_snapshot: artifact.snapshot_record()?.is_some(),
            signer: artifact.signer(),
            bytes,
            obstacle: header.check_host().err().map(|error| error.to_string()),
            header: header.clone(),
        })
    }

    pub(crate) fn json(&self) -> Value {
        let header = &self.header;
        json!({
            "bytes": self.bytes,
            "signer": self.signer.map(|signer| signer.to_string()),
            "version": header.version,
            "engine": header.engine,
            "backend": header.backend,
            "options": header.options,
            "features": header.features,
            "tunables": header.tunables,
            "target": header.target,
            "cpu": header.cpu,
            "component": digest(header),
            "component-bytes": header.component_bytes,
            "metadata": self.metadata,
            "manifest": self.manifest,
            "snapshot": self.is_snapshot,
            "runs-here": self.obstacle.is_none(),
            "why-not": self.obstacle,
        })
    }

    pub(crate) fn text(&self) -> String {
        let header = &self.header;
        let signer = match &self.signer {
            Some(signer) => signer.to_string(),
            None => "nobody".to_owned(),
        };
        let here = match &self.obstacle {
            None => "yes".to_owned(),
            Some(why) => format!("no: {}", text::line(why)),
        };
        let mut rows = vec![
            ("signed by", signer),
            (
                "made by",
                format!("airssys-wasm {} with wasmer {}", header.version, header.engine),
            ),
            ("backend", format!("{}; {}", header.backend, header.options)),
            ("target", header.target.clone()),
            ("processor", header.cpu.join(", ")),
            ("features", header.features.clone()),
            ("engine", header.tunables.clone()),
            (
                "component",
                format!("{} ({} bytes)", digest(header), header.component_bytes),
            ),
            ("runs here", here),
        ];
        if self.is_snapshot {
            rows.push(("begins", "with its state after `init`".to_owned()));
        }
        rows.extend(self.about());
        // The header may contain text of unknown origin.
        let rows: Vec<_> = rows
            .iter()
            .map(|(label, shown)| [text::line(label), text::line(shown)])
            .collect();
        output::table(&rows)
    }

    /// Returns the contents beside the code, as label and text.
    fn about(&self) -> Vec<(&'static str, String)> {
        let metadata = self.metadata.as_ref().map(|about| &about["metadata"]);
        let text = |key: &str| {
            metadata
                .and_then(|metadata| metadata[key].as_str())
                .unwrap_or("?")
        };
        let operations = metadata.and_then(|metadata| metadata["supported-operations"].as_array());
        let operations: Vec<_> = operations
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut about = Vec::new();
        if metadata.is_some() {
            about.push(("name", format!("{} {}", text("name"), text("version"))));
            about.push(("says", text("description").to_owned()));
            about.push(("offers", operations.join(", ")));
        }
        if let Some(text) = &self.manifest {
            about.extend(declared(text));
        }
        about
    }
}

/// Returns the rows about a manifest.
fn declared(text: &str) -> Vec<(&'static str, String)> {
    let manifest = match ComponentManifest::from_toml(text) {
        Ok(manifest) => manifest,
        Err(error) => {
            let error = error.to_string();
            let first = error.lines().next().unwrap_or_default();
            return vec![("manifest", format!("{} bytes, not valid: {first}", text.len()))];
        }
    };
    let identity = &manifest.component;
    let mut rows = vec![("manifest", format!("{} {}", identity.name, identity.version))];
    let list = |list: &[Capability]| {
        let texts: Vec<_> = list.iter().map(Capability::as_str).collect();
        texts.join(", ")
    };
    let capabilities = &manifest.capabilities;
    for (label, list) in [
        ("requires", list(&capabilities.required)),
        ("may use", list(&capabilities.optional)),
    ] {
        if !list.is_empty() {
            rows.push((label, list));
        }
    }
    let metadata = &manifest.metadata;
    rows.extend(metadata.memory_limit.map(|limit| ("memory", limit.to_string())));
    rows.extend(
        metadata
            .execution_timeout
            .map(|timeout| ("timeout", timeout.to_string())),
    );
    rows
}

fn digest(header: &Header) -> String {
    header
        .component
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
