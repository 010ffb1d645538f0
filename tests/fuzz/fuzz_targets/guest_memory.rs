#![no_main]
#![allow(unsafe_code, reason = "the macro exports what libFuzzer calls")]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| airssys_wasm_fuzz::guest_memory::run(input));
