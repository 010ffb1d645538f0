//! Loading: from a file or bytes to a component that can be instantiated.
//!
//! [`Source`] determines the format, once. [`Loader`] compiles a component or a core module, and verifies an artifact: the
//! one path for a [`ComponentRuntime`](crate::ComponentRuntime), for the program `airssys-wasm`, and for hosts that
//! instantiate components themselves.
//!
//! ```no_run
//! use airssys_wasm::artifact::Trust;
//! use airssys_wasm::engine::{Config, Engine};
//! use airssys_wasm::load::{LoadOptions, Loader, Source};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let loader = Loader::new(Engine::new(&Config::new())?);
//! let source = Source::open("guest.wasm")?;
//! let loaded = loader.load(&source, &Trust::default(), &LoadOptions::default())?;
//! let component = loaded.component().ok_or("a WAI module")?;
//! # Ok(())
//! # }
//! ```

mod error;
mod source;
mod tiered;

use std::borrow::Cow;
use std::path::PathBuf;

use crate::artifact::{Artifact, ArtifactError, ComponentCache, Digested, Records, Trust};
use crate::component::Component;
use crate::engine::{Config, Engine};
use crate::tiered::TieredComponent;
#[cfg(feature = "wai")]
use crate::wai::WaiModule;
#[cfg(feature = "adapt")]
use airssys_wasm_adapt as adapt;
use tiered::TieredComponents;

pub use error::LoadError;
pub use source::{Format, Source};

/// Loads components with one engine.
#[derive(Debug)]
pub struct Loader {
    engine: Engine,
    cache: Option<ComponentCache>,
    records: Option<Records>,
    tiered: TieredComponents,
}

/// Options of one load.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct LoadOptions {
    /// Engine that compiles, instead of the loader's. Without effect on artifacts.
    pub engine: Option<Config>,
    /// World that a core module is converted for, and implementation of its WASI preview 1 imports. `None`: core modules are
    /// refused.
    #[cfg(feature = "adapt")]
    pub core_module: Option<(adapt::World, adapt::Preview1)>,
}

/// A loaded component. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Loaded(pub(crate) Kind);

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Component(Component),
    /// Compiled in two stages.
    Tiered(TieredComponent),
    #[cfg(feature = "wai")]
    Wai(WaiModule),
}

impl Loaded {
    /// Returns the component, with the fastest code that is available now; `None` for a module of the WAI tools.
    pub fn component(&self) -> Option<Component> {
        match &self.0 {
            Kind::Component(component) => Some(component.clone()),
            Kind::Tiered(tiered) => Some(tiered.current()),
            #[cfg(feature = "wai")]
            Kind::Wai(_) => None,
        }
    }
}

impl From<Component> for Loaded {
    fn from(component: Component) -> Loaded {
        Loaded(Kind::Component(component))
    }
}

impl Loader {
    /// Creates a loader without a cache and without records.
    pub fn new(engine: Engine) -> Loader {
        Loader {
            engine,
            cache: None,
            records: None,
            tiered: TieredComponents::default(),
        }
    }

    /// Compiles through a cache. Without one, each load compiles.
    #[must_use]
    pub fn with_cache(mut self, cache: ComponentCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Verifies each artifact file once, and records that. Without records, each load reads the whole file.
    #[must_use]
    pub fn with_records(mut self, records: Records) -> Self {
        self.records = Some(records);
        self
    }

    /// Returns the engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Returns the compilation cache, if there is one.
    pub fn cache(&self) -> Option<&ComponentCache> {
        self.cache.as_ref()
    }

    /// Loads a source: compiles a component; converts and compiles a core module; verifies an artifact, and loads it if
    /// `trust` accepts it. The engine of an artifact is the one that it was compiled with.
    ///
    /// # Errors
    /// [`LoadError::Artifact`]; `LoadError::CoreModule` and `LoadError::Wai` for modules that are refused;
    /// [`LoadError::Component`] for everything else that is not a valid component; [`LoadError::Engine`].
    pub fn load(
        &self,
        source: &Source<'_>,
        trust: &Trust,
        options: &LoadOptions,
    ) -> Result<Loaded, LoadError> {
        match (source.artifact_file(), source.bytes()) {
            (Some(_), _) => self.artifact(source, trust).map(Loaded::from),
            (None, bytes) => {
                let bytes = bytes.unwrap_or_default();
                match source.format() {
                    Format::Artifact => self.artifact(source, trust).map(Loaded::from),
                    #[cfg(feature = "wai")]
                    Format::Wai => {
                        let module = WaiModule::compile(&*self.engine_for(options)?, bytes);
                        Ok(Loaded(Kind::Wai(module.map_err(LoadError::Wai)?)))
                    }
                    _ => self.compile(&options.component(source.format(), bytes)?, options),
                }
            }
        }
    }

    fn compile(&self, bytes: &[u8], options: &LoadOptions) -> Result<Loaded, LoadError> {
        let engine = &*self.engine_for(options)?;
        let cache = self.cache.as_ref().filter(|_| engine.target().runs_here());
        let bytes = Digested::new(bytes);
        let compiled = if !engine.starts().is_empty() {
            self.tiered.get(engine, &bytes, cache).map(Kind::Tiered)
        } else {
            let component = match cache {
                Some(cache) => cache.get_digested(engine, &bytes),
                None => Component::from_binary(engine, bytes.bytes()),
            };
            component.map(Kind::Component)
        };
        compiled.map(Loaded).map_err(LoadError::Component)
    }

    fn artifact(&self, source: &Source<'_>, trust: &Trust) -> Result<Component, LoadError> {
        let loaded = self.verify(source)?.load(trust);
        loaded.map_err(|error| refused(source, error))
    }

    /// Verifies an artifact, which need not be trusted: every byte, or, with records, that the file was verified before and
    /// has not changed since.
    ///
    /// # Errors
    /// [`LoadError::Artifact`], also for a source of another format.
    pub fn verify<'a>(&self, source: &'a Source<'_>) -> Result<Artifact<'a>, LoadError> {
        let verified = match (source.artifact_file(), &self.records) {
            (Some(file), Some(records)) => file.verify_once(records).map(|(artifact, _)| artifact),
            (Some(file), None) => file.verify(),
            (None, _) => Artifact::open(source.bytes().unwrap_or_default()),
        };
        verified.map_err(|error| refused(source, error))
    }

    fn engine_for(&self, options: &LoadOptions) -> Result<Cow<'_, Engine>, LoadError> {
        match &options.engine {
            None => Ok(Cow::Borrowed(&self.engine)),
            Some(config) => Ok(Cow::Owned(Engine::new(config).map_err(LoadError::Engine)?)),
        }
    }
}

fn refused(source: &Source<'_>, error: ArtifactError) -> LoadError {
    LoadError::Artifact {
        path: source.path().map_or_else(|| PathBuf::from("-"), Into::into),
        source: error,
    }
}

impl LoadOptions {
    /// Returns a component's bytes: the given ones, or the component that a core module is converted to.
    #[cfg_attr(
        not(feature = "adapt"),
        expect(clippy::unused_self, reason = "core modules are refused")
    )]
    fn component<'a>(&self, format: Format, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, LoadError> {
        #[cfg(feature = "adapt")]
        if let (Format::CoreModule, Some((world, preview1))) = (format, &self.core_module) {
            let converted = adapt::lift(bytes, world, *preview1);
            return converted.map(Cow::Owned).map_err(LoadError::CoreModule);
        }
        let _ = format;
        Ok(Cow::Borrowed(bytes))
    }
}
