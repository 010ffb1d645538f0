//! Modules of stubs are removed where that has no visible effect, and kept otherwise.

use airssys_wasm::component::{Component, Instance, Linker, Store};
use airssys_wasm::engine::{Backend, Config, Engine};
use airssys_wasm::error::{CoreTrap, TrapKind};

const STUBS: &str = r#"(core module $stubs
    (type $t (func (param i32)))
    (table (export "table") 1 1 funcref)
    (func (export "0") (type $t) (call_indirect (type $t) (local.get 0) (i32.const 0))))"#;
const MAIN: &str = r#"(core module $main
    (import "" "log" (func $log (param i32)))
    (func (export "run") (param i32) (call $log (local.get 0))))"#;
const FILLER: &str = r#"(core module $filler
    (import "" "0" (func (param i32)))
    (import "" "table" (table 1 1 funcref))
    (elem (i32.const 0) func 0))"#;
const MORE: &str = "";

/// Returns a component whose main module calls the host through a stub. `more` are further arguments of the main module.
fn component(stubs: &str, main: &str, filler: &str, more: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (import "log" (func $log (param "n" u32)))
            {stubs} {main} {filler}
            (core instance $s (instantiate $stubs))
            (core instance $m (instantiate $main (with "" (instance (export "log" (func $s "0")) {more}))))
            (core func $lowered (canon lower (func $log)))
            (core instance (instantiate $filler
                (with "" (instance (export "0" (func $lowered)) (export "table" (table $s "table"))))))
            (func (export "run") (param "n" u32) (canon lift (core func $m "run"))))"#
    );
    wat::parse_str(text).expect("the text parses")
}

struct Guest {
    store: Store<Vec<u32>>,
    component: Component,
    instance: Result<Instance, airssys_wasm::Error>,
}

fn guests(bytes: &[u8]) -> Vec<Guest> {
    let one = |backend: &Backend| {
        let engine = Engine::new(Config::new().backend(*backend)).expect("it is available");
        let component = Component::from_binary(&engine, bytes).expect("it compiles");
        let mut linker: Linker<Vec<u32>> = Linker::new(&engine);
        let log = linker.root().func_wrap("log", |mut cx, (n,): (u32,)| {
            cx.data_mut().push(n);
            Ok(())
        });
        log.expect("defined once");
        let mut store = Store::new(&engine, Vec::new());
        let instance = linker.instantiate(&mut store, &component);
        Guest {
            store,
            component,
            instance,
        }
    };
    Backend::available().iter().map(one).collect()
}

/// Calls `run(7)` on every backend; checks the host's log, and the number of core modules.
fn told(bytes: &[u8], modules: usize, expected: &[u32]) {
    for mut guest in guests(bytes) {
        assert_eq!(guest.component.core_modules(), modules);
        let instance = guest.instance.expect("it is instantiated");
        let run = instance.get_typed_func::<(u32,), ()>(&mut guest.store, ["run"]);
        let run = run.expect("it is exported");
        run.call(&mut guest.store, (7,)).expect("it runs");
        assert_eq!(guest.store.data(), expected);
    }
}

#[test]
fn stubs_and_what_fills_their_table_are_left_out() {
    told(&component(STUBS, MAIN, FILLER, MORE), 1, &[7]);
}

#[test]
fn a_stub_that_does_more_stays() {
    let stubs = STUBS.replace(
        "(local.get 0) (i32.const 0)",
        "(i32.add (local.get 0) (i32.const 1)) (i32.const 0)",
    );
    assert_ne!(stubs, STUBS);
    told(&component(&stubs, MAIN, FILLER, MORE), 3, &[8]);
}

#[test]
fn a_stub_that_calls_another_place_traps_as_it_did() {
    let stubs = STUBS
        .replace("1 1 funcref", "2 2 funcref")
        .replace("(i32.const 0)))", "(i32.const 1)))");
    let filler = FILLER.replace("1 1 funcref", "2 2 funcref");
    for mut guest in guests(&component(&stubs, MAIN, &filler, MORE)) {
        let instance = guest.instance.expect("it is instantiated");
        let run = instance.get_typed_func::<(u32,), ()>(&mut guest.store, ["run"]);
        let error = run
            .expect("it is exported")
            .call(&mut guest.store, (7,))
            .expect_err("an empty place");
        let trap = error.trap().expect("a trap");
        assert!(
            matches!(trap.kind(), TrapKind::Core(CoreTrap::IndirectCallToNull)),
            "{error}"
        );
    }
}

