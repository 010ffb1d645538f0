//! Measures airssys-wasm beside wasmtime and bare wasmer, in one process.
//!
//! `cargo xtask bench` builds it on its own, which is what the figures are worth: in a build of the whole workspace
//! cargo gives airssys-wasm the features of every package at once.

mod bare;
mod host;
mod machine;
mod measure;
mod ours;
mod reference;
mod report;
mod rows;

use airssys_wasm::engine::Backend;
use anyhow::{Context, Result, ensure};
use clap::Parser;
use measure::Plan;
use rows::{Row, Sides};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Measures airssys-wasm beside wasmtime and bare wasmer
#[derive(Debug, Parser)]
struct Options {
    /// Rows to measure, as P1,P2; all if none is named
    #[arg(long, value_delimiter = ',', ignore_case = true)]
    rows: Vec<Row>,
    /// Backends to measure with, as cranelift,llvm; all that are compiled in if none is named
    #[arg(long, value_delimiter = ',')]
    backend: Vec<Backend>,
    /// Rounds per case; a figure is the median of their faster half
    #[arg(long, default_value_t = 201, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Milliseconds that each side runs in each round, at least
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    round_ms: u64,
    /// Print one array of JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Write the figures to this file of Markdown too, into the section of this build
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

/// The guest that all sides run.
const GUEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/bench.wasm");

fn main() -> Result<()> {
    let options = Options::parse();
    let plan = Plan {
        rounds: options.rounds,
        round: Duration::from_millis(options.round_ms),
    };
    let rows = match &options.rows[..] {
        [] => Row::ALL,
        rows => rows,
    };
    let backends = match &options.backend[..] {
        [] => Backend::available(),
        backends => backends,
    };
    ensure!(!backends.is_empty(), "no backend is compiled in");
    let guest = std::fs::read(Path::new(GUEST)).with_context(|| format!("cannot read {GUEST}"))?;

    let load = machine::load();
    let mut figures = Vec::new();
    for backend in backends {
        let sides = Sides::new(*backend, &guest)?;
        for row in rows {
            figures.extend(rows::measure(*row, &sides, plan).with_context(|| format!("{row} on {backend}"))?);
        }
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        print!("{}", report::table(&figures));
    }
    if let Some(file) = &options.write {
        report::write(file, &figures, plan, &load)?;
    }
    Ok(())
}
