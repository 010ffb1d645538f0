//! Reused instances are indistinguishable from new ones, and instances that cannot be reset are not reused.

use airssys_wasm_test_support as common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use airssys_wasm::component::{Component, InstancePool, Linker, PooledInstance, Val};
use airssys_wasm::engine::{Engine, StoreLimits};
use common::{Host, call, component, engines, fixture, types_linker};

/// All kinds of state that can be reset: a memory with data that grows, a second module that adds data of its own, globals
/// of each type, one of them shared.
const STATE: &str = r#"(component
    (core module $main
        (memory (export "memory") 2 9)
        (table (export "table") 2 2 funcref)
        (data (i32.const 8) "data")
        (global $words (export "words") (mut i32) (i32.const 1))
        (global $long (mut i64) (i64.const 2))
        (global $double (mut f64) (f64.const 3))
        (global $single (mut f32) (f32.const 5))
        (type $sum (func (result i64)))
        (func (export "change") (param i32)
            (memory.fill (i32.const 0) (local.get 0) (i32.mul (memory.size) (i32.const 65536)))
            (drop (memory.grow (i32.const 3)))
            (memory.fill (i32.const 0) (local.get 0) (i32.mul (memory.size) (i32.const 65536)))
            (global.set $words (local.get 0))
            (global.set $long (i64.extend_i32_u (local.get 0)))
            (global.set $double (f64.convert_i32_u (local.get 0)))
            (global.set $single (f32.convert_i32_u (local.get 0))))
        (func (export "sum") (result i64) (local $at i32) (local $sum i64)
            (loop $next
                (local.set $sum (i64.add (local.get $sum) (i64.load8_u (local.get $at))))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br_if $next (i32.lt_u (local.get $at) (i32.mul (memory.size) (i32.const 65536)))))
            (i64.add (call_indirect (type $sum) (i32.const 1))
                (i64.add (i64.extend_i32_u (global.get $words))
                    (i64.add (global.get $long)
                        (i64.add (i64.trunc_f64_u (global.get $double))
                            (i64.add (i64.trunc_f32_u (global.get $single))
                                (i64.add (local.get $sum) (i64.extend_i32_u (memory.size)))))))))
        (func (export "fail") unreachable))
    (core instance $m (instantiate $main))
    (core module $more
        (import "m" "memory" (memory 2))
        (import "m" "table" (table 2 2 funcref))
        (import "m" "words" (global $words (mut i32)))
        (data (i32.const 10) "MORE") (data (i32.const 100000) "far")
        (elem (i32.const 1) func $one)
        (func $one (result i64) i64.const 100000)
        (func (export "share") (global.set $words (i32.const 9))))
    (core instance $o (instantiate $more (with "m" (instance $m))))
    (func (export "change") (param "to" u32) (canon lift (core func $m "change")))
    (func (export "share") (canon lift (core func $o "share")))
    (func (export "fail") (canon lift (core func $m "fail")))
    (func (export "sum") (result u64) (canon lift (core func $m "sum"))))"#;

/// Returns the result of `sum` on a new instance.
fn first_sum() -> u64 {
    let text: u64 = b"daMOREfar".iter().map(|byte| u64::from(*byte)).sum();
    100_000 + 1 + 2 + 3 + 5 + text + 2
}

fn pool<T: Send + 'static>(engine: &Engine, component: &Component, linker: &Linker<T>) -> InstancePool<T> {
    let pre = linker.instantiate_pre(component).expect("it links");
    InstancePool::new(engine, pre, StoreLimits::default(), 4)
}

fn plain(engine: &Engine, text: &str) -> InstancePool<()> {
    pool(engine, &component(engine, text), &Linker::new(engine))
}

fn get<T: Send + 'static>(pool: &InstancePool<T>, data: T) -> PooledInstance<T> {
    pool.get(data).expect("there is room")
}

fn run(guest: &mut PooledInstance<()>, name: &str, args: &[Val]) -> airssys_wasm::Result<Option<Val>> {
    let (store, instance) = guest.parts();
    let func = instance.try_get_func(&mut *store, [name])?;
    func.call_dynamic(store, args)
}

