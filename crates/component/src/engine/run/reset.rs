//! Reset of instances: the state that their code has left behind becomes what it was when they were new.
//!
//! Compilation marks the modules whose code changes no table and drops no segment. That leaves memories and mutable globals. If none of it
//! runs during instantiation either, their instances can be reset.

use std::io;
use std::sync::OnceLock;

use wasmer::{AsStoreMut, Global, Mutability, Value};
use wasmer_types::ModuleInfo;

use crate::engine::load::core_module::CoreModule;
use crate::engine::memory::dummy::is_empty;
use crate::engine::run::instance::CoreInstance;
use crate::engine::run::tunables::NextModule;

#[cfg(unix)]
pub(crate) use crate::engine::memory::linear::MemoryHandle;

/// Handle of a memory that cannot be reset on this platform: it has no values.
#[cfg(not(unix))]
#[derive(Clone, Debug)]
pub(crate) enum MemoryHandle {}

#[cfg(not(unix))]
impl MemoryHandle {
    fn keep(&self) -> io::Result<bool> {
        match *self {}
    }

    fn keep_as(&self, _: &MemoryHandle) -> io::Result<bool> {
        match *self {}
    }

    fn reset(&self) -> io::Result<()> {
        match *self {}
    }
}

/// Prefix of export names that only this host adds: one for each mutable global, and one for another item, which shows
/// that the module is marked.
pub(in crate::engine) const MARK: &str = "airssys:restart ";

/// Suffix of [`MARK`] in a module with data to put in place, in a memory of its own or another's.
pub(in crate::engine) const WITH_DATA: &str = "with-data";

/// Reports whether a module's instances can be reset; `marked` whether it has the mark.
pub(in crate::engine) fn can_reset(info: &ModuleInfo, marked: impl FnOnce() -> bool) -> bool {
    info.start_function.is_none() && keeps_tables(info, marked)
}

/// Reports whether all that a module's code leaves behind is in memories and globals; `marked` whether it has the mark.
pub(in crate::engine) fn keeps_tables(info: &ModuleInfo, marked: impl FnOnce() -> bool) -> bool {
    let has_state = !info.memories.is_empty()
        || !info.tables.is_empty()
        || info
            .globals
            .values()
            .any(|global| global.mutability == Mutability::Var);
    !has_state || marked()
}

/// Memories whose content the instances of one component share for their resets, where that is not an image.
#[derive(Debug, Default)]
pub(crate) struct KeptMemories(OnceLock<Vec<MemoryHandle>>);

impl KeptMemories {
    /// Keeps the content of `memories`: that of the first call, which later calls share. Returns whether all can be kept.
    fn keep(&self, memories: &[MemoryHandle]) -> io::Result<bool> {
        let first = self.0.get();
        if first.is_some_and(|first| first.len() != memories.len()) {
            return Ok(false);
        }
        for (index, memory) in memories.iter().enumerate() {
            let kept = match first.and_then(|first| first.get(index)) {
                Some(first) => memory.keep_as(first)?,
                None => memory.keep()?,
            };
            if !kept {
                return Ok(false);
            }
        }
        // Of two first calls at once, either will do.
        let _ = self.0.set(memories.to_vec());
        Ok(true)
    }
}

/// State of the instances of one store when they were new.
#[derive(Debug)]
pub(crate) struct Reset {
    memories: Vec<MemoryHandle>,
    globals: Vec<(Global, Value)>,
}

impl Reset {
    /// Records the state of instances that have just been created in `store`: all that it has, created since `next` began
    /// to remember their memories. Returns `None` if they cannot be reset.
    ///
    /// # Errors
    /// A message, if their memories cannot be kept; the instances must not be used then.
    pub(crate) fn of<'a>(
        store: &mut impl AsStoreMut,
        next: &NextModule,
        kept: &KeptMemories,
        instances: impl Iterator<Item = (&'a CoreModule, &'a CoreInstance)>,
    ) -> Result<Option<Reset>, String> {
        let memories = next.remembered();
        let (mut defined, mut with_data, mut globals) = (0, false, Vec::new());
        for (module, instance) in instances {
            let info = module.info();
            if !module.can_reset() {
                return Ok(None);
            }
            let own = info.memories.values().skip(info.num_imported_memories);
            defined += own.filter(|memory| !is_empty(memory)).count();
            for name in module.exports_with(MARK) {
                with_data |= name.strip_prefix(MARK) == Some(WITH_DATA);
                match instance.export(store, &name) {
                    Some(wasmer::Extern::Global(global)) => {
                        let value = global.get(store);
                        globals.push((global, value));
                    }
                    Some(_) => {}
                    None => return Err(format!("the marked export `{name}` is missing")),
                }
            }
        }
        if defined != memories.len() {
            return Ok(None);
        }
        if with_data && !kept.keep(&memories).map_err(|error| error.to_string())? {
            return Ok(None);
        }
        Ok(Some(Reset { memories, globals }))
    }

    /// Resets the instances. Nothing may run in their store meanwhile.
    ///
    /// # Errors
    /// A message, if the reset fails; the instances must not be used then.
    pub(crate) fn run(&self, store: &mut impl AsStoreMut) -> Result<(), String> {
        for memory in &self.memories {
            memory.reset().map_err(|error| error.to_string())?;
        }
        for (global, value) in &self.globals {
            global
                .set(store, value.clone())
                .map_err(|error| error.message())?;
        }
        Ok(())
    }
}
