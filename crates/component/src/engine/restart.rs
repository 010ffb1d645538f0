//! Instances that begin again: what their code has left behind in them is put back to what it was when they were new.
//!
//! Which modules' instances can do so is found out when they are compiled, and marked: no code of theirs changes a table or
//! drops a segment, and no code has run while they were made. That leaves memories and mutable globals.

use std::io;
use std::sync::OnceLock;

use wasmer::{AsStoreMut, Global, Instance, Mutability, Value};

use super::core_module::CoreModule;
use super::empty_memory::is_empty;
use super::tunables::NextModule;

#[cfg(unix)]
pub(crate) use super::linear::MemoryHandle;

/// Memories are not begun again here.
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

    fn restart(&self) -> io::Result<()> {
        match *self {}
    }
}

/// How the names of exports begin that only this host makes: of each mutable global, and of another item to show that the
/// module is marked.
pub(super) const MARK: &str = "airssys:restart ";

/// Behind [`MARK`] in a module that has data to put in place, in a memory of its own or another's.
pub(super) const WITH_DATA: &str = "with-data";

/// Whether a module's instances can begin again.
pub(super) fn is_marked(code: &wasmer::Module) -> bool {
    let info = code.info();
    let has_state = !info.memories.is_empty()
        || !info.tables.is_empty()
        || info
            .globals
            .values()
            .any(|global| global.mutability == Mutability::Var);
    let marked = || info.exports.keys().any(|name| name.starts_with(MARK));
    info.start_function.is_none() && (!has_state || marked())
}

/// What instances of one component keep together: what their memories begin again with, where that is not an image.
#[derive(Debug, Default)]
pub(crate) struct Kept(OnceLock<Vec<MemoryHandle>>);

impl Kept {
    /// Has `memories` keep what is in them: the first ones what they have, others the same. Whether they all can.
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
        // Of two that come first at once, either will do.
        let _ = self.0.set(memories.to_vec());
        Ok(true)
    }
}

/// How the instances of one store were when they were new.
#[derive(Debug)]
pub(crate) struct Restart {
    memories: Vec<MemoryHandle>,
    globals: Vec<(Global, Value)>,
}

impl Restart {
    /// Takes down how instances are, which have just been made in `store`: all that it has, made since `next` was asked to
    /// remember their memories. `None` if they cannot begin again.
    ///
    /// # Errors
    /// What stands against keeping what is in their memories; then they are not to be used.
    pub(crate) fn of<'a>(
        store: &mut impl AsStoreMut,
        next: &NextModule,
        kept: &Kept,
        instances: impl Iterator<Item = (&'a CoreModule, &'a Instance)>,
    ) -> Result<Option<Restart>, String> {
        let memories = next.remembered();
        let (mut defined, mut with_data, mut globals) = (0, false, Vec::new());
        for (module, instance) in instances {
            let info = module.code().info();
            if !module.can_restart() {
                return Ok(None);
            }
            let own = info.memories.values().skip(info.num_imported_memories);
            defined += own.filter(|memory| !is_empty(memory)).count();
            for (name, item) in instance.exports.iter() {
                let Some(mark) = name.strip_prefix(MARK) else {
                    continue;
                };
                with_data |= mark == WITH_DATA;
                if let wasmer::Extern::Global(global) = item {
                    globals.push((global.clone(), global.get(store)));
                }
            }
        }
        if defined != memories.len() {
            return Ok(None);
        }
        if with_data && !kept.keep(&memories).map_err(|error| error.to_string())? {
            return Ok(None);
        }
        Ok(Some(Restart { memories, globals }))
    }

    /// Has the instances begin again. Nothing runs in their store meanwhile.
    ///
    /// # Errors
    /// What stands against it; then they are not to be used.
    pub(crate) fn run(&self, store: &mut impl AsStoreMut) -> Result<(), String> {
        for memory in &self.memories {
            memory.restart().map_err(|error| error.to_string())?;
        }
        for (global, value) in &self.globals {
            global
                .set(store, value.clone())
                .map_err(|error| error.message())?;
        }
        Ok(())
    }
}
