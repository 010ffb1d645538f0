//! The tools that commands run: cargo, and LLVM for builds with that backend.

use anyhow::{Context, Result};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder of LLVM in Debian's `llvm-22-dev`.
const USUAL_LLVM: &str = "/usr/lib/llvm-22";

const LLVM_PREFIX: &str = "LLVM_SYS_221_PREFIX";

/// The location of LLVM, or how to install it.
pub(crate) enum Llvm {
    At(PathBuf),
    Missing(String),
}

/// Finds LLVM 22.1: the folder that the variable names, the usual folder, or the one that `llvm-config-22` reports.
pub(crate) fn find_llvm() -> Llvm {
    let prefix = match std::env::var_os(LLVM_PREFIX) {
        Some(prefix) => PathBuf::from(prefix),
        None if Path::new(USUAL_LLVM).is_dir() => PathBuf::from(USUAL_LLVM),
        None => match output(Command::new("llvm-config-22").arg("--prefix")) {
            Some(prefix) => PathBuf::from(prefix),
            None => {
                return Llvm::Missing(format!(
                    "there is no LLVM 22.1; `apt-get install llvm-22-dev libpolly-22-dev libzstd-dev zlib1g-dev \
                     libxml2-dev`, or set {LLVM_PREFIX}"
                ));
            }
        },
    };
    let config = prefix.join("bin/llvm-config");
    match output(Command::new(&config).arg("--version")) {
        Some(version) if version.starts_with("22.1.") => {}
        Some(version) => return Llvm::Missing(format!("{} is LLVM {version}, not 22.1", prefix.display())),
        None => return Llvm::Missing(format!("{} cannot be run", config.display())),
    }
    if !prefix.join("lib/libPolly.a").is_file() {
        return Llvm::Missing(format!(
            "{} has no lib/libPolly.a; `apt-get install libpolly-22-dev`",
            prefix.display()
        ));
    }
    Llvm::At(prefix)
}

/// Returns the features of a workspace build, for cargo's `--features`. Every command that builds the workspace uses
/// the same ones, so that all share one build.
pub(crate) fn workspace_features(llvm: &Llvm, singlepass: bool) -> String {
    let mut features = vec!["bindgen", "conformance", "cranelift", "nats", "wai", "wasix"];
    match llvm {
        Llvm::At(_) => features.push("llvm"),
        Llvm::Missing(why) => eprintln!("without the backend llvm: {why}"),
    }
    if singlepass {
        features.push("singlepass");
    }
    features.join(",")
}

/// Runs cargo in the workspace, with the same output streams; returns whether it succeeded.
pub(crate) fn cargo(root: &Path, llvm: &Llvm, arguments: &[&str]) -> Result<bool> {
    cargo_with(root, llvm, arguments, &[])
}

/// As [`cargo`], with additional environment variables.
pub(crate) fn cargo_with(
    root: &Path,
    llvm: &Llvm,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Result<bool> {
    let status = prepare(root, llvm, arguments, variables)
        .status()
        .with_context(cannot_start)?;
    Ok(status.success())
}

/// As [`cargo_with`], and gives each line of the standard output to `read` too.
pub(crate) fn cargo_read(
    root: &Path,
    llvm: &Llvm,
    arguments: &[&str],
    variables: &[(&str, &str)],
    mut read: impl FnMut(&str),
) -> Result<bool> {
    let mut cargo = prepare(root, llvm, arguments, variables)
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

fn prepare(root: &Path, llvm: &Llvm, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    announce(&format!("cargo {}", arguments.join(" ")));
    let mut command = cargo_command();
    command.current_dir(root).args(arguments);
    command.envs(variables.iter().copied());
    if let Llvm::At(prefix) = llvm {
        command.env(LLVM_PREFIX, prefix);
    }
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
