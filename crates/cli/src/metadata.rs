//! Metadata of components, as JSON and as lines for people.

use airssys_wasm::runtime::{ComponentMetadata, HealthStatus};
use serde_json::{Value, json};

use crate::run::codec_name;
use crate::text;

/// Answers of a component that follows the contract.
pub(crate) struct Answers {
    pub(crate) metadata: ComponentMetadata,
    pub(crate) codecs: Vec<u64>,
    pub(crate) health: HealthStatus,
}

impl Answers {
    /// Converts to JSON, with the names of the contract.
    pub(crate) fn json(&self) -> Value {
        json!({
            "metadata": metadata(&self.metadata),
            "codecs": codecs(&self.codecs),
            "operations": self.metadata.supported_operations,
            "health": {
                "state": self.health.state.to_string(),
                "message": self.health.message,
            },
        })
    }

    /// Converts the part that does not change at run time to JSON.
    pub(crate) fn described(&self) -> Value {
        json!({
            "metadata": metadata(&self.metadata),
            "codecs": codecs(&self.codecs),
        })
    }

    /// Returns the lines, each as label and text.
    pub(crate) fn lines(&self) -> Vec<[String; 2]> {
        let metadata = &self.metadata;
        let memory = &metadata.memory_requirements;
        let mut lines = Lines(Vec::new());
        lines.add("name", &metadata.name);
        lines.add("version", &metadata.version);
        lines.add("description", &metadata.description);
        lines.add("author", &metadata.author);
        lines.add("license", &metadata.license);
        lines.add("language", &metadata.language);
        lines.add("contract", &metadata.api_version);
        lines.list("operations", &metadata.supported_operations);
        let codecs: Vec<_> = self.codecs.iter().map(|code| codec_name(*code)).collect();
        lines.list("codecs", &codecs);
        lines.list("capabilities", &metadata.required_capabilities);
        lines.add(
            "memory",
            &format!(
                "{} to {} bytes, best with {}",
                memory.min_memory_bytes, memory.max_memory_bytes, memory.preferred_memory_bytes
            ),
        );
        if let Some(timeout) = metadata.timeout_ms {
            lines.add("timeout", &format!("{timeout} ms"));
        }
        lines.add("stateful", if metadata.stateful { "yes" } else { "no" });
        lines.option("homepage", metadata.homepage.as_ref());
        lines.option("repository", metadata.repository.as_ref());
        lines.list("tags", &metadata.tags);
        for (key, value) in metadata.custom_metadata.iter().flatten() {
            lines.add("custom", &format!("{key} = {value}"));
        }
        let state = self.health.state.to_string();
        lines.add(
            "health",
            &match &self.health.message {
                Some(message) => format!("{state}: {message}"),
                None => state,
            },
        );
        lines.0
    }
}

fn metadata(metadata: &ComponentMetadata) -> Value {
    let memory = &metadata.memory_requirements;
    json!({
        "name": metadata.name,
        "version": metadata.version,
        "description": metadata.description,
        "author": metadata.author,
        "license": metadata.license,
        "required-capabilities": metadata.required_capabilities,
        "supported-operations": metadata.supported_operations,
        "supported-codecs": metadata.supported_codecs,
        "language": metadata.language,
        "memory-requirements": {
            "min-memory-bytes": memory.min_memory_bytes,
            "max-memory-bytes": memory.max_memory_bytes,
            "preferred-memory-bytes": memory.preferred_memory_bytes,
        },
        "timeout-ms": metadata.timeout_ms,
        "stateful": metadata.stateful,
        "api-version": metadata.api_version,
        "homepage": metadata.homepage,
        "repository": metadata.repository,
        "tags": metadata.tags,
        // Pairs, because their order and repetitions are the component's own.
        "custom-metadata": metadata.custom_metadata,
    })
}

fn codecs(codes: &[u64]) -> Vec<Value> {
    codes
        .iter()
        .map(|code| json!({ "code": code, "name": codec_name(*code) }))
        .collect()
}

struct Lines(Vec<[String; 2]>);

impl Lines {
    fn add(&mut self, label: &str, text: &str) {
        self.0.push([label.to_owned(), text::line(text)]);
    }

    fn option(&mut self, label: &str, text: Option<&String>) {
        if let Some(text) = text {
            self.add(label, text);
        }
    }

    fn list(&mut self, label: &str, items: &[String]) {
        if !items.is_empty() {
            self.add(label, &items.join(", "));
        }
    }
}
