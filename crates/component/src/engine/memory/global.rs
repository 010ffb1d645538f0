//! A guest's `i32` global as a place in memory.
#![allow(
    unsafe_code,
    reason = "the engine's own record of a global is read and written, which is far quicker than its values"
)]

use std::ptr::NonNull;

use wasmer::sys::vm::{VMExtern, VMGlobalDefinition};
use wasmer::{AsStoreMut, Extern, Global, Value};

use crate::error::{Error, Result};

/// A mutable `i32` global of a store.
#[derive(Clone, Debug)]
pub(crate) struct GuestGlobal {
    global: Global,
    /// Where the engine keeps the value. Stays in place as long as the global, which lives as long as its store.
    definition: NonNull<VMGlobalDefinition>,
}

// SAFETY: the pointer is followed only with a borrow of the store, which owns the global.
unsafe impl Send for GuestGlobal {}
// SAFETY: as above.
unsafe impl Sync for GuestGlobal {}

impl GuestGlobal {
    /// Makes a global of value 0.
    ///
    /// # Errors
    /// [`Error::Bug`] in a build with another kind of engine.
    pub(crate) fn new(store: &mut impl AsStoreMut) -> Result<GuestGlobal> {
        let global = Global::new_mut(store, Value::I32(0));
        let VMExtern::Global(handle) = Extern::Global(global.clone()).to_vm_extern().unwrap_sys() else {
            return Err(Error::bug("a global that is not the engine's"));
        };
        let definition = handle.get(store.objects_mut().as_sys()).vmglobal();
        Ok(GuestGlobal { global, definition })
    }

    /// Returns the engine's global, for those that import it.
    pub(crate) fn global(&self) -> &Global {
        &self.global
    }

    /// Sets the value; returns the one before. That of another store stays, and is 0 here.
    #[inline]
    pub(crate) fn replace(&self, store: &mut impl AsStoreMut, value: i32) -> i32 {
        if !self.global.is_from_store(store) {
            return 0;
        }
        // SAFETY: the store lives, and so does its global, which is an `i32` and not shared; a guest, which uses it, does not run while the store is
        // borrowed mutably.
        unsafe {
            let place = &raw mut (*self.definition.as_ptr()).val.i32;
            place.replace(value)
        }
    }
}
