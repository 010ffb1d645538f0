//! Deterministic simulation of clusters: the code of this package over a network and servers in this process, in virtual time.
//!
//! A schedule is a number, from which all follows: the hosts, their clocks, delays, losses, partitions, restarts of the
//! server, hosts that are killed, leave and join again, and the messages they send. After it, all faults end and the cluster
//! must recover. A failure names its seed; `AIRSSYS_SIMULATION_SEED=<seed> cargo test --package airssys-wasm-cluster
//! simulation` runs it alone and prints what happened. `AIRSSYS_SIMULATION_SCHEDULES` sets their number, 1,000 by default.

mod actors;
mod checks;
mod ends;
mod link;
mod process;
mod schedule;
mod world;

use std::env;

pub(crate) use schedule::random;
use schedule::{Plan, run};

const SEED: &str = "AIRSSYS_SIMULATION_SEED";
const SCHEDULES: &str = "AIRSSYS_SIMULATION_SCHEDULES";
const DEFAULT_SCHEDULES: u64 = 1000;

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is no number: {text}")),
    )
}

#[test]
fn hosts_keep_their_promises_in_all_schedules() {
    if let Some(seed) = number(SEED) {
        let outcome = run(&Plan::of(seed));
        println!("{}", outcome.log.join("\n"));
        assert!(outcome.faults.is_empty(), "seed {seed}: {:#?}", outcome.faults);
        return;
    }
    let mut sum = checks::Sum::default();
    for seed in 0..number(SCHEDULES).unwrap_or(DEFAULT_SCHEDULES) {
        let outcome = run(&Plan::of(seed));
        assert!(
            outcome.faults.is_empty(),
            "{SEED}={seed} shows it: {:#?}",
            outcome.faults
        );
        sum.add(&outcome.sum);
    }
    println!("{sum:?}");
    sum.assert_all_happened();
}

#[test]
fn a_schedule_is_the_same_each_time() {
    for seed in (0..20).chain([4711]) {
        let (first, second) = (run(&Plan::of(seed)), run(&Plan::of(seed)));
        assert!(first.log.len() > 100, "{}", first.log.len());
        assert_eq!(first.log, second.log, "seed {seed}");
    }
}

/// The checks find what is wrong: clocks that differ by more than the hosts allow for let two hosts have one name.
#[test]
fn clocks_beyond_their_tolerance_are_found() {
    let found = (0..200).find_map(|seed| {
        let mut plan = Plan::of(seed);
        plan.skew = plan.tolerance * 4;
        let outcome = run(&plan);
        let fault = outcome
            .faults
            .into_iter()
            .find(|fault| fault.contains("was taken from"));
        fault.map(|fault| (seed, fault))
    });
    let (seed, fault) = found.expect("no schedule of 200 shows it");
    println!("seed {seed}: {fault}");
}
