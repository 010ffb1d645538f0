//! Types of core modules: what they import and export, and whether one module may stand where another is declared.
//!
//! Subtyping is WebAssembly's own ("Import Matching"): functions and globals match exactly, tables and memories by their
//! limits. A module may export more than is declared, and import less ([Type Checking]).
//!
//! [Type Checking]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Explainer.md#type-checking

use std::collections::HashMap;
use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::text::brief;

/// The type of a core module.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ModuleType {
    /// Imports, in the order of the module.
    pub imports: Vec<CoreImport>,
    /// Exports, by name, in the order of the module.
    pub exports: Vec<(String, CoreExternType)>,
}

/// An import of a core module.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CoreImport {
    /// The first of its two names.
    pub module: String,
    /// The second.
    pub name: String,
    /// Its type.
    pub ty: CoreExternType,
}

/// The type of something that core modules import or export.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum CoreExternType {
    /// A function.
    Func {
        /// Types of its parameters.
        params: Vec<CoreValType>,
        /// Types of its results.
        results: Vec<CoreValType>,
    },
    /// A table.
    Table {
        /// The type of its elements.
        element: CoreValType,
        /// Elements.
        limits: CoreLimits,
    },
    /// A linear memory, in pages of 64 KiB.
    Memory(CoreLimits),
    /// A global.
    Global {
        /// The type of its value.
        ty: CoreValType,
        /// Mutability.
        mutable: bool,
    },
}

/// A core value type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum CoreValType {
    /// `i32`
    I32,
    /// `i64`
    I64,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `v128`
    V128,
    /// `funcref`
    FuncRef,
    /// `externref`
    ExternRef,
}

/// How large a table or memory is at first, and may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CoreLimits {
    /// At first.
    pub min: u64,
    /// At most; as far as the engine allows without.
    pub max: Option<u64>,
}

impl CoreLimits {
    fn fits(self, declared: CoreLimits) -> bool {
        self.min >= declared.min
            && declared
                .max
                .is_none_or(|most| self.max.is_some_and(|max| max <= most))
    }
}

impl CoreExternType {
    /// Returns whether this type is a subtype of `declared`.
    pub fn is_subtype(&self, declared: &CoreExternType) -> bool {
        use CoreExternType::{Memory, Table};
        match (self, declared) {
            (Memory(limits), Memory(declared)) => limits.fits(*declared),
            (
                Table { element, limits },
                Table {
                    element: wanted,
                    limits: declared,
                },
            ) => element == wanted && limits.fits(*declared),
            (found, declared) => found == declared,
        }
    }
}

impl ModuleType {
    /// Checks that a module of this type may be used as one of the type `declared`.
    ///
    /// # Errors
    /// The first difference, both sides of it.
    pub(in crate::component) fn check(&self, declared: &ModuleType) -> Result<(), String> {
        let exports: HashMap<&str, &CoreExternType> = self
            .exports
            .iter()
            .map(|(name, ty)| (name.as_str(), ty))
            .collect();
        for (name, wanted) in &declared.exports {
            match exports.get(name.as_str()) {
                None => {
                    return Err(format!(
                        "the component needs a core module with the export `{}` of the type {}, and the linker's has none \
                         of that name",
                        brief(name),
                        brief(wanted)
                    ));
                }
                Some(found) if !found.is_subtype(wanted) => {
                    return Err(format!(
                        "the component needs a core module whose export `{}` is {}, but the linker's has {}",
                        brief(name),
                        brief(wanted),
                        brief(found)
                    ));
                }
                Some(_) => {}
            }
        }
        let given: HashMap<(&str, &str), &CoreExternType> = declared
            .imports
            .iter()
            .map(|import| ((import.module.as_str(), import.name.as_str()), &import.ty))
            .collect();
        for import in &self.imports {
            match given.get(&(import.module.as_str(), import.name.as_str())) {
                None => {
                    return Err(format!(
                        "the linker's core module imports {import}, of type {}, which the component does not provide",
                        brief(&import.ty)
                    ));
                }
                Some(given) if !given.is_subtype(&import.ty) => {
                    return Err(format!(
                        "the linker's core module imports {import} as {}, but the component provides {}",
                        brief(&import.ty),
                        brief(given)
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// `` `env#memory` ``
impl fmt::Display for CoreImport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}#{}`", brief(&self.module), brief(&self.name))
    }
}

/// As the text format writes it: `(func (param i32) (result i64))`, `(memory 1 2)`.
impl fmt::Display for CoreExternType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, word: &str, types: &[CoreValType]| {
            if types.is_empty() {
                return Ok(());
            }
            write!(f, " ({word}")?;
            types.iter().try_for_each(|ty| write!(f, " {ty}"))?;
            f.write_str(")")
        };
        match self {
            CoreExternType::Func { params, results } => {
                f.write_str("(func")?;
                list(f, "param", params)?;
                list(f, "result", results)?;
                f.write_str(")")
            }
            CoreExternType::Table { element, limits } => write!(f, "(table {limits} {element})"),
            CoreExternType::Memory(limits) => write!(f, "(memory {limits})"),
            CoreExternType::Global { ty, mutable: true } => write!(f, "(global (mut {ty}))"),
            CoreExternType::Global { ty, mutable: false } => write!(f, "(global {ty})"),
        }
    }
}

impl fmt::Display for CoreLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.max {
            Some(max) => write!(f, "{} {max}", self.min),
            None => write!(f, "{}", self.min),
        }
    }
}

