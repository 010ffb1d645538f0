//! Programs that wait for a place in memory, in the engine's code: they are not interrupted there, and end all the same.

use std::time::{Duration, Instant};

use airssys_wasm::component::{Component, Linker, Store, StoreContextMut};
use airssys_wasm::engine::Backend;
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

/// Runs a program that does not end by itself on each backend: it is interrupted at its deadline.
fn ends_at_its_deadline(program: &[u8]) {
    for engine in engines() {
        let start = Instant::now();
        let deadline = start.checked_add(Duration::from_secs(1));
        let ended = run(&engine, program, Preview1::new().deadline(deadline));
        let error = ended.expect_err("it does not end by itself");
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

#[test]
fn a_program_that_waits_ends_at_its_deadline() {
    ends_at_its_deadline(&program("(call $wait)", "(call $wait)"));
}

#[test]
fn a_program_whose_thread_loops_before_it_begins_ends_at_its_deadline() {
    // The start function runs once for each thread; the second one does not end.
    let text = r#"(module
        (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
        (import "env" "memory" (memory 1 1 shared))
        (export "memory" (memory 0))
        (start $start)
        (func $start
            (if (i32.atomic.rmw.add (i32.const 4) (i32.const 1)) (then (loop $on (br $on)))))
        (func (export "wasi_thread_start") (param i32 i32))
        (func (export "_start")
            (drop (call $spawn (i32.const 0)))
            (loop $on (br $on))))"#;
    ends_at_its_deadline(&wat::parse_str(text).expect("the text parses"));
}

/// A program that catches all it can, and goes on: in a loop of its own, in a wait for the host, and out of its call stack.
fn catching(body: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (tag $thrown)
            (func $deep (call $deep))
            (func $throw (throw $thrown))
            (func (export "_start")
                (block $caught (try_table (catch_all $caught) (call $throw)))
                (i32.store (i32.const 0) (i32.const 1))
                (loop $again
                    (block $caught (try_table (catch_all $caught) {body}))
                    (br $again))))"#
    );
    wat::parse_str(text).expect("the text parses")
}

/// A deadline and a trap are no exceptions: nothing in a program catches them.
#[test]
fn a_program_that_catches_all_ends_at_its_deadline() {
    // Subscriptions of a clock: 10 minutes, from now.
    let wait = r#"(i32.store8 (i32.const 16) (i32.const 0)) (i32.store (i32.const 24) (i32.const 1))
        (i64.store (i32.const 32) (i64.const 600000000000))
        (drop (call $poll (i32.const 8) (i32.const 256) (i32.const 1) (i32.const 512)))"#;
    for engine in engines() {
        for (body, expected) in [
            ("(loop $on (br $on))", CoreTrap::Interrupted),
            (wait, CoreTrap::Interrupted),
            ("(call $deep)", CoreTrap::StackOverflow),
            ("unreachable", CoreTrap::Unreachable),
        ] {
            let start = Instant::now();
            let deadline = start.checked_add(Duration::from_secs(1));
            let ended = run(&engine, &catching(body), Preview1::new().deadline(deadline));
            let error = ended.expect_err("it does not end itself");
            let text = error.to_string();
            if engine.backend() == Backend::Singlepass {
                assert!(text.contains("exceptions"), "{text}");
                continue;
            }
            let kind = error.trap().unwrap_or_else(|| panic!("{error}")).kind();
            assert_eq!(*kind, TrapKind::Core(expected), "{}: {body}", engine.backend());
            assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
        }
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

/// A program whose start function, `_initialize` and `_start` are `start`, `initialize` and `main`.
fn parts(memory: &str, start: &str, initialize: &str, main: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            {memory}
            (export "memory" (memory 0))
            (start $start)
            (func $wait (drop (memory.atomic.wait32 (i32.const 8) (i32.const 0) (i64.const -1))))
            (func $sleep
                (i32.store8 (i32.const 16) (i32.const 0)) (i32.store (i32.const 24) (i32.const 1))
                (i64.store (i32.const 32) (i64.const 600000000000))
                (drop (call $poll (i32.const 8) (i32.const 256) (i32.const 1) (i32.const 512))))
            (func $loop (loop $on (br $on)))
            (func $start {start})
            (func (export "_initialize") {initialize})
            (func (export "_start") {main}))"#
    );
    wat::parse_str(text).expect("the text parses")
}

