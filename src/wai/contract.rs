//! The contract in `wit/wai`, parsed once: modules are checked against it before and while they run.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use wai_parser::abi::{AbiVariant, WasmSignature, WasmType};
use wai_parser::{Interface, SizeAlign};
use wasmer::{ExternType, FunctionType, Module, Type};

use crate::error::{Error, Result};
use airssys_wasm_component::internal::text;

/// The allocation function of modules.
pub(super) const REALLOC: &str = "canonical_abi_realloc";
/// The function that frees such allocations.
pub(super) const FREE: &str = "canonical_abi_free";
/// The exported memory.
pub(super) const MEMORY: &str = "memory";

/// The interface that a module exports.
const LIFECYCLE: &str = "airssys-component-v1";

/// One interface, with the layout of its values.
pub(super) struct Described {
    pub(super) interface: Interface,
    pub(super) sizes: SizeAlign,
}

/// All interfaces.
pub(super) struct Contract {
    /// The interface that a module exports.
    pub(super) exports: Described,
    /// The interfaces that it may import.
    pub(super) imports: Vec<Described>,
}

/// The reason that a module of the WAI tools is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaiError {
    /// It exports no function of the lifecycle; the text lists its exports.
    #[error("the module does not export the interface of `wit/wai/airssys-component-v1.wai`; {0}")]
    NoLifecycle(String),
    /// It lacks some functions of the lifecycle.
    #[error("`{interface}` lacks {}", missing.join(", "))]
    Partial {
        /// The interface.
        interface: &'static str,
        /// The functions that are missing, in the order of the contract.
        missing: Vec<&'static str>,
    },
    /// A function has a different type than in the contract.
    #[error("`{function}` does not have the contract's type: {source}")]
    Type {
        /// The function.
        function: String,
        /// The expected and the actual type.
        source: Error,
    },
    /// It is not valid, cannot be compiled, or imports anything else than the contract.
    #[error("{0}")]
    Other(#[source] Error),
}

/// Returns the contract.
///
/// # Errors
/// [`Error::Bug`] if `wit/wai` is not valid WAI.
pub(super) fn contract() -> Result<&'static Contract> {
    static CONTRACT: OnceLock<Result<Contract, String>> = OnceLock::new();
    CONTRACT
        .get_or_init(read)
        .as_ref()
        .map_err(|message| Error::bug(message.clone()))
}

fn read() -> Result<Contract, String> {
    Ok(Contract {
        exports: Described::read(LIFECYCLE, include_str!("../../wit/wai/airssys-component-v1.wai"))?,
        imports: vec![
            Described::read(
                "airssys-host-services-v1",
                include_str!("../../wit/wai/airssys-host-services-v1.wai"),
            )?,
            Described::read(
                "airssys-host-capabilities-v1",
                include_str!("../../wit/wai/airssys-host-capabilities-v1.wai"),
            )?,
            Described::read(
                "airssys-multicodec-v1",
                include_str!("../../wit/wai/airssys-multicodec-v1.wai"),
            )?,
        ],
    })
}

impl Described {
    fn read(name: &str, text: &str) -> Result<Described, String> {
        let interface = Interface::parse(name, text).map_err(|error| format!("{name}: {error:#}"))?;
        let mut sizes = SizeAlign::default();
        sizes.fill(&interface);
        Ok(Described { interface, sizes })
    }

    /// Returns the core type of a function, as the host sees it.
    fn function_type(&self, function: &wai_parser::Function, variant: AbiVariant) -> FunctionType {
        let WasmSignature { params, results, .. } = self.interface.wasm_signature(variant, function);
        FunctionType::new(core_types(&params), core_types(&results))
    }
}

fn core_types(types: &[WasmType]) -> Vec<Type> {
    let core = |ty: &WasmType| match ty {
        WasmType::I32 => Type::I32,
        WasmType::I64 => Type::I64,
        WasmType::F32 => Type::F32,
        WasmType::F64 => Type::F64,
    };
    types.iter().map(core).collect()
}

/// Checks everything that the module's types determine.
pub(super) fn check(module: &Module) -> Result<(), WaiError> {
    let contract = contract().map_err(WaiError::Other)?;
    check_exports(module, &contract.exports)?;
    check_memories(module).map_err(WaiError::Other)?;
    check_imports(module, &contract.imports).map_err(WaiError::Other)
}

