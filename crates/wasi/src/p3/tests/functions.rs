//! Functions that return at once.

use std::time::{SystemTime, UNIX_EPOCH};

use airssys_wasm_component::Error;
use airssys_wasm_component::error::{CoreTrap, TrapKind};

use super::engines;
use super::guest::{Guest, compile};
use super::{linker, store};
use crate::{Exit, MemoryOutputPipe, WasiCtxBuilder, WasiLimits};

#[test]
fn clocks_run() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, &WasiCtxBuilder::new());
        let first: u64 = guest.get("now");
        let second: u64 = guest.get("now");
        assert!(first < second, "{first} {second}");
        assert_eq!(guest.get::<u64>("resolution"), 1);
        assert_eq!(guest.get::<u64>("system-resolution"), 1);
        let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let (seconds, nanoseconds): (i64, u32) = guest.get("system-now");
        let seconds = u64::try_from(seconds).unwrap();
        assert!((before..before + 60).contains(&seconds));
        assert!(nanoseconds < 1_000_000_000);
    }
}

#[test]
fn random_bytes_are_cut_at_the_limit() {
    for engine in engines() {
        let limits = WasiLimits {
            random_bytes: 1000,
            ..WasiLimits::default()
        };
        let mut guest = Guest::new(&engine, WasiCtxBuilder::new().limits(limits));
        for name in ["random", "insecure"] {
            let func = guest
                .instance
                .get_typed_func::<(u64,), (Vec<u8>,)>(&mut guest.store, name)
                .unwrap();
            for (max_len, len) in [(0, 0), (1, 1), (1000, 1000), (1001, 1000), (u64::MAX, 1000)] {
                let (bytes,) = func.call(&mut guest.store, (max_len,)).unwrap();
                assert_eq!(bytes.len(), len, "{name}");
            }
            let (first,) = func.call(&mut guest.store, (16,)).unwrap();
            let (second,) = func.call(&mut guest.store, (16,)).unwrap();
            assert_ne!(first, second, "{name}");
        }
        assert_ne!(guest.get::<u64>("random-u64"), guest.get::<u64>("random-u64"));
        assert_ne!(guest.get::<u64>("insecure-u64"), guest.get::<u64>("insecure-u64"));
        let seed: (u64, u64) = guest.get("seed");
        assert_eq!(guest.get::<(u64, u64)>("seed"), seed);
    }
}

#[test]
fn a_limit_of_no_random_bytes_is_a_trap() {
    for engine in engines() {
        let limits = WasiLimits {
            random_bytes: 0,
            ..WasiLimits::default()
        };
        let mut guest = Guest::new(&engine, WasiCtxBuilder::new().limits(limits));
        let func = guest
            .instance
            .get_typed_func::<(u64,), (Vec<u8>,)>(&mut guest.store, "random")
            .unwrap();
        assert_eq!(func.call(&mut guest.store, (0,)).unwrap().0, b"");
        let error = func.call(&mut guest.store, (1,)).unwrap_err();
        assert!(matches!(kind(&error), Some(TrapKind::Limit(_))), "{error}");
    }
}

#[test]
fn the_environment_is_that_of_the_context() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, &WasiCtxBuilder::new());
        assert_eq!(guest.get::<Vec<(String, String)>>("environment"), []);
        assert_eq!(guest.get::<Vec<String>>("arguments"), [""; 0]);
        assert_eq!(guest.get::<Option<String>>("cwd"), None);
        assert_eq!(guest.get::<u32>("terminals"), 0);
        let mut builder = WasiCtxBuilder::new();
        builder.env("A", "b").args(["p", "é"]).initial_cwd("/d");
        let mut guest = Guest::new(&engine, &builder);
        assert_eq!(
            guest.get::<Vec<(String, String)>>("environment"),
            [("A".to_owned(), "b".to_owned())]
        );
        assert_eq!(guest.get::<Vec<String>>("arguments"), ["p", "é"]);
        assert_eq!(guest.get::<Option<String>>("cwd").as_deref(), Some("/d"));
    }
}

#[test]
fn exit_ends_the_call_with_its_status() {
    for engine in engines() {
        for (status, code) in [(Ok(()), 0), (Err(()), 1)] {
            let mut guest = Guest::new(&engine, &WasiCtxBuilder::new());
            let exit = guest
                .instance
                .get_typed_func::<(Result<(), ()>,), ()>(&mut guest.store, "exit")
                .unwrap();
            let error = exit.call(&mut guest.store, (status,)).unwrap_err();
            assert_eq!(Exit::of(&error), Some(Exit { code }));
        }
    }
}

#[test]
fn output_before_an_exit_is_not_lost() {
    for engine in engines() {
        let (stdout, stderr) = (MemoryOutputPipe::new(100), MemoryOutputPipe::new(100));
        let mut builder = WasiCtxBuilder::new();
        builder.stdout(stdout.clone()).stderr(stderr.clone());
        let mut guest = Guest::new(&engine, &builder);
        let error = guest.call("exit-with-code", (200_u32,)).unwrap_err();
        assert_eq!(Exit::of(&error), Some(Exit { code: 200 }));
        assert_eq!(
            (stdout.contents(), stderr.contents()),
            (b"x".to_vec(), b"x".to_vec())
        );
        assert_eq!(guest.store.concurrency_counts().tasks, 0);
    }
}

#[test]
fn every_version_of_0_3_is_served() {
    for engine in engines() {
        for version in ["0.3.0", "0.3.1", "0.3.2", "0.3.0-rc-2026-03-15"] {
            let component = compile(&engine, version);
            let mut store = store(&engine, &WasiCtxBuilder::new());
            linker(&engine).instantiate(&mut store, &component).unwrap();
        }
        let component = compile(&engine, "0.3.0-rc-2026-01-06");
        let mut store = store(&engine, &WasiCtxBuilder::new());
        let error = linker(&engine).instantiate(&mut store, &component).unwrap_err();
        assert!(matches!(error, Error::MissingImport { .. }), "{error:?}");
    }
}

/// Returns whether a call has ended at its deadline.
pub(super) fn is_interrupted(error: &Error) -> bool {
    matches!(kind(error), Some(TrapKind::Core(CoreTrap::Interrupted)))
}

pub(super) fn kind(error: &Error) -> Option<&TrapKind> {
    match error {
        Error::Trap(trap) => Some(trap.kind()),
        _ => None,
    }
}
