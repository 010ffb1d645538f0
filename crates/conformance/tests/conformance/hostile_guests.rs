//! Every hostile case on every backend, with its exact error, and on the reference engine, by category.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use airssys_wasm_component::engine::Backend;
use airssys_wasm_conformance::hostile::advisories::ADVISORIES;
use airssys_wasm_conformance::hostile::{Case, cases, peak, run_ours, run_subject};
use airssys_wasm_conformance::{Ours, Reference};

/// Most memory that the whole run may use, in bytes, compilers included.
const MEMORY: u64 = 2 << 30;

/// Serializes the tests: they measure the host's memory.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn every(engine: &str, check: impl Fn(&Case) -> Result<(), String>) {
    let cases = cases();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            check(case)
                .err()
                .map(|error| format!("{}: {}: {error}", case.group, case.name))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{engine}: {} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
    if let Some(peak) = peak() {
        assert!(peak < MEMORY, "{engine}: {peak} bytes at the peak");
    }
}

#[test]
fn there_are_hundreds_of_cases_each_with_its_name() {
    let cases = cases();
    assert!(cases.len() >= 300, "{} cases", cases.len());
    let mut groups = BTreeMap::new();
    for case in &cases {
        *groups.entry(case.group).or_insert(0) += 1;
    }
    println!("{} cases: {groups:?}", cases.len());
    let mut names = BTreeSet::new();
    for case in &cases {
        assert!(names.insert(&case.name), "two cases: {}", case.name);
    }
}

#[test]
fn every_advisory_has_its_case() {
    let cases = cases();
    let mut ids = BTreeSet::new();
    for advisory in ADVISORIES {
        let begins = cases.iter().any(|case| case.name.starts_with(advisory.case));
        assert!(begins, "{:?}: no case `{}`", advisory.ids, advisory.case);
        assert!(!advisory.ids.is_empty());
        assert!(
            advisory.ids.iter().all(|id| ids.insert(id)),
            "{:?} twice",
            advisory.ids
        );
    }
}

#[test]
fn every_backend_gives_the_exact_error() {
    let _alone = alone();
    assert!(
        !Backend::available().is_empty(),
        "this build has no backend: nothing would be tested"
    );
    for backend in Backend::available() {
        every(backend.name(), |case| run_ours(case, *backend));
    }
}

#[test]
fn every_backend_fails_in_the_category_that_is_compared() {
    let _alone = alone();
    for subject in Ours::all().expect("the backends are available") {
        every(subject.backend().name(), |case| {
            case.agrees(&run_subject(case, &subject))
        });
    }
}

#[test]
fn the_reference_engine_fails_in_the_same_category_where_it_is_comparable() {
    let _alone = alone();
    let reference = Reference::new().expect("the reference engine");
    every("wasmtime", |case| {
        case.reference_agrees(&run_subject(case, &reference))
    });
}
