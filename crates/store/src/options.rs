//! Options of a store.

use std::path::PathBuf;
use std::time::Duration;

/// Least size of the file that can be set as the largest: a new file has about half of it.
const LEAST_FILE_BYTES: u64 = 1 << 20;

/// Options of a [`Store`](crate::Store).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoreOptions {
    /// The file. Its folder must exist.
    pub path: PathBuf,
    /// Create the file if it is missing; `true` by default. `false` makes that an error, for hosts that know that there was
    /// one.
    pub create: bool,
    /// Largest size of the file in bytes; 1 GiB by default, at least 1 MiB. The file grows by doubling, so it may end at half
    /// of it; and a value takes pages of 4 KiB, the next power of two of them. Stops components from filling the disk.
    pub largest_file: u64,
    /// Bytes of memory for pages of the file; 16 MiB by default.
    pub cache_bytes: usize,
    /// Changes that wait for the next commit, at most; 4096 by default, at least 1. More are refused
    /// ([`StoreError::Busy`](crate::StoreError::Busy)), or wait ([`Blocking`](crate::Blocking)). Removals are always accepted.
    /// Stops senders that are faster than the disk from filling the memory.
    pub waiting: usize,
    /// Bytes of these changes together; 64 MiB by default. A change with more bytes is refused.
    pub waiting_bytes: usize,
    /// Dead letters that are kept; 1024 by default. The oldest are dropped and counted.
    pub dead_letters: u64,
    /// Bytes of the dead letters that are kept, with their reasons; 16 MiB by default.
    pub dead_letter_bytes: u64,
    /// Ids of messages that are remembered for each component; 65,536 by default. The oldest are forgotten.
    pub seen_ids: u64,
    /// Time for which an id is remembered; 10 minutes by default.
    pub seen_time: Duration,
    #[cfg(test)]
    pub(crate) faults: crate::backend::Faults,
}

impl StoreOptions {
    /// Creates options for a file, with the defaults otherwise.
    pub fn new(path: impl Into<PathBuf>) -> StoreOptions {
        StoreOptions {
            path: path.into(),
            create: true,
            largest_file: 1 << 30,
            cache_bytes: 16 << 20,
            waiting: 4096,
            waiting_bytes: 64 << 20,
            dead_letters: 1024,
            dead_letter_bytes: 16 << 20,
            seen_ids: 65_536,
            seen_time: Duration::from_secs(600),
            #[cfg(test)]
            faults: crate::backend::Faults::default(),
        }
    }

    /// Sets [`StoreOptions::create`].
    #[must_use]
    pub fn with_create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Sets [`StoreOptions::largest_file`].
    #[must_use]
    pub fn with_largest_file(mut self, bytes: u64) -> Self {
        self.largest_file = bytes;
        self
    }

    /// Sets [`StoreOptions::cache_bytes`].
    #[must_use]
    pub fn with_cache(mut self, bytes: usize) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// Sets [`StoreOptions::waiting`] and [`StoreOptions::waiting_bytes`].
    #[must_use]
    pub fn with_waiting(mut self, changes: usize, bytes: usize) -> Self {
        (self.waiting, self.waiting_bytes) = (changes, bytes);
        self
    }

    /// Sets [`StoreOptions::dead_letters`] and [`StoreOptions::dead_letter_bytes`].
    #[must_use]
    pub fn with_dead_letters(mut self, letters: u64, bytes: u64) -> Self {
        (self.dead_letters, self.dead_letter_bytes) = (letters, bytes);
        self
    }

    /// Sets [`StoreOptions::seen_ids`] and [`StoreOptions::seen_time`].
    #[must_use]
    pub fn with_seen(mut self, ids: u64, time: Duration) -> Self {
        (self.seen_ids, self.seen_time) = (ids, time);
        self
    }

    pub(crate) fn check(&self) -> Result<(), InvalidStoreOptions> {
        if self.largest_file < LEAST_FILE_BYTES {
            return Err(InvalidStoreOptions::LargestFile {
                value: self.largest_file,
                least: LEAST_FILE_BYTES,
            });
        }
        if self.waiting == 0 {
            return Err(InvalidStoreOptions::Zero("changes that wait"));
        }
        if self.waiting_bytes == 0 {
            return Err(InvalidStoreOptions::Zero("bytes of changes that wait"));
        }
        Ok(())
    }
}

/// Options of a store that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidStoreOptions {
    /// The largest size of the file is too small for an empty store.
    #[error("the largest size of the file must be at least {least} bytes, not {value}")]
    LargestFile {
        /// The size.
        value: u64,
        /// The least that it may be.
        least: u64,
    },
    /// A bound is zero: no change could be made.
    #[error("the largest number of {0} must not be zero")]
    Zero(&'static str),
}

/// Bounds of the configuration of one component, checked with each value that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigurationBounds {
    /// Number of values.
    pub values: usize,
    /// Bytes of a key; at most [`MAX_NAME_BYTES`](crate::MAX_NAME_BYTES) in any case.
    pub key_bytes: usize,
    /// Bytes of a value.
    pub value_bytes: usize,
    /// Bytes of all keys and values.
    pub bytes: usize,
}

impl ConfigurationBounds {
    /// Creates bounds: the number of values, the bytes of a key, of a value, and of all keys and values.
    pub fn new(values: usize, key_bytes: usize, value_bytes: usize, bytes: usize) -> ConfigurationBounds {
        ConfigurationBounds {
            values,
            key_bytes,
            value_bytes,
            bytes,
        }
    }
}
