//! Folders of test scripts, on every engine.

use std::path::{Path, PathBuf};

use crate::engines::REFERENCE;
use crate::wast::{self, FileReport};
use crate::{Options, Subject};
use anyhow::{Context, Result, ensure};

/// Returns the folder of the project's own scripts.
pub fn own() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/wast")
}

/// Lists the scripts below a folder, as relative paths, in order. Names that begin with one of `without` are omitted.
///
/// # Errors
/// A folder that cannot be read, or has no script.
pub fn below(folder: &Path, without: &[&str]) -> Result<Vec<String>> {
    let mut scripts = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        let entries = std::fs::read_dir(&current).with_context(|| format!("{}", current.display()))?;
        for entry in entries {
            let path = entry.with_context(|| format!("{}", current.display()))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "wast") {
                let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
                if !without.iter().any(|prefix| name.starts_with(prefix)) {
                    scripts.push(name);
                }
            }
        }
    }
    ensure!(
        !scripts.is_empty(),
        "there is no `.wast` file in {}",
        folder.display()
    );
    scripts.sort();
    Ok(scripts)
}

/// The options of a script: asynchronous functions are enabled, in all their forms; `;;! --host-instance` in its first line provides the imports that the suites of component runtimes expect.
pub fn options(source: &str) -> Options {
    let first = source.lines().next().unwrap_or_default();
    Options {
        gated_async: true,
        host_instance: first.trim_end() == ";;! --host-instance",
        ..Options::default()
    }
}

/// Returns whether a script needs asynchronous functions, by its name or folder. The reference engine is built without them, and runs
/// none of these.
pub fn is_async(script: &str) -> bool {
    script.starts_with("async-") || script.starts_with("async/")
}

/// Runs scripts on engines: for each script, one report for each engine; an empty one of the reference engine for scripts that need
/// asynchronous functions.
///
/// # Errors
/// A script that cannot be read.
pub fn run(folder: &Path, scripts: &[String], engines: &[Box<dyn Subject>]) -> Result<Vec<Vec<FileReport>>> {
    let run = |script: &String| {
        let path = folder.join(script);
        let source = std::fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
        let reports = engines
            .iter()
            .map(|engine| match engine.name() == REFERENCE && is_async(script) {
                true => wast::not_run(engine.as_ref(), script),
                false => wast::run(engine.as_ref(), script, &source, &options(&source)),
            });
        Ok(reports.collect())
    };
    scripts.iter().map(run).collect()
}
