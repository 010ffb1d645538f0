//! `cargo xtask guests`: builds the example and test guests with their own toolchains.
//!
//! A guest is a folder with a `wit/world.wit`, or one that shares another's world or has that of an SDK, or one that is built with WAI's
//! tools against `wit/wai`. Building one lays the contract out beside that file, runs the guest's toolchain, and
//! encodes the core module as a component. Small results are committed under `tests/fixtures/`; `--check` rebuilds them
//! and compares the bytes, so every build here must depend on nothing but the sources and the tool's version.

mod asynchronous;
mod c;
mod compose;
mod go;
mod javascript;
mod npm;
mod python;
mod rust;
mod spidermonkey;
mod wasi_wit;

use crate::wit_deps::{self, Form};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use wit_component::ComponentEncoder;

/// Result of building a selection of guests.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Guests built, by name, with the file that holds the component.
    pub(crate) built: Vec<(String, PathBuf)>,
    /// Guests whose toolchain is missing, with what to install.
    pub(crate) missing: Vec<(String, String)>,
    /// With `--check`: guests whose committed file differs from the one built from the sources.
    pub(crate) stale: Vec<(String, String)>,
}

impl Report {
    /// Returns whether every selected guest was built and agrees with its committed file.
    pub(crate) fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.stale.is_empty()
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, file) in &self.built {
            let size = fs::metadata(file).map_or(0, |meta| meta.len());
            writeln!(out, "built    {name}: {} ({size} bytes)", file.display())?;
        }
        for (name, install) in &self.missing {
            writeln!(out, "missing  {name}: {install}")?;
        }
        for (name, difference) in &self.stale {
            writeln!(out, "stale    {name}: {difference}")?;
        }
        Ok(())
    }
}

/// The toolchain that builds a guest.
#[derive(Clone, Copy, Debug)]
enum Toolchain {
    Rust,
    /// As above, without WIT: the result stays a core module.
    RustWai,
    C,
    /// Go's own compiler. The result stays a core module that imports preview 1.
    Go,
    JavaScript,
    /// As above, with the asynchronous functions that the toolchain generates by default.
    JavaScriptAsync,
    /// JavaScript with the large engine, and with WASI, for the world in that folder.
    SpiderMonkey {
        wit: &'static str,
    },
    /// Python with WASI, for the world in that folder.
    Python {
        wit: &'static str,
    },
    /// JavaScript or Python with a world of its own over all of WASI, in the version that the toolchain provides.
    Wasi {
        language: Language,
        version: &'static str,
    },
    /// A consumer in Rust over a provider in C: two folders within the guest's.
    Composition {
        consumer: &'static str,
        provider: &'static str,
    },
    /// A guest with asynchronous functions, over a worker of its language or, for Python, in Rust.
    Asynchronous(asynchronous::Language),
}

/// A language whose toolchain brings an engine along.
#[derive(Clone, Copy, Debug)]
enum Language {
    JavaScript,
    Python,
}

/// The place of a built component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    /// In `tests/fixtures/`, committed.
    Committed,
    /// In the target folder: too large to commit, so it is built whenever tests need it.
    Built,
}

#[derive(Clone, Copy, Debug)]
struct Guest {
    name: &'static str,
    /// The guest's folder, from the workspace root.
    folder: &'static str,
    toolchain: Toolchain,
    keep: Keep,
}

