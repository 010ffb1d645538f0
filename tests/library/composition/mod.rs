//! Composed components: calls between them go through adapters, strings are transcoded.

use airssys_wasm_test_support as common;
mod floats;

use airssys_wasm::component::{Component, Instance, Linker, Store, Val};
use airssys_wasm::error::TrapKind;
use common::{component, engines, fixture, strings};

fn composed(engine: &airssys_wasm::engine::Engine) -> (Store<()>, Instance) {
    let component = Component::from_binary(engine, &fixture("composed.wasm")).expect("the fixture loads");
    let mut store = Store::new(engine, ());
    let instance = Linker::new(engine)
        .instantiate(&mut store, &component)
        .expect("it needs nothing");
    (store, instance)
}

#[test]
fn strings_cross_between_utf8_and_utf16() {
    let texts = ["", "plain", "añß 漢字 😀𝄞z", &"漢😀".repeat(5_000)];
    for engine in engines() {
        let (mut store, instance) = composed(&engine);
        let greet = instance
            .get_typed_func::<(&str,), (String,)>(&mut store, ["greet"])
            .unwrap();
        assert_eq!(
            greet.call(&mut store, ("world",)).unwrap(),
            ("HELLO, WORLD!".to_owned(),)
        );
        let path = ["fixtures:consume/relay", "mirror"];
        let mirror = instance
            .get_typed_func::<(&str,), (String,)>(&mut store, &path)
            .unwrap();
        let path = ["fixtures:consume/relay", "lengths"];
        let lengths = instance
            .get_typed_func::<(&str,), ((u32, u32),)>(&mut store, &path)
            .unwrap();
        for text in texts {
            let reversed: String = text.chars().rev().collect();
            assert_eq!(
                mirror.call(&mut store, (text,)).unwrap(),
                (reversed,),
                "{}",
                engine.backend()
            );
            let units = text.encode_utf16().count() as u32;
            assert_eq!(
                lengths.call(&mut store, (text,)).unwrap(),
                ((units, text.len() as u32),)
            );
        }
    }
}

#[test]
fn resources_cross_between_components() {
    for engine in engines() {
        let (mut store, instance) = composed(&engine);
        let mut relay = |function: &str, args: &[Val]| {
            let func = instance
                .get_func(&mut store, ["fixtures:consume/relay", function])
                .unwrap();
            func.call_dynamic(&mut store, args).unwrap()
        };
        let args = [Val::String("T😀".into()), strings(&["ä", "漢"])];
        let kept = Val::Tuple(vec![Val::U32(2), Val::String("T😀\nä\n漢\n".into())]);
        assert_eq!(relay("keep", &args), Some(kept));
        let given = Val::String("T😀\nä\n漢\n".into());
        assert_eq!(relay("hand-over", &args), Some(given));
        assert_eq!(relay("open-journals", &[]), Some(Val::U32(0)));
    }
}

/// Returns a provider of `same: func(s: string) -> string` with one encoding, and a consumer with another, each with a bump
/// allocator.
fn echo_across(provider: &str, consumer: &str) -> String {
    format!(
        r#"(component
        (component $provider
            (core module $m
                (memory (export "mem") 4)
                (global $next (mut i32) (i32.const 1024))
                (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
                    (local $at i32)
                    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
                    (global.set $next (i32.add (local.get $at) (local.get $size)))
                    (memory.copy (local.get $at) (local.get $old) (local.get $old-size))
                    (local.get $at))
                (func (export "same") (param i32 i32) (result i32)
                    (i32.store (i32.const 16) (local.get 0))
                    (i32.store (i32.const 20) (local.get 1))
                    (i32.const 16)))
            (core instance $i (instantiate $m))
            (func (export "same") (param "s" string) (result string)
                (canon lift (core func $i "same") (memory (core memory $i "mem")) (realloc (core func $i "realloc")) string-encoding={provider})))
        (component $consumer
            (import "same" (func $same (param "s" string) (result string)))
            (core module $libc
                (memory (export "mem") 4)
                (global $next (mut i32) (i32.const 1024))
                (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
                    (local $at i32)
                    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
                    (global.set $next (i32.add (local.get $at) (local.get $size)))
                    (memory.copy (local.get $at) (local.get $old) (local.get $old-size))
                    (local.get $at)))
            (core instance $libc (instantiate $libc))
            (core func $same (canon lower (func $same) (memory (core memory $libc "mem")) (realloc (core func $libc "realloc")) string-encoding={consumer}))
            (core module $m
                (import "" "same" (func $same (param i32 i32 i32)))
                (func (export "run") (param i32 i32) (result i32)
                    (call $same (local.get 0) (local.get 1) (i32.const 32))
                    (i32.const 32)))
            (core instance $i (instantiate $m (with "" (instance (export "same" (func $same))))))
            (func (export "run") (param "s" string) (result string)
                (canon lift (core func $i "run") (memory (core memory $libc "mem")) (realloc (core func $libc "realloc")) string-encoding={consumer})))
        (instance $p (instantiate $provider))
        (instance $c (instantiate $consumer (with "same" (func $p "same"))))
        (export "run" (func $c "run"))
    )"#
    )
}

