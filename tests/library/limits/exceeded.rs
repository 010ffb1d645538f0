//! Components that exceed a limit, and neighbors that still answer.

use std::time::Duration;

use airssys_wasm::limits::{LimitSource, Resource, ResourceLimits};
use airssys_wasm::runtime::{ErrorKind, Payload, TimeLimit};
use airssys_wasm::security::{Policy, SecurityContext};
use airssys_wasm::{ComponentOptions, ComponentRuntime, ComponentState, RuntimeError};
use airssys_wasm_test_support::host::{Guest, id, runtimes};

use super::{limit, started};

/// Runs `work` on each backend, beside a component that must still answer afterwards.
fn beside_a_neighbor(work: impl Fn(&ComponentRuntime)) {
    for runtime in runtimes() {
        let neighbor = started(&runtime, "neighbor", &answering(), ResourceLimits::new());
        work(&runtime);
        let answer = runtime.execute(&neighbor, b"still there").expect("it answers");
        assert_eq!(answer.len(), 1000, "{:?}", runtime.config().backend());
    }
}

/// A component that answers each operation with 1000 bytes.
fn answering() -> Vec<u8> {
    Guest {
        execute: "(i32.store offset=8 (i32.const 8192) (i32.const 0))
                  (i32.store offset=12 (i32.const 8192) (i32.const 1000)) i32.const 8192",
        ..Guest::default()
    }
    .build()
}

#[test]
fn an_operation_that_is_too_large_is_refused_and_harms_nothing() {
    beside_a_neighbor(|runtime| {
        let limits = ResourceLimits::new().with_payload_bytes(2000);
        let id = started(runtime, "small", &answering(), limits);
        assert!(runtime.execute(&id, &[0; 2000]).is_ok());
        let refused = runtime.execute(&id, &[0; 2001]).expect_err("too large");
        assert_eq!(
            refused.to_string(),
            "the operation of `small` has 2001 bytes, more than the limit of 2000 (payload-bytes) of the component's options"
        );
        assert_eq!(refused.kind(), ErrorKind::Stopped);
        assert!(runtime.execute(&id, b"again").is_ok());
    });
}

#[test]
fn an_answer_that_is_too_large_is_dropped_and_harms_nothing() {
    beside_a_neighbor(|runtime| {
        let limits = ResourceLimits::new().with_payload_bytes(999);
        let id = started(runtime, "large", &answering(), limits);
        let refused = runtime.execute(&id, b"x").expect_err("too large");
        let expected = |error: &RuntimeError| {
            matches!(
                error,
                RuntimeError::Payload {
                    payload: Payload::Answer,
                    bytes: 1000,
                    limit: 999,
                    origin: LimitSource::Options,
                    ..
                }
            )
        };
        assert!(expected(&refused), "{refused}");
        assert_eq!(
            runtime.state(&id).expect("it is loaded"),
            ComponentState::Initialized
        );
    });
}

