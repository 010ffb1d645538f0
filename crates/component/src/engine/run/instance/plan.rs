//! The parts of a module that its instances are made from.

use std::mem;
use std::sync::Arc;

use wasmer::sys::CpuFeature;
use wasmer::sys::vm::{FunctionBodyPtr, VMOffsets, VMTrampoline};
use wasmer_compiler::ArtifactCreate;
use wasmer_types::entity::{BoxedSlice, PrimaryMap};
use wasmer_types::{
    ExportIndex, FunctionIndex, GlobalInit, LocalFunctionIndex, ModuleInfo, SignatureIndex, TableInitializer,
    TableType,
};

use super::functions::Numbers;
use super::tables::CalledTables;

/// The parts of a module that its instances share.
#[derive(Debug)]
pub(in crate::engine) struct InstancePlan {
    /// Describes the module with the functions that are kept, without what only its code or its users need.
    pub(super) info: Arc<ModuleInfo>,
    /// Offsets in the instance's record; they do not depend on the module's functions.
    pub(super) offsets: VMOffsets,
    /// Addresses of the functions that are kept.
    pub(super) functions: BoxedSlice<LocalFunctionIndex, FunctionBodyPtr>,
    /// Entries into the code, by signature.
    pub(super) trampolines: BoxedSlice<SignatureIndex, VMTrampoline>,
    pub(super) tables: CalledTables,
}

impl InstancePlan {
    /// Plans the instances of a module.
    ///
    /// # Errors
    /// A message, if the code does not run here, or the module names a function that it does not have.
    pub(in crate::engine) fn of(code: &wasmer::Module) -> Result<InstancePlan, String> {
        let artifact = code.sys_artifact().filter(|artifact| artifact.allocated());
        let artifact = artifact.ok_or("its code is for another machine")?;
        let lacking = artifact.cpu_features().difference(CpuFeature::for_host());
        if !lacking.is_empty() {
            let lacking: Vec<String> = lacking.iter().map(|feature| feature.to_string()).collect();
            let lacking = lacking.join(", ");
            return Err(format!("its code uses {lacking}, which this processor lacks"));
        }
        let info = artifact.module_info();
        let mark = mark(info);
        let tables = match mark {
            Some(ONLY_CALLS) => CalledTables::of(info),
            _ => CalledTables::default(),
        };
        let numbers = match mark {
            Some(_) => Numbers::of_named(info, |table| tables.has(table)),
            None => Numbers::of_all(info),
        };
        let pointer = u8::try_from(mem::size_of::<usize>()).map_err(|error| error.to_string())?;
        let finished = artifact.finished_functions();
        let (info, functions) = match numbers.kept() {
            None => (artifact.create_module_info(), finished.clone()),
            Some(kept) => {
                let functions: Option<PrimaryMap<_, _>> = kept
                    .iter()
                    .map(|function| finished.get(*function).copied())
                    .collect();
                let lean = lean(info, &numbers, kept, &tables).zip(functions);
                let (lean, functions) = lean.ok_or("it names a function that it does not have")?;
                (Arc::new(lean), functions.into_boxed_slice())
            }
        };
        Ok(InstancePlan {
            offsets: VMOffsets::new(pointer, artifact.module_info()),
            info,
            functions,
            trampolines: artifact.finished_function_call_trampolines().clone(),
            tables,
        })
    }

    /// Returns the sizes of the module's tables that are apart from the engine's list of tables, of each of its own tables in order.
    pub(in crate::engine) fn sizes(&self) -> Arc<[Option<u32>]> {
        self.tables.sizes.clone()
    }
}

/// Returns what an instance needs of a module's description, with the functions that are kept.
fn lean(
    info: &ModuleInfo,
    numbers: &Numbers,
    kept: &[LocalFunctionIndex],
    called: &CalledTables,
) -> Option<ModuleInfo> {
    let all = |functions: &[FunctionIndex]| -> Option<Box<[FunctionIndex]>> {
        functions.iter().map(|function| numbers.of(*function)).collect()
    };
    let imported = info.functions.values().take(info.num_imported_functions).copied();
    let own = kept
        .iter()
        .map(|function| info.functions.get(info.func_index(*function)).copied());
    let functions: Option<PrimaryMap<FunctionIndex, _>> = imported.map(Some).chain(own).collect();
    let tables = info.tables.iter().map(|(table, ty)| match called.has(table) {
        true => TableType { minimum: 0, ..*ty },
        false => *ty,
    });
    let initializers = info.table_initializers.iter();
    let initializers = initializers
        .filter(|init| !called.has(init.table_index))
        .map(|init| {
            Some(TableInitializer {
                table_index: init.table_index,
                offset_expr: init.offset_expr.clone(),
                elements: all(&init.elements)?,
            })
        });
    let segments = info
        .passive_elements
        .iter()
        .map(|(segment, elements)| Some((*segment, all(elements)?)));
    let globals = info.global_initializers.values().map(|value| match value {
        GlobalInit::RefFunc(function) => numbers.of(*function).map(GlobalInit::RefFunc),
        other => Some(other.clone()),
    });
    let exports = info.exports.iter().map(|(name, export)| {
        let export = match export {
            ExportIndex::Function(function) => ExportIndex::Function(numbers.of(*function)?),
            other => *other,
        };
        Some((name.clone(), export))
    });
    let start = match info.start_function {
        Some(start) => Some(numbers.of(start)?),
        None => None,
    };
    Some(ModuleInfo {
        exports: exports.collect::<Option<_>>()?,
        functions: functions?,
        table_initializers: initializers.collect::<Option<_>>()?,
        passive_elements: segments.collect::<Option<_>>()?,
        passive_data: info.passive_data.clone(),
        global_initializers: globals.collect::<Option<_>>()?,
        start_function: start,
        signatures: info.signatures.clone(),
        signature_hashes: info.signature_hashes.clone(),
        tables: tables.collect(),
        memories: info.memories.clone(),
        globals: info.globals.clone(),
        tags: info.tags.clone(),
        num_imported_functions: info.num_imported_functions,
        num_imported_tables: info.num_imported_tables,
        num_imported_memories: info.num_imported_memories,
        num_imported_tags: info.num_imported_tags,
        num_imported_globals: info.num_imported_globals,
        ..ModuleInfo::default()
    })
}

/// Name of the custom section that compilation adds to modules without an instruction that names a function.
pub(in crate::engine) const MARK: &str = "airssys:instance";

/// Its content if tables are only called through.
pub(in crate::engine) const ONLY_CALLS: &[u8] = b"calls";

/// Returns the mark's content.
fn mark(info: &ModuleInfo) -> Option<&[u8]> {
    let section = info.custom_sections.get(MARK)?;
    info.custom_sections_data.get(*section).map(|content| &**content)
}
