//! `backends`: lists the compilers.

use airssys_wasm::engine::Backend;
use serde_json::json;

use crate::args::BackendsArgs;
use crate::exit::{Exit, Outcome};
use crate::output;

pub(crate) fn run(args: &BackendsArgs) -> Outcome {
    if args.json {
        let backends: Vec<_> = Backend::ALL.into_iter().map(describe).collect();
        output::print_json(&json!({ "backends": backends }))?;
    } else {
        output::print(&table())?;
    }
    Ok(Exit::Done)
}

fn is_default(backend: Backend) -> bool {
    Backend::available().first() == Some(&backend)
}

fn describe(backend: Backend) -> serde_json::Value {
    json!({
        "name": backend.name(),
        "available": backend.is_available(),
        "default": is_default(backend),
        "wasmer-version": Backend::wasmer_version(),
        "license": backend.license(),
        "note": note(backend),
    })
}

fn note(backend: Backend) -> String {
    let mut notes = Vec::new();
    if is_default(backend) {
        notes.push("default".to_owned());
    }
    if backend.license() == "BUSL-1.1" {
        notes.push("production use requires sponsoring Wasmer".to_owned());
    }
    if !backend.is_available() {
        notes.push(format!("build with `--features {backend}`"));
    }
    notes.join("; ")
}

fn table() -> String {
    let mut rows = vec![["BACKEND", "COMPILED IN", "WASMER", "LICENSE", "NOTE"].map(String::from)];
    rows.extend(Backend::ALL.into_iter().map(|backend| {
        [
            backend.name().to_owned(),
            if backend.is_available() { "yes" } else { "no" }.to_owned(),
            Backend::wasmer_version().to_owned(),
            backend.license().to_owned(),
            note(backend),
        ]
    }));
    output::table(&rows)
}
