//! Guests in Python: componentize-py from PyPI, which carries CPython and imports WASI.

use super::{Outcome, find_tool, run_tool};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const INSTALL: &str = "the guest needs Python 3.9 or newer with virtual environments: on Debian \
    `apt-get install python3-venv`; elsewhere set GUEST_PYTHON. pip then installs componentize-py from the \
    guest's requirements.txt";

/// Builds the guest in `folder` for the only world in the folder `wit`. Modules are also found in the folders `shared`.
pub(super) fn build(
    folder: &Path,
    wit: &Path,
    scratch: &Path,
    name: &str,
    shared: &[&Path],
) -> Result<Outcome> {
    let Some(python) = python() else {
        return Ok(Outcome::Missing(INSTALL.to_string()));
    };
    let out = scratch.join("python");
    fs::create_dir_all(&out)?;
    let venv = out.join(format!("{name}-venv"));
    let tool = install(&python, &folder.join("requirements.txt"), &venv)?;
    let out = out.join(format!("{name}.wasm"));
    let mut command = Command::new(tool);
    command
        .current_dir(folder)
        .arg("--quiet")
        .arg("--wit-path")
        .arg(wit)
        .args(["componentize", "--python-path", "src", "--python-path"])
        .arg(packages(&venv)?);
    for folder in shared {
        command.arg("--python-path").arg(folder);
    }
    command.arg("--output").arg(&out).arg("guest");
    run_tool(&mut command)?;
    let component = fs::read(&out).with_context(|| format!("cannot read {}", out.display()))?;
    Ok(Outcome::Component(component))
}

/// Finds a Python with support for virtual environments, which is a separate package in Debian.
fn python() -> Option<PathBuf> {
    let python = find_tool("GUEST_PYTHON", &["python3", "python"])?;
    let complete = Command::new(&python)
        .args([
            "-c",
            "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 9))",
        ])
        .output()
        .is_ok_and(|out| out.status.success());
    complete.then_some(python)
}

/// Returns the folder of a virtual environment's packages.
fn packages(venv: &Path) -> Result<String> {
    let python = venv
        .join(if cfg!(windows) { "Scripts" } else { "bin" })
        .join("python");
    let output = Command::new(python)
        .args(["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
        .output()
        .context("the virtual environment has no Python")?;
    let path = String::from_utf8(output.stdout).context("the path of packages is not UTF-8")?;
    Ok(path.trim().to_owned())
}

/// Installs the packages of `requirements` in a virtual environment; returns the program componentize-py.
fn install(python: &Path, requirements: &Path, venv: &Path) -> Result<PathBuf> {
    let programs = venv.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let tool = programs.join("componentize-py");
    // A copy of `requirements`, written last.
    let installed = venv.join("requirements.txt");
    let wanted = fs::read(requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(tool);
    }
    run_tool(Command::new(python).args(["-m", "venv", "--clear"]).arg(venv))
        .context("Python cannot create a virtual environment")?;
    run_tool(
        Command::new(programs.join("python"))
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args([
                "--require-hashes",
                "--no-deps",
                "--only-binary=:all:",
                "--requirement",
            ])
            .arg(requirements),
    )
    .context("pip cannot install componentize-py")?;
    fs::write(&installed, wanted).with_context(|| format!("cannot write {}", installed.display()))?;
    Ok(tool)
}
