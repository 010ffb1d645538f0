//! Components that are compiled in two stages, once for all loads of the same bytes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::artifact::{CacheKey, ComponentCache, Digested};
use crate::engine::Engine;
use crate::error::Error;
use crate::tiered::{TieredComponent, WeakTiered};

/// Tiered components that are loaded. Entries of unloaded components are not kept: that is the purpose of a cache.
#[derive(Debug, Default)]
pub(super) struct TieredComponents {
    known: Mutex<HashMap<CacheKey, WeakTiered>>,
}

impl TieredComponents {
    /// Returns a component compiled with one of the engine's starts or, if optimized code is already there, with the engine
    /// itself. Better code is compiled once [`TieredComponent::start`] is called.
    ///
    /// # Errors
    /// As [`TieredComponent::prepare`].
    pub(super) fn get(
        &self,
        engine: &Engine,
        bytes: &Digested<'_>,
        cache: Option<&ComponentCache>,
    ) -> Result<TieredComponent, Error> {
        let key = key(engine, bytes);
        let known = self.with(|known| known.get(&key).and_then(WeakTiered::upgrade));
        if let Some(known) = known {
            return Ok(known);
        }
        // Two threads may get here with the same bytes: one of them compiles in vain, and neither waits for a lock.
        let made = TieredComponent::prepare(engine, bytes, cache)?;
        Ok(self.with(|known| {
            known.retain(|_, tiered| tiered.is_alive());
            match known.get(&key).and_then(WeakTiered::upgrade) {
                Some(earlier) => earlier,
                None => {
                    known.insert(key, made.downgrade());
                    made.clone()
                }
            }
        }))
    }

    fn with<R>(&self, work: impl FnOnce(&mut HashMap<CacheKey, WeakTiered>) -> R) -> R {
        work(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Hashes the bytes, and everything that determines their code.
fn key(engine: &Engine, bytes: &Digested<'_>) -> CacheKey {
    let starts = engine.starts().iter().map(Engine::description);
    let descriptions: Vec<String> = starts.chain([engine.description()]).collect();
    bytes.cache_key(descriptions.join("\n").as_bytes())
}
