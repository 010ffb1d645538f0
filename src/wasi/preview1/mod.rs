//! WASI preview 1 and WASIX for core modules, by wasmer-wasix.
//!
//! A [`Program`] is a core module with `_start`, which is run from its beginning to its end. What it may do is said by a
//! [`Preview1`]; as for components, everything is off or virtual at first: no environment, no folders, no network, output
//! to the host's log.
//!
//! Components that were core modules ([`adapt`](crate::adapt)) have the same through a [`Preview1Guest`].
//!
//! Before each of wasmer-wasix's functions stands one of this library's ([`Border`](border)): it contains panics, and answers
//! where wasmer-wasix answers wrongly. `docs/preview1.md` has both, and what differs.
//!
//! Folders are opened through cap-std ([`Folder`](folder)), so that neither `..` nor a symbolic link leads out of them.
//!
//! wasmer-wasix bounds neither how many descriptors a module holds nor what it keeps for each; [`Preview1Limits`] has the
//! bounds that there are.

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
