//! A guest's linear memory as a slice.
#![allow(
    unsafe_code,
    reason = "the engine's own record of a memory is read, which is far quicker than its view"
)]

use std::ptr::NonNull;

use wasmer::sys::vm::{LinearMemory, VMExtern, VMMemoryDefinition};
use wasmer::{AsStoreMut, AsStoreRef, Extern, Memory};

use crate::error::{Error, Result};

/// One linear memory of an instance.
#[derive(Clone, Debug)]
pub(crate) struct GuestMemory {
    memory: Memory,
    /// Where the engine keeps address and size. Stays in place as long as the memory, which lives as long as its store.
    definition: NonNull<VMMemoryDefinition>,
}

// SAFETY: the pointer is followed only with a borrow of the store, which owns the memory.
unsafe impl Send for GuestMemory {}
// SAFETY: as above.
unsafe impl Sync for GuestMemory {}

impl GuestMemory {
    /// Wraps a memory that is not shared between threads; components cannot have shared ones here, since the
    /// threads feature is off.
    ///
    /// # Errors
    /// [`Error::Bug`] if the memory is of another store.
    pub(crate) fn new(store: &mut impl AsStoreMut, memory: Memory) -> Result<GuestMemory> {
        // There is no other kind of engine in this build.
        let handle = match Extern::Memory(memory.clone()).to_vm_extern().unwrap_sys() {
            VMExtern::Memory(handle) if memory.is_from_store(store) => handle,
            _ => return Err(Error::bug("a memory that is not the engine's")),
        };
        let definition = handle.get(store.objects_mut().as_sys()).vmmemory();
        Ok(GuestMemory { memory, definition })
    }

    /// Returns whether both are the same memory.
    pub(crate) fn is_same(&self, other: &GuestMemory) -> bool {
        self.definition == other.definition
    }

    /// Returns the memory's bytes. The borrow of the store keeps every guest from running while it lives.
    #[inline]
    pub(crate) fn data<'a>(&self, store: &'a impl AsStoreRef) -> &'a [u8] {
        match self.place(store) {
            // SAFETY: the memory is not shared, and a guest runs only with the store borrowed mutably, so nothing
            // writes or moves it while the shared borrow `'a` lives.
            Some((base, size)) => unsafe { std::slice::from_raw_parts(base, size) },
            None => &[],
        }
    }

    /// Returns the memory's bytes, for writing.
    #[inline]
    pub(crate) fn data_mut<'a>(&self, store: &'a mut impl AsStoreMut) -> &'a mut [u8] {
        match self.place(store) {
            // SAFETY: as above; the exclusive borrow of the store makes this the only slice of it.
            Some((base, size)) => unsafe { std::slice::from_raw_parts_mut(base, size) },
            None => &mut [],
        }
    }

    /// Returns address and size; `None` if the memory is empty, or of another store.
    #[inline]
    fn place(&self, store: &impl AsStoreRef) -> Option<(*mut u8, usize)> {
        if !self.memory.is_from_store(store) {
            return None;
        }
        // SAFETY: the store lives, and so does its memory; a guest, which changes the record, does not run now.
        let VMMemoryDefinition { base, current_length } = *unsafe { self.definition.as_ref() };
        (current_length > 0).then_some((base, current_length))
    }
}
