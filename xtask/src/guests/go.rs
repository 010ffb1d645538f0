//! Guests in Go, built with its own compiler: core modules that import WASI preview 1.

use super::{Outcome, run_tool};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const INSTALL: &str = "the guest needs Go 1.26 or newer: https://go.dev/dl, or set GUEST_GO to its path; \
    the modules in the guest's go.sum are then downloaded from the module proxy";

/// The oldest release that builds the guests, as in `go1.26`.
const OLDEST: u32 = 26;

pub(super) fn build(folder: &Path, scratch: &Path, name: &str) -> Result<Outcome> {
    let Some(go) = go() else {
        return Ok(Outcome::Missing(INSTALL.to_string()));
    };
    let out = scratch.join("go");
    fs::create_dir_all(&out)?;
    let out = out.join(format!("{name}.wasm"));
    let mut command = Command::new(go);
    command
        .current_dir(folder)
        .env("GOOS", "wasip1")
        .env("GOARCH", "wasm")
        // Uses the installed release, and downloads no other.
        .env("GOTOOLCHAIN", "local")
        .args(["build", "-trimpath", "-buildmode=c-shared", "-ldflags=-s", "-o"])
        .arg(&out)
        .arg(".");
    run_tool(&mut command)?;
    let module = fs::read(&out).with_context(|| format!("cannot read {}", out.display()))?;
    Ok(Outcome::Component(module))
}

/// Finds a Go that is new enough. It has no `--version`.
fn go() -> Option<PathBuf> {
    let go = std::env::var_os("GUEST_GO").map_or_else(|| PathBuf::from("go"), PathBuf::from);
    let version = Command::new(&go).args(["env", "GOVERSION"]).output().ok()?;
    let version = String::from_utf8(version.stdout).ok()?;
    (minor(&version)? >= OLDEST).then_some(go)
}

/// Parses the minor version: 26 for `go1.26.8`.
fn minor(version: &str) -> Option<u32> {
    let rest = version.trim().strip_prefix("go1.")?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::minor;

    #[test]
    fn releases_are_told_by_their_minor_number() {
        assert_eq!(minor("go1.26.8\n"), Some(26));
        assert_eq!(minor("go1.27rc1"), Some(27));
        assert_eq!(minor("devel go1.28-abc"), None);
    }
}
