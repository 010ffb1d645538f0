//! Random values of random types through asynchronous functions, streams and futures, on our backends and on wasmtime.
//!
//! Each batch is a component of two parts, each with a way to lift and to lower of its own. Every engine must show the value
//! that was sent.

mod copies;
mod guest;
mod layout;
mod ours;
mod reference;

use std::collections::BTreeMap;
use std::fmt;

use airssys_wasm_component::engine::Backend;
use anyhow::Result;

use crate::differential::compare::{self, Exchange, Place, Side};
use crate::differential::draw::Draw;
use crate::differential::generate::{ANY, batch};
use crate::differential::guest::{Encoding, binary};
use crate::differential::random::Random;
use crate::differential::types::{Batch, Scalar, Type};
use crate::differential::values::Value;
use guest::{Lift, Mode};

/// Functions of a component.
const FUNCTIONS: usize = 8;
/// Values of each function.
const VALUES: usize = 40;
/// Most differences that a report describes.
const MAX_DESCRIBED: usize = 20;

/// Counts of compared values.
#[derive(Clone, Default, Debug)]
pub struct Counts {
    pub components: u64,
    /// Calls with a value.
    pub values: u64,
    /// Values by their way: a call, a stream or a future.
    pub ways: BTreeMap<&'static str, u64>,
    /// Values that went through streams and futures.
    pub elements: u64,
    /// Values seen on an engine, and compared with those that were sent.
    pub compared: u64,
    /// Values by the modes of both parts.
    pub pairings: BTreeMap<String, u64>,
    pub differences: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} values in {} components: {:?}; {} elements of streams and futures; {} compared",
            self.values, self.components, self.ways, self.elements, self.compared
        )?;
        writeln!(
            f,
            "pairings of lift and lower, outer and inner: {:?}",
            self.pairings
        )?;
        write!(f, "{} differences of values", self.differences)
    }
}

/// Result of a run.
#[derive(Clone, Default, Debug)]
pub struct Report {
    pub counts: Counts,
    /// The first ones of [`Counts::differences`].
    pub differences: Vec<String>,
}

struct Plan {
    batch: Batch,
    futures: Vec<bool>,
    outer: Mode,
    inner: Mode,
}

impl Plan {
    fn new(random: &mut Random) -> Plan {
        let mode = |random: &mut Random| Mode {
            lift: random.pick([Lift::Sync, Lift::Callback, Lift::Stackful]),
            lowers_async: random.once_in(2),
            encoding: random.pick(Encoding::ALL),
        };
        let (outer, inner) = (mode(random), mode(random));
        let batch = batch(random, ANY, FUNCTIONS);
        let future = |types: &Vec<Type>| {
            // There are no streams of characters.
            random.once_in(2) || matches!(types[..], [Type::Scalar(Scalar::Char)])
        };
        Plan {
            futures: batch.functions.iter().map(future).collect(),
            batch,
            outer,
            inner,
        }
    }

    /// Returns the exported functions, each with its position among the types.
    fn functions(&self) -> Vec<(String, usize)> {
        let functions = self.batch.functions.iter().enumerate();
        let echoes = functions
            .clone()
            .map(|(index, _)| (format!("echo{index}"), index));
        let values = functions.filter(|(_, types)| types.len() == 1);
        echoes
            .chain(values.map(|(index, _)| (format!("values{index}"), index)))
            .collect()
    }

    fn way(&self, name: &str, index: usize) -> &'static str {
        match (name.starts_with("echo"), self.futures[index]) {
            (true, _) => "call",
            (false, true) => "future",
            (false, false) => "stream",
        }
    }

    fn exchange(&self, random: &mut Random, way: &str, index: usize) -> Exchange {
        let types = &self.batch.functions[index];
        let mut draw = Draw::new(random);
        match way {
            "call" => Exchange {
                params: types.iter().map(|ty| draw.value(ty)).collect(),
                reply: None,
            },
            "future" => {
                let value = draw.value(&types[0]);
                let list = match value {
                    Value::U8(byte) => Value::Bytes(vec![byte]),
                    other => Value::List(vec![other]),
                };
                Exchange {
                    params: vec![list],
                    reply: None,
                }
            }
            _ => Exchange {
                params: vec![draw.value(&Type::List(Box::new(types[0].clone())))],
                reply: None,
            },
        }
    }
}

