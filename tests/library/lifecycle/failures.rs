//! Traps, errors, limits: failures that end a component and those that do not.

use std::time::{Duration, Instant};

use airssys_wasm::codec::{self, Codec};
use airssys_wasm::error::{CoreTrap, TrapKind};
use airssys_wasm::runtime::{Call, ComponentError, ErrorKind, TimeLimit};
use airssys_wasm::{ComponentOptions, ComponentRuntime, ComponentState, RuntimeConfig, RuntimeError};

use super::host_support::{Guest, ZERO, fixture, runtime, runtimes};
use super::{CALLS, call, options, sleeper, within};

#[test]
fn a_refused_configuration_fails_the_component() {
    let runtime = runtime();
    let options = ComponentOptions::new().with_config("algorithm", "rot13");
    let id = runtime
        .load_component(&fixture("checksum.wasm"), options)
        .unwrap();
    let error = runtime.init(&id).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Answer);
    assert!(
        matches!(&error, RuntimeError::Component(ComponentError::InvalidConfig(text)) if text.contains("crc32")),
        "{error:?}"
    );
    assert_eq!(runtime.state(&id).unwrap(), ComponentState::Failed);

    let options = ComponentOptions::new().with_config_data(codec::encode(Codec::Json.code(), b"{}"));
    let id = runtime
        .load_component(&fixture("text-processor.wasm"), options)
        .unwrap();
    let refused = runtime.init(&id);
    assert!(
        matches!(
            refused,
            Err(RuntimeError::Component(ComponentError::InvalidConfig(_)))
        ),
        "{refused:?}"
    );
}

#[test]
fn a_trapped_component_refuses_further_calls() {
    for runtime in runtimes() {
        let guest = Guest {
            execute: "unreachable",
            ..Guest::default()
        };
        let id = runtime.load_component(&guest.build(), options("trap")).unwrap();
        runtime.init(&id).unwrap();
        let error = runtime.execute(&id, b"").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Stopped);
        let RuntimeError::Stopped {
            source,
            call: Call::Execute,
            ..
        } = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!(
            source.trap().unwrap().kind(),
            &TrapKind::Core(CoreTrap::Unreachable)
        );
        assert_eq!(runtime.state(&id).unwrap(), ComponentState::Failed);
        for this in CALLS {
            let refused = call(&runtime, &id, this);
            assert!(
                matches!(
                    refused,
                    Err(RuntimeError::WrongState {
                        state: ComponentState::Failed,
                        ..
                    })
                ),
                "{this}: {refused:?}"
            );
        }
        // Its identity stays in use until it is unloaded.
        let again = runtime.load_component(&guest.build(), options("trap"));
        assert!(matches!(again, Err(RuntimeError::DuplicateId(_))));
        runtime.unload(&id).unwrap();
        runtime.load_component(&guest.build(), options("trap")).unwrap();
    }
}

#[test]
fn a_trap_in_init_or_shutdown_fails_the_component() {
    let runtime = runtime();
    let init = Guest {
        init: "unreachable",
        ..Guest::default()
    };
    let id = runtime
        .load_component(&init.build(), ComponentOptions::new())
        .unwrap();
    assert!(matches!(
        runtime.init(&id),
        Err(RuntimeError::Stopped { call: Call::Init, .. })
    ));
    assert_eq!(runtime.state(&id).unwrap(), ComponentState::Failed);

    let shutdown = Guest {
        shutdown: "unreachable",
        ..Guest::default()
    };
    let id = runtime
        .load_component(&shutdown.build(), ComponentOptions::new())
        .unwrap();
    runtime.init(&id).unwrap();
    assert!(matches!(
        runtime.shutdown(&id),
        Err(RuntimeError::Stopped {
            call: Call::Shutdown,
            ..
        })
    ));
    assert_eq!(runtime.state(&id).unwrap(), ComponentState::Failed);
}

#[test]
fn an_error_from_shutdown_ends_the_component_all_the_same() {
    let runtime = runtime();
    let guest = Guest {
        shutdown: "i32.const 2048",
        // The error `internal("disk")`.
        more: r#"(data (i32.const 2048) "\01\00\00\00\05\00\00\00\00\0c\00\00\04\00\00\00") (data (i32.const 3072) "disk")"#,
        ..Guest::default()
    };
    let id = runtime
        .load_component(&guest.build(), ComponentOptions::new())
        .unwrap();
    runtime.init(&id).unwrap();
    let error = runtime.shutdown(&id).unwrap_err();
    assert!(
        matches!(&error, RuntimeError::Component(ComponentError::Internal(text)) if text == "disk"),
        "{error:?}"
    );
    assert_eq!(runtime.state(&id).unwrap(), ComponentState::ShutDown);
}

#[test]
fn a_sleeping_component_is_stopped_when_its_time_is_up() {
    for runtime in runtimes() {
        let id = runtime
            .load_component(&sleeper(), ComponentOptions::new())
            .unwrap();
        runtime.init(&id).unwrap();
        let start = Instant::now();
        let error = runtime
            .execute_with(&id, b"", within(Duration::from_millis(50)))
            .unwrap_err();
        assert!(
            matches!(&error, RuntimeError::Timeout { after, .. } if *after == Duration::from_millis(50)),
            "{error:?}"
        );
        assert!(start.elapsed() >= Duration::from_millis(50));
        assert!(start.elapsed() < Duration::from_secs(10));
        assert_eq!(runtime.state(&id).unwrap(), ComponentState::Failed);
    }
}

