//! Native code in and out of artifacts, and what it needs of a host.
#![allow(
    unsafe_code,
    reason = "loading native code is trusting it; whoever says so constructs `TrustedCode`"
)]

use super::Backend;
use wasmer::sys::{CpuFeature, NativeEngineExt, Target};

/// A core module's native code, which somebody has said to be what a compiler of this build made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrustedCode<'a>(&'a [u8]);

impl<'a> TrustedCode<'a> {
    /// # Safety
    /// The bytes are those that [`save`] gave, on this version of the engine; otherwise anything may happen when they
    /// are loaded.
    pub(crate) unsafe fn new(bytes: &'a [u8]) -> TrustedCode<'a> {
        TrustedCode(bytes)
    }
}

/// What code is compiled for, and what a host offers: a target triple, and features of its processor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) triple: String,
    /// Sorted.
    pub(crate) features: Vec<String>,
}

impl Machine {
    /// The one that this runs on.
    pub(crate) fn host() -> Machine {
        Machine::of(&Target::new(wasmer::sys::Triple::host(), CpuFeature::for_host()))
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

/// What the engine's code format depends on, beside the engine's version: one text for each backend's choice of these.
pub(crate) fn tunables(backend: Backend) -> String {
    let memories = match backend {
        Backend::Llvm => "movable",
        Backend::Cranelift | Backend::Singlepass | Backend::Headless => "reserved",
    };
    format!("memories={memories}, tables=growable-if-shared")
}

/// A compiled module's native code.
pub(crate) fn save(module: &wasmer::Module) -> Result<Vec<u8>, String> {
    let bytes = module.serialize().map_err(|error| error.to_string())?;
    Ok(bytes.to_vec())
}

/// An engine without a compiler, to load one component's modules.
pub(crate) fn loader() -> wasmer::Engine {
    <wasmer::Engine as NativeEngineExt>::headless()
}

/// Loads native code.
pub(crate) fn load(engine: &wasmer::Engine, code: TrustedCode<'_>) -> Result<wasmer::Module, String> {
    // SAFETY: the constructor of `TrustedCode` asked for what this needs.
    unsafe { wasmer::Module::deserialize(engine, code.0) }.map_err(|error| error.to_string())
}
