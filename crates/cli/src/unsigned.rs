//! `--allow-unsigned`: native code that nobody whom the user named has signed.
#![allow(
    unsafe_code,
    reason = "the user answers for the file, on the command line; this is where the program takes that on"
)]

use airssys_wasm::artifact::{Artifact, ArtifactError};
use airssys_wasm::component::Component;

/// The component of an artifact, whoever made it. Called for `--allow-unsigned` alone.
pub(crate) fn load(artifact: &Artifact<'_>) -> Result<Component, ArtifactError> {
    // SAFETY: whoever gave `--allow-unsigned` has said that the file comes from `airssys-wasm compile`.
    unsafe { artifact.load_unsigned() }
}