#[test]
fn memory_does_not_grow_beyond_its_limit() {
    // It has 32 pages, and tries to have 64.
    let growing = Guest {
        execute: "(if (i32.ne (memory.grow (i32.const 16)) (i32.const 32)) (then unreachable))
                  (if (i32.ne (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable)) i32.const 0",
        ..Guest::default()
    }
    .build();
    beside_a_neighbor(|runtime| {
        let limits = ResourceLimits::new().with_memory_bytes(48 << 16);
        let id = started(runtime, "growing", &growing, limits);
        runtime.execute(&id, b"").expect("it grows as far as it may");
    });
}

#[test]
fn a_component_that_starts_with_more_memory_is_not_loaded() {
    beside_a_neighbor(|runtime| {
        let limits = ResourceLimits::new().with_memory_bytes(31 << 16);
        let options = ComponentOptions::new().with_resource_limits(limits);
        let refused = runtime
            .load_component(&answering(), options)
            .expect_err("too large");
        assert_eq!(refused.kind(), ErrorKind::Load, "{refused}");
        let shown = refused.to_string();
        assert!(
            shown.contains("memory = 1984KiB, by the component's options"),
            "{shown}"
        );
    });
}

#[test]
fn a_component_that_starts_with_more_table_elements_is_not_loaded() {
    let guest = Guest {
        more: "(table 100 funcref)",
        ..Guest::default()
    }
    .build();
    beside_a_neighbor(|runtime| {
        let load = |elements| {
            let limits = ResourceLimits::new().with_table_elements(elements);
            let options = ComponentOptions::new().with_id(id("tables"));
            runtime.load_component(&guest, options.with_resource_limits(limits))
        };
        let refused = load(99).expect_err("it has more");
        assert!(
            matches!(&refused, RuntimeError::LimitExceeded { exceeded, limit, .. }
                if exceeded.requested == 100 && (limit.resource, limit.value) == (Resource::TableElements, 99)),
            "{refused}"
        );
        let id = load(100).expect("it fits");
        runtime.unload(&id).expect("it is loaded");
    });
}

#[test]
fn a_call_ends_at_the_time_of_the_policy() {
    let sleeping = Guest {
        execute: "(call $sleep (i64.const 600000)) i32.const 0",
        ..Guest::default()
    }
    .build();
    let spinning = Guest {
        execute: "(loop (br 0)) i32.const 0",
        ..Guest::default()
    }
    .build();
    beside_a_neighbor(|runtime| {
        for guest in [&sleeping, &spinning] {
            let policy =
                Policy::from_toml("policy.toml", "[limits]\ncall-time = '150ms'\n").expect("a policy");
            let context = SecurityContext::builder().policy(policy).build();
            let options = ComponentOptions::new().with_id(id("slow")).with_security(context);
            // The time holds for `init` too, which a slow machine may exceed.
            let started = (0..20).find_map(|_| {
                let id = runtime.load_component(guest, options.clone()).expect("it loads");
                match runtime.init(&id) {
                    Ok(()) => return Some(id),
                    Err(RuntimeError::Timeout { .. }) => runtime.unload(&id).expect("it is loaded"),
                    Err(error) => panic!("{error}"),
                }
                None
            });
            let id = started.expect("it starts in time");
            let stopped = runtime.execute(&id, b"").expect_err("it takes too long");
            let source = LimitSource::Policy("policy.toml:2".into());
            assert!(
                matches!(&stopped, RuntimeError::Timeout { after, limit, .. }
                    if *after == Duration::from_millis(150) && *limit == TimeLimit::Limit(source)),
                "{stopped}"
            );
            assert!(
                stopped
                    .to_string()
                    .ends_with("the limit (call-time) of the policy, policy.toml:2"),
                "{stopped}"
            );
            assert_eq!(runtime.state(&id).expect("it is loaded"), ComponentState::Failed);
            runtime.unload(&id).expect("it is loaded");
        }
    });
}

#[test]
fn a_component_gets_only_so_many_handles() {
    // Pollables that are never dropped.
    let hoarding = Guest {
        execute: "(loop (drop (call $after (i64.const 1))) (br 0)) i32.const 0",
        ..Guest::default()
    }
    .build();
    beside_a_neighbor(|runtime| {
        let id = started(
            runtime,
            "hoarding",
            &hoarding,
            ResourceLimits::new().with_handles(50),
        );
        let stopped = runtime.execute(&id, b"").expect_err("there is an end");
        assert_eq!(stopped.kind(), ErrorKind::Stopped, "{stopped}");
        assert!(!matches!(stopped, RuntimeError::Timeout { .. }), "{stopped}");
    });
}

#[test]
fn the_guest_gets_the_true_limits() {
    // `init` has memory and time as numbers, and `execute` has them at 32 and 40 of its parameters.
    let knowing = Guest {
        init: "(if (i64.ne (local.get 5) (i64.const 3145728)) (then unreachable))
               (if (i64.ne (local.get 6) (i64.const 5000)) (then unreachable)) i32.const 0",
        execute: "(if (i64.ne (i64.load offset=32 (local.get 0)) (i64.const 3145728)) (then unreachable))
                  (if (i64.ne (i64.load offset=40 (local.get 0)) (i64.const 5000)) (then unreachable)) i32.const 0",
        ..Guest::default()
    }
    .build();
    beside_a_neighbor(|runtime| {
        let limits = ResourceLimits::new()
            .with_memory_bytes(3 << 20)
            .with_call_time(Duration::from_secs(5));
        let id = started(runtime, "knowing", &knowing, limits);
        runtime.execute(&id, b"").expect("it gets what applies");
        let found = runtime.effective_limits(&id).expect("it is loaded");
        assert_eq!(limit(&found, Resource::Memory), (3 << 20, LimitSource::Options));
        assert_eq!(limit(&found, Resource::CallTime), (5000, LimitSource::Options));
    });
}

#[test]
fn the_time_in_the_metadata_is_a_limit_once_it_is_known() {
    // `timeout-ms` is at 96: some(7).
    let impatient = Guest {
        metadata: "(i32.store8 offset=96 (i32.const 4096) (i32.const 1))
                   (i64.store offset=104 (i32.const 4096) (i64.const 7)) i32.const 4096",
        ..Guest::default()
    }
    .build();
    beside_a_neighbor(|runtime| {
        let options = ComponentOptions::new().with_id(id("impatient"));
        let id = runtime.load_component(&impatient, options).expect("it loads");
        let time = |runtime: &ComponentRuntime| {
            limit(
                &runtime.effective_limits(&id).expect("loaded"),
                Resource::CallTime,
            )
        };
        assert_eq!(time(runtime), (600_000, LimitSource::Default));
        runtime.init(&id).expect("it starts");
        assert_eq!(time(runtime), (7, LimitSource::Metadata));
    });
}
