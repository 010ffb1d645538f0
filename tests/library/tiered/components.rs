use super::*;
use airssys_wasm::Error;

#[test]
fn answers_are_the_same_before_and_after() {
    let engine = engine();
    let component = TieredComponent::new(&engine, &adder(3)).expect("it compiles");
    let first = component.current();
    let mut before = Adding::of(&first);
    assert_eq!(before.sum(1000), Some(Val::U64(3 * 999 * 500)));
    assert!(component.wait(LONG), "{component:?}");
    assert!(component.is_optimized() && component.failure().is_none());
    assert_eq!(component.current().backend(), engine.backend());
    let mut after = Adding::of(&component.current());
    for below in [1, 2, 77, 100_000] {
        assert_eq!(after.sum(below), before.sum(below));
    }
    drop((component, first));
    assert_eq!(before.sum(1000), Some(Val::U64(3 * 999 * 500)));
}

#[test]
fn modules_that_it_imports_have_code_for_both_stages() {
    let engine = engine();
    let number = wat::parse_str(r#"(module (func (export "f") (result i32) (i32.const 42)))"#);
    let module = Module::from_binary(&engine, &number.expect("the text parses")).expect("it compiles");
    let text = r#"(component
        (import "m" (core module $m (export "f" (func (result i32)))))
        (core module $n (import "" "f" (func $f (result i32))) (func (export "f") (result i32) (call $f)))
        (core instance $m (instantiate $m))
        (core instance $n (instantiate $n (with "" (instance $m))))
        (func (export "f") (result u32) (canon lift (core func $n "f"))))"#;
    let mut linker: Linker<()> = Linker::new(&engine);
    linker.root().module("m", &module).expect("defined once");
    let component = TieredComponent::new(&engine, &wat::parse_str(text).expect("the text parses"));
    let component = component.expect("it compiles");
    let answer = |component: &Component| {
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, component).expect("it links");
        let f = instance
            .get_typed_func::<(), (u32,)>(&mut store, ["f"])
            .expect("it is exported");
        f.call(&mut store, ()).expect("it runs").0
    };
    let first = component.current();
    assert_eq!(answer(&first), 42);
    assert!(component.wait(LONG), "{component:?}");
    let second = component.current();
    assert_ne!(first.backend(), second.backend());
    assert_eq!(answer(&second), 42);
}

#[test]
fn it_starts_on_quick_code() {
    let (gate, component, _cache) = hold(4);
    let quick = engine().starts()[0].backend();
    assert_eq!(component.current().backend(), quick);
    assert!(!component.is_optimized() && !component.wait(Duration::from_millis(1)));
    let later = TieredComponent::new(&engine(), &adder(5)).expect("it need not wait for others");
    assert_eq!(later.current().backend(), quick);
    assert_eq!(Adding::of(&later.current()).sum(10), Some(Val::U64(5 * 45)));
    gate.open();
    assert!(component.wait(LONG) && later.wait(LONG));
    assert_eq!(later.current().backend(), engine().backend());
}

#[test]
fn what_cannot_be_optimized_goes_on() {
    let bytes = adder(6);
    let engine = engine();
    let cache = with_starts(&engine, std::slice::from_ref(&bytes));
    let stopping = engine.watched(|_| ControlFlow::Break(()));
    let component = TieredComponent::with_cache(&stopping, &bytes, &cache).expect("it starts");
    assert!(!component.wait(LONG));
    let failure = component.failure();
    assert!(matches!(failure.as_deref(), Some(Error::Stopped)), "{failure:?}");
    assert_eq!(component.current().backend(), engine.starts()[0].backend());
    assert_eq!(Adding::of(&component.current()).sum(10), Some(Val::U64(6 * 45)));
}

/// Singlepass compiles no import with several results.
#[cfg(feature = "singlepass")]
fn with_several_results() -> Vec<u8> {
    let text = r#"(component
        (core module $a (func (export "pair") (result i32 i32) (i32.const 40) (i32.const 2)))
        (core module $b
            (import "a" "pair" (func $pair (result i32 i32)))
            (func (export "run") (param i32) (result i64)
                (i64.extend_i32_u (i32.mul (local.get 0) (i32.add (call $pair))))))
        (core instance $a (instantiate $a))
        (core instance $b (instantiate $b (with "a" (instance $a))))
        (func (export "run") (param "n" u32) (result u64) (canon lift (core func $b "run"))))"#;
    wat::parse_str(text).expect("the text parses")
}

