//! A host for WebAssembly components on wasmer.
//!
//! - [`codec`]: payloads, and the seven codecs of the contract.
//! - [`component`]: the component model, with the names of `wasmtime::component`.
//! - [`engine`]: which compiler, under which limits.
//! - [`error`]: what can go wrong, by whose fault.

pub mod codec;
pub mod component;
pub mod engine;
pub mod error;

pub use error::{Error, Result};
