//! Measures airssys-wasm, wasmtime and bare wasmer in one process; memory is measured in a process for each.
//!
//! `cargo xtask bench` builds it separately, which the figures require: in a build of the whole workspace cargo would give
//! airssys-wasm the features of all packages at once.

#[macro_use]
mod wasi;

mod asynchronous;
mod bare;
mod calls;
mod chart;
mod checks;
mod guests;
mod host;
mod idle;
mod kernels;
mod lives;
mod load;
mod machine;
mod measure;
mod messages;
mod ours;
mod programs;
mod reference;
mod report;
mod rows;
mod uncached;

use airssys_wasm::engine::Backend;
use anyhow::{Context, Result, ensure};
use calls::Sides;
use clap::{Parser, Subcommand};
use lives::{Lives, Settings};
use measure::Plan;
use programs::Programs;
use rows::{Group, Row};
use std::path::PathBuf;
use std::time::Duration;

/// Measures airssys-wasm beside wasmtime and bare wasmer
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Options {
    #[command(subcommand)]
    part: Option<Part>,
    /// Rows to measure, as P1,P2; all if none is named
    #[arg(long, value_delimiter = ',', ignore_case = true)]
    rows: Vec<Row>,
    /// Backends to measure with, as cranelift,llvm
    ///
    /// All that are compiled in if none is named, but Singlepass only where programs compute or are compiled.
    #[arg(long, value_delimiter = ',')]
    backend: Vec<Backend>,
    /// Rounds per case, fewer if they take too long; a figure is the median of their faster half
    #[arg(long, default_value_t = 201, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Milliseconds that each side runs in each round, at least
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    round_ms: u64,
    /// Have LLVM compile the large guests too, which takes minutes for each
    #[arg(long)]
    slow: bool,
    /// Idle instances to count
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    instances: u32,
    /// The folder with the large guests; where `cargo xtask guests` puts them if none is named
    #[arg(long, value_name = "DIR")]
    guests: Option<PathBuf>,
    #[command(flatten)]
    programs: Programs,
    /// Print one array of JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Write the figures to this file of Markdown too, into the section of this build
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

/// Parts that run in a process of their own, and what needs no measurement.
#[derive(Debug, Subcommand)]
enum Part {
    #[command(hide = true)]
    Idle(idle::Arguments),
    /// Draw the chart of a file of figures again, without measuring
    Chart {
        /// The file of Markdown
        file: PathBuf,
    },
}

fn main() -> Result<()> {
    let options = Options::parse();
    match &options.part {
        Some(Part::Idle(arguments)) => return idle::run(arguments),
        Some(Part::Chart { file }) => return chart::draw(file),
        None => {}
    }
    let plan = Plan {
        rounds: options.rounds,
        round: Duration::from_millis(options.round_ms),
    };
    let rows = match &options.rows[..] {
        [] => Row::ALL,
        rows => rows,
    };
    let available = Backend::available();
    ensure!(!available.is_empty(), "no backend is compiled in");
    let backends = |row: Row| match &options.backend[..] {
        [] => row.backends(available),
        backends => backends.to_vec(),
    };
    let any = match &options.backend[..] {
        [] => available,
        backends => backends,
    };

    let load = machine::load();
    let mut figures = Vec::new();
    let calls = of_group(rows, Group::Calls);
    for backend in any {
        let rows: Vec<Row> = calls
            .clone()
            .filter(|row| backends(*row).contains(backend))
            .collect();
        if rows.is_empty() {
            continue;
        }
        let sides = Sides::new(*backend, &guests::fixture("bench")?)?;
        for row in rows {
            figures.extend(calls::measure(row, &sides, plan).with_context(|| format!("{row} on {backend}"))?);
        }
    }
    let mut lives = None;
    for row in of_group(rows, Group::Lives) {
        let lives = lives_of(&mut lives, &options, plan)?;
        for backend in backends(row) {
            let measured = match row {
                Row::P9 => kernels::measure(backend, plan),
                Row::P7b => uncached::measure(lives, backend, plan.rounds),
                Row::P6b => match options.programs.there()? {
                    Some(programs) => programs::measure(lives, backend, programs, plan.rounds),
                    None => continue,
                },
                _ => lives.measure(row, backend),
            };
            figures.extend(measured.with_context(|| format!("{row} on {backend}"))?);
        }
    }
    for row in of_group(rows, Group::Checks) {
        for backend in backends(row) {
            figures.extend(checks::measure(backend, plan).with_context(|| format!("{row} on {backend}"))?);
        }
    }
    for row in of_group(rows, Group::Actors) {
        let is_possible = match row {
            Row::P14 | Row::P16 => idle::is_possible(),
            _ => messages::is_possible(),
        };
        if !is_possible {
            eprintln!(
                "LEFT OUT: {row}, since this system does not tell the memory or the CPU time of threads"
            );
            continue;
        }
        for backend in backends(row) {
            let measured = match row {
                Row::P14 => lives_of(&mut lives, &options, plan)?.idle_actors(backend),
                Row::P16 => lives_of(&mut lives, &options, plan)?.under_load(backend),
                _ => messages::measure(backend, plan),
            };
            figures.extend(measured.with_context(|| format!("{row} on {backend}"))?);
        }
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        print!("{}", report::tables(&figures));
    }
    if let Some(file) = &options.write {
        report::write(file, &figures, plan, &load)?;
        chart::draw(file)?;
    }
    Ok(())
}

/// Returns the precompiled guests, which are made once.
fn lives_of<'l>(lives: &'l mut Option<Lives>, options: &Options, plan: Plan) -> Result<&'l mut Lives> {
    match lives {
        Some(lives) => Ok(lives),
        None => Ok(lives.insert(Lives::new(Settings {
            plan,
            guests: options.guests.clone().unwrap_or_else(guests::built_folder),
            slow: options.slow,
            instances: options.instances,
        })?)),
    }
}

fn of_group(rows: &[Row], group: Group) -> impl Iterator<Item = Row> + Clone {
    rows.iter().copied().filter(move |row| row.group() == group)
}
