//! WASI preview 1 and WASIX for core modules, based on wasmer-wasix.
//!
//! A [`Program`] is a core module with `_start`, which runs from its start to its end. [`Preview1`] holds its grants;
//! as for components, everything is off or virtual by default: no environment, no folders, no network, output to the
//! host's log.
//!
//! Components that were core modules (`airssys_wasm_adapt`) have the same through a [`Preview1Guest`].
//!
//! A guard of this library precedes each of wasmer-wasix's functions (`border`): it contains panics, and
//! corrects wrong answers. `docs/preview1.md` describes both, and the remaining differences.
//!
//! Folders are opened through cap-std (`folder`), so that neither `..` nor a symbolic link leads out of them.
//!
//! wasmer-wasix limits neither the number of a module's descriptors nor the memory for each; [`Preview1Limits`] has the
//! limits that exist.

mod border;
mod checks;
mod file;
mod folder;
mod grants;
mod guest;
mod host;
mod opened;
mod paths;
#[cfg(all(test, feature = "compile"))]
mod planted;
mod poll;
mod program;
mod stdio;
mod tasks;

pub use grants::{Preview1, Preview1Error, Preview1Limits};
pub use guest::{Preview1Guest, Preview1View, add_to_linker, is_imported};
pub use program::{Ended, Program};
