//! Large guests in JavaScript: componentize-js from npm, which carries SpiderMonkey and imports WASI.

use super::npm::Npm;
use super::{Outcome, run_tool};
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::process::Command;

const INSTALL: &str = "the guest needs Node.js 20 or newer with npm: on Debian `apt-get install nodejs npm`; \
    npm then installs componentize-js from the guest's package-lock.json";

/// Builds the guest in `folder` for the only world in the folder `wit`.
pub(super) fn build(folder: &Path, wit: &Path, scratch: &Path, name: &str) -> Result<Outcome> {
    let Some(npm) = Npm::find() else {
        return Ok(Outcome::Missing(INSTALL.to_string()));
    };
    npm.install(folder)?;
    let out = scratch.join("javascript");
    fs::create_dir_all(&out)?;
    let module = npm.module(folder, &out, name)?;
    let out = out.join(format!("{name}.wasm"));
    let mut command = Command::new(&npm.node);
    command
        .current_dir(folder)
        .arg("node_modules/@bytecodealliance/componentize-js/src/cli.js")
        .arg(&module)
        .arg("--wit")
        .arg(wit)
        .arg("--out")
        .arg(&out);
    run_tool(&mut command)?;
    let component = fs::read(&out).with_context(|| format!("cannot read {}", out.display()))?;
    Ok(Outcome::Component(component))
}
