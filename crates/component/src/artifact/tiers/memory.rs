//! Components in memory, of which those that were not used for longest go first.

use std::collections::HashMap;
use std::sync::Arc;

use super::flight::Flight;
use crate::artifact::cache::CacheKey;
use crate::component::Component;

/// How much is kept in memory. What is pinned counts, and stays when there is too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// Components. Stops many small ones.
    pub components: usize,
    /// Bytes of compiled code of all of them. Stops large ones.
    pub code_bytes: u64,
}

impl Default for MemoryLimits {
    /// 64 components, 512 MiB.
    fn default() -> MemoryLimits {
        MemoryLimits {
            components: 64,
            code_bytes: 512 << 20,
        }
    }
}

/// What is kept in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryInfo {
    /// Components.
    pub components: usize,
    /// Bytes of their compiled code.
    pub code_bytes: u64,
    /// Those among the components that are pinned.
    pub pinned: usize,
}

pub(super) struct Memory {
    limits: MemoryLimits,
    slots: HashMap<CacheKey, Slot>,
    /// What is being loaded or compiled.
    coming: HashMap<CacheKey, Coming>,
    /// Counts uses.
    clock: u64,
    evicted: u64,
}

struct Slot {
    component: Component,
    code_bytes: u64,
    used: u64,
    pinned: bool,
}

struct Coming {
    flight: Arc<Flight>,
    /// Whether somebody who waits for it wants it pinned.
    pin: bool,
}

pub(super) enum Found {
    Here(Component),
    /// Another thread brings it.
    Coming(Arc<Flight>),
    /// Whoever asked has to bring it.
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

    /// A component that is here, and for which nobody has to wait.
    pub(super) fn here(&mut self, key: &CacheKey) -> Option<Component> {
        self.clock += 1;
        let slot = self.slots.get_mut(key)?;
        slot.used = self.clock;
        Some(slot.component.clone())
    }

    pub(super) fn find(&mut self, key: &CacheKey, pin: bool) -> Found {
        self.clock += 1;
        if let Some(slot) = self.slots.get_mut(key) {
            slot.used = self.clock;
            slot.pinned |= pin;
            return Found::Here(slot.component.clone());
        }
        if let Some(coming) = self.coming.get_mut(key) {
            coming.pin |= pin;
            return Found::Coming(coming.flight.clone());
        }
        let flight = Arc::new(Flight::default());
        let coming = Coming {
            flight: flight.clone(),
            pin,
        };
        self.coming.insert(*key, coming);
        Found::Nothing(flight)
    }

    /// What was coming is here, or will not come.
    pub(super) fn landed(&mut self, key: &CacheKey, component: Option<(Component, u64)>) {
        let coming = self.coming.remove(key);
        if let Some((component, code_bytes)) = component {
            self.clock += 1;
            let slot = Slot {
                component,
                code_bytes,
                used: self.clock,
                pinned: coming.is_some_and(|coming| coming.pin),
            };
            self.slots.insert(*key, slot);
            self.make_room();
        }
    }

    /// Puts a component here that did not have to be waited for, unless another thread is about to.
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
