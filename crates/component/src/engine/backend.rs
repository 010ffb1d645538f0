//! The compilers that wasmer offers.

use std::fmt;
use std::str::FromStr;

use super::starts::StartBackends;

/// A compiler. The cargo feature of its name compiles it in; the host chooses among those at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Backend {
    /// Good code at a good pace. MIT; the default.
    Cranelift,
    /// The fastest code, the slowest compilation. Business Source License 1.1.
    Llvm,
    /// One pass over the code: the fastest compilation, the slowest code. Business Source License 1.1.
    Singlepass,
    /// No compiler: runs only precompiled artifacts. All that a build without compilers has.
    Headless,
    /// Two compilers: a quick one to start with, and the one with the fastest code in the background. A choice for
    /// [`Config::backend`](super::Config::backend), which creates an engine of the latter that
    /// [starts with](super::Engine::starts) the former; never the backend of an engine, component or artifact.
    Tiered,
}

impl Backend {
    /// Every compiler that this project knows of, compiled in or not.
    pub const ALL: [Backend; 3] = [Backend::Cranelift, Backend::Llvm, Backend::Singlepass];

    /// Returns the compilers of this build, the default first. Empty in a headless build.
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

    /// Reports whether this build has the backend. Every build has [`Backend::Headless`]; [`Backend::Tiered`]
    /// needs two compilers.
    pub fn is_available(self) -> bool {
        match self {
            Backend::Headless => true,
            Backend::Tiered => StartBackends::of_this_build().is_some(),
            compiler => Backend::available().contains(&compiler),
        }
    }

    /// Returns the name as the command line and the cargo features spell it.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Cranelift => "cranelift",
            Backend::Llvm => "llvm",
            Backend::Singlepass => "singlepass",
            Backend::Headless => "headless",
            Backend::Tiered => "tiered",
        }
    }

    /// Returns the license of wasmer's crate for this backend, as an SPDX expression; for a tiered start the
    /// stricter one of its two.
    pub fn license(self) -> &'static str {
        match self {
            Backend::Cranelift | Backend::Headless => "MIT",
            Backend::Llvm | Backend::Singlepass | Backend::Tiered => "BUSL-1.1",
        }
    }

    /// Returns the version of wasmer that this build links.
    pub fn wasmer_version() -> &'static str {
        wasmer::sys::vm::VERSION
    }
}

/// Reports whether floats cross the border of a module of this backend as floats, not as integers of the same
/// bits: `floats.rs` has the reason.
pub(crate) fn floats_cross(backend: Backend) -> bool {
    backend != Backend::Singlepass
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Error for a name that is not a backend's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a backend: choose cranelift, llvm, singlepass or tiered")]
pub struct UnknownBackend(String);

impl FromStr for Backend {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<Backend, UnknownBackend> {
        Backend::ALL
            .into_iter()
            .chain([Backend::Tiered])
            .find(|backend| backend.name() == name)
            .ok_or_else(|| UnknownBackend(name.to_owned()))
    }
}
