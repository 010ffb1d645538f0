//! Engine on wasmer: compilers, features, and limits.
//!
//! Nothing here knows of components, except that each gets a wasmer engine of its own: an engine never frees
//! the code that it has loaded, so a shared one would leak with every component that is unloaded.

mod backend;
mod budget;
#[cfg(feature = "compile")]
mod compile;
pub(crate) mod interrupt;
mod limits;
mod load;
mod memory;
mod names;
mod options;
#[cfg_attr(
    not(feature = "compile"),
    allow(dead_code, reason = "unused in builds without a compiler")
)]
mod progress;
mod run;
mod starts;
mod target;

use std::ops::ControlFlow;
use std::sync::Arc;

pub use backend::{Backend, UnknownBackend};
pub use budget::MemoryBudget;
#[doc(hidden)]
pub use interrupt::Deadlines;
#[cfg(all(unix, feature = "interrupt"))]
pub use interrupt::InterruptHandle;
#[doc(hidden)]
pub use interrupt::{GuestCode, functions, timer};
pub use limits::StoreLimits;
#[doc(hidden)]
pub use memory::Waits;
pub(crate) use options::Concurrent;
pub use options::{OptLevel, UnknownOptLevel};
pub use progress::Progress;
#[doc(hidden)]
pub use run::{SendStore, program_engine, program_store};
pub use target::{Target, TargetError};

pub(crate) use backend::floats_cross;
#[cfg(feature = "compile")]
pub(crate) use compile::lacking::{first_use, names};
#[cfg(feature = "compile")]
pub(crate) use compile::{Refused, Work, start_of};
pub(crate) use interrupt::check as check_interrupted;
pub(crate) use load::{
    Code, CodeForm, CodeSource, CoreModule, Machine, SNAPSHOTS, SavedDescription, SavedImage, Signatures,
    TrustedCode, describe, describe_with, error_of, loader, read_exact_at, register_stack, save, tunables,
};
pub(crate) use memory::{GuestGlobal, GuestMemory, Image};
pub(crate) use names::{FrameNames, NAME_CHARS, SavedNames};
pub(crate) use run::{
    Callee, CoreInstance, EngineEntry, Fiber, Fuel, KeptMemories, NextModule, Reset, Resume, SavedState,
    Stacks, Switch, make_room, suspend,
};

