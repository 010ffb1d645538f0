//! WASI's packages for guests whose worlds use them, in another 0.2 version if their toolchain requires it.

use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// The version of the packages in `wit/wasi`.
const OURS: &str = "@0.2.12";

/// Lays out the worlds of the folder `world`, over WASI in `version`, as the folder `out`.
pub(super) fn lay_out(root: &Path, world: &Path, out: &Path, version: &str) -> Result<()> {
    if out.exists() {
        fs::remove_dir_all(out)?;
    }
    let version = format!("@{version}");
    copy(world, out, &version)?;
    copy(&root.join("wit/wasi"), &out.join("deps"), &version)?;
    // The host's own world.
    let ours = out.join("deps/world.wit");
    fs::remove_file(&ours).with_context(|| format!("cannot remove {}", ours.display()))
}

fn copy(from: &Path, to: &Path, version: &str) -> Result<()> {
    fs::create_dir_all(to)?;
    let entries = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let path = entry?.path();
        let Some(name) = path
            .file_name()
            .filter(|_| path.extension().is_some_and(|kind| kind == "wit"))
        else {
            continue;
        };
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let out = to.join(name);
        fs::write(&out, text.replace(OURS, version))
            .with_context(|| format!("cannot write {}", out.display()))?;
    }
    Ok(())
}
