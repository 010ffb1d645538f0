//! Holds airssys-wasm against the component model's rules and against wasmtime.

pub mod differential;
pub mod document;
pub mod engines;
pub mod fixtures;
pub mod hostile;
pub mod matrix;
pub mod scripts;
pub mod tables;
pub mod wasi;