/// Metadata at 2048 that requires 2 GiB of memory.
const DEMANDING: &str = r#"(data (i32.const 2120) "\00\00\00\80\00\00\00\00")"#;
/// Metadata at 2048 that allows 20 ms for an operation.
const HASTY: &str = r#"(data (i32.const 2144) "\01\00\00\00\00\00\00\00\14")"#;
/// Metadata at 2048 with a description of 1 MiB.
const VERBOSE: &str = r#"(data (i32.const 2064) "\00\00\00\00\00\00\10\00")"#;

fn described(more: &'static str, execute: &'static str) -> Vec<u8> {
    Guest {
        metadata: "i32.const 2048",
        execute,
        more,
        ..Guest::default()
    }
    .build()
}

#[test]
fn a_component_that_needs_more_memory_than_it_may_have_is_not_started() {
    let runtime = runtime();
    let id = runtime
        .load_component(&described(DEMANDING, ZERO), ComponentOptions::new())
        .unwrap();
    let refused = runtime.init(&id);
    assert!(
        matches!(refused, Err(RuntimeError::Memory { needed, limit, .. }) if needed == 2 << 30 && limit == 1 << 30),
        "{refused:?}"
    );
    assert_eq!(runtime.state(&id).unwrap(), ComponentState::Created);
}

#[test]
fn a_components_own_time_for_an_operation_applies() {
    let runtime = runtime();
    let guest = described(HASTY, "(call $sleep (i64.const 600000)) i32.const 0");
    let id = runtime.load_component(&guest, ComponentOptions::new()).unwrap();
    runtime.init(&id).unwrap();
    let stopped = runtime.execute(&id, b"");
    assert!(
        matches!(stopped, Err(RuntimeError::Timeout { after, limit: TimeLimit::Component, .. })
            if after == Duration::from_millis(20)),
        "{stopped:?}"
    );
}

#[test]
fn metadata_beyond_its_bounds_is_refused() {
    let runtime = runtime();
    let id = runtime
        .load_component(&described(VERBOSE, ZERO), ComponentOptions::new())
        .unwrap();
    for _ in 0..2 {
        let refused = runtime.metadata(&id);
        assert!(
            matches!(refused, Err(RuntimeError::Metadata { .. })),
            "{refused:?}"
        );
    }
    assert!(matches!(runtime.init(&id), Err(RuntimeError::Metadata { .. })));
    assert_eq!(runtime.state(&id).unwrap(), ComponentState::Created);
}

#[cfg(all(unix, feature = "interrupt"))]
#[test]
fn a_component_that_computes_on_is_stopped_at_its_deadline() {
    for runtime in runtimes() {
        let guest = Guest {
            execute: "(loop $forever (br $forever)) unreachable",
            ..Guest::default()
        };
        let id = runtime.load_component(&guest.build(), options("loop")).unwrap();
        runtime.init(&id).unwrap();
        let timeout = Duration::from_millis(100);
        let begin = Instant::now();
        let error = runtime.execute_with(&id, b"", within(timeout)).unwrap_err();
        assert!(matches!(error, RuntimeError::Timeout { .. }), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::Stopped);
        assert!(begin.elapsed() >= Duration::from_millis(100));
        assert_eq!(runtime.state(&id).unwrap(), ComponentState::Failed);
        // A deadline that has passed stops no other component.
        let id = runtime
            .load_component(&Guest::default().build(), options("after"))
            .unwrap();
        runtime.init(&id).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        runtime.execute(&id, b"").unwrap();
    }
}

/// WASI respects the deadline of the call that uses it.
#[test]
fn waiting_by_wasi_ends_with_the_time_of_the_call() {
    let guest = Guest {
        execute: "(call $block (call $after (i64.const -1))) i32.const 0",
        ..Guest::default()
    };
    let bytes = guest.build();
    for runtime in runtimes() {
        let id = runtime.load_component(&bytes, options("waits")).unwrap();
        runtime.init(&id).unwrap();
        let start = Instant::now();
        let options = within(Duration::from_millis(50));
        let error = runtime.execute_with(&id, b"", options).unwrap_err();
        assert!(
            matches!(&error, RuntimeError::Timeout { after, .. } if *after == Duration::from_millis(50)),
            "{error:?}"
        );
        assert!(start.elapsed() >= Duration::from_millis(50));
        assert!(start.elapsed() < Duration::from_secs(20));
        assert_eq!(runtime.state(&id).unwrap(), ComponentState::Failed);
    }
}

/// A start function has a deadline too.
#[test]
fn waiting_in_a_start_function_ends() {
    let guest = Guest {
        more: "(func $begin (call $block (call $after (i64.const -1)))) (start $begin)",
        ..Guest::default()
    };
    let config = RuntimeConfig::builder().with_default_timeout(Duration::from_millis(100));
    let runtime = ComponentRuntime::new(config.build().unwrap()).unwrap();
    let start = Instant::now();
    let error = runtime
        .load_component(&guest.build(), options("begins"))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Stopped, "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(20));
}
