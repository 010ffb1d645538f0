//! Random asynchronous programs on every backend and on wasmtime.

use airssys_wasm_component::engine::Backend;
use airssys_wasm_conformance::asynchronous::generate;
use airssys_wasm_conformance::asynchronous::interleavings::{Counts, Engines, Options, run};
use airssys_wasm_conformance::asynchronous::known::{Verdict, judge};
use airssys_wasm_conformance::asynchronous::ours::Ours;
use airssys_wasm_conformance::asynchronous::program::Program;
use airssys_wasm_conformance::asynchronous::script::ops;

/// Programs of each seed.
const PROGRAMS: u64 = 200;
const SEEDS: [u64; 2] = [1, 2];

#[test]
fn programs_of_the_built_ins_run_as_on_wasmtime() {
    let engines = Engines::new(Backend::available()).expect("the engines accept the guest");
    let (mut counts, mut differences) = (Counts::default(), Vec::new());
    for seed in SEEDS {
        let options = Options {
            seed,
            programs: PROGRAMS,
            shrink: 1,
            save: None,
        };
        let report = run(&engines, &options, &mut |_| {}).expect("it runs");
        counts.same += report.counts.same;
        counts.programs += report.counts.programs;
        counts.operations.extend(report.counts.operations);
        counts.unexplained += report.counts.unexplained;
        differences.extend(report.differences);
    }
    assert_eq!(counts.unexplained, 0, "{}", differences.join("\n\n"));
    assert_eq!(counts.programs, PROGRAMS * SEEDS.len() as u64);
    assert!(
        counts.same * 3 >= counts.programs * 2,
        "{} of {} are the same",
        counts.same,
        counts.programs
    );
    let used = ops()
        .iter()
        .filter(|op| counts.operations.contains_key(&op.name))
        .count();
    assert!(used * 4 >= ops().len() * 3, "{:?}", counts.operations);
}

#[test]
fn a_result_that_differs_is_found_and_shrunk() {
    let ours = Ours::new(Backend::available()[0]).expect("the backend accepts the guest");
    let program = generate::program(1);
    let outcome = ours.run(&program).expect("it runs");
    assert_eq!(judge(&program, &outcome, &outcome), Verdict::Same);
    let mut other = outcome.clone();
    let last = other
        .events
        .iter_mut()
        .rfind(|event| event.operation(&program) != "halt" && !event.is_begin())
        .expect("an event");
    last.values[0] ^= 0x40;
    assert_eq!(judge(&program, &outcome, &other), Verdict::Unexplained);

    // The smallest program that makes a set.
    let makes_set = |program: &Program| {
        let outcome = ours.run(program).expect("it runs");
        outcome
            .events
            .iter()
            .any(|event| event.operation(program) == "set-new")
    };
    let program = (1..).map(generate::program).find(makes_set).expect("a program");
    let smallest = program.shrink(&mut |program| makes_set(program));
    assert_eq!(smallest.calls.len(), 1);
    let outcome = ours.run(&smallest).expect("it runs");
    let sets = outcome
        .events
        .iter()
        .filter(|event| event.operation(&smallest) == "set-new");
    assert_eq!(sets.count(), 2, "its begin and its end: {smallest}");
}

#[test]
fn any_bytes_are_a_program() {
    let ours = Ours::new(Backend::available()[0]).expect("the backend accepts the guest");
    for seed in 0..50u64 {
        let program = generate::program(seed);
        let again = Program::from_bytes(&program.to_bytes());
        assert_eq!(again.to_string(), program.to_string());
        let bytes: Vec<u8> = (0..400u64)
            .map(|index| (seed * 7919 + index * index * 31) as u8)
            .collect();
        ours.run(&Program::from_bytes(&bytes)).expect("it runs");
    }
}
