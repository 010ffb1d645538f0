//! Compiled components on disk, found by what they were compiled from and how.
//!
//! The cache is never in the way: what cannot be read is missing, what cannot be written is not kept, and both are said once
//! in the log. Nothing is locked. A file is named after its content and only ever put in place whole; an entry is a small file
//! that says which file belongs to a key, under the user's own code (`docs/artifact.md` has its form). So whatever processes
//! write at once, and wherever one is killed, what an entry leads to is what somebody stored under its key.

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
use super::identity::Identity;
use super::private::{self, Authenticator, Secret};
use super::records::Records;
use entry::{ENTRY_BYTES, Entry};

pub use config::{CacheConfig, CacheCounters, CacheError, CacheInfo, CacheKey, Pruned, cache_key};

/// What the user's key is used for here.
const PURPOSE: &str = "airssys-wasm 2026 entries of the cache";
/// An entry's use is noted when the last note is older.
const NOTED_FOR: Duration = Duration::from_secs(60);

/// A folder of compiled components. To be shared between threads; processes may share the folder.
#[derive(Debug)]
pub struct Cache {
    dir: PathBuf,
    /// One small file for each key.
    entries: PathBuf,
    /// What they lead to, each by its digest.
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
    /// Where it is now. Another process may remove it at any time.
    pub path: PathBuf,
    /// The file itself, at its beginning; it stays readable when it is removed.
    pub file: File,
    /// Bytes in it.
    pub bytes: u64,
    /// The BLAKE3 digest of its content.
    pub digest: [u8; 32],
}

impl Cache {
    /// Opens a cache, or makes one.
    ///
    /// # Errors
    /// [`CacheError::Private`] if the folder is not this user's alone or cannot be made, or its key cannot be used.
    pub fn open(config: CacheConfig) -> Result<Cache, CacheError> {
        Cache::with(config, Arc::new(System))
    }

    pub(super) fn with(config: CacheConfig, disk: Arc<dyn Disk>) -> Result<Cache, CacheError> {
        let CacheConfig { dir, max_bytes } = config;
        let (entries, files, verified) = (dir.join("entries"), dir.join("files"), dir.join("verified"));
        for folder in [&dir, &entries, &files, &verified] {
            private::folder(folder)?;
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

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What is stored under a key. It is verified: its content is read, or it was before and the file has not been changed
    /// since. What does not verify is removed.
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
            log::warn!("{} is not what was stored: it is removed", path.display());
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

    /// What an entry's file says, if this user wrote it.
    fn read_entry(&self, file: &File) -> io::Result<Option<Entry>> {
        let bytes = disk::read_small(file, ENTRY_BYTES)?;
        Ok(self.key.unseal(&bytes).and_then(Entry::read))
    }

    fn verifies(&self, content: &File, entry: &Entry) -> io::Result<bool> {
        if content.metadata()?.len() != entry.bytes {
            return Ok(false);
        }
        // Whoever loads the file reads it once more, or maps it.
        #[cfg(unix)]
        if Identity::of(content)?.check().is_err() {
            return Ok(false);
        }
        let verified = self.records.verify_once(content, &entry.digest, || {
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader(content).map_err(Some)?;
            // The comparison of hashes takes as long for any difference.
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

    /// Stores bytes under a key, in place of what is there, and makes room by removing what was not used for longest.
    /// Whether it did: it does not if the bytes are more than the cache may have, or if the system does not let it, which is
    /// said once in the log.
    pub fn put(&self, key: &CacheKey, bytes: &[u8]) -> bool {
        if bytes.len() as u64 > self.max_bytes {
            log::debug!(
                "{} bytes are not cached: the whole cache may have {}",
                bytes.len(),
                self.max_bytes
            );
            return false;
        }
        let entry = Entry::of(*key, bytes);
        match self.store(&entry, bytes) {
            Ok(()) => {
                self.counters.stored.fetch_add(1, Ordering::Relaxed);
                if let Err(error) = self.make_room(self.max_bytes, Some(key)) {
                    self.warn("make room in", &error);
                }
                true
            }
            Err(error) => {
                self.counters.failed_writes.fetch_add(1, Ordering::Relaxed);
                self.warn("write to", &error);
                false
            }
        }
    }

    fn store(&self, entry: &Entry, bytes: &[u8]) -> io::Result<()> {
        let (key, file) = (entry.key.to_string(), entry.file_name());
        let sealed = self.key.seal(entry.write()?);
        let stored = disk::replace(&*self.disk, &self.files, &file, bytes)
            .and_then(|()| disk::replace(&*self.disk, &self.entries, &key, &sealed));
        if stored.is_err() {
            // Not needed for safety: it gives back the room.
            let _ = self.disk.remove(&self.entries.join(&key));
            let _ = self.disk.remove(&self.files.join(&file));
        }
        stored
    }

    /// Removes what is stored under a key: for one who finds that it is of no use.
    pub fn remove(&self, key: &CacheKey) {
        if let Err(error) = self.drop_entry(key) {
            self.warn("remove from", &error);
        }
    }

    /// Whether it was still there.
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

    /// What this process has asked for so far, and what came of it.
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
                "cannot {action} the cache {}: {error}; components are compiled anew where it fails (said once)",
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
        // Opening failed, and the name is there: is it of a file?
        Err(error) => match std::fs::symlink_metadata(path) {
            Ok(found) if !found.is_file() => Ok(Opened::Other),
            _ => Err(error),
        },
    }
}

/// Notes that an entry was used, in its own time: that of the file which it leads to stays, since changing it would have the
/// file verified again. Rarely, since a note writes to the disk.
fn note_use(entry: &File) {
    let now = SystemTime::now();
    let noted = entry.metadata().and_then(|found| found.modified());
    let recent = |noted: SystemTime| now.duration_since(noted).is_ok_and(|age| age < NOTED_FOR);
    if !noted.is_ok_and(recent)
        && let Err(error) = entry.set_modified(now)
    {
        log::debug!("the use of a cache entry is not noted: {error}");
    }
}
