//! The backends of this library beside each other and beside wasmtime, in one program: each test program links all engines.

extern crate airssys_wasm_component as airssys_wasm;

mod asynchronous;
mod differential;
mod hostile_guests;
mod porting;
mod suite;
mod wasi;
