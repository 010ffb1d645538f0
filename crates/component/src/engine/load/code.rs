//! Storage and loading of native code, and the machine that the code needs.
#![allow(
    unsafe_code,
    reason = "loading native code requires trust, which the caller of `TrustedCode::new` declares"
)]

use std::borrow::Cow;
use std::fs::File;
use std::sync::OnceLock;

use crate::engine::Backend;
use crate::engine::load::source::CodeSource;
use wasmer::sys::{CpuFeature, NativeEngineExt, Target};

/// Format of a module's native code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeForm {
    /// In memory, ready to run.
    Memory,
    /// An ELF image, which can be mapped from a file.
    Elf,
}

/// Native code of a core module, trusted to be the output of a compiler of this build.
#[derive(Debug)]
pub(crate) struct TrustedCode<'a> {
    pub(super) source: CodeSource<'a>,
    pub(super) description: Option<SavedDescription<'a>>,
}

/// The description of an image in an artifact, and the digest of the image beside it.
#[derive(Debug)]
pub(crate) struct SavedDescription<'a> {
    /// The digest of the image that is described, and the description.
    pub(crate) bytes: Cow<'a, [u8]>,
    /// BLAKE3.
    pub(crate) image: [u8; 32],
}

impl<'a> TrustedCode<'a> {
    /// Declares native code trusted.
    ///
    /// # Safety
    /// The code is the output of [`save`] on this version of the engine, the description that of [`describe`](super::describe) for it, and
    /// the code does not change while it is in use; otherwise loading it is undefined behavior.
    pub(crate) unsafe fn new(
        source: CodeSource<'a>,
        description: Option<SavedDescription<'a>>,
    ) -> TrustedCode<'a> {
        TrustedCode { source, description }
    }
}

/// The kind of machine that code runs on: a target triple, and features of its processor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) triple: String,
    /// Sorted.
    pub(crate) features: Vec<String>,
}

impl Machine {
    /// Returns the machine that this process runs on.
    pub(crate) fn host() -> &'static Machine {
        static HOST: OnceLock<Machine> = OnceLock::new();
        HOST.get_or_init(|| Machine::of(&Target::new(wasmer::sys::Triple::host(), CpuFeature::for_host())))
    }

    fn of(target: &Target) -> Machine {
        let mut features: Vec<String> = target
            .cpu_features()
            .iter()
            .map(|feature| feature.to_string())
            .collect();
        features.sort();
        Machine {
            triple: target.triple().to_string(),
            features,
        }
    }
}

/// Returns the settings, beside the engine's version, that the engine's code format depends on: one text for each backend.
pub(crate) fn tunables(backend: Backend) -> &'static str {
    match backend {
        Backend::Llvm => {
            "memories=reserved-second-or-movable, tables=growable-if-shared-or-grown, instances=marked-if-restartable-or-lean"
        }
        Backend::Cranelift | Backend::Singlepass | Backend::Headless | Backend::Tiered => {
            "memories=reserved, tables=growable-if-shared-or-grown, instances=marked-if-restartable-or-lean"
        }
    }
}

/// Serializes a compiled module's native code.
pub(crate) fn save(module: &wasmer::Module) -> Result<Vec<u8>, String> {
    let bytes = module.serialize().map_err(|error| error.to_string())?;
    Ok(bytes.into())
}

/// Creates an engine without a compiler, to load one component's modules.
pub(crate) fn loader() -> wasmer::Engine {
    <wasmer::Engine as NativeEngineExt>::headless()
}

/// Loads native code by the engine's own loader. The source is that of trusted code.
pub(super) fn load(engine: &wasmer::Engine, source: CodeSource<'_>) -> Result<wasmer::Module, String> {
    match source.file() {
        Some((file, 0)) if cfg!(target_os = "linux") => match name(file) {
            // SAFETY: the constructor of `TrustedCode` requires what this needs.
            Some(name) => unsafe { wasmer::Module::deserialize_from_file(engine, name) }
                .map_err(|error| error.to_string()),
            None => load_bytes(engine, source),
        },
        _ => load_bytes(engine, source),
    }
}

fn load_bytes(engine: &wasmer::Engine, source: CodeSource<'_>) -> Result<wasmer::Module, String> {
    let bytes = match source {
        CodeSource::Bytes(bytes) => bytes.into_owned(),
        source => source.whole().map_err(|error| error.to_string())?.to_vec(),
    };
    // SAFETY: as in `load`.
    unsafe { wasmer::Module::deserialize_unchecked(engine, bytes) }.map_err(|error| error.to_string())
}

/// Returns a name that refers to this open file: the engine opens files by name. `None` if the system has none.
#[cfg(target_os = "linux")]
fn name(file: &File) -> Option<String> {
    use std::os::fd::AsRawFd;
    let name = format!("/proc/self/fd/{}", file.as_raw_fd());
    std::path::Path::new(&name).exists().then_some(name)
}

#[cfg(not(target_os = "linux"))]
fn name(_: &File) -> Option<String> {
    None
}
