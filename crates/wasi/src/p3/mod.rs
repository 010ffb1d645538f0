//! WASI 0.3 for components, over the grants, limits and deadlines of a [`WasiCtx`](crate::WasiCtx), as WASI 0.2 is.
//!
//! The packages `wasi:clocks`, `wasi:random`, `wasi:cli`, `wasi:filesystem`, `wasi:sockets` and `wasi:http`. Real components import 0.2 and 0.3
//! together, so that a linker usually has both:
//!
//! ```
//! # mod airssys_wasm {
//! #     pub use airssys_wasm_component::*;
//! #     pub use airssys_wasm_wasi as wasi;
//! # }
//! use airssys_wasm::component::Linker;
//! use airssys_wasm::engine::Engine;
//! use airssys_wasm::wasi::{self, WasiState};
//!
//! # fn main() -> Result<(), airssys_wasm::Error> {
//! let mut linker = Linker::<WasiState>::new(&Engine::default());
//! wasi::add_to_linker(&mut linker)?;
//! wasi::p3::add_to_linker(&mut linker)?;
//! # Ok(())
//! # }
//! ```
//!
//! Functions that wait let the store's other tasks run, until the deadline of the call that runs them.

#[allow(unreachable_pub, reason = "it is generated as for a public module")]
pub(crate) mod bindings;
mod cli;
mod clocks;
mod command;
mod files;
pub(crate) mod http;
mod link;
mod random;
mod sockets;
mod streams;
#[cfg(test)]
mod tests;
mod wait;

pub use command::{Command, CommandRun, is_command, run_command};
pub(crate) use link::{add_imports, exported, is_supported};
pub use link::{add_to_linker, is_imported};
