//! Compiled components on disk, keyed by their source and the compiler's settings.
//!
//! The cache never gets in the way: what cannot be read counts as missing, what cannot be written is not kept, and both are
//! logged once. Nothing is locked. A file is named after its content and put in place whole; an entry is a small file that
//! names the file of a key, with the user's authentication code (`docs/artifact.md` has its form). So however many
//! processes write at once, and wherever one is killed, an entry leads only to content that was stored under its key.

mod config;
mod entry;
#[cfg(test)]
pub(super) mod faults;
mod room;
#[cfg(test)]
pub(super) mod tests;

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::disk::{self, Disk, System};
#[cfg(unix)]
use super::file_identity::Identity;
use super::records::Records;
use super::user_dir::{self, Authenticator, Secret};
use entry::{ENTRY_BYTES, Entry};

pub use config::{CacheConfig, CacheCounters, CacheError, CacheInfo, CacheKey, Digested, Pruned, cache_key};

/// Purpose for which the key is derived.
const PURPOSE: &str = "airssys-wasm 2026 entries of the cache";
/// Age of the last note from which an entry's use is noted again.
const NOTED_FOR: Duration = Duration::from_secs(60);

/// A folder of compiled components. Threads may share this value; processes may share the folder.
#[derive(Debug)]
pub struct Cache {
    dir: PathBuf,
    /// One small file for each key.
    entries: PathBuf,
    /// Files that entries refer to, named by their digests.
    files: PathBuf,
    max_bytes: u64,
    records: Records,
    key: Authenticator,
    disk: Arc<dyn Disk>,
    counters: Counters,
    warned: AtomicBool,
}

#[derive(Debug, Default)]
struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    stored: AtomicU64,
    removed: AtomicU64,
    failed_writes: AtomicU64,
}

/// A file of the cache whose content has been verified.
#[derive(Debug)]
pub struct CachedFile {
    /// Current path. Another process may remove the file at any time.
    pub path: PathBuf,
    /// The open file, at its beginning; it stays readable when it is removed.
    pub file: File,
    /// Size, in bytes.
    pub bytes: u64,
    /// The BLAKE3 digest of its content.
    pub digest: [u8; 32],
}

impl Cache {
    /// Opens a cache, or creates one.
    ///
    /// # Errors
    /// [`CacheError::Private`] if the folder is not this user's alone or cannot be created, or its key cannot be used.
    pub fn open(config: CacheConfig) -> Result<Cache, CacheError> {
        Cache::with(config, Arc::new(System))
    }

    pub(super) fn with(config: CacheConfig, disk: Arc<dyn Disk>) -> Result<Cache, CacheError> {
        let CacheConfig { dir, max_bytes } = config;
        let (entries, files, verified) = (dir.join("entries"), dir.join("files"), dir.join("verified"));
        for folder in [&dir, &entries, &files, &verified] {
            user_dir::folder(folder)?;
        }
        let secret = Secret::open(&*disk, &verified)?;
        Ok(Cache {
            records: Records::with(&verified, &secret, disk.clone()),
            key: secret.derive(PURPOSE),
            dir,
            entries,
            files,
            max_bytes,
            disk,
            counters: Counters::default(),
            warned: AtomicBool::new(false),
        })
    }

