use super::*;
use crate::tiered::host_support::{Guest, ask, fixture};
use airssys_wasm::{ComponentOptions, ComponentRuntime, RuntimeConfig};
use serde_json::json;

fn runtime() -> ComponentRuntime {
    let config = RuntimeConfig::builder().with_backend(Backend::Tiered).build();
    ComponentRuntime::new(config.expect("there are two compilers")).expect("the contract can be linked")
}

fn quick() -> Backend {
    engine().starts()[0].backend()
}

fn good() -> Backend {
    engine().backend()
}

#[test]
fn an_instance_is_replaced_before_it_is_initialized() {
    is_replaced_before_it_is_initialized("text-processor.wasm");
}

#[test]
fn an_instance_with_asynchronous_functions_is_replaced_before_it_is_initialized() {
    is_replaced_before_it_is_initialized("text-processor-async.wasm");
}

fn is_replaced_before_it_is_initialized(guest: &str) {
    let runtime = runtime();
    let (gate, _held, _cache) = hold(20);
    let bytes = fixture(guest);
    let id = runtime
        .load_component(&bytes, ComponentOptions::new())
        .expect("it loads");
    let early = runtime
        .load_component(&bytes, ComponentOptions::new())
        .expect("it loads");
    assert_eq!(runtime.backend(&id).expect("it is loaded"), quick());
    let params = json!({"text": "to be or not to be"});
    runtime.init(&early).expect("it starts");
    let answer = ask(&runtime, &early, "word-count", params.clone());
    assert_eq!(answer["count"], 6);
    gate.open();

    assert!(runtime.wait_optimized(&id, LONG).expect("it is loaded"));
    assert_eq!(runtime.backend(&id).expect("it is loaded"), quick());
    runtime.init(&id).expect("it starts");
    assert_eq!(runtime.backend(&id).expect("it is loaded"), good());
    assert_eq!(ask(&runtime, &id, "word-count", params.clone()), answer);

    assert_eq!(
        runtime.backend(&early).expect("it is loaded"),
        quick(),
        "it has a state"
    );
    assert_eq!(ask(&runtime, &early, "word-count", params.clone()), answer);
    let late = runtime
        .load_component(&bytes, ComponentOptions::new())
        .expect("it loads");
    assert_eq!(runtime.backend(&late).expect("it is loaded"), good());
    runtime.init(&late).expect("it starts");
    assert_eq!(ask(&runtime, &late, "word-count", params), answer);
    for id in [id, early, late] {
        runtime.shutdown(&id).expect("it ends");
        runtime.unload(&id).expect("it is loaded");
    }
}

/// Loads, runs `between`, waits for optimized code, and initializes.
fn backend_after(
    bytes: &[u8],
    number: u32,
    between: impl Fn(&ComponentRuntime, &airssys_wasm::ComponentId),
) -> Backend {
    let runtime = runtime();
    let (gate, _held, _cache) = hold(number);
    let id = runtime
        .load_component(bytes, ComponentOptions::new())
        .expect("it loads");
    assert_eq!(runtime.backend(&id).expect("it is loaded"), quick());
    between(&runtime, &id);
    gate.open();
    assert!(runtime.wait_optimized(&id, LONG).expect("it is loaded"));
    runtime.init(&id).expect("it starts");
    runtime.health(&id).expect("it goes on");
    runtime.backend(&id).expect("it is loaded")
}

#[test]
fn an_instance_that_was_called_stays() {
    let bytes = fixture("text-processor.wasm");
    assert_eq!(backend_after(&bytes, 21, |_, _| {}), good());
    let asked = backend_after(&bytes, 22, |runtime, id| {
        runtime.metadata(id).expect("it answers");
    });
    assert_eq!(asked, quick());
    let asked = backend_after(&bytes, 23, |runtime, id| {
        runtime.health(id).expect("it answers");
    });
    assert_eq!(asked, quick());
}

#[test]
fn start_functions_that_call_the_host_run_once() {
    let with = |more| {
        Guest {
            more,
            ..Guest::default()
        }
        .build()
    };
    let alone = with(
        "(global $g (mut i32) (i32.const 0)) (func $begin (global.set $g (i32.const 7))) (start $begin)",
    );
    assert_eq!(backend_after(&alone, 24, |_, _| {}), good());
    let calling = with("(func $begin (call $sleep (i64.const 1))) (start $begin)");
    assert_eq!(backend_after(&calling, 25, |_, _| {}), quick());
    let by_wasi = with("(func $begin (drop (call $random))) (start $begin)");
    assert_eq!(backend_after(&by_wasi, 26, |_, _| {}), quick());
}

#[test]
fn options_of_one_component_choose_it() {
    let runtime = crate::tiered::host_support::runtime();
    let bytes = fixture("checksum.wasm");
    let tiered = ComponentOptions::new().with_backend(Backend::Tiered);
    let id = runtime.load_component(&bytes, tiered).expect("it loads");
    assert!(runtime.wait_optimized(&id, LONG).expect("it is loaded"));
    runtime.init(&id).expect("it starts");
    assert_eq!(runtime.backend(&id).expect("it is loaded"), good());
    let plain = runtime
        .load_component(&bytes, ComponentOptions::new())
        .expect("it loads");
    assert_eq!(
        runtime.backend(&plain).expect("it is loaded"),
        runtime.config().backend()
    );
    assert!(
        runtime
            .wait_optimized(&plain, Duration::ZERO)
            .expect("it is loaded")
    );
}

#[test]
fn better_code_is_found_in_the_cache() {
    let cache = ComponentCache::new(MemoryLimits::default(), None);
    let runtime = || {
        let config = RuntimeConfig::builder()
            .with_backend(Backend::Tiered)
            .with_cache(cache.clone());
        ComponentRuntime::new(config.build().expect("two compilers")).expect("the contract can be linked")
    };
    for (compiled, guest) in [(2, "checksum.wasm"), (4, "text-processor-c-async.wasm")] {
        let bytes = fixture(guest);
        let first = runtime();
        let id = first
            .load_component(&bytes, ComponentOptions::new())
            .expect("it loads");
        assert!(first.wait_optimized(&id, LONG).expect("it is loaded"));
        drop(first);
        let second = runtime();
        let id = second
            .load_component(&bytes, ComponentOptions::new())
            .expect("it loads");
        assert_eq!(second.backend(&id).expect("it is loaded"), good());
        assert_eq!(cache.counters().compiled, compiled);
    }
}
