use super::*;
use crate::artifact::cache::faults::Faulty;
use crate::artifact::cache::tests::Folder;
use crate::artifact::cache_key;
use crate::component::{Linker, Store, Val};
use crate::engine::{Backend, Config};
use std::sync::Barrier;
use std::time::{Duration, Instant};

fn engine() -> Engine {
    Engine::new(&Config::new()).expect("a backend")
}

/// A component with a function that returns a number.
fn component(number: u32) -> Vec<u8> {
    let text = format!(
        r#"(component
            (core module $m (func (export "run") (result i32) (i32.const {number})))
            (core instance $i (instantiate $m))
            (func (export "run") (result u32) (canon lift (core func $i "run"))))"#
    );
    wat::parse_str(text).expect("the text parses")
}

fn answer(engine: &Engine, component: &Component) -> Option<Val> {
    let linker: Linker<()> = Linker::new(engine);
    let mut store = Store::new(engine, ());
    let instance = linker.instantiate(&mut store, component).expect("it links");
    let run = instance.get_func(&mut store, ["run"]).expect("it is exported");
    run.call_dynamic(&mut store, &[]).expect("it runs")
}

fn on_disk(folder: &Folder) -> ComponentCache {
    ComponentCache::open(MemoryLimits::default(), CacheConfig::new(&folder.0)).expect("it is ours")
}

#[test]
fn components_come_from_the_nearest_tier() {
    for backend in Backend::available() {
        let folder = Folder::new(&format!("tiers-{backend}"));
        let engine = Engine::new(Config::new().backend(*backend)).expect("it is available");
        let cache = on_disk(&folder);
        let bytes = component(42);
        let get = |cache: &ComponentCache| {
            let found = cache.get(&engine, &bytes).expect("it compiles");
            assert_eq!(answer(&engine, &found), Some(Val::U32(42)));
            assert_eq!((found.backend(), found.size()), (*backend, bytes.len()));
        };
        get(&cache);
        get(&cache);
        cache.clear_memory();
        assert_eq!(cache.memory_info(), MemoryInfo::default());
        get(&cache);
        let counters = cache.counters();
        assert_eq!(
            (counters.compiled, counters.memory_hits, counters.disk_hits),
            (1, 1, 1)
        );
        let disk = counters.disk.expect("there is one");
        assert_eq!((disk.hits, disk.misses, disk.stored), (1, 1, 1));
        let other = on_disk(&folder);
        get(&other);
        assert_eq!((other.counters().compiled, other.counters().disk_hits), (0, 1));
    }
}

#[test]
fn what_is_compiled_otherwise_is_another() {
    let cache = ComponentCache::new(MemoryLimits::default(), None);
    let mut keys = std::collections::BTreeSet::new();
    for backend in Backend::available() {
        let engine = Engine::new(Config::new().backend(*backend)).expect("it is available");
        for number in [1, 2] {
            let found = cache.get(&engine, &component(number)).expect("it compiles");
            assert_eq!(found.backend(), *backend);
            assert_eq!(answer(&engine, &found), Some(Val::U32(number)));
            keys.insert(cache.key(&engine, &component(number)));
        }
    }
    assert_eq!(keys.len(), 2 * Backend::available().len());
    assert_eq!(cache.counters().compiled, keys.len() as u64);
}

