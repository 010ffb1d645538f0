//! Guests in Rust: wit-bindgen on `wasm32-unknown-unknown`, with a standard library built from source.

use super::{Outcome, encode, find_tool, run_tool};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The compiler that built the committed components. Another one generates other bytes.
const RELEASE: &str = "rustc 1.96.0";

const INSTALL: &str = "the guests need Rust 1.96.0 with its library sources, and LLVM's wasm-ld: \
    on Debian `apt-get install rustc-web cargo-web rust-web-src lld-22`; elsewhere set \
    GUEST_RUSTC, GUEST_CARGO and GUEST_WASM_LD";

/// Flags that keep this machine's folders out of the module, and the module small.
const FLAGS: &[&str] = &["-Zlocation-detail=none", "-Clink-arg=-zstack-size=65536"];

/// Variables of the running cargo and rustup that would affect the guest's cargo.
const FOREIGN: &[&str] = &[
    "CARGO",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_RUSTFLAGS",
    "LD_LIBRARY_PATH",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTFLAGS",
    "RUSTUP_TOOLCHAIN",
];

struct Tools {
    cargo: PathBuf,
    rustc: PathBuf,
    linker: PathBuf,
}

/// Builds a component.
pub(super) fn build(folder: &Path, scratch: &Path, name: &str) -> Result<Outcome> {
    match build_module(folder, scratch, name)? {
        Outcome::Component(module) => Ok(Outcome::Component(encode(&module)?)),
        missing => Ok(missing),
    }
}

/// Builds a core module that is not converted to a component.
pub(super) fn build_module(folder: &Path, scratch: &Path, name: &str) -> Result<Outcome> {
    let Some(tools) = tools() else {
        return Ok(Outcome::Missing(INSTALL.to_string()));
    };
    let target = scratch.join("rust");
    let mut command = Command::new(&tools.cargo);
    for variable in FOREIGN {
        command.env_remove(variable);
    }
    command
        .current_dir(folder)
        .env("RUSTC", &tools.rustc)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"))
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", &tools.linker)
        .args([
            "build",
            "--release",
            "--locked",
            "--target",
            "wasm32-unknown-unknown",
        ])
        .args([
            "-Zbuild-std=std,panic_abort",
            "-Zbuild-std-features=optimize_for_size",
        ])
        .arg("--target-dir")
        .arg(&target);
    run_tool(&mut command)?;

    let module = target
        .join("wasm32-unknown-unknown/release")
        .join(format!("{}.wasm", name.replace('-', "_")));
    let module = fs::read(&module).with_context(|| format!("cannot read {}", module.display()))?;
    Ok(Outcome::Component(module))
}

fn tools() -> Option<Tools> {
    let tools = Tools {
        cargo: find_tool("GUEST_CARGO", &["/usr/bin/cargo"])?,
        rustc: find_tool("GUEST_RUSTC", &["/usr/bin/rustc"])?,
        linker: find_tool("GUEST_WASM_LD", &["wasm-ld-22"])?,
    };
    let version = Command::new(&tools.rustc).arg("--version").output().ok()?;
    let sysroot = Command::new(&tools.rustc)
        .args(["--print", "sysroot"])
        .output()
        .ok()?;
    let sysroot = String::from_utf8(sysroot.stdout).ok()?;
    let sources = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/std/Cargo.toml");
    let right = version.stdout.starts_with(RELEASE.as_bytes()) && sources.is_file();
    right.then_some(tools)
}
