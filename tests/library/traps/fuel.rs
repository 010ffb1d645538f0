//! Fuel: guests that count their operators, the same on each backend.

use airssys_wasm::Error;
use airssys_wasm::artifact::{self, Artifact, SecretKey, Trust};
use airssys_wasm::component::{Component, Instance, InstancePool, Linker, Store, Val};
use airssys_wasm::engine::{Backend, Config, Engine, StoreLimits};
use airssys_wasm::error::TrapKind;

use crate::traps::common::{component, fixture};
use crate::traps::kind;

fn engines() -> Vec<Engine> {
    let metered = |backend: &Backend| {
        let mut config = Config::new();
        config.backend(*backend).consume_fuel(true);
        Engine::new(&config).unwrap()
    };
    Backend::available().iter().map(metered).collect()
}

/// A component of two instances of one module, each with loops, bulk operations and calls between them.
const WORK: &str = r#"(component
    (core module $m
        (memory 1) (table 100 funcref) (func $f) (elem $e func $f)
        (global $calls (mut i32) (i32.const 0))
        (func (export "loop") (param $n i32)
            (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (loop $again
                (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
        (func (export "forever") (loop $again (br $again)))
        (func (export "recurse") (param i32)
            (if (local.get 0) (then (call $r (i32.sub (local.get 0) (i32.const 1))))))
        (func $r (param i32) (if (local.get 0) (then (call $r (i32.sub (local.get 0) (i32.const 1))))))
        (func (export "fill") (param i32) (memory.fill (i32.const 0) (i32.const 1) (local.get 0)))
        (func (export "copy") (param i32) (memory.copy (i32.const 0) (i32.const 1) (local.get 0)))
        (func (export "table") (param i32)
            (table.fill 0 (i32.const 0) (ref.func $f) (local.get 0))
            (table.copy (i32.const 0) (i32.const 0) (local.get 0)))
        (func (export "float") (param i32) (local f64)
            (loop $again
                (local.set 1 (f64.sqrt (f64.add (local.get 1) (f64.convert_i32_s (local.get 0)))))
                (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
        (func (export "unreachable") unreachable))
    (core instance $i (instantiate $m))
    (core instance $j (instantiate $m))
    (func (export "loop") (param "n" u32) (canon lift (core func $i "loop")))
    (func (export "other") (param "n" u32) (canon lift (core func $j "loop")))
    (func (export "recurse") (param "n" u32) (canon lift (core func $i "recurse")))
    (func (export "fill") (param "n" u32) (canon lift (core func $i "fill")))
    (func (export "copy") (param "n" u32) (canon lift (core func $i "copy")))
    (func (export "table") (param "n" u32) (canon lift (core func $i "table")))
    (func (export "float") (param "n" u32) (canon lift (core func $i "float")))
    (func (export "forever") (canon lift (core func $i "forever")))
    (func (export "unreachable") (canon lift (core func $i "unreachable"))))"#;

fn instance(engine: &Engine, component: &Component) -> (Store<()>, Instance) {
    let mut store = Store::new(engine, ());
    let instance = Linker::new(engine).instantiate(&mut store, component).unwrap();
    (store, instance)
}

fn call((store, instance): &mut (Store<()>, Instance), name: &str, n: Option<u32>) -> Result<(), Error> {
    let func = instance.get_func(&mut *store, [name]).unwrap();
    let args: Vec<Val> = n.into_iter().map(Val::U32).collect();
    func.call_dynamic(store, &args).map(drop)
}

/// Returns the fuel that a call consumes.
fn cost(guest: &mut (Store<()>, Instance), name: &str, n: u32) -> u64 {
    const GIVEN: u64 = 1 << 40;
    guest.0.set_fuel(GIVEN).unwrap();
    call(guest, name, Some(n)).unwrap();
    GIVEN - guest.0.get_fuel().unwrap()
}

#[test]
fn each_backend_counts_the_same() {
    let counts = engines().into_iter().map(|engine| {
        let mut guest = instance(&engine, &component(&engine, WORK));
        let calls = ["loop", "other", "recurse", "fill", "copy", "table", "float"];
        let counts = calls.map(|name| [1, 7, 64, 100].map(|n| cost(&mut guest, name, n)));
        (engine.backend(), counts)
    });
    let counts: Vec<_> = counts.collect();
    for (backend, found) in &counts {
        let [looped, other, recurse, fill, copy, table, float] = found;
        // Four operators before the loop and one for it, five each time, and the two ends.
        assert_eq!(looped, &[1u64, 7, 64, 100].map(|n| 5 + 5 * n + 2), "{backend}");
        assert_eq!(looped, other);
        assert!(recurse.is_sorted() && float.is_sorted(), "{backend}");
        // A unit for each 64 bytes, and for each element.
        assert_eq!((fill[2] - fill[1], fill[3] - fill[2]), (1, 0), "{backend}");
        assert_eq!(copy, fill);
        assert_eq!(table[3] - table[0], 2 * 99, "{backend}");
        assert_eq!(*found, counts[0].1, "{backend} and {}", counts[0].0);
    }
}

#[test]
fn a_real_guest_consumes_the_same_on_each_backend() {
    let counts: Vec<_> = engines()
        .into_iter()
        .map(|engine| {
            use crate::traps::common::{Host, call, types_linker};
            let component = Component::from_binary(&engine, &fixture("types.wasm")).unwrap();
            let mut store = Store::new(&engine, Host::default());
            let instance = types_linker(&engine).instantiate(&mut store, &component).unwrap();
            store.set_fuel(1 << 40).unwrap();
            call(&mut store, &instance, "echoes", "nothing", &[]).unwrap();
            let recursed = call(&mut store, &instance, "failing", "trap", &[]).unwrap_err();
            assert!(matches!(kind(&recursed), TrapKind::Core(_)), "{recursed}");
            store.get_fuel().unwrap()
        })
        .collect();
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
}

#[test]
fn a_guest_ends_when_all_fuel_of_its_store_is_consumed() {
    for engine in engines() {
        let component = component(&engine, WORK);
        let mut guest = instance(&engine, &component);
        guest.0.set_fuel(100_000).unwrap();
        let error = call(&mut guest, "forever", None).unwrap_err();
        assert_eq!(
            kind(&error),
            TrapKind::OutOfFuel { given: 100_000 },
            "{}",
            engine.backend()
        );
        assert!(
            error.to_string().contains("all fuel consumed: 100000 units"),
            "{error}"
        );
        assert!(guest.1.is_poisoned());
        assert_eq!(guest.0.get_fuel().unwrap(), 0);
        // Another instance of the store has none either, until it gets some.
        let other = Linker::new(&engine)
            .instantiate(&mut guest.0, &component)
            .unwrap();
        guest.1 = other;
        guest.0.set_fuel(0).unwrap();
        let error = call(&mut guest, "loop", Some(1)).unwrap_err();
        assert_eq!(kind(&error), TrapKind::OutOfFuel { given: 0 });
        let mut guest = instance(&engine, &component);
        // A guest's own trap is not taken for it.
        let error = call(&mut guest, "unreachable", None).unwrap_err();
        assert!(matches!(kind(&error), TrapKind::Core(_)), "{error}");
        // Operations on ranges are refused before they run.
        let mut guest = instance(&engine, &component);
        guest.0.set_fuel(100).unwrap();
        let error = call(&mut guest, "fill", Some(u32::MAX)).unwrap_err();
        assert_eq!(kind(&error), TrapKind::OutOfFuel { given: 100 });
    }
}

#[test]
fn exactly_enough_fuel_is_enough() {
    for engine in engines() {
        let component = component(&engine, WORK);
        let mut guest = instance(&engine, &component);
        let needed = cost(&mut guest, "loop", 10);
        guest.0.set_fuel(needed).unwrap();
        call(&mut guest, "loop", Some(10)).unwrap();
        assert_eq!(guest.0.get_fuel().unwrap(), 0);
        guest.0.set_fuel(needed - 1).unwrap();
        let error = call(&mut guest, "loop", Some(10)).unwrap_err();
        assert_eq!(kind(&error), TrapKind::OutOfFuel { given: needed - 1 });
    }
}

#[test]
fn a_limit_on_fuel_needs_code_that_consumes_it() {
    for engine in engines() {
        let mut config = Config::new();
        config.backend(engine.backend());
        let plain = Engine::new(&config).unwrap();
        assert_ne!(plain.description(), engine.description());
        let unmetered = component(&plain, WORK);
        let mut limits = StoreLimits::default();
        limits.fuel = Some(1000);
        let mut store = Store::with_limits(&engine, (), limits.clone());
        let error = Linker::new(&engine)
            .instantiate(&mut store, &unmetered)
            .unwrap_err();
        assert!(matches!(error, Error::FuelNotConsumed), "{error}");
        let mut running = instance(&plain, &unmetered);
        assert!(running.0.set_fuel(1).is_err());
        assert!(running.0.get_fuel().is_err());
        // Start functions consume the store's fuel, too.
        let endless = component(
            &engine,
            "(component (core module $m (func $f (loop br 0)) (start $f)) (core instance (instantiate $m)))",
        );
        let mut store = Store::with_limits(&engine, (), limits);
        let error = Linker::new(&engine)
            .instantiate(&mut store, &endless)
            .unwrap_err();
        assert_eq!(
            kind(&error),
            TrapKind::OutOfFuel { given: 1000 },
            "{}",
            engine.backend()
        );
    }
}

#[test]
fn a_pooled_instance_begins_again_with_the_stores_first_fuel() {
    for engine in engines() {
        let pre = Linker::new(&engine)
            .instantiate_pre(&component(
                &engine,
                r#"(component (core module $m (memory 1) (func (export "run") (memory.fill (i32.const 0) (i32.const 1) (i32.const 640))))
                    (core instance $i (instantiate $m)) (func (export "run") (canon lift (core func $i "run"))))"#,
            ))
            .unwrap();
        let mut limits = StoreLimits::default();
        limits.fuel = Some(1000);
        let pool = InstancePool::new(&engine, pre, limits, 1);
        for round in 0..3 {
            let mut pooled = pool.get(()).unwrap();
            let (store, instance) = pooled.parts();
            assert_eq!(store.get_fuel().unwrap(), 1000, "{}: {round}", engine.backend());
            let run = instance.get_func(&mut *store, ["run"]).unwrap();
            run.call_dynamic(&mut *store, &[]).unwrap();
            assert_eq!(store.get_fuel().unwrap(), 1000 - 15);
            store.set_fuel(5).unwrap();
        }
    }
}

#[test]
fn artifacts_keep_the_counting() {
    for engine in engines() {
        let bytes = wat::parse_str(WORK).unwrap();
        let mut compiled = instance(&engine, &Component::from_binary(&engine, &bytes).unwrap());
        let key = SecretKey::generate().unwrap();
        let artifact = artifact::compile(&engine, &bytes, Some(&key)).unwrap();
        let loaded = Artifact::open(&artifact)
            .unwrap()
            .load(&Trust::new([key.public()]));
        let mut loaded = instance(&engine, &loaded.unwrap());
        assert_eq!(cost(&mut loaded, "float", 50), cost(&mut compiled, "float", 50));
        loaded.0.set_fuel(10).unwrap();
        let error = call(&mut loaded, "forever", None).unwrap_err();
        assert_eq!(kind(&error), TrapKind::OutOfFuel { given: 10 });
    }
}
