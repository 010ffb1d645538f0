//! Statistics of the comparisons.

use std::collections::BTreeMap;
use std::fmt;

use super::abi::{MAX_FLAT_PARAMS, flatten};
use super::compare::Exchange;
use super::plan::Plan;
use super::types::{Body, Type};

#[derive(Clone, Default, Debug)]
pub struct Counts {
    /// Components.
    pub batches: u64,
    /// Functions, each with types of its own.
    pub functions: u64,
    /// Functions with too many parameters to be flat.
    pub params_in_memory: u64,
    /// Functions whose result is not one core value.
    pub results_in_memory: u64,
    /// Variants and enums with a discriminant of 16 bits.
    pub wide_discriminants: u64,
    /// Flags by their size in bytes.
    pub flags: BTreeMap<u64, u64>,
    /// Functions by the levels of their types' constructors.
    pub depths: BTreeMap<u64, u64>,
    /// Types by constructor.
    pub constructors: BTreeMap<&'static str, u64>,
    /// Values that were sent, each to every engine.
    pub values: u64,
    /// Values that went through Rust types as well.
    pub typed_values: u64,
    /// Values to which the host replied with another one.
    pub answered: u64,
    /// Values by the encodings of the component's parts, the one next to the host first.
    pub encodings: BTreeMap<String, u64>,
    /// NaNs in the sent values.
    pub nans: u64,
    /// Values that an engine showed, and that were compared with the sent ones.
    pub compared: u64,
    pub differences: u64,
}

impl Counts {
    /// Adds the statistics of another run.
    pub fn add(&mut self, other: &Counts) {
        self.batches += other.batches;
        self.functions += other.functions;
        self.params_in_memory += other.params_in_memory;
        self.results_in_memory += other.results_in_memory;
        self.wide_discriminants += other.wide_discriminants;
        add_each(&mut self.flags, &other.flags);
        add_each(&mut self.depths, &other.depths);
        add_each(&mut self.constructors, &other.constructors);
        self.values += other.values;
        self.typed_values += other.typed_values;
        self.answered += other.answered;
        add_each(&mut self.encodings, &other.encodings);
        self.nans += other.nans;
        self.compared += other.compared;
        self.differences += other.differences;
    }

    pub(super) fn batch(&mut self, plan: &Plan) {
        self.batches += 1;
        for params in &plan.batch.functions {
            self.functions += 1;
            let mut flat = Vec::new();
            params.iter().for_each(|ty| flatten(ty, &mut flat));
            self.params_in_memory += u64::from(flat.len() > MAX_FLAT_PARAMS);
            self.results_in_memory += u64::from(flat.len() > 1);
            let depth = params.iter().map(Type::depth).max().unwrap_or(0);
            *self.depths.entry(depth as u64).or_default() += 1;
            params.iter().for_each(|ty| self.ty(ty));
        }
    }

    fn ty(&mut self, ty: &Type) {
        *self.constructors.entry(ty.constructor()).or_default() += 1;
        if let Type::Declared(declared) = ty {
            match &declared.body {
                Body::Variant(cases) => self.wide_discriminants += u64::from(cases.len() > 256),
                Body::Enum(labels) => self.wide_discriminants += u64::from(labels.len() > 256),
                Body::Flags(labels) => {
                    let bytes = labels.len().div_ceil(8).next_power_of_two() as u64;
                    *self.flags.entry(bytes).or_default() += 1;
                }
                Body::Record(_) => {}
            }
        }
        for part in ty.parts() {
            self.ty(part);
        }
    }

    pub(super) fn value(&mut self, plan: &Plan, exchange: &Exchange, compared: u64) {
        self.values += 1;
        self.typed_values += u64::from(plan.typed.is_some());
        self.answered += u64::from(exchange.reply.is_some());
        *self.encodings.entry(plan.encodings()).or_default() += 1;
        let sent = exchange.params.iter().chain(&exchange.reply);
        self.nans += sent.map(|value| value.nans()).sum::<u64>();
        self.compared += compared;
    }
}

fn add_each<K: Ord + Clone>(counts: &mut BTreeMap<K, u64>, others: &BTreeMap<K, u64>) {
    for (key, count) in others {
        *counts.entry(key.clone()).or_default() += count;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} values, {} through Rust types too, {} answered with another; {} NaNs in them",
            self.values, self.typed_values, self.answered, self.nans
        )?;
        writeln!(f, "{} values seen on an engine and compared", self.compared)?;
        writeln!(
            f,
            "{} components of {} functions: {} with parameters in memory, {} with results in memory",
            self.batches, self.functions, self.params_in_memory, self.results_in_memory
        )?;
        writeln!(f, "types by constructor: {:?}", self.constructors)?;
        writeln!(f, "functions by depth: {:?}", self.depths)?;
        writeln!(
            f,
            "discriminants of 16 bits: {}; flags by bytes: {:?}",
            self.wide_discriminants, self.flags
        )?;
        writeln!(f, "values by encodings: {:?}", self.encodings)?;
        write!(f, "{} differences", self.differences)
    }
}
