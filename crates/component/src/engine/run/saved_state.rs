//! State of a core module's instance, saved for instances that begin with it.

use wasmer::{AsStoreMut, Extern, Pages, Value};
use wasmer_types::entity::EntityRef;
use wasmer_types::{ExportIndex, GlobalIndex, GlobalInit, LocalGlobalIndex, MemoryIndex, Mutability, V128};

use crate::engine::load::core_module::CoreModule;
use crate::engine::memory::GuestMemory;
use crate::engine::memory::dummy::is_empty;
use crate::engine::memory::image::{ALIGN, Image, LENGTH_ALIGN};
use crate::engine::run::instance::CoreInstance;

/// Maximum bytes of a memory from its first byte that is not zero to its last. Stops a file that fills the disk.
const MAX_IMAGE: u64 = 1 << 30;

/// State of an instance in its module's own memory and globals.
#[derive(Debug)]
pub(crate) struct SavedState {
    pub(in crate::engine) memory: Option<SavedMemory>,
    /// Values of the mutable globals.
    pub(in crate::engine) globals: Vec<(LocalGlobalIndex, GlobalInit)>,
}

/// Size and content of a memory.
#[derive(Debug)]
pub(in crate::engine) struct SavedMemory {
    pub(in crate::engine) index: MemoryIndex,
    pub(in crate::engine) size: Pages,
    image: Option<Image>,
}

impl SavedState {
    /// Saves the state of an instance of `module`. Nothing runs in the store.
    ///
    /// # Errors
    /// The reason for which instances cannot begin with it, about the module: "it changes its tables".
    pub(crate) fn of(
        store: &mut impl AsStoreMut,
        module: &CoreModule,
        instance: &CoreInstance,
    ) -> Result<SavedState, String> {
        if !module.keeps_tables() {
            return Err(
                "its code changes tables, drops segments, or has references in globals that change".into(),
            );
        }
        let info = module.info();
        let mut own = info.memories.iter().skip(info.num_imported_memories);
        let memory = match own.find(|(_, memory)| !is_empty(memory)) {
            Some(_) if module.memories().is_none() => {
                return Err("it has several memories".into());
            }
            Some((index, _)) => Some(SavedMemory::of(store, instance, index)?),
            None => None,
        };
        let own = info.globals.iter().skip(info.num_imported_globals);
        let changing = own.filter(|(_, ty)| ty.mutability == Mutability::Var);
        let globals = changing.map(|(index, _)| {
            let own = index.index().checked_sub(info.num_imported_globals)?;
            Some((LocalGlobalIndex::new(own), value(store, instance, index)?))
        });
        let globals: Option<_> = globals.collect();
        Ok(SavedState {
            memory,
            globals: globals.ok_or_else(unread)?,
        })
    }

    /// Reports whether it is that of a module without own memory and changing globals.
    pub(crate) fn is_empty(&self) -> bool {
        self.memory.is_none() && self.globals.is_empty()
    }

    /// Returns the content of the memory; `None` if there is no memory, or all of it is zero.
    pub(crate) fn image(&self) -> Option<&Image> {
        self.memory.as_ref()?.image.as_ref()
    }
}

impl SavedMemory {
    fn of(
        store: &mut impl AsStoreMut,
        instance: &CoreInstance,
        index: MemoryIndex,
    ) -> Result<SavedMemory, String> {
        let Some(Extern::Memory(memory)) = instance.item(store, ExportIndex::Memory(index)) else {
            return Err(unread());
        };
        let memory = GuestMemory::new(store, memory).map_err(|error| error.to_string())?;
        let content = memory.data(store);
        let pages = u32::try_from(content.len() / wasmer::WASM_PAGE_SIZE).map_err(|_| unread())?;
        Ok(SavedMemory {
            index,
            size: Pages(pages),
            image: image(content)?,
        })
    }
}

fn unread() -> String {
    "the engine does not give its memory and globals".into()
}

fn value(store: &mut impl AsStoreMut, instance: &CoreInstance, index: GlobalIndex) -> Option<GlobalInit> {
    let Some(Extern::Global(global)) = instance.item(store, ExportIndex::Global(index)) else {
        return None;
    };
    match global.get(store) {
        Value::I32(value) => Some(GlobalInit::I32Const(value)),
        Value::I64(value) => Some(GlobalInit::I64Const(value)),
        Value::F32(value) => Some(GlobalInit::F32Const(value)),
        Value::F64(value) => Some(GlobalInit::F64Const(value)),
        Value::V128(value) => Some(GlobalInit::V128Const(V128::from(value.to_le_bytes()))),
        _ => None,
    }
}

/// Returns what of a memory is not zero, aligned as images are.
fn image(content: &[u8]) -> Result<Option<Image>, String> {
    let step = usize::try_from(LENGTH_ALIGN).unwrap_or(usize::MAX);
    let mut used = content
        .chunks(step)
        .enumerate()
        .filter(|(_, chunk)| chunk.iter().any(|byte| *byte != 0))
        .map(|(index, _)| index * step);
    let Some(first) = used.next() else {
        return Ok(None);
    };
    let last = used.next_back().unwrap_or(first);
    let start = first as u64 - first as u64 % ALIGN;
    let end = last as u64 + LENGTH_ALIGN;
    if end - start > MAX_IMAGE {
        return Err(format!(
            "its memory has data over {} bytes, more than the limit of {MAX_IMAGE}",
            end - start
        ));
    }
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let bytes = range.and_then(|(start, end)| content.get(start..end));
    let bytes = bytes.ok_or("its memory is no whole number of pages")?.to_vec();
    Ok(Some(Image { start, bytes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_what_is_not_zero() {
        let mut content = vec![0; 4 * 65_536];
        assert_eq!(image(&content), Ok(None));
        assert_eq!(image(&[]), Ok(None));
        content[65_536 + 9] = 1;
        let found = image(&content).expect("it fits").expect("it is not zero");
        assert_eq!((found.start, found.bytes.len()), (65_536, 4096));
        assert_eq!(found.bytes[9], 1);
        content[4 * 65_536 - 1] = 2;
        let found = image(&content).expect("it fits").expect("it is not zero");
        assert_eq!((found.start, found.bytes.len()), (65_536, 3 * 65_536));
        assert_eq!(found.bytes[3 * 65_536 - 1], 2);
    }
}