fn number(guest: &mut PooledInstance<()>, name: &str) -> u64 {
    match run(guest, name, &[]).expect("it runs") {
        Some(Val::U64(number)) => number,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_one_use_left_behind_is_gone_in_the_next() {
    for engine in engines() {
        let pool = plain(&engine, STATE);
        for round in 0..50 {
            let mut guest = get(&pool, ());
            assert_eq!(pool.idle(), 0);
            assert_eq!(number(&mut guest, "sum"), first_sum(), "round {round}");
            run(&mut guest, "change", &[Val::U32(round % 255 + 1)]).expect("it runs");
            assert_ne!(number(&mut guest, "sum"), first_sum());
            run(&mut guest, "share", &[]).expect("it runs");
            drop(guest);
            assert_eq!(pool.idle(), 1, "it is kept");
        }
    }
}

#[test]
fn an_instance_whose_limit_on_memory_was_lowered_is_not_reused() {
    for engine in engines() {
        let pool = plain(&engine, STATE);
        // `change` fills memory with ones and grows it from two pages to five, if it can.
        let sum_of_pages = |pages: u64| 100_000 + 4 + pages * 65_536 + pages;
        let mut guest = get(&pool, ());
        let lowered = guest.parts().0.lower_memory_limit(2 * 65_536);
        lowered.expect("no more is in use");
        run(&mut guest, "change", &[Val::U32(1)]).expect("it runs");
        assert_eq!(number(&mut guest, "sum"), sum_of_pages(2));
        drop(guest);
        assert_eq!(pool.idle(), 0);
        let mut guest = get(&pool, ());
        run(&mut guest, "change", &[Val::U32(1)]).expect("it runs");
        assert_eq!(number(&mut guest, "sum"), sum_of_pages(5));
    }
}

#[test]
fn side_by_side_and_no_more_kept_than_asked_for() {
    for engine in engines() {
        let pool = plain(&engine, STATE);
        for _ in 0..3 {
            let mut guests: Vec<_> = (0..7).map(|_| get(&pool, ())).collect();
            for (guest, to) in guests.iter_mut().zip(1..) {
                assert_eq!(number(guest, "sum"), first_sum());
                run(guest, "change", &[Val::U32(to)]).expect("it runs");
            }
            drop(guests);
            assert_eq!(pool.idle(), 4);
        }
        let other = pool.clone();
        std::thread::spawn(move || assert_eq!(number(&mut get(&other, ()), "sum"), first_sum()))
            .join()
            .expect("another thread may use it");
        assert_eq!(pool.idle(), 4);
    }
}

#[test]
fn an_instance_that_trapped_is_not_used_again() {
    for engine in engines() {
        let pool = plain(&engine, STATE);
        let mut guest = get(&pool, ());
        let error = run(&mut guest, "fail", &[]).expect_err("it traps");
        assert!(error.trap().is_some(), "{error}");
        drop(guest);
        assert_eq!(pool.idle(), 0);
        assert_eq!(number(&mut get(&pool, ()), "sum"), first_sum());
    }
}

#[test]
fn an_instance_that_somebody_holds_is_not_used_again() {
    for engine in engines() {
        let pool = plain(&engine, STATE);
        let mut guest = get(&pool, ());
        let (store, instance) = guest.parts();
        let func = instance.get_func(store, ["sum"]).expect("it is exported");
        drop(guest);
        assert_eq!(pool.idle(), 0);
        drop(func);
        let mut guest = get(&pool, ());
        let clone = guest.parts().1.clone();
        drop(guest);
        assert_eq!(pool.idle(), 0);
        drop(clone);
        #[cfg(all(unix, feature = "interrupt"))]
        {
            let mut guest = get(&pool, ());
            let handle = guest.parts().0.interrupt_handle();
            drop(guest);
            assert_eq!(pool.idle(), 0);
            handle.interrupt();
        }
        drop(get(&pool, ()));
        assert_eq!(pool.idle(), 1);
    }
}

/// Returns a component with one core module, whose function `sum` observes its earlier calls in the way that `module`
/// implements.
fn counting(module: &str) -> String {
    format!(
        r#"(component (core module $m {module}) (core instance $m (instantiate $m))
            (func (export "sum") (result u64) (canon lift (core func $m "sum"))))"#
    )
}

#[test]
fn state_that_cannot_be_put_back_is_made_anew() {
    let modules = [
        // The table has grown with each call.
        r#"(table 1 99 funcref) (func (export "sum") (result i64)
            (drop (table.grow (ref.null func) (i32.const 1))) (i64.extend_i32_u (table.size)))"#,
        // The table was empty.
        r#"(table 1 1 funcref) (elem declare func $f) (func $f)
            (func (export "sum") (result i64) (local i32)
                (local.set 0 (ref.is_null (table.get (i32.const 0))))
                (table.set (i32.const 0) (ref.func $f))
                (i64.extend_i32_u (i32.add (local.get 0) (i32.const 1))))"#,
        // A start function sets a global.
        r#"(memory 1) (global $g (mut i64) (i64.const 1)) (start $s)
            (func $s (global.set $g (i64.const 2)))
            (func (export "sum") (result i64) (global.get $g) (global.set $g (i64.const 7)))"#,
        // A reference in a global.
        r#"(global $g (mut funcref) (ref.null func)) (elem declare func $f) (func $f)
            (func (export "sum") (result i64) (local i32)
                (local.set 0 (ref.is_null (global.get $g)))
                (global.set $g (ref.func $f))
                (i64.extend_i32_u (i32.add (local.get 0) (i32.const 1))))"#,
        // A dropped segment: the second call would trap.
        r#"(memory 1) (data $d "\02") (func (export "sum") (result i64)
            (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)) (data.drop $d) (i64.load8_u (i32.const 0)))"#,
    ];
    for engine in engines() {
        for module in modules {
            let pool = plain(&engine, &counting(module));
            for _ in 0..3 {
                assert_eq!(number(&mut get(&pool, ()), "sum"), 2, "{module}");
                assert_eq!(pool.idle(), 0, "{module}");
            }
        }
    }
}

