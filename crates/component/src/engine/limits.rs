//! Limits on the host's resources that one store uses.

use crate::engine::MemoryBudget;

/// Limits on a [`Store`](crate::component::Store) and everything instantiated in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreLimits {
    /// Bytes that one linear memory may grow to; 1 GiB by default. Stops a guest that allocates without end.
    pub memory_bytes: u64,
    /// Bytes that all linear memories of the store may have together; 1 GiB by default. A larger
    /// [`StoreLimits::memory_bytes`] needs a larger total, too. Stops a component whose many memories each stay within
    /// their limit. Memories that threads of a WASIX program share are not counted.
    pub total_memory_bytes: u64,
    /// Linear memories that may be created, each of which reserves address space; 100 by default. Stops a
    /// component of thousands of empty modules.
    pub memories: u32,
    /// Elements that one table may hold; 1,000,000 by default. Stops a table whose minimum alone would fill the
    /// host's memory.
    pub table_elements: u32,
    /// Elements that all tables of the store may hold together; 4,000,000 by default. A table that code may grow
    /// counts with the number of elements that it may grow to. If that does not fit, it does not grow beyond what is
    /// left. Stops a component whose many tables each stay within [`StoreLimits::table_elements`].
    pub total_table_elements: u64,
    /// Tables that may be created; 100 by default. Stops a component whose many tables exhaust memory although each is
    /// within [`StoreLimits::table_elements`].
    pub tables: u32,
    /// Core instances that one component may create, adapter modules included; 1,000 by default. Stops a component that
    /// instantiates one small module thousands of times.
    pub core_instances: u32,
    /// Room for handles in the tables of all component instances, and for loans of them to calls in flight;
    /// 1,000,000 by default. Stops a guest that creates resources forever, in however many instances, and one that
    /// lends a resource a million times in one call.
    pub handles: u32,
    /// Bytes that the host allocates for the values of one call in one direction; 256 MiB by default. Stops a
    /// list of a million references to one string.
    pub lift_bytes: u64,
    /// Bytes of the stack that guests run on; 1 MiB by default, at least 64 KiB and at most 100 MiB: other numbers are changed
    /// to these. Functions of the host have their own. A guest that needs more traps. In a store with less than other stores of
    /// the process, each entry into a guest takes some microseconds longer, since it gets a new stack. Stops a recursion that
    /// fills the host's memory.
    pub stack_bytes: u64,
    /// Fuel that the store has at first; no limit by default. With a limit, only code that an engine with
    /// [`Config::consume_fuel`](crate::engine::Config::consume_fuel) compiled is instantiated. Stops a guest that
    /// computes without end.
    pub fuel: Option<u64>,
    /// The budget that the store's memories and tables share with other stores; none by default. Stops many components
    /// that together exhaust the host's memory.
    pub memory_budget: Option<MemoryBudget>,
}

impl Default for StoreLimits {
    fn default() -> StoreLimits {
        StoreLimits {
            memory_bytes: 1 << 30,
            total_memory_bytes: 1 << 30,
            memories: 100,
            table_elements: 1_000_000,
            total_table_elements: 4_000_000,
            tables: 100,
            core_instances: 1_000,
            handles: 1_000_000,
            lift_bytes: 256 << 20,
            stack_bytes: 1 << 20,
            fuel: None,
            memory_budget: None,
        }
    }
}
