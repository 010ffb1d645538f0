//! Conversion of preview 1 and WASIX imports to imports of WIT functions.
//!
//! All parameters and results of these functions are core numbers, and a WIT function of numbers is lowered to a core
//! function of the same numbers. So the imports are renamed, and the world declares each function with the type that
//! the module imports it with.

use std::collections::BTreeMap;
use std::fmt::Write;

use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{ImportSection, Module, RawSection};
use wasmparser::{FuncType, Parser, Payload, TypeRef, ValType};
use wit_parser::Resolve;

use super::{AdaptError, ModuleKind, world};

/// The package of the interfaces for core imports that wasmer-wasix provides. Each interface has the name of the core
/// module that the functions were imported from: `wasi_snapshot_preview1`'s `fd_write` is `wasi-snapshot-preview1`'s
/// `fd-write`.
pub const IMPORTS_PACKAGE: &str = "airssys:core-imports@1.0.0";

/// A provider of functions: the package of their interfaces, and the core modules that they are imported from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Provider {
    package: &'static str,
    modules: &'static [&'static str],
}

/// wasmer-wasix.
pub(super) const WASIX: Provider = Provider {
    package: IMPORTS_PACKAGE,
    modules: &["wasi_snapshot_preview1", "wasi_unstable", "wasix_32v1"],
};

/// This library's WASI (`wasi::snapshot1`).
pub(super) const OWN: Provider = Provider {
    package: "airssys:preview1@1.0.0",
    modules: &["wasi_snapshot_preview1"],
};

/// The interface that programs export.
const RUN: &str = "package wasi:cli@0.2.0; interface run { run: func() -> result; }";

/// Converts a core name to a WIT name.
fn kebab(name: &str) -> String {
    name.replace('_', "-")
}

/// Interfaces by core module, and their functions' types by name.
type Interfaces = BTreeMap<String, BTreeMap<String, FuncType>>;

/// Renames a module's imports of preview 1, and adds them to its world.
pub(super) fn to_host(module: &[u8], provider: Provider, kind: ModuleKind) -> Result<Vec<u8>, AdaptError> {
    let invalid = |error: wasmparser::BinaryReaderError| AdaptError::NotWasm(error.to_string());
    let mut types = Vec::new();
    let mut interfaces = Interfaces::new();
    let mut renamed = Module::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.map_err(invalid)?;
        match &payload {
            Payload::TypeSection(section) => {
                for ty in section.clone().into_iter_err_on_gc_types() {
                    types.push(ty.map_err(invalid)?);
                }
            }
            Payload::ImportSection(section) => {
                let mut imports = ImportSection::new();
                for import in section.clone().into_imports() {
                    let import = import.map_err(invalid)?;
                    let ty = RoundtripReencoder
                        .entity_type(import.ty)
                        .map_err(AdaptError::encoding)?;
                    match import.ty {
                        TypeRef::Func(index) if provider.modules.contains(&import.module) => {
                            let ty_of = types.get(index as usize).cloned();
                            let wrong = || AdaptError::Import {
                                module: import.module.to_owned(),
                                name: import.name.to_owned(),
                            };
                            let function = ty_of.filter(is_numbers).ok_or_else(wrong)?;
                            let (interface, name) = (kebab(import.module), kebab(import.name));
                            imports.import(&full_name(provider.package, &interface), &name, ty);
                            interfaces.entry(interface).or_default().insert(name, function);
                        }
                        _ => {
                            imports.import(import.module, import.name, ty);
                        }
                    }
                }
                renamed.section(&imports);
                continue;
            }
            _ => {}
        }
        if let Some((id, range)) = payload.as_section() {
            let data = module.get(range).unwrap_or_default();
            renamed.section(&RawSection { id, data });
        }
    }
    if interfaces.is_empty() && kind == ModuleKind::Library {
        return Ok(module.to_vec());
    }
    let mut resolve = Resolve::default();
    resolve.push_str("run.wit", RUN).map_err(AdaptError::world)?;
    let package = resolve
        .push_str("core-imports.wit", &wit(provider.package, &interfaces, kind))
        .map_err(AdaptError::world)?;
    let imports = resolve
        .select_world(&[package], None)
        .map_err(AdaptError::world)?;
    world::embed(&renamed.finish(), &resolve, imports)
}

/// Returns the name of an interface with its package: `PACKAGE/INTERFACE@VERSION`.
fn full_name(package: &str, interface: &str) -> String {
    match package.split_once('@') {
        Some((package, version)) => format!("{package}/{interface}@{version}"),
        None => format!("{package}/{interface}"),
    }
}

/// Returns whether a WIT function of this type is lowered to the same core type: at most 16 parameters and one result,
/// all integers.
fn is_numbers(ty: &FuncType) -> bool {
    let mut all = ty.params().iter().chain(ty.results());
    ty.params().len() <= 16
        && ty.results().len() <= 1
        && all.all(|ty| matches!(ty, ValType::I32 | ValType::I64))
}

fn wit(package: &str, interfaces: &Interfaces, kind: ModuleKind) -> String {
    let mut text = format!("package {package};\n");
    // Writing to a string cannot fail.
    for (interface, functions) in interfaces {
        let _ = writeln!(text, "interface {interface} {{");
        for (name, ty) in functions {
            let params: Vec<_> = (0..).zip(ty.params()).map(param).collect();
            let result = ty
                .results()
                .first()
                .map_or(String::new(), |ty| format!(" -> {}", number(*ty)));
            let _ = writeln!(text, "    %{name}: func({}){result};", params.join(", "));
        }
        text.push_str("}\n");
    }
    text.push_str("world imports {\n");
    for interface in interfaces.keys() {
        let _ = writeln!(text, "    import {interface};");
    }
    if kind == ModuleKind::Program {
        text.push_str("    export wasi:cli/run@0.2.0;\n");
    }
    text.push_str("}\n");
    text
}

fn param((index, ty): (u32, &ValType)) -> String {
    format!("p{index}: {}", number(*ty))
}

fn number(ty: ValType) -> &'static str {
    match ty {
        ValType::I64 => "u64",
        _ => "u32",
    }
}
