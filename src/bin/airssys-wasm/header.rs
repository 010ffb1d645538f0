//! What an artifact says about itself, for people and for programs.

use airssys_wasm::artifact::{Artifact, Header, PublicKey};
use serde_json::{Value, json};

use crate::{output, text};

/// An artifact's header, its signer, and what stands against running it here.
pub(crate) struct About {
    header: Header,
    signer: Option<PublicKey>,
    bytes: u64,
    /// `None`: it would run.
    pub(crate) obstacle: Option<String>,
}

impl About {
    /// Of an artifact in a file of so many bytes.
    pub(crate) fn new(artifact: &Artifact<'_>, bytes: u64) -> About {
        let header = artifact.header();
        About {
            signer: artifact.signer(),
            bytes,
            obstacle: header.check_host().err().map(|error| error.to_string()),
            header: header.clone(),
        }
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
        let rows = [
            ["signed by", &signer],
            [
                "made by",
                &format!("airssys-wasm {} with wasmer {}", header.version, header.engine),
            ],
            ["backend", &format!("{}; {}", header.backend, header.options)],
            ["target", &header.target],
            ["processor", &header.cpu.join(", ")],
            ["features", &header.features],
            ["engine", &header.tunables],
            [
                "component",
                &format!("{} ({} bytes)", digest(header), header.component_bytes),
            ],
            ["runs here", &here],
        ];
        // The header may be anybody's text.
        let rows = rows.map(|row| row.map(text::line));
        output::table(&rows)
    }
}

fn digest(header: &Header) -> String {
    header
        .component
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
