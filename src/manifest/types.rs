//! Sections of a manifest. The first paragraph of each field's documentation is its text in `docs/manifest.md` and in the
//! JSON Schema.

use std::collections::BTreeMap;

use semver::Version;
use serde::{Serialize, Serializer};

use crate::codec::Codec;
use crate::limits::{ByteSize, ExecutionTimeout, ResourceLimits};
use crate::security::Capability;

/// Versions of the WIT packages that a component is built against, by the package's name with `-` for `:`.
pub type WitDependencies = BTreeMap<String, Version>;

/// The manifest of a component, `component.toml`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct ComponentManifest {
    /// Identity of the component.
    pub component: Identity,
    /// WIT packages that the component is built against, and their versions. The name is that of the package with
    /// `-` for `:`, as in `airssys-component-core`; the version is a semantic version. The packages
    /// `airssys-component-core`, `airssys-host-core` and `airssys-multicodec-core` are required.
    ///
    /// A host with the same major version, and the same or a later minor and patch version, is compatible.
    #[serde(serialize_with = "versions")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::wit_dependencies"))]
    pub wit_dependencies: WitDependencies,
    /// Codecs of the payloads that the component accepts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multicodec: Option<Multicodec>,
    /// Capabilities that the component requests from the host.
    #[serde(default, skip_serializing_if = "is_default")]
    pub capabilities: RequestedCapabilities,
    /// Limits and operations of the component.
    #[serde(default, skip_serializing_if = "is_default")]
    pub metadata: ManifestMetadata,
    /// Tables of other tools, one for each name. They are kept, and not interpreted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::extensions"))]
    pub extensions: BTreeMap<String, toml::Table>,
}

/// The section `[component]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Identity {
    /// Name: lowercase ASCII letters and digits, with `-` between words, at most 128 bytes.
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::name"))]
    pub name: String,
    /// Version of the component, a semantic version.
    #[serde(serialize_with = "version")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::version"))]
    pub version: Version,
    /// Purpose of the component, in one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Authors: people or organizations, optionally with an address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<String>,
    /// License, an SPDX expression such as `MIT OR Apache-2.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Source language, in lowercase: `rust`, `javascript`, `go`, `python`, `c`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::language"))]
    pub language: Option<String>,
}

/// The section `[multicodec]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Multicodec {
    /// Preferred codec; one of `supported-formats`.
    #[serde(serialize_with = "codec")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::codec"))]
    pub primary_format: Codec,
    /// Accepted codecs. Without this key, the preferred one only.
    #[serde(default, serialize_with = "codecs", skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::codecs"))]
    pub supported_formats: Vec<Codec>,
}

/// The section `[capabilities]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct RequestedCapabilities {
    /// Capabilities without which the component does not work, as `domain:action` or `domain:action:scope`.
    #[serde(
        default,
        serialize_with = "capabilities",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::capabilities"))]
    pub required: Vec<Capability>,
    /// Capabilities that the component uses if they are granted. None of them is in `required`.
    #[serde(
        default,
        serialize_with = "capabilities",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::capabilities"))]
    pub optional: Vec<Capability>,
}

/// The section `[metadata]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct ManifestMetadata {
    /// Exported function that runs operations; that of the contract is `execute`.
    #[cfg_attr(feature = "schema", schemars(default = "super::schema::entrypoint"))]
    pub entrypoint: String,
    /// Maximum linear memory of an instance, as in `256MB` (256 × 10⁶ bytes) or `256MiB` (256 × 2²⁰ bytes). At least
    /// 64KiB, one page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_limit: Option<ByteSize>,
    /// Maximum wall-clock time of one operation, as in `60s`, `1m30s` or `250ms`. At least 1ms, at most 49 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_timeout: Option<ExecutionTimeout>,
    /// Operations that the component supports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected_operations: Vec<String>,
}

impl Default for ManifestMetadata {
    fn default() -> ManifestMetadata {
        ManifestMetadata {
            entrypoint: ENTRYPOINT.to_owned(),
            memory_limit: None,
            execution_timeout: None,
            expected_operations: Vec::new(),
        }
    }
}

impl ManifestMetadata {
    /// Returns the limits that the manifest declares.
    pub fn limits(&self) -> ResourceLimits {
        let mut limits = ResourceLimits::new();
        if let Some(memory) = self.memory_limit {
            limits = limits.with_memory_bytes(memory.bytes());
        }
        if let Some(timeout) = self.execution_timeout {
            limits = limits.with_call_time(timeout.duration());
        }
        limits
    }
}

/// The function that runs operations in the contract.
pub(super) const ENTRYPOINT: &str = "execute";

/// Iterates over the required capabilities.
impl<'a> IntoIterator for &'a RequestedCapabilities {
    type Item = &'a Capability;
    type IntoIter = std::slice::Iter<'a, Capability>;

    fn into_iter(self) -> Self::IntoIter {
        self.required.iter()
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn version<S: Serializer>(version: &Version, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(version)
}

fn versions<S: Serializer>(versions: &WitDependencies, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(versions.iter().map(|(name, version)| (name, version.to_string())))
}

fn codec<S: Serializer>(codec: &Codec, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(codec.name())
}

fn codecs<S: Serializer>(codecs: &[Codec], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(codecs.iter().map(|codec| codec.name()))
}

fn capabilities<S: Serializer>(capabilities: &[Capability], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(capabilities.iter().map(Capability::as_str))
}
