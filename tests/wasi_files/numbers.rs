//! Numbers that are too large, and guests that use too many resources.

use std::sync::{Mutex, MutexGuard, PoisonError};

use airssys_wasm::wasi::WasiLimits;

use crate::bench::{Bench, DATA, at, call, open};
use crate::{Case, check};

const OPENED: u32 = 3;
const HUGE: [u64; 3] = [1 << 63, u64::MAX - 1, u64::MAX];

#[test]
fn huge_offsets_and_sizes_are_errors() {
    let mut cases = Vec::new();
    for number in HUGE {
        for (name, expected) in [
            ("read", "invalid"),
            ("write", "invalid"),
            ("set-size", "invalid"),
            ("read-via-stream", "failed invalid"),
            ("write-via-stream", "failed invalid"),
        ] {
            cases.push(Case::new(
                format!("{name} at {number}"),
                [
                    (open(DATA, "hello.txt", "read write"), "ok 3"),
                    (call(name, OPENED).number(number), expected),
                    (call("stat", OPENED), "ok regular-file 5"),
                ],
            ));
        }
    }
    // The largest offset: a write there would reach beyond it.
    cases.push(Case::new(
        "write at the last offset",
        [
            (open(DATA, "hello.txt", "read write"), "ok 3"),
            (call("write", OPENED).number(i64::MAX as u64), "invalid"),
            (call("read", OPENED).number(i64::MAX as u64), "invalid"),
            (call("stat", OPENED), "ok regular-file 5"),
        ],
    ));
    check(&cases, 16);
}

#[test]
fn a_read_of_everything_is_bounded() {
    let mut limits = WasiLimits::default();
    limits.read_bytes = 1000;
    let mut bench = Bench::with(limits);
    std::fs::write(bench.host("data/long"), vec![b'x'; 100_000]).unwrap();
    assert_eq!(bench.take(open(DATA, "long", "read")), "ok 3");
    for name in ["read", "read-via-stream"] {
        let mut step = call(name, OPENED);
        step.length = u64::MAX;
        let answer = bench.take(step);
        assert!(answer.starts_with("ok 1000 bytes"), "{name}: {answer}");
    }
}

#[test]
fn a_flood_of_descriptors_ends_at_its_limit_and_the_others_live_on() {
    let _alone = alone();
    let mut limits = WasiLimits::default();
    limits.descriptors = 20;
    let mut bench = Bench::with(limits.clone());
    let before = host_descriptors();
    let flood = open(DATA, "hello.txt", "read").number(100_000);
    let flood = |call: &str, path: &str| {
        let mut step = flood.clone();
        step.call = call.into();
        step.path = path.into();
        step
    };
    // Streams and lists occupy places too, and release them.
    assert_eq!(
        bench.take(flood("flood-streams", "hello.txt")),
        "20, then insufficient-memory"
    );
    assert_eq!(
        bench.take(flood("flood-list", "")),
        "20, then insufficient-memory"
    );
    assert_eq!(bench.take(flood("flood", "sub")), "20, then insufficient-memory");
    assert_eq!(bench.take(open(DATA, "hello.txt", "read")), "insufficient-memory");
    assert_eq!(bench.take(call("list", DATA)), "insufficient-memory");
    // Calls that need no new place work, and dropping one makes room.
    assert_eq!(bench.take(at("stat-at", DATA, "hello.txt")), "ok regular-file 5");
    assert_eq!(bench.take(call("drop", OPENED)), "ok");
    assert_eq!(bench.take(open(DATA, "hello.txt", "read")), "ok 23");
    assert!(host_descriptors() <= before + 25 + OTHERS);

    // Another component has its own places.
    let mut other = Bench::with(limits);
    assert_eq!(other.take(open(DATA, "hello.txt", "read")), "ok 3");
    drop(other);
    drop(bench);
    assert!(host_descriptors() <= before + OTHERS);
}

/// Most descriptors that parallel tests may have open.
const OTHERS: usize = 60;

/// Serializes the tests that count the host's descriptors.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn host_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

#[test]
fn a_hundred_thousand_resources_are_refused() {
    let _alone = alone();
    let mut limits = WasiLimits::default();
    limits.descriptors = usize::MAX;
    limits.resources = 100;
    let mut bench = Bench::with(limits);
    let error = bench
        .try_take(at("flood", DATA, "hello.txt").with("read").number(100_000))
        .expect_err("there are no codes for tables that are full");
    assert!(error.to_string().contains("resource table"), "{error}");
    assert!(bench.store.data().table.len() <= 100);
}

#[test]
fn a_closed_descriptor_is_no_handle() {
    let mut bench = Bench::new();
    assert_eq!(bench.take(open(DATA, "hello.txt", "read")), "ok 3");
    let error = bench
        .try_take(call("after-drop", OPENED))
        .expect_err("the handle is gone");
    assert!(error.trap().is_some(), "{error}");
    bench.unharmed().unwrap();
}

/// A listing with more entries than may be held at once.
#[test]
fn entries_are_read_one_by_one() {
    let mut bench = Bench::new();
    for place in 0..3000 {
        std::fs::write(bench.host(&format!("more/{place}")), "").unwrap();
    }
    let listed = bench.take(call("list", crate::bench::MORE));
    assert_eq!(listed.split(", ").count(), 3000);
}

/// All open descriptors of a guest are closed with its store.
#[test]
fn a_store_that_is_dropped_closes_what_was_open() {
    let _alone = alone();
    let before = host_descriptors();
    for _ in 0..20 {
        let mut bench = Bench::new();
        let mut flood = open(DATA, "hello.txt", "read").number(200);
        flood.call = "flood".into();
        assert_eq!(bench.take(flood), "200");
    }
    // Twenty times two hundred, if they leaked.
    assert!(host_descriptors() <= before + OTHERS);
}
