//! Core modules that are ready to be instantiated.
#![allow(
    unsafe_code,
    reason = "the engine asks for memories through unsafe functions; their arguments are handed on"
)]

use std::fs::File;
use std::ptr::NonNull;
use std::sync::Arc;

use wasmer::MemoryType;
use wasmer::sys::vm::{MemoryError, MemoryStyle, VMMemory, VMMemoryDefinition};

use super::data_image::Image;
#[cfg(unix)]
use super::{linear::SlotMemory, region, slots::Slots};

/// A core module's machine code, with the memories that its instances begin with.
#[derive(Clone, Debug)]
pub(crate) struct CoreModule {
    code: wasmer::Module,
    memories: Option<Prepared>,
}

/// What a memory begins with, out of an artifact.
#[derive(Debug)]
pub(crate) enum SavedImage {
    File {
        /// Where in the memory.
        start: u64,
        /// Bytes.
        length: u64,
        file: Arc<File>,
        /// Where in the file: a multiple of 64 KiB.
        offset: u64,
    },
    Bytes {
        /// Where in the memory.
        start: u64,
        bytes: Vec<u8>,
    },
}

/// The prepared memories of one module's instances.
#[derive(Clone, Debug)]
pub(crate) struct Prepared(#[cfg(unix)] Arc<Slots>, #[cfg(not(unix))] Arc<Image>);

impl CoreModule {
    /// A module whose memory begins with `image`.
    ///
    /// # Errors
    /// What stands against keeping the image.
    pub(crate) fn new(code: wasmer::Module, image: Option<Image>) -> Result<CoreModule, String> {
        let memories = Prepared::new(&code, image)?;
        Ok(CoreModule { code, memories })
    }

    /// A module whose memory begins with an image out of an artifact.
    ///
    /// # Errors
    /// What is wrong with the image.
    pub(crate) fn saved(code: wasmer::Module, image: Option<SavedImage>) -> Result<CoreModule, String> {
        match image {
            #[cfg(unix)]
            Some(SavedImage::File {
                start,
                length,
                file,
                offset,
            }) => {
                let contents = region::Contents::mapped(start, length, file, offset);
                let contents = contents.ok_or("its memory's image is misplaced")?;
                let memories = Prepared::with(&code, Some(contents))?;
                Ok(CoreModule { code, memories })
            }
            #[cfg(not(unix))]
            Some(SavedImage::File { .. }) => Err("images are read here, not mapped".into()),
            Some(SavedImage::Bytes { start, bytes }) => CoreModule::new(code, Some(Image { start, bytes })),
            None => CoreModule::new(code, None),
        }
    }

    /// The machine code.
    pub(crate) fn code(&self) -> &wasmer::Module {
        &self.code
    }

    /// The memories, if the module defines one of its own.
    pub(crate) fn memories(&self) -> Option<Prepared> {
        self.memories.clone()
    }
}

/// Bytes of the memory that a module defines, if that is the only one that it has.
fn only_memory(code: &wasmer::Module) -> Option<usize> {
    let info = code.info();
    match (info.num_imported_memories, info.memories.len()) {
        (0, 1) => {
            let memory = info.memories.values().next()?;
            usize::try_from(u64::from(memory.minimum.0) * 65_536).ok()
        }
        _ => None,
    }
}

#[cfg(unix)]
impl Prepared {
    fn new(code: &wasmer::Module, image: Option<Image>) -> Result<Option<Prepared>, String> {
        let contents = image.map(region::Contents::keep).transpose();
        let contents = contents.map_err(|error| format!("its memory's image cannot be kept: {error}"))?;
        Prepared::with(code, contents)
    }

    fn with(code: &wasmer::Module, contents: Option<region::Contents>) -> Result<Option<Prepared>, String> {
        match (only_memory(code), contents) {
            (Some(size), contents) if contents.as_ref().is_none_or(|contents| contents.fits(size)) => {
                Ok(Some(Prepared(Slots::new(size, contents))))
            }
            (_, None) => Ok(None),
            (_, Some(_)) => Err("its memory's image does not fit its memory".into()),
        }
    }

    /// # Safety
    /// `definition` leads to a record that lives as long as the memory, and that nobody else writes.
    pub(super) unsafe fn memory(
        self,
        ty: &MemoryType,
        style: &MemoryStyle,
        definition: NonNull<VMMemoryDefinition>,
    ) -> Result<VMMemory, MemoryError> {
        // SAFETY: the caller's promise.
        let memory = unsafe { SlotMemory::new(self.0, ty, style, definition) }?;
        Ok(VMMemory(Box::new(memory)))
    }
}

#[cfg(not(unix))]
impl Prepared {
    fn new(code: &wasmer::Module, image: Option<Image>) -> Result<Option<Prepared>, String> {
        match (only_memory(code), image) {
            (_, None) => Ok(None),
            (Some(size), Some(image)) if image.end().is_some_and(|end| end <= size as u64) => {
                Ok(Some(Prepared(Arc::new(image))))
            }
            _ => Err("its memory's image does not fit its memory".into()),
        }
    }

    /// # Safety
    /// `definition` leads to a record that lives as long as the memory, and that nobody else writes.
    pub(super) unsafe fn memory(
        self,
        ty: &MemoryType,
        style: &MemoryStyle,
        definition: NonNull<VMMemoryDefinition>,
    ) -> Result<VMMemory, MemoryError> {
        use wasmer::sys::vm::LinearMemory;
        // SAFETY: the caller's promise.
        let memory = unsafe { VMMemory::from_definition(ty, style, definition) }?;
        let fits = self
            .0
            .end()
            .is_some_and(|end| end <= u64::from(ty.minimum.0) * 65_536);
        let start = usize::try_from(self.0.start).ok().filter(|_| fits);
        let start = start.ok_or_else(|| MemoryError::Generic("a memory of another module".into()))?;
        // SAFETY: the image ends within the memory, which nobody refers to yet.
        let copied = unsafe { memory.initialize_with_data(start, &self.0.bytes) };
        copied.map_err(|_| MemoryError::Generic("the image does not fit".into()))?;
        Ok(memory)
    }
}
