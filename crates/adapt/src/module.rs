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
    /// True if it imports functions that wasmer-wasix alone has: WASIX, threads, or preview 1 as it was at first.
    pub(super) wasix: bool,
    /// True for the output of Go's own compiler.
    pub(super) go: bool,
    pub(super) realloc: Realloc,
}

/// How an adapter gets memory of a module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Realloc {
    /// `cabi_realloc`.
    pub(super) general: bool,
    /// `cabi_realloc_adapter`.
    pub(super) adapter: bool,
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
                    // `wasi` has `thread-spawn` alone.
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
