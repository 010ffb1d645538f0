//! The guests: a small committed one, and two that include the engine of their language.

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// A guest: all but one implement the benchmark's world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Guest {
    /// 15 KB of Rust
    Small,
    /// 35 KB of Rust: a component of the contract
    Relay,
    /// 12 MB: SpiderMonkey
    JavaScript,
    /// 18 MB: CPython
    Python,
    /// A text processor in Rust: a component of the contract
    Processor,
    /// The same with CPython
    PythonProcessor,
}

impl Guest {
    pub(crate) const ALL: &[Guest] = &[Guest::Small, Guest::JavaScript, Guest::Python];

    pub(crate) fn is_large(self) -> bool {
        !matches!(self, Guest::Small | Guest::Relay | Guest::Processor)
    }

    /// Returns its name in `cargo xtask guests`, which is also its file's.
    pub(crate) fn file(self) -> &'static str {
        match self {
            Guest::Small => "bench",
            Guest::Relay => "relay",
            Guest::JavaScript => "bench-javascript",
            Guest::Python => "bench-python",
            Guest::Processor => "text-processor",
            Guest::PythonProcessor => "text-processor-py",
        }
    }
}

impl fmt::Display for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Guest::Small => "small",
            Guest::Relay => "relay",
            Guest::JavaScript => "JavaScript",
            Guest::Python => "Python",
            Guest::Processor => "text processor in Rust",
            Guest::PythonProcessor => "text processor in Python",
        })
    }
}

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures");

/// Reads a committed guest.
pub(crate) fn fixture(name: &str) -> Result<Vec<u8>> {
    let file = Path::new(FIXTURES).join(format!("{name}.wasm"));
    fs::read(&file).with_context(|| format!("cannot read {}", file.display()))
}

/// Returns the folder in which `cargo xtask guests` puts guests that are too large to commit.
pub(crate) fn built_folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
        PathBuf::from,
    );
    target.join("guests")
}

/// Reports whether a guest is present to be measured. A missing one is skipped with a notice, or an error where everything
/// is required.
pub(crate) fn is_there(guest: Guest, folder: &Path) -> Result<bool> {
    let file = folder.join(format!("{}.wasm", guest.file()));
    if !guest.is_large() || file.is_file() {
        return Ok(true);
    }
    let what = format!(
        "{} does not exist: build it with `cargo xtask guests {}`",
        file.display(),
        guest.file()
    );
    ensure!(std::env::var_os("AIRSSYS_REQUIRE_ALL").is_none(), what);
    eprintln!("LEFT OUT: the {guest} guest: {what}");
    Ok(false)
}

/// Reads the component.
pub(crate) fn read(guest: Guest, folder: &Path) -> Result<Vec<u8>> {
    if !guest.is_large() {
        return fixture(guest.file());
    }
    let file = folder.join(format!("{}.wasm", guest.file()));
    fs::read(&file).with_context(|| format!("cannot read {}", file.display()))
}
