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
#[cfg(feature = "wasix")]
mod deadlines;
#[cfg(feature = "compile")]
mod debug_names;
mod empty_memory;
#[cfg(feature = "compile")]
mod floats;
#[cfg(all(unix, feature = "interrupt"))]
mod guest_code;
#[cfg(feature = "compile")]
mod image;
#[cfg(feature = "compile")]
mod instructions;
#[cfg(all(unix, feature = "interrupt"))]
mod interrupt;
#[cfg(feature = "compile")]
mod lacking;
mod limits;
#[cfg(unix)]
mod linear;
mod memory;
mod options;
#[cfg(any(feature = "wasix", feature = "wai"))]
mod program;
#[cfg(unix)]
mod region;
mod restart;
#[cfg(feature = "compile")]
mod restart_marks;
#[cfg(feature = "compile")]
mod results;
#[cfg(feature = "compile")]
mod second_memory;
#[cfg(feature = "compile")]
mod sections;
#[cfg(all(unix, feature = "interrupt"))]
mod signal;
mod signatures;
#[cfg(unix)]
mod slots;
mod stages;
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
use std::sync::Arc;

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
#[cfg(feature = "wasix")]
pub(crate) use deadlines::Deadlines;
#[cfg(all(unix, feature = "interrupt"))]
pub(crate) use guest_code::GuestCode;
#[cfg(all(unix, feature = "interrupt", feature = "wai"))]
pub(crate) use guest_code::functions;
#[cfg(feature = "compile")]
pub(crate) use lacking::{first_use, names};
pub(crate) use memory::GuestMemory;
#[cfg(feature = "wasix")]
pub(crate) use program::program_engine;
#[cfg(feature = "wai")]
pub(crate) use program::program_store;
pub(crate) use restart::{Kept, Restart};
pub(crate) use signatures::Signatures;
pub(crate) use store::SendStore;
pub(crate) use tunables::NextModule;

use self::options::Options;
use self::stages::Stages;
use self::tunables::{LimitingTunables, Memories};
use self::watch::Watch;
use crate::error::{Error, Result};

/// Settings of an [`Engine`].
#[derive(Clone, Debug, Default)]
pub struct Config {
    backend: Option<Backend>,
    options: Options,
    target: Option<Target>,
    starts: Vec<Backend>,
}

impl Config {
    /// The defaults: the first backend of [`Backend::available`], or none; code for this machine, as fast as the
    /// backend makes it.
    pub fn new() -> Config {
        Config::default()
    }

    /// Chooses the compiler, or two of them with [`Backend::Tiered`]. One that is not compiled in is refused by
    /// [`Engine::new`].
    pub fn backend(&mut self, backend: Backend) -> &mut Config {
        self.backend = Some(backend);
        self
    }

    /// Has components start on code of other compilers, while this one compiles in the background. The first of them
    /// that takes a component is used. [`Backend::Tiered`] makes this choice itself, unless it is made here.
    ///
    /// The others get the same options, as far as they have them. The answers are the same; but which NaN an
    /// operation gives differs between compilers, unless [`Config::canonicalize_nans`] is set.
    pub fn start_with(&mut self, backends: impl IntoIterator<Item = Backend>) -> &mut Config {
        self.starts = backends.into_iter().collect();
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
    watch: Option<Watch>,
    starts: Arc<[Engine]>,
}

impl Engine {
    /// Makes an engine.
    ///
    /// # Errors
    /// [`Error::BackendUnavailable`] if the chosen backend is not compiled in, [`Error::OneCompiler`] if it is
    /// [`Backend::Tiered`] and there are no two; [`Error::EngineOption`] and [`Error::Target`] for what it does not
    /// have.
    pub fn new(config: &Config) -> Result<Engine> {
        let default = Backend::available().first().copied();
        let target = config.target.clone().unwrap_or_else(Target::host);
        let (backend, starts) = match config.backend.or(default).unwrap_or(Backend::Headless) {
            Backend::Tiered => {
                let stages = Stages::of(&target)?;
                match config.starts.is_empty() {
                    true => (stages.end, stages.starts),
                    false => (stages.end, config.starts.clone()),
                }
            }
            backend => (backend, config.starts.clone()),
        };
        let engine = Engine::single(backend, config.options, target)?;
        let starts = stages::starts(&starts, backend, config.options, &engine.target)?;
        Ok(Engine {
            starts: starts.into(),
            ..engine
        })
    }

    /// One that starts with no other.
    fn single(backend: Backend, options: Options, target: Target) -> Result<Engine> {
        if !backend.is_available() {
            return Err(Error::BackendUnavailable {
                backend: backend.name().into(),
            });
        }
        options.check(backend)?;
        if backend != Backend::Headless {
            target.check(backend).map_err(Error::Target)?;
        }
        Ok(Engine {
            backend,
            options,
            target,
            watch: None,
            starts: Arc::default(),
        })
    }

    /// The same engine, whose compilations tell `look` how far they are, from whichever thread they work on, those of
    /// the engines that it starts with included; it may stop them. A compilation that is stopped ends in [`Error::Stopped`], as soon as the functions that are being
    /// compiled are.
    #[must_use]
    pub fn watched(&self, look: impl Fn(Progress) -> ControlFlow<()> + Send + Sync + 'static) -> Engine {
        self.with_watch(&Watch::new(look))
    }

    fn with_watch(&self, watch: &Watch) -> Engine {
        Engine {
            watch: Some(watch.clone()),
            starts: self.starts.iter().map(|start| start.with_watch(watch)).collect(),
            ..self.clone()
        }
    }

    /// The same engine, whose compilations are stopped once `stopped` says so; whoever watches goes on watching.
    pub(crate) fn stopped_if(&self, stopped: impl Fn() -> bool + Send + Sync + 'static) -> Engine {
        let watch = self.watch.clone();
        self.watched(move |progress| {
            let looked = watch
                .as_ref()
                .map_or(ControlFlow::Continue(()), |watch| watch.look(progress));
            match stopped() {
                true => ControlFlow::Break(()),
                false => looked,
            }
        })
    }

    /// The engines whose code components run on until this one's is there, for
    /// [`TieredComponent`](crate::tiered::TieredComponent) and [`ComponentRuntime`](crate::ComponentRuntime). Whatever
    /// else compiles with this engine takes no notice of them.
    pub fn starts(&self) -> &[Engine] {
        &self.starts
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