#[test]
fn memory_keeps_what_is_used_and_what_is_pinned() {
    let limits = MemoryLimits {
        components: 2,
        code_bytes: u64::MAX,
    };
    let (engine, cache) = (engine(), ComponentCache::new(limits, None));
    let get = |number| cache.get(&engine, &component(number)).expect("it compiles");
    let compiled = || cache.counters().compiled;
    get(1);
    get(2);
    get(1);
    get(3);
    assert_eq!((compiled(), cache.counters().evicted), (3, 1));
    get(1);
    assert_eq!(compiled(), 3, "it was used since");
    get(2);
    assert_eq!(compiled(), 4, "it was not");

    cache.get_pinned(&engine, &component(1)).expect("it compiles");
    for number in 10..15 {
        get(number);
    }
    let before = compiled();
    get(1);
    assert_eq!(compiled(), before, "it is pinned");
    cache.clear_memory();
    assert_eq!(
        (cache.memory_info().components, cache.memory_info().pinned),
        (1, 1)
    );
    let key = cache.key(&engine, &component(1));
    assert!(cache.unpin(&key) && !cache.unpin(&key));
    cache.clear_memory();
    assert_eq!(cache.memory_info().components, 0);

    let one = {
        get(1);
        cache.memory_info().code_bytes
    };
    let limits = MemoryLimits {
        components: 100,
        code_bytes: 2 * one + one / 2,
    };
    let cache = ComponentCache::new(limits, None);
    for number in 1..=4 {
        cache.get(&engine, &component(number)).expect("it compiles");
    }
    let info = cache.memory_info();
    assert!(
        info.components == 2 && info.code_bytes <= limits.code_bytes,
        "{info:?}"
    );
}

#[test]
fn threads_that_ask_at_once_compile_once() {
    let folder = Folder::new("tiers-once");
    let (engine, cache) = (engine(), on_disk(&folder));
    for round in 0..10 {
        let bytes = component(1000 + round);
        let barrier = Barrier::new(8);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    let found = cache.get(&engine, &bytes).expect("it compiles");
                    assert_eq!(answer(&engine, &found), Some(Val::U32(1000 + round)));
                });
            }
        });
    }
    let counters = cache.counters();
    assert_eq!(counters.compiled, 10);
    assert_eq!(counters.waited + counters.memory_hits, 70);
    assert_eq!(counters.disk.map(|disk| disk.stored), Some(10));
}

/// Runs `made` in one thread, while others wait for the same component; returns what these get.
fn others_get(
    cache: &ComponentCache,
    made: impl FnOnce() -> Result<(Component, u64), Error> + Send,
    otherwise: impl Fn() -> Result<(Component, u64), Error> + Sync,
) -> Vec<Result<Component, Error>> {
    let key = cache_key(b"one", b"");
    let begun = Barrier::new(5);
    std::thread::scope(|scope| {
        let leader = scope.spawn(|| {
            cache.find_or(key, false, || {
                begun.wait();
                let start = Instant::now();
                while cache.memory().waiting(&key) < 4 {
                    assert!(
                        start.elapsed() < Duration::from_secs(60),
                        "the others do not wait"
                    );
                    std::thread::sleep(Duration::from_millis(1));
                }
                made()
            })
        });
        let others: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    begun.wait();
                    cache.find_or(key, false, &otherwise)
                })
            })
            .collect();
        let results = others
            .into_iter()
            .map(|other| other.join().expect("no panic"))
            .collect();
        // A panic is that thread's alone.
        let _ = leader.join();
        results
    })
}

#[test]
fn those_who_wait_are_woken_whatever_happens() {
    let compiled = |number| {
        let engine = engine();
        Component::from_binary(&engine, &component(number)).map(|component| (component, 1))
    };
    let nobody = || -> Result<(Component, u64), Error> { panic!("the first one brings it") };
    let cache = || ComponentCache::new(MemoryLimits::default(), None);

    let well = cache();
    for result in others_get(&well, || compiled(7), nobody) {
        assert_eq!(answer(&engine(), &result.expect("it comes")), Some(Val::U32(7)));
    }
    assert_eq!((well.counters().waited, well.counters().failed), (4, 0));

    let failing = cache();
    for result in others_get(&failing, || Err(Error::NotWasm("no".into())), nobody) {
        assert!(matches!(result, Err(Error::NotWasm(why)) if why == "no"));
    }
    assert_eq!(failing.counters().failed, 1);

    let panicking = cache();
    for result in others_get(&panicking, || panic!("as a compiler may"), nobody) {
        assert!(matches!(result, Err(Error::Bug(why)) if why.contains("panicked")));
    }
    let after = panicking.find_or(cache_key(b"one", b""), false, || compiled(9));
    assert_eq!(answer(&engine(), &after.expect("it goes on")), Some(Val::U32(9)));

    // An error that is the first one's own: the others try, one of them at a time.
    let own = cache();
    let results = others_get(&own, || Err(Error::WrongStore("a store")), || compiled(8));
    for result in results {
        assert_eq!(answer(&engine(), &result.expect("it comes")), Some(Val::U32(8)));
    }
    assert_eq!(own.counters().failed, 1);
    assert_eq!(own.counters().waited + own.counters().memory_hits, 3);
}

