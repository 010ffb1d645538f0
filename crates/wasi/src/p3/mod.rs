//! WASI 0.3 for components, over the grants, limits and deadlines of a [`WasiCtx`](crate::WasiCtx), as WASI 0.2 is.
//!
//! The packages `wasi:clocks`, `wasi:random`, `wasi:cli` and `wasi:filesystem`. Real components import 0.2 and 0.3 together, so that a linker usually
//! has both. The engine has to permit asynchronous components:
//!
//! ```
//! # mod airssys_wasm {
//! #     pub use airssys_wasm_component::*;
//! #     pub use airssys_wasm_wasi as wasi;
//! # }
//! use airssys_wasm::component::Linker;
//! use airssys_wasm::engine::{Config, Engine};
//! use airssys_wasm::wasi::{self, WasiState};
//!
//! # fn main() -> Result<(), airssys_wasm::Error> {
//! let engine = Engine::new(Config::new().wasm_component_model_async(true))?;
//! let mut linker = Linker::<WasiState>::new(&engine);
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
mod random;
mod streams;
#[cfg(test)]
mod tests;
mod wait;

pub use command::{Command, CommandRun, is_command, run_command};

use airssys_wasm_component::component::Linker;
use airssys_wasm_component::error::Result;

use crate::WasiView;
use crate::link::attached;
use crate::view::HasWasi;

/// Defines every interface of WASI 0.3 that the host implements, for components built against any 0.3 version.
///
/// # Errors
/// [`Error::Redefined`](airssys_wasm_component::Error::Redefined) if the linker already defines one of them.
pub fn add_to_linker<T: WasiView>(linker: &mut Linker<T>) -> Result<()> {
    bindings::Imports::add_to_linker::<T, HasWasi>(linker, attached)
}
