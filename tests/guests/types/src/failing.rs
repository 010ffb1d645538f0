use crate::Types;
use crate::bindings::exports::fixtures::types::failing::Guest;
use core::arch::wasm32;
use std::hint::black_box;

/// Needs a call frame a level, and no memory: what runs out is the engine's stack.
#[inline(never)]
fn deeper(level: u32) -> u32 {
    if level == u32::MAX {
        return level;
    }
    deeper(level + 1).rotate_left(1) ^ level
}

impl Guest for Types {
    fn trap() {
        wasm32::unreachable()
    }

    fn loop_forever() {
        loop {
            black_box(());
        }
    }

    fn recurse_forever() -> u32 {
        deeper(black_box(0))
    }

    fn out_of_bounds() -> u32 {
        let beyond = black_box(u32::MAX - 3) as *const u32;
        // SAFETY: none; whether the read traps is the test.
        unsafe { beyond.read_volatile() }
    }

    fn grow_memory(pages: u32) -> Option<u32> {
        let old = wasm32::memory_grow(0, pages as usize);
        (old != usize::MAX).then_some(old as u32)
    }
}
