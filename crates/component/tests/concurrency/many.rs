//! Many tasks at once, and one after another.

use airssys_wasm_component::component::{ConcurrencyCounts, Store, Val};
use airssys_wasm_component::engine::StoreLimits;
use airssys_wasm_component::error::{CoreTrap, Error, ResourceError, TrapKind};

use crate::support::{call, engines, pair, store, trap};

/// A store as a call left it that had the memory of its instances only.
pub(crate) const NOTHING: ConcurrencyCounts = ConcurrencyCounts {
    tasks: 0,
    threads: 0,
    waitables: 0,
    sets: 0,
    shared: 0,
    activities: 0,
    scopes: 0,
    stacks: 0,
    lost_stacks: 0,
};

#[test]
fn ten_thousand_subtasks_live_at_once() {
    for engine in engines() {
        let mut store = store(&engine);
        let instance = pair(&mut store);
        let count = 10_000;
        assert_eq!(
            call(&mut store, &instance, "many", count).unwrap(),
            count * (count - 1) / 2
        );
        assert_eq!(store.concurrency_counts(), NOTHING);
        assert_eq!(instance.live_handles(), 0);
    }
}

#[test]
fn a_hundred_thousand_calls_leave_nothing() {
    let engines = engines();
    for engine in &engines {
        let mut store = store(engine);
        let instance = pair(&mut store);
        let both = instance
            .get_typed_func::<(u32,), (u32,)>(&mut store, "both")
            .unwrap();
        // Three calls each.
        for x in 0..100_000 / 3 / u32::try_from(engines.len()).unwrap() {
            assert_eq!(both.call(&mut store, (x,)).unwrap(), (2 * x,));
        }
        assert_eq!(store.concurrency_counts(), NOTHING);
        assert_eq!(instance.live_handles(), 0);
    }
}

#[test]
fn cancelled_tasks_leave_nothing() {
    for engine in engines() {
        let mut store = store(&engine);
        let instance = pair(&mut store);
        // Each returns that it was cancelled before it returned: 4.
        assert_eq!(call(&mut store, &instance, "cancel", 2_000).unwrap(), 8_000);
        assert_eq!(store.concurrency_counts(), NOTHING);
        assert_eq!(instance.live_handles(), 0);
    }
}

#[test]
fn tasks_that_nothing_has_a_handle_of_are_limited() {
    for engine in engines() {
        let mut limits = StoreLimits::default();
        limits.handles = 50;
        let mut store = Store::with_limits(&engine, (), limits);
        let instance = pair(&mut store);
        let ended = (0..100).find_map(|x| call(&mut store, &instance, "linger", x).err());
        assert!(
            matches!(ended, Some(Error::Resource(ResourceError::TableFull(50)))),
            "{ended:?}"
        );
        // They go on.
        let counts = store.concurrency_counts();
        assert_eq!((counts.tasks, counts.threads), (counts.sets, counts.sets));
        assert!(counts.tasks > 0 && !instance.is_poisoned());
    }
}

#[test]
fn a_trap_among_a_thousand_tasks_ends_all_of_them() {
    for engine in engines() {
        let mut store = store(&engine);
        let (first, other) = (pair(&mut store), pair(&mut store));
        let func = first
            .get_typed_func::<(u32, u32), (u32,)>(&mut store, "many-and-trap")
            .unwrap();
        let unreachable = TrapKind::Core(CoreTrap::Unreachable);
        assert_eq!(trap(func.call(&mut store, (1_000, 500))), unreachable);
        assert_eq!(store.concurrency_counts(), NOTHING);
        assert_eq!(trap(func.call(&mut store, (1, 2))), TrapKind::Poisoned);
        assert_eq!(trap(call(&mut store, &first, "echo", 1)), TrapKind::Poisoned);
        assert_eq!(call(&mut store, &other, "many", 10).unwrap(), 45);
        assert_eq!(store.concurrency_counts(), NOTHING);
        assert_eq!(other.live_handles(), 0);
    }
}

#[test]
fn typed_and_dynamic_calls_agree() {
    for engine in engines() {
        let mut store = store(&engine);
        let instance = pair(&mut store);
        for name in ["echo", "turn", "both", "linger", "linger-on-stack"] {
            let typed = call(&mut store, &instance, name, 21).unwrap();
            let func = instance.get_func(&mut store, name).unwrap();
            let mut results = [Val::Bool(false)];
            func.call(&mut store, &[Val::U32(21)], &mut results).unwrap();
            assert_eq!(results, [Val::U32(typed)], "{name}");
            // The dynamic call checks its arguments before the guest runs.
            func.call(&mut store, &[Val::U64(1)], &mut results).unwrap_err();
            assert!(!instance.is_poisoned());
        }
        let counts = store.concurrency_counts();
        // Two calls of each of the two that linger.
        assert_eq!((counts.tasks, counts.threads, counts.stacks), (4, 4, 2));
    }
}
