//! `--allow-unsigned`: native code without the signature of a trusted key.
#![allow(
    unsafe_code,
    reason = "the user declares trust in the file on the command line"
)]

use airssys_wasm::artifact::{Artifact, ArtifactError};
use airssys_wasm::component::Component;

/// Loads the component of an artifact without checking its signature. Called for `--allow-unsigned` only.
pub(crate) fn load(artifact: &Artifact<'_>) -> Result<Component, ArtifactError> {
    // SAFETY: with `--allow-unsigned`, the user has stated that the file comes from `airssys-wasm compile`.
    unsafe { artifact.load_unsigned() }
}
