//! The guest's imports, the same for every side.

use std::hint::black_box;

/// The interface that the guest imports.
pub(crate) const HOST: &str = "fixtures:bench/host";
/// The interface that the guest exports.
pub(crate) const OPERATIONS: &str = "fixtures:bench/operations";

/// The expected sum of `add`.
pub(crate) const SUM: u32 = 42;

/// Counts the guest's calls.
#[derive(Debug, Default)]
pub(crate) struct Host {
    pub(crate) messages: u64,
}

impl Host {
    pub(crate) fn log(&mut self, message: &str) {
        self.messages += 1;
        black_box(message);
    }

    pub(crate) fn tick(value: u32) -> u32 {
        value.wrapping_add(1)
    }
}

/// Input of `execute`, and the expected output.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) bytes: Vec<u8>,
    pub(crate) reversed: Vec<u8>,
    pub(crate) id: &'static str,
    pub(crate) deadline: u64,
}

impl Input {
    pub(crate) fn new(length: usize) -> Input {
        let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
        let reversed = bytes.iter().rev().copied().collect();
        Input {
            bytes,
            reversed,
            id: "request-000001",
            deadline: 1_000_000,
        }
    }
}
