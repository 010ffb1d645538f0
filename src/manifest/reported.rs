//! Manifests held against the metadata that components report.

use std::collections::BTreeSet;
use std::fmt;

use airssys_wasm_component::internal::text::sanitize;
use semver::Version;

use super::ComponentManifest;
use super::types::ENTRYPOINT;
use crate::codec::Codec;
use crate::host::ComponentMetadata;

/// Most bytes of one side of a difference. Stops metadata of 256 KiB from filling a terminal.
const MAX_SHOWN_BYTES: usize = 1024;

/// A field that a manifest declares and the component reports differently.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The key in the manifest, as in `metadata.memory-limit`.
    pub field: &'static str,
    /// The manifest's value.
    pub declared: String,
    /// The component's value. Text of the component is escaped, and shortened if it is long.
    pub reported: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference {
            field,
            declared,
            reported,
        } = self;
        write!(
            f,
            "{field}: the manifest declares {declared}, the component reports {reported}"
        )
    }
}

impl ComponentManifest {
    /// Compares the manifest with the metadata that the component reports. Returns at most one difference for each key.
    ///
    /// A key that the manifest does not have is not compared.
    ///
    /// | key | differs unless |
    /// |---|---|
    /// | `component.name`, `.license`, `.language` | the component reports the same text |
    /// | `component.version` | the component reports the same version |
    /// | `wit-dependencies.airssys-component-core` | `api-version` has the same major version and is not older |
    /// | `multicodec.primary-format` | it is the first of `supported-codecs` |
    /// | `multicodec.supported-formats` | they are `supported-codecs`, in any order |
    /// | `capabilities.required` | they are among `required-capabilities`, which has no other except optional ones |
    /// | `metadata.entrypoint` | it is `execute`, the contract's |
    /// | `metadata.memory-limit` | `max-memory-bytes` is not larger |
    /// | `metadata.execution-timeout` | `timeout-ms` is the same, or not set |
    /// | `metadata.expected-operations` | they are `supported-operations`, in any order |
    pub fn differences(&self, reported: &ComponentMetadata) -> Vec<Difference> {
        let mut found = Found(Vec::new());
        let identity = &self.component;
        found.text("component.name", Some(&identity.name), &reported.name);
        if Version::parse(&reported.version).ok().as_ref() != Some(&identity.version) {
            found.add("component.version", &identity.version, &reported.version);
        }
        found.text("component.license", identity.license.as_ref(), &reported.license);
        found.text(
            "component.language",
            identity.language.as_ref(),
            &reported.language,
        );
        if let Some(declared) = self.wit_dependencies.get("airssys-component-core")
            && !Version::parse(&reported.api_version).is_ok_and(|version| compatible(declared, &version))
        {
            let field = "wit-dependencies.airssys-component-core";
            found.add(field, declared, &reported.api_version);
        }
        self.compare_codecs(reported, &mut found);
        self.compare_capabilities(reported, &mut found);
        self.compare_metadata(reported, &mut found);
        found.0
    }

    fn compare_codecs(&self, reported: &ComponentMetadata, found: &mut Found) {
        let Some(declared) = &self.multicodec else {
            return;
        };
        let codes = &reported.supported_codecs;
        if codes.first() != Some(&declared.primary_format.code()) {
            let first = codes.first().map_or("none".to_owned(), |code| codec(*code));
            found.add("multicodec.primary-format", &declared.primary_format, &first);
        }
        let formats = declared.supported_formats.iter();
        let formats: BTreeSet<_> = formats.map(|format| format.name().to_owned()).collect();
        let codes = codes.iter().map(|code| codec(*code)).collect();
        found.sets("multicodec.supported-formats", &formats, &codes);
    }

    fn compare_capabilities(&self, reported: &ComponentMetadata, found: &mut Found) {
        let texts = |list: &[crate::security::Capability]| -> BTreeSet<String> {
            list.iter()
                .map(|capability| capability.as_str().to_owned())
                .collect()
        };
        let required = texts(&self.capabilities.required);
        let optional = texts(&self.capabilities.optional);
        let requested = reported.required_capabilities.iter();
        let requested = requested
            .filter(|capability| !optional.contains(*capability))
            .cloned()
            .collect();
        found.sets("capabilities.required", &required, &requested);
    }

    fn compare_metadata(&self, reported: &ComponentMetadata, found: &mut Found) {
        let declared = &self.metadata;
        if declared.entrypoint != ENTRYPOINT {
            found.add("metadata.entrypoint", &declared.entrypoint, ENTRYPOINT);
        }
        let memory = &reported.memory_requirements;
        if let Some(limit) = declared.memory_limit
            && memory.max_memory_bytes > limit.bytes()
        {
            let reported = format!("up to {} bytes", memory.max_memory_bytes);
            let declared = format!("{limit} ({} bytes)", limit.bytes());
            found.add("metadata.memory-limit", &declared, &reported);
        }
        if let (Some(timeout), Some(millis)) = (declared.execution_timeout, reported.timeout_ms)
            && timeout.millis() != millis
        {
            let reported = format!("{millis} ms");
            found.add("metadata.execution-timeout", &timeout, &reported);
        }
        if !declared.expected_operations.is_empty() {
            let expected = declared.expected_operations.iter().cloned().collect();
            let supported = reported.supported_operations.iter().cloned().collect();
            found.sets("metadata.expected-operations", &expected, &supported);
        }
    }
}

/// Returns whether a package of version `found` serves a component that declares `declared`.
fn compatible(declared: &Version, found: &Version) -> bool {
    declared.major == found.major && found >= declared
}

fn codec(code: u64) -> String {
    match Codec::from_code(code) {
        Some(codec) => codec.name().to_owned(),
        None => format!("{code:#x}"),
    }
}

struct Found(Vec<Difference>);

impl Found {
    fn add(&mut self, field: &'static str, declared: &dyn fmt::Display, reported: &str) {
        let shown = |text: &str| format!("`{}`", sanitize(text, MAX_SHOWN_BYTES));
        self.0.push(Difference {
            field,
            declared: shown(&declared.to_string()),
            reported: shown(reported),
        });
    }

    fn text(&mut self, field: &'static str, declared: Option<&String>, reported: &str) {
        if let Some(declared) = declared.filter(|declared| *declared != reported) {
            self.add(field, declared, reported);
        }
    }

    /// Compares two sets. Entries that the other set lacks come first, so that they are shown if a set is long.
    fn sets(&mut self, field: &'static str, declared: &BTreeSet<String>, reported: &BTreeSet<String>) {
        let listed = |here: &BTreeSet<String>, there: &BTreeSet<String>| {
            let names: Vec<_> = here
                .difference(there)
                .chain(here.intersection(there))
                .take(MAX_SHOWN_BYTES)
                .map(|name| format!("`{}`", sanitize(name, MAX_SHOWN_BYTES)))
                .collect();
            match names.is_empty() {
                true => "none".to_owned(),
                false => sanitize(&names.join(", "), MAX_SHOWN_BYTES).into_owned(),
            }
        };
        if declared != reported {
            self.0.push(Difference {
                field,
                declared: listed(declared, reported),
                reported: listed(reported, declared),
            });
        }
    }
}
