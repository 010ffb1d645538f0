//! Machine code in memory: loading, saving, and the parts of a core module that instances need.

pub(super) mod code;
pub(super) mod core_module;
#[cfg(unix)]
mod mapped;
#[cfg(not(unix))]
#[path = "unmapped.rs"]
mod mapped;
mod signatures;
mod source;

pub(crate) use code::{CodeForm, Machine, SavedDescription, TrustedCode, loader, save, tunables};
pub(crate) use core_module::{Code, CoreModule, SavedImage};
#[cfg(feature = "compile")]
pub(crate) use mapped::describe;
pub(crate) use mapped::{IS_SUPPORTED as SNAPSHOTS, describe_with, error_of, register_stack};
pub(crate) use signatures::Signatures;
pub(crate) use source::{CodeSource, read_exact_at};

/// Describes nothing: this build has no compiler.
#[cfg(not(feature = "compile"))]
pub(crate) fn describe(_: &wasmer::Module, _: &[u8]) -> Option<Vec<u8>> {
    None
}
