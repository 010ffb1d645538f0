//! Node.js and npm, for guests whose tools npm installs.

use super::{find_tool, run_tool};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) struct Npm {
    pub(super) node: PathBuf,
    npm: PathBuf,
}

impl Npm {
    /// Both programs, if they are here.
    pub(super) fn find() -> Option<Npm> {
        Some(Npm {
            node: find_tool("GUEST_NODE", &["node"])?,
            npm: find_tool("GUEST_NPM", &["npm"])?,
        })
    }

    /// Installs what the lock file of the guest in `folder` says, unless that is done.
    pub(super) fn install(&self, folder: &Path) -> Result<()> {
        if is_installed(folder) {
            return Ok(());
        }
        run_tool(
            Command::new(&self.npm)
                .current_dir(folder)
                .args(["ci", "--no-audit", "--no-fund"]),
        )
        .context("npm cannot install the guest's tools")
    }

    /// The one module that the guest in `folder` consists of: a bundle made in the folder `out`, if it has a
    /// configuration for rollup, and otherwise its source.
    pub(super) fn module(&self, folder: &Path, out: &Path, name: &str) -> Result<PathBuf> {
        if !folder.join("rollup.config.js").is_file() {
            return Ok(folder.join("src/guest.js"));
        }
        let bundle = out.join(format!("{name}.js"));
        let mut command = Command::new(&self.node);
        command
            .current_dir(folder)
            .env("BUNDLE", &bundle)
            .arg("node_modules/rollup/dist/bin/rollup")
            .arg("--config");
        run_tool(&mut command).context("rollup cannot bundle the guest")?;
        Ok(bundle)
    }
}

/// Whether npm has installed what the lock file says: it leaves a copy of what it installed.
fn is_installed(folder: &Path) -> bool {
    let modified = |file: &str| {
        fs::metadata(folder.join(file))
            .and_then(|meta| meta.modified())
            .ok()
    };
    match (
        modified("package-lock.json"),
        modified("node_modules/.package-lock.json"),
    ) {
        (Some(wanted), Some(installed)) => installed >= wanted,
        _ => false,
    }
}
