//! Machine code in memory: loading, saving, and the parts of a core module that instances need.

pub(super) mod code;
pub(super) mod core_module;
mod signatures;

pub(crate) use code::{CodeForm, CodeSource, Machine, TrustedCode, load, loader, save, tunables};
pub(crate) use core_module::{CoreModule, SavedImage};
pub(crate) use signatures::Signatures;
