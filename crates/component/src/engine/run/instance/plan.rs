//! The parts of a module that its instances are made from.
#![allow(
    unsafe_code,
    reason = "the engine's entries into compiled code are function pointers"
)]

use std::mem;
use std::sync::Arc;

use wasmer::sys::Artifact;
use wasmer::sys::CpuFeature;
use wasmer::sys::vm::{FunctionBodyPtr, VMFunctionBody, VMOffsets, VMSignatureHash, VMTrampoline};
use wasmer_compiler::ArtifactCreate;
use wasmer_types::entity::{BoxedSlice, PrimaryMap};
use wasmer_types::{
    DataInitializer, DataInitializerLike, FunctionIndex, GlobalInit, ImportIndex, LocalFunctionIndex,
    MemoryIndex, MemoryStyle, ModuleInfo, OwnedDataInitializer, SignatureIndex, TableIndex, TableInitializer,
    TableStyle,
};

use super::exports::Exports;
use super::functions::Numbers;
use super::tables::CalledTables;

/// The parts of a module that its instances share.
#[derive(Debug)]
pub(in crate::engine) struct InstancePlan {
    /// Describes the module with the functions that are kept, without what only its code or its users need, and without imports and
    /// exports. Tables that are made here are empty in it.
    pub(super) info: Arc<ModuleInfo>,
    /// By the numbers of what is imported.
    pub(super) imports: Box<[ImportIndex]>,
    pub(super) exports: Exports,
    /// Offsets in the instance's record; they do not depend on the module's functions.
    pub(super) offsets: VMOffsets,
    /// The beginning of the code.
    pub(super) base: Base,
    /// Addresses of the functions that are kept.
    pub(super) functions: BoxedSlice<LocalFunctionIndex, FunctionBodyPtr>,
    /// Entries into the code, by signature.
    pub(super) trampolines: BoxedSlice<SignatureIndex, VMTrampoline>,
    /// Calls of host functions that take their arguments as a list, by import.
    pub(super) dynamic: BoxedSlice<FunctionIndex, FunctionBodyPtr>,
    pub(super) signatures: BoxedSlice<SignatureIndex, VMSignatureHash>,
    pub(super) memory_styles: PrimaryMap<MemoryIndex, MemoryStyle>,
    pub(super) table_styles: PrimaryMap<TableIndex, TableStyle>,
    pub(super) tables: CalledTables,
    data: Data,
}

/// A module's data segments that are copied when an instance begins.
#[derive(Debug)]
enum Data {
    /// The segments of a module that the engine holds.
    Engine(wasmer::Module),
    Own(Box<[OwnedDataInitializer]>),
}

/// Places of a module's parts in its code, in bytes from its beginning.
#[derive(Debug, Default)]
pub(in crate::engine) struct Places {
    /// The module's own functions.
    pub(in crate::engine) functions: Vec<u32>,
    /// Entries into the code, by signature.
    pub(in crate::engine) trampolines: Vec<u32>,
    /// Calls of host functions that take their arguments as a list, by import.
    pub(in crate::engine) dynamic: Vec<u32>,
}

/// A plan whose code may be anywhere.
#[derive(Debug)]
pub(in crate::engine) struct Plan {
    /// As in [`InstancePlan`], but tables have their sizes.
    pub(super) info: Arc<ModuleInfo>,
    pub(super) imports: Box<[ImportIndex]>,
    pub(super) exports: Exports,
    /// Places of the functions that are kept, and of the other parts.
    pub(super) places: Places,
    pub(super) memory_styles: PrimaryMap<MemoryIndex, MemoryStyle>,
    pub(super) table_styles: PrimaryMap<TableIndex, TableStyle>,
    pub(super) tables: CalledTables,
}

/// The beginning of a module's code.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Base(*const VMFunctionBody);

// SAFETY: an address; what is there is followed only by those who own the code.
unsafe impl Send for Base {}
// SAFETY: as above.
unsafe impl Sync for Base {}

impl Base {
    pub(in crate::engine) fn new(start: *const u8) -> Base {
        Base(start.cast())
    }

    pub(in crate::engine) fn addr(self) -> usize {
        self.0.addr()
    }

    /// Returns the address of a function.
    pub(in crate::engine) fn function(self, place: u32) -> *const VMFunctionBody {
        self.0.wrapping_byte_add(place as usize)
    }

