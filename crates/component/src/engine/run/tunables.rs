//! wasmer's hooks for the memories and tables of an instance, where the store's limits apply.
#![allow(
    unsafe_code,
    reason = "the trait's functions are unsafe; each forwards its arguments"
)]

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmer::sys::vm::{
    MemoryError, MemoryStyle, TableStyle, VMConfig, VMMemory, VMMemoryDefinition, VMTable, VMTableDefinition,
};
use wasmer::sys::{BaseTunables, Tunables};
use wasmer::{MemoryType, Pages, TableType};

use crate::engine::StoreLimits;
use crate::engine::load::core_module::Prepared;
use crate::engine::memory::dummy::{empty, is_empty};
use crate::engine::run::reset::MemoryHandle;
use crate::engine::run::tables::true_maximum;

const WASM_PAGE: u64 = 65_536;

/// The prepared memories of the module that is instantiated next in a store: the engine asks for a memory without
/// naming the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct NextModule(Arc<Mutex<Preparations>>);

#[derive(Debug, Default)]
struct Preparations {
    next: Option<Prepared>,
    /// The memories that instances have got since [`NextModule::remember`]; `None` without it.
    made: Option<Vec<MemoryHandle>>,
}

impl NextModule {
    fn lock(&self) -> MutexGuard<'_, Preparations> {
        // A panic while it was held left at worst a step undone; the data stays consistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the memories that the next instance gets, if it defines one.
    pub(crate) fn set(&self, memories: Option<Prepared>) {
        self.lock().next = memories;
    }

    /// Remembers the memories that instances get from now on.
    pub(crate) fn remember(&self) {
        self.lock().made = Some(Vec::new());
    }

    /// Returns the memories that instances have got since [`NextModule::remember`], and forgets them.
    pub(in crate::engine) fn remembered(&self) -> Vec<MemoryHandle> {
        self.lock().made.take().unwrap_or_default()
    }

    fn made(&self, memory: Option<MemoryHandle>) {
        if let (Some(made), Some(memory)) = (&mut self.lock().made, memory) {
            made.push(memory);
        }
    }

    /// Chooses the next memory of the instance, which the engine requests with this type.
    fn take(&self, ty: &MemoryType) -> Next {
        let next = &mut self.lock().next;
        if let Some(prepared) = next
            && is_empty(ty)
            && prepared.take_unused()
        {
            return Next::Unused;
        }
        next.take().map_or(Next::Any, Next::Prepared)
    }
}

enum Next {
    /// The memory before the module's own: not the guest's, and under no limit.
    Unused,
    Prepared(Prepared),
    Any,
}

pub(in crate::engine) struct LimitingTunables {
    base: BaseTunables,
    memory_pages: Pages,
    memories: AtomicU32,
    table_elements: u32,
    tables: AtomicU32,
    memories_are: Memories,
    next: NextModule,
}

/// The way in which compiled code finds linear memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Memories {
    /// At a fixed address, with its whole address space reserved: no bounds checks in the code.
    Reserved,
    /// At the address in the instance's record, with bounds checks in the code.
    ///
    /// The LLVM backend needs this: where memory 0 is reserved, each function receives its base as a hidden
    /// parameter, and calls between instances pass the *caller's*. A component's core modules have memories of
    /// their own, so the callee would work on the wrong memory. Modules that define their only memory do without
    /// ([`Memories::ReservedSecond`]).
    #[cfg_attr(
        not(feature = "compile"),
        allow(dead_code, reason = "unused in builds without a compiler")
    )]
    Movable,
    /// Reserved, except memory 0, which has no pages (`compile/dummy_memory.rs`).
    #[cfg_attr(
        not(feature = "compile"),
        allow(dead_code, reason = "unused in builds without a compiler")
    )]
    ReservedSecond,
}

