//! The stack that the guests of a store run on.
//!
//! The engine keeps the stacks of earlier calls, of any store, and uses one of them if it is large enough. So a guest could run
//! on the larger stack of another store. Before one that has less than others is entered, the kept stacks are dropped.

use std::sync::atomic::{AtomicUsize, Ordering};

use wasmer::sys::vm::{VMConfig, drain_stack_pool};

/// Bytes of the smallest stack. On it, the engine's own functions run too, such as those that copy between tables.
const LEAST: usize = 64 << 10;
/// Bytes of the largest stack. Stops a wrong number from taking the host's address space.
const MOST: usize = 100 << 20;

/// Bytes of the largest stack that a store of this process has.
static LARGEST: AtomicUsize = AtomicUsize::new(0);

/// The stack of one store.
pub(in crate::engine) struct Stack {
    bytes: usize,
    config: VMConfig,
}

impl Stack {
    /// Describes a stack of so many bytes, within the bounds of this module.
    pub(in crate::engine) fn new(bytes: u64) -> Stack {
        let bytes = usize::try_from(bytes).unwrap_or(MOST).clamp(LEAST, MOST);
        LARGEST.fetch_max(bytes, Ordering::Relaxed);
        Stack {
            bytes,
            config: VMConfig {
                wasm_stack_size: Some(bytes),
            },
        }
    }

    /// Returns the engine's settings, which it requests at each entry into a guest, on the thread that enters.
    #[inline]
    pub(in crate::engine) fn enter(&self) -> &VMConfig {
        if self.bytes < LARGEST.load(Ordering::Relaxed) {
            // Another thread may keep a stack between this and the entry: then this call has that one.
            drain_stack_pool();
        }
        &self.config
    }
}
