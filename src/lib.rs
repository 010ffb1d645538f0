//! A host for WebAssembly components on wasmer.
//!
//! - [`component`]: the component model, with the names of `wasmtime::component`.
//! - [`engine`]: which compiler, under which limits.
//! - [`error`]: what can go wrong, by whose fault.

pub mod component;
pub mod engine;
pub mod error;

pub use error::{Error, Result};
