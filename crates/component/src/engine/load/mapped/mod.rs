//! Code of artifacts, mapped and described by this crate alone.
//!
//! The engine's own loader reads the tables of an image in small steps, and tells the unwinder and its list of frames of each function, though only
//! a trap needs them. Here a section beside the image has what instances need, and the rest is read for the first trap.
#![allow(unsafe_code, reason = "trusted code becomes the code of instances")]

#[cfg(feature = "compile")]
mod elf;
mod frames;
mod layout;
mod map;
#[cfg(all(test, feature = "compile"))]
mod tests;
mod unwind;

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use borsh::{BorshDeserialize, BorshSerialize};
use wasmer_types::OwnedDataInitializer;

use self::frames::Frames;
pub(crate) use self::frames::{error_of, register_stack};
use self::layout::Layout;
use self::map::Map;
use self::unwind::Unwind;
use crate::engine::load::code::{self, SavedDescription, TrustedCode};
use crate::engine::run::instance::{InstancePlan, Plan, SavedPlan};
use crate::engine::run::saved_state::SavedState;

/// True if this system's unwinder is the one that images are registered with. Elsewhere the engine loads them.
pub(crate) const IS_SUPPORTED: bool = cfg!(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
));

/// A mapped image, and the plan of its module's instances.
pub(crate) struct MappedCode {
    // Dropped in this order: what refers to the image first.
    whole: OnceLock<Result<(wasmer::Module, wasmer::Engine), String>>,
    frames: Frames,
    _unwind: Unwind,
    plan: Arc<InstancePlan>,
    metered: bool,
    /// True if instances begin with the state of another.
    has_state: bool,
    _map: Map,
}

impl fmt::Debug for MappedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MappedCode")
    }
}

/// The description of an image in an artifact, behind the image's digest.
#[derive(BorshSerialize, BorshDeserialize)]
struct SavedCode {
    layout: Layout,
    plan: SavedPlan,
}

/// A description that was checked.
struct Described {
    layout: Layout,
    plan: Plan,
    /// The data segments that are copied when an instance begins.
    data: Box<[OwnedDataInitializer]>,
    metered: bool,
    has_state: bool,
}

/// Reads the description of an image of `length` bytes, and checks it.
///
/// # Errors
/// A message, if it is malformed or of another image, or the code does not run here.
fn read(saved: &[u8], digest: &[u8; 32], length: u64, page: u64) -> Result<Described, String> {
    let saved = saved
        .strip_prefix(digest)
        .ok_or("its description is that of another image")?;
    let saved: SavedCode =
        borsh::from_slice(saved).map_err(|error| format!("its description is malformed: {error}"))?;
    saved.layout.check(length, page, saved.plan.places())?;
    let (metered, has_state) = (saved.plan.is_metered(), saved.plan.has_state());
    let (plan, data) = saved.plan.read()?;
    Ok(Described {
        layout: saved.layout,
        plan,
        data,
        metered,
        has_state,
    })
}

/// Describes an image of a module, for the section beside it. The image need not be for this machine. `None`, with a warning, if the image or
/// the module has parts that the engine is not known to make: then the engine loads it.
#[cfg(feature = "compile")]
pub(crate) fn describe(code: &wasmer::Module, image: &[u8]) -> Option<Vec<u8>> {
    let described = described(code, image);
    described
        .map_err(|problem| log::warn!("the code of a core module is left to the engine's loader: {problem}"))
        .ok()
}

#[cfg(feature = "compile")]
fn described(code: &wasmer::Module, image: &[u8]) -> Result<Vec<u8>, String> {
    /// Every processor's pages are multiples of these.
    const SMALLEST_PAGE: u64 = 4096;
    let (layout, places) = elf::read(image, code.info())?;
    let plan = SavedPlan::of(code, places)?;
    layout.check(image.len() as u64, SMALLEST_PAGE, plan.places())?;
    borsh::to_vec(&SavedCode { layout, plan }).map_err(|error| error.to_string())
}

/// Returns the description of an image with the state that instances begin with.
///
/// # Errors
/// A message, if the description is malformed, or of a module without such state.
pub(crate) fn describe_with(description: &[u8], state: &SavedState) -> Result<Vec<u8>, String> {
    let malformed = |error| format!("its description is malformed: {error}");
    let (digest, saved) = description
        .split_first_chunk::<32>()
        .ok_or("its description is too short")?;
    let SavedCode { layout, plan } = borsh::from_slice(saved).map_err(malformed)?;
    let plan = plan.with_state(state)?;
    let mut changed = digest.to_vec();
    borsh::to_writer(&mut changed, &SavedCode { layout, plan }).map_err(malformed)?;
    Ok(changed)
}

impl MappedCode {
    /// Maps an image that has a description.
    ///
    /// # Errors
    /// A message, if the description is missing, malformed, or of another image, or the image cannot be mapped.
    pub(super) fn load(code: TrustedCode<'_>) -> Result<Arc<MappedCode>, String> {
        let TrustedCode { source, description } = code;
        let SavedDescription { bytes, image } = description.ok_or("it has no description")?;
        let page = map::page_size();
        let Described {
            layout,
            plan,
            data,
            metered,
            has_state,
        } = read(&bytes, &image, source.length(), page)?;
        let map = Map::new(&source, &layout, page);
        let map = map.map_err(|error| format!("its image cannot be mapped: {error}"))?;
        // SAFETY: the description is trusted to be that of this image, so the places are those of code of the engine's making. The image
        // lives as long as the plan.
        let plan = unsafe { plan.at_base(map.base(), data) };
        // SAFETY: as above.
        let unwind = unsafe { Unwind::register(&map, &layout) };
        let loaded = Arc::new(MappedCode {
            whole: OnceLock::new(),
            frames: Frames::new(source.into_shared(), image, &layout, map.base(), plan.info()),
            _unwind: unwind,
            plan: Arc::new(plan),
            metered,
            has_state,
            _map: map,
        });
        frames::add_image(&loaded);
        Ok(loaded)
    }

    pub(super) fn plan(&self) -> &Arc<InstancePlan> {
        &self.plan
    }

    /// Reports whether the code consumes fuel.
    pub(super) fn is_metered(&self) -> bool {
        self.metered
    }

    /// Reports whether instances begin with the state of another.
    pub(super) fn has_state(&self) -> bool {
        self.has_state
    }

    /// Returns the addresses of the module's functions; `None` if it has none.
    pub(super) fn functions(&self) -> Option<Range<usize>> {
        self.frames.functions()
    }

    /// Lets the engine learn of the frames now, for calls that end in errors of the engine's own making.
    pub(super) fn register_frames(&self) {
        self.frames.register();
    }

    /// Returns the module as the engine's own loader has it, for libraries that need one. It is loaded when it is first asked for.
    ///
    /// # Errors
    /// The engine's message.
    pub(super) fn whole(&self) -> Result<&wasmer::Module, &str> {
        if self.has_state {
            return Err(
                "a library needs the engine's own instance, which cannot begin with the state of a snapshot",
            );
        }
        let load = || {
            // What is mapped may have changed since.
            self.frames.read()?;
            let engine = code::loader();
            Ok((code::load(&engine, self.frames.source().clone())?, engine))
        };
        match self.whole.get_or_init(load) {
            Ok((module, _)) => Ok(module),
            Err(message) => Err(message),
        }
    }
}

impl Drop for MappedCode {
    fn drop(&mut self) {
        frames::remove_image(&self.frames);
    }
}
