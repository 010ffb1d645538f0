//! Guests in JavaScript: componentize-qjs from npm, without WASI.

use super::npm::Npm;
use super::{Outcome, run_tool};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;
use std::process::Command;

const INSTALL: &str = "the guests need Node.js 20 or newer with npm: on Debian `apt-get install nodejs npm`; \
    npm then installs componentize-qjs from the guest's package-lock.json";

pub(super) fn build(folder: &Path, scratch: &Path, name: &str, options: &[&str]) -> Result<Outcome> {
    let Some(npm) = Npm::find() else {
        return Ok(Outcome::Missing(INSTALL.to_string()));
    };
    let tool = folder.join("node_modules/componentize-qjs/cli.mjs");
    npm.install(folder)?;
    let out = scratch.join("javascript");
    fs::create_dir_all(&out)?;
    let module = npm.module(folder, &out, name)?;
    let out = out.join(format!("{name}.wasm"));
    let mut command = Command::new(&npm.node);
    command
        .current_dir(folder)
        .arg(&tool)
        .args(["--wit", "wit", "--js"])
        .arg(&module)
        .arg("--stub-wasi")
        .args(options)
        .arg("--output")
        .arg(&out);
    run_tool(&mut command)?;
    let component = fs::read(&out).with_context(|| format!("cannot read {}", out.display()))?;
    refuse_foreign_imports(&component)?;
    Ok(Outcome::Component(component))
}

/// Refuses imports outside of the contract, which the tool may add: above all those of WASI.
fn refuse_foreign_imports(component: &[u8]) -> Result<()> {
    let decoded =
        wit_component::decode(component).context("componentize-qjs produced no readable component")?;
    let resolve = decoded.resolve();
    for (_, world) in &resolve.worlds {
        for key in world.imports.keys() {
            let import = resolve.name_world_key(key);
            if !import.starts_with("airssys:") {
                bail!("the component imports `{import}`, which is not in the contract");
            }
        }
    }
    Ok(())
}
