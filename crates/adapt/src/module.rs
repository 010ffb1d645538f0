//! Properties of a core module that are known without compiling it.

use wasmparser::{Encoding, Parser, Payload};

use super::AdaptError;

/// Kinds of core modules, by their use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModuleKind {
    /// It exports `_start`, and runs once, from beginning to end.
    Program,
    /// It exports functions to call.
    Library,
}

/// Properties of a core module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) kind: ModuleKind,
    /// True if it contains a description of its world, as written by wit-bindgen.
    pub(super) describes_itself: bool,
    /// True if it imports functions that only wasmer-wasix provides: WASIX, threads, or `wasi_unstable`, the
    /// predecessor of preview 1.
    pub(super) wasix: bool,
    /// True for the output of Go's own compiler.
    pub(super) go: bool,
    pub(super) realloc: Realloc,
}

/// Allocators that a module exports for an adapter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Realloc {
    /// `cabi_realloc`.
    pub(super) general: bool,
    /// `cabi_realloc_adapter`.
    pub(super) adapter: bool,
}

/// Returns whether bytes begin with the header of a core module.
pub fn is_core_module(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm\x01\0\0\0")
}

/// Returns the kind of a core module.
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
        wasix: false,
        go: false,
        realloc: Realloc::default(),
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
                    match export.name {
                        "_start" => shape.kind = ModuleKind::Program,
                        "cabi_realloc" => shape.realloc.general = true,
                        "cabi_realloc_adapter" => shape.realloc.adapter = true,
                        _ => {}
                    }
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import.map_err(|error| AdaptError::NotWasm(error.to_string()))?;
                    // The module `wasi` has only `thread-spawn`.
                    let module = import.module;
                    shape.wasix |=
                        module.starts_with("wasix_") || module == "wasi_unstable" || module == "wasi";
                }
            }
            Payload::CustomSection(section) if section.name() == "go:buildid" => shape.go = true,
            Payload::CustomSection(section) if section.name().starts_with("component-type") => {
                shape.describes_itself = true;
            }
            _ => {}
        }
    }
    Ok(shape)
}
