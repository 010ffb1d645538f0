//! Instances whose exports other components import.

use airssys_wasm::Error;
use airssys_wasm::component::{Component, Instance, Linker, Store};
use airssys_wasm::engine::Engine;

use crate::linking::common::{component, engines};

/// Creates things, which count their drops, and a point of a record type; also nested in an instance.
const PROVIDER: &str = r#"(component
    (core module $m
        (global $drops (mut i32) (i32.const 0))
        (func (export "drop") (param i32) (global.set $drops (i32.add (global.get $drops) (local.get 0))))
        (func (export "drops") (result i32) (global.get $drops))
        (func (export "rep") (param i32) (result i32) (local.get 0))
        (func (export "sum") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
    (core instance $i (instantiate $m))
    (type $thing' (resource (rep i32) (dtor (core func $i "drop"))))
    (core func $new (canon resource.new $thing'))
    (core module $n
        (import "" "new" (func $new (param i32) (result i32)))
        (func (export "make") (param i32) (result i32) (call $new (local.get 0))))
    (core instance $maker (instantiate $n (with "" (instance (export "new" (func $new))))))
    (export $thing "thing" (type $thing'))
    (type $point' (record (field "x" u32) (field "y" u32)))
    (export $point "point" (type $point'))
    (func $make (export "make") (param "rep" u32) (result (own $thing)) (canon lift (core func $maker "make")))
    (func $rep (export "rep") (param "of" (borrow $thing)) (result u32) (canon lift (core func $i "rep")))
    (func (export "drops") (result u32) (canon lift (core func $i "drops")))
    (func $sum (export "sum") (param "p" $point) (result u32) (canon lift (core func $i "sum")))
    (instance $inner (export "sum" (func $sum)))
    (export "inner" (instance $inner)))"#;

/// Creates a thing of 5, reads its representation, and drops it; adds a sum.
const USER: &str = r#"(component
    (type $point (record (field "x" u32) (field "y" u32)))
    (import "provider" (instance $p
        (export "thing" (type $thing (sub resource)))
        (alias outer 1 $point (type $outer-point))
        (export "point" (type $point (eq $outer-point)))
        (export "make" (func (param "rep" u32) (result (own $thing))))
        (export "rep" (func (param "of" (borrow $thing)) (result u32)))
        (export "inner" (instance
            (alias outer 1 $point (type $outer-point))
            (export "point" (type $p (eq $outer-point)))
            (export "sum" (func (param "p" $p) (result u32)))))))
    (alias export $p "thing" (type $thing))
    (alias export $p "inner" (instance $inner))
    (core func $make (canon lower (func $p "make")))
    (core func $rep (canon lower (func $p "rep")))
    (core func $sum (canon lower (func $inner "sum")))
    (core func $drop (canon resource.drop $thing))
    (core module $m
        (import "" "make" (func $make (param i32) (result i32)))
        (import "" "rep" (func $rep (param i32) (result i32)))
        (import "" "sum" (func $sum (param i32 i32) (result i32)))
        (import "" "drop" (func $drop (param i32)))
        (func (export "run") (result i32) (local i32)
            (local.set 0 (call $make (i32.const 5)))
            (i32.add (call $sum (i32.const 30) (i32.const 4)) (call $rep (local.get 0)))
            (call $drop (local.get 0))))
    (core instance $i (instantiate $m (with "" (instance
        (export "make" (func $make)) (export "rep" (func $rep)) (export "sum" (func $sum)) (export "drop" (func $drop))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))"#;

fn provided(engine: &Engine) -> (Store<()>, Linker<()>, Instance) {
    let mut store = Store::new(engine, ());
    let mut linker = Linker::new(engine);
    let provider = linker
        .instantiate(&mut store, &component(engine, PROVIDER))
        .unwrap();
    linker.define_instance(&mut store, "provider", &provider).unwrap();
    (store, linker, provider)
}

fn call(store: &mut Store<()>, instance: &Instance, name: &str) -> u32 {
    let func = instance
        .get_typed_func::<(), (u32,)>(&mut *store, [name])
        .unwrap();
    func.call(store, ()).unwrap().0
}

#[test]
fn a_component_uses_the_functions_and_resources_of_an_instance() {
    for engine in engines() {
        let (mut store, linker, provider) = provided(&engine);
        let user = USER.replace(
            r#"(export "point" (type $p (eq $outer-point)))"#,
            r#"(alias outer 1 $point (type $p))"#,
        );
        let user = user.replace(
            r#"(alias outer 1 $point (type $outer-point))
            (alias"#,
            "(alias",
        );
        let user = linker
            .instantiate(&mut store, &component(&engine, &user))
            .unwrap();
        assert_eq!(call(&mut store, &user, "run"), 39);
        assert_eq!(
            call(&mut store, &provider, "drops"),
            5,
            "the destructor ran, with the representation"
        );
        assert_eq!((user.live_handles(), provider.live_handles()), (0, 0));
    }
}

#[test]
fn what_a_component_declares_of_an_instance_has_to_be_what_it_exports() {
    let engine = &engines()[0];
    let (mut store, mut linker, provider) = provided(engine);
    let link = |linker: &Linker<()>, imports: &str| {
        let component: Component = component(
            engine,
            &format!(r#"(component (import "provider" (instance {imports})))"#),
        );
        linker
            .instantiate_pre(&component)
            .map(drop)
            .map_err(|error| error.to_string())
    };
    let point = |fields: &str| format!(r#"(type $r (record {fields})) (export "point" (type (eq $r)))"#);
    assert_eq!(
        link(&linker, &point(r#"(field "x" u32) (field "y" u32)"#)),
        Ok(())
    );
    assert_eq!(
        link(&linker, &point(r#"(field "x" u32) (field "y" s32)"#)).unwrap_err(),
        "import `provider#point` has the wrong type: the component needs the type record { x: u32, y: s32 }, but the linker \
         has record { x: u32, y: u32 }"
    );
    let func = link(&linker, r#"(export "drops" (func (result u64)))"#).unwrap_err();
    assert!(
        func.contains("func() -> u32") && func.contains("func() -> u64"),
        "{func}"
    );
    let func = link(&linker, r#"(export "make" (func (param "other" u32)))"#).unwrap_err();
    assert!(
        func.contains("func(other: u32)") && func.contains("func(rep: u32)"),
        "{func}"
    );
    // The provider's own resource type, and another one with its name.
    let own = r#"(export "thing" (type $t (sub resource))) (export "make" (func (param "rep" u32) (result (own $t))))"#;
    assert_eq!(link(&linker, own), Ok(()));
    let second = linker.instantiate(&mut store, provider.component()).unwrap();
    linker.allow_shadowing(true);
    linker.define_instance(&mut store, "second", &second).unwrap();
    let component = component(
        engine,
        r#"(component
            (import "provider" (instance $p (export "thing" (type (sub resource)))))
            (alias export $p "thing" (type $thing))
            (import "second" (instance (alias outer 1 $thing (type $t)) (export "thing" (type (eq $t))))))"#,
    );
    let error = linker.instantiate_pre(&component).unwrap_err().to_string();
    assert!(
        error.contains("`second#thing`") && error.contains("the resource type of `provider#thing`"),
        "each instance has resource types of its own: {error}"
    );
}

#[test]
fn an_instance_is_defined_whole_and_once() {
    let engine = &engines()[0];
    let (mut store, mut linker, provider) = provided(engine);
    let again = linker.define_instance(&mut store, "provider", &provider);
    assert!(matches!(again, Err(Error::Redefined(_))), "{again:?}");
    linker.allow_shadowing(true);
    let empty = linker
        .instantiate(&mut store, &component(engine, "(component)"))
        .unwrap();
    linker.define_instance(&mut store, "provider", &empty).unwrap();
    let component = component(
        engine,
        r#"(component (import "provider" (instance (export "drops" (func (result u32))))))"#,
    );
    assert!(
        linker.instantiate_pre(&component).is_err(),
        "nothing is left of the first"
    );
    let mut elsewhere = Store::new(engine, ());
    let elsewhere = linker.define_instance(&mut elsewhere, "provider", &provider);
    assert!(matches!(elsewhere, Err(Error::WrongStore(_))), "{elsewhere:?}");
}
