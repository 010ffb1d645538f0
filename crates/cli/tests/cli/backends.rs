use airssys_wasm::engine::Backend;
use serde_json::json;

use crate::process::{airssys, airssys_with_variables, fixture, scratch};

#[test]
fn every_backend_is_listed() {
    let list = airssys(&["backends"]).ended(0);
    assert_eq!(list.stdout.lines().count(), 4, "{}", list.stdout);
    let json = airssys(&["backends", "--json"]).ended(0).json();
    let backends = json["backends"].as_array().expect("a list");
    for (backend, shown) in Backend::ALL.into_iter().zip(backends) {
        assert_eq!(shown["name"], backend.name());
        assert_eq!(shown["available"], backend.is_available());
        assert_eq!(shown["license"], backend.license());
        assert_eq!(shown["wasmer-version"], Backend::wasmer_version());
        let line = list.stdout.lines().find(|line| line.starts_with(backend.name()));
        let line = line.expect("a line for each");
        assert!(line.contains(backend.license()), "{line}");
        assert_eq!(
            line.contains("sponsoring Wasmer"),
            backend.license() == "BUSL-1.1",
            "{line}"
        );
    }
    assert_eq!(backends.len(), Backend::ALL.len());
}

#[test]
fn every_backend_gives_the_same_answers() {
    for backend in Backend::available() {
        let name = backend.name();
        let params = r#"{"text":"to be or not to be"}"#;
        let ran = airssys(&[
            "run",
            &fixture("text-processor"),
            "--operation",
            "word-count",
            "--params",
            params,
            "--backend",
            name,
        ]);
        assert_eq!(ran.ended(0).json(), json!({"count": 6, "unique": 4}), "{name}");
        let call = r#"describe({name: "x", age: 3}, circle(1.5), ["a","b"])"#;
        let ran = airssys(&["invoke", &fixture("types"), call, "--backend", name]).ended(0);
        assert_eq!(
            ran.stdout, "ok(\"x (3) has a circle of radius 1.5, tagged [a, b]\")\n",
            "{name}"
        );
        let ran = airssys(&["invoke", &fixture("types"), "out-of-bounds()", "--backend", name]).ended(4);
        ran.says("out of bounds memory access");
    }
}

#[test]
fn a_tiered_start_gives_the_same_answers() {
    let component = fixture("text-processor");
    let params = r#"{"text":"to be or not to be"}"#;
    let run = ["run", &component, "--operation", "word-count", "--params", params];
    let call = r#"describe({name: "x", age: 3}, circle(1.5), ["a","b"])"#;
    for cache in ["off", scratch("tiered").to_str().expect("text")] {
        let tiered = ["--backend", "tiered", "--cache", cache];
        let ran = airssys(&[&run[..], &tiered].concat());
        let invoked = airssys(&[&["invoke", &fixture("types"), call][..], &tiered].concat());
        if Backend::available().len() < 2 {
            ran.ended(2).says("a tiered start needs two compilers");
            invoked.ended(2).says("a tiered start needs two compilers");
            continue;
        }
        let ran = ran.ended(0);
        assert_eq!(ran.json(), json!({"count": 6, "unique": 4}));
        assert_eq!(ran.stderr, "");
        let invoked = invoked.ended(0);
        assert_eq!(
            invoked.stdout,
            "ok(\"x (3) has a circle of radius 1.5, tagged [a, b]\")\n"
        );
    }
}

#[test]
fn an_artifact_has_one_compiler() {
    let output = scratch("tiered.cwasm");
    let output = output.to_str().expect("text");
    let compile = ["compile", &fixture("types"), "-o", output, "--backend", "tiered"];
    airssys(&compile).ended(2).says("the code of one compiler");
}

#[test]
fn a_backend_that_is_not_there_is_refused() {
    airssys(&["inspect", &fixture("types"), "--backend", "gcc"])
        .ended(2)
        .says("choose cranelift");
    for backend in Backend::ALL.into_iter().filter(|backend| !backend.is_available()) {
        let name = backend.name();
        for command in ["inspect", "invoke", "run"] {
            let types = fixture("types");
            let mut args = vec![command, &types, "--backend", name];
            args.extend((command == "invoke").then_some("nothing()"));
            airssys(&args).ended(2).says(&format!("`--features {name}`"));
        }
    }
}

/// A file that is no library stands in for a machine without LLVM.
#[test]
#[cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
fn without_its_library_llvm_compiles_nothing_and_its_artifacts_run() {
    if !Backend::Llvm.is_available() {
        return;
    }
    let folder = scratch("no-llvm");
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    std::fs::write(folder.join("libLLVM.so.22.1"), "no library").expect("it can be written");
    let without = [("LD_LIBRARY_PATH", folder.as_os_str())];
    let artifact = folder.join("bench.cwasm");
    let artifact = artifact.to_str().expect("a path that is text");
    let compile = ["compile", &fixture("bench"), "-o", artifact, "--backend", "llvm"];
    let refused = airssys_with_variables(&compile, &without).ended(5);
    for part in [
        "the backend `llvm` cannot compile: libLLVM.so.22.1 cannot be loaded (",
        "libllvm22",
    ] {
        refused.says(part);
    }
    let invoke = ["invoke", &fixture("bench"), "add(40, 2)", "--cache", "off"];
    let chosen = [&invoke[..], &["--backend", "llvm"]].concat();
    airssys_with_variables(&chosen, &without)
        .ended(5)
        .says("libLLVM.so.22.1 cannot be loaded");
    assert_eq!(airssys_with_variables(&invoke, &without).ended(0).stdout, "42\n");

    airssys(&compile).ended(0);
    let invoke = ["invoke", artifact, "add(40, 2)", "--allow-unsigned"];
    assert_eq!(airssys_with_variables(&invoke, &without).ended(0).stdout, "42\n");
}