#[test]
fn a_start_function_that_calls_a_stub_too_early_traps_as_it_did() {
    let main = MAIN.replace(
        "(func (export",
        "(func $early (call $log (i32.const 1))) (start $early) (func (export",
    );
    for guest in guests(&component(STUBS, &main, FILLER, MORE)) {
        let error = guest.instance.expect_err("the table is empty");
        let trap = error.trap().expect("a trap");
        assert!(
            matches!(trap.kind(), TrapKind::Core(CoreTrap::IndirectCallToNull)),
            "{error}"
        );
        assert!(guest.store.data().is_empty());
    }
}

#[test]
fn a_filler_that_does_more_stays() {
    let filler = FILLER.replace("(elem", "(func $call (call 0 (i32.const 3))) (start $call) (elem");
    told(&component(STUBS, MAIN, &filler, MORE), 3, &[3, 7]);
}

#[test]
fn a_table_that_others_use_stays() {
    let main = r#"(core module $main
        (type $t (func (param i32)))
        (import "" "log" (func $log (param i32)))
        (import "" "table" (table 1 1 funcref))
        (func (export "run") (param i32) (call_indirect (type $t) (local.get 0) (i32.const 0))))"#;
    let more = r#"(export "table" (table $s "table"))"#;
    told(&component(STUBS, main, FILLER, more), 3, &[7]);
}

/// As encoders generate for a module in between: its functions exist only after the main module does.
#[test]
fn stubs_of_other_modules_functions_stay_beside_those_of_the_host() {
    let text = r#"(component
        (import "log" (func $log (param "n" u32)))
        (core module $stubs
            (type $t (func (param i32)))
            (table (export "table") 2 2 funcref)
            (func (export "0") (type $t) (call_indirect (type $t) (local.get 0) (i32.const 0)))
            (func (export "1") (type $t) (call_indirect (type $t) (local.get 0) (i32.const 1))))
        (core module $main
            (import "" "log" (func $log (param i32)))
            (import "" "between" (func $between (param i32)))
            (memory (export "memory") 1)
            (func (export "run") (param i32) (call $log (local.get 0)) (call $between (local.get 0))))
        (core module $between
            (import "" "memory" (memory 1))
            (import "" "log" (func $log (param i32)))
            (func (export "between") (param i32) (call $log (i32.mul (local.get 0) (i32.const 2)))))
        (core module $filler
            (import "" "0" (func (param i32)))
            (import "" "1" (func (param i32)))
            (import "" "table" (table 2 2 funcref))
            (elem (i32.const 0) func 0 1))
        (core instance $s (instantiate $stubs))
        (core instance $m (instantiate $main
            (with "" (instance (export "log" (func $s "0")) (export "between" (func $s "1"))))))
        (core func $lowered (canon lower (func $log)))
        (core instance $b (instantiate $between
            (with "" (instance (export "memory" (memory $m "memory")) (export "log" (func $lowered))))))
        (core instance (instantiate $filler
            (with "" (instance (export "0" (func $lowered)) (export "1" (func $b "between"))
                (export "table" (table $s "table"))))))
        (func (export "run") (param "n" u32) (canon lift (core func $m "run"))))"#;
    told(&wat::parse_str(text).expect("the text parses"), 4, &[7, 14]);
}

#[test]
fn what_does_not_fit_the_table_fails_as_it_did() {
    let filler = FILLER.replace("(elem (i32.const 0)", "(elem (i32.const 1)");
    for guest in guests(&component(STUBS, MAIN, &filler, MORE)) {
        let error = guest.instance.expect_err("there is no second place");
        assert!(error.to_string().contains("out of bounds"), "{error}");
    }
}

#[test]
fn a_stub_that_calls_a_function_of_another_type_traps_as_it_did() {
    let stubs = STUBS.replace("(type $t (func (param i32)))", "(type $t (func (param i64)))");
    let main = r#"(core module $main
        (import "" "log" (func $log (param i64)))
        (func (export "run") (param i32) (call $log (i64.extend_i32_u (local.get 0)))))"#;
    for mut guest in guests(&component(&stubs, main, FILLER, MORE)) {
        let instance = guest.instance.expect("it is instantiated");
        let run = instance.get_typed_func::<(u32,), ()>(&mut guest.store, ["run"]);
        let error = run
            .expect("it is exported")
            .call(&mut guest.store, (7,))
            .expect_err("another type");
        let trap = error.trap().expect("a trap");
        assert!(
            matches!(trap.kind(), TrapKind::Core(CoreTrap::BadSignature)),
            "{error}"
        );
    }
}
