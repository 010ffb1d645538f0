//! Core modules that are ready to be instantiated.
#![allow(
    unsafe_code,
    reason = "the engine requests memories through unsafe functions, whose arguments are forwarded"
)]

use std::fs::File;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::{Arc, OnceLock};

use wasmer::MemoryType;
use wasmer::sys::vm::{MemoryError, MemoryStyle, VMMemory, VMMemoryDefinition};
use wasmer_types::{ExportIndex, ModuleInfo};

use super::code::{self, TrustedCode};
use super::mapped::{self, MappedCode};
use crate::engine::interrupt;
use crate::engine::memory::account::Charge;
#[cfg(not(unix))]
use crate::engine::memory::counted::counted;
use crate::engine::memory::dummy::is_empty;
use crate::engine::memory::image::Image;
#[cfg(unix)]
use crate::engine::memory::{linear::SlotMemory, pool::Slots, reservation};
use crate::engine::names::{Names, SavedNames};
use crate::engine::run::fuel::is_metered;
use crate::engine::run::instance::InstancePlan;
use crate::engine::run::reset::{self, MemoryHandle};

/// A core module's machine code, with the initial memories of its instances.
#[derive(Clone, Debug)]
pub(crate) struct CoreModule {
    code: Code,
    /// Made for the first instance, if it is not part of the code.
    plan: Arc<OnceLock<Result<Arc<InstancePlan>, String>>>,
    memories: Option<Prepared>,
    /// True if its code consumes fuel: its last import is the counter.
    metered: bool,
    /// Addresses of its functions.
    functions: Option<Range<usize>>,
    #[expect(
        dead_code,
        reason = "held for its drop: traps find the names as long as this exists"
    )]
    names: Option<Arc<Names>>,
}

/// Machine code in memory.
#[derive(Clone, Debug)]
pub(crate) enum Code {
    /// Held by the engine, which has compiled or loaded it.
    Engine(wasmer::Module),
    /// Mapped here.
    Mapped(Arc<MappedCode>),
}

impl Code {
    /// Loads code from an artifact. Code without a description is loaded by the engine that `engine` returns.
    ///
    /// # Errors
    /// A message, if it is malformed, or not for this machine.
    pub(crate) fn load<'e>(
        engine: impl FnOnce() -> &'e wasmer::Engine,
        code: TrustedCode<'_>,
    ) -> Result<Code, String> {
        match code.description.is_some() && mapped::IS_SUPPORTED {
            true => MappedCode::load(code).map(Code::Mapped),
            false => code::load(engine(), code.source).map(Code::Engine),
        }
    }

    /// Returns the description of the module. That of mapped code lacks the imports, the exports, and the functions that instances do not
    /// need.
    fn info(&self) -> &ModuleInfo {
        match self {
            Code::Engine(module) => module.info(),
            Code::Mapped(mapped) => mapped.plan().info(),
        }
    }

    /// Passes on what the module exports, in any order, until `look` returns true; returns whether it did.
    fn any_export(&self, mut look: impl FnMut(&str, ExportIndex) -> bool) -> bool {
        match self {
            Code::Engine(module) => {
                let mut exports = module.info().exports.iter();
                exports.any(|(name, export)| look(name, *export))
            }
            Code::Mapped(mapped) => {
                let mut exports = mapped.plan().exports().iter();
                exports.any(|(name, export)| look(name, export))
            }
        }
    }

    fn is_metered(&self) -> bool {
        match self {
            Code::Engine(module) => is_metered(module.info()),
            Code::Mapped(mapped) => mapped.is_metered(),
        }
    }

    /// Reports whether instances begin with the state of another.
    fn has_state(&self) -> bool {
        match self {
            Code::Engine(_) => false,
            Code::Mapped(mapped) => mapped.has_state(),
        }
    }

    /// Returns the addresses of the module's functions; `None` if it has none, or they do not run here.
    fn functions(&self) -> Option<Range<usize>> {
        match self {
            Code::Engine(module) => interrupt::functions(module),
            Code::Mapped(mapped) => mapped.functions(),
        }
    }
}

/// Initial content of a memory, from an artifact.
#[derive(Debug)]
pub(crate) enum SavedImage {
    File {
        /// Offset in the memory, in bytes.
        start: u64,
        /// Length, in bytes.
        length: u64,
        file: Arc<File>,
        /// Offset in the file: a multiple of 64 KiB.
        offset: u64,
    },
    Bytes {
        /// Offset in the memory, in bytes.
        start: u64,
        bytes: Vec<u8>,
    },
}

/// The prepared memories of one module's instances.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    #[cfg(unix)]
    slots: Arc<Slots>,
    #[cfg(not(unix))]
    image: Arc<Image>,
    /// True if the memory follows another one without pages, which nothing uses.
    after_unused: bool,
}

