//! A host for WebAssembly components on wasmer.
//!
//! - `adapt` (feature): core modules, made components.
//! - [`artifact`]: components compiled ahead of time, signed.
//! - [`codec`]: payloads, and the seven codecs of the contract.
//! - [`component`]: the component model, with the names of `wasmtime::component`.
//! - `conformance` (feature): component-model test scripts, and calls compared between engines.
//! - [`engine`]: which compiler, under which limits.
//! - [`error`]: what can go wrong, by whose fault.
//! - [`host`]: what components import of the contract.
//! - [`messaging`]: identities, mailboxes and routing.
//! - [`runtime`]: the life cycle of the contract, run by [`ComponentRuntime`].
//! - [`security`]: what components may do.
//! - [`tiered`]: components that start on quick code while better code is compiled.
//! - `wai` (feature): core modules that are built with the WAI tools.
//! - `wasi` (feature): WASI 0.2 for components.
//! - `wave` (feature of that name): values and calls as text.

// Derived code names the crate as its users do.
extern crate self as airssys_wasm;
// So does the glue of WAI, which names the crate that made it.
#[cfg(feature = "wai")]
extern crate self as wai_bindgen_wasmer;
#[cfg(feature = "wai")]
use wai::support::*;

#[cfg(feature = "adapt")]
pub mod adapt;
pub mod artifact;
pub mod codec;
pub mod component;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod engine;
pub mod error;
pub mod host;
pub mod messaging;
mod panics;
pub mod runtime;
pub mod security;
mod text;
mod threads;
pub mod tiered;
#[cfg(feature = "wai")]
pub mod wai;
#[cfg(feature = "wasi")]
pub mod wasi;
#[cfg(feature = "wave")]
pub mod wave;

pub use error::{Error, Result};
pub use panics::quiet_contained;
pub use runtime::{
    ComponentId, ComponentOptions, ComponentRuntime, ComponentState, ExecuteOptions, RuntimeConfig,
    RuntimeError,
};

/// The README's example is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
