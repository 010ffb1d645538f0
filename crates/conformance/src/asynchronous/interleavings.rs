//! Random programs on every engine, compared.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use airssys_wasm_component::engine::Backend;
use anyhow::{Context as _, Result, ensure};

use super::generate;
use super::known::{self, Verdict};
use super::ours::Ours;
use super::outcome::{Outcome, explain};
use super::program::Program;
use super::reference::Reference;
use crate::differential::random::Random;

/// Most differences that a report describes.
const MAX_DESCRIBED: usize = 20;

/// Counts of compared programs.
#[derive(Clone, Default, Debug)]
pub struct Counts {
    pub programs: u64,
    /// Programs whose traces and ends are the same on every engine.
    pub same: u64,
    /// Reports of the guests, on the reference engine.
    pub events: u64,
    /// Operations by name, on the reference engine.
    pub operations: BTreeMap<String, u64>,
    /// Programs by their end on the reference engine.
    pub ends: BTreeMap<String, u64>,
    /// Differences with a known reason, by its name.
    pub explained: BTreeMap<&'static str, u64>,
    pub unexplained: u64,
    /// First switches to another task, of those that explain a difference.
    pub switches: BTreeMap<String, u64>,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} interleavings, {} the same, {} events",
            self.programs, self.same, self.events
        )?;
        writeln!(f, "operations: {:?}", self.operations)?;
        writeln!(f, "ends: {:?}", self.ends)?;
        for (name, count) in &self.explained {
            writeln!(f, "explained, {name}: {count}: {}", known::reason(name))?;
        }
        for (switch, count) in &self.switches {
            writeln!(f, "{count} × {switch}")?;
        }
        write!(f, "{} unexplained differences", self.unexplained)
    }
}

/// Options of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Seed of the first program; those of the others follow from it.
    pub seed: u64,
    pub programs: u64,
    /// Number of differences that are described by the smallest program that shows one.
    pub shrink: usize,
    /// The folder into which each program is written, as [`Program::to_bytes`] has it.
    pub save: Option<PathBuf>,
}

/// Result of a run.
#[derive(Clone, Default, Debug)]
pub struct Report {
    pub counts: Counts,
    /// The first unexplained ones.
    pub differences: Vec<String>,
}

/// The engines, each with the guest.
#[derive(Debug)]
pub struct Engines {
    ours: Vec<Ours>,
    reference: Reference,
}

impl Engines {
    /// # Errors
    /// If an engine refuses the guest.
    pub fn new(backends: &[Backend]) -> Result<Engines> {
        ensure!(!backends.is_empty(), "no backend to compare");
        let ours = backends.iter().map(|backend| Ours::new(*backend));
        Ok(Engines {
            ours: ours.collect::<airssys_wasm_component::Result<_>>()?,
            reference: Reference::new()?,
        })
    }

    /// Runs a program on the reference engine. `None`: it panicked.
    fn reference(&self, program: &Program) -> Result<Option<Outcome>> {
        let run = AssertUnwindSafe(|| self.reference.run(program));
        catch_unwind(run).ok().transpose()
    }
}

/// Runs programs by seed: the first has this seed.
///
/// # Errors
/// If a guest cannot be instantiated, or a program cannot be written. Differences are not errors but part of the report.
pub fn run(engines: &Engines, options: &Options, progress: &mut dyn FnMut(&Counts)) -> Result<Report> {
    let mut report = Report::default();
    if let Some(folder) = &options.save {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let mut seeds = Random::new(options.seed);
    let mut seed = options.seed;
    for _ in 0..options.programs {
        let program = generate::program(seed);
        if let Some(folder) = &options.save {
            let path = folder.join(format!("program-{seed:016x}"));
            fs::write(&path, program.to_bytes()).with_context(|| path.display().to_string())?;
        }
        let Some(expected) = engines.reference(&program)? else {
            report.counts.programs += 1;
            *report.counts.explained.entry(known::PANIC).or_default() += 1;
            for ours in &engines.ours {
                ours.run(&program)?;
            }
            seed = seeds.bits();
            continue;
        };
        report.counts.add(&program, &expected);
        let mut same = true;
        for ours in &engines.ours {
            let outcome = ours.run(&program)?;
            match known::judge(&program, &outcome, &expected) {
                Verdict::Same => {}
                Verdict::Explained(name) => {
                    same = false;
                    *report.counts.explained.entry(name).or_default() += 1;
                    let switch = known::switch(&program, &outcome, &expected);
                    *report
                        .counts
                        .switches
                        .entry(format!("{name}: {switch}"))
                        .or_default() += 1;
                }
                Verdict::Unexplained => {
                    same = false;
                    report.counts.unexplained += 1;
                    if report.differences.len() < MAX_DESCRIBED {
                        let text = match report.differences.len() < options.shrink {
                            true => shrunk(engines, ours, &program, seed)?,
                            false => describe(ours, &program, seed, &outcome, &expected),
                        };
                        report.differences.push(text);
                    }
                }
            }
        }
        report.counts.same += u64::from(same);
        progress(&report.counts);
        seed = seeds.bits();
    }
    Ok(report)
}

fn describe(ours: &Ours, program: &Program, seed: u64, outcome: &Outcome, reference: &Outcome) -> String {
    format!(
        "{}: another trace or end than wasmtime's\n  again: async --values 0 --interleavings 1 --seed {seed}\n\
         {program}{}",
        ours.name(),
        explain(program, outcome, reference)
    )
}

/// Describes a difference by the smallest program that shows one.
fn shrunk(engines: &Engines, ours: &Ours, program: &Program, seed: u64) -> Result<String> {
    let both = |program: &Program| -> Result<(Outcome, Outcome)> {
        let reference = engines.reference(program)?.context("a panic")?;
        Ok((ours.run(program)?, reference))
    };
    let program = program.shrink(&mut |program| {
        both(program).is_ok_and(|(ours, reference)| {
            matches!(known::judge(program, &ours, &reference), Verdict::Unexplained)
        })
    });
    let (outcome, reference) = both(&program)?;
    Ok(describe(ours, &program, seed, &outcome, &reference))
}

impl Counts {
    fn add(&mut self, program: &Program, outcome: &Outcome) {
        self.programs += 1;
        self.events += outcome.events.len() as u64;
        for event in outcome.events.iter().filter(|event| !event.is_begin()) {
            let name = event.operation(program);
            match self.operations.get_mut(name) {
                Some(count) => *count += 1,
                None => {
                    self.operations.insert(name.to_owned(), 1);
                }
            }
        }
        let end = match outcome.class() {
            Some(class) => class.to_owned(),
            None if outcome.values.contains(&None) => String::from("all wait"),
            None => String::from("values"),
        };
        *self.ends.entry(end).or_default() += 1;
    }
}
