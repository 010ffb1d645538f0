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
use crate::engine::memory::Waits;
use crate::engine::memory::account::{Account, Charge, Counted};
use crate::engine::memory::counted::{bytes, counted};
use crate::engine::memory::dummy::{empty, is_empty};
use crate::engine::run::reset::MemoryHandle;
use crate::engine::run::stack::Stack;
use crate::engine::run::tables::true_maximum;
use crate::error::LimitExceeded;

const WASM_PAGE: u64 = 65_536;

/// The prepared memories of the module that is instantiated next in a store: the engine asks for a memory without
/// naming the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct NextModule(Arc<Mutex<Preparations>>);

#[derive(Debug, Default)]
struct Preparations {
    next: Option<Prepared>,
    /// Sizes of the tables that the instance has apart from the engine's, in the order in which the engine creates tables.
    tables: Option<(Arc<[Option<u32>]>, usize)>,
    /// The memories that instances have got since [`NextModule::remember`]; `None` without it.
    made: Option<Vec<MemoryHandle>>,
    /// The limit because of which the engine did not create the last memory or table.
    refused: Option<LimitExceeded>,
}

impl NextModule {
    fn lock(&self) -> MutexGuard<'_, Preparations> {
        // A panic while it was held left at worst a step undone; the data stays consistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the memories that the next instance gets, if it defines one; `None` after it was created.
    pub(crate) fn set(&self, memories: Option<Prepared>) {
        let mut preparations = self.lock();
        preparations.next = memories;
        preparations.tables = None;
    }

    /// Sets the sizes of the tables that the next instance has apart from the engine's.
    pub(crate) fn set_tables(&self, sizes: Arc<[Option<u32>]>) {
        self.lock().tables = Some((sizes, 0));
    }

    /// Returns the size of the instance's next table, if the engine is to create an empty one.
    fn take_table(&self) -> Option<u32> {
        let mut preparations = self.lock();
        let (sizes, at) = preparations.tables.as_mut()?;
        *at += 1;
        sizes.get(*at - 1).copied().flatten()
    }

    /// Remembers the memories that instances get from now on.
    pub(crate) fn remember(&self) {
        self.lock().made = Some(Vec::new());
    }

    /// Returns the memories that instances have got since [`NextModule::remember`], and forgets them.
    pub(in crate::engine) fn remembered(&self) -> Vec<MemoryHandle> {
        self.lock().made.take().unwrap_or_default()
    }

    /// Returns the limit because of which no memory or table was created since the last call.
    pub(crate) fn take_refusal(&self) -> Option<LimitExceeded> {
        self.lock().refused.take()
    }

