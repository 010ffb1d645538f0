//! The programs that row P6b compares: ours with every compiler, and wasmtime as its users install it.

use crate::tools::{Llvm, announce, cargo, cargo_command, output, target_dir};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The release of wasmtime, which is that of the library in the other rows.
const WASMTIME: &str = "48.0.0";

/// Builds our program and the one that measures; returns the path of ours.
pub(crate) fn ours(root: &Path, llvm: &Llvm) -> Result<PathBuf> {
    let features = match llvm {
        Llvm::Available => "cranelift,llvm,singlepass",
        Llvm::Missing(_) => "cranelift,singlepass",
    };
    let built = cargo(
        root,
        &[
            "build",
            "--release",
            "--locked",
            "--package",
            "airssys-wasm-cli",
            "--features",
            features,
        ],
    )?;
    ensure!(built, "the program cannot be built");
    Ok(program(&target_dir(root).join("release"), "airssys-wasm"))
}

/// Returns the program wasmtime in the target folder, where it is installed first if it is missing. If it cannot be, prints the
/// command and returns nothing.
pub(crate) fn wasmtime(root: &Path) -> Result<Option<PathBuf>> {
    let folder = target_dir(root).join("wasmtime-cli");
    let file = program(&folder.join("bin"), "wasmtime");
    if is_version(output(Command::new(&file).arg("--version")).as_deref()) {
        return Ok(Some(file));
    }
    let arguments = install(&folder);
    announce(&format!("cargo {}", arguments.join(" ")));
    let status = cargo_command()
        .args(&arguments)
        .status()
        .context("cannot start cargo")?;
    if status.success() {
        return Ok(Some(file));
    }
    // The benchmark then leaves the row out, or fails if nothing may be left out.
    eprintln!("without wasmtime: `cargo {}` failed", arguments.join(" "));
    Ok(None)
}

/// Returns the arguments for cargo.
fn install(folder: &Path) -> Vec<String> {
    let version = format!("={WASMTIME}");
    let words = [
        "install",
        "wasmtime-cli",
        "--version",
        &version,
        "--locked",
        "--force",
        "--root",
    ];
    let mut words: Vec<String> = words.map(str::to_owned).to_vec();
    words.push(folder.to_string_lossy().into_owned());
    words
}

/// Reports whether `wasmtime --version` printed the release.
fn is_version(printed: Option<&str>) -> bool {
    let mut words = printed.unwrap_or_default().split_whitespace();
    (words.next(), words.next()) == (Some("wasmtime"), Some(WASMTIME))
}

fn program(folder: &Path, name: &str) -> PathBuf {
    folder.join(name).with_extension(std::env::consts::EXE_EXTENSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_release_is_replaced() {
        assert!(is_version(Some("wasmtime 48.0.0 (b1fa5b1c6 2026-08-20)")));
        for other in [
            None,
            Some(""),
            Some("wasmtime 48.0.1"),
            Some("48.0.0"),
            Some("wasmtime"),
        ] {
            assert!(!is_version(other), "{other:?}");
        }
    }

    #[test]
    fn the_release_is_the_one_that_the_benchmark_links() {
        let manifest = include_str!("../../Cargo.toml");
        assert!(manifest.contains(&format!("wasmtime = {{ version = \"={WASMTIME}\"")));
    }
}
