//! The most memory that a component's own metadata states.

use airssys_wasm::limits::{LimitSource, Resource, ResourceLimits};
use airssys_wasm::runtime::ErrorKind;
use airssys_wasm::{ComponentOptions, ComponentState, RuntimeError};
use airssys_wasm_test_support::host::{Guest, id, runtimes};

use super::{limit, started};

/// States 48 pages as the most memory, which is at 80.
const STATES_48: &str = "(i64.store offset=80 (i32.const 4096) (i64.const 3145728)) i32.const 4096";

#[test]
fn memory_grows_no_further_than_the_metadata_states_and_the_guest_gets_the_figure() {
    let guest = Guest {
        metadata: STATES_48,
        init: "(if (i64.ne (local.get 5) (i64.const 3145728)) (then unreachable)) i32.const 0",
        execute: "(if (i64.ne (i64.load offset=32 (local.get 0)) (i64.const 3145728)) (then unreachable))
                  (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable))
                  (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable)) i32.const 0",
        ..Guest::default()
    }
    .build();
    for runtime in runtimes() {
        let options = ComponentOptions::new().with_id(id("modest"));
        let id = runtime.load_component(&guest, options).expect("it loads");
        let memory = || limit(&runtime.effective_limits(&id).expect("loaded"), Resource::Memory);
        assert_eq!(memory(), (1 << 30, LimitSource::Default));
        runtime.init(&id).expect("it gets its own figure");
        assert_eq!(memory(), (48 << 16, LimitSource::Metadata));
        runtime.execute(&id, b"").expect("it grows as far as it states");
    }
}

#[test]
fn the_metadata_raises_no_limit_and_zero_states_nothing() {
    let growing = "(if (i32.ne (memory.grow (i32.const 9)) (i32.const -1)) (then unreachable)) i32.const 0";
    for metadata in [STATES_48, "i32.const 0"] {
        let guest = Guest {
            metadata,
            execute: growing,
            ..Guest::default()
        }
        .build();
        for runtime in runtimes() {
            let limits = ResourceLimits::new().with_memory_bytes(40 << 16);
            let id = started(&runtime, "limited", &guest, limits);
            let found = runtime.effective_limits(&id).expect("it is loaded");
            assert_eq!(limit(&found, Resource::Memory), (40 << 16, LimitSource::Options));
            runtime.execute(&id, b"").expect("it does not grow");
        }
    }
}

#[test]
fn a_component_that_uses_more_than_it_states_is_not_initialized() {
    // It has 32 pages, and states 31.
    let guest = Guest {
        metadata: "(i64.store offset=80 (i32.const 4096) (i64.const 2031616)) i32.const 4096",
        ..Guest::default()
    }
    .build();
    for runtime in runtimes() {
        let options = ComponentOptions::new().with_id(id("wrong"));
        let id = runtime.load_component(&guest, options).expect("it loads");
        for refused in [
            runtime.init(&id).expect_err("it uses more"),
            runtime.metadata(&id).map(drop).expect_err("it uses more"),
        ] {
            assert!(
                matches!(&refused, RuntimeError::LimitExceeded { exceeded, limit, .. }
                    if exceeded.requested == 32 << 16 && limit.source == LimitSource::Metadata),
                "{refused}"
            );
            assert!(
                refused
                    .to_string()
                    .ends_with("the limit is memory = 1984KiB, by the component's own metadata"),
                "{refused}"
            );
            assert_eq!(refused.kind(), ErrorKind::Load);
        }
        assert_eq!(runtime.state(&id).expect("it is loaded"), ComponentState::Created);
    }
}
