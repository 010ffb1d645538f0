//! The first trap of code from an artifact, which says what it does in code that was just compiled.

use super::*;
use crate::artifact::open::load_own;
use crate::component::ResourceAny;
use crate::error::{Error, Trap, TrapKind};

/// Returns the cause of a call's trap, and the frames without their offsets.
fn told(component: &Component, call: impl Fn(&mut Store<()>, &Linker<()>) -> Error) -> (String, Vec<String>) {
    let engine = component.engine().clone();
    let linker: Linker<()> = Linker::new(&engine);
    let mut store = Store::new(&engine, ());
    let error = call(&mut store, &linker);
    let trap: &Trap = error.trap().unwrap_or_else(|| panic!("no trap: {error}"));
    assert!(!matches!(trap.kind(), TrapKind::Other(_)), "{error}");
    let name = |frame: &String| frame.split(" (offset 0x").next().unwrap_or_default().to_owned();
    (
        format!("{:?}", trap.kind()),
        trap.frames().iter().map(name).collect(),
    )
}

/// A component whose `run` ends in this code of the function `fails`.
fn failing(code: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (type $r (resource (rep i32)))
            (core func $drop (canon resource.drop $r))
            (core module $failing
                (import "host" "drop" (func $drop (param i32)))
                (memory 1)
                (table 1 1 funcref)
                (data $data "data")
                (func $fails {code})
                (func (export "run") (call $fails)))
            (core instance $i (instantiate $failing (with "host" (instance (export "drop" (func $drop))))))
            (func (export "run") (canon lift (core func $i "run"))))"#
    );
    wat::parse_str(text).expect("the text parses")
}

fn run(component: &Component) -> (String, Vec<String>) {
    told(component, |store, linker| {
        let instance = linker.instantiate(&mut *store, component).expect("it links");
        let run = instance.get_func(&mut *store, ["run"]).expect("it is exported");
        run.call_dynamic(&mut *store, &[]).expect_err("it traps")
    })
}

#[test]
fn causes_and_frames_are_those_of_compiled_code() {
    let cases = [
        "unreachable",
        "(drop (i32.div_s (i32.const 1) (i32.load (i32.const 8))))",
        "(drop (i32.load (i32.const 0x7fffffff)))",
        "(memory.copy (i32.const 0) (i32.const 0xffff) (i32.const 2))",
        "(memory.init $data (i32.const 0) (i32.const 0) (i32.const 5))",
        "(call_indirect (i32.const 0))",
        "(call_indirect (i32.const 7))",
        "(call $fails)",
        // A trap of the host, which the guest's frames are found for on the stack of the call.
        "(call $drop (i32.const 99))",
    ];
    for engine in engines() {
        for code in cases {
            let bytes = failing(code);
            let compiled = Component::from_binary(&engine, &bytes).expect("it compiles");
            let file = compile(&engine, &bytes, None).expect("it compiles");
            let loaded = load_own(&file).expect("it loads");
            let expected = run(&compiled);
            let has_frames = !expected.1.is_empty() || expected.0.contains("StackOverflow");
            assert!(has_frames, "{code}: {expected:?}");
            assert_eq!(run(&loaded), expected, "{}: {code}", engine.backend());
            // The engine knows the frames now.
            assert_eq!(run(&loaded), expected, "{}: {code}", engine.backend());
        }
    }
}

#[test]
fn a_start_function_that_traps_has_its_frames() {
    let text = r#"(component
        (core module $starts (func $fails unreachable) (start $fails))
        (core instance (instantiate $starts)))"#;
    let bytes = wat::parse_str(text).expect("the text parses");
    for engine in engines() {
        let start = |component: &Component| {
            told(component, |store, linker| {
                linker.instantiate(store, component).expect_err("it traps")
            })
        };
        let file = compile(&engine, &bytes, None).expect("it compiles");
        let compiled = Component::from_binary(&engine, &bytes).expect("it compiles");
        let expected = start(&compiled);
        assert_eq!(expected.1.len(), 1, "{expected:?}");
        assert_eq!(start(&load_own(&file).expect("it loads")), expected);
    }
}

#[test]
fn destructors_that_trap_have_their_cause_and_frames() {
    let text = r#"(component
        (core module $library (func $dies (export "drop") (param i32) (unreachable)))
        (core instance $library (instantiate $library))
        (type $r' (resource (rep i32) (dtor (core func $library "drop"))))
        (export $r "r" (type $r'))
        (core func $new (canon resource.new $r'))
        (core func $drop (canon resource.drop $r'))
        (core module $m
            (import "host" "new" (func $new (param i32) (result i32)))
            (import "host" "drop" (func $drop (param i32)))
            (func (export "make") (result i32) (call $new (i32.const 7)))
            (func $drops (export "run") (call $drop (call $new (i32.const 7)))))
        (core instance $i (instantiate $m
            (with "host" (instance (export "new" (func $new)) (export "drop" (func $drop))))))
        (func (export "make") (result (own $r)) (canon lift (core func $i "make")))
        (func (export "run") (canon lift (core func $i "run"))))"#;
    let bytes = wat::parse_str(text).expect("the text parses");
    for engine in engines() {
        let by_host = |component: &Component| {
            told(component, |store, linker| {
                let instance = linker.instantiate(&mut *store, component).expect("it links");
                let make = instance.get_typed_func::<(), (ResourceAny,)>(&mut *store, "make");
                let (resource,) = make
                    .expect("it is exported")
                    .call(&mut *store, ())
                    .expect("it runs");
                resource.resource_drop(&mut *store).expect_err("it traps")
            })
        };
        let compiled = Component::from_binary(&engine, &bytes).expect("it compiles");
        let file = compile(&engine, &bytes, None).expect("it compiles");
        let load = || load_own(&file).expect("it loads");
        let expected = by_host(&compiled);
        assert!(
            expected.0.contains("Unreachable") && expected.1 == ["library!dies"],
            "{expected:?}"
        );
        assert_eq!(by_host(&load()), expected);
        let expected = run(&compiled);
        assert!(
            expected.0.contains("Unreachable") && !expected.1.is_empty(),
            "{expected:?}"
        );
        assert_eq!(run(&load()), expected);
    }
}