const GUESTS: &[Guest] = &[
    Guest {
        name: "text-processor",
        folder: "examples/guests/rust/text-processor",
        toolchain: Toolchain::Rust,
        keep: Keep::Committed,
    },
    Guest {
        name: "counter",
        folder: "examples/guests/rust/counter",
        toolchain: Toolchain::Rust,
        keep: Keep::Committed,
    },
    Guest {
        name: "counter-wai",
        folder: "examples/guests/rust/counter-wai",
        toolchain: Toolchain::RustWai,
        keep: Keep::Committed,
    },
    Guest {
        name: "key-value",
        folder: "examples/guests/rust/key-value",
        toolchain: Toolchain::Rust,
        keep: Keep::Committed,
    },
    Guest {
        name: "files",
        folder: "examples/guests/rust/files",
        toolchain: Toolchain::Rust,
        keep: Keep::Committed,
    },
    Guest {
        name: "files-py",
        folder: "examples/guests/python/files",
        toolchain: Toolchain::Python {
            wit: "examples/guests/python/text-processor/wit",
        },
        keep: Keep::Built,
    },
    Guest {
        name: "intake",
        folder: "examples/guests/rust/intake",
        toolchain: Toolchain::Rust,
        keep: Keep::Committed,
    },
    Guest {
        name: "meter",
        folder: "examples/guests/c/meter",
        toolchain: Toolchain::C,
        keep: Keep::Committed,
    },
    Guest {
        name: "tally",
        folder: "examples/guests/javascript/tally",
        toolchain: Toolchain::JavaScript,
        keep: Keep::Built,
    },
    Guest {
        name: "checksum",
        folder: "examples/guests/c/checksum",
        toolchain: Toolchain::C,
        keep: Keep::Committed,
    },
    Guest {
        name: "text-processor-c",
        folder: "examples/guests/c/text-processor",
        toolchain: Toolchain::C,
        keep: Keep::Committed,
    },
    Guest {
        name: "text-processor-go",
        folder: "examples/guests/go/text-processor",
        toolchain: Toolchain::Go,
        keep: Keep::Built,
    },
    Guest {
        name: "text-processor-js",
        folder: TEXT_PROCESSOR_JS,
        toolchain: Toolchain::SpiderMonkey {
            wit: "examples/guests/javascript/text-processor/wit",
        },
        keep: Keep::Built,
    },
    Guest {
        name: "text-processor-qjs",
        folder: TEXT_PROCESSOR_JS,
        toolchain: Toolchain::JavaScript,
        keep: Keep::Built,
    },
    Guest {
        name: "text-processor-qjs-async",
        folder: TEXT_PROCESSOR_JS,
        toolchain: Toolchain::JavaScriptAsync,
        keep: Keep::Built,
    },
    Guest {
        name: "text-processor-py",
        folder: "examples/guests/python/text-processor",
        toolchain: Toolchain::Python {
            wit: "examples/guests/python/text-processor/wit",
        },
        keep: Keep::Built,
    },
    Guest {
        name: "text-processor-async",
        folder: "examples/guests/rust/text-processor-async",
        toolchain: Toolchain::Asynchronous(asynchronous::Language::Rust),
        keep: Keep::Committed,
    },
    Guest {
        name: "text-processor-c-async",
        folder: "examples/guests/c/text-processor-async",
        toolchain: Toolchain::Asynchronous(asynchronous::Language::C),
        keep: Keep::Committed,
    },
    Guest {
        name: "text-processor-py-async",
        folder: "examples/guests/python/text-processor-async",
        toolchain: Toolchain::Asynchronous(asynchronous::Language::Python),
        keep: Keep::Built,
    },
    Guest {
        name: "json-transform",
        folder: "examples/guests/javascript/json-transform",
        toolchain: Toolchain::JavaScript,
        keep: Keep::Built,
    },
    Guest {
        name: "types",
        folder: "tests/guests/types",
        toolchain: Toolchain::Rust,
        keep: Keep::Committed,
    },
    Guest {
        name: "bench",
        folder: "tests/guests/bench",
        toolchain: Toolchain::Rust,
        keep: Keep::Committed,
    },
    Guest {
        name: "relay",
        folder: "tests/guests/relay",
        toolchain: Toolchain::Rust,
        keep: Keep::Committed,
    },
    Guest {
        name: "wasi-cases",
        folder: "tests/guests/wasi-cases",
        toolchain: Toolchain::Rust,
        keep: Keep::Committed,
    },
    Guest {
        name: "spin-http",
        folder: "tests/guests/spin-http",
        toolchain: Toolchain::Rust,
        keep: Keep::Committed,
    },
    Guest {
        name: "wasi-program",
        folder: "tests/guests/wasi-program",
        toolchain: Toolchain::Rust,
        keep: Keep::Committed,
    },
    Guest {
        name: "kernels",
        folder: "tests/guests/kernels",
        toolchain: Toolchain::Rust,
        keep: Keep::Committed,
    },
    Guest {
        name: "bench-javascript",
        folder: "tests/guests/bench-javascript",
        toolchain: Toolchain::SpiderMonkey { wit: BENCH_WIT },
        keep: Keep::Built,
    },
    Guest {
        name: "bench-python",
        folder: "tests/guests/bench-python",
        toolchain: Toolchain::Python { wit: BENCH_WIT },
        keep: Keep::Built,
    },
    Guest {
        name: "wasi-http",
        folder: "tests/guests/wasi-http",
        toolchain: Toolchain::Rust,
        keep: Keep::Committed,
    },
    Guest {
        name: "wasi-http-javascript",
        folder: "tests/guests/wasi-http-javascript",
        toolchain: Toolchain::Wasi {
            language: Language::JavaScript,
            version: "0.2.10",
        },
        keep: Keep::Built,
    },
    Guest {
        name: "wasi-http-python",
        folder: "tests/guests/wasi-http-python",
        toolchain: Toolchain::Wasi {
            language: Language::Python,
            version: "0.2.12",
        },
        keep: Keep::Built,
    },
    Guest {
        name: "composed",
        folder: "tests/guests",
        toolchain: Toolchain::Composition {
            consumer: "compose-consumer",
            provider: "compose-provider",
        },
        keep: Keep::Committed,
    },
];

