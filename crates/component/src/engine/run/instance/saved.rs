//! Plans in artifacts.

use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};
use wasmer::sys::CpuFeature;
use wasmer_compiler::types::module::CompileModuleInfo;
use wasmer_compiler::types::symbols::ModuleMetadata;
use wasmer_types::entity::packed_option::ReservedValue;
use wasmer_types::{
    FunctionIndex, GlobalIndex, GlobalInit, ImportIndex, MemoryIndex, ModuleInfo, OwnedDataInitializer,
    TableIndex,
};

use super::exports::Exports;
use super::plan::{Places, Plan};
use super::tables::{CalledTables, Element};
use crate::engine::run::saved_state::SavedState;

/// Bytes that the engine's descriptions of modules are aligned to.
const ALIGN: usize = 16;

/// A plan as artifacts have it.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub(in crate::engine) struct SavedPlan {
    /// The engine's own encoding of the description, with the styles of memories and tables and the data segments.
    description: Vec<u8>,
    imports: Vec<Import>,
    exports: Exports,
    /// True if the code consumes fuel.
    metered: bool,
    /// True if instances begin with the state of another.
    has_state: bool,
    functions: Vec<u32>,
    trampolines: Vec<u32>,
    dynamic: Vec<u32>,
    tables: Vec<(u32, Box<[Element]>)>,
}

/// The number of what is imported among those of its kind.
#[derive(Clone, Copy, Debug, BorshSerialize, BorshDeserialize)]
enum Import {
    Function(u32),
    Table(u32),
    Memory(u32),
    Global(u32),
}

impl Import {
    #[cfg(feature = "compile")]
    fn of(import: &ImportIndex) -> Option<Import> {
        Some(match import {
            ImportIndex::Function(index) => Import::Function(index.as_u32()),
            ImportIndex::Table(index) => Import::Table(index.as_u32()),
            ImportIndex::Memory(index) => Import::Memory(index.as_u32()),
            ImportIndex::Global(index) => Import::Global(index.as_u32()),
            ImportIndex::Tag(_) => return None,
        })
    }

    fn index(self) -> ImportIndex {
        match self {
            Import::Function(index) => ImportIndex::Function(FunctionIndex::from_u32(index)),
            Import::Table(index) => ImportIndex::Table(TableIndex::from_u32(index)),
            Import::Memory(index) => ImportIndex::Memory(MemoryIndex::from_u32(index)),
            Import::Global(index) => ImportIndex::Global(GlobalIndex::from_u32(index)),
        }
    }
}

impl SavedPlan {
    /// Plans the instances of a module for an artifact. `places` are those in its image.
    ///
    /// # Errors
    /// A message, if the module names a function that it does not have, or the engine cannot encode it.
    #[cfg(feature = "compile")]
    pub(in crate::engine) fn of(code: &wasmer::Module, places: Places) -> Result<SavedPlan, String> {
        use wasmer_compiler::ArtifactCreate;
        use wasmer_types::DataInitializerLike;

        use crate::engine::run::fuel::is_metered;

        let artifact = code.sys_artifact().ok_or("it is not the engine's")?;
        let mut plan = Plan::new(artifact, places)?;
        let imports: Option<_> = plan.imports.iter().map(Import::of).collect();
        // Modules that keep all functions have their whole description.
        let info = Arc::make_mut(&mut plan.info);
        info.function_names.clear();
        info.imports.clear();
        info.exports.clear();
        let data = artifact
            .data_initializers()
            .map(|initializer| OwnedDataInitializer {
                location: initializer.location().clone_to_plain(),
                data: initializer.data().into(),
            });
        let metadata = ModuleMetadata {
            compile_info: CompileModuleInfo {
                features: artifact.features().clone(),
                module: plan.info,
                memory_styles: plan.memory_styles,
                table_styles: plan.table_styles,
                function_max_stack_usage: Default::default(),
            },
            prefix: String::new(),
            data_initializers: data.collect(),
            function_body_lengths: Default::default(),
            cpu_features: artifact.cpu_features().as_u64(),
        };
        Ok(SavedPlan {
            description: metadata.serialize().map_err(|error| error.to_string())?,
            imports: imports.ok_or("it imports a tag")?,
            exports: plan.exports,
            metered: is_metered(artifact.module_info()),
            has_state: false,
            functions: plan.places.functions,
            trampolines: plan.places.trampolines,
            dynamic: plan.places.dynamic,
            tables: plan.tables.to_saved(),
        })
    }

    /// Returns all places in the code that it has.
    pub(in crate::engine) fn places(&self) -> impl Iterator<Item = u32> {
        let lists = self
            .functions
            .iter()
            .chain(&self.trampolines)
            .chain(&self.dynamic);
        let elements = self.tables.iter().flat_map(|(_, elements)| elements);
        lists
            .copied()
            .chain(elements.filter_map(|element| element.place()))
    }

    /// Returns the plan of instances that begin with a state: it is that after the start function, with all data in place.
    ///
    /// # Errors
    /// A message, if the description is malformed, or the state is that of another module.
    pub(in crate::engine) fn with_state(self, state: &SavedState) -> Result<SavedPlan, String> {
        const UNFIT: &str = "the state is that of another module";
        let mut metadata = self.metadata()?;
        let info = Arc::make_mut(&mut metadata.compile_info.module);
        info.start_function = None;
        if let Some(memory) = &state.memory {
            let ty = info.memories.get_mut(memory.index).ok_or(UNFIT)?;
            ty.minimum = memory.size;
        }
        for (global, value) in &state.globals {
            *info.global_initializers.get_mut(*global).ok_or(UNFIT)? = value.clone();
        }
        metadata.data_initializers = Box::default();
        Ok(SavedPlan {
            description: metadata.serialize().map_err(|error| error.to_string())?,
            has_state: true,
            ..self
        })
    }

