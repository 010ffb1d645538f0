//! Holds airssys-wasm against the component model's rules and against wasmtime.

pub mod differential;
