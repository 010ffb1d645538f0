//! Limits on the stack of guests.

use airssys_wasm::component::{Component, Linker, Store, StoreContextMut};
use airssys_wasm::engine::{Engine, StoreLimits};
use airssys_wasm::error::{CoreTrap, TrapKind};

use crate::traps::common::{component, engines};
use crate::traps::kind;

/// Calls `tick`, then itself.
const DEEP: &str = r#"(component
    (import "tick" (func $tick))
    (core func $lowered (canon lower (func $tick)))
    (core module $m (import "" "tick" (func $tick))
        (func $f (export "deep") (call $tick) (call $f) (call $tick)))
    (core instance $i (instantiate $m (with "" (instance (export "tick" (func $lowered))))))
    (func (export "deep") (canon lift (core func $i "deep"))))"#;

const SMALL: u64 = 128 << 10;
const LARGE: u64 = 8 << 20;

/// Returns the number of calls that a stack of so many bytes has room for. `first` runs in the first of them.
fn depth(
    engine: &Engine,
    component: &Component,
    bytes: u64,
    first: impl Fn() + Send + Sync + 'static,
) -> u64 {
    let mut linker = Linker::new(engine);
    let tick = move |mut cx: StoreContextMut<'_, u64>, (): ()| {
        *cx.data_mut() += 1;
        if *cx.data() == 1 {
            first();
        }
        Ok(())
    };
    linker.root().func_wrap("tick", tick).expect("it is new");
    let mut limits = StoreLimits::default();
    limits.stack_bytes = bytes;
    let mut store = Store::with_limits(engine, 0, limits);
    let instance = linker.instantiate(&mut store, component).expect("it links");
    let deep = instance.try_get_func(&mut store, ["deep"]).expect("it is there");
    let error = deep.call_dynamic(&mut store, &[]).expect_err("it has no end");
    assert_eq!(kind(&error), TrapKind::Core(CoreTrap::StackOverflow), "{error}");
    *store.data()
}

#[test]
fn each_store_has_its_own_stack_whatever_ran_before() {
    for engine in engines() {
        let component = component(&engine, DEEP);
        let run = |bytes| depth(&engine, &component, bytes, || ());
        let usual = StoreLimits::default().stack_bytes;
        let (small, middle, large) = (run(SMALL), run(usual), run(LARGE));
        assert!(
            small * 4 < middle && middle * 4 < large,
            "{small} {middle} {large}"
        );
        // Each runs after a larger one and after a smaller one.
        for (bytes, before) in [
            (SMALL, small),
            (LARGE, large),
            (usual, middle),
            (SMALL, small),
            (usual, middle),
            (LARGE, large),
            (SMALL, small),
        ] {
            let again = run(bytes);
            assert!(
                again.abs_diff(before) <= before / 8,
                "{bytes}: {before}, then {again}"
            );
        }
        // Within a call on a larger stack.
        let (inner_engine, inner) = (engine.clone(), component.clone());
        let within = move || {
            let again = depth(&inner_engine, &inner, SMALL, || ());
            assert!(again.abs_diff(small) <= small / 8, "{small}, then {again}");
        };
        depth(&engine, &component, LARGE, within);
        let again = run(SMALL);
        assert!(again.abs_diff(small) <= small / 8, "{small}, then {again}");
    }
}
