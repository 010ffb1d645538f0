//! A memory that never has pages: nothing to reserve, and nothing to read.
#![allow(
    unsafe_code,
    reason = "compiled code finds the memory through a record, which the engine passes as a pointer"
)]

use std::ptr::NonNull;

use wasmer::sys::vm::{LinearMemory, MemoryError, MemoryStyle, VMMemory, VMMemoryDefinition};
use wasmer::{MemoryType, Pages};

/// Minimum and maximum size, in pages.
pub(in crate::engine) const PAGES: u32 = 0;

/// Reports whether a memory of that type never has a page.
pub(in crate::engine) fn is_empty(ty: &MemoryType) -> bool {
    ty.minimum == Pages(PAGES) && ty.maximum == Some(Pages(PAGES)) && !ty.shared
}

#[derive(Debug)]
struct EmptyMemory {
    style: MemoryStyle,
    definition: NonNull<VMMemoryDefinition>,
}

// SAFETY: the record that `definition` points to belongs to the instance that owns this memory, in the same store: it
// is used by the one thread that has the store, and moves with it.
unsafe impl Send for EmptyMemory {}
// SAFETY: nothing here reads or writes the record; its address is only returned.
unsafe impl Sync for EmptyMemory {}

/// Creates a memory without pages, of any style.
///
/// # Safety
/// `definition` points to a record that lives as long as the memory, and that nothing else writes.
pub(in crate::engine) unsafe fn empty(
    style: &MemoryStyle,
    definition: NonNull<VMMemoryDefinition>,
) -> VMMemory {
    // SAFETY: the caller's promise.
    unsafe {
        *definition.as_ptr() = VMMemoryDefinition {
            base: NonNull::dangling().as_ptr(),
            current_length: 0,
        };
    }
    VMMemory(Box::new(EmptyMemory {
        style: *style,
        definition,
    }))
}

impl LinearMemory for EmptyMemory {
    fn ty(&self) -> MemoryType {
        MemoryType::new(Pages(PAGES), Some(Pages(PAGES)), false)
    }

    fn size(&self) -> Pages {
        Pages(PAGES)
    }

    fn style(&self) -> MemoryStyle {
        self.style
    }

    fn grow(&mut self, delta: Pages) -> Result<Pages, MemoryError> {
        if delta.0 == 0 {
            return Ok(Pages(PAGES));
        }
        Err(MemoryError::CouldNotGrow {
            current: Pages(PAGES),
            attempted_delta: delta,
        })
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
