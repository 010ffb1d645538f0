//! Types of core modules, from the translator's.

use wasmtime_environ::component::{ComponentTypesBuilder, TypeModuleIndex};
use wasmtime_environ::{EntityType, IndexType, Limits, WasmFuncType, WasmHeapType, WasmRefType, WasmValType};

use super::unsupported;
use crate::component::load::module_type::{CoreExternType, CoreImport, CoreLimits, CoreValType, ModuleType};
use crate::error::{Error, Result};

/// A declared type of a core module.
///
/// # Errors
/// [`Error::Unsupported`] for types outside the supported features, which validation refuses before.
pub(super) fn module_type(types: &ComponentTypesBuilder, index: TypeModuleIndex) -> Result<ModuleType> {
    let ty = &types[index];
    let imports = ty.imports.iter().map(|((module, name), ty)| {
        Ok(CoreImport {
            module: module.clone(),
            name: name.clone(),
            ty: extern_type(types, ty)?,
        })
    });
    let exports = ty
        .exports
        .iter()
        .map(|(name, ty)| Ok((name.clone(), extern_type(types, ty)?)));
    Ok(ModuleType {
        imports: imports.collect::<Result<_>>()?,
        exports: exports.collect::<Result<_>>()?,
    })
}

fn extern_type(types: &ComponentTypesBuilder, ty: &EntityType) -> Result<CoreExternType> {
    Ok(match ty {
        EntityType::Function(index) => {
            let index = index.as_module_type_index();
            let index = index.ok_or_else(|| Error::bug("a function type of another module"))?;
            let func = types[index].as_func();
            let func: &WasmFuncType = func.ok_or_else(|| Error::bug("a function without a function type"))?;
            let list = |types: &[WasmValType]| types.iter().map(|ty| value(*ty)).collect::<Result<_>>();
            CoreExternType::Func {
                params: list(func.params())?,
                results: list(func.results())?,
            }
        }
        EntityType::Table(table) => CoreExternType::Table {
            element: value(WasmValType::Ref(table.ref_type))?,
            limits: limits(table.idx_type, table.limits)?,
        },
        EntityType::Memory(memory) if memory.shared => return Err(unsupported("a shared memory")),
        EntityType::Memory(memory) => CoreExternType::Memory(limits(memory.idx_type, memory.limits)?),
        EntityType::Global(global) => CoreExternType::Global {
            ty: value(global.wasm_ty)?,
            mutable: global.mutability,
        },
        EntityType::Tag(_) => return Err(unsupported("a tag")),
    })
}

fn limits(index: IndexType, limits: Limits) -> Result<CoreLimits> {
    match index {
        IndexType::I32 => Ok(CoreLimits {
            min: limits.min,
            max: limits.max,
        }),
        IndexType::I64 => Err(unsupported("a memory or table of 64 bits")),
    }
}

fn value(ty: WasmValType) -> Result<CoreValType> {
    Ok(match ty {
        WasmValType::I32 => CoreValType::I32,
        WasmValType::I64 => CoreValType::I64,
        WasmValType::F32 => CoreValType::F32,
        WasmValType::F64 => CoreValType::F64,
        WasmValType::V128 => CoreValType::V128,
        WasmValType::Ref(WasmRefType {
            nullable: true,
            heap_type: WasmHeapType::Func,
        }) => CoreValType::FuncRef,
        WasmValType::Ref(WasmRefType {
            nullable: true,
            heap_type: WasmHeapType::Extern,
        }) => CoreValType::ExternRef,
        WasmValType::Ref(_) => return Err(unsupported("typed references")),
    })
}
