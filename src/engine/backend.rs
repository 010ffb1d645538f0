//! The compilers that wasmer offers.

use std::fmt;
use std::str::FromStr;

use wasmer::sys::NativeEngineExt;

use super::StoreLimits;
use super::code::Form;
use super::tunables::{LimitingTunables, Memories, NextModule};
use crate::error::{Error, Result};

/// A compiler. Each is compiled in by the cargo feature of its name; the choice among those is made at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Backend {
    /// Good code at a good pace. MIT or Apache-2.0; the default.
    Cranelift,
    /// The fastest code, the slowest compilation. Business Source License 1.1.
    Llvm,
    /// One pass over the code: the fastest compilation, the slowest code. Business Source License 1.1.
    Singlepass,
}

impl Backend {
    /// Every backend that this project knows of, compiled in or not.
    pub const ALL: [Backend; 3] = [Backend::Cranelift, Backend::Llvm, Backend::Singlepass];

    /// The backends that this build carries, the default first.
    pub fn available() -> &'static [Backend] {
        &[
            #[cfg(feature = "cranelift")]
            Backend::Cranelift,
            #[cfg(feature = "llvm")]
            Backend::Llvm,
            #[cfg(feature = "singlepass")]
            Backend::Singlepass,
        ]
    }

    /// Whether this build carries the backend.
    pub fn is_available(self) -> bool {
        Backend::available().contains(&self)
    }

    /// The name as the command line and the cargo features spell it.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Cranelift => "cranelift",
            Backend::Llvm => "llvm",
            Backend::Singlepass => "singlepass",
        }
    }

    /// The licence of wasmer's crate for this backend, as an SPDX expression.
    pub fn licence(self) -> &'static str {
        match self {
            Backend::Cranelift => "MIT",
            Backend::Llvm | Backend::Singlepass => "BUSL-1.1",
        }
    }

    /// The version of the wasmer that this build links.
    pub fn wasmer_version() -> &'static str {
        wasmer::sys::vm::VERSION
    }

    #[allow(unreachable_patterns, reason = "which arms exist follows the features")]
    pub(super) fn compiler(self, form: Form) -> Result<wasmer::Engine> {
        let mut config: Box<dyn wasmer::sys::CompilerConfig> = match self {
            #[cfg(feature = "cranelift")]
            Backend::Cranelift => Box::new(wasmer::sys::Cranelift::default()),
            #[cfg(feature = "llvm")]
            Backend::Llvm => Box::new(wasmer::sys::LLVM::default()),
            #[cfg(feature = "singlepass")]
            Backend::Singlepass => Box::new(wasmer::sys::Singlepass::default()),
            other => {
                return Err(Error::BackendUnavailable {
                    backend: other.name().into(),
                });
            }
        };
        #[allow(unreachable_code, reason = "reached with one backend or more")]
        {
            config.experimental_artifact(form == Form::Elf);
            let builder = wasmer::sys::EngineBuilder::new(config);
            let mut engine: wasmer::Engine = builder.set_features(Some(features())).engine().into();
            if self == Backend::Llvm {
                let tunables =
                    LimitingTunables::new(&StoreLimits::default(), Memories::Movable, NextModule::default());
                NativeEngineExt::set_tunables(&mut engine, tunables);
            }
            Ok(engine)
        }
    }
}

/// The core features, the same for every backend: WebAssembly 2.0 with extended constant expressions and with
/// several memories, which component-to-component adapters need.
#[allow(dead_code, reason = "a build without a backend compiles nothing")]
fn features() -> wasmer::sys::Features {
    let mut features = wasmer::sys::Features::default();
    features
        .reference_types(true)
        .bulk_memory(true)
        .multi_value(true)
        .multi_memory(true)
        .simd(true)
        .extended_const(true)
        .threads(false)
        .tail_call(false)
        .memory64(false)
        .exceptions(false);
    features
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no backend's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a backend: choose cranelift, llvm or singlepass")]
pub struct UnknownBackend(String);

impl FromStr for Backend {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<Backend, UnknownBackend> {
        Backend::ALL
            .into_iter()
            .find(|backend| backend.name() == name)
            .ok_or_else(|| UnknownBackend(name.to_owned()))
    }
}
