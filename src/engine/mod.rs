//! wasmer: which compiler compiles, with which features, under which limits.
//!
//! Nothing here knows of components beyond the fact that each gets a wasmer engine of its own: an engine
//! never frees the code that it has loaded, so a shared one would leak with every component that is unloaded.

mod backend;
mod code;
mod core_module;
mod debug_names;
mod floats;
mod image;
#[cfg(all(unix, feature = "interrupt"))]
mod interrupt;
mod limits;
#[cfg(unix)]
mod linear;
mod memory;
#[cfg(unix)]
mod region;
mod results;
mod sections;
#[cfg(unix)]
mod slots;
mod store;
mod tables;
mod tunables;
#[cfg(all(unix, feature = "interrupt"))]
pub(crate) mod watchdog;

pub use backend::{Backend, UnknownBackend};
#[cfg(all(unix, feature = "interrupt"))]
pub use interrupt::InterruptHandle;
pub use limits::StoreLimits;

pub(crate) use code::{CodeSource, Form, Machine, TrustedCode, load, loader, save, tunables};
pub(crate) use core_module::{CoreModule, SavedImage};
pub(crate) use floats::floats_cross;
pub(crate) use image::Image;
pub(crate) use memory::GuestMemory;
pub(crate) use store::SendStore;
pub(crate) use tunables::NextModule;

use self::tunables::{LimitingTunables, Memories};
use crate::error::{Error, Result};

/// Settings of an [`Engine`].
#[derive(Clone, Debug, Default)]
pub struct Config {
    backend: Option<Backend>,
}

impl Config {
    /// The defaults: the first backend of [`Backend::available`].
    pub fn new() -> Config {
        Config::default()
    }

    /// Chooses the compiler. One that is not compiled in is refused by [`Engine::new`].
    pub fn backend(&mut self, backend: Backend) -> &mut Config {
        self.backend = Some(backend);
        self
    }
}

/// Compiles components with one backend. Cheap to clone; holds no code.
#[derive(Clone, Debug)]
pub struct Engine {
    backend: Backend,
}

impl Engine {
    /// Makes an engine.
    ///
    /// # Errors
    /// [`Error::BackendUnavailable`] if the chosen backend, or any at all, is not compiled in.
    pub fn new(config: &Config) -> Result<Engine> {
        let backend = match config.backend {
            Some(backend) if backend.is_available() => backend,
            Some(backend) => {
                return Err(Error::BackendUnavailable {
                    backend: backend.name().into(),
                });
            }
            None => *Backend::available()
                .first()
                .ok_or_else(|| Error::BackendUnavailable {
                    backend: "any".into(),
                })?,
        };
        Ok(Engine { backend })
    }

    /// The compiler that this engine uses.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// All that decides about the code which this engine gives for a component, as one text: two engines with the
    /// same description give the same code, or code that does the same.
    pub fn description(&self) -> String {
        let machine = Machine::host();
        format!(
            "airssys-wasm {}; wasmer {}; {}; {}; {}; {}",
            env!("CARGO_PKG_VERSION"),
            Backend::wasmer_version(),
            self.backend,
            machine.triple,
            machine.features.join("+"),
            code::tunables(self.backend),
        )
    }

    /// A fresh wasmer engine that compiles with this backend.
    pub(crate) fn compiler(&self, form: Form) -> Result<wasmer::Engine> {
        self.backend.compiler(form)
    }
}

/// Compiles a valid core module of a component, with the engine that [`Engine::compiler`] made.
///
/// # Errors
/// What the compiler said.
pub(crate) fn compile(
    backend: Backend,
    compiler: &wasmer::Engine,
    module: &[u8],
) -> std::result::Result<Compiled, String> {
    if backend == Backend::Singlepass
        && let Some(import) = results::import_with_several(module)
    {
        return Err(format!(
            "Singlepass compiles no import with several results, as `{import}` has"
        ));
    }
    let module = match floats_cross(backend) {
        true => module.into(),
        false => floats::keep_within(module)?,
    };
    let (module, image) = match image::split(&module) {
        Some(split) => (split.module.into(), Some(split.image)),
        None => (module, None),
    };
    // Compilers assert what they take for granted; an input that proves them wrong is not to end the host.
    let compiled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        wasmer::Module::from_binary(compiler, &debug_names::without_bad(tables::make_room(&module)))
    }));
    match compiled {
        Ok(Ok(module)) => Ok(Compiled { module, image }),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the compiler panicked".into()),
    }
}

/// A core module's machine code, and what its memory holds when an instance begins.
#[derive(Debug)]
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
