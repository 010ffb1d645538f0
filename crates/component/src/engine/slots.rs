//! Linear memories that are prepared once for a core module and used again: the memory of an instance that is gone
//! becomes what it was when it was new, and the next instance of the same module gets it.
//!
//! Memories go back to the slots of their own module only, so that even a mistake here could show one component nothing
//! of another.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::region::{Contents, Region};

/// Prepared memories that one module keeps for later. Each takes address space, and no memory.
const MAX_IDLE: usize = 32;

/// Prepared memories that all modules keep together. Stops a host with many components from using its address space up.
const MAX_IDLE_IN_ALL: usize = 1024;

static IDLE_IN_ALL: AtomicUsize = AtomicUsize::new(0);

/// The memories of one core module's instances.
#[derive(Debug)]
pub(crate) struct Slots {
    /// Bytes of a new one.
    size: usize,
    contents: Option<Contents>,
    idle: Mutex<Vec<Region>>,
}

impl Slots {
    /// For a module whose memory has `size` bytes at first, a multiple of 64 KiB, with `contents` in them.
    pub(super) fn new(size: usize, contents: Option<Contents>) -> Arc<Slots> {
        Arc::new(Slots {
            size,
            contents,
            idle: Mutex::new(Vec::new()),
        })
    }

    /// Bytes that a new memory has.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// What a new memory has in it.
    pub(super) fn contents(&self) -> Option<&Contents> {
        self.contents.as_ref()
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Region>> {
        // A panic while it was held left at worst a memory out of the list.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A memory as it is when an instance begins.
    pub(super) fn take(&self) -> io::Result<Region> {
        let prepared = self.idle().pop();
        match prepared {
            Some(region) => {
                IDLE_IN_ALL.fetch_sub(1, Ordering::Relaxed);
                Ok(region)
            }
            None => Region::new(self.size, self.contents.as_ref()),
        }
    }

    /// Takes a memory back that nobody refers to any more.
    pub(super) fn give_back(&self, mut region: Region) {
        let room = IDLE_IN_ALL.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |idle| {
            (idle < MAX_IDLE_IN_ALL).then_some(idle + 1)
        });
        if room.is_err() {
            return;
        }
        // One that cannot be made new is dropped, which frees it.
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