/// The world of the benchmark's guests.
const BENCH_WIT: &str = "tests/guests/bench/wit";

/// A source that two toolchains build.
const TEXT_PROCESSOR_JS: &str = "examples/guests/javascript/text-processor";

/// The C library of C guests.
const LIBC: &str = "examples/guests/c/libc";

/// The result of one guest's build.
enum Outcome {
    /// The bytes of a component, or of a core module to be lifted.
    Component(Vec<u8>),
    /// A tool is missing; the text says what to install.
    Missing(String),
}

/// Builds the guests called `names`, or all of them.
///
/// Without `check`, committed guests are written to `tests/fixtures/`. With it, they are written beside the large ones
/// in the target folder, and compared with the committed ones.
pub(crate) fn run(root: &Path, check: bool, names: &[String]) -> Result<Report> {
    let wanted = select(names)?;
    let scratch = target_folder(root).join("guests");
    let mut report = Report::default();
    for guest in wanted {
        eprintln!("building guest {}", guest.name);
        let outcome = build(root, &scratch, guest)
            .with_context(|| format!("cannot build the guest `{}` in {}", guest.name, guest.folder))?;
        let bytes = match outcome {
            Outcome::Component(bytes) => bytes,
            Outcome::Missing(install) => {
                report.missing.push((guest.name.to_string(), install));
                continue;
            }
        };
        let committed = root.join("tests/fixtures").join(format!("{}.wasm", guest.name));
        let file = if check || guest.keep == Keep::Built {
            scratch.join(format!("{}.wasm", guest.name))
        } else {
            committed.clone()
        };
        write_if_changed(&file, &bytes)?;
        if check
            && guest.keep == Keep::Committed
            && let Some(difference) = difference(&committed, &bytes)
        {
            report.stale.push((guest.name.to_string(), difference));
        }
        report.built.push((guest.name.to_string(), file));
    }
    Ok(report)
}

fn select(names: &[String]) -> Result<Vec<&'static Guest>> {
    if names.is_empty() {
        return Ok(GUESTS.iter().collect());
    }
    names
        .iter()
        .map(|name| {
            GUESTS.iter().find(|guest| guest.name == name).with_context(|| {
                let known: Vec<_> = GUESTS.iter().map(|guest| guest.name).collect();
                format!("unknown guest `{name}`: the guests are {}", known.join(", "))
            })
        })
        .collect()
}

fn build(root: &Path, scratch: &Path, guest: &Guest) -> Result<Outcome> {
    let folder = root.join(guest.folder);
    let libc = root.join(LIBC);
    match guest.toolchain {
        Toolchain::Rust
        | Toolchain::C
        | Toolchain::Go
        | Toolchain::JavaScript
        | Toolchain::JavaScriptAsync => {
            lay_out_contract(root, &folder.join("wit"), Form::Synchronous)?;
        }
        Toolchain::SpiderMonkey { wit } | Toolchain::Python { wit } => {
            lay_out_contract(root, &root.join(wit), Form::Synchronous)?;
        }
        Toolchain::Wasi { .. }
        | Toolchain::Composition { .. }
        | Toolchain::RustWai
        | Toolchain::Asynchronous(_) => {}
    }
    match guest.toolchain {
        Toolchain::Rust => rust::build(&folder, scratch, guest.name),
        Toolchain::RustWai => rust::build_module(&folder, scratch, guest.name),
        Toolchain::C => c::build(&folder, &libc, scratch, guest.name, "utf8", None),
        Toolchain::Go => go::build(&folder, scratch, guest.name),
        Toolchain::JavaScript => javascript::build(&folder, scratch, guest.name, &["--sync"]),
        Toolchain::JavaScriptAsync => javascript::build(&folder, scratch, guest.name, &[]),
        Toolchain::SpiderMonkey { wit } => spidermonkey::build(&folder, &root.join(wit), scratch, guest.name),
        Toolchain::Python { wit } => python::build(&folder, &root.join(wit), scratch, guest.name, &[]),
        Toolchain::Wasi { language, version } => {
            let wit = scratch.join("wit").join(guest.name);
            wasi_wit::lay_out(root, &folder.join("wit"), &wit, version)?;
            match language {
                Language::JavaScript => spidermonkey::build(&folder, &wit, scratch, guest.name),
                Language::Python => python::build(&folder, &wit, scratch, guest.name, &[]),
            }
        }
        Toolchain::Composition { consumer, provider } => {
            let outer = match rust::build(&folder.join(consumer), scratch, consumer)? {
                Outcome::Component(bytes) => bytes,
                missing => return Ok(missing),
            };
            // Another encoding than the consumer's, so that the call between them must transcode.
            let inner = match c::build(&folder.join(provider), &libc, scratch, provider, "utf16", None)? {
                Outcome::Component(bytes) => bytes,
                missing => return Ok(missing),
            };
            let imports = compose::Imports::None;
            compose::compose(scratch, guest.name, &outer, &inner, imports).map(Outcome::Component)
        }
        Toolchain::Asynchronous(language) => asynchronous::build(root, scratch, guest, language),
    }
}

