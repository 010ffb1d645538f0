//! A guest's linear memory as a slice.
#![allow(
    unsafe_code,
    reason = "wasmer exposes a memory as a slice only through unsafe functions"
)]

use wasmer::{AsStoreMut, AsStoreRef, Memory};

/// One linear memory of an instance.
#[derive(Clone, Debug)]
pub(crate) struct GuestMemory(Memory);

impl GuestMemory {
    /// Wraps a memory that is not shared between threads; components cannot have shared ones here, since the
    /// threads feature is off.
    pub(crate) fn new(memory: Memory) -> GuestMemory {
        GuestMemory(memory)
    }

    /// Returns the memory's bytes. The borrow of the store keeps every guest from running while it lives.
    pub(crate) fn data<'a>(&self, store: &'a impl AsStoreRef) -> &'a [u8] {
        let view = self.0.view(store);
        // SAFETY: the memory is not shared, and a guest runs only with the store borrowed mutably, so nothing
        // writes or moves it while the shared borrow `'a` lives. Pointer and size come from one view.
        unsafe { slice(view.data_ptr(), view.data_size()) }
    }

    /// Returns the memory's bytes, for writing.
    pub(crate) fn data_mut<'a>(&self, store: &'a mut impl AsStoreMut) -> &'a mut [u8] {
        let view = self.0.view(store);
        let (ptr, size) = (view.data_ptr(), view.data_size());
        let size = usize::try_from(size).unwrap_or(0);
        if size == 0 {
            return &mut [];
        }
        // SAFETY: as above; the exclusive borrow of the store makes this the only slice of it.
        unsafe { std::slice::from_raw_parts_mut(ptr, size) }
    }
}

/// Returns the bytes at `ptr` as a slice.
///
/// # Safety
/// `ptr` points to `size` readable bytes that nothing writes during `'a`.
unsafe fn slice<'a>(ptr: *const u8, size: u64) -> &'a [u8] {
    let size = usize::try_from(size).unwrap_or(0);
    if size == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(ptr, size) }
}