#[cfg(feature = "singlepass")]
#[test]
fn a_compiler_that_refuses_is_done_without() {
    let other = engine().backend();
    let with = |backend, start| Engine::new(Config::new().backend(backend).start_with([start]));
    let bytes = with_several_results();
    let good = |component: &TieredComponent| {
        assert_eq!(component.current().backend(), other);
        assert_eq!(Adding::of(&component.current()).sum(2), Some(Val::U64(84)));
    };

    let last = with(Backend::Singlepass, other).expect("both are available");
    let component = TieredComponent::new(&last, &bytes).expect("it starts");
    assert!(!component.wait(LONG) && !component.is_optimized());
    let failure = component.failure();
    assert!(
        matches!(failure.as_deref(), Some(Error::BackendFeature(lacks)) if lacks.backend == "singlepass"),
        "{failure:?}"
    );
    good(&component);

    let first = with(other, Backend::Singlepass).expect("both are available");
    let component = TieredComponent::new(&first, &bytes).expect("it compiles");
    assert!(component.is_optimized(), "nothing else could be done");
    good(&component);
}

#[test]
fn what_is_no_component_is_refused_at_once() {
    for bytes in [&b"anything"[..], b"\0asm\x01\0\0\0"] {
        let refused = TieredComponent::new(&engine(), bytes).expect_err("it is none");
        assert!(
            matches!(refused, Error::NotWasm(_) | Error::CoreModule),
            "{refused}"
        );
    }
}

#[test]
fn an_engine_without_starts_has_nothing_in_the_background() {
    let engine = Engine::new(&Config::new()).expect("a compiler");
    let component = TieredComponent::new(&engine, &adder(7)).expect("it compiles");
    assert!(component.is_optimized());
    assert_eq!(component.current().backend(), engine.backend());
}

#[test]
fn what_is_dropped_is_given_up() {
    let (whole, component, cache) = hold(8);
    whole.open();
    assert!(component.wait(LONG));
    assert_eq!(cache.counters().compiled, 2);

    let (gate, component, cache) = hold(9);
    let waiting = TieredComponent::new(&engine(), &adder(10)).expect("it starts");
    let clone = component.clone();
    drop(component);
    assert!(!clone.is_optimized());
    // The compilation is blocked, so this would not return if it waited for it.
    drop((clone, waiting));
    gate.open();
    // The watcher has its own count of running compilations.
    assert!(tiered::settle(LONG), "no thread is left");
    let counters = cache.counters();
    assert_eq!(
        (counters.compiled, counters.failed),
        (1, 1),
        "it was not finished"
    );
    assert!(
        gate.looks() < whole.looks(),
        "{} and {}",
        gate.looks(),
        whole.looks()
    );
}

#[test]
fn the_cache_has_both() {
    let (engine, bytes) = (engine(), adder(11));
    let cache = ComponentCache::new(MemoryLimits::default(), None);
    let first = TieredComponent::with_cache(&engine, &bytes, &cache).expect("it compiles");
    assert!(first.wait(LONG));
    assert_eq!(cache.counters().compiled, 2);
    let second = TieredComponent::with_cache(&engine, &bytes, &cache).expect("it is there");
    assert!(second.is_optimized());
    assert_eq!(second.current().backend(), engine.backend());
    let counters = cache.counters();
    assert_eq!((counters.compiled, counters.memory_hits), (2, 1));
}

#[test]
fn another_process_finds_better_code_on_disk() {
    let folder = format!("{}/tiered-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    let open = || {
        let config = CacheConfig::new(&folder);
        ComponentCache::open(MemoryLimits::default(), config).expect("it is ours")
    };
    let (engine, bytes) = (engine(), adder(12));
    let first = TieredComponent::with_cache(&engine, &bytes, &open()).expect("it compiles");
    assert!(first.wait(LONG));
    // As written by another process: nothing in memory.
    let cache = open();
    for (memory_hits, disk_hits) in [(0, 1), (1, 1)] {
        let again = TieredComponent::with_cache(&engine, &bytes, &cache).expect("it is there");
        assert!(again.is_optimized());
        assert_eq!(Adding::of(&again.current()).sum(10), Some(Val::U64(12 * 45)));
        let counters = cache.counters();
        assert_eq!((counters.compiled, counters.failed), (0, 0));
        assert_eq!(
            (counters.memory_hits, counters.disk_hits),
            (memory_hits, disk_hits)
        );
    }
    std::fs::remove_dir_all(&folder).expect("ours");
}

#[test]
fn many_are_compiled_one_after_the_other() {
    let components: Vec<_> = (100..140).map(adder).collect();
    let engine = engine();
    let cache = with_starts(&engine, &components);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let begin = |(index, bytes): (usize, &Vec<u8>)| {
        let seen = seen.clone();
        let watched = engine.watched(move |_| {
            seen.lock().expect("no panic").push(index);
            ControlFlow::Continue(())
        });
        TieredComponent::with_cache(&watched, bytes, &cache).expect("it starts")
    };
    let begun: Vec<_> = components.iter().enumerate().map(begin).collect();
    for (number, component) in (100..).zip(&begun) {
        assert!(component.wait(LONG));
        assert_eq!(
            Adding::of(&component.current()).sum(10),
            Some(Val::U64(45 * number))
        );
    }
    let mut order = seen.lock().expect("no panic").clone();
    order.dedup();
    assert_eq!(order, (0..components.len()).collect::<Vec<_>>());
}
