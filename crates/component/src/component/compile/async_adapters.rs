//! Adapters between components of which one is asynchronous.
//!
//! Such an adapter passes functions to the host: the callee, and two of its own, which copy the parameters and the result. The
//! translator's adapters pass references. They are rewritten here to pass numbers, by which the host finds the functions among
//! the exports of the adapter modules.
//!
//! The adapters also keep a global that tells if the running task may block, and trap where one that may not calls an asynchronous
//! function. By the specification a call traps only once it blocks, which the host checks. So they are rewritten to read that the task
//! may block, and to write nothing.

use std::collections::HashMap;

use airssys_wasm_abi::{CoreSignature, CoreType};
use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{EntityType, ImportSection, Instruction, TypeSection, ValType};
use wasmparser::{CompositeInnerType, ExternalKind, FuncType, Imports, Operator, Parser, Payload, TypeRef};

use crate::component::ir::{AdapterFunc, Builtin, CoreDef, CoreExport, Initializer, Trampoline};
use crate::error::{Error, Result};

/// Rewrites the adapter modules, and returns the functions that they pass to the host, in the order of their numbers.
pub(in crate::component) fn rewrite_all(
    modules: &mut [Vec<u8>],
    initializers: &[Initializer],
    trampolines: &[Trampoline],
) -> Result<Vec<AdapterFunc>> {
    let mut adapters = Vec::new();
    let mut instance = 0;
    for initializer in initializers {
        match initializer {
            Initializer::InstantiateModule { module, args } => {
                let takes_functions = |def: &CoreDef| match def {
                    CoreDef::Trampoline(index) => matches!(
                        trampolines.get(*index as usize),
                        Some(Trampoline::Concurrent(
                            Builtin::PrepareCall { .. }
                                | Builtin::SyncStartCall { .. }
                                | Builtin::AsyncStartCall { .. }
                        ))
                    ),
                    _ => false,
                };
                let imports: Vec<usize> = (0..args.len())
                    .filter(|arg| takes_functions(&args[*arg]))
                    .collect();
                let may_block = args.iter().position(|def| matches!(def, CoreDef::TaskMayBlock));
                if !imports.is_empty() || may_block.is_some() {
                    let module = modules
                        .get_mut(*module as usize)
                        .ok_or_else(|| Error::bug("a core module out of range"))?;
                    *module = rewrite(module, instance, &imports, may_block, &mut adapters)
                        .ok_or_else(|| Error::bug("an asynchronous adapter module of an unknown shape"))?;
                }
                instance += 1;
            }
            Initializer::InstantiateImport { .. } => instance += 1,
            _ => {}
        }
    }
    Ok(adapters)
}

/// Rewrites the module of a core instance. The imports at `imports` take functions, the one at `may_block` is the global. `None` if the
/// module has not the shape of an adapter module.
fn rewrite(
    module: &[u8],
    instance: u32,
    imports: &[usize],
    may_block: Option<usize>,
    adapters: &mut Vec<AdapterFunc>,
) -> Option<Vec<u8>> {
    let mut adapter = Adapter::read(module, instance, imports, may_block)?;
    adapter.first = u32::try_from(adapters.len()).ok()?;
    let mut out = wasm_encoder::Module::new();
    adapter.parse_core_module(&mut out, Parser::new(0), module).ok()?;
    adapters.append(&mut adapter.passed);
    Some(out.finish())
}

struct Adapter {
    instance: u32,
    /// Positions among all imports of the functions that take functions, with their new types.
    imports: Vec<(usize, Vec<ValType>, Vec<ValType>)>,
    /// Index of the global.
    may_block: Option<u32>,
    /// Number of types.
    types: u32,
    /// The type of each function.
    functions: Vec<FuncType>,
    /// Names of the exported functions, by index.
    exports: HashMap<u32, String>,
    /// The number of the first function that this module passes.
    first: u32,
    /// The functions that it passes so far.
    passed: Vec<AdapterFunc>,
    /// Their places in `passed`, by index.
    places: HashMap<u32, u32>,
}

