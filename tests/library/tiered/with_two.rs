//! Tiered start in a build with two compilers.

#[path = "components.rs"]
mod components;
#[path = "runtime.rs"]
mod runtime;

use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use airssys_wasm::artifact::{CacheConfig, ComponentCache, MemoryLimits};
use airssys_wasm::component::{Component, Linker, Module, Store, Val};
use airssys_wasm::engine::{Backend, Config, Engine, Progress};
use airssys_wasm::tiered::{self, TieredComponent};

/// Time limit of operations that normally take milliseconds, on a loaded machine.
const LONG: Duration = Duration::from_secs(300);

fn engine() -> Engine {
    Engine::new(Config::new().backend(Backend::Tiered)).expect("there are two compilers")
}

/// Returns a component that adds up the numbers below a number, `number` times over, in one of many functions.
fn adder(number: u32) -> Vec<u8> {
    let more: String = (0..60)
        .map(|index| format!("(func (param i32) (result i32) (i32.mul (local.get 0) (i32.const {index})))"))
        .collect();
    let text = format!(
        r#"(component
            (core module $m
                {more}
                (func (export "run") (param $n i32) (result i64) (local $sum i64)
                    (loop $again
                        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
                        (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (local.get $n))))
                        (br_if $again (local.get $n)))
                    (i64.mul (local.get $sum) (i64.const {number}))))
            (core instance $i (instantiate $m))
            (func (export "run") (param "n" u32) (result u64) (canon lift (core func $i "run"))))"#
    );
    wat::parse_str(text).expect("the text parses")
}

/// An instance, and its function.
struct Adding {
    store: Store<()>,
    run: airssys_wasm::component::Func,
}

impl Adding {
    fn of(component: &Component) -> Adding {
        let engine = engine();
        let mut store = Store::new(&engine, ());
        let linker: Linker<()> = Linker::new(&engine);
        let instance = linker.instantiate(&mut store, component).expect("it links");
        let run = instance.get_func(&mut store, ["run"]).expect("it is exported");
        Adding { store, run }
    }

    fn sum(&mut self, below: u32) -> Option<Val> {
        let answer = self.run.call_dynamic(&mut self.store, &[Val::U32(below)]);
        answer.expect("it runs")
    }
}

/// Returns a cache that contains the components' starts, so that the engine's progress callback only sees the background.
fn with_starts(engine: &Engine, components: &[Vec<u8>]) -> ComponentCache {
    let cache = ComponentCache::new(MemoryLimits::default(), None);
    let start = engine.starts().first().expect("it has some");
    let start = Engine::new(Config::new().backend(start.backend())).expect("it is available");
    for component in components {
        cache.get(&start, component).expect("it compiles");
    }
    cache
}

/// A compilation in the background that is blocked until the gate is opened.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<Gated>, Condvar)>);

#[derive(Default)]
struct Gated {
    looks: u64,
    open: bool,
}

impl Gate {
    fn look(&self, _: Progress) -> ControlFlow<()> {
        let (gated, changed) = &*self.0;
        let mut gated = gated.lock().expect("no panic");
        gated.looks += 1;
        changed.notify_all();
        let (gated, waited) = changed
            .wait_timeout_while(gated, LONG, |gated| !gated.open)
            .expect("no panic");
        assert!(gated.open || !waited.timed_out(), "it is never let go");
        ControlFlow::Continue(())
    }

    /// Waits until the compilation has reached the gate.
    fn reached(&self) {
        let (gated, changed) = &*self.0;
        let gated = gated.lock().expect("no panic");
        let (gated, _) = changed
            .wait_timeout_while(gated, LONG, |gated| gated.looks == 0)
            .expect("no panic");
        assert!(gated.looks > 0, "it is never begun");
    }

    fn looks(&self) -> u64 {
        self.0.0.lock().expect("no panic").looks
    }

    fn open(&self) {
        self.0.0.lock().expect("no panic").open = true;
        self.0.1.notify_all();
    }
}

/// Keeps the background thread busy until the gate is opened.
fn hold(number: u32) -> (Gate, TieredComponent, ComponentCache) {
    let gate = Gate::default();
    let (bytes, seen) = (adder(number), gate.clone());
    let cache = with_starts(&engine(), std::slice::from_ref(&bytes));
    let watched = engine().watched(move |progress| seen.look(progress));
    let component = TieredComponent::with_cache(&watched, &bytes, &cache).expect("it compiles");
    gate.reached();
    (gate, component, cache)
}
