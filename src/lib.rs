//! A host for WebAssembly components on wasmer.
//!
//! - [`actors`]: components with mailboxes, supervised, on an [`ActorSystem`].
//! - `adapt` (feature): conversion of core modules into components.
//! - [`artifact`]: components compiled ahead of time, signed.
//! - [`codec`]: payloads, and the seven codecs of the contract.
//! - [`component`]: the component model, with the names of `wasmtime::component`.
//! - [`engine`]: compilers, their options, and limits.
//! - [`error`]: errors, sorted by whose fault they are.
//! - [`host_file`]: hosts that are declared in a file, `HOST.toml`.
//! - [`host`]: the contract's interfaces that components import.
//! - [`load`]: files and bytes, loaded to components.
//! - [`manifest`]: manifests of components, `component.toml`.
//! - [`messaging`]: identities, mailboxes and routing.
//! - [`runtime`]: the lifecycle of the contract, run by [`ComponentRuntime`].
//! - [`security`]: capabilities, policies that grant them, and the audit of each decision.
//! - [`tiered`]: components that start on quick code while optimized code is compiled.
//! - `wai` (feature): core modules that are built with the WAI tools.
//! - `wasi` (feature): WASI 0.2 for components.
//! - `wave` (feature of that name): values and calls as text.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `cranelift` | yes | the compiler Cranelift |
//! | `llvm` | | the compiler LLVM; loads the shared library `libLLVM.so.22.1` when it compiles |
//! | `singlepass` | | the compiler Singlepass |
//! | `interrupt` | yes | calls end at their deadlines, whatever the guest does; costs each core call about 30 ns |
//! | `wasi` | yes | WASI 0.2: clocks, random numbers, files, sockets, HTTP; all denied or virtual until granted |
//! | `wasix` | | WASI preview 1 and WASIX for core modules, by wasmer-wasix |
//! | `adapt` | | core modules are converted when they are loaded |
//! | `wai` | | core modules of the WAI tools |
//! | `wave` | | values and calls as text |
//! | `durable` | | messages and settings of actors outlast the process, in a file ([`actors`]) |
//! | `schema` | | the JSON Schema of manifests is generated from their types; its text is in every build |
//! | `headless` | | in place of all compilers: runs artifacts only |
//!
//! `compile` is what the three compilers share, and comes with each of them.

// Derived code names the crate as its users do.
extern crate self as airssys_wasm;
// So does the glue of WAI, which names the crate that made it.
#[cfg(feature = "wai")]
extern crate self as wai_bindgen_wasmer;
#[cfg(feature = "wai")]
use wai::support::*;

pub mod actors;
#[cfg(all(test, feature = "adapt", feature = "wave"))]
mod boundaries;
pub mod codec;
pub mod host;
pub mod host_file;
pub mod limits;
pub mod load;
pub mod manifest;
pub mod messaging;
pub mod runtime;
pub mod security;
#[cfg(feature = "wai")]
pub mod wai;

pub use actors::ActorSystem;
#[cfg(feature = "adapt")]
pub use airssys_wasm_adapt as adapt;
#[cfg(feature = "wave")]
pub use airssys_wasm_component::wave;
pub use airssys_wasm_component::{
    Error, Result, artifact, component, engine, error, flags, quiet_contained, tiered,
};
#[cfg(feature = "durable")]
pub use airssys_wasm_store as store;
#[cfg(feature = "wasi")]
pub use airssys_wasm_wasi as wasi;
pub use runtime::{
    ComponentId, ComponentOptions, ComponentRuntime, ComponentState, ExecuteOptions, RuntimeConfig,
    RuntimeError,
};

/// The README's example is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
