//! Waiting of any kind ends at the deadline, and uses no processor time.

use std::time::Duration;

use airssys_wasm::wasi::WasiLimits;

use crate::program::{nothing, programs};

const SOON: Duration = Duration::from_millis(300);
/// Upper bound for short waits, generous since the tests share two processors.
const LATE: Duration = Duration::from_secs(20);

#[test]
fn sleeps_take_their_time() {
    for program in programs() {
        let ran = program.run(&["sleep", "50000000"], nothing);
        assert_eq!(ran.lines(), ["woke"]);
        assert!(ran.took >= Duration::from_millis(50), "{ran:?}");
        assert_eq!(program.run(&["sleep", "0"], nothing).lines(), ["woke"]);
        // A time in the past.
        assert_eq!(program.run(&["sleep-until", "0"], nothing).lines(), ["woke"]);
        assert_eq!(
            program.run(&["sleep-until", "80000000"], nothing).lines(),
            ["woke"]
        );
    }
}

#[test]
fn the_longest_sleeps_end_at_the_deadline() {
    let longest = u64::MAX.to_string();
    for program in programs() {
        for what in ["sleep", "sleep-until"] {
            for time in [&*longest, "9223372036854775807", "1000000000000000000"] {
                let ran = program.run_within(Some(SOON), &[what, time], nothing);
                ran.was_interrupted();
                assert!(ran.took >= SOON && ran.took < LATE, "{ran:?}");
            }
        }
    }
}

#[test]
fn without_a_deadline_a_wait_is_bounded_all_the_same() {
    let longest = u64::MAX.to_string();
    for program in programs() {
        let ran = program.run_within(None, &["sleep", &longest], |builder| {
            builder.limits({
                let mut limits = WasiLimits::default();
                limits.longest_wait = SOON;
                limits
            });
        });
        ran.was_interrupted();
        assert!(ran.took >= SOON && ran.took < LATE, "{ran:?}");
    }
}

/// A deadline in the past ends the first wait.
#[test]
fn no_time_is_no_wait() {
    for program in programs() {
        program
            .run_within(Some(Duration::ZERO), &["sleep", "1000000000"], nothing)
            .was_interrupted();
    }
}

#[cfg(all(unix, feature = "interrupt"))]
#[test]
fn a_program_that_computes_on_is_ended_too() {
    for program in programs() {
        let ran = program.run_within(Some(SOON), &["spin"], nothing);
        ran.was_interrupted();
        assert!(ran.took < LATE, "{ran:?}");
    }
}

#[test]
fn the_first_of_many_wakes() {
    for program in programs() {
        let ran = program.run(&["poll-two"], nothing);
        assert_eq!(ran.lines(), ["false [1]"]);
        assert_eq!(program.run(&["poll-many", "10000"], nothing).lines(), ["10000"]);
    }
}

/// Returns the processor time of this thread, in hundredths of a second.
#[cfg(target_os = "linux")]
fn processor_time() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/stat").expect("this is Linux");
    let fields: Vec<&str> = text
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    [fields[11], fields[12]]
        .iter()
        .map(|field| field.parse::<u64>().expect("a number"))
        .sum()
}

#[cfg(target_os = "linux")]
#[test]
fn waiting_costs_no_processor_time() {
    for program in programs() {
        let before = processor_time();
        program.run(&["sleep", "1000000000"], nothing).lines();
        let spent = processor_time() - before;
        assert!(
            spent < 50,
            "{spent} hundredths of a second for a sleep of one second"
        );
    }
}
