//! Text processors with asynchronous functions: each a composition of a guest of the contract, and of a worker that gets
//! its texts as streams.

use super::compose::{self, Imports};
use super::{Guest, LIBC, Outcome, c, lay_out_contract, python, rust};
use crate::wit_deps::{self, Form};
use anyhow::Result;
use std::path::Path;

/// A language whose toolchain generates asynchronous functions.
#[derive(Clone, Copy, Debug)]
pub(super) enum Language {
    Rust,
    C,
    Python,
}

/// The folder of `text.wit`, the interface between guest and worker.
const WIT: &str = "examples/guests/wit";

const RUST_WORKER: &str = "examples/guests/rust/text-worker";
const C_WORKER: &str = "examples/guests/c/text-worker";

/// Guests without asynchronous functions, whose code for texts and codecs is used here too.
const C_SOURCES: &str = "examples/guests/c/text-processor/src";
const PYTHON_SOURCES: &str = "examples/guests/python/text-processor/src";

impl Language {
    /// Returns the folders, beside the guest's own, that its build reads.
    pub(super) fn shared(self) -> &'static [&'static str] {
        match self {
            Language::Rust => &[WIT, RUST_WORKER],
            Language::C => &[WIT, C_WORKER, C_SOURCES],
            Language::Python => &[WIT, RUST_WORKER, PYTHON_SOURCES],
        }
    }
}

pub(super) fn build(root: &Path, scratch: &Path, guest: &Guest, language: Language) -> Result<Outcome> {
    let folder = root.join(guest.folder);
    lay_out_contract(root, &folder.join("wit"), Form::Asynchronous)?;
    lay_out_text(root, &folder)?;
    let libc = root.join(LIBC);
    let sources = root.join(C_SOURCES);
    let c = |folder: &Path, name: &str, files: &[&str]| {
        let shared = c::Shared {
            folder: &sources,
            files,
        };
        c::build(folder, &libc, scratch, name, "utf8", Some(shared))
    };
    let outer = match language {
        Language::Rust => rust::build(&folder, scratch, guest.name)?,
        Language::C => c(
            &folder,
            guest.name,
            &[
                "answer.c",
                "json.c",
                "metadata.c",
                "msgpack.c",
                "request.c",
                "text.c",
            ],
        )?,
        Language::Python => python::build(
            &folder,
            &folder.join("wit"),
            scratch,
            guest.name,
            &[&root.join(PYTHON_SOURCES)],
        )?,
    };
    let Outcome::Component(outer) = outer else {
        return Ok(outer);
    };
    let inner = match language {
        Language::C => {
            let worker = root.join(C_WORKER);
            lay_out_text(root, &worker)?;
            c(&worker, "text-worker", &["text.c"])?
        }
        Language::Rust | Language::Python => {
            let worker = root.join(RUST_WORKER);
            lay_out_text(root, &worker)?;
            rust::build(&worker, scratch, "text-worker")?
        }
    };
    let Outcome::Component(inner) = inner else {
        return Ok(inner);
    };
    compose::compose(scratch, guest.name, &outer, &inner, Imports::Others).map(Outcome::Component)
}

/// Lays the interface between guest and worker out in a guest's folder.
fn lay_out_text(root: &Path, folder: &Path) -> Result<()> {
    let text = root.join(WIT).join("text.wit");
    wit_deps::copy(&text, &folder.join("wit/deps/text/text.wit"))?;
    Ok(())
}
