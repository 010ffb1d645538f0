//! Linear memories that are prepared once for a core module and used again: the memory of a dropped instance is
//! reset, and the next instance of the same module gets it.
//!
//! Memories return to the slots of their own module only, so that even a mistake here could show one component nothing
//! of another.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::memory::reservation::{Contents, Region};

/// Prepared memories that one module keeps for later. Each occupies address space, but no memory.
const MAX_IDLE: usize = 32;

/// Prepared memories that all modules keep together. Stops a host with many components from exhausting its address space.
const MAX_IDLE_IN_ALL: usize = 1024;

static IDLE_IN_ALL: AtomicUsize = AtomicUsize::new(0);

/// The memories of one core module's instances.
#[derive(Debug)]
pub(crate) struct Slots {
    /// Size of a new memory, in bytes.
    size: usize,
    contents: Option<Contents>,
    idle: Mutex<Vec<Region>>,
}

impl Slots {
    /// Creates the slots of a module whose memory has `size` bytes at first, a multiple of 64 KiB, with `contents` in them.
    pub(in crate::engine) fn new(size: usize, contents: Option<Contents>) -> Arc<Slots> {
        Arc::new(Slots {
            size,
            contents,
            idle: Mutex::new(Vec::new()),
        })
    }

    /// Returns the size of a new memory, in bytes.
    pub(in crate::engine) fn size(&self) -> usize {
        self.size
    }

    /// Returns the initial content of a memory.
    pub(in crate::engine) fn contents(&self) -> Option<&Contents> {
        self.contents.as_ref()
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Region>> {
        // A panic while it was held left at worst a memory out of the list.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a memory in its initial state.
    pub(in crate::engine) fn take(&self) -> io::Result<Region> {
        let prepared = self.idle().pop();
        match prepared {
            Some(region) => {
                IDLE_IN_ALL.fetch_sub(1, Ordering::Relaxed);
                Ok(region)
            }
            None => Region::new(self.size, self.contents.as_ref()),
        }
    }

    /// Resets a memory that is no longer used, and keeps it unless there are too many.
    pub(in crate::engine) fn give_back(&self, mut region: Region) {
        let room = IDLE_IN_ALL.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |idle| {
            (idle < MAX_IDLE_IN_ALL).then_some(idle + 1)
        });
        if room.is_err() {
            return;
        }
        // A region that cannot be reset is dropped, which frees it.
        if region.reset(self.size, self.contents.as_ref()).is_ok() {
            let mut idle = self.idle();
            if idle.len() < MAX_IDLE {
                idle.push(region);
                return;
            }
        }
        IDLE_IN_ALL.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Slots {
    fn drop(&mut self) {
        let idle = self.idle.get_mut().unwrap_or_else(PoisonError::into_inner);
        IDLE_IN_ALL.fetch_sub(idle.len(), Ordering::Relaxed);
    }
}
