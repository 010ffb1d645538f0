//! Configuration, errors and statistics of a cache.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;

use crate::artifact::format::FORMAT;
use crate::artifact::user_dir::{self, PrivateError};

/// Maximum bytes of a cache by default.
const DEFAULT_MAX_BYTES: u64 = 2 << 30;

/// Location and size of a cache.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheConfig {
    /// Folder, for this user alone. Created with mode 0700 if it does not exist.
    pub dir: PathBuf,
    /// Bytes that its compiled components may have together; 2 GiB by default. Stops a cache that fills the disk. Exceeded
    /// while one more is being stored.
    pub max_bytes: u64,
}

impl CacheConfig {
    /// Returns the configuration for this folder, with 2 GiB.
    pub fn new(dir: impl Into<PathBuf>) -> CacheConfig {
        CacheConfig {
            dir: dir.into(),
            max_bytes: DEFAULT_MAX_BYTES,
        }
    }

    /// Returns the configuration for this user: `airssys-wasm/compiled` in `$XDG_CACHE_HOME`, in `~/.cache`, or in the
    /// platform's folder of caches; 2 GiB.
    ///
    /// # Errors
    /// [`CacheError::Private`] if the environment names no such folder.
    pub fn for_user() -> Result<CacheConfig, CacheError> {
        Ok(CacheConfig::new(user_dir::user_folder()?.join("compiled")))
    }
}

/// Errors of opening, inspecting or emptying a cache.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// Its folder or the key in it cannot be used.
    #[error("the cache cannot be used: {0}")]
    Private(#[from] PrivateError),
    /// An operation of the system failed.
    #[error("cannot {action} the cache {}: {source}", path.display())]
    Io {
        /// The operation: "read", "remove from".
        action: &'static str,
        /// The cache's folder, or a file in it.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl CacheError {
    /// Reports whether the system is the cause (a full disk, a read-only folder), not the setup of the folder, so that a
    /// process can go on without a cache.
    pub fn is_unavailable(&self) -> bool {
        match self {
            CacheError::Private(error) => error.is_unavailable(),
            CacheError::Io { .. } => true,
        }
    }
}

/// Key of compiled code: a digest of everything that decides about the code. Displayed as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CacheKey(pub(super) [u8; 32]);

/// Computes the key for a component and a description of everything else that decides about its code: versions, compiler,
/// options, target. The format of artifacts is part of the key, so that builds with different formats share a cache and
/// neither reads the other's entries.
pub fn cache_key(component: &[u8], description: &[u8]) -> CacheKey {
    Digested::new(component).cache_key(description)
}

/// The bytes of a component, whose digest is computed once, when it is needed first.
#[doc(hidden)]
#[derive(Debug)]
pub struct Digested<'a> {
    bytes: Cow<'a, [u8]>,
    digest: OnceLock<blake3::Hash>,
}

impl<'a> Digested<'a> {
    /// Refers to the bytes.
    pub fn new(bytes: &'a [u8]) -> Digested<'a> {
        Digested {
            bytes: Cow::Borrowed(bytes),
            digest: OnceLock::new(),
        }
    }

    /// Returns the bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Copies the bytes, and the digest if it is computed.
    pub fn to_owned(&self) -> Digested<'static> {
        Digested {
            bytes: Cow::Owned(self.bytes.to_vec()),
            digest: self.digest.clone(),
        }
    }

    /// Computes the key as [`cache_key`] does.
    pub fn cache_key(&self, description: &[u8]) -> CacheKey {
        self.key_in_format(description, FORMAT)
    }

    pub(super) fn key_in_format(&self, description: &[u8], format: u32) -> CacheKey {
        let digest = self.digest.get_or_init(|| blake3::hash(&self.bytes));
        let mut hasher = blake3::Hasher::new_derive_key("airssys-wasm 2026 keys of the cache");
        hasher.update(digest.as_bytes());
        hasher.update(&format.to_le_bytes());
        hasher.update(description);
        CacheKey(*hasher.finalize().as_bytes())
    }
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

/// Results of one process's requests to a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheCounters {
    /// Requests that found an entry.
    pub hits: u64,
    /// Requests that found none, or one whose content was not what was stored.
    pub misses: u64,
    /// Entries that were stored.
    pub stored: u64,
    /// Entries that were removed: to make room, on request, or because they were not what was stored.
    pub removed: u64,
    /// Entries that were not stored because of an error of the system.
    pub failed_writes: u64,
}

/// Contents of a cache.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheInfo {
    /// The folder.
    pub dir: PathBuf,
    /// Number of components.
    pub entries: u64,
    /// Bytes of all components.
    pub bytes: u64,
    /// Maximum of these bytes.
    pub max_bytes: u64,
    /// Files that belong to no entry: being written at this moment, or left by processes that were killed. They are removed
    /// once they are ten minutes old, when room is made.
    pub leftover_files: u64,
    /// Bytes of all these files.
    pub leftover_bytes: u64,
}

/// Result of removing entries from a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pruned {
    /// Number of components.
    pub entries: u64,
    /// Number of files that belonged to no entry.
    pub leftover_files: u64,
    /// Bytes of all of these together.
    pub bytes: u64,
}