/// Runs batches by seed: the first has this seed.
///
/// # Errors
/// If a guest cannot be generated. Faults of an engine are not errors but part of the report.
pub fn run(
    backends: &[Backend],
    seed: u64,
    values: u64,
    progress: &mut dyn FnMut(&Counts),
) -> Result<Report> {
    let mut report = Report::default();
    let mut seeds = Random::new(seed);
    let mut seed = seed;
    while report.counts.values < values {
        let mut random = Random::new(seed);
        let plan = Plan::new(&mut random);
        let text = guest::text(&plan.batch, &plan.futures, plan.outer, plan.inner);
        let component = binary(&text)?;
        let functions = plan.functions();
        let names: Vec<String> = functions.iter().map(|(name, _)| name.clone()).collect();
        let mut sides: Vec<Box<dyn Side>> = Vec::new();
        let mut made = vec![(
            String::from("wasmtime"),
            reference::Reference::new(&component, &names).map(|side| Box::new(side) as Box<dyn Side>),
        )];
        for backend in backends {
            let side = ours::Ours::new(*backend, &component, &names);
            made.push((backend.to_string(), side.map(|side| Box::new(side) as _)));
        }
        for (name, side) in made {
            match side {
                Ok(side) => sides.push(side),
                Err(error) => report.differs(
                    seed,
                    &plan,
                    &name,
                    &format!("the component is refused: {error:#}"),
                ),
            }
        }
        report.counts.components += 1;
        run_batch(
            &mut report,
            seed,
            &plan,
            &mut sides,
            &functions,
            values,
            &mut random,
        );
        progress(&report.counts);
        seed = seeds.bits();
    }
    Ok(report)
}

fn run_batch(
    report: &mut Report,
    seed: u64,
    plan: &Plan,
    sides: &mut [Box<dyn Side>],
    functions: &[(String, usize)],
    values: u64,
    random: &mut Random,
) {
    for (position, (name, index)) in functions.iter().enumerate() {
        let way = plan.way(name, *index);
        for _ in 0..VALUES {
            if report.counts.values >= values {
                return;
            }
            let exchange = plan.exchange(random, way, *index);
            let (findings, compared) = compare::exchange(sides, position, &exchange);
            report.counts.values += 1;
            report.counts.compared += compared;
            *report.counts.ways.entry(way).or_default() += 1;
            report.counts.elements += match (way, &exchange.params[..]) {
                ("call", _) => 0,
                (_, [Value::List(list)]) => list.len() as u64,
                (_, [Value::Bytes(bytes)]) => bytes.len() as u64,
                _ => 0,
            };
            *report.counts.pairings.entry(plan.pairing()).or_default() += 1;
            for finding in findings {
                let what = format!(
                    "{name} ({way}) of {}: {}\n  value: {}",
                    plan.batch.result(*index),
                    finding.what,
                    compare::cut(&exchange.expected(Place::Host))
                );
                report.differs(seed, plan, &finding.side, &what);
            }
        }
    }
}

impl Plan {
    fn pairing(&self) -> String {
        let mode = |mode: &Mode| {
            let lower = if mode.lowers_async { "async" } else { "sync" };
            format!("{:?}/{lower}", mode.lift).to_lowercase()
        };
        format!("{} {}", mode(&self.outer), mode(&self.inner))
    }
}

impl Report {
    fn differs(&mut self, seed: u64, plan: &Plan, side: &str, what: &str) {
        self.counts.differences += 1;
        if self.differences.len() < MAX_DESCRIBED {
            self.differences.push(format!(
                "{side}: {what}\n  modes: {}\n  again: async --interleavings 0 --values 600 --seed {seed}",
                plan.pairing()
            ));
        }
    }
}
