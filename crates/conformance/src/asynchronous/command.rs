//! The command `async`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::interleavings::{self, Counts, Engines, Options};
use super::values;
use crate::differential::command::backends;

/// Interval between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(30);

/// Run random asynchronous functions, streams and futures on every engine, and compare what the guests see
///
/// The exit code is 1 if there is a difference without a known reason. Each is printed with the seed that reproduces it.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Send this many values through asynchronous functions, streams and futures
    #[arg(long, default_value_t = 5_000)]
    values: u64,
    /// Run this many programs of the built-ins
    #[arg(long, default_value_t = 2_000)]
    interleavings: u64,
    /// Remove instructions from this many of the programs that show a difference
    #[arg(long, default_value_t = 3)]
    shrink: usize,
    /// Write each program into this folder, in the form that the fuzz target `async_builtins` reads
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
    /// Seed of all programs
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Backends to compare with wasmtime, as in cranelift,llvm,singlepass; `all` for those of this build
    #[arg(long, value_delimiter = ',', default_value = "all")]
    backend: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// If there is no such backend, and the errors of the runs.
pub fn main(args: &Args) -> Result<ExitCode> {
    let backends = backends(&args.backend)?;
    let names: Vec<&str> = backends.iter().map(|backend| backend.name()).collect();
    println!("seed {}, wasmtime and {}", args.seed, names.join(", "));
    let start = Instant::now();
    let mut told = start;
    let values = values::run(
        &backends,
        args.seed,
        args.values,
        &mut |counts: &values::Counts| {
            if told.elapsed() >= PROGRESS {
                told = Instant::now();
                let seconds = start.elapsed().as_secs();
                eprintln!(
                    "{seconds} s: {} values, {} differences",
                    counts.values, counts.differences
                );
            }
        },
    )?;
    for difference in &values.differences {
        println!("{difference}\n");
    }
    println!("{}", values.counts);
    let engines = Engines::new(&backends)?;
    let options = Options {
        seed: args.seed,
        programs: args.interleavings,
        shrink: args.shrink,
        save: args.save.clone(),
    };
    let report = interleavings::run(&engines, &options, &mut |counts: &Counts| {
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            let seconds = start.elapsed().as_secs();
            eprintln!(
                "{seconds} s: {} interleavings, {} unexplained differences",
                counts.programs, counts.unexplained
            );
        }
    })?;
    for difference in &report.differences {
        println!("{difference}\n");
    }
    println!("{}", report.counts);
    println!("{:.0} s", start.elapsed().as_secs_f64());
    Ok(match report.counts.unexplained + values.counts.differences {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}
