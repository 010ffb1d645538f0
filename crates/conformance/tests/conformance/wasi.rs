//! Every case of WASI on every backend and on wasmtime with its own WASI.

use std::collections::BTreeMap;

use airssys_wasm_conformance::wasi;

/// Least number of cases, of each group and in all.
const CASES: usize = 310;
const GROUPS: &[(&str, usize)] = &[
    ("files", 90),
    ("paths", 20),
    ("read-only", 15),
    ("streams", 15),
    ("poll", 4),
    ("clocks", 9),
    ("random", 6),
    ("cli", 12),
    ("tcp", 25),
    ("udp", 15),
    ("lookup", 3),
    ("http", 46),
    ("served", 30),
];

#[test]
fn every_backend_sees_what_the_reference_sees() {
    let guest = wasi::guest().expect("the guest is committed");
    let sides = wasi::sides(&guest).expect("the guest is linked");
    assert!(sides.len() >= 2, "nothing would be compared");
    let rows = wasi::run(&sides, |_| true).expect("the cases are run");

    assert!(rows.len() >= CASES, "{} cases", rows.len());
    let mut groups = BTreeMap::<&str, usize>::new();
    for row in &rows {
        assert_eq!(row.answers.len(), sides.len());
        *groups
            .entry(row.case.split('/').next().unwrap_or_default())
            .or_default() += 1;
    }
    println!("{} cases on {} engines: {groups:?}", rows.len(), sides.len());
    for (group, least) in GROUPS {
        let found = groups.get(group).copied().unwrap_or(0);
        assert!(found >= *least, "{group}: {found} of {least}");
    }

    let mut failures = wasi::failures(&sides, &rows);
    failures.extend(wasi::stale(&rows));
    assert!(
        failures.is_empty(),
        "{}:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn the_guest_calls_every_function() {
    let guest = wasi::guest().expect("the guest is committed");
    let called = wasi::functions::called(&guest).expect("the guest is a component");
    let all = wasi::functions::functions().expect("the contract is read");
    let of_http = all.iter().filter(|name| name.starts_with("wasi:http/")).count();
    println!("{} functions, {of_http} of wasi:http", all.len());
    assert_eq!(of_http, 54);
    let missing: Vec<_> = all.difference(&called).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
