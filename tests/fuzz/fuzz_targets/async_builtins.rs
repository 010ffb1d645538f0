#![no_main]
#![allow(unsafe_code, reason = "the macro exports what libFuzzer calls")]

use airssys_wasm_fuzz::{allow_caught_panics, async_builtins};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: allow_caught_panics(), |input: &[u8]| async_builtins::run(input));
