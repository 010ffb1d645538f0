//! What can be told of a core module without compiling it.

use wasmparser::{Encoding, Parser, Payload};

use super::AdaptError;

/// What a core module is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModuleKind {
    /// It exports `_start`: it is run once, from its beginning to its end.
    Program,
    /// Its functions are called.
    Library,
}

/// What is known of a core module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) kind: ModuleKind,
    /// Whether it carries a description of its world, as wit-bindgen leaves it.
    pub(super) describes_itself: bool,
}

/// Whether bytes begin as a core module does.
pub fn is_core_module(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm\x01\0\0\0")
}

/// What a core module is for.
///
/// # Errors
/// [`AdaptError::NotWasm`], [`AdaptError::Component`].
pub fn kind(module: &[u8]) -> Result<ModuleKind, AdaptError> {
    Ok(read(module)?.kind)
}

pub(super) fn read(module: &[u8]) -> Result<Shape, AdaptError> {
    let mut shape = Shape {
        kind: ModuleKind::Library,
        describes_itself: false,
    };
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(|error| AdaptError::NotWasm(error.to_string()))? {
            Payload::Version {
                encoding: Encoding::Component,
                ..
            } => return Err(AdaptError::Component),
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export.map_err(|error| AdaptError::NotWasm(error.to_string()))?;
                    if export.name == "_start" {
                        shape.kind = ModuleKind::Program;
                    }
                }
            }
            Payload::CustomSection(section) if section.name().starts_with("component-type") => {
                shape.describes_itself = true;
            }
            _ => {}
        }
    }
    Ok(shape)
}
