//! Arbitrary text as a test script.

use std::time::Duration;

use airssys_wasm_conformance::{FailureKind, Options, Ours, wast};
use airssys_wasm::engine::{Backend, StoreLimits};

/// Runs a script. Each of its directives has to be accounted for, and none may end in a bug of the library.
pub fn run(input: &[u8]) {
    let Ok(source) = std::str::from_utf8(input) else {
        return;
    };
    let ours = Ours::new(Backend::Singlepass).expect("the backend is compiled in");
    let mut options = Options::default();
    options.deadline = Duration::from_millis(100);
    options.host_instance = input.len() % 2 == 0;
    options.limits = StoreLimits {
        memory_bytes: 16 << 20,
        memories: 50,
        table_elements: 10_000,
        tables: 50,
        handles: 1_000,
        lift_bytes: 16 << 20,
        ..StoreLimits::default()
    };
    let report = wast::run(&ours, "script", source, &options);
    assert_eq!(report.failed, report.failures.len());
    assert_eq!(report.unsupported, report.lacking.len());
    assert!(report.assertions <= report.passed);
    for failure in &report.failures {
        assert!(failure.line >= 1 && !failure.got.is_empty(), "{failure:?}");
        // By category: a script can have the words for it, in a name that an error repeats.
        assert_ne!(failure.kind, Some(FailureKind::Bug), "{failure:?}");
    }
}