impl LimitingTunables {
    pub(in crate::engine) fn new(
        limits: &StoreLimits,
        memories_are: Memories,
        next: NextModule,
    ) -> LimitingTunables {
        let pages = (limits.memory_bytes / WASM_PAGE).min(65_536);
        LimitingTunables {
            base: BaseTunables::new(),
            memory_pages: Pages(u32::try_from(pages).unwrap_or(65_536)),
            memories: AtomicU32::new(limits.memories),
            table_elements: limits.table_elements,
            tables: AtomicU32::new(limits.tables),
            memories_are,
            next,
        }
    }

    fn memory_type(&self, ty: &MemoryType) -> Result<MemoryType, MemoryError> {
        if ty.minimum > self.memory_pages {
            return Err(MemoryError::Generic(format!(
                "a memory of at least {} bytes exceeds the limit of {} bytes (memory_bytes)",
                u64::from(ty.minimum.0) * WASM_PAGE,
                u64::from(self.memory_pages.0) * WASM_PAGE,
            )));
        }
        take_one(&self.memories).ok_or_else(|| {
            MemoryError::Generic("the store's limit on memories is reached (memories)".into())
        })?;
        let mut ty = *ty;
        ty.maximum = Some(
            ty.maximum
                .map_or(self.memory_pages, |max| max.min(self.memory_pages)),
        );
        Ok(ty)
    }

    fn table_type(&self, ty: &TableType) -> Result<TableType, String> {
        if ty.minimum > self.table_elements {
            return Err(format!(
                "a table of at least {} elements exceeds the limit of {} (table_elements)",
                ty.minimum, self.table_elements
            ));
        }
        take_one(&self.tables).ok_or("the store's limit on tables is reached (tables)")?;
        let mut ty = *ty;
        let maximum = true_maximum(ty.minimum, ty.maximum);
        ty.maximum = Some(maximum.map_or(self.table_elements, |max| max.min(self.table_elements)));
        Ok(ty)
    }
}

fn take_one(left: &AtomicU32) -> Option<u32> {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
        .ok()
}

impl Tunables for LimitingTunables {
    fn memory_style(&self, memory: &MemoryType) -> MemoryStyle {
        match self.memories_are {
            Memories::Reserved => self.base.memory_style(memory),
            Memories::ReservedSecond if !is_empty(memory) => self.base.memory_style(memory),
            Memories::Movable | Memories::ReservedSecond => MemoryStyle::Dynamic {
                offset_guard_size: WASM_PAGE,
            },
        }
    }

    fn table_style(&self, table: &TableType) -> TableStyle {
        self.base.table_style(table)
    }

    fn create_host_memory(&self, ty: &MemoryType, style: &MemoryStyle) -> Result<VMMemory, MemoryError> {
        self.base.create_host_memory(&self.memory_type(ty)?, style)
    }

    unsafe fn create_vm_memory(
        &self,
        ty: &MemoryType,
        style: &MemoryStyle,
        definition: NonNull<VMMemoryDefinition>,
    ) -> Result<VMMemory, MemoryError> {
        match self.next.take(ty) {
            // SAFETY: the caller guarantees `definition`, which is passed on unchanged.
            Next::Unused => Ok(unsafe { empty(style, definition) }),
            // SAFETY: as above.
            Next::Prepared(prepared) => unsafe {
                let (memory, handle) = prepared.memory(&self.memory_type(ty)?, style, definition)?;
                self.next.made(handle);
                Ok(memory)
            },
            // SAFETY: as above.
            Next::Any => unsafe {
                self.base
                    .create_vm_memory(&self.memory_type(ty)?, style, definition)
            },
        }
    }

    fn create_host_table(&self, ty: &TableType, style: &TableStyle) -> Result<VMTable, String> {
        self.base.create_host_table(&self.table_type(ty)?, style)
    }

    unsafe fn create_vm_table(
        &self,
        ty: &TableType,
        style: &TableStyle,
        definition: NonNull<VMTableDefinition>,
    ) -> Result<VMTable, String> {
        let ty = self.table_type(ty)?;
        // SAFETY: the caller guarantees `definition`, which is passed on unchanged.
        unsafe { self.base.create_vm_table(&ty, style, definition) }
    }

    fn vmconfig(&self) -> &VMConfig {
        self.base.vmconfig()
    }
}
