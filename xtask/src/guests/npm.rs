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
    /// Finds both programs.
    pub(super) fn find() -> Option<Npm> {
        Some(Npm {
            node: find_tool("GUEST_NODE", &["node"])?,
            npm: find_tool("GUEST_NPM", &["npm"])?,
        })
    }

    /// Installs the packages of the lock file of the guest in `folder`, unless that is done.
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

    /// Returns the one module of the guest in `folder`: a bundle in the folder `out`, if it has a configuration for
    /// rollup, or else its source.
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

/// Returns whether npm has installed the packages of the lock file: npm leaves a copy of that file.
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
