//! Unwind information of an image, which the system's unwinder walks the frames of traps with.
#![allow(unsafe_code, reason = "registers memory with the system's unwinder")]

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use super::layout::Layout;
use super::map::Map;

unsafe extern "C" {
    fn __register_frame(list: *const u8);
    fn __deregister_frame(list: *const u8);
    fn atexit(end: extern "C" fn()) -> std::ffi::c_int;
}

/// True once the process exits: the unwinder is gone then, while other threads may still drop images.
static EXITS: AtomicBool = AtomicBool::new(false);

extern "C" fn exits() {
    EXITS.store(true, Ordering::SeqCst);
}

/// Registered unwind information. Deregistered on drop, which must come before the image is unmapped.
#[derive(Debug)]
pub(super) struct Unwind(Vec<*const u8>);

// SAFETY: addresses, which only the unwinder follows; it has a lock.
unsafe impl Send for Unwind {}
// SAFETY: as above.
unsafe impl Sync for Unwind {}

impl Unwind {
    /// Registers the lists of an image.
    ///
    /// # Safety
    /// The layout is that of the image, of the engine's making, so each list is well-formed and ends.
    pub(super) unsafe fn register(map: &Map, layout: &Layout) -> Unwind {
        static WATCH: Once = Once::new();
        // SAFETY: the function only stores a flag. Without it, nothing is deregistered too late but after an exit.
        WATCH.call_once(|| unsafe {
            atexit(exits);
        });
        let lists = layout.unwind.iter().map(|list| map.at(*list).cast_const());
        let lists: Vec<_> = lists.collect();
        for list in &lists {
            // SAFETY: the caller's promise; the memory is mapped until the list is deregistered.
            unsafe { __register_frame(*list) };
        }
        Unwind(lists)
    }
}

impl Drop for Unwind {
    fn drop(&mut self) {
        // The last one first: the unwinder finds it at the beginning of its own list.
        for list in self.0.iter().rev() {
            if EXITS.load(Ordering::SeqCst) {
                return;
            }
            // SAFETY: it was registered, and is deregistered once.
            unsafe { __deregister_frame(*list) };
        }
    }
}