#[test]
fn a_guest_cannot_say_that_it_may_be_used_again() {
    for engine in engines() {
        let forged = counting(
            r#"(table 1 1 funcref) (memory (export "airssys:restart ") 1)
                (func (export "sum") (result i64) (table.set (i32.const 0) (ref.null func)) i64.const 1)"#,
        );
        let error = common::try_component(&engine, &forged).expect_err("it is refused");
        assert!(error.to_string().contains("airssys:restart"), "{error}");
    }
}

#[test]
fn resources_and_the_hosts_data_end_with_a_use() {
    /// Data that counts its drops.
    struct Told(Arc<AtomicU32>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    for engine in engines() {
        let types = Component::from_binary(&engine, &fixture("types.wasm")).expect("the fixture loads");
        let pool = pool(&engine, &types, &types_linker(&engine));
        for round in 0..20 {
            let mut guest = get(&pool, Host::default());
            let (store, instance) = guest.parts();
            assert_eq!(instance.live_handles(), 0);
            assert_eq!((store.data().nothings, store.data().messages.len()), (0, 0));
            let start = call(
                store,
                instance,
                "counters",
                "[constructor]counter",
                &[Val::U32(round)],
            );
            let Some(Val::Resource(counter)) = start.expect("it runs") else {
                panic!("a constructor gives a resource");
            };
            // A handle that the host holds prevents the instance's reuse; one that it has dropped does not.
            if round % 2 == 0 {
                counter.resource_drop(&mut *store).expect("it is owned");
            }
            drop(guest);
            assert_eq!(pool.idle(), usize::from(round % 2 == 0), "round {round}");
        }
        let told = Arc::new(AtomicU32::new(0));
        let empty = component(&engine, "(component)");
        let told_pool = self::pool(&engine, &empty, &Linker::<Told>::new(&engine));
        for count in 1..10 {
            drop(get(&told_pool, Told(told.clone())));
            assert_eq!((told.load(Ordering::Relaxed), told_pool.idle()), (count, 1));
        }
    }
}

/// Set in the process that measures its memory.
const ALONE: &str = "AIRSSYS_POOL_MEMORY_ALONE";

/// Returns the resident memory of this process in bytes, where the system reports it.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(status.split_whitespace().nth(1)?.parse::<u64>().ok()? * 4096)
}

/// Runs in a process of its own: other tests of this one take memory meanwhile.
#[test]
fn using_instances_again_and_again_takes_no_more_memory() {
    if std::env::var_os(ALONE).is_none() {
        let this = std::env::current_exe().unwrap();
        let alone = std::process::Command::new(this)
            .args([
                "--exact",
                "using_instances_again_and_again_takes_no_more_memory",
                "--nocapture",
            ])
            .env(ALONE, "1")
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&alone.stdout);
        assert!(alone.status.success() && output.contains("1 passed"), "{alone:?}");
        return;
    }
    for engine in engines() {
        let pool = plain(&engine, STATE);
        let use_it = |times: u32| {
            for _ in 0..times {
                let mut guest = get(&pool, ());
                run(&mut guest, "share", &[]).expect("it runs");
            }
        };
        use_it(1000);
        let before = resident();
        use_it(40_000);
        if let (Some(before), Some(after)) = (before, resident()) {
            assert!(after < before + (8 << 20), "{before} to {after} bytes");
        }
    }
}
