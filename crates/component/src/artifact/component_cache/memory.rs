//! Components in memory; the least recently used are removed first.

use std::collections::HashMap;
use std::sync::Arc;

use super::flight::Flight;
use crate::artifact::cache::CacheKey;
use crate::component::Component;

/// Limits on the components in memory. Pinned ones count, and stay beyond the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryLimits {
    /// Number of components; 64 by default. Stops many small ones.
    pub components: usize,
    /// Bytes of compiled code of all of them; 512 MiB by default. Stops large ones.
    pub code_bytes: u64,
}

impl Default for MemoryLimits {
    /// Returns 64 components, 512 MiB.
    fn default() -> MemoryLimits {
        MemoryLimits {
            components: 64,
            code_bytes: 512 << 20,
        }
    }
}

/// Number and size of the components in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryInfo {
    /// Number of components.
    pub components: usize,
    /// Bytes of their compiled code.
    pub code_bytes: u64,
    /// Number of components that are pinned.
    pub pinned: usize,
}

pub(super) struct Memory {
    limits: MemoryLimits,
    slots: HashMap<CacheKey, MemoryEntry>,
    /// Components that are being loaded or compiled.
    coming: HashMap<CacheKey, Coming>,
    /// Number of uses so far.
    clock: u64,
    evicted: u64,
}

struct MemoryEntry {
    component: Component,
    code_bytes: u64,
    used: u64,
    pinned: bool,
}

struct Coming {
    flight: Arc<Flight>,
    /// True if a waiting caller wants the component pinned.
    pin: bool,
}

pub(super) enum Lookup {
    Here(Component),
    /// Another thread provides it.
    Coming(Arc<Flight>),
    /// The caller must provide it.
    Nothing(Arc<Flight>),
}

impl Memory {
    pub(super) fn new(limits: MemoryLimits) -> Memory {
        Memory {
            limits,
            slots: HashMap::new(),
            coming: HashMap::new(),
            clock: 0,
            evicted: 0,
        }
    }

    /// Returns a component that is in memory, and waits for none.
    pub(super) fn here(&mut self, key: &CacheKey) -> Option<Component> {
        self.clock += 1;
        let slot = self.slots.get_mut(key)?;
        slot.used = self.clock;
        Some(slot.component.clone())
    }

    pub(super) fn find(&mut self, key: &CacheKey, pin: bool) -> Lookup {
        self.clock += 1;
        if let Some(slot) = self.slots.get_mut(key) {
            slot.used = self.clock;
            slot.pinned |= pin;
            return Lookup::Here(slot.component.clone());
        }
        if let Some(coming) = self.coming.get_mut(key) {
            coming.pin |= pin;
            return Lookup::Coming(coming.flight.clone());
        }
        let flight = Arc::new(Flight::default());
        let coming = Coming {
            flight: flight.clone(),
            pin,
        };
        self.coming.insert(*key, coming);
        Lookup::Nothing(flight)
    }

    /// Returns the number of threads that wait for a component, which another one provides.
    #[cfg(test)]
    pub(super) fn waiting(&self, key: &CacheKey) -> usize {
        let holders = self
            .coming
            .get(key)
            .map_or(0, |coming| Arc::strong_count(&coming.flight));
        // This record and the provider are not waiting.
        holders.saturating_sub(2)
    }

    /// Ends a flight: keeps its component, if it has one.
    pub(super) fn landed(&mut self, key: &CacheKey, component: Option<(Component, u64)>) {
        let coming = self.coming.remove(key);
        if let Some((component, code_bytes)) = component {
            self.clock += 1;
            let slot = MemoryEntry {
                component,
                code_bytes,
                used: self.clock,
                pinned: coming.is_some_and(|coming| coming.pin),
            };
            self.slots.insert(*key, slot);
            self.make_room();
        }
    }

    /// Keeps a component that needed no flight, unless another thread is about to.
    pub(super) fn keep(&mut self, key: CacheKey, component: (Component, u64)) {
        if !self.coming.contains_key(&key) && !self.slots.contains_key(&key) {
            self.landed(&key, Some(component));
        }
    }

    fn make_room(&mut self) {
        let mut bytes: u64 = self.slots.values().map(|slot| slot.code_bytes).sum();
        while self.slots.len() > self.limits.components || bytes > self.limits.code_bytes {
            let free = self.slots.iter().filter(|(_, slot)| !slot.pinned);
            let Some(key) = free.min_by_key(|(_, slot)| slot.used).map(|(key, _)| *key) else {
                return;
            };
            if let Some(slot) = self.slots.remove(&key) {
                bytes = bytes.saturating_sub(slot.code_bytes);
                self.evicted += 1;
            }
        }
    }

    pub(super) fn unpin(&mut self, key: &CacheKey) -> bool {
        let slot = self.slots.get_mut(key);
        let was = slot.is_some_and(|slot| std::mem::take(&mut slot.pinned));
        self.make_room();
        was
    }

    pub(super) fn clear(&mut self) {
        self.slots.retain(|_, slot| slot.pinned);
    }

    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    pub(super) fn info(&self) -> MemoryInfo {
        MemoryInfo {
            components: self.slots.len(),
            code_bytes: self.slots.values().map(|slot| slot.code_bytes).sum(),
            pinned: self.slots.values().filter(|slot| slot.pinned).count(),
        }
    }
}
