//! Components that trap or exceed a limit: `run` exits with 4.

use crate::host_support::Guest;
use crate::process::{airssys, scratch_file};

fn file(name: &str, execute: &'static str) -> String {
    let guest = Guest {
        execute,
        ..Guest::default()
    };
    scratch_file(name, &guest.build())
}

#[test]
fn a_trap_ends_in_4() {
    let path = file("trap.wasm", "unreachable");
    airssys(&["run", &path, "--operation", "x"])
        .ended(4)
        .says("unreachable code was executed");
}

#[test]
fn a_sleep_past_the_deadline_ends_in_4() {
    let path = file("sleep.wasm", "(call $sleep (i64.const 600000)) i32.const 0");
    airssys(&["run", &path, "--operation", "x", "--timeout", "100"]).ended(4);
}

#[cfg(all(unix, feature = "interrupt"))]
#[test]
fn a_loop_past_the_deadline_ends_in_4() {
    let path = file("loop.wasm", "(loop $forever (br $forever)) unreachable");
    airssys(&["run", &path, "--operation", "x", "--timeout", "100"]).ended(4);
}
