//! Linear memory that comes from the prepared memories of its module.
#![allow(
    unsafe_code,
    reason = "compiled code finds the memory through a record, which the engine passes as a pointer"
)]

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmer::sys::vm::{LinearMemory, MemoryError, MemoryStyle, VMMemoryDefinition};
use wasmer::{MemoryType, Pages};

use crate::engine::memory::account::Charge;
use crate::engine::memory::counted;
use crate::engine::memory::pool::Slots;
use crate::engine::memory::reservation::{Contents, Keeping, Region};
use crate::error::LimitExceeded;

/// The memory of one instance.
#[derive(Debug)]
pub(in crate::engine) struct SlotMemory {
    shared: Arc<Shared>,
    style: MemoryStyle,
    /// Record in the instance, which compiled code reads.
    definition: NonNull<VMMemoryDefinition>,
}

/// Handle of a memory, to reset it.
#[derive(Clone, Debug)]
pub(crate) struct MemoryHandle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Size in pages. Every access of the host reads it, so it is outside the lock; only a holder of the lock changes it.
    pages: AtomicU32,
}

#[derive(Debug)]
struct State {
    region: Option<Region>,
    home: Arc<Slots>,
    /// Content after a reset, if that is not the module's image.
    kept: Option<Contents>,
    /// Size after a reset, in pages.
    first: Pages,
    ty: MemoryType,
    /// `None` once the memory is dropped.
    definition: Option<NonNull<VMMemoryDefinition>>,
    /// Count of its size; `None` once the memory is dropped.
    charge: Option<Charge>,
}

// SAFETY: the record that `definition` points to belongs to the instance that owns this memory, in the same store: it
// is used by the one thread that has the store, and moves with it.
unsafe impl Send for State {}
// SAFETY: as above; the memory's own copy of the address is only returned.
unsafe impl Send for SlotMemory {}
// SAFETY: as above.
unsafe impl Sync for SlotMemory {}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while it was held left at worst a step undone; the data stays consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the size. The thread that has the store reads it, and is the one that changed it, or got the store from that one.
    fn pages(&self) -> Pages {
        Pages(self.pages.load(Ordering::Relaxed))
    }

    /// Records a size, for the host and for the guest.
    fn set_length(&self, state: &State, pages: Pages, size: usize) {
        self.pages.store(pages.0, Ordering::Relaxed);
        if let Some(definition) = state.definition {
            // SAFETY: the record lives as long as the memory, as `new` requires; the guest that reads it waits for this
            // call, or does not run.
            unsafe { (*definition.as_ptr()).current_length = size };
        }
    }
}

fn bytes(pages: Pages) -> Option<usize> {
    usize::try_from(u64::from(pages.0) * 65_536).ok()
}

fn failed(error: io::Error) -> MemoryError {
    MemoryError::Generic(format!("cannot reserve memory: {error}"))
}

impl SlotMemory {
    /// Creates a memory from the prepared ones of its module. `charge` is its size.
    ///
    /// # Safety
    /// `definition` points to a record that lives as long as the memory, and that nothing else writes.
    pub(in crate::engine) unsafe fn new(
        home: Arc<Slots>,
        ty: &MemoryType,
        style: &MemoryStyle,
        definition: NonNull<VMMemoryDefinition>,
        charge: Charge,
    ) -> Result<SlotMemory, MemoryError> {
        if bytes(ty.minimum) != Some(home.size()) {
            return Err(MemoryError::Generic("a memory of another module".into()));
        }
        let region = home.take().map_err(failed)?;
        // SAFETY: the caller's promise.
        unsafe {
            *definition.as_ptr() = VMMemoryDefinition {
                base: region.base().as_ptr(),
                current_length: home.size(),
            };
        }
        Ok(SlotMemory {
            shared: Arc::new(Shared {
                state: Mutex::new(State {
                    region: Some(region),
                    home,
                    kept: None,
                    first: ty.minimum,
                    ty: *ty,
                    definition: Some(definition),
                    charge: Some(charge),
                }),
                pages: AtomicU32::new(ty.minimum.0),
            }),
            style: *style,
            definition,
        })
    }

    pub(in crate::engine) fn handle(&self) -> MemoryHandle {
        MemoryHandle(Arc::clone(&self.shared))
    }
}

