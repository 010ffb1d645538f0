//! `cache`: the compiled components on disk.

use std::path::PathBuf;

use airssys_wasm::artifact::{Cache, CacheConfig, CacheError, Pruned};
use serde_json::json;

use crate::args::{CacheArgs, CacheCommand};
use crate::exit::{Exit, Failure, Outcome};
use crate::{output, text};

pub(crate) fn run(args: &CacheArgs) -> Outcome {
    match &args.command {
        CacheCommand::Info { cache, json } => info(cache.as_ref(), *json),
        CacheCommand::Prune {
            cache,
            max_bytes,
            json,
        } => {
            let cache = open(cache.as_ref())?;
            tell(cache.prune(*max_bytes).map_err(failed)?, *json)
        }
        CacheCommand::Clear { cache, json } => tell(open(cache.as_ref())?.clear().map_err(failed)?, *json),
    }
}

fn info(dir: Option<&PathBuf>, as_json: bool) -> Outcome {
    let cache = open(dir)?;
    let info = cache.info().map_err(failed)?;
    if as_json {
        output::print_json(&json!({
            "cache": info.dir.to_string_lossy(),
            "components": info.entries,
            "bytes": info.bytes,
            "max-bytes": info.max_bytes,
            "leftover-files": info.leftover_files,
            "leftover-bytes": info.leftover_bytes,
        }))?;
    } else {
        output::print(&format!(
            "{}: components: {}, with {} of {} bytes",
            text::line(&info.dir.to_string_lossy()),
            info.entries,
            info.bytes,
            info.max_bytes
        ))?;
    }
    Ok(Exit::Done)
}

fn tell(removed: Pruned, as_json: bool) -> Outcome {
    if as_json {
        output::print_json(&json!({
            "components": removed.entries,
            "leftover-files": removed.leftover_files,
            "bytes": removed.bytes,
        }))?;
    } else {
        output::print(&format!(
            "components removed: {} ({} bytes)",
            removed.entries, removed.bytes
        ))?;
    }
    Ok(Exit::Done)
}

/// Opens the cache in a folder, or this user's.
fn open(dir: Option<&PathBuf>) -> Outcome<Cache> {
    let config = match dir {
        Some(dir) => CacheConfig::new(dir),
        None => CacheConfig::for_user().map_err(failed)?,
    };
    Cache::open(config).map_err(failed)
}

fn failed(error: CacheError) -> Failure {
    Failure::new(Exit::Host, error)
}
