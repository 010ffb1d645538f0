//! Limits on the CPU time of calls.

use std::time::{Duration, Instant};

use airssys_wasm::Error;
use airssys_wasm::component::{Component, Instance, Linker, Store};
use airssys_wasm::engine::Engine;
use airssys_wasm::error::TrapKind;

use crate::traps::common::{component, engines};
use crate::traps::kind;

const LIMIT: Duration = Duration::from_millis(30);

/// A component that computes forever in `run` and in the destructor that `drop` calls, and sleeps in the host in `sleep`.
fn guest(engine: &Engine) -> Component {
    let text = r#"(component
        (import "nap" (func $nap))
        (core func $nap (canon lower (func $nap)))
        (core module $m
            (func (export "run") (loop $again (br $again)))
            (func (export "end") (param i32) (loop $again (br $again))))
        (core instance $i (instantiate $m))
        (type $r (resource (rep i32) (dtor (core func $i "end"))))
        (core func $new (canon resource.new $r))
        (core func $drop (canon resource.drop $r))
        (core module $d
            (import "" "nap" (func $nap))
            (import "" "new" (func $new (param i32) (result i32)))
            (import "" "drop" (func $drop (param i32)))
            (func (export "drop") (call $drop (call $new (i32.const 1))))
            (func (export "sleep") (call $nap)))
        (core instance $j (instantiate $d (with "" (instance
            (export "nap" (func $nap)) (export "new" (func $new)) (export "drop" (func $drop))))))
        (func (export "run") (canon lift (core func $i "run")))
        (func (export "drop") (canon lift (core func $j "drop")))
        (func (export "sleep") (canon lift (core func $j "sleep"))))"#;
    component(engine, text)
}

fn instance(engine: &Engine, component: &Component, nap: fn()) -> (Store<()>, Instance) {
    let mut linker: Linker<()> = Linker::new(engine);
    linker
        .root()
        .func_wrap("nap", move |_, (): ()| {
            nap();
            Ok(())
        })
        .unwrap();
    let mut store = Store::new(engine, ());
    let instance = linker.instantiate(&mut store, component).unwrap();
    (store, instance)
}

fn sleep() {
    std::thread::sleep(LIMIT * 5);
}

/// Computes for ten times the limit, however busy the machine is.
fn compute() {
    let used = || {
        // The fields after the name in parentheses; those at 11 and 12 are in hundredths of a second.
        let text = std::fs::read_to_string("/proc/thread-self/stat").expect("Linux");
        let (_, fields) = text.rsplit_once(") ").expect("a name");
        let times = fields.split_whitespace().skip(11).take(2);
        let ticks: u64 = times.map(|ticks| ticks.parse::<u64>().expect("a number")).sum();
        Duration::from_millis(10 * ticks)
    };
    let start = used();
    while used() - start < LIMIT * 10 {
        (0..100_000).for_each(|_| std::hint::spin_loop());
    }
}

/// Calls a function of the guest under the limit.
fn call((store, instance): &mut (Store<()>, Instance), name: &str) -> Result<(), Error> {
    let func = instance.get_func(&mut *store, [name]).unwrap();
    store
        .with_cpu_limit(LIMIT, |store| func.call_dynamic(store, &[]))
        .map(drop)
}

fn check(error: &Error, backend: &dyn std::fmt::Display) {
    let TrapKind::CpuTime { limit, used } = kind(error) else {
        panic!("{backend}: {error}");
    };
    assert_eq!(limit, LIMIT, "{backend}");
    assert!(used >= LIMIT && used < LIMIT + Duration::from_secs(5), "{used:?}");
    assert!(error.to_string().contains("its limit of 30ms"), "{error}");
}

#[test]
fn a_guest_that_computes_on_is_stopped_at_its_cpu_limit() {
    for engine in engines() {
        let component = guest(&engine);
        for name in ["run", "drop"] {
            let mut computing = instance(&engine, &component, || ());
            let start = Instant::now();
            let error = call(&mut computing, name).unwrap_err();
            check(&error, &engine.backend());
            assert!(start.elapsed() >= LIMIT, "{:?}", start.elapsed());
            assert!(computing.1.is_poisoned());
        }
    }
}

#[test]
fn time_asleep_in_the_host_is_not_charged_and_time_computing_there_is() {
    for engine in engines() {
        let component = guest(&engine);
        let mut sleeping = instance(&engine, &component, sleep);
        for _ in 0..2 {
            call(&mut sleeping, "sleep").unwrap();
        }
        let mut computing = instance(&engine, &component, compute);
        check(&call(&mut computing, "sleep").unwrap_err(), &engine.backend());
    }
}

#[test]
fn a_limit_that_is_not_reached_leaves_nothing_behind() {
    for engine in engines() {
        let component = guest(&engine);
        let mut quick = instance(&engine, &component, || ());
        for _ in 0..100 {
            call(&mut quick, "sleep").unwrap();
        }
        let sleep = quick.1.get_func(&mut quick.0, ["sleep"]).unwrap();
        let endless = quick
            .0
            .with_cpu_limit(Duration::MAX, |store| sleep.call_dynamic(store, &[]));
        endless.unwrap();
        // The time before does not count.
        compute();
        call(&mut quick, "sleep").unwrap();
        // Without a limit, an interruption is one as before.
        let handle = quick.0.interrupt_handle();
        let run = quick.1.get_func(&mut quick.0, ["run"]).unwrap();
        let ended = std::sync::atomic::AtomicBool::new(false);
        let error = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !ended.load(std::sync::atomic::Ordering::Relaxed) {
                    handle.interrupt();
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
            let minute = Duration::from_secs(60);
            let called = quick
                .0
                .with_cpu_limit(minute, |store| run.call_dynamic(store, &[]));
            ended.store(true, std::sync::atomic::Ordering::Relaxed);
            called.unwrap_err()
        });
        assert!(matches!(kind(&error), TrapKind::Core(_)), "{error}");
    }
}
