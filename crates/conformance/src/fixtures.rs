//! Calls of the committed fixtures, on every engine.

use std::path::{Path, PathBuf};

use crate::{Calls, Comparison, Options, Subject, compare};
use anyhow::{Context, Result};

/// The fixtures that have a list of calls: `calls/NAME.toml` for `tests/fixtures/NAME.wasm`.
pub const NAMES: [&str; 4] = ["bench", "checksum", "composed", "types"];

/// Returns the folder with the lists of calls.
pub fn calls() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("calls")
}

/// Makes the calls of a fixture on every engine.
///
/// # Errors
/// A file that cannot be read, or a call that cannot be made.
pub fn run(name: &str, engines: &[Box<dyn Subject>]) -> Result<Comparison> {
    let component = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/fixtures/{name}.wasm"));
    let component = std::fs::read(&component).with_context(|| format!("{}", component.display()))?;
    let calls = calls().join(format!("{name}.toml"));
    let text = std::fs::read_to_string(&calls).with_context(|| format!("{}", calls.display()))?;
    let calls = Calls::from_toml(&text).with_context(|| format!("{}", calls.display()))?;
    Ok(compare(&component, &calls, engines, &Options::default())?)
}
