//! Compiled components from where they are quickest to have: in memory, on disk, or by compiling them.

mod flight;
mod memory;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::cache::{Cache, CacheConfig, CacheCounters, CacheError, CacheKey, CachedFile, cache_key};
use super::error::ArtifactError;
use super::file::ArtifactFile;
use super::open::{self, load_own};
use super::write::compile;
use crate::component::Component;
use crate::engine::Engine;
use crate::error::Error;
use flight::{Landing, Lead};
use memory::{Found, Memory};

pub use memory::{MemoryInfo, MemoryLimits};

/// Components that are compiled once: by one thread, while others that ask for the same wait for it; then they are in memory,
/// and, if there is a [`Cache`], on disk for other processes and later ones. Cheap to clone; clones share all of it.
///
/// Artifacts from the disk are loaded without a signature: the cache gives nothing but what this user has stored in it.
///
/// ```
/// # extern crate airssys_wasm_component as airssys_wasm;
/// use airssys_wasm::artifact::{ComponentCache, MemoryLimits};
/// use airssys_wasm::engine::{Config, Engine};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::new(&Config::new())?;
/// let cache = ComponentCache::new(MemoryLimits::default(), None);
/// let component = cache.get(&engine, b"\0asm\x0d\0\x01\0")?;
/// let again = cache.get(&engine, b"\0asm\x0d\0\x01\0")?;
/// assert_eq!((cache.counters().compiled, cache.counters().memory_hits), (1, 1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ComponentCache {
    shared: Arc<Shared>,
}

struct Shared {
    memory: Mutex<Memory>,
    disk: Option<Cache>,
    counters: Counters,
}

#[derive(Default)]
struct Counters {
    memory_hits: AtomicU64,
    waited: AtomicU64,
    disk_hits: AtomicU64,
    compiled: AtomicU64,
    failed: AtomicU64,
}

/// Where components came from so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TierCounters {
    /// In memory.
    pub memory_hits: u64,
    /// From another thread, which was about to load or compile the same.
    pub waited: u64,
    /// Loaded from the disk.
    pub disk_hits: u64,
    /// Compiled.
    pub compiled: u64,
    /// Not compiled: for an error, or since the compiler panicked.
    pub failed: u64,
    /// Removed from memory to make room.
    pub evicted: u64,
    /// What the disk was asked for, if there is a cache on disk.
    pub disk: Option<CacheCounters>,
}

/// Code of this size and more is loaded from the file that it was stored in, to be shared between processes.
const SHARED_FROM: usize = 1 << 20;

impl ComponentCache {
    /// Keeps components in memory, and on disk if there is a cache.
    pub fn new(limits: MemoryLimits, disk: Option<Cache>) -> ComponentCache {
        ComponentCache {
            shared: Arc::new(Shared {
                memory: Mutex::new(Memory::new(limits)),
                disk,
                counters: Counters::default(),
            }),
        }
    }

    /// Keeps components in memory and on disk. A disk that is full or read-only is no error: there is a warning in the log,
    /// and nothing is kept on it.
    ///
    /// # Errors
    /// [`CacheError`] for a folder that somebody has to put right: it is another's, or others may write to it.
    pub fn open(limits: MemoryLimits, config: CacheConfig) -> Result<ComponentCache, CacheError> {
        let disk = match Cache::open(config) {
            Ok(cache) => Some(cache),
            Err(error) if error.is_unavailable() => {
                log::warn!("{error}; components are compiled anew by each process");
                None
            }
            Err(error) => return Err(error),
        };
        Ok(ComponentCache::new(limits, disk))
    }

    /// What a component is kept under.
    pub fn key(&self, engine: &Engine, bytes: &[u8]) -> CacheKey {
        cache_key(bytes, engine.description().as_bytes())
    }

    /// A component, given as its binary, for this engine.
    ///
    /// # Errors
    /// As [`Component::from_binary`]. A thread that waited for another gets the other's error.
    pub fn get(&self, engine: &Engine, bytes: &[u8]) -> Result<Component, Error> {
        self.find(engine, bytes, false)
    }

    /// As [`ComponentCache::get`], and keeps it in memory, beyond all limits, until [`ComponentCache::unpin`].
    ///
    /// # Errors
    /// As [`Component::from_binary`].
    pub fn get_pinned(&self, engine: &Engine, bytes: &[u8]) -> Result<Component, Error> {
        self.find(engine, bytes, true)
    }

    /// A component that need not be compiled, since it is in memory or on disk.
    #[doc(hidden)]
    pub fn ready(&self, engine: &Engine, bytes: &[u8]) -> Option<Component> {
        let key = self.key(engine, bytes);
        let here = self.memory().here(&key);
        if here.is_some() {
            count(&self.shared.counters.memory_hits);
            return here;
        }
        let found = self.load_stored(&key)?;
        count(&self.shared.counters.disk_hits);
        self.memory().keep(key, found.clone());
        Some(found.0)
    }

