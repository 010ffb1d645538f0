//! Tasks with several threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use airssys_wasm_component::artifact::{self, Artifact, SecretKey, SnapshotOptions, Trust};
use airssys_wasm_component::component::{ConcurrencyCounts, HostResult, Instance, Linker, Store};
use airssys_wasm_component::engine::{Config, Engine, StoreLimits, timer};
use airssys_wasm_component::error::{AsyncTrap, CoreTrap, Error, ResourceError, TrapKind};

use crate::many::NOTHING;
use crate::support::{call, component, engines, store, trap};

const THREADS: &str = include_str!("threads.wat");

fn linker(engine: &Engine) -> Linker<()> {
    let mut linker = Linker::<()>::new(engine);
    let host =
        |_: airssys_wasm_component::component::StoreContextMut<'_, ()>, (x,): (u32,)| -> HostResult<(u32,)> {
            match x {
                0 => panic!("planted"),
                x => Ok((2 * x,)),
            }
        };
    linker.root().func_wrap("host", host).unwrap();
    linker
}

fn threads(store: &mut Store<()>) -> Instance {
    let component = component(store.engine(), THREADS);
    linker(store.engine()).instantiate(store, &component).unwrap()
}

/// Counts of a store that has threads of as many resolved tasks left, on their stacks or without.
fn left(tasks: usize, threads: usize, stacks: usize) -> ConcurrencyCounts {
    ConcurrencyCounts {
        tasks,
        threads,
        stacks,
        // One for each thread that has begun.
        scopes: stacks,
        ..NOTHING
    }
}

#[test]
fn ten_thousand_threads_run_to_their_ends() {
    for engine in engines() {
        let mut store = store(&engine);
        let instance = threads(&mut store);
        for name in ["many", "sync-sum"] {
            let count = 10_000;
            let sum = call(&mut store, &instance, name, count).unwrap();
            assert_eq!(sum, count * (count - 1) / 2, "{name}");
            assert_eq!(store.concurrency_counts(), NOTHING, "{name}");
        }
    }
}

