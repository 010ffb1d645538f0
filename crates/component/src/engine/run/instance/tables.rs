//! Tables of fixed size that code only calls through.
//!
//! Calls read the elements of such a table from the instance's record. The engine fills it from a list of references, each to another
//! list; here it is written directly.
#![allow(unsafe_code, reason = "the record is written through pointers")]

use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};
use wasmer::sys::vm::{
    Imports, StoreObjects, VMCallerCheckedAnyfunc, VMContext, VMFunctionContext, VMInstance,
};
use wasmer_types::entity::EntityRef;
use wasmer_types::entity::packed_option::ReservedValue;
use wasmer_types::{
    ExportIndex, FunctionIndex, InitExprOp, LocalTableIndex, ModuleInfo, SignatureIndex, TableIndex,
};

use super::plan::{InstancePlan, Places};

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

type Elements = Box<[Element]>;

/// An element of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) enum Element {
    Null,
    /// An imported function, by its number.
    Imported(u32),
    /// A function of the module: its place in the code, and the number of its type.
    Own {
        code: u32,
        signature: u32,
    },
}

impl Element {
    /// Returns its place in the code, if it is a function of the module.
    pub(super) fn place(&self) -> Option<u32> {
        match self {
            Element::Own { code, .. } => Some(*code),
            Element::Null | Element::Imported(_) => None,
        }
    }
}

impl CalledTables {
    /// The tables of a module whose code only calls through them, except those that are exported, mostly empty, or filled in a way that
    /// depends on the instance or traps. `places` are those of the module's functions.
    pub(super) fn of(info: &ModuleInfo, places: &Places) -> CalledTables {
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
            let elements = elements(info, places, table).filter(|_| ty.is_fixed_funcref_table())?;
            Some((table, info.local_table_index(table)?, elements))
        });
        CalledTables::new(info, found.collect())
    }

    /// The tables that an artifact has.
    ///
    /// # Errors
    /// A message, if they are not those of this module.
    pub(super) fn saved(
        info: &ModuleInfo,
        saved: Vec<(u32, Elements)>,
    ) -> Result<CalledTables, &'static str> {
        const UNFIT: &str = "a table is that of another module";
        let table = |(table, elements): (u32, Elements)| {
            let table = TableIndex::from_u32(table);
            let ty = info.tables.get(table).filter(|ty| ty.is_fixed_funcref_table())?;
            let is_whole = u32::try_from(elements.len()) == Ok(ty.minimum);
            let known = |element: &Element| match element {
                Element::Null => true,
                Element::Imported(function) => (*function as usize) < info.num_imported_functions,
                Element::Own { signature, .. } => (*signature as usize) < info.signatures.len(),
            };
            let own = info.local_table_index(table)?;
            (is_whole && elements.iter().all(known)).then_some((table, own, elements))
        };
        let tables: Option<Vec<_>> = saved.into_iter().map(table).collect();
        let tables = tables.ok_or(UNFIT)?;
        let is_sorted = tables.is_sorted_by(|(one, ..), (next, ..)| one < next);
        is_sorted.then(|| CalledTables::new(info, tables)).ok_or(UNFIT)
    }

    fn new(info: &ModuleInfo, tables: Vec<(TableIndex, LocalTableIndex, Elements)>) -> CalledTables {
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

    /// Returns what an artifact has of the tables: the number and the elements of each.
    #[cfg(feature = "compile")]
    pub(super) fn to_saved(&self) -> Vec<(u32, Elements)> {
        let tables = self.tables.iter();
        tables
            .map(|(table, _, elements)| (table.as_u32(), elements.clone()))
            .collect()
    }

    /// Returns the tables.
    pub(super) fn indices(&self) -> impl Iterator<Item = TableIndex> {
        self.tables.iter().map(|(table, ..)| *table)
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
    /// A message, if a table has a function that the module lacks. Then the instance must not be used.
    ///
    /// # Safety
    /// The instance is one of the plan, and lives in the store.
    pub(super) unsafe fn write(
        instance: &VMInstance,
        plan: &InstancePlan,
        imports: &Imports,
        objects: &StoreObjects,
    ) -> Result<(), &'static str> {
        const MISSING: &str = "a table has a function that the module lacks";
        let context = instance.vmctx_ptr();
        for (_, own, elements) in &plan.tables.tables {
            let offset = plan
                .offsets
                .vmctx_fixed_funcref_table_anyfuncs(*own)
                .ok_or(MISSING)?;
            // SAFETY: the record has room for the table at this offset, aligned as its elements are.
            let start = unsafe { context.byte_add(offset as usize).cast::<VMCallerCheckedAnyfunc>() };
            for (at, element) in elements.iter().enumerate() {
                let element = value(*element, context, plan, imports, objects).ok_or(MISSING)?;
                // SAFETY: as above; the table has so many elements.
                unsafe { start.add(at).write(element) };
            }
        }
        Ok(())
    }
}

/// Returns an element of a table as the code finds it: a function with the instance or host function that it belongs to.
fn value(
    element: Element,
    context: *mut VMContext,
    plan: &InstancePlan,
    imports: &Imports,
    objects: &StoreObjects,
) -> Option<VMCallerCheckedAnyfunc> {
    match element {
        Element::Null => Some(VMCallerCheckedAnyfunc::null()),
        Element::Imported(function) => {
            let import = imports.functions.get(FunctionIndex::from_u32(function))?;
            // SAFETY: the store's record of a function, which lives as long as the store.
            Some(unsafe { *import.handle.get(objects).anyfunc.as_ptr().as_ref() })
        }
        Element::Own { code, signature } => {
            let signature = SignatureIndex::from_u32(signature);
            Some(VMCallerCheckedAnyfunc {
                func_ptr: plan.base.function(code),
                type_signature_hash: *plan.signatures.get(signature)?,
                vmctx: VMFunctionContext { vmctx: context },
                call_trampoline: *plan.trampolines.get(signature)?,
            })
        }
    }
}

/// Returns the elements of a table; `None` if they are not all known before there is an instance.
fn elements(info: &ModuleInfo, places: &Places, table: TableIndex) -> Option<Elements> {
    let size = usize::try_from(info.tables.get(table)?.minimum).ok()?;
    let segments = || {
        let all = info.table_initializers.iter();
        all.filter(|init| init.table_index == table)
    };
    let given = segments().fold(0usize, |sum, init| sum.saturating_add(init.elements.len()));
    if size > given.saturating_mul(2).saturating_add(SPARE) {
        return None;
    }
    let mut elements = vec![Element::Null; size].into_boxed_slice();
    for init in segments() {
        let [InitExprOp::I32Const(start)] = init.offset_expr.ops() else {
            return None;
        };
        let start = usize::try_from(*start).ok()?;
        let end = start.checked_add(init.elements.len())?;
        for (place, function) in elements.get_mut(start..end)?.iter_mut().zip(&init.elements) {
            *place = element(info, places, *function)?;
        }
    }
    Some(elements)
}

/// Returns a function as an element; `None` if the module lacks it.
fn element(info: &ModuleInfo, places: &Places, function: FunctionIndex) -> Option<Element> {
    if function.is_reserved_value() {
        return Some(Element::Null);
    }
    let Some(own) = info.local_func_index(function) else {
        return Some(Element::Imported(function.as_u32()));
    };
    Some(Element::Own {
        code: *places.functions.get(own.index())?,
        signature: info.functions.get(function)?.as_u32(),
    })
}
