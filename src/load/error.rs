//! Errors of loading.

use std::path::PathBuf;

use crate::artifact::ArtifactError;
use crate::error::Error;

/// An error of opening or loading a [`Source`](super::Source).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The artifact is refused.
    #[error("the artifact `{}` cannot be loaded: {source}", path.display())]
    Artifact {
        /// The file; `-` for bytes.
        path: PathBuf,
        /// The reason.
        source: ArtifactError,
    },
    /// A core module cannot be converted to a component.
    #[cfg(feature = "adapt")]
    #[error("the core module cannot be loaded: {0}")]
    CoreModule(#[source] airssys_wasm_adapt::AdaptError),
    /// A module of the WAI tools does not follow the contract.
    #[cfg(feature = "wai")]
    #[error("{0}")]
    Wai(#[source] crate::wai::WaiError),
    /// The component cannot be compiled.
    #[error("the component cannot be loaded: {0}")]
    Component(#[source] Error),
    /// The engine that [`LoadOptions::engine`](super::LoadOptions::engine) requests cannot be created.
    #[error("the engine cannot be created: {0}")]
    Engine(#[source] Error),
}