    /// Reports whether instances begin with the state of another.
    pub(in crate::engine) fn has_state(&self) -> bool {
        self.has_state
    }

    fn metadata(&self) -> Result<ModuleMetadata, String> {
        let metadata = aligned(&self.description, ModuleMetadata::deserialize);
        metadata.map_err(|error| format!("its description is malformed: {error}"))
    }

    /// Reports whether the code consumes fuel: its last import is the counter.
    pub(in crate::engine) fn is_metered(&self) -> bool {
        self.metered
    }

    /// Returns the plan, and the data segments that are copied when an instance begins.
    ///
    /// # Errors
    /// A message, if the code does not run here, or the parts do not fit each other.
    pub(in crate::engine) fn read(self) -> Result<(Plan, Box<[OwnedDataInitializer]>), String> {
        let metadata = self.metadata()?;
        if metadata.cpu_features & !CpuFeature::for_host().as_u64() != 0 {
            return Err("its code uses instructions which this processor lacks".into());
        }
        let CompileModuleInfo {
            module: info,
            memory_styles,
            table_styles,
            ..
        } = metadata.compile_info;
        let places = Places {
            functions: self.functions,
            trampolines: self.trampolines,
            dynamic: self.dynamic,
        };
        let is_whole = info.functions.len().checked_sub(info.num_imported_functions)
            == Some(places.functions.len())
            && info.signatures.len() == places.trampolines.len()
            && info.signatures.len() == info.signature_hashes.len()
            && info.num_imported_functions == places.dynamic.len()
            && are_in_order(&info, &self.imports)
            && names_its_own(&info)
            && self.exports.are_of(&info)
            && info.memories.len() == memory_styles.len()
            && info.tables.len() == table_styles.len()
            && info
                .functions
                .values()
                .all(|ty| info.signatures.get(*ty).is_some());
        if !is_whole {
            return Err("its plan is that of another module".into());
        }
        let tables = CalledTables::saved(&info, self.tables)?;
        let plan = Plan {
            info,
            imports: self.imports.iter().map(|import| import.index()).collect(),
            exports: self.exports,
            places,
            memory_styles,
            table_styles,
            tables,
        };
        Ok((plan, metadata.data_initializers))
    }
}

/// Reports whether imports are all that a module imports, those of each kind in their order.
fn are_in_order(info: &ModuleInfo, imports: &[Import]) -> bool {
    let (mut functions, mut tables, mut memories, mut globals) = (0, 0, 0, 0);
    let in_order = imports.iter().all(|import| {
        let (next, index) = match import {
            Import::Function(index) => (&mut functions, *index),
            Import::Table(index) => (&mut tables, *index),
            Import::Memory(index) => (&mut memories, *index),
            Import::Global(index) => (&mut globals, *index),
        };
        let is_next = usize::try_from(index) == Ok(*next);
        *next += 1;
        is_next
    });
    in_order
        && functions == info.num_imported_functions
        && tables == info.num_imported_tables
        && memories == info.num_imported_memories
        && globals == info.num_imported_globals
        && tables <= info.tables.len()
        && memories <= info.memories.len()
        && globals <= info.globals.len()
}

/// Elements that all tables of fixed size of a module may have together. Stops a description whose instances' records have no size.
const MAX_FIXED: u64 = 1 << 24;

/// Reports whether a module names its own functions only, has a value for each of its globals, and room for its tables of fixed size.
fn names_its_own(info: &ModuleInfo) -> bool {
    let is_own =
        |function: &FunctionIndex| function.is_reserved_value() || info.functions.get(*function).is_some();
    let in_tables = info.table_initializers.iter().flat_map(|init| &init.elements);
    let in_segments = info.passive_elements.values().flatten();
    let in_globals = info.global_initializers.values().filter_map(|value| match value {
        GlobalInit::RefFunc(function) => Some(function),
        _ => None,
    });
    let mut named = in_tables
        .chain(in_segments)
        .chain(in_globals)
        .chain(&info.start_function);
    let fixed = info
        .tables
        .values()
        .filter(|table| table.is_fixed_funcref_table());
    let fixed = fixed.fold(0u64, |sum, table| sum.saturating_add(u64::from(table.minimum)));
    named.all(is_own)
        && info
            .table_initializers
            .iter()
            .all(|init| info.tables.get(init.table_index).is_some())
        && info.globals.len().checked_sub(info.num_imported_globals) == Some(info.global_initializers.len())
        && fixed <= MAX_FIXED
}

/// Passes on a copy of bytes that begins where the engine's decoder needs it.
fn aligned<R>(bytes: &[u8], take: impl FnOnce(&[u8]) -> R) -> R {
    let mut room = vec![0; bytes.len().saturating_add(ALIGN)];
    let start = room.as_ptr().align_offset(ALIGN);
    let copy = start
        .checked_add(bytes.len())
        .and_then(|end| room.get_mut(start..end));
    match copy {
        Some(copy) => {
            copy.copy_from_slice(bytes);
            take(copy)
        }
        // No address can be aligned: the decoder refuses what is not.
        None => take(bytes),
    }
}