/// Lays the core packages out as `deps/NAME/NAME.wit` in the folder `wit` of a guest that uses them, and WASI's
/// packages for a guest that uses those.
fn lay_out_contract(root: &Path, wit: &Path, form: Form) -> Result<()> {
    let world = wit.join("world.wit");
    if !wit.is_dir() {
        // Its packages bring the world along.
        return Ok(());
    }
    let text = fs::read_to_string(&world).with_context(|| format!("cannot read {}", world.display()))?;
    if text.contains("airssys:wasi/") {
        wit_deps::lay_out_wasi(root, wit)?;
    }
    if text.contains("-core/") {
        wit_deps::lay_out(root, wit, form)?;
    }
    Ok(())
}

/// Converts a core module that contains its world to a component, and validates it.
fn encode(module: &[u8]) -> Result<Vec<u8>> {
    ComponentEncoder::default()
        .module(module)
        .context("the core module does not embed a readable world")?
        .validate(true)
        .encode()
        .context("the core module cannot be converted to a component")
}

/// Runs a tool; shows its output only if it failed.
fn run_tool(command: &mut Command) -> Result<()> {
    let output = command
        .output()
        .with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?} ended with {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

/// Returns the path of a program: the one that the variable names, or the first candidate that starts.
fn find_tool(variable: &str, candidates: &[&str]) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(variable) {
        return Some(named.into());
    }
    candidates
        .iter()
        .find(|name| {
            Command::new(name)
                .arg("--version")
                .output()
                .is_ok_and(|out| out.status.success())
        })
        .map(PathBuf::from)
}

/// Describes the difference between a committed file and the built bytes.
fn difference(committed: &Path, built: &[u8]) -> Option<String> {
    let Ok(old) = fs::read(committed) else {
        return Some(format!("{} does not exist", committed.display()));
    };
    if old == built {
        return None;
    }
    let first = old.iter().zip(built).take_while(|(a, b)| a == b).count();
    Some(format!(
        "{} has {} bytes, but its sources build to {}; they differ from byte {first:#x}",
        committed.display(),
        old.len(),
        built.len()
    ))
}

/// Returns the file of a guest that is too large to commit, if it is newer than its sources.
pub(crate) fn built_before(root: &Path, name: &str) -> Option<PathBuf> {
    let guest = GUESTS
        .iter()
        .find(|guest| guest.name == name && guest.keep == Keep::Built)?;
    let file = target_folder(root).join("guests").join(format!("{name}.wasm"));
    let built = fs::metadata(&file).and_then(|meta| meta.modified()).ok()?;
    let mut folders = vec![root.join(guest.folder)];
    if let Toolchain::SpiderMonkey { wit } | Toolchain::Python { wit } = guest.toolchain {
        folders.push(root.join(wit));
    }
    if let Toolchain::Wasi { .. } = guest.toolchain {
        folders.push(root.join("wit/wasi"));
    }
    if let Toolchain::Asynchronous(language) = guest.toolchain {
        folders.extend(language.shared().iter().map(|folder| root.join(folder)));
    }
    let newest = folders.iter().filter_map(|folder| newest(folder)).max();
    newest.is_none_or(|newest| newest <= built).then_some(file)
}

/// Returns the time of the last change in a folder, without the packages that npm has installed there.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    entries
        .filter(|entry| entry.file_name() != "node_modules")
        .filter_map(|entry| match entry.metadata().ok()? {
            meta if meta.is_dir() => newest(&entry.path()),
            meta => meta.modified().ok(),
        })
        .max()
}

/// Writes a file unless it has these bytes already, so that nothing downstream is rebuilt.
fn write_if_changed(file: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(file).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let folder = file.parent().context("a file stands in a folder")?;
    fs::create_dir_all(folder)?;
    // Renamed into place: a test that reads the file meanwhile sees all of it, old or new.
    let partial = file.with_extension(format!("partial-{}", std::process::id()));
    fs::write(&partial, bytes)
        .and_then(|()| fs::rename(&partial, file))
        .with_context(|| format!("cannot write {}", file.display()))
}

fn target_folder(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir))
}