impl CoreModule {
    /// Creates a module whose memory begins with `image`.
    ///
    /// # Errors
    /// A message, if the image cannot be kept, or does not fit the memory.
    pub(crate) fn new(code: Code, image: Option<Image>) -> Result<CoreModule, String> {
        let memories = Prepared::new(code.info(), image)?;
        Ok(CoreModule::with(code, memories))
    }

    /// Creates a module whose memory begins with an image from an artifact.
    ///
    /// # Errors
    /// A message, if the image does not fit the memory, or is misplaced in its file.
    pub(crate) fn saved(code: Code, image: Option<SavedImage>) -> Result<CoreModule, String> {
        match image {
            #[cfg(unix)]
            Some(SavedImage::File {
                start,
                length,
                file,
                offset,
            }) => {
                let contents = reservation::Contents::mapped(start, length, file, offset);
                let contents = contents.ok_or("its memory's image is misplaced")?;
                let memories = Prepared::with(code.info(), Some(contents))?;
                Ok(CoreModule::with(code, memories))
            }
            #[cfg(not(unix))]
            Some(SavedImage::File { .. }) => Err("images are read here, not mapped".into()),
            Some(SavedImage::Bytes { start, bytes }) => CoreModule::new(code, Some(Image { start, bytes })),
            None => CoreModule::new(code, None),
        }
    }

    fn with(code: Code, memories: Option<Prepared>) -> CoreModule {
        CoreModule {
            functions: code.functions(),
            metered: code.is_metered(),
            code,
            plan: Arc::default(),
            memories,
            names: None,
        }
    }

    /// Returns what its instances are made from.
    ///
    /// # Errors
    /// A message, if its code does not run here, or its description contradicts itself.
    pub(in crate::engine) fn plan(&self) -> Result<&Arc<InstancePlan>, &str> {
        match &self.code {
            Code::Mapped(mapped) => Ok(mapped.plan()),
            Code::Engine(module) => {
                let plan = self.plan.get_or_init(|| InstancePlan::of(module).map(Arc::new));
                plan.as_ref().map_err(String::as_str)
            }
        }
    }

    /// Adds the names for the frames of traps.
    ///
    /// # Errors
    /// A message, if the code has the key of other names.
    pub(crate) fn with_names(self, names: Option<SavedNames>) -> Result<CoreModule, String> {
        let names = names.map(Names::register);
        if names
            .as_ref()
            .is_some_and(|names| !names.are_of(self.info().name.as_deref()))
        {
            return Err("its names are those of another module".into());
        }
        Ok(CoreModule { names, ..self })
    }

    /// The addresses of its functions; `None` if it has none, or they do not run here.
    pub(crate) fn functions(&self) -> Option<Range<usize>> {
        self.functions.clone()
    }

    /// Reports whether the code consumes fuel. The counter follows the arguments of the module's own imports.
    pub(crate) fn is_metered(&self) -> bool {
        self.metered
    }

    /// Returns the description of the module. That of mapped code lacks the imports, the exports, and the functions that instances do not
    /// need.
    pub(crate) fn info(&self) -> &ModuleInfo {
        self.code.info()
    }

    /// Returns the names of the exports with a prefix.
    pub(in crate::engine) fn exports_with(&self, prefix: &str) -> Vec<String> {
        let mut names = Vec::new();
        self.code.any_export(|name, _| {
            if name.starts_with(prefix) {
                names.push(name.to_owned());
            }
            false
        });
        names
    }

    /// Reports whether the module exports a memory.
    pub(crate) fn exports_memory(&self) -> bool {
        self.code
            .any_export(|_, export| matches!(export, ExportIndex::Memory(_)))
    }

    /// Returns the module as the engine has it, for libraries that need one.
    ///
    /// # Errors
    /// A message, if the engine cannot load it.
    pub(in crate::engine) fn whole(&self) -> Result<&wasmer::Module, &str> {
        match &self.code {
            Code::Engine(module) => Ok(module),
            Code::Mapped(mapped) => mapped.whole(),
        }
    }

    /// As [`CoreModule::functions`], of the code that the engine has for libraries.
    ///
    /// # Errors
    /// A message, if the engine cannot load it.
    pub(crate) fn functions_of_whole(&self) -> Result<Option<Range<usize>>, String> {
        self.whole().map(interrupt::functions).map_err(str::to_owned)
    }

    /// Lets the engine learn of the code's frames, for calls whose errors it makes itself. It knows those of code that it holds.
    pub(crate) fn register_frames(&self) {
        if let Code::Mapped(mapped) = &self.code {
            mapped.register_frames();
        }
    }

    /// Reports whether the state that the code leaves behind in an instance can be reset.
    pub(crate) fn can_reset(&self) -> bool {
        reset::can_reset(self.info(), || {
            self.code.any_export(|name, _| name.starts_with(reset::MARK))
        })
    }

