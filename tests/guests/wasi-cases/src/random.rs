//! Cases of `wasi:random`.

use crate::bindings::wasi::random::{insecure, insecure_seed, random};
use crate::{Case, Outcome};

pub const CASES: &[Case] = &[
    ("random/get-random-bytes", || Ok(told(random::get_random_bytes))),
    ("random/get-random-u64", || Ok(numbers(random::get_random_u64))),
    ("random/get-insecure-random-bytes", || Ok(told(insecure::get_insecure_random_bytes))),
    ("random/get-insecure-random-u64", || Ok(numbers(insecure::get_insecure_random_u64))),
    ("random/insecure-seed", seed),
    ("random/get-random-bytes of 100,000", many),
];

/// As many as were asked for, and not the same twice.
fn told(bytes: fn(u64) -> Vec<u8>) -> String {
    let lengths: Vec<usize> = [0, 1, 7, 32, 4096].iter().map(|len| bytes(*len).len()).collect();
    format!("{lengths:?}, another time others: {}", bytes(32) != bytes(32))
}

fn numbers(number: fn() -> u64) -> String {
    let mut numbers: Vec<u64> = (0..16).map(|_| number()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    format!("{} of 16", numbers.len())
}

fn seed() -> Outcome {
    let (one, two) = (insecure_seed::insecure_seed(), insecure_seed::insecure_seed());
    Ok(format!("stays: {}", one == two))
}

fn many() -> Outcome {
    let bytes = random::get_random_bytes(100_000);
    let mut seen = [false; 256];
    for byte in &bytes {
        seen[usize::from(*byte)] = true;
    }
    Ok(format!("{} bytes of {} values", bytes.len(), seen.iter().filter(|seen| **seen).count()))
}
