//! Floats between core modules, and between them and the host: their passing depends on the backend's calling conventions.

use airssys_wasm::component::{Linker, Store, StoreContextMut};

use crate::composition::common::{component, engines};

/// `mix` distinguishes its parameters by their weights. It is called in every way in which a function gets from one module
/// to another: directly, re-exported, and in a table that a module of nothing but imports fills.
const COMPONENT: &str = r#"(component
    (import "scale" (func $scale (param "by" u32) (param "a" f32) (param "b" f64) (result f64)))
    (import "half" (func $half (param "a" f32) (result f32)))
    (core func $scale (canon lower (func $scale)))
    (core func $half (canon lower (func $half)))
    (core instance $host (export "scale" (func $scale)) (export "half" (func $half)))

    (core module $a
        (type $unary (func (param f32) (result f32)))
        (table 1 funcref)
        (func (export "mix") (param i32 f32 i64 f64 f32) (result f64)
            (f64.add
                (f64.add
                    (f64.convert_i32_s (local.get 0))
                    (f64.mul (f64.const 10) (f64.promote_f32 (local.get 1))))
                (f64.add
                    (f64.mul (f64.const 100) (f64.convert_i64_s (local.get 2)))
                    (f64.add
                        (f64.mul (f64.const 1000) (local.get 3))
                        (f64.mul (f64.const 10000) (f64.promote_f32 (local.get 4)))))))
        (func $negate (export "negate") (param f32) (result f32) (f32.neg (local.get 0)))
        (func (export "negate-by-reference") (param f32) (result f32)
            (table.set (i32.const 0) (ref.func $negate))
            (call_indirect (type $unary) (local.get 0) (i32.const 0))))
    (core instance $a (instantiate $a))

    (core module $again
        (import "a" "mix" (func (param i32 f32 i64 f64 f32) (result f64)))
        (export "mix" (func 0)))
    (core instance $again (instantiate $again (with "a" (instance $a))))

    (core module $b
        (type $mix (func (param i32 f32 i64 f64 f32) (result f64)))
        (type $half (func (param f32) (result f32)))
        (import "a" "mix" (func $mix (type $mix)))
        (import "again" "mix" (func $again (type $mix)))
        (import "host" "scale" (func $scale (param i32 f32 f64) (result f64)))
        (import "host" "half" (func $half (type $half)))
        (table (export "table") 2 2 funcref)
        (func (export "direct") (param f32 f64) (result f64)
            (call $mix (i32.const 1) (local.get 0) (i64.const 3) (local.get 1) (f32.const 5)))
        (func (export "again") (param f32 f64) (result f64)
            (call $again (i32.const 1) (local.get 0) (i64.const 3) (local.get 1) (f32.const 5)))
        (func (export "indirect") (param f32 f64) (result f64)
            (call_indirect (type $mix)
                (i32.const 1) (local.get 0) (i64.const 3) (local.get 1) (f32.const 5) (i32.const 0)))
        (func (export "scale") (param f32 f64) (result f64)
            (call $scale (i32.const 7) (local.get 0) (local.get 1)))
        (func (export "half") (param f32) (result f32) (call $half (local.get 0)))
        (func (export "half-indirect") (param f32) (result f32)
            (call_indirect (type $half) (local.get 0) (i32.const 1))))
    (core instance $b (instantiate $b
        (with "a" (instance $a)) (with "again" (instance $again)) (with "host" (instance $host))))

    (core module $fill
        (import "a" "mix" (func $mix (param i32 f32 i64 f64 f32) (result f64)))
        (import "host" "half" (func $half (param f32) (result f32)))
        (import "b" "table" (table 2 2 funcref))
        (elem (i32.const 0) func $mix $half))
    (core instance (instantiate $fill
        (with "a" (instance $a)) (with "b" (instance $b)) (with "host" (instance $host))))

    (type $two (func (param "a" f32) (param "b" f64) (result f64)))
    (type $one (func (param "a" f32) (result f32)))
    (func (export "direct") (type $two) (canon lift (core func $b "direct")))
    (func (export "again") (type $two) (canon lift (core func $b "again")))
    (func (export "indirect") (type $two) (canon lift (core func $b "indirect")))
    (func (export "scale") (type $two) (canon lift (core func $b "scale")))
    (func (export "half") (type $one) (canon lift (core func $b "half")))
    (func (export "half-indirect") (type $one) (canon lift (core func $b "half-indirect")))
    (func (export "negate") (type $one) (canon lift (core func $a "negate")))
    (func (export "negate-by-reference") (type $one) (canon lift (core func $a "negate-by-reference")))
)"#;

#[test]
fn floats_cross_between_modules_and_the_host() {
    for engine in engines() {
        let backend = engine.backend();
        let component = component(&engine, COMPONENT);
        let mut linker = Linker::new(&engine);
        let mut root = linker.root();
        root.func_wrap(
            "scale",
            |_: StoreContextMut<'_, ()>, (by, a, b): (u32, f32, f64)| Ok((f64::from(by) * f64::from(a) + b,)),
        )
        .unwrap();
        root.func_wrap("half", |_: StoreContextMut<'_, ()>, (a,): (f32,)| Ok((a / 2.0,)))
            .unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &component).expect("it links");
        for (a, b) in [(2.0f32, 4.0f64), (-0.5, 1e300), (f32::MAX, -1.25)] {
            let mixed = 1.0 + 10.0 * f64::from(a) + (300.0 + (1000.0 * b + 50_000.0));
            let scaled = 7.0 * f64::from(a) + b;
            for (name, expected) in [
                ("direct", mixed),
                ("again", mixed),
                ("indirect", mixed),
                ("scale", scaled),
            ] {
                let function = instance.get_typed_func::<(f32, f64), (f64,)>(&mut store, [name]);
                let found = function.unwrap().call(&mut store, (a, b)).unwrap();
                assert_eq!(found, (expected,), "{backend}: {name}");
            }
            for (name, expected) in [
                ("half", a / 2.0),
                ("half-indirect", a / 2.0),
                ("negate", -a),
                ("negate-by-reference", -a),
            ] {
                let function = instance.get_typed_func::<(f32,), (f32,)>(&mut store, [name]);
                let found = function.unwrap().call(&mut store, (a,)).unwrap();
                assert_eq!(found, (expected,), "{backend}: {name}");
            }
        }
    }
}
