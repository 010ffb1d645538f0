//! Frames of images, which the engine learns of when the first trap passes through them: that takes it as long as all the rest
//! of loading.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};

use wasmer::RuntimeError;
use wasmer::sys::FunctionExtent;
use wasmer::sys::vm::{FunctionBodyPtr, Trap};
use wasmer_compiler::{GlobalFrameInfoRegistration, register_frame_info};
use wasmer_types::entity::PrimaryMap;
use wasmer_types::{LocalFunctionIndex, ModuleInfo};

use super::MappedCode;
use super::layout::Layout;
use crate::engine::load::source::CodeSource;
use crate::engine::run::instance::Base;
use crate::panics::contain;

/// The images of this process, by the ends of their functions.
static IMAGES: RwLock<BTreeMap<usize, (usize, Weak<MappedCode>)>> = RwLock::new(BTreeMap::new());

/// Adds an image to those whose frames are found.
pub(super) fn add_image(code: &Arc<MappedCode>) {
    let Range { start, end } = code.frames.functions;
    if start < end {
        let mut images = IMAGES.write().unwrap_or_else(PoisonError::into_inner);
        images.insert(end, (start, Arc::downgrade(code)));
    }
}

/// Removes an image, before it is unmapped.
pub(super) fn remove_image(frames: &Frames) {
    if !frames.functions.is_empty() {
        let mut images = IMAGES.write().unwrap_or_else(PoisonError::into_inner);
        images.remove(&frames.functions.end);
    }
}

/// Converts a trap to the engine's error, after the engine has learned of all frames that it passed through.
#[cold]
pub(crate) fn error_of(trap: Trap) -> RuntimeError {
    match trap {
        Trap::Wasm {
            pc,
            signal_trap,
            backtrace,
        } if !register_at(pc) => {
            let unknown =
                || RuntimeError::new("a trap of code whose artifact has changed since it was loaded");
            let known = signal_trap.map(|trap_code| Trap::Lib { trap_code, backtrace });
            known.map_or_else(unknown, RuntimeError::from)
        }
        trap => {
            if let Trap::Wasm { backtrace, .. }
            | Trap::Lib { backtrace, .. }
            | Trap::OOM { backtrace }
            | Trap::UncaughtException { backtrace, .. } = &trap
            {
                backtrace.frames().iter().for_each(|frame| {
                    register_at(frame.ip().addr());
                });
            }
            // The error of a host function has its frames already (`register_stack`).
            trap.into()
        }
    }
}

/// Lets the engine learn of all frames on the stack, for an error that it makes next.
#[cold]
pub(crate) fn register_stack() {
    if let Trap::OOM { backtrace } = Trap::oom() {
        for frame in backtrace.frames() {
            register_at(frame.ip().addr());
        }
    }
}

/// Lets the engine learn of the frames of the image at this address, if there is one. Addresses at the end of a function count: a call
/// that does not return may be its last instruction. Returns false if they cannot be read.
pub(super) fn register_at(address: usize) -> bool {
    let found = {
        let images = IMAGES.read().unwrap_or_else(PoisonError::into_inner);
        let next = images.range(address..).next();
        next.filter(|(_, (start, _))| *start <= address)
            .and_then(|(_, (_, code))| code.upgrade())
    };
    found.is_none_or(|code| code.frames.register())
}

/// The frames of an image.
pub(super) struct Frames {
    source: CodeSource<'static>,
    /// BLAKE3 digest of the source, which is read when it is needed.
    digest: [u8; 32],
    /// Offset of the functions' addresses in the source, and their number.
    addresses: u64,
    count: u32,
    /// Addresses of the functions in this process.
    functions: Range<usize>,
    start: Base,
    name: Option<String>,
    imported: usize,
    registered: OnceLock<Option<GlobalFrameInfoRegistration>>,
}

