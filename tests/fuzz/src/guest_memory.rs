//! Arbitrary memory of a guest, read as values of arbitrary types: by the canonical ABI alone, or by calls of a real
//! guest, which dynamic values and typed ones must agree on. The first byte chooses.

use crate::{abi, real_guest};

/// Runs one input.
///
/// # Panics
/// If something is found.
pub fn run(input: &[u8]) {
    let Some((&first, rest)) = input.split_first() else {
        return;
    };
    if first & 1 == 0 {
        abi::run(rest);
    } else {
        real_guest::run(rest);
    }
}
