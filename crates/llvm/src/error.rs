//! The errors of loading.

use crate::LIBRARY;

/// Reason for which LLVM cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The library is missing, or not one for this machine; with the system's message.
    #[error("{LIBRARY} cannot be loaded ({0})")]
    Library(String),
    /// The library is built without a function that wasmer's compiler calls.
    #[error("{LIBRARY} has no function {0}: it is built without a target that wasmer's compiler needs")]
    Function(&'static str),
}