    /// Reports whether instances begin with the state of another, as those of snapshots do.
    pub(crate) fn has_state(&self) -> bool {
        self.code.has_state()
    }

    /// Reports whether all that the code leaves behind is in memories and globals.
    pub(in crate::engine) fn keeps_tables(&self) -> bool {
        reset::keeps_tables(self.info(), || {
            self.code.any_export(|name, _| name.starts_with(reset::MARK))
        })
    }

    /// Returns the prepared memories, if the module defines its only memory.
    pub(crate) fn memories(&self) -> Option<Prepared> {
        self.memories.clone()
    }
}

/// Returns the size in bytes of a module's only memory, if the module defines it, and whether an unused memory
/// without pages precedes it.
fn only_memory(info: &ModuleInfo) -> Option<(usize, bool)> {
    let mut memories = info.memories.values();
    let (memory, after_unused) = match (info.num_imported_memories, memories.next(), memories.next()) {
        (0, Some(only), None) => (only, false),
        (0, Some(unused), Some(memory)) if is_empty(unused) && memories.next().is_none() => (memory, true),
        _ => return None,
    };
    let size = usize::try_from(u64::from(memory.minimum.0) * 65_536).ok()?;
    Some((size, after_unused))
}

impl Prepared {
    /// Returns whether the unused memory is the next one; afterwards it is not.
    pub(in crate::engine) fn take_unused(&mut self) -> bool {
        std::mem::take(&mut self.after_unused)
    }
}

#[cfg(unix)]
impl Prepared {
    fn new(info: &ModuleInfo, image: Option<Image>) -> Result<Option<Prepared>, String> {
        let contents = image.map(reservation::Contents::keep).transpose();
        let contents = contents.map_err(|error| format!("its memory image cannot be stored: {error}"))?;
        Prepared::with(info, contents)
    }

    fn with(info: &ModuleInfo, contents: Option<reservation::Contents>) -> Result<Option<Prepared>, String> {
        match (only_memory(info), contents) {
            (Some((size, after_unused)), contents)
                if contents.as_ref().is_none_or(|contents| contents.fits(size)) =>
            {
                Ok(Some(Prepared {
                    slots: Slots::new(size, contents),
                    after_unused,
                }))
            }
            (_, None) => Ok(None),
            (_, Some(_)) => Err("its memory's image does not fit its memory".into()),
        }
    }

    /// Creates a memory of the module. `charge` is its size.
    ///
    /// # Safety
    /// `definition` points to a record that lives as long as the memory, and that nothing else writes.
    pub(in crate::engine) unsafe fn memory(
        self,
        ty: &MemoryType,
        style: &MemoryStyle,
        definition: NonNull<VMMemoryDefinition>,
        charge: Charge,
    ) -> Result<(VMMemory, Option<MemoryHandle>), MemoryError> {
        // SAFETY: the caller's promise.
        let memory = unsafe { SlotMemory::new(self.slots, ty, style, definition, charge) }?;
        let handle = memory.handle();
        Ok((VMMemory(Box::new(memory)), Some(handle)))
    }
}

#[cfg(not(unix))]
impl Prepared {
    fn new(info: &ModuleInfo, image: Option<Image>) -> Result<Option<Prepared>, String> {
        match (only_memory(info), image) {
            (_, None) => Ok(None),
            (Some((size, after_unused)), Some(image))
                if image.end().is_some_and(|end| end <= size as u64) =>
            {
                Ok(Some(Prepared {
                    image: Arc::new(image),
                    after_unused,
                }))
            }
            _ => Err("its memory's image does not fit its memory".into()),
        }
    }

    /// Creates a memory of the module. `charge` is its size.
    ///
    /// # Safety
    /// `definition` points to a record that lives as long as the memory, and that nothing else writes.
    pub(in crate::engine) unsafe fn memory(
        self,
        ty: &MemoryType,
        style: &MemoryStyle,
        definition: NonNull<VMMemoryDefinition>,
        charge: Charge,
    ) -> Result<(VMMemory, Option<MemoryHandle>), MemoryError> {
        use wasmer::sys::vm::LinearMemory;
        // SAFETY: the caller's promise.
        let memory = unsafe { VMMemory::from_definition(ty, style, definition) }?;
        let fits = self
            .image
            .end()
            .is_some_and(|end| end <= u64::from(ty.minimum.0) * 65_536);
        let start = usize::try_from(self.image.start).ok().filter(|_| fits);
        let start = start.ok_or_else(|| MemoryError::Generic("a memory of another module".into()))?;
        // SAFETY: the image ends within the memory, which nothing refers to yet.
        let copied = unsafe { memory.initialize_with_data(start, &self.image.bytes) };
        copied.map_err(|_| MemoryError::Generic("the image does not fit".into()))?;
        Ok((counted(memory, charge), None))
    }
}
