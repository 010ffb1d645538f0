//! The memory of all components of one runtime together.

use airssys_wasm::engine::{Backend, MemoryBudget};
use airssys_wasm::limits::ResourceLimits;
use airssys_wasm::runtime::{ErrorKind, InvalidConfig, InvalidOptions};
use airssys_wasm::{ComponentId, ComponentOptions, ComponentRuntime, RuntimeConfig, RuntimeError};
use airssys_wasm_test_support::host::{Guest, id, runtime};

use super::started;

/// One page of linear memory. A guest starts with 32.
const PAGE: u64 = 65_536;

fn on_each_backend(budget: u64, reserve: u64, work: impl Fn(&ComponentRuntime, &MemoryBudget)) {
    for backend in Backend::available() {
        let budget = MemoryBudget::new(budget);
        let config = RuntimeConfig::builder()
            .with_backend(*backend)
            .with_memory_budget(budget.clone())
            .with_memory_reserve(reserve)
            .build()
            .expect("sound");
        let runtime = ComponentRuntime::new(config).expect("the contract can be linked");
        work(&runtime, &budget);
        drop(runtime);
        assert_eq!((budget.used(), budget.reserved()), (0, 0), "{backend}");
    }
}

/// A component that grows its memory by as many pages as its operation has bytes, and traps if that fails.
fn growing() -> Vec<u8> {
    Guest {
        // The operation's length is the second field of the parameters.
        execute: "(if (i32.eq (memory.grow (i32.load offset=4 (local.get 0))) (i32.const -1)) (then unreachable)) i32.const 0",
        ..Guest::default()
    }
    .build()
}

/// A component that grows its memory until it cannot.
fn greedy() -> Vec<u8> {
    Guest {
        execute: "(loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) i32.const 0",
        ..Guest::default()
    }
    .build()
}

fn load(runtime: &ComponentRuntime, name: &str) -> Result<ComponentId, RuntimeError> {
    let options = ComponentOptions::new().with_id(id(name));
    runtime.load_component(&growing(), options)
}

#[test]
fn a_greedy_component_leaves_its_neighbors_their_reserve() {
    on_each_backend(200 * PAGE, 40 * PAGE, |runtime, budget| {
        let none = ResourceLimits::new;
        let first = started(runtime, "first", &growing(), none());
        let second = started(runtime, "second", &growing(), none());
        let greedy = started(runtime, "greedy", &greedy(), none());
        assert_eq!((budget.used(), budget.reserved()), (96 * PAGE, 120 * PAGE));
        runtime.execute(&greedy, b"").expect("it grows as far as it can");
        assert_eq!(budget.used(), (2 * 32 + 120) * PAGE);
        // The neighbors have eight more pages each, and no ninth.
        runtime.execute(&first, &[0; 8]).expect("it is reserved");
        runtime.execute(&second, &[0; 8]).expect("it is reserved");
        assert_eq!(budget.used(), budget.limit());
        assert!(runtime.execute(&second, &[0; 1]).is_err());
        // The second has failed: its memory and its reserve are free, and enough for one more.
        assert_eq!(budget.reserved(), 80 * PAGE);
        let third = load(runtime, "third").expect("it fits");
        let refused = load(runtime, "fourth").expect_err("nothing is left");
        assert!(
            matches!(&refused, RuntimeError::MemoryBudget { id, exceeded }
                if id.as_str() == "fourth" && exceeded.limit == "memory_budget"
                    && (exceeded.allowed, exceeded.requested) == (200 * PAGE, 40 * PAGE)),
            "{refused}"
        );
        assert_eq!(refused.kind(), ErrorKind::Load);
        runtime.init(&third).expect("it starts");
        runtime.execute(&first, b"").expect("it goes on");
        // What is given back can be used again.
        runtime.shutdown(&greedy).expect("it is initialized");
        load(runtime, "fourth").expect("it fits");
    });
}

#[test]
fn a_component_that_does_not_fit_is_refused_and_harms_nothing() {
    on_each_backend(70 * PAGE, 0, |runtime, budget| {
        let first = started(runtime, "first", &growing(), ResourceLimits::new());
        load(runtime, "second").expect("it fits");
        let refused = load(runtime, "third").expect_err("six pages are left");
        assert!(
            matches!(&refused, RuntimeError::MemoryBudget { exceeded, .. }
                if (exceeded.allowed, exceeded.used, exceeded.requested) == (70 * PAGE, 64 * PAGE, 32 * PAGE)),
            "{refused}"
        );
        assert_eq!(budget.used(), 64 * PAGE);
        runtime.execute(&first, &[0; 6]).expect("it fits");
        runtime.unload(&id("second")).expect("it is loaded");
        load(runtime, "third").expect("it fits");
    });
}

#[test]
fn a_reserve_is_at_most_the_limit_on_memory_and_options_replace_it() {
    on_each_backend(100 * PAGE, 50 * PAGE, |runtime, budget| {
        let limits = ResourceLimits::new().with_memory_bytes(33 * PAGE);
        started(runtime, "small", &growing(), limits);
        assert_eq!(budget.reserved(), 33 * PAGE);
        let options = ComponentOptions::new().with_id(id("own"));
        runtime
            .load_component(&growing(), options.with_memory_reserve(60 * PAGE))
            .expect("it fits");
        assert_eq!(budget.reserved(), 93 * PAGE);
        assert!(matches!(
            load(runtime, "other"),
            Err(RuntimeError::MemoryBudget { .. })
        ));
    });
}

#[test]
fn a_reserve_without_a_budget_is_refused() {
    let refused = RuntimeConfig::builder().with_memory_reserve(PAGE).build();
    assert!(
        matches!(refused, Err(InvalidConfig::Reserve { budget: 0, .. })),
        "{refused:?}"
    );
    let refused = RuntimeConfig::builder()
        .with_memory_budget(MemoryBudget::new(PAGE))
        .with_memory_reserve(PAGE + 1)
        .build();
    assert!(
        matches!(refused, Err(InvalidConfig::Reserve { budget: PAGE, .. })),
        "{refused:?}"
    );
    let options = ComponentOptions::new().with_memory_reserve(PAGE);
    let refused = runtime().load_component(&growing(), options);
    assert!(
        matches!(
            refused,
            Err(RuntimeError::Options(InvalidOptions::NoMemoryBudget))
        ),
        "{refused:?}"
    );
}
