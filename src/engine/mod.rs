//! wasmer: which compiler compiles, with which features, under which limits.
//!
//! Nothing here knows of components beyond the fact that each gets a wasmer engine of its own: an engine
//! never frees the code that it has loaded, so a shared one would leak with every component that is unloaded.

mod backend;
mod code;
#[cfg(feature = "compile")]
mod compile;
#[cfg(feature = "compile")]
mod compiler;
mod core_module;
mod data_image;
#[cfg(feature = "compile")]
mod debug_names;
#[cfg(feature = "compile")]
mod floats;
#[cfg(feature = "compile")]
mod image;
#[cfg(all(unix, feature = "interrupt"))]
mod interrupt;
mod limits;
#[cfg(unix)]
mod linear;
mod memory;
mod options;
#[cfg(unix)]
mod region;
#[cfg(feature = "compile")]
mod results;
#[cfg(feature = "compile")]
mod sections;
#[cfg(unix)]
mod slots;
mod store;
#[cfg(feature = "compile")]
mod table_room;
mod tables;
mod target;
mod tunables;
#[cfg_attr(not(feature = "compile"), allow(dead_code, reason = "nothing is compiled"))]
mod watch;
#[cfg(all(unix, feature = "interrupt"))]
pub(crate) mod watchdog;

use std::ops::ControlFlow;

pub use backend::{Backend, UnknownBackend};
#[cfg(all(unix, feature = "interrupt"))]
pub use interrupt::InterruptHandle;
pub use limits::StoreLimits;
pub use options::{OptLevel, UnknownOptLevel};
pub use target::{Target, TargetError};
pub use watch::Progress;

pub(crate) use backend::floats_cross;
pub(crate) use code::{CodeSource, Form, Machine, TrustedCode, load, loader, save, tunables};
#[cfg(feature = "compile")]
pub(crate) use compile::{Refused, Work};
pub(crate) use core_module::{CoreModule, SavedImage};
pub(crate) use data_image::Image;
pub(crate) use memory::GuestMemory;
pub(crate) use store::SendStore;
pub(crate) use tunables::NextModule;

use self::options::Options;
use self::tunables::{LimitingTunables, Memories};
use self::watch::Watch;
use crate::error::{Error, Result};

/// Settings of an [`Engine`].
#[derive(Clone, Debug, Default)]
pub struct Config {
    backend: Option<Backend>,
    options: Options,
    target: Option<Target>,
}

impl Config {
    /// The defaults: the first backend of [`Backend::available`], or none; code for this machine, as fast as the
    /// backend makes it.
    pub fn new() -> Config {
        Config::default()
    }

    /// Chooses the compiler. One that is not compiled in is refused by [`Engine::new`].
    pub fn backend(&mut self, backend: Backend) -> &mut Config {
        self.backend = Some(backend);
        self
    }

    /// Chooses how much work the compiler puts into its code. What the backend does not have is refused by
    /// [`Engine::new`].
    pub fn opt_level(&mut self, level: OptLevel) -> &mut Config {
        self.options.opt_level = Some(level);
        self
    }

    /// Whether each NaN that an operation gives has one same form, so that results are the same bits on every
    /// processor. Costs time where floats are computed. Singlepass always sees to it.
    pub fn canonicalize_nans(&mut self, canonicalize: bool) -> &mut Config {
        self.options.canonicalize_nans = canonicalize;
        self
    }

    /// Compiles for another kind of machine. An engine whose code does not run here makes artifacts
    /// ([`artifact::compile`](crate::artifact::compile)) and nothing else.
    pub fn target(&mut self, target: Target) -> &mut Config {
        self.target = Some(target);
        self
    }
}

/// Compiles components with one backend. Cheap to clone; holds no code.
#[derive(Clone, Debug)]
pub struct Engine {
    backend: Backend,
    options: Options,
    target: Target,
    #[cfg_attr(not(feature = "compile"), expect(dead_code, reason = "nothing is compiled"))]
    watch: Option<Watch>,
}

impl Engine {
    /// Makes an engine.
    ///
    /// # Errors
    /// [`Error::BackendUnavailable`] if the chosen backend is not compiled in; [`Error::EngineOption`] and
    /// [`Error::Target`] for what it does not have.
    pub fn new(config: &Config) -> Result<Engine> {
        let default = Backend::available().first().copied();
        let backend = config.backend.or(default).unwrap_or(Backend::Headless);
        if !backend.is_available() {
            return Err(Error::BackendUnavailable {
                backend: backend.name().into(),
            });
        }
        config.options.check(backend)?;
        let target = config.target.clone().unwrap_or_else(Target::host);
        if backend != Backend::Headless {
            target.check(backend).map_err(Error::Target)?;
        }
        Ok(Engine {
            backend,
            options: config.options,
            target,
            watch: None,
        })
    }

    /// The same engine, whose compilations tell `look` how far they are, from whichever thread they work on; it may
    /// stop them. A compilation that is stopped ends in [`Error::Stopped`], as soon as the functions that are being
    /// compiled are.
    #[must_use]
    pub fn watched(&self, look: impl Fn(Progress) -> ControlFlow<()> + Send + Sync + 'static) -> Engine {
        Engine {
            watch: Some(Watch::new(look)),
            ..self.clone()
        }
    }

    /// The compiler that this engine uses.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The machine that this engine compiles for.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The compiler's options, as one text.
    pub(crate) fn options(&self) -> String {
        self.options.text(self.backend)
    }

    /// All that decides about the code which this engine gives for a component, as one text: two engines with the
    /// same description give the same code, or code that does the same.
    pub fn description(&self) -> String {
        let features: Vec<&str> = self.target.features().collect();
        format!(
            "airssys-wasm {}; wasmer {}; {}; {}; {}; {}; {}; {}",
            env!("CARGO_PKG_VERSION"),
            Backend::wasmer_version(),
            self.backend,
            self.options(),
            self.target.triple(),
            features.join("+"),
            CORE_FEATURES,
            tunables(self.backend),
        )
    }
}

/// The features of core WebAssembly that code is compiled with, as artifacts record them.
pub(crate) const CORE_FEATURES: &str =
    "bulk-memory, extended-const, multi-memory, multi-value, reference-types, simd";

/// A core module's machine code, and what its memory holds when an instance begins.
#[derive(Debug)]
#[cfg_attr(not(feature = "compile"), allow(dead_code, reason = "nothing is compiled"))]
pub(crate) struct Compiled {
    pub(crate) module: wasmer::Module,
    /// Instead of data segments; `None` where they are still in the module.
    pub(crate) image: Option<Image>,
}

/// A wasmer store under `limits`. Its engine carries no compiler: modules bring the engine that compiled them.
pub(crate) fn new_store(limits: &StoreLimits) -> (SendStore, NextModule) {
    let next = NextModule::default();
    let mut engine = <wasmer::Engine as wasmer::sys::NativeEngineExt>::headless();
    wasmer::sys::NativeEngineExt::set_tunables(
        &mut engine,
        LimitingTunables::new(limits, Memories::Reserved, next.clone()),
    );
    (SendStore::new(wasmer::Store::new(engine)), next)
}