#[test]
fn what_is_no_component_is_an_error_each_time() {
    let folder = Folder::new("tiers-error");
    let (engine, cache) = (engine(), on_disk(&folder));
    for _ in 0..2 {
        assert!(matches!(cache.get(&engine, b"anything"), Err(Error::NotWasm(_))));
        assert!(matches!(
            cache.get(&engine, b"\0asm\x01\0\0\0"),
            Err(Error::CoreModule)
        ));
    }
    let counters = cache.counters();
    assert_eq!(
        (counters.failed, counters.compiled, counters.memory_hits),
        (4, 0, 0)
    );
    assert_eq!(
        cache
            .disk()
            .expect("there is one")
            .info()
            .expect("readable")
            .entries,
        0
    );
}

#[test]
fn no_disk_keeps_a_component_from_running() {
    let folder = Folder::new("tiers-full");
    drop(on_disk(&folder));
    let disk = Cache::with(CacheConfig::new(&folder.0), Faulty::full()).expect("what is there is enough");
    let (engine, cache) = (engine(), ComponentCache::new(MemoryLimits::default(), Some(disk)));
    for number in [1, 2] {
        let found = cache.get(&engine, &component(number)).expect("it compiles");
        assert_eq!(answer(&engine, &found), Some(Val::U32(number)));
    }
    let counters = cache.counters();
    assert_eq!(
        (counters.compiled, counters.disk.map(|disk| disk.failed_writes)),
        (2, Some(2))
    );

    // A file in place of the folder.
    let file = Folder::new("tiers-file");
    std::fs::write(&file.0, b"").expect("writable");
    let below = CacheConfig::new(file.0.join("below"));
    let cache = ComponentCache::open(MemoryLimits::default(), below).expect("it goes on without");
    assert!(cache.disk().is_none());
    assert!(cache.get(&engine, &component(1)).is_ok());
    let error = ComponentCache::open(MemoryLimits::default(), CacheConfig::new(&file.0));
    assert!(error.is_err(), "that is for somebody to put right");
    std::fs::remove_file(&file.0).expect("ours");
}

#[test]
fn what_does_not_load_is_compiled_anew() {
    let folder = Folder::new("tiers-stale");
    let (engine, bytes) = (engine(), component(5));
    let get = |cache: &ComponentCache| {
        let found = cache.get(&engine, &bytes).expect("it compiles");
        assert_eq!(answer(&engine, &found), Some(Val::U32(5)));
        cache.counters()
    };
    let cache = on_disk(&folder);
    let key = cache.key(&engine, &bytes);
    let disk = cache.disk().expect("there is one");
    assert!(disk.put(&key, b"stored by this user, and no artifact"));
    assert_eq!((get(&cache).compiled, get(&cache).disk_hits), (1, 0));
    let again = on_disk(&folder);
    assert_eq!(
        (get(&again).compiled, get(&again).disk_hits),
        (0, 1),
        "it was replaced"
    );

    let path = again.disk().and_then(|disk| disk.get(&key)).expect("there").path;
    let mut altered = std::fs::read(&path).expect("ours");
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    std::fs::write(&path, altered).expect("ours");
    let after = on_disk(&folder);
    let counters = get(&after);
    assert_eq!((counters.compiled, counters.disk_hits), (1, 0));
    assert_eq!(counters.disk.map(|disk| disk.removed), Some(1));
}
