//! What a cache is told, and what it tells.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::artifact::format::FORMAT;
use crate::artifact::private::{self, PrivateError};

/// Bytes that a cache may have when nobody says otherwise.
const DEFAULT_MAX_BYTES: u64 = 2 << 30;

/// Where a cache is, and how much it may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheConfig {
    /// Its folder, for this user alone. It is made with mode 0700 if it is not there.
    pub dir: PathBuf,
    /// Bytes that its compiled components may have together. Stops a cache that fills the disk. It is exceeded for the time
    /// that it takes to store one more.
    pub max_bytes: u64,
}

impl CacheConfig {
    /// This folder, with 2 GiB.
    pub fn new(dir: impl Into<PathBuf>) -> CacheConfig {
        CacheConfig {
            dir: dir.into(),
            max_bytes: DEFAULT_MAX_BYTES,
        }
    }

    /// This user's: `airssys-wasm/compiled` in `$XDG_CACHE_HOME`, in `~/.cache`, or what the platform has for it; 2 GiB.
    ///
    /// # Errors
    /// [`CacheError::Private`] if the environment names no such folder.
    pub fn for_user() -> Result<CacheConfig, CacheError> {
        Ok(CacheConfig::new(private::user_folder()?.join("compiled")))
    }
}

/// Why a cache cannot be opened, looked at or emptied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// Its folder or the key in it cannot be used.
    #[error("the cache cannot be used: {0}")]
    Private(#[from] PrivateError),
    /// The system did not do something.
    #[error("cannot {action} the cache {}: {source}", path.display())]
    Io {
        /// What was tried: "read", "remove from".
        action: &'static str,
        /// The cache's folder, or a file in it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl CacheError {
    /// Whether the system is in the way (a full disk, a read-only folder), so that one can go on without a cache, rather than
    /// whoever set the folder up.
    pub fn is_unavailable(&self) -> bool {
        match self {
            CacheError::Private(error) => error.is_unavailable(),
            CacheError::Io { .. } => true,
        }
    }
}

/// What compiled code is found by: everything that decides about it, as a digest. Written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CacheKey(pub(super) [u8; 32]);

/// The key for a component and a description of everything else that decides about its code: versions, compiler, options,
/// target. The format of artifacts is part of the key, so that builds with different formats share a cache and neither reads
/// the other's entries.
pub fn cache_key(component: &[u8], description: &[u8]) -> CacheKey {
    key_in_format(component, description, FORMAT)
}

pub(super) fn key_in_format(component: &[u8], description: &[u8], format: u32) -> CacheKey {
    let mut hasher = blake3::Hasher::new_derive_key("airssys-wasm 2026 keys of the cache");
    hasher.update(blake3::hash(component).as_bytes());
    hasher.update(&format.to_le_bytes());
    hasher.update(description);
    CacheKey(*hasher.finalize().as_bytes())
}

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CacheKey({self})")
    }
}

/// What became of what one process asked a cache for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheCounters {
    /// Found.
    pub hits: u64,
    /// Not found, or found and not what was stored.
    pub misses: u64,
    /// Stored.
    pub stored: u64,
    /// Removed: to make room, or since they were not what was stored.
    pub removed: u64,
    /// Not stored because the system did not let it be.
    pub failed_writes: u64,
}

/// What is in a cache.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheInfo {
    /// Its folder.
    pub dir: PathBuf,
    /// Components in it.
    pub entries: u64,
    /// Bytes that these have together.
    pub bytes: u64,
    /// Bytes that they may have.
    pub max_bytes: u64,
    /// Files that belong to no entry: being written at this moment, or left by processes that were killed. These are removed
    /// after ten minutes, when somebody makes room.
    pub leftover_files: u64,
    /// Bytes that those have together.
    pub leftover_bytes: u64,
}

/// What was removed from a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pruned {
    /// Components.
    pub entries: u64,
    /// Files that belonged to none.
    pub leftover_files: u64,
    /// Bytes of all of these together.
    pub bytes: u64,
}
