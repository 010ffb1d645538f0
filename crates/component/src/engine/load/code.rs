//! Storage and loading of native code, and the machine that the code needs.
#![allow(
    unsafe_code,
    reason = "loading native code requires trust, which the caller of `TrustedCode::new` declares"
)]

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Seek};
use std::sync::OnceLock;

use crate::engine::Backend;
use wasmer::sys::{CpuFeature, NativeEngineExt, Target};

/// Format of a module's native code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeForm {
    /// In memory, ready to run.
    Memory,
    /// An ELF image, which can be mapped from a file.
    Elf,
}

/// Location of a module's native code.
#[derive(Clone, Debug)]
pub(crate) enum CodeSource<'a> {
    /// An ELF image that begins a file: mapped where the system can.
    FileStart(&'a File),
    Bytes(Cow<'a, [u8]>),
}

/// Native code of a core module, trusted to be the output of a compiler of this build.
#[derive(Clone, Debug)]
pub(crate) struct TrustedCode<'a>(CodeSource<'a>);

impl<'a> TrustedCode<'a> {
    /// Declares native code trusted.
    ///
    /// # Safety
    /// The code is the output of [`save`] on this version of the engine, and does not change while it is in
    /// use; otherwise loading it is undefined behavior.
    pub(crate) unsafe fn new(source: CodeSource<'a>) -> TrustedCode<'a> {
        TrustedCode(source)
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

/// Loads native code.
pub(crate) fn load(engine: &wasmer::Engine, code: TrustedCode<'_>) -> Result<wasmer::Module, String> {
    match code.0 {
        CodeSource::FileStart(file) => load_file(engine, file),
        CodeSource::Bytes(bytes) => load_bytes(engine, bytes.into_owned()),
    }
}

fn load_bytes(engine: &wasmer::Engine, bytes: Vec<u8>) -> Result<wasmer::Module, String> {
    // SAFETY: the constructor of `TrustedCode` requires what this needs.
    unsafe { wasmer::Module::deserialize_unchecked(engine, bytes) }.map_err(|error| error.to_string())
}

/// Maps the code. The engine opens files by name, so it gets a name that refers to this open file.
#[cfg(target_os = "linux")]
fn load_file(engine: &wasmer::Engine, file: &File) -> Result<wasmer::Module, String> {
    use std::os::fd::AsRawFd;
    let name = format!("/proc/self/fd/{}", file.as_raw_fd());
    if !std::path::Path::new(&name).exists() {
        return read_file(engine, file);
    }
    // SAFETY: as in `load_bytes`.
    unsafe { wasmer::Module::deserialize_from_file(engine, name) }.map_err(|error| error.to_string())
}

#[cfg(not(target_os = "linux"))]
fn load_file(engine: &wasmer::Engine, file: &File) -> Result<wasmer::Module, String> {
    read_file(engine, file)
}

fn read_file(engine: &wasmer::Engine, mut file: &File) -> Result<wasmer::Module, String> {
    let mut bytes = Vec::new();
    let read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
    read.map_err(|error| error.to_string())?;
    load_bytes(engine, bytes)
}
