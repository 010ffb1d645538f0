//! Measures airssys-wasm beside wasmtime and bare wasmer.

fn main() {}
