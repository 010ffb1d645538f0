//! Making of an instance from the engine's parts.
#![allow(
    unsafe_code,
    reason = "the engine's instance is built of records that refer to each other by pointers"
)]

use std::sync::Arc;

use wasmer::sys::NativeEngineExt;
use wasmer::sys::vm::{Imports, InstanceAllocator, StoreHandle, VMInstance};
use wasmer::{AsStoreMut, Extern, InstantiationError, LinkError};
use wasmer_types::entity::PrimaryMap;

use super::imports;
use super::plan::InstancePlan;
use super::tables::CalledTables;
use crate::engine::load::core_module::CoreModule;
use crate::engine::load::error_of;

/// Instantiates a module. `imports` are in the order of its imports.
///
/// # Errors
/// As [`wasmer::Instance::new_by_index`].
pub(super) fn instance(
    store: &mut impl AsStoreMut,
    module: &CoreModule,
    imports: &[Extern],
) -> Result<(StoreHandle<VMInstance>, Arc<InstancePlan>), Box<InstantiationError>> {
    let mut store = store.as_store_mut();
    if imports.iter().any(|import| !import.is_from_store(&store)) {
        return Err(Box::new(InstantiationError::DifferentStores));
    }
    let imports: Vec<_> = imports
        .iter()
        .map(|import| import.to_vm_extern().unwrap_sys())
        .collect();
    let unfit = |message: String| Box::new(InstantiationError::Link(LinkError::Resource(message)));
    let plan = module.plan().map_err(|message| unfit(message.to_owned()))?;
    let refused = |error: wasmer_compiler::LinkError| unfit(error.to_string());
    let engine = store.engine().clone();
    let tunables = engine.tunables();
    let objects = store.objects_mut().as_sys_mut();
    let imports = imports::resolve(plan, &imports, objects).map_err(unfit)?;
    let (allocator, memories, tables, globals) =
        InstanceAllocator::new_with_offsets(plan.offsets.clone(), &plan.info);
    let in_tables = match plan.tables.is_empty() {
        true => Imports::none(),
        false => imports.clone(),
    };
    // SAFETY: the places are those of this module's memories, tables and globals in the record that was allocated for it, and are written
    // before the instance exists. The functions are those that the module's description has, in its order, and their code lives as long as
    // the module, which outlives the store. The imports were checked.
    let made = unsafe {
        let memories = tunables
            .create_memories(objects, &plan.info, &plan.memory_styles, &memories)
            .map_err(refused)?;
        let tables = tunables
            .create_tables(objects, &plan.info, &plan.table_styles, &tables)
            .map_err(refused)?;
        let globals = tunables
            .create_globals(objects, &plan.info, &globals)
            .map_err(refused)?;
        VMInstance::new(
            allocator,
            plan.info.clone(),
            objects,
            plan.functions.clone(),
            plan.trampolines.clone(),
            memories.into_boxed_slice(),
            tables.into_boxed_slice(),
            globals.into_boxed_slice(),
            PrimaryMap::new().into_boxed_slice(),
            imports,
            plan.signatures.clone(),
        )
    };
    let mut made = made.map_err(|trap| Box::new(InstantiationError::Start(error_of(trap))))?;
    // SAFETY: the instance is new, and of this plan.
    let written = unsafe { CalledTables::write(&made, plan, &in_tables, objects) };
    written.map_err(|message| unfit(message.to_owned()))?;
    let config = wasmer::sys::vm::VMConfig {
        wasm_stack_size: tunables.vmconfig().wasm_stack_size,
    };
    // SAFETY: the instance is new, and the store is borrowed for the call of its start function.
    let finished =
        plan.with_data(|data| store.parked(|| unsafe { made.finish_instantiation(&config, None, data) }));
    // After a trap, too: its functions may be in tables of other instances.
    let handle = StoreHandle::new(store.objects_mut().as_sys_mut(), made);
    match finished {
        Ok(()) => Ok((handle, plan.clone())),
        Err(trap) => Err(Box::new(InstantiationError::Start(error_of(trap)))),
    }
}
