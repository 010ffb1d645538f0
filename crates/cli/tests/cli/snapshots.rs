//! `snapshot` through the program: made, inspected, run, and every refusal.

use std::path::PathBuf;

use airssys_wasm::engine::Backend;
use serde_json::json;

use crate::artifacts::text;
use crate::process::{airssys, fixture, scratch};

fn keys(name: &str) -> (String, String) {
    let path = scratch(&format!("{name}.key"));
    let ran = airssys(&["keygen", "-o", text(&path)]).ended(0);
    (text(&path).to_owned(), ran.stdout.trim().to_owned())
}

fn snapshot(name: &str, component: &str, more: &[&str]) -> PathBuf {
    let path = scratch(&format!("{name}.snapshot.cwasm"));
    airssys(&[&["snapshot", component, "-o", text(&path)], more].concat()).ended(0);
    path
}

#[test]
fn a_snapshot_runs_where_its_initialization_ended() {
    let (secret, public) = keys("snapshot");
    let component = fixture("counter");
    for backend in Backend::available() {
        let path = scratch(&format!("{backend}.snapshot.cwasm"));
        let args = [
            "snapshot",
            &component,
            "-o",
            text(&path),
            "--config",
            "start=41",
            "--sign",
            &secret,
        ];
        let ran = airssys(&[&args[..], &["--backend", backend.name(), "--json"]].concat()).ended(0);
        let said = ran.json();
        assert_eq!(
            (&said["backend"], &said["signer"]),
            (&json!(backend.name()), &json!(public))
        );
        let args = ["run", text(&path), "--trust", &public];
        // `start` is read by `init`, `step` by each operation.
        for _ in 0..2 {
            let more = ["--operation", "increment", "--config", "step=2"];
            let ran = airssys(&[&args[..], &more].concat()).ended(0);
            assert_eq!(ran.json(), json!({"count": 43}));
        }
        let other = ["--operation", "get", "--config", "start=7"];
        let ran = airssys(&[&args[..], &other].concat()).ended(3);
        ran.says("another value of the setting `start`");
        let ran = airssys(&["inspect", text(&path), "--json"]).ended(0);
        let artifact = &ran.json()["artifact"];
        assert_eq!(artifact["snapshot"], true);
        assert_eq!(artifact["metadata"]["metadata"]["name"], "counter");
        let ran = airssys(&["inspect", text(&path), "--trust", &public]).ended(0);
        assert!(
            ran.stdout.contains("with its state after `init`"),
            "{}",
            ran.stdout
        );
        airssys(&["verify", text(&path), "--trust", &public]).ended(0);
        airssys(&["run", text(&path), "--operation", "get"]).ended(3);
    }
}

#[test]
fn an_artifact_becomes_a_snapshot() {
    let (secret, public) = keys("becomes");
    let artifact = scratch("becomes.cwasm");
    airssys(&[
        "compile",
        &fixture("counter"),
        "-o",
        text(&artifact),
        "--sign",
        &secret,
    ])
    .ended(0);
    let path = scratch("becomes.snapshot.cwasm");
    let args = [
        "snapshot",
        text(&artifact),
        "-o",
        text(&path),
        "--config",
        "start=5",
    ];
    let ran = airssys(&args).ended(3);
    assert!(ran.stderr.contains("not a trusted key"), "{}", ran.stderr);
    assert!(!path.exists());
    airssys(&[&args[..], &["--trust", &public]].concat()).ended(0);
    let ran = airssys(&["run", text(&path), "--operation", "get", "--allow-unsigned"]).ended(0);
    assert_eq!(ran.json(), json!({"count": 5}));
    // A snapshot of a snapshot, with the state that it had.
    let again = snapshot("again", text(&path), &["--allow-unsigned"]);
    let ran = airssys(&["run", text(&again), "--operation", "get", "--allow-unsigned"]).ended(0);
    assert_eq!(ran.json(), json!({"count": 5}));
}

#[test]
fn configuration_that_differs_is_refused_and_none_is_not() {
    let data = scratch("configuration");
    std::fs::write(&data, b"\x80\x04{}").expect("it can be written");
    let configured = ["--env", "A=1", "--config-data", text(&data)];
    let path = snapshot("configured", &fixture("counter"), &configured);
    let run = |more: &[&str]| {
        let args = ["run", text(&path), "--allow-unsigned", "--operation", "get"];
        airssys(&[&args[..], more].concat())
    };
    assert_eq!(run(&[]).ended(0).json(), json!({"count": 0}));
    let ran = run(&["--env", "A=2"]).ended(3);
    let expected = "initialized with other environment variables or configuration data";
    assert!(ran.stderr.contains(expected), "{}", ran.stderr);
}

#[test]
fn what_has_no_snapshot_is_refused_and_leaves_no_file() {
    let path = scratch("refused.snapshot.cwasm");
    let refused = |component: &str, more: &[&str], code: i32, expected: &str| {
        let args = ["snapshot", component, "-o", text(&path)];
        let ran = airssys(&[&args[..], more].concat()).ended(code);
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
        assert!(!path.exists(), "{component} {more:?}");
    };
    let counter = fixture("counter");
    refused(&counter, &["--backend", "tiered"], 2, "the code of one compiler");
    refused(&counter, &["--config", "start=x"], 1, "start");
    refused(&fixture("wasi-program"), &[], 3, "component-lifecycle");
    refused("nothing.wasm", &[], 3, "nothing.wasm");
}