use self::memory::account::Account;
use self::options::Options;
use self::progress::ProgressWatch;
use self::run::tunables::{LimitingTunables, Memories};
use self::starts::StartBackends;
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
    /// Returns the defaults: the first backend of [`Backend::available`], or [`Backend::Headless`] if there is
    /// none; code for this machine, at the backend's best optimization.
    pub fn new() -> Config {
        Config::default()
    }

    /// Chooses the compiler, or two of them with [`Backend::Tiered`]. [`Engine::new`] refuses one that is not compiled in.
    pub fn backend(&mut self, backend: Backend) -> &mut Config {
        self.backend = Some(backend);
        self
    }

    /// Lets components start on code of other compilers, while this one compiles in the background. The first that
    /// accepts a component is used. [`Backend::Tiered`] chooses them itself, unless they are chosen here.
    ///
    /// The other compilers get the same options, as far as they have them. Results are the same, except for the
    /// NaN that an operation produces, unless [`Config::canonicalize_nans`] is set.
    pub fn start_with(&mut self, backends: impl IntoIterator<Item = Backend>) -> &mut Config {
        self.starts = backends.into_iter().collect();
        self
    }

    /// Chooses how much work the compiler puts into its code. [`Engine::new`] refuses a level that the backend lacks.
    pub fn opt_level(&mut self, level: OptLevel) -> &mut Config {
        self.options.opt_level = Some(level);
        self
    }

    /// Chooses whether every NaN that an operation produces has one canonical form, so that results are the
    /// same bits on every processor. Off by default; costs time where floats are computed. Singlepass always
    /// canonicalizes.
    pub fn canonicalize_nans(&mut self, canonicalize: bool) -> &mut Config {
        self.options.canonicalize_nans = canonicalize;
        self
    }

    /// Chooses whether code consumes fuel, which ends guests at the same operator on each run, machine and backend. Off by
    /// default; slows down all code of the guest, since it counts. Stops a guest that computes without end.
    ///
    /// [`Store::set_fuel`](crate::component::Store::set_fuel) and [`StoreLimits::fuel`] set the fuel of a store, which all its
    /// instances share, adapters included. Each operator consumes one unit. Filling and copying memory consumes one more
    /// for each 64 bytes, and operations on ranges of a table, or its growth, one for each element. Functions of the host consume
    /// none. A sequence of operators without a branch or call is charged at its end, so a trap within leaves it uncharged.
    /// Artifacts keep the counting with the code.
    pub fn consume_fuel(&mut self, consume: bool) -> &mut Config {
        self.options.consume_fuel = consume;
        self
    }

    /// Chooses whether components may use asynchronous functions, streams and futures. On by default. Changes nothing for
    /// other components.
    pub fn wasm_component_model_async(&mut self, enable: bool) -> &mut Config {
        self.options.concurrent.set(Concurrent::FUNCTIONS, enable);
        self
    }

    /// Chooses whether components may use the asynchronous built-ins and options that are less settled, which the component
    /// model marks 🚝, as asynchronous cancellation. They need [`Config::wasm_component_model_async`] too. Off by default.
    pub fn wasm_component_model_async_builtins(&mut self, enable: bool) -> &mut Config {
        self.options.concurrent.set(Concurrent::BUILTINS, enable);
        self
    }

    /// Chooses whether components may have asynchronous functions without a callback, which keep their stack while they
    /// wait; the component model marks them 🚟. They need [`Config::wasm_component_model_async`] too. Off by default.
    pub fn wasm_component_model_async_stackful(&mut self, enable: bool) -> &mut Config {
        self.options.concurrent.set(Concurrent::STACKFUL, enable);
        self
    }

    /// Chooses whether components may have several threads in a task, which take turns; the component model marks them 🧵.
    /// They need [`Config::wasm_component_model_async`] too. Off by default.
    pub fn wasm_component_model_threading(&mut self, enable: bool) -> &mut Config {
        self.options.concurrent.set(Concurrent::THREADING, enable);
        self
    }

    /// Lets components use the type `error-context`. Its built-ins are refused yet, so no host can choose it.
    #[cfg(test)]
    pub(crate) fn wasm_component_model_error_context(&mut self, enable: bool) -> &mut Config {
        self.options.concurrent.set(Concurrent::ERROR_CONTEXT, enable);
        self
    }

    /// Compiles for another kind of machine. An engine whose code does not run here creates artifacts
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
    target: Arc<Target>,
    watch: Option<ProgressWatch>,
    starts: Arc<[Engine]>,
}

impl Default for Engine {
    /// An engine with the first backend of [`Backend::available`] and the default options, or without a compiler if this build has none.
    fn default() -> Engine {
        let backend = Backend::available().first().copied();
        Engine::of_backend(backend.unwrap_or(Backend::Headless))
    }
}

impl Engine {
    /// An engine with one backend, the default options and this machine as its target.
    pub(crate) fn of_backend(backend: Backend) -> Engine {
        Engine {
            backend,
            options: Options::default(),
            target: Target::shared_host(),
            watch: None,
            starts: Arc::default(),
        }
    }

    /// The same engine without its progress callback and the engines that it starts with.
    pub(crate) fn alone(&self) -> Engine {
        Engine {
            watch: None,
            starts: Arc::default(),
            ..self.clone()
        }
    }

    /// Creates an engine.
    ///
    /// # Errors
    /// [`Error::BackendUnavailable`] if the chosen backend is not compiled in, [`Error::OneCompiler`] if it is
    /// [`Backend::Tiered`] and this build has no two compilers; [`Error::EngineOption`] and [`Error::Target`] for
    /// options and targets that it lacks.
    pub fn new(config: &Config) -> Result<Engine> {
        let default = Backend::available().first().copied();
        let target = config.target.clone().unwrap_or_else(Target::host);
        let (backend, starts) = match config.backend.or(default).unwrap_or(Backend::Headless) {
            Backend::Tiered => {
                let stages = StartBackends::of(&target)?;
                match config.starts.is_empty() {
                    true => (stages.end, stages.starts),
                    false => (stages.end, config.starts.clone()),
                }
            }
            backend => (backend, config.starts.clone()),
        };
        let engine = Engine::single(backend, config.options, target)?;
        let starts = starts::starts(&starts, backend, config.options, &engine.target)?;
        Ok(Engine {
            starts: starts.into(),
            ..engine
        })
    }

