//! Size of a cache, and removal of its least recently used entries.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use super::config::{CacheError, CacheInfo, CacheKey, Pruned};
use super::entry::{Entry, is_content, is_entry};
use super::{Cache, Opened, open};
use crate::artifact::disk::{self, Listed, TEMPORARY};

/// Contents of a cache at one moment.
#[derive(Default)]
struct Contents {
    /// Entries, with the time of their last noted use.
    entries: Vec<(Entry, SystemTime)>,
    /// Files that entries refer to, by name.
    files: HashMap<String, Listed>,
    /// Files that belong to no entry.
    leftovers: Vec<Listed>,
}

impl Contents {
    fn bytes(&self) -> u64 {
        self.files.values().map(|file| file.bytes).sum()
    }
}

impl Cache {
    /// Returns the contents of the cache.
    ///
    /// # Errors
    /// [`CacheError::Io`] if the cache cannot be read.
    pub fn info(&self) -> Result<CacheInfo, CacheError> {
        let contents = self.contents().map_err(self.failed("read"))?;
        Ok(CacheInfo {
            dir: self.dir.clone(),
            entries: contents.entries.len() as u64,
            bytes: contents.bytes(),
            max_bytes: self.max_bytes,
            leftover_files: contents.leftovers.len() as u64,
            leftover_bytes: contents.leftovers.iter().map(|file| file.bytes).sum(),
        })
    }

    /// Removes the least recently used entries until at most `max_bytes` are left, and files of killed processes.
    ///
    /// # Errors
    /// [`CacheError::Io`] if the cache cannot be read, or something cannot be removed.
    pub fn prune(&self, max_bytes: u64) -> Result<Pruned, CacheError> {
        self.make_room(max_bytes, None)
            .map_err(self.failed("remove from"))
    }

    /// Removes everything that the cache has stored, also what is being written: its writer continues without it.
    ///
    /// # Errors
    /// [`CacheError::Io`] if the cache cannot be read, or something cannot be removed.
    pub fn clear(&self) -> Result<Pruned, CacheError> {
        let mut pruned = self.prune(0)?;
        let remaining = || -> io::Result<Vec<Listed>> {
            let entries = disk::list(&self.entries)?.into_iter();
            let entries = entries.filter(|file| is_entry(&file.name) || file.name.starts_with(TEMPORARY));
            let files = disk::list(&self.files)?.into_iter();
            let files = files.filter(|file| is_content(&file.name) || file.name.starts_with(TEMPORARY));
            Ok(entries.chain(files).collect())
        };
        for file in remaining().map_err(self.failed("read"))? {
            if self.gone(&file).map_err(self.failed("remove from"))? {
                pruned.leftover_files += 1;
                pruned.bytes += file.bytes;
            }
        }
        if let Err(error) = self.records.clear() {
            log::debug!("cannot remove the cache's records: {error}");
        }
        Ok(pruned)
    }

    fn failed(&self, action: &'static str) -> impl Fn(io::Error) -> CacheError {
        let path = self.dir.clone();
        move |source| CacheError::Io {
            action,
            path: path.clone(),
            source,
        }
    }

    /// Lists all files. Removes entries that this user did not write, or that lead nowhere.
    fn contents(&self) -> io::Result<Contents> {
        let mut contents = Contents::default();
        let mut found = HashMap::new();
        for file in disk::list(&self.files)? {
            if is_content(&file.name) {
                found.insert(file.name.clone(), file);
            } else if file.name.starts_with(TEMPORARY) {
                contents.leftovers.push(file);
            }
        }
        for file in disk::list(&self.entries)? {
            if file.name.starts_with(TEMPORARY) {
                contents.leftovers.push(file);
                continue;
            }
            if !is_entry(&file.name) {
                continue;
            }
            let Opened::File(opened) = open(&file.path)? else {
                continue;
            };
            let entry = self.read_entry(&opened)?;
            let entry = entry.filter(|entry| entry.key.to_string() == file.name);
            match entry {
                Some(entry) if self.files.join(entry.file_name()).exists() => {
                    let name = entry.file_name();
                    if let Some(content) = found.remove(&name) {
                        contents.files.insert(name, content);
                    }
                    contents.entries.push((entry, file.modified));
                }
                _ => {
                    if self.gone(&file)? {
                        self.counters.removed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
        contents.leftovers.extend(found.into_values());
        Ok(contents)
    }

    /// Removes the least recently used entries, except `keep`, and leftovers that are too old to be needed.
    pub(super) fn make_room(&self, max_bytes: u64, keep: Option<&CacheKey>) -> io::Result<Pruned> {
        let now = SystemTime::now();
        let mut contents = self.contents()?;
        let mut pruned = Pruned::default();
        for file in contents.leftovers.iter().filter(|file| file.is_old(now)) {
            if self.gone(file)? {
                pruned.leftover_files += 1;
                pruned.bytes += file.bytes;
            }
        }
        let mut bytes = contents.bytes();
        if bytes <= max_bytes {
            return Ok(pruned);
        }
        contents.entries.sort_by_key(|(entry, used)| (*used, entry.key));
        // Several entries may refer to one file, which is removed with the last of them.
        let mut needed: HashMap<String, usize> = HashMap::new();
        for (entry, _) in &contents.entries {
            *needed.entry(entry.file_name()).or_default() += 1;
        }
        let kept: HashSet<&CacheKey> = keep.into_iter().collect();
        for (entry, _) in contents
            .entries
            .iter()
            .filter(|(entry, _)| !kept.contains(&entry.key))
        {
            if bytes <= max_bytes {
                break;
            }
            // The entry first: if this process is killed in between, an unused file is left.
            if self.drop_entry(&entry.key)? {
                pruned.entries += 1;
            }
            let name = entry.file_name();
            let others = needed.get_mut(&name);
            let last = others.is_some_and(|others| {
                *others -= 1;
                *others == 0
            });
            if last && let Some(file) = contents.files.get(&name) {
                self.forget(file);
                self.gone(file)?;
                bytes = bytes.saturating_sub(file.bytes);
                pruned.bytes += file.bytes;
            }
        }
        Ok(pruned)
    }

    /// Removes a file's record.
    fn forget(&self, file: &Listed) {
        if let Ok(opened) = disk::open(&file.path)
            && let Err(error) = self.records.forget(&opened)
        {
            log::debug!("cannot remove the record of a removed cache entry: {error}");
        }
    }

    /// Removes a file. Returns whether it was still there.
    fn gone(&self, file: &Listed) -> io::Result<bool> {
        match self.disk.remove(&file.path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}
