//! Tables of fixed size that code only calls through.
//!
//! Calls read the elements of such a table from the instance's record. The engine fills it from a list of references, each to another
//! list; here it is written directly.
#![allow(unsafe_code, reason = "the record is written through pointers")]

use std::sync::Arc;

use wasmer::sys::Artifact;
use wasmer::sys::vm::{
    Imports, StoreObjects, VMCallerCheckedAnyfunc, VMFunctionContext, VMInstance, VMOffsets,
};
use wasmer_compiler::ArtifactCreate;
use wasmer_types::entity::EntityRef;
use wasmer_types::entity::packed_option::ReservedValue;
use wasmer_types::{ExportIndex, FunctionIndex, InitExprOp, LocalTableIndex, ModuleInfo, TableIndex};

/// Elements that a table may have beyond twice those of its segments. Stops a small module with large and empty tables, of which the plan
/// would have each element before the store's limits apply.
const SPARE: usize = 1024;

/// The tables of a module that are made here.
#[derive(Debug, Default)]
pub(super) struct CalledTables {
    tables: Vec<(TableIndex, LocalTableIndex, Elements)>,
    /// Size of each of the module's own tables that is made here.
    pub(super) sizes: Arc<[Option<u32>]>,
}

type Elements = Box<[Option<FunctionIndex>]>;

impl CalledTables {
    /// The tables of a module whose code only calls through them, except those that are exported, mostly empty, or filled in a way that
    /// depends on the instance or traps.
    pub(super) fn of(info: &ModuleInfo) -> CalledTables {
        let mut exported: Vec<TableIndex> = info
            .exports
            .values()
            .filter_map(|export| match export {
                ExportIndex::Table(table) => Some(*table),
                _ => None,
            })
            .collect();
        exported.sort_unstable();
        let own = info.tables.iter().skip(info.num_imported_tables);
        let own = own.filter(|(table, _)| exported.binary_search(table).is_err());
        let found = own.filter_map(|(table, ty)| {
            let elements = elements(info, table).filter(|_| ty.is_fixed_funcref_table())?;
            Some((table, info.local_table_index(table)?, elements))
        });
        let tables: Vec<_> = found.collect();
        let sizes = (info.num_imported_tables..info.tables.len()).map(|table| {
            let of = |(own, _, _): &&(TableIndex, _, _)| own.index() == table;
            let (_, _, elements) = tables.iter().find(of)?;
            u32::try_from(elements.len()).ok()
        });
        CalledTables {
            sizes: sizes.collect(),
            tables,
        }
    }

    /// Returns whether no table is made here.
    pub(super) fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// Returns whether a table is made here.
    pub(super) fn has(&self, table: TableIndex) -> bool {
        self.tables.iter().any(|(own, _, _)| *own == table)
    }

    /// Writes the tables of a new instance. `imports` are the instance's.
    ///
    /// # Errors
    /// A message, if the module names a function that it does not have. Then the instance must not be used.
    ///
    /// # Safety
    /// The instance is one of the module, with these `offsets`, and lives in the store.
    pub(super) unsafe fn write(
        &self,
        instance: &VMInstance,
        offsets: &VMOffsets,
        artifact: &Artifact,
        imports: &Imports,
        objects: &StoreObjects,
    ) -> Result<(), &'static str> {
        const MISSING: &str = "a table has a function that the module lacks";
        let context = instance.vmctx_ptr();
        for (_, own, elements) in &self.tables {
            let offset = offsets.vmctx_fixed_funcref_table_anyfuncs(*own).ok_or(MISSING)?;
            // SAFETY: the record has room for the table at this offset, aligned as its elements are.
            let start = unsafe { context.byte_add(offset as usize).cast::<VMCallerCheckedAnyfunc>() };
            for (at, element) in elements.iter().enumerate() {
                let element = match element {
                    None => VMCallerCheckedAnyfunc::null(),
                    Some(function) => {
                        element_of(*function, context, artifact, imports, objects).ok_or(MISSING)?
                    }
                };
                // SAFETY: as above; the table has so many elements.
                unsafe { start.add(at).write(element) };
            }
        }
        Ok(())
    }
}

/// Returns an element of a table: a function with the instance or host function that it belongs to.
fn element_of(
    function: FunctionIndex,
    context: *mut wasmer::sys::vm::VMContext,
    artifact: &Artifact,
    imports: &Imports,
    objects: &StoreObjects,
) -> Option<VMCallerCheckedAnyfunc> {
    let info = artifact.module_info();
    let Some(own) = info.local_func_index(function) else {
        let import = imports.functions.get(function)?;
        // SAFETY: the store's record of a function, which lives as long as the store.
        return Some(unsafe { *import.handle.get(objects).anyfunc.as_ptr().as_ref() });
    };
    let signature = *info.functions.get(function)?;
    Some(VMCallerCheckedAnyfunc {
        func_ptr: artifact.finished_functions().get(own)?.0,
        type_signature_hash: *artifact.signatures().get(signature)?,
        vmctx: VMFunctionContext { vmctx: context },
        call_trampoline: *artifact.finished_function_call_trampolines().get(signature)?,
    })
}

/// Returns the elements of a table; `None` if they are not all known before there is an instance.
fn elements(info: &ModuleInfo, table: TableIndex) -> Option<Elements> {
    let size = usize::try_from(info.tables.get(table)?.minimum).ok()?;
    let segments = || {
        let all = info.table_initializers.iter();
        all.filter(|init| init.table_index == table)
    };
    let given = segments().fold(0usize, |sum, init| sum.saturating_add(init.elements.len()));
    if size > given.saturating_mul(2).saturating_add(SPARE) {
        return None;
    }
    let mut elements = vec![None; size].into_boxed_slice();
    for init in segments() {
        let [InitExprOp::I32Const(start)] = init.offset_expr.ops() else {
            return None;
        };
        let start = usize::try_from(*start).ok()?;
        let end = start.checked_add(init.elements.len())?;
        for (place, function) in elements.get_mut(start..end)?.iter_mut().zip(&init.elements) {
            *place = (!function.is_reserved_value()).then_some(*function);
        }
    }
    Some(elements)
}
