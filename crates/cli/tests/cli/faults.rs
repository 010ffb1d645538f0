//! Files that are not a component: each command reports that, and exits with 3.

use crate::process::{Ran, airssys, fixture, scratch_file};

fn each(path: &str) -> [Ran; 3] {
    let commands: [&[&str]; 3] = [
        &["run", path, "--operation", "x"],
        &["inspect", path],
        &["invoke", path, "run()"],
    ];
    commands.map(|args| airssys(args).ended(3))
}

#[test]
fn a_file_that_is_not_there() {
    for ran in each("no-such-file.wasm") {
        ran.says("no-such-file.wasm");
        ran.says("cannot be read");
    }
}

#[test]
fn bytes_that_are_no_component() {
    // Unordered bytes from a linear congruential generator.
    let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    let random: Vec<u8> = std::iter::successors(Some(1u32), next)
        .map(|state| (state >> 24) as u8)
        .take(4096)
        .collect();
    for ran in each(&scratch_file("random.wasm", &random)) {
        ran.says("not WebAssembly");
    }
    for ran in each(&scratch_file("empty.wasm", b"")) {
        ran.says("not WebAssembly");
    }
    for ran in each(&scratch_file("core.wasm", b"\0asm\x01\0\0\0")) {
        ran.says("core WebAssembly module");
    }
    each(&scratch_file("newer.wasm", b"\0asm\xff\0\x01\0"));
}

#[test]
fn components_that_are_cut_off() {
    let whole = std::fs::read(fixture("text-processor")).expect("the fixture");
    for length in [9, 100, 1000, whole.len() / 2, whole.len() - 1] {
        let cut = whole.get(..length).expect("it is longer");
        each(&scratch_file(&format!("cut-{length}.wasm"), cut));
    }
}

#[test]
fn a_component_outside_the_contract_cannot_be_run() {
    let ran = airssys(&["run", &fixture("types"), "--operation", "describe"]).ended(3);
    ran.says("component-lifecycle");
}
