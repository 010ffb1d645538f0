//! Tasks that never end: deadlocks, deadlines, limits, ends of stores.

use std::time::{Duration, Instant};

use airssys_wasm_component::component::{InstancePool, Linker, Store};
use airssys_wasm_component::engine::{StoreLimits, timer};
use airssys_wasm_component::error::{AsyncTrap, CoreTrap, Error, TrapKind};

use crate::many::NOTHING;
use crate::support::{PAIR, call, component, engines, pair, store, trap};

#[test]
fn a_guest_that_waits_for_ever_is_a_deadlock() {
    for engine in engines() {
        for name in ["stuck", "stuck-on-stack"] {
            let mut store = store(&engine);
            let (instance, other) = (pair(&mut store), pair(&mut store));
            let deadlock = TrapKind::Async(AsyncTrap::Deadlock);
            assert_eq!(trap(call(&mut store, &instance, name, 1)), deadlock, "{name}");
            assert_eq!(store.concurrency_counts(), NOTHING, "{name}");
            assert!(instance.is_poisoned());
            assert_eq!(call(&mut store, &other, "turn", 5).unwrap(), 5);
        }
    }
}

#[test]
fn an_instance_is_called_again_while_older_tasks_sleep() {
    for engine in engines() {
        let mut store = store(&engine);
        let instance = pair(&mut store);
        for round in 1..=20 {
            assert_eq!(call(&mut store, &instance, "leave-stuck", 3).unwrap(), 7);
            assert_eq!(call(&mut store, &instance, "leave-on-stacks", 2).unwrap(), 7);
            assert_eq!(call(&mut store, &instance, "both", 4).unwrap(), 8);
            let counts = store.concurrency_counts();
            assert_eq!((counts.threads, counts.stacks), (5 * round, 2 * round));
        }
        // The gate was closed for those, which now go on beside the next call.
        call(&mut store, &instance, "leave", 30).unwrap();
        assert_eq!(call(&mut store, &instance, "many", 6).unwrap(), 15);
        drop(store);
    }
}

#[test]
fn a_store_that_ends_while_tasks_sleep_frees_everything() {
    for engine in engines() {
        // More in all than a store may have at a time, and than the stacks that a process can have.
        for _ in 0..30 {
            let mut store = store(&engine);
            let instance = pair(&mut store);
            call(&mut store, &instance, "leave-stuck", 100).unwrap();
            call(&mut store, &instance, "leave-on-stacks", 400).unwrap();
            call(&mut store, &instance, "linger", 1).unwrap();
            assert_eq!(store.concurrency_counts().threads, 501);
        }
    }
}

#[test]
fn two_stores_do_not_sleep_on_one_thread() {
    for engine in engines() {
        let (mut one, mut two) = (store(&engine), store(&engine));
        let (first, second) = (pair(&mut one), pair(&mut two));
        // Without stacks, they do.
        call(&mut one, &first, "leave-stuck", 2).unwrap();
        call(&mut two, &second, "leave-stuck", 2).unwrap();
        call(&mut one, &first, "leave-on-stacks", 1).unwrap();
        let refused = call(&mut two, &second, "echo", 1);
        assert!(matches!(refused, Err(Error::SuspendedCalls(_))), "{refused:?}");
        assert_eq!(call(&mut one, &first, "echo", 1).unwrap(), 1);
        drop(one);
        // The refusal came before the guest ran, or its instance is spent; a new one works either way.
        let third = pair(&mut two);
        assert_eq!(call(&mut two, &third, "both", 1).unwrap(), 2);
    }
}

fn moved(store: Store<()>, then: impl FnOnce(Store<()>) + Send + 'static) {
    std::thread::spawn(move || then(store)).join().unwrap();
}

#[test]
fn a_store_with_a_suspended_stack_is_refused_on_another_thread() {
    for engine in engines() {
        let mut store = store(&engine);
        let instance = pair(&mut store);
        call(&mut store, &instance, "leave-on-stacks", 1).unwrap();
        moved(store, move |mut store| {
            let refused = call(&mut store, &instance, "echo", 1);
            assert!(matches!(refused, Err(Error::SuspendedCalls(_))), "{refused:?}");
        });
    }
}

#[test]
fn a_store_whose_tasks_sleep_without_stacks_moves_freely() {
    for engine in engines() {
        let mut store = store(&engine);
        let instance = pair(&mut store);
        call(&mut store, &instance, "leave", 3).unwrap();
        call(&mut store, &instance, "leave-stuck", 3).unwrap();
        moved(store, move |mut store| {
            assert_eq!(call(&mut store, &instance, "many", 4).unwrap(), 6);
        });
    }
}

#[test]
fn more_stacks_than_a_store_may_have_are_a_limit() {
    for engine in engines() {
        let mut store = store(&engine);
        let (instance, other) = (pair(&mut store), pair(&mut store));
        let kind = trap(call(&mut store, &instance, "leave-on-stacks", 10_000));
        assert!(matches!(kind, TrapKind::Limit(_)), "{kind:?}");
        assert_eq!(store.concurrency_counts(), NOTHING);
        assert_eq!(call(&mut store, &other, "many", 4).unwrap(), 6);
    }
}

#[cfg(all(unix, feature = "interrupt"))]
#[test]
fn a_guest_that_yields_for_ever_ends_at_its_deadline() {
    for engine in engines() {
        let mut store = store(&engine);
        let (instance, other) = (pair(&mut store), pair(&mut store));
        let handle = store.interrupt_handle();
        let kind = {
            let func = instance
                .get_typed_func::<(u32,), (u32,)>(&mut store, "spin")
                .unwrap();
            let deadline = Instant::now() + Duration::from_millis(50);
            let _armed = timer::arm(deadline, handle);
            trap(func.call(&mut store, (1,)))
        };
        assert_eq!(kind, TrapKind::Core(CoreTrap::Interrupted));
        assert_eq!(store.concurrency_counts(), NOTHING);
        assert_eq!(call(&mut store, &other, "turn", 5).unwrap(), 5);
    }
}

/// The next user of a pool's store finds nothing of the one before.
#[test]
fn a_pool_passes_on_no_backpressure_and_no_tasks() {
    for engine in engines() {
        let pre = Linker::new(&engine)
            .instantiate_pre(&component(&engine, PAIR))
            .unwrap();
        let pool = InstancePool::new(&engine, pre, StoreLimits::default(), 1);
        for name in ["hold-back", "leave-set"] {
            {
                let mut used = pool.get(()).unwrap();
                let (store, instance) = used.parts();
                let func = instance.get_typed_func::<(), ()>(&mut *store, name).unwrap();
                func.call(store, ()).unwrap();
            }
            let mut next = pool.get(()).unwrap();
            let (store, instance) = next.parts();
            assert_eq!(call(store, instance, "turn", 5).unwrap(), 5, "{name}");
            assert_eq!(store.concurrency_counts(), NOTHING, "{name}");
        }
        {
            let mut used = pool.get(()).unwrap();
            let (store, instance) = used.parts();
            assert_eq!(call(store, instance, "linger", 5).unwrap(), 5);
        }
        let mut next = pool.get(()).unwrap();
        let (store, _) = next.parts();
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}
