//! Manifests of components: `component.toml`.
//!
//! [`ComponentManifest`] is a checked manifest: its identity, the interfaces, codecs and capabilities that it declares, and
//! its limits. `docs/manifest.md` has every key with type, unit and default, and `docs/component.schema.json` is the
//! JSON Schema for editors ([`SCHEMA`]); both are generated from the types of this module.
//!
//! ```
//! use airssys_wasm::manifest::ComponentManifest;
//!
//! let manifest = ComponentManifest::from_toml(
//!     r#"
//!     [component]
//!     name = "words"
//!     version = "1.0.0"
//!
//!     [wit-dependencies]
//!     airssys-component-core = "1.0.0"
//!     airssys-host-core = "1.0.0"
//!     airssys-multicodec-core = "1.0.0"
//!
//!     [metadata]
//!     memory-limit = "256MB"
//!     "#,
//! )?;
//! assert_eq!(manifest.metadata.memory_limit.map(|limit| limit.bytes()), Some(256_000_000));
//! # Ok::<(), airssys_wasm::manifest::ManifestError>(())
//! ```
//!
//! Reading is strict. An unknown key is an error that names the nearest known one, and each [`Problem`] has its line,
//! column and byte span.

mod error;
mod file;
pub(crate) mod read;
mod reported;
#[cfg(feature = "schema")]
pub(crate) mod schema;
mod section;
mod types;

pub use error::{InvalidManifest, ManifestError, Problem};
pub use file::FILE_NAME;
pub use read::{MAX_DEPTH, MAX_ENTRIES, MAX_MANIFEST_BYTES, MAX_NAME_BYTES, MAX_PROBLEMS, MAX_TEXT_BYTES};
pub use reported::Difference;
pub use types::{
    ComponentManifest, Identity, ManifestMetadata, Multicodec, RequestedCapabilities, WitDependencies,
};

pub use crate::limits::{ByteSize, ExecutionTimeout, InvalidUnit};

/// The JSON Schema of `component.toml`, in draft 2020-12: the text of `docs/component.schema.json`.
pub const SCHEMA: &str = include_str!("../../docs/component.schema.json");
