//! Guests that are stopped from another thread, wherever their thread is then.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use airssys_wasm::Error;
use airssys_wasm::component::{Component, Linker, Store};
use airssys_wasm::engine::{Engine, StoreLimits};
use airssys_wasm::error::{CoreTrap, TrapKind};

use crate::traps::common::{call, component, engines, types_instance};
use crate::traps::kind;

/// A component whose `run` does `body` for good, and can call the host's `tick`.
fn forever(engine: &Engine, body: &str) -> Component {
    let text = format!(
        r#"(component
            (import "tick" (func $tick))
            (core func $lowered (canon lower (func $tick)))
            (core module $m
                (import "" "tick" (func $tick))
                (memory 768)
                (table funcref (elem $nothing $one))
                (func $nothing)
                (func $one (result i32) (i32.const 1))
                (func (export "run") (loop $again {body} (br $again))))
            (core instance $i (instantiate $m (with "" (instance (export "tick" (func $lowered))))))
            (func (export "run") (canon lift (core func $i "run"))))"#
    );
    component(engine, &text)
}

/// Runs it until it is stopped, which is asked for each `pause`.
fn stopped(engine: &Engine, component: &Component, pause: Duration) -> Error {
    let mut linker: Linker<()> = Linker::new(engine);
    linker.root().func_wrap("tick", |_, (): ()| Ok(())).unwrap();
    let mut store = Store::with_limits(engine, (), StoreLimits::default());
    let instance = linker.instantiate(&mut store, component).unwrap();
    let run = instance.get_func(&mut store, ["run"]).unwrap();
    let handle = store.interrupt_handle();
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                handle.interrupt();
                std::thread::sleep(pause);
            }
        });
        let error = run.call_dynamic(&mut store, &[]).unwrap_err();
        ended.store(true, Ordering::Relaxed);
        assert!(instance.is_poisoned());
        error
    })
}

const INTERRUPTED: TrapKind = TrapKind::Core(CoreTrap::Interrupted);

#[test]
fn a_guest_that_computes_on_is_stopped() {
    for engine in engines() {
        let (mut store, instance) = types_instance(&engine);
        let handle = store.interrupt_handle();
        // With no guest running it does nothing.
        handle.interrupt();
        call(&mut store, &instance, "echoes", "nothing", &[]).unwrap();
        let ended = AtomicBool::new(false);
        let error = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    handle.interrupt();
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
            let error = call(&mut store, &instance, "failing", "loop-forever", &[]).unwrap_err();
            ended.store(true, Ordering::Relaxed);
            error
        });
        assert_eq!(kind(&error), INTERRUPTED, "{}", engine.backend());
        assert!(instance.is_poisoned());
    }
}

/// A guest was stopped while its thread, back from a host function, waited for the lock that the request to stop held. What waited
/// was abandoned as it was: the thread died as it ended, or hung with the allocator locked.
#[test]
fn a_guest_that_is_stopped_as_it_leaves_the_host_leaves_the_host_whole() {
    const THREADS: usize = 300;
    for engine in engines() {
        let component = forever(&engine, "(call $tick)");
        for _ in 0..THREADS {
            // What is half made shows when its thread ends, and each thread makes it once.
            let ended = std::thread::scope(|scope| {
                let thread = scope.spawn(|| stopped(&engine, &component, Duration::from_micros(20)));
                thread.join().expect("it does not panic")
            });
            assert_eq!(kind(&ended), INTERRUPTED, "{}", engine.backend());
        }
        let (mut store, instance) = types_instance(&engine);
        call(&mut store, &instance, "echoes", "nothing", &[]).unwrap();
    }
}

/// An instruction that can trap has its trap registered by its address, and the engine names every end there by it.
#[test]
fn a_guest_that_is_stopped_at_an_instruction_that_can_trap_is_interrupted() {
    const TIMES: usize = 50;
    for engine in engines() {
        for body in [
            "(drop (i64.div_u (i64.load (i32.const 8)) (i64.const 7)))",
            "(i32.store (i32.const 16) (i32.const 3)) (drop (i32.rem_s (i32.load (i32.const 8)) (i32.load (i32.const 16))))",
            "(i64.store (i32.const 0x2ffff00) (i64.load (i32.const 0x1234)))",
            "(drop (i32.trunc_f64_u (f64.load (i32.const 64))))",
            "(call $nothing)",
            "(call_indirect (i32.const 0))",
            "(drop (call_indirect (result i32) (i32.const 1)))",
        ] {
            let component = forever(&engine, body);
            for _ in 0..TIMES {
                let error = stopped(&engine, &component, Duration::from_micros(200));
                assert_eq!(kind(&error), INTERRUPTED, "{}: {body}", engine.backend());
            }
        }
    }
}

/// Between two operations on all of its memory, a guest is hardly ever found in its own code.
#[test]
fn operations_on_all_of_memory_are_stopped() {
    for engine in engines() {
        for body in [
            "(memory.fill (i32.const 0) (i32.const 7) (i32.const 0x3000000))",
            "(memory.copy (i32.const 0) (i32.const 0x1800000) (i32.const 0x1800000))",
            "(drop (memory.grow (i32.const 0)))",
        ] {
            let component = forever(&engine, body);
            let start = Instant::now();
            let error = stopped(&engine, &component, Duration::from_millis(5));
            assert_eq!(kind(&error), INTERRUPTED, "{}: {body}", engine.backend());
            assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
        }
    }
}
