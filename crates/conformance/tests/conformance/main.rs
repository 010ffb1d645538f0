//! The backends of this library beside each other and beside wasmtime, in one program: each test program links all engines.

mod differential;
mod hostile_guests;
mod suite;
mod wasi;
