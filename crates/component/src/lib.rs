//! The WebAssembly component model on wasmer.
//!
//! - [`artifact`]: components compiled ahead of time, signed, and their cache.
//! - [`component`]: components, linkers, instances, functions and values, with the names of `wasmtime::component`.
//! - [`engine`]: compilers, their options, and limits.
//! - [`error`]: errors, and traps.
//! - [`tiered`]: components that start on quickly compiled code, while optimized code is compiled.
//! - `wave` (feature): values and calls as text.
//!
//! Hosts of the lifecycle contract use `airssys-wasm`, which re-exports these modules. Code that the macros generate names the
//! crate `airssys_wasm`; a crate that depends on this one alone adds
//! `extern crate airssys_wasm_component as airssys_wasm;` to its root.
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `cranelift` | yes | the compiler Cranelift |
//! | `llvm` | | the compiler LLVM; loads the shared library `libLLVM.so.22.1` when it compiles |
//! | `singlepass` | | the compiler Singlepass |
//! | `interrupt` | yes | calls that end at their deadlines |
//! | `headless` | | no compiler: runs artifacts only |
//! | `wave` | | values and calls as text |

// Derived code names the crate as its users do.
extern crate self as airssys_wasm;

pub mod artifact;
pub mod component;
pub mod engine;
pub mod error;
#[doc(hidden)]
pub mod internal;
mod panics;
mod text;
mod threads;
pub mod tiered;
#[cfg(feature = "wave")]
pub mod wave;

pub use error::{Error, Result};
pub use panics::quiet_contained;