    /// Has the limits apply to a component again; whether it was pinned.
    pub fn unpin(&self, key: &CacheKey) -> bool {
        self.memory().unpin(key)
    }

    /// Removes components from memory, but not those that are pinned. What is instantiated stays so.
    pub fn clear_memory(&self) {
        self.memory().clear();
    }

    /// What is in memory.
    pub fn memory_info(&self) -> MemoryInfo {
        self.memory().info()
    }

    /// The cache on disk, if there is one.
    pub fn disk(&self) -> Option<&Cache> {
        self.shared.disk.as_ref()
    }

    /// Where components came from so far.
    pub fn counters(&self) -> TierCounters {
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.shared.counters;
        TierCounters {
            memory_hits: value(&counters.memory_hits),
            waited: value(&counters.waited),
            disk_hits: value(&counters.disk_hits),
            compiled: value(&counters.compiled),
            failed: value(&counters.failed),
            evicted: self.memory().evicted(),
            disk: self.shared.disk.as_ref().map(Cache::counters),
        }
    }

    fn find(&self, engine: &Engine, bytes: &[u8], pin: bool) -> Result<Component, Error> {
        let key = self.key(engine, bytes);
        self.find_or(key, pin, || self.make(engine, bytes, &key))
    }

    /// A component that is in memory, or comes from another thread, or from `make`, with the bytes that its code has.
    fn find_or(
        &self,
        key: CacheKey,
        pin: bool,
        make: impl FnOnce() -> Result<(Component, u64), Error>,
    ) -> Result<Component, Error> {
        loop {
            let found = self.memory().find(&key, pin);
            match found {
                Found::Here(component) => {
                    count(&self.shared.counters.memory_hits);
                    return Ok(component);
                }
                Found::Coming(flight) => match flight.wait() {
                    Landing::Component(component) => {
                        count(&self.shared.counters.waited);
                        return Ok(component);
                    }
                    Landing::Failed(error) => return Err(error),
                    // What went wrong there need not go wrong here.
                    Landing::Elsewhere => {}
                },
                Found::Nothing(flight) => {
                    let lead = Lead::new(&self.shared.memory, key, flight);
                    let made = make();
                    if made.is_err() {
                        count(&self.shared.counters.failed);
                    }
                    return lead.land(made);
                }
            }
        }
    }

    fn make(&self, engine: &Engine, bytes: &[u8], key: &CacheKey) -> Result<(Component, u64), Error> {
        if let Some(found) = self.load_stored(key) {
            count(&self.shared.counters.disk_hits);
            return Ok(found);
        }
        let artifact = match compile(engine, bytes, None) {
            Ok(artifact) => artifact,
            Err(ArtifactError::Compile(error)) => return Err(error),
            Err(error) => return Err(Error::bug(format!("a component has no artifact: {error}"))),
        };
        let stored = self
            .shared
            .disk
            .as_ref()
            .is_some_and(|disk| disk.put(key, &artifact));
        let shared = (stored && artifact.len() >= SHARED_FROM).then(|| self.load_stored(key));
        let made = match shared.flatten() {
            Some(made) => made,
            None => {
                let component = load_own(&artifact)
                    .map_err(|error| Error::bug(format!("a new artifact does not load: {error}")))?;
                (component, artifact.len() as u64)
            }
        };
        count(&self.shared.counters.compiled);
        Ok(made)
    }

    fn load_stored(&self, key: &CacheKey) -> Option<(Component, u64)> {
        let disk = self.shared.disk.as_ref()?;
        let cached = disk.get(key)?;
        match load_cached(&cached) {
            Ok(component) => Some((component, cached.bytes)),
            Err(error) => {
                log::warn!(
                    "{} does not load, and is compiled anew: {error}",
                    cached.path.display()
                );
                disk.remove(key);
                None
            }
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        lock(&self.shared.memory)
    }
}

/// What is held under a lock is whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Loads what the cache has verified, out of the file that it has verified.
fn load_cached(cached: &CachedFile) -> Result<Component, ArtifactError> {
    let unreadable = |source| ArtifactError::Read {
        path: cached.path.clone(),
        source,
    };
    let file = cached.file.try_clone().map_err(unreadable)?;
    open::load_cached(ArtifactFile::with(&cached.path, file)?)
}

impl fmt::Debug for ComponentCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComponentCache")
            .field("memory", &self.memory_info())
            .field("disk", &self.shared.disk.as_ref().map(Cache::dir))
            .finish_non_exhaustive()
    }
}
