//! Writes `tests/fuzz/seeds` from the texts beside this package, and `tests/fuzz/guests` from its WIT; with `--check`,
//! compares instead.
//!
//! - `component_bytes`: one component for each file in `components/`, and, for each pair of string encodings, two
//!   components that hand a string from one to the other.
//! - `guest_memory`: images of memory for each kind of type, in the form that the target reads.

#[path = "../../../support/echo.rs"]
mod echo;
mod guests;
mod images;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use anyhow::{Context, Result};
use wasmparser::{Validator, WasmFeatures};

const ENCODINGS: [&str; 3] = ["utf8", "utf16", "latin1+utf16"];

fn main() -> Result<ExitCode> {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let check = env::args().nth(1).is_some_and(|argument| argument == "--check");
    let mut stale = 0;
    for (folder, files) in [
        ("guests", guests::all(&package.join("../guests/values.wit"))?),
        ("seeds/component_bytes", components(&package)?),
        ("seeds/guest_memory", images::all()),
    ] {
        let folder = package.join("..").join(folder);
        fs::create_dir_all(&folder)?;
        for (name, bytes) in files {
            let path = folder.join(name);
            if fs::read(&path).is_ok_and(|found| found == bytes) {
                continue;
            }
            stale += 1;
            println!("{}", path.display());
            if !check {
                fs::write(&path, bytes).with_context(|| path.display().to_string())?;
            }
        }
    }
    println!("{stale} files {}", if check { "differ" } else { "written" });
    Ok(ExitCode::from(u8::from(check && stale > 0)))
}

fn components(package: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut seeds = BTreeMap::new();
    for entry in fs::read_dir(package.join("components"))? {
        let path = entry?.path();
        let name = path.file_stem().context("a file has a name")?;
        let text = fs::read_to_string(&path)?;
        if let Some(("handover", template)) = name.to_str().zip(Some(&text)) {
            for provider in ENCODINGS {
                for consumer in ENCODINGS {
                    let text = template
                        .replace("PROVIDER", provider)
                        .replace("CONSUMER", consumer);
                    let name = format!("handover-{provider}-{consumer}").replace('+', "-");
                    insert(&mut seeds, name, &text)?;
                }
            }
        } else {
            insert(&mut seeds, name.to_string_lossy().into_owned(), &text)?;
        }
    }
    Ok(seeds)
}

fn insert(seeds: &mut BTreeMap<String, Vec<u8>>, name: String, text: &str) -> Result<()> {
    let bytes = wat::parse_str(text).with_context(|| name.clone())?;
    // An invalid one would be a poor start.
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    validator.validate_all(&bytes).with_context(|| name.clone())?;
    seeds.insert(format!("{name}.wasm"), bytes);
    Ok(())
}
