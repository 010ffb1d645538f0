//! Guests in C: wit-bindgen's generator and clang, with a C library of a few functions.

use super::{Outcome, encode, find_tool, run_tool, write_if_changed};
use anyhow::{Context, Result, anyhow};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::{Files, WorldGenerator};

const INSTALL: &str = "the guests need clang 22 and LLVM's wasm-ld: on Debian `apt-get install clang-22 lld-22`; \
    elsewhere put wasm-ld next to clang 22 and set GUEST_CLANG to that clang";

/// The compiler that built the committed components. Another one generates other bytes.
const RELEASE: &str = "clang version 22.";

const FLAGS: &[&str] = &[
    "--target=wasm32-unknown-unknown",
    "-std=c17",
    "-Oz",
    "-ffreestanding",
    "-nostdlib",
    "-Wall",
    "-Wextra",
    "-Wno-unused-parameter",
    "-Wl,--no-entry",
    "-Wl,--stack-first",
    "-Wl,-z,stack-size=65536",
    "-Wl,--strip-debug",
];

/// Sources of another guest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shared<'a> {
    pub(super) folder: &'a Path,
    /// The files to compile. Headers are found in the folder too.
    pub(super) files: &'a [&'a str],
}

/// Builds the guest in `folder`, with the string encoding `encoding` (`utf8`, `utf16` or `compact-utf16`, as
/// wit-bindgen calls them).
pub(super) fn build(
    folder: &Path,
    libc: &Path,
    scratch: &Path,
    name: &str,
    encoding: &str,
    shared: Option<Shared<'_>>,
) -> Result<Outcome> {
    let Some(clang) = clang() else {
        return Ok(Outcome::Missing(INSTALL.to_string()));
    };
    let generated = scratch.join("c").join(name);
    let bindings = generate(folder, &generated, encoding)?;
    let module = generated.join("module.wasm");
    let mut command = Command::new(&clang);
    command
        .current_dir(&generated)
        .args(FLAGS)
        .arg("-I.")
        .arg("-isystem")
        .arg(libc)
        .args(sources(&folder.join("src"))?);
    if let Some(shared) = shared {
        command
            .arg("-iquote")
            .arg(shared.folder)
            .args(shared.files.iter().map(|file| shared.folder.join(file)));
    }
    command.args(sources(libc)?).args(bindings).arg("-o").arg(&module);
    run_tool(&mut command)?;
    let module = fs::read(&module).with_context(|| format!("cannot read {}", module.display()))?;
    Ok(Outcome::Component(encode(&module)?))
}

/// Writes the files that `wit-bindgen c` would, and returns the sources to compile and link.
fn generate(folder: &Path, generated: &Path, encoding: &str) -> Result<Vec<String>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(folder.join("wit"))?;
    let world = resolve.select_world(&[package], None)?;
    let options = wit_bindgen_c::Opts {
        string_encoding: encoding.parse().map_err(|error| anyhow!("{error}"))?,
        ..Default::default()
    };
    let mut files = Files::default();
    let mut generator: Box<dyn WorldGenerator> = options.build();
    generator.generate(&mut resolve, world, &mut files)?;
    let mut linked = Vec::new();
    for (name, bytes) in files.iter() {
        write_if_changed(&generated.join(name), bytes)?;
        if name.ends_with(".c") || name.ends_with(".o") {
            linked.push(name.to_string());
        }
    }
    Ok(linked)
}

/// Returns the C files of a folder, in an order that does not depend on the file system.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "c") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Finds a clang of the right release that has a wasm-ld.
fn clang() -> Option<PathBuf> {
    let clang = find_tool("GUEST_CLANG", &["clang-22", "clang"])?;
    let version = Command::new(&clang).arg("--version").output().ok()?;
    let linker = Command::new(&clang)
        .arg("--print-prog-name=wasm-ld")
        .output()
        .ok()?;
    let linker = String::from_utf8(linker.stdout).ok()?;
    let right = String::from_utf8(version.stdout).ok()?.contains(RELEASE)
        && find_tool("", &[linker.trim()]).is_some();
    right.then_some(clang)
}