    /// # Safety
    /// There is a trampoline of the engine at this place, and the code lives as long as the result is in use.
    unsafe fn trampoline(self, place: u32) -> VMTrampoline {
        // SAFETY: the caller's promise. Both are one address.
        unsafe { mem::transmute::<*const VMFunctionBody, VMTrampoline>(self.function(place)) }
    }
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
        let (base, places) = places(artifact).ok_or("its code has more than 4 GiB")?;
        let plan = Plan::new(artifact, places)?;
        // SAFETY: the places are those of the engine's code, which lives as long as the module.
        Ok(unsafe { plan.at(base, Data::Engine(code.clone())) })
    }

    /// Returns the sizes of the module's tables that are apart from the engine's list of tables, of each of its own tables in order.
    pub(in crate::engine) fn sizes(&self) -> Arc<[Option<u32>]> {
        self.tables.sizes.clone()
    }

    /// Returns the description of the module, without imports and exports.
    pub(in crate::engine) fn info(&self) -> &ModuleInfo {
        &self.info
    }

    /// Returns the module's exports.
    pub(in crate::engine) fn exports(&self) -> &Exports {
        &self.exports
    }

    /// Passes on the data segments that are copied when an instance begins.
    pub(super) fn with_data<R>(&self, take: impl FnOnce(&[DataInitializer<'_>]) -> R) -> R {
        match &self.data {
            Data::Engine(module) => {
                let found: Vec<_> = module
                    .sys_artifact()
                    .map(|artifact| artifact.data_initializers().collect())
                    .unwrap_or_default();
                let found = found.iter().map(|initializer| DataInitializer {
                    location: initializer.location().clone_to_plain(),
                    data: initializer.data(),
                });
                take(&found.collect::<Vec<_>>())
            }
            Data::Own(owned) => {
                let found = owned.iter().map(|initializer| DataInitializer {
                    location: initializer.location.clone(),
                    data: &initializer.data,
                });
                take(&found.collect::<Vec<_>>())
            }
        }
    }
}

impl Plan {
    /// Plans the instances of a module, whose parts are at these places.
    ///
    /// # Errors
    /// A message, if the module names a function that it does not have.
    pub(in crate::engine) fn new(artifact: &Artifact, places: Places) -> Result<Plan, &'static str> {
        let info = artifact.module_info();
        let mark = mark(info);
        let tables = match mark {
            Some(ONLY_CALLS) => CalledTables::of(info, &places),
            _ => CalledTables::default(),
        };
        let numbers = match mark {
            Some(_) => Numbers::of_named(info, |table| tables.has(table)),
            None => Numbers::of_all(info),
        };
        let exports = Exports::of(info, |function| numbers.of(function));
        let (info, functions) = match numbers.kept() {
            None => (artifact.create_module_info(), places.functions),
            Some(kept) => {
                let functions: Option<Vec<_>> = kept
                    .iter()
                    .map(|function| places.functions.get(function.as_u32() as usize).copied())
                    .collect();
                let lean = lean(info, &numbers, kept, &tables).zip(functions);
                let (lean, functions) = lean.ok_or("it names a function that it does not have")?;
                (Arc::new(lean), functions)
            }
        };
        Ok(Plan {
            info,
            imports: artifact.module_info().imports.values().cloned().collect(),
            exports: exports.ok_or("it exports a function that it does not have")?,
            places: Places { functions, ..places },
            memory_styles: artifact.memory_styles().clone(),
            table_styles: artifact.table_styles().clone(),
            tables,
        })
    }

    /// Plans the instances of code that begins at `base`, with the data segments of an artifact.
    ///
    /// # Safety
    /// There is code of the module at the places, of the engine's making, which lives as long as the plan and its instances.
    pub(in crate::engine) unsafe fn at_base(
        self,
        base: Base,
        data: Box<[OwnedDataInitializer]>,
    ) -> InstancePlan {
        // SAFETY: the caller's promise.
        unsafe { self.at(base, Data::Own(data)) }
    }

    /// # Safety
    /// As [`Plan::at_base`].
    unsafe fn at(self, base: Base, data: Data) -> InstancePlan {
        let Plan {
            mut info,
            imports,
            exports,
            places,
            memory_styles,
            table_styles,
            tables,
        } = self;
        let pointer = mem::size_of::<usize>() as u8;
        let offsets = VMOffsets::new(pointer, &info);
        for table in tables.indices() {
            if let Some(table) = Arc::make_mut(&mut info).tables.get_mut(table) {
                table.minimum = 0;
            }
        }
        let function = |place: &u32| FunctionBodyPtr(base.function(*place));
        let functions: PrimaryMap<_, _> = places.functions.iter().map(function).collect();
        let dynamic: PrimaryMap<_, _> = places.dynamic.iter().map(function).collect();
        // SAFETY: the caller's promise.
        let trampoline = |place: &u32| unsafe { base.trampoline(*place) };
        let trampolines: PrimaryMap<_, _> = places.trampolines.iter().map(trampoline).collect();
        let signatures = info.signature_hashes.values();
        let signatures: PrimaryMap<_, _> = signatures.map(|hash| VMSignatureHash::new(hash.0)).collect();
        InstancePlan {
            info,
            imports,
            exports,
            offsets,
            base,
            functions: functions.into_boxed_slice(),
            trampolines: trampolines.into_boxed_slice(),
            dynamic: dynamic.into_boxed_slice(),
            signatures: signatures.into_boxed_slice(),
            memory_styles,
            table_styles,
            tables,
            data,
        }
    }
}

/// Returns the beginning of a module's code that the engine holds, and where its parts are; `None` if they are too far from each other.
fn places(artifact: &Artifact) -> Option<(Base, Places)> {
    let functions = artifact
        .finished_functions()
        .values()
        .map(|function| function.0.cast::<u8>());
    let trampolines = artifact.finished_function_call_trampolines().values();
    let trampolines = trampolines.map(|trampoline| *trampoline as *const u8);
    let dynamic = artifact.finished_dynamic_function_trampolines().values();
    let dynamic = dynamic.map(|function| function.0.cast::<u8>());
    let all = functions
        .clone()
        .chain(trampolines.clone())
        .chain(dynamic.clone());
    let base = all.min().unwrap_or(std::ptr::null());
    let place = |address: *const u8| u32::try_from(address.addr() - base.addr()).ok();
    let places = Places {
        functions: functions.map(place).collect::<Option<_>>()?,
        trampolines: trampolines.map(place).collect::<Option<_>>()?,
        dynamic: dynamic.map(place).collect::<Option<_>>()?,
    };
    Some((Base::new(base), places))
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
    let start = match info.start_function {
        Some(start) => Some(numbers.of(start)?),
        None => None,
    };
    Some(ModuleInfo {
        name: info.name.clone(),
        functions: functions?,
        table_initializers: initializers.collect::<Option<_>>()?,
        passive_elements: segments.collect::<Option<_>>()?,
        passive_data: info.passive_data.clone(),
        global_initializers: globals.collect::<Option<_>>()?,
        start_function: start,
        signatures: info.signatures.clone(),
        signature_hashes: info.signature_hashes.clone(),
        tables: info.tables.clone(),
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
