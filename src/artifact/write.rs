//! Making an artifact.

use super::error::ArtifactError;
use super::format::{Header, Kind, Section, assemble};
use super::key::SecretKey;
use crate::component::Precompiled;
use crate::engine::Engine;

/// Compiles a component for the engine's target, and signs what comes of it if there is a key.
///
/// # Errors
/// As [`Component::from_binary`](crate::component::Component::from_binary); another target is no error.
pub fn compile(engine: &Engine, component: &[u8], key: Option<&SecretKey>) -> Result<Vec<u8>, ArtifactError> {
    let precompiled = Precompiled::compile(engine, component)?;
    let mut sections = vec![(Kind::Translated, &precompiled.translated[..])];
    sections.extend(precompiled.code.iter().map(|code| (Kind::Code, &code[..])));
    let entries = sections.iter().map(|(kind, bytes)| Section {
        kind: *kind,
        bytes: bytes.len() as u64,
        digest: *blake3::hash(bytes).as_bytes(),
    });
    let header = Header::new(engine, component, entries.collect());
    let header = borsh::to_vec(&header).map_err(|error| ArtifactError::Header(error.to_string()))?;
    let signature = key.map(|key| key.sign(&header));
    let sections: Vec<&[u8]> = sections.into_iter().map(|(_, bytes)| bytes).collect();
    Ok(assemble(&header, signature, &sections))
}
