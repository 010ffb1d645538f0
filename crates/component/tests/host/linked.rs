//! Instances that the host connects.

use airssys_wasm_component::component::{Component, Instance, Linker, Store, TypedFunc};
use airssys_wasm_component::engine::Engine;
use futures_util::future::join_all;

use crate::support::{Host, NOTHING, block_on, call, engines, func, new};

/// A component whose `go` calls the other's function, which it declares as of this kind.
fn caller(kind: &str) -> String {
    format!(
        r#"(component
            (import "worker" (instance $worker
              (export "sleep-async" (func {kind} (param "x" u32) (result u32)))))
            (alias export $worker "sleep-async" (func $sleep))
            (core func $sleep' (canon lower (func $sleep)))
            (core func $return (canon task.return (result u32)))
            (core module $m
              (import "" "sleep" (func $sleep (param i32) (result i32)))
              (import "" "return" (func $return (param i32)))
              (func (export "go") (param i32) (call $return (call $sleep (local.get 0)))))
            (core instance $i (instantiate $m (with "" (instance
              (export "sleep" (func $sleep'))
              (export "return" (func $return))))))
            (func (export "go") async (param "x" u32) (result u32) (canon lift (core func $i "go") async)))"#
    )
}

fn connect(
    engine: &Engine,
    store: &mut Store<Host>,
    worker: &Instance,
    kind: &str,
) -> airssys_wasm_component::Result<Instance> {
    let mut linker = Linker::<Host>::new(engine);
    linker.define_instance(&mut *store, "worker", worker)?;
    let component = Component::new(engine, wat::parse_str(caller(kind)).unwrap())?;
    linker.instantiate(store, &component)
}

#[test]
fn calls_of_connected_instances_run_at_a_time() {
    for engine in engines() {
        let (mut store, worker) = new(&engine);
        let instance = connect(&engine, &mut store, &worker, "async").unwrap();
        let go: TypedFunc<(u32,), (u32,)> = func(&mut store, &instance, "go");
        let gate = store.data().gate.clone();
        gate.open_soon();
        let answers = block_on(store.run_concurrent(async |accessor| {
            join_all((0..20).map(|x| go.call_concurrent(accessor, (2 * x + 101,)))).await
        }));
        let answers: Vec<u32> = answers
            .unwrap()
            .into_iter()
            .map(|answer| answer.unwrap().0)
            .collect();
        assert_eq!(answers, (0..20).map(|x| 2 * x + 102).collect::<Vec<u32>>());
        assert_eq!(store.concurrency_counts(), NOTHING);
        let (answer,): (u32,) = call(&mut store, &instance, "go", (6u32,)).unwrap();
        assert_eq!(answer, 7);
    }
}

#[test]
fn a_function_that_is_async_does_not_fit_one_that_is_not() {
    for engine in engines() {
        let (mut store, worker) = new(&engine);
        let error = connect(&engine, &mut store, &worker, "").unwrap_err();
        assert!(error.to_string().contains("`async`"), "{error}");
    }
}