    /// Returns the folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the file stored under a key. It is verified: its content is read, or it was before and the file has not
    /// changed since. A file that does not verify is removed.
    pub fn get(&self, key: &CacheKey) -> Option<CachedFile> {
        let found = self.find(key).unwrap_or_else(|error| {
            self.warn("read", &error);
            None
        });
        let counter = match &found {
            Some(_) => &self.counters.hits,
            None => &self.counters.misses,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    fn find(&self, key: &CacheKey) -> io::Result<Option<CachedFile>> {
        let path = self.entries.join(key.to_string());
        let file = match open(&path)? {
            Opened::File(file) => file,
            Opened::Nothing => return Ok(None),
            Opened::Other => {
                self.drop_entry(key)?;
                return Ok(None);
            }
        };
        let Some(entry) = self.read_entry(&file)?.filter(|entry| entry.key == *key) else {
            self.drop_entry(key)?;
            return Ok(None);
        };
        let path = self.files.join(entry.file_name());
        let Opened::File(content) = open(&path)? else {
            self.drop_entry(key)?;
            return Ok(None);
        };
        if !self.verifies(&content, &entry)? {
            log::warn!("removing the corrupt cache file {}", path.display());
            let _ = self.disk.remove(&path);
            self.drop_entry(key)?;
            return Ok(None);
        }
        note_use(&file);
        Ok(Some(CachedFile {
            path,
            file: content,
            bytes: entry.bytes,
            digest: entry.digest,
        }))
    }

    /// Reads an entry from its file, if this user wrote it.
    fn read_entry(&self, file: &File) -> io::Result<Option<Entry>> {
        let bytes = disk::read_small(file, ENTRY_BYTES)?;
        Ok(self.key.unseal(&bytes).and_then(Entry::read))
    }

    fn verifies(&self, content: &File, entry: &Entry) -> io::Result<bool> {
        if content.metadata()?.len() != entry.bytes {
            return Ok(false);
        }
        // Loading reads the file once more, or maps it.
        #[cfg(unix)]
        if Identity::of(content)?.check().is_err() {
            return Ok(false);
        }
        let verified = self.records.verify_once(content, &entry.digest, || {
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader(content).map_err(Some)?;
            // Hashes are compared in constant time.
            if hasher.finalize() == blake3::Hash::from_bytes(entry.digest) {
                Ok(())
            } else {
                Err(None)
            }
        });
        match verified {
            Ok(_) => {
                let mut start = content;
                start.seek(SeekFrom::Start(0))?;
                Ok(true)
            }
            Err(None) => Ok(false),
            Err(Some(error)) => Err(error),
        }
    }

    /// Stores bytes under a key, in place of what is there, and makes room by removing the least recently used entries.
    /// Returns whether the bytes were stored: they are not if they exceed the cache's limit, or if the system fails, which
    /// is logged once.
    pub fn put(&self, key: &CacheKey, bytes: &[u8]) -> bool {
        self.put_entry(key, bytes).is_some()
    }

    fn put_entry(&self, key: &CacheKey, bytes: &[u8]) -> Option<Entry> {
        if bytes.len() as u64 > self.max_bytes {
            log::debug!(
                "not caching {} bytes: the cache is limited to {}",
                bytes.len(),
                self.max_bytes
            );
            return None;
        }
        let entry = Entry::of(*key, bytes);
        match self.store(&entry, bytes) {
            Ok(()) => {
                self.counters.stored.fetch_add(1, Ordering::Relaxed);
                if let Err(error) = self.make_room(self.max_bytes, Some(key)) {
                    self.warn("make room in", &error);
                }
                Some(entry)
            }
            Err(error) => {
                self.counters.failed_writes.fetch_add(1, Ordering::Relaxed);
                self.warn("write to", &error);
                None
            }
        }
    }

    /// As [`Cache::put`]; returns the stored file. Its content is what this process wrote, so it is not read back.
    pub(super) fn put_and_open(&self, key: &CacheKey, bytes: &[u8]) -> Option<CachedFile> {
        let entry = self.put_entry(key, bytes)?;
        let path = self.files.join(entry.file_name());
        let Ok(Opened::File(file)) = open(&path) else {
            return None;
        };
        let unchanged = file.metadata().is_ok_and(|about| about.len() == entry.bytes);
        #[cfg(unix)]
        let unchanged = unchanged && Identity::of(&file).is_ok_and(|identity| identity.check().is_ok());
        unchanged.then_some(CachedFile {
            path,
            file,
            bytes: entry.bytes,
            digest: entry.digest,
        })
    }

    fn store(&self, entry: &Entry, bytes: &[u8]) -> io::Result<()> {
        let (key, file) = (entry.key.to_string(), entry.file_name());
        let sealed = self.key.seal(entry.write()?);
        let stored = disk::replace(&*self.disk, &self.files, &file, bytes)
            .and_then(|()| disk::replace(&*self.disk, &self.entries, &key, &sealed));
        if stored.is_err() {
            // Not needed for safety: it frees the space.
            let _ = self.disk.remove(&self.entries.join(&key));
            let _ = self.disk.remove(&self.files.join(&file));
        }
        stored
    }

    /// Removes the entry of a key, for callers that find it unusable.
    pub fn remove(&self, key: &CacheKey) {
        if let Err(error) = self.drop_entry(key) {
            self.warn("remove from", &error);
        }
    }

    /// Removes an entry. Returns whether it was still there.
    fn drop_entry(&self, key: &CacheKey) -> io::Result<bool> {
        match self.disk.remove(&self.entries.join(key.to_string())) {
            Ok(()) => {
                self.counters.removed.fetch_add(1, Ordering::Relaxed);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns the results of this process's requests so far.
    pub fn counters(&self) -> CacheCounters {
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CacheCounters {
            hits: value(&self.counters.hits),
            misses: value(&self.counters.misses),
            stored: value(&self.counters.stored),
            removed: value(&self.counters.removed),
            failed_writes: value(&self.counters.failed_writes),
        }
    }

    fn warn(&self, action: &str, error: &io::Error) {
        if self.warned.swap(true, Ordering::Relaxed) {
            log::debug!("cannot {action} the cache {}: {error}", self.dir.display());
        } else {
            log::warn!(
                "cannot {action} the cache {}: {error}; affected components are recompiled (reported once)",
                self.dir.display()
            );
        }
    }
}

enum Opened {
    File(File),
    Nothing,
    /// A folder, a link, a pipe.
    Other,
}

fn open(path: &Path) -> io::Result<Opened> {
    match disk::open(path) {
        Ok(file) => Ok(Opened::File(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Opened::Nothing),
        // Opening failed although the name exists: it may not be a file's.
        Err(error) => match std::fs::symlink_metadata(path) {
            Ok(found) if !found.is_file() => Ok(Opened::Other),
            _ => Err(error),
        },
    }
}

/// Notes that an entry was used, in the entry's own time. The time of the content stays, since changing it would cause the
/// file to be verified again. Rarely, since a note writes to the disk.
fn note_use(entry: &File) {
    let now = SystemTime::now();
    let noted = entry.metadata().and_then(|found| found.modified());
    let recent = |noted: SystemTime| now.duration_since(noted).is_ok_and(|age| age < NOTED_FOR);
    if !noted.is_ok_and(recent)
        && let Err(error) = entry.set_modified(now)
    {
        log::debug!("cannot record the use of a cache entry: {error}");
    }
}
