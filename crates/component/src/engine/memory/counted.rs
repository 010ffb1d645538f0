//! Linear memory of the engine's own, counted in its store's account.

use std::ptr::NonNull;

use wasmer::sys::vm::{LinearMemory, MemoryError, MemoryStyle, VMMemory, VMMemoryDefinition};
use wasmer::{MemoryType, Pages};

use crate::engine::memory::account::Charge;

/// A memory that is not shared between threads, and its count.
#[derive(Debug)]
struct CountedMemory {
    memory: VMMemory,
    charge: Charge,
}

/// Returns the same memory, which counts as `charge` says, and as its size once it grows.
pub(in crate::engine) fn counted(memory: VMMemory, charge: Charge) -> VMMemory {
    VMMemory(Box::new(CountedMemory { memory, charge }))
}

/// Returns a size in bytes.
pub(in crate::engine) fn bytes(pages: Pages) -> u64 {
    u64::from(pages.0) * 65_536
}

impl LinearMemory for CountedMemory {
    fn ty(&self) -> MemoryType {
        self.memory.ty()
    }

    fn size(&self) -> Pages {
        self.memory.size()
    }

    fn style(&self) -> MemoryStyle {
        self.memory.style()
    }

    fn grow(&mut self, delta: Pages) -> Result<Pages, MemoryError> {
        let before = self.memory.size();
        let refused = MemoryError::CouldNotGrow {
            current: before,
            attempted_delta: delta,
        };
        let Some(after) = before.checked_add(delta) else {
            return Err(refused);
        };
        if self.charge.set(bytes(after)).is_err() {
            return Err(refused);
        }
        let grown = self.memory.grow(delta);
        if grown.is_err() {
            // Never refused: it counts less.
            let _ = self.charge.set(bytes(before));
        }
        grown
    }

    fn grow_at_least(&mut self, min_size: u64) -> Result<(), MemoryError> {
        let missing = min_size.saturating_sub(bytes(self.memory.size()));
        match u32::try_from(missing.div_ceil(65_536)) {
            Ok(0) => Ok(()),
            Ok(pages) => self.grow(Pages(pages)).map(drop),
            Err(_) => Err(MemoryError::Generic("beyond a 32-bit memory".into())),
        }
    }

    fn vmmemory(&self) -> NonNull<VMMemoryDefinition> {
        self.memory.vmmemory()
    }

    fn try_clone(&self) -> Result<Box<dyn LinearMemory + Send + Sync + 'static>, MemoryError> {
        Err(MemoryError::MemoryNotShared)
    }

    fn copy(&self) -> Result<Box<dyn LinearMemory + Send + Sync + 'static>, MemoryError> {
        let charge = self.charge.again();
        let charge = charge.map_err(|exceeded| MemoryError::Generic(exceeded.to_string()))?;
        let memory = VMMemory(self.memory.0.copy()?);
        Ok(Box::new(CountedMemory { memory, charge }))
    }
}
