//! Ends of the waits in a program's shared memories, where its threads are not interrupted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmer::sys::vm::{LinearMemory, ThreadConditionsHandle, VMMemory};

/// Memories after which those that were dropped are looked for.
const MANY: usize = 64;

/// The shared memories of one program. Clones are the same.
#[derive(Clone, Default)]
pub struct Waits(Arc<Mutex<Memories>>);

#[derive(Default)]
struct Memories {
    /// They do not keep the memories.
    places: Vec<ThreadConditionsHandle>,
    have_ended: bool,
}

impl std::fmt::Debug for Waits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Waits")
            .field(&self.memories().places.len())
            .finish()
    }
}

impl Waits {
    /// Adds a memory that the program has got, if threads can wait for places in it.
    pub(in crate::engine) fn add(&self, memory: &VMMemory) {
        let Some(conditions) = memory.thread_conditions() else {
            return;
        };
        let mut memories = self.memories();
        if memories.have_ended {
            conditions.disable_atomics();
        }
        if memories.places.len() >= MANY {
            memories.places.retain(|place| place.upgrade().is_some());
        }
        memories.places.push(conditions.downgrade());
    }

    /// Ends all waits, those that begin later too: they trap with
    /// [`CoreTrap::Interrupted`](crate::error::CoreTrap::Interrupted).
    pub fn end(&self) {
        let mut memories = self.memories();
        memories.have_ended = true;
        for conditions in memories.places.iter().filter_map(ThreadConditionsHandle::upgrade) {
            conditions.disable_atomics();
        }
    }

    fn memories(&self) -> MutexGuard<'_, Memories> {
        // A panic while it was held left at worst a memory out.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
