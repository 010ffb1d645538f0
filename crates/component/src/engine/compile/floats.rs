//! Keeps floats out of the calls between Singlepass's modules, and between them and the host.
//!
//! Singlepass passes floats in integer registers. When it calls an import, it moves the parameters to where the
//! platform has floats. Host functions look for them there, but functions of other instances read the integer
//! registers. Results fail the other way round: the caller reads an integer register, where host functions do not
//! leave them. So each function that crosses a module's border with a float in its signature is compiled with integers
//! of the same bits there, and a function within the module converts them.

use std::borrow::Cow;
use std::convert::Infallible;

use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection, Module,
    SectionId, TypeSection, ValType,
};
use wasmparser::{
    CompositeInnerType, ExternalKind, FuncType, Imports, KnownCustom, Parser, Payload, TypeRef,
};

/// Replaces floats with integers at the module's border, as its callers expect.
///
/// # Errors
/// A message, if the module cannot be read; a valid module always can.
pub(in crate::engine) fn keep_within(module: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    let unreadable = || "the floats in its function types cannot be determined".to_owned();
    let mut border = Border::read(module).ok_or_else(unreadable)?;
    if border.imports.is_empty() && border.exports.is_empty() {
        return Ok(Cow::Borrowed(module));
    }
    let mut out = Module::new();
    border
        .parse_core_module(&mut out, Parser::new(0), module)
        .map_err(|error| {
            format!("the floats in its function types cannot be converted to integers: {error}")
        })?;
    Ok(Cow::Owned(out.finish()))
}

/// A function with floats in its signature.
struct Crossing {
    function: u32,
    /// Index of the type with floats.
    ty: u32,
    params: Vec<ValType>,
    results: Vec<ValType>,
}

#[derive(Default)]
struct Border {
    imports: Vec<Crossing>,
    exports: Vec<Crossing>,
    types: u32,
    functions: u32,
    /// True if the module has the section, or it has been added.
    has_functions: bool,
    has_code: bool,
    /// Prefix that no export's name begins with.
    unused: String,
}

impl Border {
    fn read(module: &[u8]) -> Option<Border> {
        let mut border = Border::default();
        let mut types: Vec<Option<FuncType>> = Vec::new();
        let mut functions = Vec::new();
        for payload in Parser::new(0).parse_all(module) {
            match payload.ok()? {
                Payload::TypeSection(section) => {
                    for group in section {
                        for ty in group.ok()?.into_types() {
                            types.push(match ty.composite_type.inner {
                                CompositeInnerType::Func(func) => Some(func),
                                _ => None,
                            });
                        }
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section {
                        // The compact forms are outside the supported features.
                        let Imports::Single(_, import) = import.ok()? else {
                            return None;
                        };
                        if let TypeRef::Func(ty) = import.ty {
                            border.imports.extend(crossing(&types, functions.len(), ty)?);
                            functions.push(ty);
                        }
                    }
                }
                Payload::FunctionSection(section) => {
                    border.has_functions = true;
                    for ty in section {
                        functions.push(ty.ok()?);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export.ok()?;
                        if export.kind == ExternalKind::Func && border.export(export.index).is_none() {
                            let index = export.index as usize;
                            border
                                .exports
                                .extend(crossing(&types, index, *functions.get(index)?)?);
                        }
                        while export.name.starts_with(&border.unused) {
                            border.unused.push('-');
                        }
                    }
                }
                Payload::CodeSectionStart { .. } => border.has_code = true,
                _ => {}
            }
        }
        border.types = u32::try_from(types.len()).ok()?;
        border.functions = u32::try_from(functions.len()).ok()?;
        Some(border)
    }

    /// Returns the function's position among the imports with floats.
    fn import(&self, function: u32) -> Option<u32> {
        place(&self.imports, function)
    }

    /// Returns the function's position among the exports with floats.
    fn export(&self, function: u32) -> Option<u32> {
        place(&self.exports, function)
    }

    fn count(&self) -> u32 {
        u32::try_from(self.imports.len()).unwrap_or(u32::MAX)
    }

    /// Returns the index of a function within the module: for an import with floats, that of its adapter.
    fn within(&self, function: u32) -> u32 {
        self.import(function)
            .map_or(function, |place| self.functions + place)
    }

    fn add_functions(&self, functions: &mut FunctionSection) {
        for import in &self.imports {
            functions.function(import.ty);
        }
        for (ty, _) in (self.types + self.count()..).zip(&self.exports) {
            functions.function(ty);
        }
    }

    fn add_code(&self, code: &mut CodeSection) {
        for import in &self.imports {
            code.function(&import.to_integers());
        }
        for export in &self.exports {
            code.function(&export.to_floats(self.within(export.function)));
        }
    }
}

fn place(crossings: &[Crossing], function: u32) -> Option<u32> {
    let place = crossings
        .iter()
        .position(|crossing| crossing.function == function)?;
    u32::try_from(place).ok()
}

/// Reads the signature of a function that may cross the border. The outer `None` if the module cannot be read,
/// the inner one if the function has no floats.
fn crossing(types: &[Option<FuncType>], function: usize, ty: u32) -> Option<Option<Crossing>> {
    let func = types.get(ty as usize)?.as_ref()?;
    let read = |types: &[wasmparser::ValType]| -> Option<Vec<ValType>> {
        types.iter().map(|ty| (*ty).try_into().ok()).collect()
    };
    let crossing = Crossing {
        function: u32::try_from(function).ok()?,
        ty,
        params: read(func.params())?,
        results: read(func.results())?,
    };
    let floats = crossing
        .params
        .iter()
        .chain(&crossing.results)
        .any(|ty| integer(*ty) != *ty);
    Some(floats.then_some(crossing))
}

/// Returns the type that a value has at the border.
fn integer(ty: ValType) -> ValType {
    match ty {
        ValType::F32 => ValType::I32,
        ValType::F64 => ValType::I64,
        other => other,
    }
}

impl Crossing {
    /// Builds the adapter that takes floats and calls the import.
    fn to_integers(&self) -> Function {
        self.adapter(self.function, true)
    }