#[test]
fn any_thread_returns_the_result_of_its_task() {
    for engine in engines() {
        let mut store = store(&engine);
        let instance = threads(&mut store);
        assert_eq!(call(&mut store, &instance, "give", 7).unwrap(), 7);
        assert_eq!(store.concurrency_counts(), NOTHING);
        // With the last thread, the task ends without a result.
        let ended = trap(call(&mut store, &instance, "give-nothing", 7));
        assert_eq!(ended, TrapKind::Async(AsyncTrap::NotReturned));
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn threads_outlive_the_return_of_their_task() {
    for engine in engines() {
        let mut store = store(&engine);
        let instance = threads(&mut store);
        assert_eq!(call(&mut store, &instance, "sleepers", 20).unwrap(), 20);
        assert_eq!(store.concurrency_counts(), left(1, 20, 20));
        assert_eq!(call(&mut store, &instance, "unstarted", 30).unwrap(), 30);
        assert_eq!(store.concurrency_counts(), left(2, 50, 20));
        // A task of each thread's own, since the function has returned.
        assert_eq!(call(&mut store, &instance, "sync-leave", 5).unwrap(), 5);
        // It gives way to one of them.
        assert_eq!(store.concurrency_counts(), left(7, 55, 21));
        assert_eq!(call(&mut store, &instance, "many", 10).unwrap(), 45);
        assert_eq!(store.concurrency_counts(), left(7, 55, 25));
    }
}

#[test]
fn a_store_that_ends_while_threads_sleep_frees_their_stacks() {
    for engine in engines() {
        // More in all than a process can have.
        for _ in 0..30 {
            let mut store = store(&engine);
            let instance = threads(&mut store);
            call(&mut store, &instance, "sleepers", 400).unwrap();
            call(&mut store, &instance, "unstarted", 400).unwrap();
            assert_eq!(store.concurrency_counts(), left(2, 800, 400));
        }
    }
}

#[test]
fn a_trap_of_a_thread_ends_all_of_its_instance() {
    for engine in engines() {
        let mut store = store(&engine);
        let (instance, other) = (threads(&mut store), threads(&mut store));
        call(&mut store, &instance, "unstarted", 100).unwrap();
        call(&mut store, &other, "sleepers", 3).unwrap();
        let trapped = trap(call(&mut store, &instance, "trap-among", 500));
        assert_eq!(trapped, TrapKind::Core(CoreTrap::Unreachable));
        assert_eq!(store.concurrency_counts(), left(1, 3, 3));
        assert!(instance.is_poisoned());
        assert_eq!(call(&mut store, &other, "many", 10).unwrap(), 45);
    }
}

/// The thread began once the scope of its task had ended, and has one with the same key.
#[test]
fn a_trap_ends_the_scope_of_a_thread_that_began_after_the_return() {
    for engine in engines() {
        let mut store = store(&engine);
        let instance = threads(&mut store);
        assert_eq!(call(&mut store, &instance, "return-and-spin", 9).unwrap(), 9);
        assert_eq!(store.concurrency_counts(), left(1, 1, 1));
        trap(call(&mut store, &instance, "trap-among", 3));
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn a_panic_in_a_thread_leaves_the_store_usable() {
    for engine in engines() {
        let mut store = store(&engine);
        let (instance, other) = (threads(&mut store), threads(&mut store));
        assert_eq!(call(&mut store, &instance, "ask", 21).unwrap(), 42);
        call(&mut store, &instance, "sleepers", 3).unwrap();
        let panicked = catch_unwind(AssertUnwindSafe(|| call(&mut store, &instance, "ask", 0)));
        let message = *panicked.unwrap_err().downcast::<&str>().unwrap();
        assert_eq!(message, "planted");
        assert!(instance.is_poisoned());
        assert_eq!(store.concurrency_counts(), NOTHING);
        assert_eq!(call(&mut store, &other, "many", 10).unwrap(), 45);
    }
}

#[test]
fn a_thread_that_waits_for_ever_is_a_deadlock() {
    for engine in engines() {
        let mut store = store(&engine);
        let instance = threads(&mut store);
        let ended = trap(call(&mut store, &instance, "stuck", 1));
        assert_eq!(ended, TrapKind::Async(AsyncTrap::Deadlock));
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

/// The call does not wait for a thread that yields for ever, once it has its result.
#[test]
fn a_thread_that_yields_for_ever_keeps_no_caller_that_has_its_result() {
    for engine in engines() {
        let mut store = store(&engine);
        let instance = threads(&mut store);
        assert_eq!(call(&mut store, &instance, "return-and-spin", 9).unwrap(), 9);
        assert_eq!(store.concurrency_counts(), left(1, 1, 1));
        assert_eq!(call(&mut store, &instance, "many", 100).unwrap(), 4_950);
        assert_eq!(store.concurrency_counts(), left(1, 1, 1));
    }
}

#[test]
#[cfg(all(unix, feature = "interrupt"))]
fn threads_that_take_turns_for_ever_end_at_the_deadline() {
    for engine in engines() {
        for name in ["spin", "to-and-fro"] {
            let mut store = store(&engine);
            let instance = threads(&mut store);
            let handle = store.interrupt_handle();
            let deadline = Instant::now() + Duration::from_millis(50);
            let _armed = timer::arm(deadline, handle);
            // Four thousand million turns.
            let ended = trap(call(&mut store, &instance, name, 0));
            assert_eq!(ended, TrapKind::Core(CoreTrap::Interrupted), "{name}");
            assert_eq!(store.concurrency_counts(), NOTHING, "{name}");
        }
    }
}

#[test]
fn threads_that_take_turns_for_ever_end_with_their_fuel() {
    for engine in engines() {
        let mut config = Config::new();
        config
            .backend(engine.backend())
            .consume_fuel(true)
            .wasm_component_model_async(true)
            .wasm_component_model_threading(true);
        let engine = Engine::new(&config).unwrap();
        for name in ["spin", "to-and-fro"] {
            let mut store = store(&engine);
            let instance = threads(&mut store);
            store.set_fuel(100_000).unwrap();
            let ended = trap(call(&mut store, &instance, name, 0));
            assert!(matches!(ended, TrapKind::OutOfFuel { .. }), "{name}: {ended:?}");
            assert_eq!(store.concurrency_counts(), NOTHING, "{name}");
        }
    }
}

#[test]
fn threads_are_limited() {
    for engine in engines() {
        let mut limits = StoreLimits::default();
        limits.handles = 50;
        let mut store = Store::with_limits(&engine, (), limits);
        let instance = threads(&mut store);
        let ended = trap(call(&mut store, &instance, "unstarted", 100));
        assert_eq!(ended, TrapKind::Resource(ResourceError::TableFull(50)));
        assert_eq!(store.concurrency_counts(), NOTHING);

        // Those of one component instance, however many handles there may be.
        let mut store = self::store(&engine);
        let instance = threads(&mut store);
        assert_eq!(call(&mut store, &instance, "unstarted", 16_384).unwrap(), 16_384);
        let ended = trap(call(&mut store, &instance, "unstarted", 1));
        assert!(matches!(ended, TrapKind::Limit(_)), "{ended:?}");
        assert_eq!(store.concurrency_counts(), NOTHING);

        // Those that sleep on their stacks: the others wait for one.
        let mut store = self::store(&engine);
        let instance = threads(&mut store);
        assert_eq!(call(&mut store, &instance, "sleepers", 10_000).unwrap(), 10_000);
        assert_eq!(store.concurrency_counts().stacks, 8_000);
        let ended = trap(call(&mut store, &instance, "many", 1));
        assert!(matches!(ended, TrapKind::Limit(_)), "{ended:?}");
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn an_artifact_with_threads_answers_alike() {
    let key = SecretKey::generate().unwrap();
    let trust = Trust::new([key.public()]);
    let bytes = wat::parse_str(THREADS).unwrap();
    for engine in engines() {
        let file = artifact::compile(&engine, &bytes, Some(&key)).unwrap();
        let artifact = Artifact::open(&file).unwrap();
        let component = artifact.load(&trust).unwrap();
        let plain = Engine::new(Config::new().backend(engine.backend())).unwrap();
        let mut store = Store::new(&plain, ());
        let instance = linker(&plain).instantiate(&mut store, &component).unwrap();
        assert_eq!(call(&mut store, &instance, "many", 100).unwrap(), 4_950);
        assert_eq!(call(&mut store, &instance, "give", 21).unwrap(), 21);
        assert_eq!(store.concurrency_counts(), NOTHING);
        // The table of the threads' functions changes.
        let snapshot = artifact.snapshot(&mut store, &instance, &SnapshotOptions::default());
        let refused = snapshot.unwrap_err().to_string();
        assert!(refused.contains("changes tables"), "{refused}");
    }
}

#[test]
fn threads_are_refused_without_their_setting() {
    for engine in engines() {
        let mut config = Config::new();
        config.backend(engine.backend()).wasm_component_model_async(true);
        let engine = Engine::new(&config).unwrap();
        let bytes = wat::parse_str(THREADS).unwrap();
        let refused = airssys_wasm_component::component::Component::new(&engine, bytes).unwrap_err();
        let Error::MissingFeatures {
            features, message, ..
        } = refused
        else {
            panic!("{refused}");
        };
        assert_eq!(features, ["component-model-threading"]);
        assert!(
            message.ends_with("`Config::wasm_component_model_threading` enables it"),
            "{message}"
        );
    }
}

#[test]
fn calls_of_a_future_run_beside_threads() {
    for engine in engines() {
        let mut store = store(&engine);
        let instance = threads(&mut store);
        let get = |store: &mut Store<()>, name| instance.get_typed_func::<(u32,), (u32,)>(store, name);
        let (many, give) = (get(&mut store, "many").unwrap(), get(&mut store, "give").unwrap());
        let mut run = Box::pin(store.run_concurrent(async |accessor| {
            let one = many.call_concurrent(accessor, (100,));
            let two = give.call_concurrent(accessor, (7,));
            (one.await, two.await)
        }));
        // Nothing that it waits for is outside of the store.
        let ended = loop {
            if let Poll::Ready(ended) = run.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                break ended;
            }
        };
        drop(run);
        let (one, two) = ended.unwrap();
        assert_eq!((one.unwrap(), two.unwrap()), ((4_950,), (7,)));
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

/// A component with a task whose first thread ends, or waits, and whose second one takes the cancellation, and its caller.
const CANCELLED: &str = include_str!("cancelled-threads.wat");

/// The component with the option `cancellable` on the only `thread.suspend`, which the text format lacks.
fn cancelled_threads() -> Vec<u8> {
    let mut bytes = wat::parse_str(CANCELLED).unwrap();
    // A section of one canonical definition.
    let section = [8, 3, 1, 0x29, 0];
    let found: Vec<usize> = (0..bytes.len())
        .filter(|at| bytes[*at..].starts_with(&section))
        .collect();
    assert_eq!(found.len(), 1);
    bytes[found[0] + 4] = 1;
    bytes
}

#[test]
fn a_cancellation_reaches_the_thread_whose_wait_permits_it() {
    for engine in engines() {
        let component =
            airssys_wasm_component::component::Component::new(&engine, cancelled_threads()).unwrap();
        let mut store = store(&engine);
        let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
        // Cancelled before it returned: 4. Then the number of cancellations that threads saw so far.
        for (how, seen) in [(3, 0), (1, 1), (2, 2), (0, 3)] {
            let answer = call(&mut store, &instance, "cancel", how).unwrap();
            assert_eq!(answer, 40 + seen, "{how}");
        }
        // The calls have run what others left behind, and one has made a set.
        let rest = ConcurrencyCounts { sets: 1, ..NOTHING };
        assert_eq!(store.concurrency_counts(), rest);
    }
}
