//! Files, and guests that try to reach others: paths out of their folders, read-only folders, links that the host changes
//! meanwhile, numbers that are too large. Each gets the interface's own error, and nothing outside of the granted folders
//! is read or changed.
#![cfg(unix)]

#[path = "wasi_files/bench.rs"]
mod bench;
use airssys_wasm_test_support as common;
#[path = "wasi_files/numbers.rs"]
mod numbers;
#[path = "wasi_files/paths.rs"]
mod paths;
#[path = "wasi_files/policy.rs"]
mod policy;
#[path = "wasi_files/races.rs"]
mod races;
#[path = "wasi_files/rights.rs"]
mod rights;
#[path = "wasi_files/table.rs"]
mod table;

use bench::{Bench, Step};

/// Calls of the guest, with their expected results; in a fresh world.
struct Case {
    name: String,
    steps: Vec<(Step, String)>,
}

impl Case {
    fn new(name: impl Into<String>, steps: impl IntoIterator<Item = (Step, &'static str)>) -> Case {
        Case {
            name: name.into(),
            steps: steps
                .into_iter()
                .map(|(step, answer)| (step, answer.to_owned()))
                .collect(),
        }
    }

    fn check(&self) -> Result<(), String> {
        let mut bench = Bench::new();
        for (step, expected) in &self.steps {
            let answer = bench.take(step.clone());
            if answer != *expected {
                return Err(format!("{} answered `{answer}`, not `{expected}`", step.call));
            }
        }
        bench.unharmed()
    }
}

fn check(cases: &[Case], least: usize) {
    assert!(cases.len() >= least, "{} cases", cases.len());
    let mut names = std::collections::BTreeSet::new();
    for case in cases {
        assert!(names.insert(&case.name), "two cases: {}", case.name);
    }
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| Some(format!("{}: {}", case.name, case.check().err()?)))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
    println!("{} cases", cases.len());
}
