//! The compared engines: every backend of this build, and the reference.

use crate::{Ours, Reference, Subject};
use anyhow::Result;

/// The reference engine's name, as returned by its subject.
pub const REFERENCE: &str = "wasmtime";

/// Returns all engines, the reference last.
///
/// # Errors
/// A build without a backend, or a reference that refuses its configuration.
pub fn all() -> Result<Vec<Box<dyn Subject>>> {
    let mut subjects: Vec<Box<dyn Subject>> = Vec::new();
    for ours in Ours::all()? {
        subjects.push(Box::new(ours));
    }
    anyhow::ensure!(!subjects.is_empty(), "this build has no backend to compare");
    subjects.push(Box::new(Reference::new()?));
    Ok(subjects)
}