impl Frames {
    /// The frames of an image that begins at `start`. Its source has this digest.
    pub(super) fn new(
        source: CodeSource<'static>,
        digest: [u8; 32],
        layout: &Layout,
        start: Base,
        info: &ModuleInfo,
    ) -> Frames {
        let at = |place: u32| start.function(place).addr();
        Frames {
            source,
            digest,
            addresses: layout.addresses,
            count: layout.count,
            functions: at(layout.functions.start)..at(layout.functions.end),
            start,
            name: info.name.clone(),
            imported: info.num_imported_functions,
            registered: OnceLock::new(),
        }
    }

    /// Returns the addresses of the functions; `None` if there are none.
    pub(super) fn functions(&self) -> Option<Range<usize>> {
        Some(self.functions.clone()).filter(|functions| !functions.is_empty())
    }

    pub(super) fn source(&self) -> &CodeSource<'static> {
        &self.source
    }

    /// Lets the engine learn of the frames, the first time that it is called. Returns false if they cannot be read.
    pub(super) fn register(&self) -> bool {
        let registered = self.registered.get_or_init(|| {
            let registered = self.read().and_then(|image| self.registration(image));
            registered
                .map_err(|problem| {
                    log::warn!(
                        "cannot read an artifact's tables of traps, their causes are not shown: {problem}"
                    );
                })
                .ok()
        });
        registered.is_some()
    }

    /// Returns true if the engine has learned of the frames.
    #[cfg(test)]
    pub(super) fn is_registered(&self) -> bool {
        self.registered.get().is_some_and(Option::is_some)
    }

    /// Reads the image.
    ///
    /// # Errors
    /// A message, if it cannot be read, or has changed since it was mapped.
    pub(super) fn read(&self) -> Result<Arc<[u8]>, String> {
        let image = self.source.whole().map_err(|error| error.to_string())?;
        match *blake3::hash(&image).as_bytes() == self.digest {
            true => Ok(image),
            false => Err("the artifact has changed".into()),
        }
    }

    fn registration(&self, image: Arc<[u8]>) -> Result<GlobalFrameInfoRegistration, String> {
        let extents = self
            .extents(&image)
            .ok_or("the addresses of functions are malformed")?;
        let info = ModuleInfo {
            name: self.name.clone(),
            num_imported_functions: self.imported,
            ..ModuleInfo::default()
        };
        let extents = extents.into_boxed_slice();
        // It compares the image with all others that it knows.
        let registered = contain("the list of frames", || {
            register_frame_info(Arc::new(info), &extents, None, self.start.addr(), Some(image))
        });
        let registered = registered.map_err(|panicked| panicked.to_string())?;
        registered.ok_or_else(|| "there are no functions".into())
    }

    /// Returns the functions as the image lists them; `None` if they are not in order, or not all between their ends.
    fn extents(&self, image: &[u8]) -> Option<PrimaryMap<LocalFunctionIndex, FunctionExtent>> {
        let start = usize::try_from(self.addresses).ok()?;
        let count = usize::try_from(self.count).ok()?;
        let (words, _) = image.get(start..)?.as_chunks::<8>();
        let words = words.get(..=count)?;
        let places = words
            .iter()
            .map(|word| u32::try_from(u64::from_le_bytes(*word)).ok());
        let places: Vec<u32> = places.collect::<Option<_>>()?;
        let at = |place: Option<&u32>| place.map(|place| self.start.function(*place).addr());
        let is_whole =
            at(places.first()) == Some(self.functions.start) && at(places.last()) == Some(self.functions.end);
        let pairs = places.iter().zip(places.get(1..)?);
        let extent = |(place, next): (&u32, &u32)| {
            let length = next.checked_sub(*place).filter(|length| *length > 0)?;
            Some(FunctionExtent {
                ptr: FunctionBodyPtr(self.start.function(*place)),
                length: length as usize,
            })
        };
        pairs.map(extent).collect::<Option<_>>().filter(|_| is_whole)
    }
}