impl fmt::Display for CoreValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CoreValType::I32 => "i32",
            CoreValType::I64 => "i64",
            CoreValType::F32 => "f32",
            CoreValType::F64 => "f64",
            CoreValType::V128 => "v128",
            CoreValType::FuncRef => "funcref",
            CoreValType::ExternRef => "externref",
        })
    }
}

#[cfg(feature = "compile")]
mod read {
    use wasmparser::{CompositeInnerType, ExternalKind, FuncType, Parser, Payload, TypeRef, ValType};

    use super::{CoreExternType, CoreImport, CoreLimits, CoreValType, ModuleType};

    /// The index spaces of a module, as far as its type needs them.
    #[derive(Default)]
    struct Spaces {
        types: Vec<Option<FuncType>>,
        functions: Vec<u32>,
        tables: Vec<wasmparser::TableType>,
        memories: Vec<wasmparser::MemoryType>,
        globals: Vec<wasmparser::GlobalType>,
    }

    impl ModuleType {
        /// The type of a module that is valid with the supported features; `None` for any other.
        pub(crate) fn read(module: &[u8]) -> Option<ModuleType> {
            let mut spaces = Spaces::default();
            let (mut imports, mut exports) = (Vec::new(), Vec::new());
            for payload in Parser::new(0).parse_all(module) {
                match payload.ok()? {
                    Payload::TypeSection(section) => {
                        for group in section {
                            for ty in group.ok()?.into_types() {
                                spaces.types.push(match ty.composite_type.inner {
                                    CompositeInnerType::Func(func) => Some(func),
                                    _ => None,
                                });
                            }
                        }
                    }
                    Payload::ImportSection(section) => {
                        for import in section.into_imports() {
                            let import = import.ok()?;
                            imports.push(CoreImport {
                                module: import.module.to_owned(),
                                name: import.name.to_owned(),
                                ty: spaces.import(import.ty)?,
                            });
                        }
                    }
                    Payload::FunctionSection(section) => {
                        for ty in section {
                            spaces.functions.push(ty.ok()?);
                        }
                    }
                    Payload::TableSection(section) => {
                        for table in section {
                            spaces.tables.push(table.ok()?.ty);
                        }
                    }
                    Payload::MemorySection(section) => {
                        for memory in section {
                            spaces.memories.push(memory.ok()?);
                        }
                    }
                    Payload::GlobalSection(section) => {
                        for global in section {
                            spaces.globals.push(global.ok()?.ty);
                        }
                    }
                    Payload::ExportSection(section) => {
                        for export in section {
                            let export = export.ok()?;
                            let ty = spaces.item(export.kind, export.index as usize)?;
                            exports.push((export.name.to_owned(), ty));
                        }
                    }
                    Payload::CodeSectionStart { .. } => break,
                    _ => {}
                }
            }
            Some(ModuleType { imports, exports })
        }
    }

    impl Spaces {
        fn import(&mut self, ty: TypeRef) -> Option<CoreExternType> {
            Some(match ty {
                TypeRef::Func(ty) => {
                    self.functions.push(ty);
                    self.func(ty)?
                }
                TypeRef::Table(ty) => {
                    self.tables.push(ty);
                    table(&ty)?
                }
                TypeRef::Memory(ty) => {
                    self.memories.push(ty);
                    memory(&ty)
                }
                TypeRef::Global(ty) => {
                    self.globals.push(ty);
                    global(&ty)?
                }
                TypeRef::Tag(_) | TypeRef::FuncExact(_) => return None,
            })
        }

        fn item(&self, kind: ExternalKind, index: usize) -> Option<CoreExternType> {
            match kind {
                ExternalKind::Func => self.func(*self.functions.get(index)?),
                ExternalKind::Table => table(self.tables.get(index)?),
                ExternalKind::Memory => self.memories.get(index).map(memory),
                ExternalKind::Global => global(self.globals.get(index)?),
                ExternalKind::Tag | ExternalKind::FuncExact => None,
            }
        }

        fn func(&self, ty: u32) -> Option<CoreExternType> {
            let func = self.types.get(ty as usize)?.as_ref()?;
            let list = |types: &[ValType]| types.iter().map(|ty| value(*ty)).collect::<Option<Vec<_>>>();
            Some(CoreExternType::Func {
                params: list(func.params())?,
                results: list(func.results())?,
            })
        }
    }

    fn table(ty: &wasmparser::TableType) -> Option<CoreExternType> {
        Some(CoreExternType::Table {
            element: value(ValType::Ref(ty.element_type))?,
            limits: CoreLimits {
                min: ty.initial,
                max: ty.maximum,
            },
        })
    }

    fn memory(ty: &wasmparser::MemoryType) -> CoreExternType {
        CoreExternType::Memory(CoreLimits {
            min: ty.initial,
            max: ty.maximum,
        })
    }

    fn global(ty: &wasmparser::GlobalType) -> Option<CoreExternType> {
        Some(CoreExternType::Global {
            ty: value(ty.content_type)?,
            mutable: ty.mutable,
        })
    }

    fn value(ty: ValType) -> Option<CoreValType> {
        Some(match ty {
            ValType::I32 => CoreValType::I32,
            ValType::I64 => CoreValType::I64,
            ValType::F32 => CoreValType::F32,
            ValType::F64 => CoreValType::F64,
            ValType::V128 => CoreValType::V128,
            ValType::FUNCREF => CoreValType::FuncRef,
            ValType::EXTERNREF => CoreValType::ExternRef,
            ValType::Ref(_) => return None,
        })
    }
}
