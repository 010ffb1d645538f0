//! Random types and values, passed through components: on each of our backends, with dynamic values and with Rust types,
//! and on wasmtime.
//!
//! A batch is one component, with functions of random types. Each value goes from the caller to the component, from there
//! to the host, and back. Every engine must show the value that was sent, at every place on its way. In some batches the
//! host replies with a value of its own; in others the component consists of several, so that values cross from one to the
//! next as well; in others the types are those that have Rust types.

pub(crate) mod abi;
pub mod command;
pub mod compare;
mod counts;
pub(crate) mod draw;
pub mod generate;
pub mod guest;
pub mod ours;
mod plan;
pub mod random;
pub mod reference;
pub mod typed;
pub mod types;
pub mod values;

use std::fmt;
use std::time::{Duration, Instant};

use airssys_wasm_component::engine::Backend;
use anyhow::{Result, ensure};

use compare::{Exchange, Finding, Side};
pub use counts::Counts;
pub use plan::Plan;
use random::Random;

/// Number of values for each function of a batch.
const VALUES: usize = 30;

/// Most differences that a report describes.
const MAX_DESCRIBED: usize = 200;

/// Options of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Seed of the first batch; those of the others follow from it.
    pub seed: u64,
    /// Number of values after which the run ends.
    pub values: u64,
    /// Duration after which the run ends.
    pub duration: Option<Duration>,
    /// Our backends, compared with wasmtime.
    pub backends: Vec<Backend>,
}

/// Result of a run.
#[derive(Clone, Default, Debug)]
pub struct Report {
    pub counts: Counts,
    /// The first ones of [`Counts::differences`].
    pub differences: Vec<Difference>,
}

/// A fault of one engine, with the data to reproduce it.
#[derive(Clone, Debug)]
pub struct Difference {
    pub finding: Finding,
    /// The seed of the batch.
    pub seed: u64,
    /// Number of values of the batch, up to the one that shows the difference.
    pub values: u64,
    /// The function in WIT, with the types that it uses.
    pub function: String,
    /// The value that was sent.
    pub value: String,
    /// String encodings, the one of the component next to the host first.
    pub encodings: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.finding.side, self.finding.what)?;
        writeln!(f, "  value: {}", self.value)?;
        writeln!(f, "  encodings: {}", self.encodings)?;
        for line in self.function.lines() {
            writeln!(f, "  {line}")?;
        }
        write!(
            f,
            "  again: differential --seed {} --values {}",
            self.seed, self.values
        )
    }
}

/// Runs batches, and reports the counts after each.
///
/// # Errors
/// If there is nothing to run, or a guest cannot be generated. Faults of an engine are not errors but part of the report.
pub fn run(options: &Options, progress: &mut dyn FnMut(&Counts)) -> Result<Report> {
    ensure!(!options.backends.is_empty(), "no backend to compare");
    let end = options.duration.map(|duration| Instant::now() + duration);
    let over = || end.is_some_and(|end| Instant::now() >= end);
    let mut report = Report::default();
    let mut seeds = Random::new(options.seed);
    let mut seed = options.seed;
    while report.counts.values < options.values && !over() {
        let plan = Plan::new(seed);
        let component = guest::binary(&guest::text(&plan.batch, &plan.encodings))?;
        report.counts.batch(&plan);
        let mut sides = plan.sides(&component, &options.backends, |finding| {
            report.differs(&plan, 0, None, finding);
        });
        run_batch(&mut report, &plan, &mut sides, options.values, &over);
        progress(&report.counts);
        seed = seeds.bits();
    }
    Ok(report)
}

fn run_batch(
    report: &mut Report,
    plan: &Plan,
    sides: &mut [Box<dyn Side>],
    values: u64,
    over: &dyn Fn() -> bool,
) {
    let before = report.counts.values;
    for function in 0..plan.batch.functions.len() {
        let mut random = Random::nth(plan.seed, function as u64);
        for _ in 0..VALUES {
            if report.counts.values >= values {
                return;
            }
            let exchange = plan.exchange(&mut random, function);
            let (findings, compared) = compare::exchange(sides, function, &exchange);
            report.counts.value(plan, &exchange, compared);
            for finding in findings {
                let number = report.counts.values - before;
                report.differs(plan, number, Some((function, &exchange)), finding);
            }
        }
        if over() {
            return;
        }
    }
}

impl Report {
    fn differs(&mut self, plan: &Plan, values: u64, at: Option<(usize, &Exchange)>, finding: Finding) {
        self.counts.differences += 1;
        if self.differences.len() >= MAX_DESCRIBED {
            return;
        }
        let (function, value) = match at {
            Some((function, exchange)) => (plan.describe(function), describe(exchange)),
            None => (String::from("the whole component"), String::from("none")),
        };
        self.differences.push(Difference {
            finding,
            seed: plan.seed,
            values: values.max(1),
            function,
            value,
            encodings: plan.encodings(),
        });
    }
}

fn describe(exchange: &Exchange) -> String {
    let sent = compare::cut(&exchange.expected(compare::Place::Host));
    match &exchange.reply {
        Some(reply) => format!("{sent}, answered with {}", compare::cut(reply)),
        None => sent,
    }
}
