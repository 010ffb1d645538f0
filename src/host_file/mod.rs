//! Hosts that are declared in a file: `HOST.toml`, which `airssys-wasm host run` runs.
//!
//! [`HostFile`] is a checked file: the settings of the host, and each component with its grants, its configuration and its
//! supervision. `docs/host.md` has every key with type, unit, range and default, and `docs/host.schema.json` is the JSON
//! Schema for editors ([`SCHEMA`]); both are generated from the types of this module.
//!
//! ```
//! use airssys_wasm::host_file::HostFile;
//!
//! let file = HostFile::from_toml(
//!     r#"
//!     [host]
//!     workers = 4
//!
//!     [[component]]
//!     id = "words"
//!     path = "words.wasm"
//!     grants = ["filesystem:read:/data"]
//!
//!     [component.supervision]
//!     restart = "transient"
//!     "#,
//!     "/srv/words.toml",
//! )?;
//! assert_eq!(file.components[0].path.to_str(), Some("/srv/words.wasm"));
//! # Ok::<(), airssys_wasm::host_file::HostFileError>(())
//! ```
//!
//! Reading is strict, as for [manifests](crate::manifest): an unknown key is an error that names the nearest known one, and
//! each problem has its line, column and byte span.

mod cluster;
mod error;
mod read;
#[cfg(feature = "schema")]
mod schema;
mod types;
mod value;

pub use cluster::{ClusterMail, ClusterSettings, ClusterTls, DeclaredMembership, ServerAddress};
pub use error::{HostFileError, ValueError};
pub use read::{MAX_COMPONENTS, MAX_GROUPS, MAX_HOST_FILE_BYTES, MAX_HOST_FILE_ENTRIES, MAX_VALUE_BYTES};
pub use types::{
    CacheChoice, ConfigData, DeclaredBackpressure, DeclaredComponent, DeclaredGroup, DeclaredHealth,
    DeclaredMailbox, HostFile, HostSettings, Supervision,
};
pub use value::DeclaredValue;

/// The JSON Schema of `HOST.toml`, in draft 2020-12: the text of `docs/host.schema.json`.
pub const SCHEMA: &str = include_str!("../../docs/host.schema.json");