impl Adapter {
    fn read(module: &[u8], instance: u32, positions: &[usize], may_block: Option<usize>) -> Option<Adapter> {
        let mut types = Vec::new();
        let mut globals = 0;
        let mut adapter = Adapter {
            instance,
            imports: Vec::new(),
            may_block: None,
            types: 0,
            functions: Vec::new(),
            exports: HashMap::new(),
            first: 0,
            passed: Vec::new(),
            places: HashMap::new(),
        };
        let func =
            |types: &[wasmparser::SubType], ty: u32| match &types.get(ty as usize)?.composite_type.inner {
                CompositeInnerType::Func(func) => Some(func.clone()),
                _ => None,
            };
        for payload in Parser::new(0).parse_all(module) {
            match payload.ok()? {
                Payload::TypeSection(section) => {
                    for group in section {
                        types.extend(group.ok()?.into_types());
                    }
                }
                Payload::ImportSection(section) => {
                    for (position, import) in section.into_iter().enumerate() {
                        let Imports::Single(_, import) = import.ok()? else {
                            return None;
                        };
                        match import.ty {
                            TypeRef::Func(ty) => {
                                let ty = func(&types, ty)?;
                                if positions.contains(&position) {
                                    let (params, results) = (numbers(ty.params())?, numbers(ty.results())?);
                                    adapter.imports.push((position, params, results));
                                }
                                adapter.functions.push(ty);
                            }
                            TypeRef::Global(_) => {
                                if may_block == Some(position) {
                                    adapter.may_block = Some(globals);
                                }
                                globals += 1;
                            }
                            _ => {}
                        }
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        adapter.functions.push(func(&types, ty.ok()?)?);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export.ok()?;
                        if export.kind == ExternalKind::Func {
                            adapter.exports.insert(export.index, export.name.to_owned());
                        }
                    }
                }
                _ => {}
            }
        }
        adapter.types = u32::try_from(types.len()).ok()?;
        let complete =
            adapter.imports.len() == positions.len() && adapter.may_block.is_some() == may_block.is_some();
        complete.then_some(adapter)
    }

    /// Returns the number of a function that is passed to the host; `None` if the host cannot call it.
    fn number(&mut self, function: u32) -> Option<u32> {
        let place = match self.places.get(&function) {
            Some(place) => *place,
            None => {
                let ty = self.functions.get(function as usize)?;
                let core = |types: &[wasmparser::ValType]| types.iter().map(core_type).collect::<Option<_>>();
                let place = u32::try_from(self.passed.len()).ok()?;
                self.passed.push(AdapterFunc {
                    export: CoreExport {
                        instance: self.instance,
                        name: self.exports.get(&function)?.clone(),
                    },
                    signature: CoreSignature {
                        params: core(ty.params())?,
                        results: core(ty.results())?,
                    },
                });
                self.places.insert(function, place);
                place
            }
        };
        self.first.checked_add(place)
    }
}

/// The same types with numbers instead of functions.
fn numbers(types: &[wasmparser::ValType]) -> Option<Vec<ValType>> {
    let number = |ty: &wasmparser::ValType| match *ty {
        wasmparser::ValType::FUNCREF => Some(ValType::I32),
        ty => ty.try_into().ok(),
    };
    types.iter().map(number).collect()
}

fn core_type(ty: &wasmparser::ValType) -> Option<CoreType> {
    Some(match ty {
        wasmparser::ValType::I32 => CoreType::I32,
        wasmparser::ValType::I64 => CoreType::I64,
        wasmparser::ValType::F32 => CoreType::F32,
        wasmparser::ValType::F64 => CoreType::F64,
        _ => return None,
    })
}

/// The error for a function that the adapter module passes to the host and does not export.
#[derive(Debug, thiserror::Error)]
#[error("a function {0} that the host cannot call")]
struct NotExported(u32);

type Outcome = Result<(), reencode::Error<NotExported>>;

impl Reencode for Adapter {
    type Error = NotExported;

    fn instruction<'a>(
        &mut self,
        operator: Operator<'a>,
    ) -> Result<Instruction<'a>, reencode::Error<NotExported>> {
        match operator {
            Operator::RefFunc { function_index } => {
                let number = self.number(function_index);
                let number = number.ok_or(reencode::Error::UserError(NotExported(function_index)))?;
                Ok(Instruction::I32Const(number.cast_signed()))
            }
            Operator::GlobalGet { global_index } if self.may_block == Some(global_index) => {
                Ok(Instruction::I32Const(1))
            }
            Operator::GlobalSet { global_index } if self.may_block == Some(global_index) => {
                Ok(Instruction::Drop)
            }
            operator => utils::instruction(self, operator),
        }
    }

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Outcome {
        utils::parse_type_section(self, types, section)?;
        for (_, params, results) in &self.imports {
            types
                .ty()
                .function(params.iter().copied(), results.iter().copied());
        }
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Outcome {
        for (position, import) in section.into_iter().enumerate() {
            let import = import?;
            let place = self.imports.iter().position(|(import, ..)| *import == position);
            match (import, place) {
                (Imports::Single(_, import), Some(place)) => {
                    let ty = self.types + u32::try_from(place).unwrap_or(u32::MAX);
                    imports.import(import.module, import.name, EntityType::Function(ty));
                }
                (import, _) => self.parse_imports(imports, import)?,
            }
        }
        Ok(())
    }
}