fn check_exports(module: &Module, described: &'static Described) -> Result<(), WaiError> {
    let functions: BTreeMap<String, FunctionType> = module
        .exports()
        .functions()
        .map(|export| (export.name().to_owned(), export.ty().clone()))
        .collect();
    let lifecycle = &described.interface.functions;
    let missing: Vec<&'static str> = lifecycle
        .iter()
        .map(|function| function.name.as_str())
        .filter(|name| !functions.contains_key(*name))
        .collect();
    if missing.len() == lifecycle.len() {
        let names: Vec<_> = functions.keys().map(String::as_str).collect();
        return Err(WaiError::NoLifecycle(format!(
            "it exports {}",
            text::brief(&names.join(", "))
        )));
    }
    if !missing.is_empty() {
        return Err(WaiError::Partial {
            interface: LIFECYCLE,
            missing,
        });
    }
    let own = lifecycle.iter().map(|function| {
        let ty = described.function_type(function, AbiVariant::GuestExport);
        (function.name.as_str(), ty)
    });
    let allocation = [
        (REALLOC, FunctionType::new([Type::I32; 4], [Type::I32])),
        (FREE, FunctionType::new([Type::I32; 3], [])),
    ];
    for (name, expected) in own.chain(allocation) {
        match functions.get(name) {
            Some(found) if *found == expected => {}
            Some(found) => {
                return Err(WaiError::Type {
                    function: name.to_owned(),
                    source: Error::TypeMismatch {
                        function: name.to_owned(),
                        place: "in the core type".to_owned(),
                        message: format!("expected {expected}, found {found}"),
                    },
                });
            }
            None => {
                return Err(WaiError::Other(Error::MissingExport {
                    kind: "function",
                    name: name.to_owned(),
                    hint: "modules that are built with the WAI tools export it".to_owned(),
                }));
            }
        }
    }
    Ok(())
}

fn check_memories(module: &Module) -> Result<()> {
    if module.info().memories.values().any(|memory| memory.shared) {
        return Err(Error::Unsupported(
            "modules that are built with the WAI tools cannot have a shared memory".to_owned(),
        ));
    }
    match module.exports().memories().any(|memory| memory.name() == MEMORY) {
        true => Ok(()),
        false => Err(Error::MissingExport {
            kind: "memory",
            name: MEMORY.to_owned(),
            hint: "modules that are built with the WAI tools export it".to_owned(),
        }),
    }
}

fn check_imports(module: &Module, known: &[Described]) -> Result<()> {
    for import in module.imports() {
        let name = text::brief(&format!("{}#{}", import.module(), import.name()));
        let described = known
            .iter()
            .find(|described| described.interface.name == import.module());
        let function = described.and_then(|described| {
            let functions = &described.interface.functions;
            let function = functions.iter().find(|function| function.name == import.name());
            function.map(|function| described.function_type(function, AbiVariant::GuestImport))
        });
        match (function, import.ty()) {
            (Some(expected), ExternType::Function(found)) if expected == *found => {}
            (Some(expected), found) => {
                return Err(Error::ImportType {
                    name,
                    message: format!("expected {expected}, found {found:?}"),
                });
            }
            (None, _) => {
                let names: Vec<_> = known
                    .iter()
                    .map(|described| described.interface.name.as_str())
                    .collect();
                return Err(Error::MissingImport {
                    name,
                    hint: format!(
                        "modules that are built with the WAI tools may import only the functions of {}",
                        names.join(", ")
                    ),
                });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wai_parser::{Int, Type, TypeDefKind};

    /// wai-parser computes too small a size where the largest case is not the most aligned one.
    #[test]
    fn every_case_has_room() {
        let contract = contract().unwrap();
        for described in contract.imports.iter().chain([&contract.exports]) {
            let sizes = &described.sizes;
            for (id, ty) in described.interface.types.iter() {
                let (tag, cases): (Int, Vec<Type>) = match &ty.kind {
                    TypeDefKind::Variant(variant) => {
                        (variant.tag(), variant.cases.iter().map(|case| case.ty).collect())
                    }
                    TypeDefKind::Option(some) => (Int::U8, vec![*some]),
                    TypeDefKind::Expected(expected) => (Int::U8, vec![expected.ok, expected.err]),
                    _ => continue,
                };
                let offset = sizes.payload_offset(tag, &cases);
                let room = sizes.size(&Type::Id(id));
                let needed = cases.iter().map(|case| offset + sizes.size(case)).max();
                assert!(needed.is_none_or(|needed| needed <= room), "{ty:?}");
            }
        }
    }
}
