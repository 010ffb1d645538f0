//! Loading of a component from a file: compiles a component, or loads an artifact.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use airssys_wasm::artifact::{
    self, Artifact, ArtifactError, ArtifactFile, CacheConfig, ComponentCache, MemoryLimits, Records,
};
use airssys_wasm::component::Component;
use airssys_wasm::engine::{Config, Engine};
use airssys_wasm::tiered;

use crate::args::{BackendArg, CacheArg};
use crate::exit::{Exit, Failure, Outcome};
use crate::keys::Accepted;
#[cfg(feature = "adapt")]
use crate::{args::CoreModuleArgs, core_module};
use crate::{files, unsigned};

/// Returns the engine that `--backend` selects.
pub(crate) fn engine(backend: &BackendArg) -> Outcome<Engine> {
    let mut config = Config::new();
    if let Some(backend) = backend.backend {
        config.backend(backend);
    }
    Ok(Engine::new(&config)?)
}

/// Compiles a component, or loads an artifact that a trusted key has signed.
pub(crate) fn component(
    engine: &Engine,
    path: &Path,
    accepted: &Accepted,
    cache: Option<&ComponentCache>,
) -> Outcome<Component> {
    if is_artifact(path)? {
        return artifact(&open(path)?, accepted);
    }
    compiled(engine, path, &files::wasm(path)?, cache)
}

/// Compiles a component from bytes of a file.
pub(crate) fn compiled(
    engine: &Engine,
    path: &Path,
    bytes: &[u8],
    cache: Option<&ComponentCache>,
) -> Outcome<Component> {
    tiered::quick(engine, bytes, cache).map_err(|error| cannot(path, error.into()))
}

/// As [`component`], but also lifts core modules.
#[cfg(feature = "adapt")]
pub(crate) fn component_or_module(
    engine: &Engine,
    path: &Path,
    accepted: &Accepted,
    cache: Option<&ComponentCache>,
    core: &CoreModuleArgs,
) -> Outcome<Component> {
    if is_artifact(path)? {
        return artifact(&open(path)?, accepted);
    }
    let bytes = files::wasm(path)?;
    let bytes = core_module::lifted(path, &bytes, core)?;
    compiled(engine, path, &bytes, cache)
}

/// Opens the cache that `--cache` names, or else this user's. A user's cache that cannot be used is skipped; for a
/// folder that was named, that is an error.
pub(crate) fn cache(args: &CacheArg) -> Outcome<Option<ComponentCache>> {
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

/// Returns whether a file begins or ends like an artifact.
pub(crate) fn is_artifact(path: &Path) -> Outcome<bool> {
    const ENDS: u64 = 64;
    let about = std::fs::metadata(path).map_err(|error| files::unreadable(path, error))?;
    // Bytes that are read from a pipe are gone from it, and code is mapped from regular files only.
    if !about.is_file() {
        return Ok(false);
    }
    let mut file = File::open(path).map_err(|error| files::unreadable(path, error))?;
    let mut ends = Vec::new();
    let head = (&mut file).take(ENDS).read_to_end(&mut ends);
    head.map_err(|error| files::unreadable(path, error))?;
    let tail = file
        .seek(SeekFrom::Start(about.len().saturating_sub(ENDS).max(ENDS)))
        .and_then(|_| file.take(ENDS).read_to_end(&mut ends));
    tail.map_err(|error| files::unreadable(path, error))?;
    Ok(artifact::is_artifact(&ends))
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

/// Verifies every byte of an artifact, unless that is on record for this user, as after `install`.
fn verify_once(file: &ArtifactFile) -> Outcome<Artifact<'static>> {
    match Records::for_user() {
        Ok(records) => file
            .verify_once(&records)
            .map(|(artifact, _)| artifact)
            .map_err(|error| cannot(file.path(), error.into())),
        Err(error) => {
            log::info!("verified files are not recorded: {error}");
            verify(file)
        }
    }
}

/// Loads the component of an artifact that a trusted key has signed; with `--allow-unsigned`, of any artifact.
pub(crate) fn artifact(file: &ArtifactFile, accepted: &Accepted) -> Outcome<Component> {
    let artifact = verify_once(file)?;
    let loaded = match accepted {
        Accepted::Any => unsigned::load(&artifact),
        Accepted::SignedBy(trust) => artifact.load(trust),
    };
    loaded.map_err(|error| refused(file.path(), error))
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

fn cannot(path: &Path, failure: Failure) -> Failure {
    failure.context(format!("`{}` cannot be loaded", path.display()))
}
