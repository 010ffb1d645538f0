//! The imports of an instance: checked, and as the code finds them.
#![allow(
    unsafe_code,
    reason = "the engine's records of functions are reached through pointers"
)]

use wasmer::sys::vm::{
    Imports, InternalStoreHandle, LinearMemory, StoreObjects, VMExtern, VMFunction, VMFunctionImport,
    VMFunctionKind, VMGlobalImport, VMMemoryImport, VMTableImport,
};
use wasmer_types::entity::PrimaryMap;
use wasmer_types::{ExternType, FunctionIndex, ImportIndex, MemoryIndex, MemoryStyle, ModuleInfo, TableType};

use super::plan::InstancePlan;

/// Resolves the imports of a module, which are in its order, of this store.
///
/// # Errors
/// A message with the import that is missing or does not fit.
pub(super) fn resolve(
    plan: &InstancePlan,
    imports: &[VMExtern],
    objects: &StoreObjects,
) -> Result<Imports, String> {
    let info = &plan.info;
    let mut functions = PrimaryMap::with_capacity(info.num_imported_functions);
    let mut tables = PrimaryMap::with_capacity(info.num_imported_tables);
    let mut memories = PrimaryMap::with_capacity(info.num_imported_memories);
    let mut globals = PrimaryMap::with_capacity(info.num_imported_globals);
    for (at, wanted) in plan.imports.iter().enumerate() {
        let unfit = |why: &str| format!("import {at} {why}");
        match (wanted, imports.get(at)) {
            (_, None) => return Err(unfit("is missing")),
            (ImportIndex::Function(index), Some(VMExtern::Function(handle))) => {
                let function = function(plan, *index, *handle, objects);
                functions.push(function.ok_or_else(|| unfit("is a function of another type"))?);
            }
            (ImportIndex::Table(index), Some(VMExtern::Table(handle))) => {
                let table = handle.get(objects);
                let wanted = info.tables.get(*index);
                let given = ExternType::Table(*table.ty());
                let size = Some(table.get_runtime_size());
                // The engine holds function references compatible with any element.
                let fits = |wanted: &TableType| {
                    wanted.ty == table.ty().ty && given.is_compatible_with(&ExternType::Table(*wanted), size)
                };
                if !wanted.is_some_and(fits) {
                    return Err(unfit("is a table of another type"));
                }
                tables.push(VMTableImport {
                    definition: table.vmtable(),
                    handle: *handle,
                });
            }
            (ImportIndex::Memory(index), Some(VMExtern::Memory(handle))) => {
                let memory = handle.get(objects);
                let wanted = info.memories.get(*index).copied().map(ExternType::Memory);
                let given = ExternType::Memory(memory.ty());
                let size = Some(memory.get_runtime_size());
                if !wanted.is_some_and(|wanted| given.is_compatible_with(&wanted, size)) {
                    return Err(unfit("is a memory of another type"));
                }
                if !is_reached(plan, *index, &memory.style()) {
                    return Err(unfit("is a memory that its code cannot access"));
                }
                memories.push(VMMemoryImport {
                    definition: memory.vmmemory(),
                    handle: *handle,
                });
            }
            (ImportIndex::Global(index), Some(VMExtern::Global(handle))) => {
                let global = handle.get(objects);
                if info.globals.get(*index) != Some(global.ty()) {
                    return Err(unfit("is a global of another type"));
                }
                globals.push(VMGlobalImport {
                    definition: global.vmglobal(),
                    handle: *handle,
                });
            }
            // No component's module has tags.
            (_, Some(_)) => return Err(unfit("is of another kind")),
        }
    }
    Ok(Imports::new(functions, tables, memories, globals))
}

/// Returns an imported function as the code finds it; `None` if it has another type.
fn function(
    plan: &InstancePlan,
    index: FunctionIndex,
    handle: InternalStoreHandle<VMFunction>,
    objects: &StoreObjects,
) -> Option<VMFunctionImport> {
    let function = handle.get(objects);
    if Some(&function.signature) != signature(&plan.info, index) {
        return None;
    }
    let entry = function.anyfunc.as_ptr();
    if matches!(function.kind, VMFunctionKind::Dynamic) {
        // Reached through the importing module's conversion of arguments.
        let conversion = plan.dynamic.get(index)?;
        // SAFETY: the store's record of a host function, which lives as long as the store; nothing else refers to it now, since the
        // store is borrowed.
        unsafe { (*entry.as_ptr()).func_ptr = conversion.0.cast_mut().cast() };
    }
    // SAFETY: the record of a function of the host or of an instance, which live as long as the store; nothing writes it now.
    let entry = unsafe { entry.as_ref() };
    Some(VMFunctionImport {
        body: entry.func_ptr,
        environment: entry.vmctx,
        handle,
        include_m0_param: function.host_data.is::<()>(),
    })
}

fn signature(info: &ModuleInfo, function: FunctionIndex) -> Option<&wasmer_types::FunctionType> {
    info.signatures.get(*info.functions.get(function)?)
}

/// Reports whether code that was compiled for one style of memories can access one of another.
fn is_reached(plan: &InstancePlan, memory: MemoryIndex, given: &MemoryStyle) -> bool {
    plan.memory_styles.get(memory).is_some_and(|wanted| {
        let is_reserved = matches!(given, MemoryStyle::Static) || !matches!(wanted, MemoryStyle::Static);
        is_reserved && given.offset_guard_size() >= wanted.offset_guard_size()
    })
}
