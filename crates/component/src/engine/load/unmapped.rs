//! Names of systems on which the engine maps code itself.

use std::convert::Infallible;
use std::ops::Range;
use std::sync::Arc;

use wasmer::RuntimeError;
use wasmer::sys::vm::Trap;

use super::code::TrustedCode;
use crate::engine::run::instance::InstancePlan;
use crate::engine::run::saved_state::SavedState;

/// Nothing is mapped here.
pub(crate) const IS_SUPPORTED: bool = false;

/// Code that does not exist.
#[derive(Debug)]
pub(crate) struct MappedCode(Infallible);

impl MappedCode {
    pub(super) fn load(_: TrustedCode<'_>) -> Result<Arc<MappedCode>, String> {
        Err("images are mapped by the engine here".into())
    }

    pub(super) fn plan(&self) -> &Arc<InstancePlan> {
        match self.0 {}
    }

    pub(super) fn is_metered(&self) -> bool {
        match self.0 {}
    }

    pub(super) fn has_state(&self) -> bool {
        match self.0 {}
    }

    pub(super) fn functions(&self) -> Option<Range<usize>> {
        match self.0 {}
    }

    pub(super) fn register_frames(&self) {
        match self.0 {}
    }

    pub(super) fn whole(&self) -> Result<&wasmer::Module, &str> {
        match self.0 {}
    }
}

/// Describes nothing: artifacts that are made here are for the engine's loader.
#[cfg(feature = "compile")]
pub(crate) fn describe(_: &wasmer::Module, _: &[u8]) -> Option<Vec<u8>> {
    None
}

/// Fails: nothing that is made here has a description.
///
/// # Errors
/// Always.
pub(crate) fn describe_with(_: &[u8], _: &SavedState) -> Result<Vec<u8>, String> {
    Err("images are mapped by the engine here".into())
}

/// Converts a trap to the engine's error.
#[cold]
pub(crate) fn error_of(trap: Trap) -> RuntimeError {
    trap.into()
}

/// Does nothing: the engine knows all frames.
#[cold]
pub(crate) fn register_stack() {}
