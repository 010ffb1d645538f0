//! Engines named on a command line.

use airssys_wasm::engine::Backend;
use airssys_wasm_conformance::{Ours, Subject};

use crate::exit::{Failure, Outcome};

/// The name of the reference engine.
const REFERENCE: &str = "wasmtime";

/// Returns the subjects that `names` select: backends, `all` for those of this build, and the reference engine if this
/// build includes it. Without names, the default backend.
pub(crate) fn subjects(names: &[String]) -> Outcome<Vec<Box<dyn Subject>>> {
    let mut subjects: Vec<Box<dyn Subject>> = Vec::new();
    for name in names {
        match name.as_str() {
            "all" => {
                for ours in Ours::all()? {
                    subjects.push(Box::new(ours));
                }
            }
            REFERENCE => subjects.push(reference()?),
            name => {
                // Tiered compilation is two stages of one engine.
                let mut backends = Backend::ALL.into_iter();
                let backend = backends.find(|backend| backend.name() == name).ok_or_else(|| {
                    Failure::usage(format!("`{name}` is not an engine: {}", what_there_is()))
                })?;
                subjects.push(Box::new(Ours::new(backend)?));
            }
        }
    }
    if names.is_empty() {
        let first = Ours::all()?.into_iter().next();
        let first = first.ok_or_else(|| Failure::usage("this build has no backend"))?;
        subjects.push(Box::new(first));
    }
    for (index, subject) in subjects.iter().enumerate() {
        if subjects[..index]
            .iter()
            .any(|other| other.name() == subject.name())
        {
            return Err(Failure::usage(format!(
                "the engine `{}` is listed twice",
                subject.name()
            )));
        }
    }
    Ok(subjects)
}

fn what_there_is() -> String {
    let mut names: Vec<&str> = Backend::available()
        .iter()
        .map(|backend| backend.name())
        .collect();
    if cfg!(feature = "reference") {
        names.push(REFERENCE);
    }
    format!("choose {}, or all", names.join(", "))
}

#[cfg(feature = "reference")]
fn reference() -> Outcome<Box<dyn Subject>> {
    let reference = airssys_wasm_conformance::Reference::new();
    let reference = reference.map_err(|failure| Failure::new(crate::exit::Exit::Host, failure))?;
    Ok(Box::new(reference))
}

#[cfg(not(feature = "reference"))]
fn reference() -> Outcome<Box<dyn Subject>> {
    Err(Failure::usage(
        "the engine `wasmtime` is not compiled in: build with `--features reference`",
    ))
}
