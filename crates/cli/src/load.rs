//! Loading of a component from a file: opens it once, and compiles a component or loads an artifact.

use std::path::Path;

use airssys_wasm::artifact::{
    Artifact, ArtifactError, ArtifactFile, CacheConfig, ComponentCache, MemoryLimits, Records, Trust,
};
use airssys_wasm::component::Component;
use airssys_wasm::engine::{Config, Engine};
use airssys_wasm::load::{Format, LoadError, LoadOptions, Loaded, Loader, Source};
use airssys_wasm::runtime::RuntimeError;

use crate::args::{BackendArg, CacheArg};
use crate::exit::{Exit, Failure, Outcome};
use crate::files;

/// Returns the engine that `--backend` selects.
pub(crate) fn engine(backend: &BackendArg) -> Outcome<Engine> {
    let mut config = Config::new();
    if let Some(backend) = backend.backend {
        config.backend(backend);
    }
    Ok(Engine::new(&config)?)
}

/// Opens a component, a core module or an artifact.
pub(crate) fn source(path: &Path) -> Outcome<Source<'static>> {
    Source::open(path).map_err(|error| failed(path, error))
}

/// Opens a component or a core module. For an artifact, returns the usage error that `refusal` describes.
pub(crate) fn unlike_artifact(path: &Path, refusal: &str) -> Outcome<Source<'static>> {
    let source = source(path)?;
    match source.format() {
        Format::Artifact => Err(Failure::usage(format!("`{}` {refusal}", path.display()))),
        _ => Ok(source),
    }
}

/// Loads a source with this user's records of verified artifacts.
pub(crate) fn load(
    engine: &Engine,
    cache: Option<ComponentCache>,
    (path, source): (&Path, &Source<'_>),
    trust: &Trust,
    options: &LoadOptions,
) -> Outcome<Loaded> {
    let mut loader = Loader::new(engine.clone());
    if let Some(cache) = cache {
        loader = loader.with_cache(cache);
    }
    if let Some(records) = records(source) {
        loader = loader.with_records(records);
    }
    from(&loader, (path, source), trust, options)
}

/// Loads a source with a loader.
pub(crate) fn from(
    loader: &Loader,
    (path, source): (&Path, &Source<'_>),
    trust: &Trust,
    options: &LoadOptions,
) -> Outcome<Loaded> {
    loader
        .load(source, trust, options)
        .map_err(|error| failed(path, error))
}

/// As [`load`], for commands that need a component's exports.
pub(crate) fn component(
    engine: &Engine,
    cache: Option<ComponentCache>,
    source: (&Path, &Source<'_>),
    trust: &Trust,
    options: &LoadOptions,
) -> Outcome<Component> {
    let loaded = load(engine, cache, source, trust, options)?;
    loaded.component().ok_or_else(|| wai(source.0))
}

/// Returns the failure for a module of the WAI tools where only a component will do.
pub(crate) fn wai(path: &Path) -> Failure {
    let message = "it is a core module of the WAI tools, which only `run` accepts";
    cannot(path, Failure::new(Exit::Load, anyhow::Error::msg(message)))
}

/// Opens this user's records of verified artifacts, if the source is one.
pub(crate) fn records(source: &Source<'_>) -> Option<Records> {
    if source.format() != Format::Artifact {
        return None;
    }
    match Records::for_user() {
        Ok(records) => Some(records),
        Err(error) => {
            log::info!("verified files are not recorded: {error}");
            None
        }
    }
}

/// Opens the cache that `--cache` names, or else this user's, unless the source is not cached: an artifact, or
/// a module of the WAI tools. A user's cache that cannot be used is skipped; for a folder that was named, that is an error.
pub(crate) fn cache(args: &CacheArg, source: &Source<'_>) -> Outcome<Option<ComponentCache>> {
    if matches!(source.format(), Format::Artifact | Format::Wai) {
        return Ok(None);
    }
    component_cache(args)
}

/// Opens the cache that `--cache` names, or else this user's.
pub(crate) fn component_cache(args: &CacheArg) -> Outcome<Option<ComponentCache>> {
    let open = |config| ComponentCache::open(MemoryLimits::default(), config);
    match args.cache.as_deref() {
        Some(dir) if dir == Path::new("off") => Ok(None),
        Some(dir) => match open(CacheConfig::new(dir)) {
            Ok(cache) => Ok(Some(cache)),
            Err(error) => Err(Failure::new(Exit::Host, error)),
        },
        None => match CacheConfig::for_user().and_then(open) {
            Ok(cache) => Ok(Some(cache)),
            Err(error) => {
                log::warn!(
                    "{error}; components are compiled at each start (--cache off disables this warning)"
                );
                Ok(None)
            }
        },
    }
}

/// Opens an artifact.
pub(crate) fn open(path: &Path) -> Outcome<ArtifactFile> {
    ArtifactFile::open(path).map_err(|error| cannot(path, error.into()))
}

/// Returns the size of an artifact's file, in bytes.
pub(crate) fn bytes(file: &ArtifactFile) -> u64 {
    file.file().metadata().map_or(0, |about| about.len())
}

/// Verifies every byte of an artifact.
pub(crate) fn verify(file: &ArtifactFile) -> Outcome<Artifact<'static>> {
    file.verify().map_err(|error| cannot(file.path(), error.into()))
}

/// Returns the failure of an artifact that is not loaded, with advice.
pub(crate) fn refused(path: &Path, error: ArtifactError) -> Failure {
    let advice = advice(&error);
    let failure = cannot(path, error.into());
    match advice {
        Some(advice) => failure.advised(advice),
        None => failure,
    }
}

/// Returns advice for an artifact that is not trusted.
fn advice(error: &ArtifactError) -> Option<&'static str> {
    match error {
        ArtifactError::UnknownSigner(_) => Some(
            "if you trust this key, pass it with --trust; or compile the component yourself and run the artifact \
             with --allow-unsigned",
        ),
        ArtifactError::Unsigned => Some(
            "sign it (airssys-wasm compile --sign) and pass the key with --trust, or use --allow-unsigned if you \
             compiled it yourself: its native code runs with all your permissions",
        ),
        _ => None,
    }
}

/// Returns the failure of a source that is not opened or not loaded.
pub(crate) fn failed(path: &Path, error: LoadError) -> Failure {
    match error {
        LoadError::Read { source, .. } => files::unreadable(path, source),
        LoadError::Artifact { source, .. } => refused(path, source),
        LoadError::Component(error) => cannot(path, error.into()),
        #[cfg(feature = "adapt")]
        LoadError::CoreModule(error) => cannot(path, Failure::new(Exit::Load, error)),
        error => RuntimeError::from(error).into(),
    }
}

pub(crate) fn cannot(path: &Path, failure: Failure) -> Failure {
    failure.context(format!("`{}` cannot be loaded", path.display()))
}
