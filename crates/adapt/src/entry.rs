//! Entry function of a lifted module.
//!
//! A core start function would run before the host's functions have the module's memory, and a component cannot export
//! `_start`. So this adds a function that calls them: a program's `wasi:cli/run`, or a library's `_initialize`, which
//! components call once everything is instantiated.

use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{Encode, ExportKind, ExportSection, Function, Module, RawSection};
use wasmparser::{BinaryReader, ExportSectionReader, ExternalKind, Parser, Payload, TypeRef};

use super::{AdaptError, ModuleKind};

/// The name of the function that a program exports.
const RUN: &str = "wasi:cli/run@0.2.0#run";
const INITIALIZE: &str = "_initialize";

/// The counts and function indices that a new entry function needs.
#[derive(Debug, Default)]
struct Shape {
    types: u32,
    functions: u32,
    start: Option<u32>,
    /// The exported `_start` or `_initialize`.
    entry: Option<u32>,
    has_code: bool,
}

/// Returns the module with an entry function added, if it needs one.
pub(super) fn with_entry(module: &[u8], kind: ModuleKind) -> Result<Vec<u8>, AdaptError> {
    let name = match kind {
        ModuleKind::Program => "_start",
        ModuleKind::Library => INITIALIZE,
    };
    let shape = read(module, name)?;
    if kind == ModuleKind::Library && shape.start.is_none() {
        return Ok(module.to_vec());
    }
    if !shape.has_code {
        return Err(AdaptError::Encoding(
            "the module's start function is an import".into(),
        ));
    }
    let mut body = Function::new([]);
    for function in [shape.start, shape.entry].into_iter().flatten() {
        body.instructions().call(function);
    }
    if kind == ModuleKind::Program {
        body.instructions().i32_const(0);
    }
    body.instructions().end();
    add(module, kind, &shape, &body)
}

fn invalid(error: wasmparser::BinaryReaderError) -> AdaptError {
    AdaptError::NotWasm(error.to_string())
}

fn read(module: &[u8], entry: &str) -> Result<Shape, AdaptError> {
    let mut shape = Shape::default();
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(invalid)? {
            Payload::TypeSection(section) => {
                for group in section {
                    let types = group.map_err(invalid)?.types().len();
                    shape.types += u32::try_from(types).unwrap_or(u32::MAX);
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    if let TypeRef::Func(_) = import.map_err(invalid)?.ty {
                        shape.functions += 1;
                    }
                }
            }
            Payload::FunctionSection(section) => {
                shape.functions = shape.functions.saturating_add(section.count())
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.map_err(invalid)?;
                    if export.name == entry && export.kind == ExternalKind::Func {
                        shape.entry = Some(export.index);
                    }
                }
            }
            Payload::StartSection { func, .. } => shape.start = Some(func),
            Payload::CodeSectionStart { .. } => shape.has_code = true,
            _ => {}
        }
    }
    Ok(shape)
}

/// Appends the function, its type and its export, and removes the start section.
fn add(module: &[u8], kind: ModuleKind, shape: &Shape, body: &Function) -> Result<Vec<u8>, AdaptError> {
    let mut changed = Module::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.map_err(invalid)?;
        let Some((id, range)) = payload.as_section() else {
            continue;
        };
        let contents = module.get(range).unwrap_or_default();
        let mut extra = Vec::new();
        match payload {
            Payload::StartSection { .. } => continue,
            Payload::ExportSection(exports) => {
                changed.section(&exported(exports, kind, shape.functions)?);
                continue;
            }
            // A function type without parameters; a program's returns an `i32`.
            Payload::TypeSection(_) => extra.extend_from_slice(match kind {
                ModuleKind::Program => &[0x60, 0, 1, 0x7f],
                ModuleKind::Library => &[0x60, 0, 0],
            }),
            Payload::FunctionSection(_) => shape.types.encode(&mut extra),
            Payload::CodeSectionStart { .. } => body.encode(&mut extra),
            _ => {
                changed.section(&RawSection { id, data: contents });
                continue;
            }
        }
        let data = one_more(contents, &extra)?;
        changed.section(&RawSection { id, data: &data });
    }
    Ok(changed.finish())
}

/// Returns the exports with that of the new function. It replaces a library's own `_initialize`.
fn exported(
    exports: ExportSectionReader<'_>,
    kind: ModuleKind,
    function: u32,
) -> Result<ExportSection, AdaptError> {
    let name = match kind {
        ModuleKind::Program => RUN,
        ModuleKind::Library => INITIALIZE,
    };
    let mut section = ExportSection::new();
    for export in exports {
        let export = export.map_err(invalid)?;
        if export.name != name {
            let kind = RoundtripReencoder
                .export_kind(export.kind)
                .map_err(AdaptError::encoding)?;
            section.export(export.name, kind, export.index);
        }
    }
    section.export(name, ExportKind::Func, function);
    Ok(section)
}

/// Returns a section with one item appended.
fn one_more(contents: &[u8], item: &[u8]) -> Result<Vec<u8>, AdaptError> {
    let mut reader = BinaryReader::new(contents, 0);
    let count = reader.read_var_u32().map_err(invalid)?;
    let items = contents.get(reader.original_position()..).unwrap_or_default();
    let mut section = Vec::with_capacity(contents.len() + item.len() + 5);
    count.saturating_add(1).encode(&mut section);
    section.extend_from_slice(items);
    section.extend_from_slice(item);
    Ok(section)
}
