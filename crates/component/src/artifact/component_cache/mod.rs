//! Compiled components from the fastest source: memory, disk, or compilation.

mod flight;
mod memory;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::cache::{Cache, CacheConfig, CacheCounters, CacheError, CacheKey, CachedFile, Digested};
use super::error::ArtifactError;
use super::file::ArtifactFile;
use super::open::{self, load_own};
use super::write::compile;
use crate::component::Component;
use crate::engine::Engine;
use crate::error::Error;
use flight::{Landing, Lead};
use memory::{Lookup, Memory};

pub use memory::{MemoryInfo, MemoryLimits};

/// Components that are compiled once. One thread compiles, while others that need the same component wait. Then it is in
/// memory and, with a [`Cache`], on disk for other processes and later ones. Cheap to clone; clones share everything.
///
/// Artifacts from the disk are loaded without a signature: the cache returns only what this user has stored in it.
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

/// Sources of components so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TierCounters {
    /// Found in memory.
    pub memory_hits: u64,
    /// Received from another thread that was loading or compiling the same.
    pub waited: u64,
    /// Loaded from the disk.
    pub disk_hits: u64,
    /// Compiled.
    pub compiled: u64,
    /// Not compiled, because of an error or a panic of the compiler.
    pub failed: u64,
    /// Removed from memory to make room.
    pub evicted: u64,
    /// Counters of the cache on disk, if there is one.
    pub disk: Option<CacheCounters>,
}

/// Minimum bytes of an artifact that is loaded from the file it was stored in, so that processes share its code.
const SHARED_FROM: usize = 1 << 20;

impl ComponentCache {
    /// Keeps components in memory, and in `disk` if there is one.
    pub fn new(limits: MemoryLimits, disk: Option<Cache>) -> ComponentCache {
        ComponentCache {
            shared: Arc::new(Shared {
                memory: Mutex::new(Memory::new(limits)),
                disk,
                counters: Counters::default(),
            }),
        }
    }

    /// Keeps components in memory and on disk. A full or read-only disk is not an error: it is logged as a warning, and nothing
    /// is kept on disk.
    ///
    /// # Errors
    /// [`CacheError`] for a folder that the user must fix: it belongs to another user, or others may write to it.
    pub fn open(limits: MemoryLimits, config: CacheConfig) -> Result<ComponentCache, CacheError> {
        let disk = match Cache::open(config) {
            Ok(cache) => Some(cache),
            Err(error) if error.is_unavailable() => {
                log::warn!("{error}; each process compiles its components itself");
                None
            }
            Err(error) => return Err(error),
        };
        Ok(ComponentCache::new(limits, disk))
    }

    /// Returns the key under which a component is kept.
    pub fn key(&self, engine: &Engine, bytes: &[u8]) -> CacheKey {
        Digested::new(bytes).cache_key(engine.description().as_bytes())
    }

    /// Returns the component of this binary, for this engine: from memory, from disk, or compiled.
    ///
    /// # Errors
    /// As [`Component::from_binary`]. A thread that waited for another gets that thread's error, if it would get the same.
    pub fn get(&self, engine: &Engine, bytes: &[u8]) -> Result<Component, Error> {
        self.find(engine, &Digested::new(bytes), false)
    }

    /// As [`ComponentCache::get`], with bytes whose digest may be known.
    #[doc(hidden)]
    pub fn get_digested(&self, engine: &Engine, bytes: &Digested<'_>) -> Result<Component, Error> {
        self.find(engine, bytes, false)
    }

    /// As [`ComponentCache::get`], and pins it in memory, beyond all limits, until [`ComponentCache::unpin`].
    ///
    /// # Errors
    /// As [`Component::from_binary`].
    pub fn get_pinned(&self, engine: &Engine, bytes: &[u8]) -> Result<Component, Error> {
        self.find(engine, &Digested::new(bytes), true)
    }

    /// Returns a component that need not be compiled, since it is in memory or on disk.
    pub(crate) fn ready(&self, engine: &Engine, bytes: &Digested<'_>) -> Option<Component> {
        let key = bytes.cache_key(engine.description().as_bytes());
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

    /// Applies the limits to a component again. Returns whether it was pinned.
    pub fn unpin(&self, key: &CacheKey) -> bool {
        self.memory().unpin(key)
    }

    /// Removes components from memory, except pinned ones. Instances stay.
    pub fn clear_memory(&self) {
        self.memory().clear();
    }

    /// Returns the number and size of the components in memory.
    pub fn memory_info(&self) -> MemoryInfo {
        self.memory().info()
    }

    /// Returns the cache on disk, if there is one.
    pub fn disk(&self) -> Option<&Cache> {
        self.shared.disk.as_ref()
    }

    /// Returns the sources of components so far.
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

    fn find(&self, engine: &Engine, bytes: &Digested<'_>, pin: bool) -> Result<Component, Error> {
        let key = bytes.cache_key(engine.description().as_bytes());
        self.find_or(key, pin, || self.make(engine, bytes.bytes(), &key))
    }

    /// Returns a component from memory, from another thread, or from `make`, which also returns the bytes of its code.
    fn find_or(
        &self,
        key: CacheKey,
        pin: bool,
        make: impl FnOnce() -> Result<(Component, u64), Error>,
    ) -> Result<Component, Error> {
        loop {
            let found = self.memory().find(&key, pin);
            match found {
                Lookup::Here(component) => {
                    count(&self.shared.counters.memory_hits);
                    return Ok(component);
                }
                Lookup::Coming(flight) => match flight.wait() {
                    Landing::Component(component) => {
                        count(&self.shared.counters.waited);
                        return Ok(component);
                    }
                    Landing::Failed(error) => return Err(error),
                    // An error of the other thread need not occur here.
                    Landing::Elsewhere => {}
                },
                Lookup::Nothing(flight) => {
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
            Err(error) => {
                return Err(Error::bug(format!(
                    "a compiled component has no artifact: {error}"
                )));
            }
        };
        let stored = self
            .shared
            .disk
            .as_ref()
            .and_then(|disk| disk.put_and_open(key, &artifact));
        let shared = stored.filter(|_| artifact.len() >= SHARED_FROM);
        let made = match shared.and_then(|cached| self.load_file(key, &cached)) {
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
        let cached = self.shared.disk.as_ref()?.get(key)?;
        self.load_file(key, &cached)
    }

    /// Loads a component from a file of the cache, which is removed if that fails.
    fn load_file(&self, key: &CacheKey, cached: &CachedFile) -> Option<(Component, u64)> {
        match load_cached(cached) {
            Ok(component) => Some((component, cached.bytes)),
            Err(error) => {
                log::warn!("cannot load {}, recompiling: {error}", cached.path.display());
                if let Some(disk) = &self.shared.disk {
                    disk.remove(key);
                }
                None
            }
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        lock(&self.shared.memory)
    }
}

/// Locks a mutex, even after a panic: its data is consistent at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Loads a component from the file that the cache has verified.
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
