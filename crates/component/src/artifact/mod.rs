//! Precompiled components: one file that is compiled once, signed, and run by hosts that trust its key.
//!
//! `docs/artifact.md` describes the file format. Native code is trusted code: [`Artifact::open`] reads and checks all of a
//! file's bytes, and only [`Artifact::load`] of one that is signed by a trusted key returns a component. An unsigned one
//! loads through [`Artifact::load_unsigned`] alone, for which the caller is responsible.
//!
//! ```
//! # extern crate airssys_wasm_component as airssys_wasm;
//! use airssys_wasm::artifact::{self, Artifact, SecretKey, Trust};
//! use airssys_wasm::engine::{Config, Engine};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::new(&Config::new())?;
//! let key = SecretKey::generate()?;
//! let file = artifact::compile(&engine, b"\0asm\x0d\0\x01\0", Some(&key))?;
//!
//! let component = Artifact::open(&file)?.load(&Trust::new([key.public()]))?;
//! assert!(component.exports().is_empty());
//! assert!(Artifact::open(&file)?.load(&Trust::default()).is_err());
//! # Ok(())
//! # }
//! ```

mod cache;
mod compatibility;
mod component_cache;
mod disk;
mod error;
mod file;
mod file_identity;
mod format;
mod key;
mod open;
mod private_copy;
mod records;
mod snapshot;
mod sniff;
mod source;
#[cfg(test)]
mod tests;
mod user_dir;
mod write;

pub use cache::{
    Cache, CacheConfig, CacheCounters, CacheError, CacheInfo, CacheKey, CachedFile, Digested, Pruned,
    cache_key,
};
pub use component_cache::{ComponentCache, MemoryInfo, MemoryLimits, TierCounters};
pub use error::ArtifactError;
pub use file::ArtifactFile;
pub use file_identity::{Exposed, Identity};
pub use format::{Header, is_artifact, is_artifact_file};
pub use key::{KeyError, PublicKey, SecretKey, Trust};
pub use open::Artifact;
pub use records::{Records, RecordsError, Watched};
pub use snapshot::{SnapshotError, SnapshotOptions};
pub use user_dir::PrivateError;
pub use write::{ArtifactOptions, Unfinished, compile, compile_with};