    /// Builds the adapter that takes integers and calls `function`.
    fn to_floats(&self, function: u32) -> Function {
        self.adapter(function, false)
    }

    fn adapter(&self, callee: u32, from_floats: bool) -> Function {
        // Several results are kept in locals after the parameters while each is converted.
        let locals = self.results.iter().map(|ty| {
            let ty = if from_floats { integer(*ty) } else { *ty };
            (1, ty)
        });
        let mut function = Function::new(locals);
        let params = (0..).zip(&self.params);
        for (local, ty) in params {
            function.instructions().local_get(local);
            turn(&mut function, *ty, from_floats);
        }
        function.instructions().call(callee);
        let first = u32::try_from(self.params.len()).unwrap_or(u32::MAX);
        for (local, _) in (first..).zip(&self.results).collect::<Vec<_>>().into_iter().rev() {
            function.instructions().local_set(local);
        }
        for (local, ty) in (first..).zip(&self.results) {
            function.instructions().local_get(local);
            turn(&mut function, *ty, !from_floats);
        }
        function.instructions().end();
        function
    }
}

/// Converts the value on the stack between `ty` and the type that it has at the border.
fn turn(function: &mut Function, ty: ValType, from_float: bool) {
    let mut body = function.instructions();
    match (ty, from_float) {
        (ValType::F32, true) => body.i32_reinterpret_f32(),
        (ValType::F32, false) => body.f32_reinterpret_i32(),
        (ValType::F64, true) => body.i64_reinterpret_f64(),
        (ValType::F64, false) => body.f64_reinterpret_i64(),
        _ => return,
    };
}

type Outcome = Result<(), reencode::Error>;

impl Reencode for Border {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error> {
        Ok(self.within(function))
    }

    /// Removes name sections that cannot be read: such modules are valid, and the names are of no use.
    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: wasmparser::CustomSectionReader<'_>,
    ) -> Outcome {
        let KnownCustom::Name(names) = section.as_known() else {
            return utils::parse_custom_section(self, module, section);
        };
        if let Ok(names) = self.custom_name_section(names) {
            module.section(&names);
        }
        Ok(())
    }

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Outcome {
        utils::parse_type_section(self, types, section)?;
        for crossing in self.imports.iter().chain(&self.exports) {
            let integers = |types: &[ValType]| types.iter().copied().map(integer).collect::<Vec<_>>();
            types
                .ty()
                .function(integers(&crossing.params), integers(&crossing.results));
        }
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Outcome {
        let mut function = 0;
        for import in section {
            let import = import?;
            let place = match &import {
                Imports::Single(_, import) if matches!(import.ty, TypeRef::Func(_)) => {
                    function += 1;
                    self.import(function - 1)
                }
                _ => None,
            };
            match (import, place) {
                (Imports::Single(_, import), Some(place)) => {
                    let ty = EntityType::Function(self.types + place);
                    imports.import(import.module, import.name, ty);
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
        self.add_functions(functions);
        Ok(())
    }

    fn parse_export(&mut self, exports: &mut ExportSection, export: wasmparser::Export<'_>) -> Outcome {
        let place = match export.kind {
            ExternalKind::Func => self.export(export.index),
            _ => None,
        };
        let Some(place) = place else {
            return utils::parse_export(self, exports, export);
        };
        let adapter = self.functions + self.count() + place;
        exports.export(export.name, ExportKind::Func, adapter);
        // `ref.func` may name exported functions, so the inner function must stay exported.
        let within = format!("{}{}", self.unused, export.name);
        exports.export(&within, ExportKind::Func, self.within(export.index));
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> Outcome {
        utils::parse_code_section(self, code, section)?;
        self.add_code(code);
        Ok(())
    }

    /// Adds the sections for new functions to a module of imports alone.
    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Outcome {
        let early = matches!(
            before,
            Some(SectionId::Type | SectionId::Import | SectionId::Function)
        );
        if !self.has_functions && !early {
            let mut functions = FunctionSection::new();
            self.add_functions(&mut functions);
            module.section(&functions);
            self.has_functions = true;
        }
        if !self.has_code && matches!(before, Some(SectionId::Data) | None) {
            let mut code = CodeSection::new();
            self.add_code(&mut code);
            module.section(&code);
            self.has_code = true;
        }
        Ok(())
    }
}
