//! A linear memory out of the slots of its module.
#![allow(
    unsafe_code,
    reason = "compiled code finds the memory through a record that the engine gives as a pointer"
)]

use std::io;
use std::ptr::NonNull;
use std::sync::Arc;

use wasmer::sys::vm::{LinearMemory, MemoryError, MemoryStyle, VMMemoryDefinition};
use wasmer::{MemoryType, Pages};

use super::region::Region;
use super::slots::Slots;

/// The memory of one instance.
#[derive(Debug)]
pub(super) struct SlotMemory {
    /// `None` only while it is dropped.
    region: Option<Region>,
    home: Arc<Slots>,
    ty: MemoryType,
    style: MemoryStyle,
    pages: Pages,
    /// In the instance, where compiled code reads it.
    definition: NonNull<VMMemoryDefinition>,
}

// SAFETY: the record that `definition` leads to belongs to the instance that owns this memory, in the same store: it is
// used by the one thread that has the store, and moves with it.
unsafe impl Send for SlotMemory {}
// SAFETY: through a shared reference the record is only read, and the address of it handed out.
unsafe impl Sync for SlotMemory {}

fn bytes(pages: Pages) -> Option<usize> {
    usize::try_from(u64::from(pages.0) * 65_536).ok()
}

fn failed(error: io::Error) -> MemoryError {
    MemoryError::Generic(format!("no memory can be had: {error}"))
}

impl SlotMemory {
    /// # Safety
    /// `definition` leads to a record that lives as long as the memory, and that nobody else writes.
    pub(super) unsafe fn new(
        home: Arc<Slots>,
        ty: &MemoryType,
        style: &MemoryStyle,
        definition: NonNull<VMMemoryDefinition>,
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
            region: Some(region),
            home,
            ty: *ty,
            style: *style,
            pages: ty.minimum,
            definition,
        })
    }
}

impl LinearMemory for SlotMemory {
    fn ty(&self) -> MemoryType {
        MemoryType {
            minimum: self.pages,
            ..self.ty
        }
    }

    fn size(&self) -> Pages {
        self.pages
    }

    fn style(&self) -> MemoryStyle {
        self.style
    }

    fn grow(&mut self, delta: Pages) -> Result<Pages, MemoryError> {
        let before = self.pages;
        let refused = MemoryError::CouldNotGrow {
            current: before,
            attempted_delta: delta,
        };
        let limit = self
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
        let (Some(size), Some(region)) = (bytes(pages), &mut self.region) else {
            return Err(refused);
        };
        region.grow(size).map_err(failed)?;
        self.pages = pages;
        // SAFETY: the record lives as long as this memory, as `new` was promised; the guest that reads it waits for this
        // call.
        unsafe { (*self.definition.as_ptr()).current_length = size };
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
        if let Some(region) = self.region.take() {
            self.home.give_back(region);
        }
    }
}