const OWN: &str = "(memory 1 1 shared)";
const IMPORTED: &str = r#"(import "env" "memory" (memory 1 1 shared))"#;

#[test]
fn a_program_that_waits_before_it_starts_ends_at_its_deadline() {
    for memory in [OWN, IMPORTED] {
        for wait in ["(call $wait)", "(call $loop)"] {
            ends_at_its_deadline(&parts(memory, wait, "", ""));
            ends_at_its_deadline(&parts(memory, "", wait, ""));
            ends_at_its_deadline(&parts(memory, "", "", wait));
        }
        ends_at_its_deadline(&parts(memory, "", "(call $sleep)", ""));
    }
}

#[test]
fn what_ends_a_program_in_initialize_is_its_end() {
    for engine in engines() {
        let run = |initialize: &str| {
            run(
                &engine,
                &parts("(memory 1)", "", initialize, "(call $exit (i32.const 9))"),
                Preview1::new(),
            )
        };
        assert_eq!(run("").expect("it exits").status, 9);
        assert_eq!(run("(call $exit (i32.const 7))").expect("it exits").status, 7);
        let trap = run("unreachable").expect_err("it traps");
        let kind = trap.trap().unwrap_or_else(|| panic!("{trap}")).kind();
        assert_eq!(
            *kind,
            TrapKind::Core(CoreTrap::Unreachable),
            "{}",
            engine.backend()
        );
    }
}

/// Runs a program in a function of the host that a component calls.
#[test]
fn a_program_that_is_run_for_a_component_ends_at_its_deadline() {
    let text = r#"(component
        (import "run" (func $run))
        (core func $run (canon lower (func $run)))
        (core module $m (import "" "run" (func $run)) (func (export "go") (call $run)))
        (core instance $i (instantiate $m (with "" (instance (export "run" (func $run))))))
        (func (export "go") (canon lift (core func $i "go"))))"#;
    for engine in engines() {
        let component =
            Component::from_binary(&engine, &wat::parse_str(text).expect("the text parses")).unwrap();
        let mut linker = Linker::new(&engine);
        let (with, start) = (engine.clone(), Instant::now());
        linker
            .root()
            .func_wrap("run", move |_: StoreContextMut<'_, ()>, (): ()| {
                let deadline = Instant::now().checked_add(Duration::from_secs(1));
                let looping = parts(OWN, "(call $loop)", "", "");
                let error = run(&with, &looping, Preview1::new().deadline(deadline)).expect_err("it loops");
                let kind = error.trap().unwrap_or_else(|| panic!("{error}")).kind();
                assert_eq!(*kind, TrapKind::Core(CoreTrap::Interrupted));
                Ok(())
            })
            .unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let go = instance.get_typed_func::<(), ()>(&mut store, "go").unwrap();
        go.call(&mut store, ()).unwrap();
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    }
}

/// The library's linker calls `_initialize` of such a module.
#[test]
fn a_program_that_is_linked_dynamically_is_initialized_once() {
    let text = r#"(module
        (@dylink.0 (mem-info (memory 16 4)))
        (import "env" "memory" (memory 1))
        (import "env" "__indirect_function_table" (table 1 funcref))
        (import "env" "__stack_pointer" (global $stack (mut i32)))
        (import "env" "__memory_base" (global $base i32))
        (import "env" "__table_base" (global $table i32))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (func (export "_initialize")
            (i32.store (global.get $base) (i32.add (i32.load (global.get $base)) (i32.const 1))))
        (func (export "_start") (call $exit (i32.load (global.get $base)))))"#;
    for engine in engines() {
        let ended = run(
            &engine,
            &wat::parse_str(text).expect("the text parses"),
            Preview1::new(),
        );
        assert_eq!(ended.expect("it exits").status, 1, "{}", engine.backend());
    }
}