    /// Creates an engine that starts with no other.
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
            target: Arc::new(target),
            watch: None,
            starts: Arc::default(),
        })
    }

    /// Returns the same engine with a progress callback. Compilations call `look` from whichever thread they run on, also
    /// those of the engines that this one starts with. Returning `Break` cancels a compilation, which ends in
    /// [`Error::Stopped`] once the functions being compiled are done.
    #[must_use]
    pub fn watched(&self, look: impl Fn(Progress) -> ControlFlow<()> + Send + Sync + 'static) -> Engine {
        self.with_watch(&ProgressWatch::new(look))
    }

    fn with_watch(&self, watch: &ProgressWatch) -> Engine {
        Engine {
            watch: Some(watch.clone()),
            starts: self.starts.iter().map(|start| start.with_watch(watch)).collect(),
            ..self.clone()
        }
    }

    /// Returns the same engine, whose compilations are canceled once `stopped` returns true; its progress callback stays.
    #[doc(hidden)]
    pub fn stopped_if(&self, stopped: impl Fn() -> bool + Send + Sync + 'static) -> Engine {
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

    /// Returns the engines whose code components run on until this engine's code is ready, for
    /// [`TieredComponent`](crate::tiered::TieredComponent) and the `ComponentRuntime` of `airssys-wasm`. Other users
    /// of this engine ignore them.
    pub fn starts(&self) -> &[Engine] {
        &self.starts
    }

    /// Returns the compiler that this engine uses.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Returns the machine that this engine compiles for.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Returns the parts of the component model's concurrency that components may use.
    #[cfg(feature = "compile")]
    pub(crate) fn concurrent(&self) -> Concurrent {
        self.options.concurrent
    }

    /// Returns the compiler's options, as one text.
    pub(crate) fn options(&self) -> String {
        self.options.text(self.backend)
    }

    /// Returns everything that decides about the code which this engine generates for a component, as one text:
    /// two engines with the same description generate the same code, or code that behaves the same.
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

/// Core WebAssembly features that code is compiled with, as artifacts record them.
pub(crate) const CORE_FEATURES: &str =
    "bulk-memory, extended-const, multi-memory, multi-value, reference-types, simd";

/// A core module's machine code, the initial content of its memory, and its names.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "compile"),
    allow(dead_code, reason = "unused in builds without a compiler")
)]
pub(crate) struct Compiled {
    pub(crate) module: wasmer::Module,
    /// Replaces data segments; `None` where they are still in the module.
    pub(crate) image: Option<Image>,
    /// The table of names; `None` if nothing has a name.
    pub(crate) names: Option<Vec<u8>>,
}

impl Compiled {
    /// # Errors
    /// As [`CoreModule::new`].
    pub(crate) fn into_core_module(self) -> std::result::Result<CoreModule, String> {
        let names = self.names.map(SavedNames::Bytes);
        CoreModule::new(Code::Engine(self.module), self.image)?.with_names(names)
    }
}

/// Creates a wasmer store under `limits`. Its engine has no compiler: modules bring the engine that compiled them.
pub(crate) fn new_store(limits: &StoreLimits) -> (SendStore, NextModule) {
    let next = NextModule::default();
    let account = Account::new(limits);
    let mut engine = <wasmer::Engine as wasmer::sys::NativeEngineExt>::headless();
    wasmer::sys::NativeEngineExt::set_tunables(
        &mut engine,
        LimitingTunables::new(limits, account.clone(), Memories::Reserved, next.clone()),
    );
    let store = SendStore::new(wasmer::Store::new(engine), account, next.clone());
    (store, next)
}