impl State {
    /// Counts a size.
    fn count(&mut self, pages: Pages) -> Result<(), LimitExceeded> {
        let bytes = counted::bytes(pages);
        self.charge.as_mut().map_or(Ok(()), |charge| charge.set(bytes))
    }
}

impl MemoryHandle {
    /// Keeps the current content for resets. Returns false, and changes nothing, if that is too much.
    ///
    /// # Errors
    /// The operating system's error, or a dropped memory; the memory must not be used then.
    pub(in crate::engine) fn keep(&self) -> io::Result<bool> {
        let state = &mut *self.0.lock();
        let pages = self.0.pages();
        let (Some(region), Some(size)) = (&mut state.region, bytes(pages)) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        state.kept = match region.keep(size, state.home.contents())? {
            Keeping::Contents(contents) => Some(contents),
            Keeping::Zeros => None,
            Keeping::TooMuch => return Ok(false),
        };
        state.first = pages;
        Ok(true)
    }

    /// As [`MemoryHandle::keep`], with the content kept for the same memory of another instance, which is equal. Returns
    /// false if the sizes differ.
    ///
    /// # Errors
    /// As [`MemoryHandle::keep`].
    pub(in crate::engine) fn keep_as(&self, other: &MemoryHandle) -> io::Result<bool> {
        let (kept, first) = {
            let other = other.0.lock();
            (other.kept.clone(), other.first)
        };
        let state = &mut *self.0.lock();
        if self.0.pages() != first {
            return Ok(false);
        }
        let (Some(region), Some(size)) = (&mut state.region, bytes(first)) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        region.reset(size, None)?;
        if let Some(kept) = &kept {
            region.fill(kept)?;
        }
        (state.first, state.kept) = (first, kept);
        Ok(true)
    }

    /// Resets the memory. Nothing may run in its store meanwhile.
    pub(in crate::engine) fn reset(&self) -> io::Result<()> {
        let state = &mut *self.0.lock();
        let (Some(region), Some(size)) = (&mut state.region, bytes(state.first)) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let contents = state.kept.as_ref().or(state.home.contents());
        region.reset(size, contents)?;
        state.count(state.first).map_err(|_| io::ErrorKind::OutOfMemory)?;
        self.0.set_length(state, state.first, size);
        Ok(())
    }
}

impl LinearMemory for SlotMemory {
    fn ty(&self) -> MemoryType {
        MemoryType {
            minimum: self.shared.pages(),
            ..self.shared.lock().ty
        }
    }

    fn size(&self) -> Pages {
        self.shared.pages()
    }

    fn style(&self) -> MemoryStyle {
        self.style
    }

    fn grow(&mut self, delta: Pages) -> Result<Pages, MemoryError> {
        let state = &mut *self.shared.lock();
        let before = self.shared.pages();
        let refused = MemoryError::CouldNotGrow {
            current: before,
            attempted_delta: delta,
        };
        let limit = state
            .ty
            .maximum
            .unwrap_or(Pages::max_value())
            .min(Pages::max_value());
        let Some(pages) = before.checked_add(delta).filter(|pages| *pages <= limit) else {
            return Err(refused);
        };
        if delta.0 == 0 {
            return Ok(before);
        }
        let Some(size) = bytes(pages) else {
            return Err(refused);
        };
        if state.count(pages).is_err() {
            return Err(refused);
        }
        let grown = match &mut state.region {
            Some(region) => region.grow(size).map_err(failed),
            None => Err(refused),
        };
        if let Err(error) = grown {
            // Never refused: it counts less.
            let _ = state.count(before);
            return Err(error);
        }
        self.shared.set_length(state, pages, size);
        Ok(before)
    }

    fn vmmemory(&self) -> NonNull<VMMemoryDefinition> {
        self.definition
    }

    fn try_clone(&self) -> Result<Box<dyn LinearMemory + Send + Sync + 'static>, MemoryError> {
        Err(MemoryError::MemoryNotShared)
    }

    fn copy(&self) -> Result<Box<dyn LinearMemory + Send + Sync + 'static>, MemoryError> {
        Err(MemoryError::UnsupportedOperation {
            message: "memories of components are not copied".into(),
        })
    }
}

impl Drop for SlotMemory {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.definition = None;
        state.charge = None;
        // A region that was kept maps content other than its module's, so it is not used again.
        if let Some(region) = state.region.take()
            && state.kept.is_none()
        {
            state.home.give_back(region);
        }
    }
}
