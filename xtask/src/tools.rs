//! The tools that commands run: cargo, and LLVM for builds with that backend.

use anyhow::{Context, Result};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder of LLVM, on systems where it is linked into programs.
const LLVM_PREFIX: &str = "LLVM_SYS_221_PREFIX";

/// LLVM 22.1, or how to install it.
pub(crate) enum Llvm {
    Available,
    Missing(String),
}

/// Finds LLVM 22.1: the shared library, or its folder where LLVM is linked into programs.
pub(crate) fn find_llvm() -> Llvm {
    if let Err(error) = airssys_wasm_llvm::load() {
        return Llvm::Missing(format!("{error}; `apt-get install libllvm22`"));
    }
    if !airssys_wasm_llvm::IS_SHARED && std::env::var_os(LLVM_PREFIX).is_none() {
        return Llvm::Missing(format!("set {LLVM_PREFIX} to the folder of LLVM 22.1"));
    }
    Llvm::Available
}

/// Returns the features of a workspace build, for cargo's `--features`. Every command that builds the workspace uses
/// the same ones, so that all share one build.
pub(crate) fn workspace_features(llvm: &Llvm, singlepass: bool) -> String {
    let mut features = vec!["bindgen", "conformance", "cranelift", "nats", "wai", "wasix"];
    match llvm {
        Llvm::Available => features.push("llvm"),
        Llvm::Missing(why) => eprintln!("without the backend llvm: {why}"),
    }
    if singlepass {
        features.push("singlepass");
    }
    features.join(",")
}

/// Runs cargo in the workspace, with the same output streams; returns whether it succeeded.
pub(crate) fn cargo(root: &Path, arguments: &[&str]) -> Result<bool> {
    cargo_with(root, arguments, &[])
}

/// As [`cargo`], with additional environment variables.
pub(crate) fn cargo_with(root: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Result<bool> {
    let status = prepare(root, arguments, variables)
        .status()
        .with_context(cannot_start)?;
    Ok(status.success())
}

/// As [`cargo_with`], and gives each line of the standard output to `read` too.
pub(crate) fn cargo_read(
    root: &Path,
    arguments: &[&str],
    variables: &[(&str, &str)],
    mut read: impl FnMut(&str),
) -> Result<bool> {
    let mut cargo = prepare(root, arguments, variables)
        .stdout(Stdio::piped())
        .spawn()
        .with_context(cannot_start)?;
    let stdout = cargo.stdout.take().context("the standard output of cargo")?;
    let mut lines = BufReader::new(stdout);
    let mut line = Vec::new();
    // Tests may print bytes that are no text.
    while lines.read_until(b'\n', &mut line)? > 0 {
        let mut output = std::io::stdout().lock();
        output.write_all(&line)?;
        output.flush()?;
        read(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']));
        line.clear();
    }
    Ok(cargo.wait()?.success())
}

fn prepare(root: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    announce(&format!("cargo {}", arguments.join(" ")));
    let mut command = cargo_command();
    command.current_dir(root).args(arguments);
    command.envs(variables.iter().copied());
    command
}

fn cannot_start() -> String {
    format!("cannot start {}", cargo_program().display())
}

/// Returns a command for the cargo that runs this program, without the variables that describe this package. Build scripts of
/// libraries (ring) are run again if these change, so all above them would be compiled anew whenever cargo is called directly.
pub(crate) fn cargo_command() -> Command {
    let mut command = Command::new(cargo_program());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// Returns the cargo that runs this program, so that all parts use one toolchain.
fn cargo_program() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// Returns the folder that cargo builds in.
pub(crate) fn target_dir(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir))
}

/// Returns the output of a program, if it can be run and succeeds.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_string())
}

pub(crate) fn announce(what: &str) {
    // Not on standard output, which may be read by programs.
    eprintln!("\n== {what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_of_this_package_is_not_passed_to_cargo() {
        let command = cargo_command();
        for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME"] {
            assert!(std::env::var_os(name).is_some(), "cargo sets {name}");
            let removed = command
                .get_envs()
                .any(|(key, value)| key == name && value.is_none());
            assert!(removed, "{name} is passed on");
        }
    }
}