#[test]
fn every_pair_of_string_encodings_transcodes() {
    let encodings = ["utf8", "utf16", "latin1+utf16"];
    let texts = [
        "",
        "plain ascii",
        "é",
        "aéÿ",
        "aé漢",
        "漢字",
        "😀",
        "aé😀ÿz",
        &"é".repeat(300),
        &"aé漢😀".repeat(200),
    ];
    for engine in engines() {
        for provider in encodings {
            for consumer in encodings {
                let component = component(&engine, &echo_across(provider, consumer));
                for text in texts {
                    let mut store = Store::new(&engine, ());
                    let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
                    let run = instance
                        .get_typed_func::<(&str,), (String,)>(&mut store, ["run"])
                        .unwrap();
                    let (back,) = run.call(&mut store, (text,)).unwrap_or_else(|e| {
                        panic!("{}: {consumer} to {provider}: {text}: {e}", engine.backend())
                    });
                    assert_eq!(back, text, "{}: {consumer} to {provider}", engine.backend());
                }
            }
        }
    }
}

#[test]
fn a_bad_string_between_components_traps() {
    // The consumer passes a string beyond its memory, and bytes that are not UTF-8.
    let text = r#"(component
        (component $provider
            (core module $m
                (memory (export "mem") 1)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
                (func (export "take") (param i32 i32)))
            (core instance $i (instantiate $m))
            (func (export "take") (param "s" string)
                (canon lift (core func $i "take") (memory (core memory $i "mem")) (realloc (core func $i "realloc")) string-encoding=utf16)))
        (component $consumer
            (import "take" (func $take (param "s" string)))
            (core module $libc (memory (export "mem") 1) (data (i32.const 8) "\ff\ff"))
            (core instance $libc (instantiate $libc))
            (core func $take (canon lower (func $take) (memory (core memory $libc "mem"))))
            (core module $m
                (import "" "take" (func $take (param i32 i32)))
                (func (export "run") (param i32 i32) (call $take (local.get 0) (local.get 1))))
            (core instance $i (instantiate $m (with "" (instance (export "take" (func $take))))))
            (func (export "run") (param "ptr" u32) (param "len" u32) (canon lift (core func $i "run"))))
        (instance $p (instantiate $provider))
        (instance $c (instantiate $consumer (with "take" (func $p "take"))))
        (export "run" (func $c "run"))
    )"#;
    for engine in engines() {
        let component = component(&engine, text);
        for (ptr, len) in [(65_535, 2), (u32::MAX, 1), (0, 1 << 30), (8, 2)] {
            let mut store = Store::new(&engine, ());
            let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
            let run = instance
                .get_typed_func::<(u32, u32), ()>(&mut store, ["run"])
                .unwrap();
            let error = run.call(&mut store, (ptr, len)).unwrap_err();
            let kind = error.trap().map(|trap| trap.kind().clone());
            assert!(
                matches!(kind, Some(TrapKind::Adapter(_) | TrapKind::Core(_))),
                "{ptr} {len}: {error}"
            );
            assert!(instance.is_poisoned());
        }
    }
}

#[test]
fn a_parent_is_not_entered_through_its_child() {
    // The host function that the inner component calls tries to call the component again.
    let text = r#"(component
        (import "again" (func $again))
        (core func $again (canon lower (func $again)))
        (core module $m
            (import "" "again" (func $again))
            (func (export "run") (call $again)))
        (core instance $i (instantiate $m (with "" (instance (export "again" (func $again))))))
        (func (export "run") (canon lift (core func $i "run")))
    )"#;
    for engine in engines() {
        let component = component(&engine, text);
        let mut linker: Linker<Option<Instance>> = Linker::new(&engine);
        linker
            .root()
            .func_wrap("again", |mut cx, (): ()| {
                let instance = cx.data().clone().expect("set before the call");
                let run = instance.get_typed_func::<(), ()>(&mut cx, ["run"])?;
                Ok(run.call(&mut cx, ())?)
            })
            .unwrap();
        let mut store = Store::new(&engine, None);
        let instance = linker.instantiate(&mut store, &component).unwrap();
        *store.data_mut() = Some(instance.clone());
        let run = instance.get_typed_func::<(), ()>(&mut store, ["run"]).unwrap();
        let error = run.call(&mut store, ()).unwrap_err();
        assert_eq!(
            error.trap().map(|trap| trap.kind().clone()),
            Some(TrapKind::Reentrance),
            "{error}"
        );
        let error = run.call(&mut store, ()).unwrap_err();
        assert_eq!(
            error.trap().map(|trap| trap.kind().clone()),
            Some(TrapKind::Poisoned),
            "{error}"
        );
    }
}
