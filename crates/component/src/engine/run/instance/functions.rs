//! The functions of a module that something outside its code can name.

use wasmer_types::entity::EntityRef;
use wasmer_types::entity::packed_option::ReservedValue;
use wasmer_types::{ExportIndex, FunctionIndex, GlobalInit, LocalFunctionIndex, ModuleInfo, TableIndex};

/// Numbers of functions in an instance, which are those of the module without the functions that are left out.
#[derive(Debug)]
pub(super) struct Numbers {
    imported: usize,
    /// The module's functions that are kept, sorted; `None` if all are.
    kept: Option<Box<[LocalFunctionIndex]>>,
}

impl Numbers {
    /// Keeps all functions.
    pub(super) fn of_all(info: &ModuleInfo) -> Numbers {
        Numbers {
            imported: info.num_imported_functions,
            kept: None,
        }
    }

    /// Keeps the functions that exports, segments of elements, globals and the start name: all that can be named, if no instruction names
    /// a function. Segments of tables that `is_apart` are left out.
    pub(super) fn of_named(info: &ModuleInfo, is_apart: impl Fn(TableIndex) -> bool) -> Numbers {
        let exported = info.exports.values().filter_map(|export| match export {
            ExportIndex::Function(function) => Some(*function),
            _ => None,
        });
        let in_globals = info.global_initializers.values().filter_map(|value| match value {
            GlobalInit::RefFunc(function) => Some(*function),
            _ => None,
        });
        let in_tables = info
            .table_initializers
            .iter()
            .filter(|init| !is_apart(init.table_index))
            .flat_map(|init| init.elements.iter().copied());
        let in_segments = info
            .passive_elements
            .values()
            .flat_map(|elements| elements.iter().copied());
        let named = exported
            .chain(in_globals)
            .chain(in_tables)
            .chain(in_segments)
            .chain(info.start_function);
        let mut kept: Vec<LocalFunctionIndex> = named
            .filter(|function| !function.is_reserved_value())
            .filter_map(|function| info.local_func_index(function))
            .collect();
        kept.sort_unstable();
        kept.dedup();
        Numbers {
            imported: info.num_imported_functions,
            kept: Some(kept.into()),
        }
    }

    /// Returns the module's functions that are kept; `None` if all are.
    pub(super) fn kept(&self) -> Option<&[LocalFunctionIndex]> {
        self.kept.as_deref()
    }

    /// Returns the number of a function of the module, which is kept; a reserved value, the null reference, stays.
    pub(super) fn of(&self, function: FunctionIndex) -> Option<FunctionIndex> {
        let Some(kept) = &self.kept else {
            return Some(function);
        };
        if function.is_reserved_value() {
            return Some(function);
        }
        match function.index().checked_sub(self.imported) {
            None => Some(function),
            Some(local) => {
                let at = kept.binary_search(&LocalFunctionIndex::new(local)).ok()?;
                Some(FunctionIndex::new(self.imported + at))
            }
        }
    }
}
