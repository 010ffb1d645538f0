//! Arbitrary bytes as a program of the asynchronous built-ins.

use std::sync::LazyLock;
use std::time::Duration;

use airssys_wasm::engine::{Backend, StoreLimits};
use airssys_wasm::error::{CoreTrap, TrapKind};
use airssys_wasm_conformance::asynchronous::ours::Ours;
use airssys_wasm_conformance::asynchronous::program::Program;

use crate::expect_no_bug;
use crate::watchdog::watch;

/// From the start of an instance to the end of its last task.
const TIME: Duration = Duration::from_millis(200);

static GUEST: LazyLock<Ours> =
    LazyLock::new(|| Ours::new(Backend::Singlepass).expect("the backend accepts the guest"));

fn limits() -> StoreLimits {
    let mut limits = StoreLimits::default();
    limits.memory_bytes = 4 << 20;
    limits.handles = 1_000;
    limits.lift_bytes = 4 << 20;
    limits
}

/// Runs one input: instances that call any built-in with any operands, return any code from their callbacks, and call each
/// other and the host.
///
/// # Panics
/// If something is found.
pub fn run(input: &[u8]) {
    let program = Program::from_bytes(input);
    if let Err(error) = GUEST.run_watched(&program, limits(), |handle| watch(handle, TIME)) {
        expect_no_bug(&error);
        // On a machine that has no time for it, its time is over before its first task.
        let is_late = error
            .trap()
            .is_some_and(|trap| *trap.kind() == TrapKind::Core(CoreTrap::Interrupted));
        assert!(is_late, "the guest does not start: {error}");
    }
}
