//! The command `differential`.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use airssys_wasm_component::engine::Backend;
use anyhow::{Context as _, Result, ensure};

use super::{Counts, Options, run};

/// Number of values of a run without a given number or time.
const DEFAULT_VALUES: u64 = 20_000;

/// Interval between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(30);

/// Send random values of random types through components on every engine, and compare the results
///
/// The exit code is 1 if there is a difference. Each is printed with the seed and the number of values that
/// reproduce it.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Run for this many seconds
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u64>,
    /// Run this many values [default: 20000 without --for]
    #[arg(long)]
    values: Option<u64>,
    /// Seed of all types and values
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Backends to compare with wasmtime, as in cranelift,llvm,singlepass; `all` for those of this build
    #[arg(long, value_delimiter = ',', default_value = "all")]
    backend: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// If there is no such backend, and the errors of [`run`].
pub fn main(args: &Args) -> Result<ExitCode> {
    let options = Options {
        seed: args.seed,
        values: args.values.unwrap_or(match args.seconds {
            Some(_) => u64::MAX,
            None => DEFAULT_VALUES,
        }),
        duration: args.seconds.map(Duration::from_secs),
        backends: backends(&args.backend)?,
    };
    let start = Instant::now();
    let mut told = start;
    let report = run(&options, &mut |counts: &Counts| {
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            let seconds = start.elapsed().as_secs();
            eprintln!(
                "{seconds} s: {} values, {} of them typed, {} components, {} differences",
                counts.values, counts.typed_values, counts.batches, counts.differences
            );
        }
    })?;
    for difference in &report.differences {
        println!("{difference}\n");
    }
    let names: Vec<&str> = options.backends.iter().map(|backend| backend.name()).collect();
    println!(
        "seed {}, wasmtime and {}, {:.0} s",
        options.seed,
        names.join(", "),
        start.elapsed().as_secs_f64()
    );
    println!("{}", report.counts);
    Ok(match report.counts.differences {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// Returns the backends of these names.
///
/// # Errors
/// A name of none, and one that is not in this build.
pub(crate) fn backends(names: &[String]) -> Result<Vec<Backend>> {
    if names.iter().any(|name| name == "all") {
        return Ok(Backend::available().to_vec());
    }
    let backend = |name: &String| {
        let backend: Backend = name.parse().with_context(|| format!("--backend {name}"))?;
        ensure!(backend.is_available(), "{backend} is not in this build");
        Ok(backend)
    };
    names.iter().map(backend).collect()
}
