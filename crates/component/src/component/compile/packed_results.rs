//! Packing of two results into one.
//!
//! Some intrinsics of fused adapters return two 32-bit integers. Singlepass compiles no import with more than one
//! result, so adapter modules import those intrinsics with one 64-bit result (the first in the low half), and a
//! function within the module unpacks it. All backends run the same modules.

use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{CodeSection, EntityType, Function, FunctionSection, ImportSection, TypeSection, ValType};
use wasmparser::{CompositeInnerType, Imports, Parser, Payload, TypeRef};

use crate::component::instance::transcode;
use crate::component::ir::{CoreDef, Initializer, Trampoline};
use crate::error::{Error, Result};

/// With the two results of an intrinsic packed in one where one is imported.
pub(in crate::component) fn pack_all(
    mut modules: Vec<Vec<u8>>,
    initializers: &[Initializer],
    trampolines: &[Trampoline],
) -> Result<Vec<Vec<u8>>> {
    for initializer in initializers {
        let Initializer::InstantiateModule { module, args } = initializer else {
            continue;
        };
        let two_results = |def: &CoreDef| match def {
            CoreDef::Trampoline(index) => match trampolines.get(*index as usize) {
                Some(Trampoline::Transcoder { op, .. }) => transcode::signature(*op).1 == 2,
                _ => false,
            },
            _ => false,
        };
        let imports: Vec<usize> = (0..args.len()).filter(|arg| two_results(&args[*arg])).collect();
        if !imports.is_empty() {
            let place = modules
                .get_mut(*module as usize)
                .ok_or_else(|| Error::bug("a core module out of range"))?;
            *place = pack_results(place, &imports)
                .ok_or_else(|| Error::bug("an adapter module of an unknown shape"))?;
        }
    }
    Ok(modules)
}

/// Rewrites `module` so that the function imports at `imports` (positions among all of its imports, in
/// ascending order) have one packed result. `None` if the module has not the shape of an adapter module.
fn pack_results(module: &[u8], imports: &[usize]) -> Option<Vec<u8>> {
    let mut packer = Packer::read(module, imports)?;
    let mut out = wasm_encoder::Module::new();
    packer.parse_core_module(&mut out, Parser::new(0), module).ok()?;
    Some(out.finish())
}

struct Packed {
    /// Position among all imports.
    import: usize,
    /// Function index of the import.
    function: u32,
    /// Type of the function before packing.
    ty: u32,
    params: Vec<ValType>,
}

struct Packer {
    packed: Vec<Packed>,
    types: u32,
    functions: u32,
}

impl Packer {
    fn read(module: &[u8], positions: &[usize]) -> Option<Packer> {
        let mut types = Vec::new();
        let (mut functions, mut packed) = (0, Vec::new());
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
                        let TypeRef::Func(ty) = import.ty else { continue };
                        if positions.contains(&position) {
                            let CompositeInnerType::Func(func) =
                                &types.get(ty as usize)?.composite_type.inner
                            else {
                                return None;
                            };
                            if func.results() != [wasmparser::ValType::I32; 2] {
                                return None;
                            }
                            let params = func.params().iter().map(|ty| (*ty).try_into().ok());
                            let params = params.collect::<Option<_>>()?;
                            packed.push(Packed {
                                import: position,
                                function: functions,
                                ty,
                                params,
                            });
                        }
                        functions += 1;
                    }
                }
                Payload::FunctionSection(section) => functions += section.count(),
                _ => {}
            }
        }
        let types = u32::try_from(types.len()).ok()?;
        (packed.len() == positions.len()).then_some(Packer {
            packed,
            types,
            functions,
        })
    }

    fn place(&self, function: u32) -> Option<u32> {
        let place = self
            .packed
            .iter()
            .position(|packed| packed.function == function)?;
        u32::try_from(place).ok()
    }
}

type Outcome = Result<(), reencode::Error>;

impl Reencode for Packer {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error> {
        Ok(self
            .place(function)
            .map_or(function, |place| self.functions + place))
    }

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Outcome {
        utils::parse_type_section(self, types, section)?;
        for packed in &self.packed {
            types.ty().function(packed.params.iter().copied(), [ValType::I64]);
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
            let place = self.packed.iter().position(|packed| packed.import == position);
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

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Outcome {
        utils::parse_function_section(self, functions, section)?;
        for packed in &self.packed {
            functions.function(packed.ty);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> Outcome {
        utils::parse_code_section(self, code, section)?;
        for packed in &self.packed {
            code.function(&packed.unpacking());
        }
        Ok(())
    }
}

impl Packed {
    /// Builds a function that calls the import and unpacks its result.
    fn unpacking(&self) -> Function {
        let params = u32::try_from(self.params.len()).unwrap_or(u32::MAX);
        let mut function = Function::new([(1, ValType::I64)]);
        let mut body = function.instructions();
        for param in 0..params {
            body.local_get(param);
        }
        body.call(self.function).local_tee(params).i32_wrap_i64();
        body.local_get(params)
            .i64_const(32)
            .i64_shr_u()
            .i32_wrap_i64()
            .end();
        function
    }
}
