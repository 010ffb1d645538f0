//! Arbitrary text as a test script.

use std::time::Duration;

use airssys_wasm::engine::{Backend, StoreLimits};
use airssys_wasm_conformance::{FailureKind, Options, Ours, wast};

/// Runs a script. Each of its directives must be accounted for, and none may end in a bug of the library.
pub fn run(input: &[u8]) {
    let Ok(source) = std::str::from_utf8(input) else {
        return;
    };
    let ours = Ours::new(Backend::Singlepass).expect("the backend is compiled in");
    let mut options = Options::default();
    options.deadline = Duration::from_millis(100);
    options.host_instance = input.len().is_multiple_of(2);
    options.limits = {
        let mut limits = StoreLimits::default();
        limits.memory_bytes = 16 << 20;
        limits.memories = 50;
        limits.table_elements = 10_000;
        limits.tables = 50;
        limits.handles = 1_000;
        limits.lift_bytes = 16 << 20;
        limits
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