    /// Records a refusal; returns it as a text, all that the engine passes on.
    fn refuse(&self, exceeded: LimitExceeded) -> String {
        let text = exceeded.to_string();
        self.lock().refused = Some(exceeded);
        text
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
    memories: Left,
    table_elements: u32,
    tables: Left,
    account: Arc<Account>,
    /// The store's tables, which do not grow beyond what is counted here.
    held: Mutex<Vec<Charge>>,
    memories_are: Memories,
    next: NextModule,
    stack: Stack,
    /// Only programs have shared memories.
    waits: Option<Waits>,
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
    /// `account` counts for `limits`.
    pub(in crate::engine) fn new(
        limits: &StoreLimits,
        account: Arc<Account>,
        memories_are: Memories,
        next: NextModule,
    ) -> LimitingTunables {
        let pages = (limits.memory_bytes / WASM_PAGE).min(65_536);
        LimitingTunables {
            base: BaseTunables::new(),
            memory_pages: Pages(u32::try_from(pages).unwrap_or(65_536)),
            memories: Left::new("memories", limits.memories),
            table_elements: limits.table_elements,
            tables: Left::new("tables", limits.tables),
            account,
            held: Mutex::default(),
            memories_are,
            next,
            stack: Stack::new(limits.stack_bytes),
            waits: None,
        }
    }

    /// Adds the shared memories that are created to `waits`.
    pub(in crate::engine) fn with_waits(self, waits: Waits) -> LimitingTunables {
        LimitingTunables {
            waits: Some(waits),
            ..self
        }
    }

    /// Counts a memory, or adds it to those in which threads wait: threads grow a shared one in places that are not known
    /// here, so it is not counted.
    fn made(&self, memory: VMMemory, ty: &MemoryType, charge: Charge) -> VMMemory {
        if !ty.shared {
            return counted(memory, charge);
        }
        if let Some(waits) = &self.waits {
            waits.add(&memory);
        }
        memory
    }

    /// Returns the type of a memory within the limits, and the count of its first size.
    fn memory(&self, ty: &MemoryType) -> Result<(MemoryType, Charge), LimitExceeded> {
        let limit = self.memory_pages;
        if ty.minimum > limit {
            let name = ("memory_bytes", "bytes");
            return Err(LimitExceeded::new(name, bytes(limit), 0, bytes(ty.minimum)));
        }
        self.memories.take_one()?;
        let charge = Charge::new(&self.account, Counted::Memory, bytes(ty.minimum))?;
        let mut ty = *ty;
        ty.maximum = Some(ty.maximum.map_or(limit, |max| max.min(limit)));
        Ok((ty, charge))
    }

    /// As [`LimitingTunables::memory`]; records a refusal.
    fn memory_or_text(&self, ty: &MemoryType) -> Result<(MemoryType, Charge), MemoryError> {
        self.memory(ty)
            .map_err(|exceeded| MemoryError::Generic(self.next.refuse(exceeded)))
    }

    /// Returns the type of a table within the limits, whose maximum is counted.
    fn table(&self, ty: &TableType) -> Result<TableType, LimitExceeded> {
        let limit = self.table_elements;
        if ty.minimum > limit {
            let name = ("table_elements", "table elements");
            return Err(LimitExceeded::new(name, limit.into(), 0, ty.minimum.into()));
        }
        self.tables.take_one()?;
        let left = u32::try_from(self.account.left(Counted::Elements)).unwrap_or(u32::MAX);
        let maximum = true_maximum(ty.minimum, ty.maximum).map_or(limit, |max| max.min(limit));
        let maximum = maximum.min(left).max(ty.minimum);
        let count = |elements: u32| Charge::new(&self.account, Counted::Elements, elements.into());
        let (maximum, charge) = match count(maximum) {
            Ok(charge) => (maximum, charge),
            // Without room to grow, it may still fit the budget.
            Err(_) => (ty.minimum, count(ty.minimum)?),
        };
        // A panic while it was held left at worst a charge out of the list.
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.push(charge);
        let mut ty = *ty;
        ty.maximum = Some(maximum);
        Ok(ty)
    }

    /// As [`LimitingTunables::table`]; records a refusal.
    fn table_or_text(&self, ty: &TableType) -> Result<TableType, String> {
        self.table(ty).map_err(|exceeded| self.next.refuse(exceeded))
    }
}

/// A number of items of which some are left.
struct Left {
    name: &'static str,
    limit: u32,
    left: AtomicU32,
}

impl Left {
    fn new(name: &'static str, limit: u32) -> Left {
        Left {
            name,
            limit,
            left: AtomicU32::new(limit),
        }
    }

    fn take_one(&self) -> Result<(), LimitExceeded> {
        let one_less = |left: u32| left.checked_sub(1);
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
        match taken {
            Ok(_) => Ok(()),
            Err(_) => {
                let limit = self.limit.into();
                Err(LimitExceeded::new((self.name, self.name), limit, limit, 1))
            }
        }
    }
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
        let (ty, charge) = self.memory_or_text(ty)?;
        let memory = self.base.create_host_memory(&ty, style)?;
        Ok(self.made(memory, &ty, charge))
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
                let (ty, charge) = self.memory_or_text(ty)?;
                let (memory, handle) = prepared.memory(&ty, style, definition, charge)?;
                self.next.made(handle);
                Ok(memory)
            },
            // SAFETY: as above.
            Next::Any => unsafe {
                let (ty, charge) = self.memory_or_text(ty)?;
                let memory = self.base.create_vm_memory(&ty, style, definition)?;
                Ok(self.made(memory, &ty, charge))
            },
        }
    }

    fn create_host_table(&self, ty: &TableType, style: &TableStyle) -> Result<VMTable, String> {
        self.base.create_host_table(&self.table_or_text(ty)?, style)
    }

    unsafe fn create_vm_table(
        &self,
        ty: &TableType,
        style: &TableStyle,
        definition: NonNull<VMTableDefinition>,
    ) -> Result<VMTable, String> {
        let size = self.next.take_table();
        let ty = match size {
            None => self.table_or_text(ty)?,
            Some(size) => TableType {
                minimum: 0,
                ..self.table_or_text(&TableType { minimum: size, ..*ty })?
            },
        };
        // SAFETY: the caller guarantees `definition`, which is passed on unchanged.
        unsafe { self.base.create_vm_table(&ty, style, definition) }
    }

    fn vmconfig(&self) -> &VMConfig {
        self.stack.enter()
    }
}
