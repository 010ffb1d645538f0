//! Programs that wait for a place in memory, in the engine's code: they are not interrupted there, and end all the same.

use std::time::{Duration, Instant};

use airssys_wasm::error::{CoreTrap, TrapKind};
use airssys_wasm::wasi::preview1::Preview1;

use super::{engines, run};

/// A program that has a thread; `first` and `second` is what the two do. `$wait` waits for good.
fn program(first: &str, second: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
            (import "env" "memory" (memory 1 1 shared))
            (export "memory" (memory 0))
            (func $wait (drop (memory.atomic.wait32 (i32.const 8) (i32.const 0) (i64.const -1))))
            (func (export "wasi_thread_start") (param i32 i32)
                (i32.atomic.store (i32.const 0) (i32.const 1))
                {second})
            (func (export "_start")
                (drop (call $spawn (i32.const 0)))
                (loop $on (br_if $on (i32.eqz (i32.atomic.load (i32.const 0)))))
                {first}))"#
    );
    wat::parse_str(text).expect("the text parses")
}

#[test]
fn a_program_that_waits_ends_at_its_deadline() {
    for engine in engines() {
        let start = Instant::now();
        let deadline = start.checked_add(Duration::from_secs(1));
        let ended = run(
            &engine,
            &program("(call $wait)", "(call $wait)"),
            Preview1::new().deadline(deadline),
        );
        let error = ended.expect_err("nothing wakes it");
        let kind = error.trap().unwrap_or_else(|| panic!("{error}")).kind();
        assert_eq!(
            *kind,
            TrapKind::Core(CoreTrap::Interrupted),
            "{}",
            engine.backend()
        );
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    }
}

/// Threads of this process.
#[cfg(target_os = "linux")]
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

#[cfg(target_os = "linux")]
#[test]
fn threads_that_wait_do_not_outlive_their_program() {
    const PROGRAMS: usize = 40;
    for engine in engines() {
        let bytes = program("", "(call $wait)");
        // Tests beside this one have threads, too, and not so many.
        let before = threads();
        for _ in 0..PROGRAMS {
            let deadline = Instant::now().checked_add(Duration::from_secs(60));
            let ended = run(&engine, &bytes, Preview1::new().deadline(deadline)).expect("it ends");
            assert_eq!(ended.status, 0);
        }
        let until = Instant::now() + Duration::from_secs(30);
        while threads() > before + PROGRAMS / 2 {
            assert!(
                Instant::now() < until,
                "{}: {} threads, {before} before",
                engine.backend(),
                threads()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
