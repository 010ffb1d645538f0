//! The life of a component: orders, answers, failures, versions.

mod host_support;

use std::sync::Barrier;
use std::time::{Duration, Instant};

use airssys_wasm::codec::{self, Codec};
use airssys_wasm::error::{CoreTrap, TrapKind};
use airssys_wasm::runtime::{
    Call, CallerInfo, ComponentError, ErrorKind, ExecutionError, HealthState, TraceContext,
};
use airssys_wasm::{
    ComponentId, ComponentOptions, ComponentRuntime, ComponentState, ExecuteOptions, RuntimeConfig,
    RuntimeError,
};
use host_support::{Guest, ask, fixture, fixture_path, id, operation, read, runtime, runtimes};
use serde_json::{Value, json};

fn options(name: &str) -> ComponentOptions {
    ComponentOptions::new().with_id(id(name))
}

fn text_processor(runtime: &ComponentRuntime) -> ComponentId {
    runtime
        .load_component(&fixture("text-processor.wasm"), ComponentOptions::new())
        .expect("it loads")
}

fn call(runtime: &ComponentRuntime, id: &ComponentId, call: Call) -> Result<(), RuntimeError> {
    match call {
        Call::Init => runtime.init(id),
        Call::Execute => {
            let operation = operation(Codec::Json, "reverse", json!({"text": "abc"}));
            runtime.execute(id, &operation).map(drop)
        }
        Call::Metadata => runtime.metadata(id).map(drop),
        Call::Health => runtime.health(id).map(drop),
        Call::SupportedCodecs => runtime.supported_codecs(id).map(drop),
        Call::Shutdown => runtime.shutdown(id),
    }
}

const CALLS: [Call; 6] = [
    Call::Init,
    Call::Execute,
    Call::Metadata,
    Call::Health,
    Call::SupportedCodecs,
    Call::Shutdown,
];

#[test]
fn every_call_in_every_state() {
    use ComponentState::{Created, Failed, Initialised, ShutDown};
    let trapping = Guest {
        execute: "unreachable",
        ..Guest::default()
    }
    .build();
    // For each state how to get there, and the state after each allowed call.
    let table: [(ComponentState, &[Call], [Option<ComponentState>; 6]); 4] = [
        (
            Created,
            &[],
            [
                Some(Initialised),
                None,
                Some(Created),
                Some(Created),
                Some(Created),
                None,
            ],
        ),
        (
            Initialised,
            &[Call::Init],
            [
                None,
                Some(Initialised),
                Some(Initialised),
                Some(Initialised),
                Some(Initialised),
                Some(ShutDown),
            ],
        ),
        (ShutDown, &[Call::Init, Call::Shutdown], [None; 6]),
        (Failed, &[Call::Init, Call::Execute], [None; 6]),
    ];
    for runtime in runtimes() {
        for (state, path, outcomes) in table {
            for (this, outcome) in CALLS.into_iter().zip(outcomes) {
                let bytes = if state == Failed {
                    trapping.clone()
                } else {
                    fixture("text-processor.wasm")
                };
                let id = runtime.load_component(&bytes, ComponentOptions::new()).unwrap();
                for step in path {
                    let _ = call(&runtime, &id, *step);
                }
                assert_eq!(runtime.state(&id).unwrap(), state);
                let result = call(&runtime, &id, this);
                match (outcome, result) {
                    (Some(next), Ok(())) => {
                        assert_eq!(runtime.state(&id).unwrap(), next, "{this} when {state}")
                    }
                    (
                        None,
                        Err(RuntimeError::WrongState {
                            id: of,
                            state: in_state,
                            call: refused,
                        }),
                    ) => {
                        assert_eq!((of, in_state, refused), (id.clone(), state, this));
                        assert_eq!(runtime.state(&id).unwrap(), state);
                    }
                    (outcome, result) => panic!("{this} when {state}: {result:?}, expected {outcome:?}"),
                }
                runtime.unload(&id).unwrap();
                assert!(matches!(
                    call(&runtime, &id, this),
                    Err(RuntimeError::UnknownComponent(_))
                ));
            }
        }
    }
}

#[test]
fn a_wrong_order_says_what_to_do() {
    let runtime = runtime();
    let id = text_processor(&runtime);
    let error = call(&runtime, &id, Call::Execute).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`execute` of `component-1` is not possible, since the component is created: call init first"
    );
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[test]
fn text_processor_in_both_of_its_codecs() {
    for runtime in runtimes() {
        let id = text_processor(&runtime);
        runtime.init(&id).unwrap();
        for codec in [Codec::Json, Codec::MsgPack] {
            let ask = |name, text| {
                let operation = operation(codec, name, json!({"text": text}));
                let (answered_in, answer) = read(&runtime.execute(&id, &operation).unwrap());
                assert_eq!(answered_in, codec);
                answer
            };
            assert_eq!(
                ask("word-count", "to be or not to be"),
                json!({"count": 6, "unique": 4})
            );
            assert_eq!(ask("reverse", "grüße"), json!({"text": "eßürg"}));
            assert_eq!(ask("statistics", "one two\nthree")["lines"], json!(2));
        }
        assert_eq!(runtime.supported_codecs(&id).unwrap(), [0x0200, 0x0201]);
        runtime.shutdown(&id).unwrap();
    }
}

#[test]
fn an_error_of_its_own_leaves_a_component_running() {
    let runtime = runtime();
    let id = text_processor(&runtime);
    runtime.init(&id).unwrap();
    let execute = |payload: &[u8]| match runtime.execute(&id, payload) {
        Err(RuntimeError::Execution(error)) => error,
        other => panic!("{other:?}"),
    };
    let unknown = execute(&operation(Codec::Json, "shout", Value::Null));
    assert_eq!(unknown, ExecutionError::UnsupportedOperation("shout".into()));
    let codec = execute(&codec::encode(Codec::Raw.code(), b"abc"));
    assert_eq!(codec, ExecutionError::UnsupportedCodec(0x55));
    for damaged in [&b""[..], b"\x80", b"\x80\x04{", b"\x80\x80\x00x"] {
        assert!(
            matches!(execute(damaged), ExecutionError::InvalidInput(_)),
            "{damaged:?}"
        );
    }
    assert_eq!(
        ask(&runtime, &id, "reverse", json!({"text": "abc"})),
        json!({"text": "cba"})
    );
    assert_eq!(runtime.health(&id).unwrap().state, HealthState::Healthy);
}

#[test]
fn checksum_of_raw_bytes_by_its_setting() {
    for runtime in runtimes() {
        for (algorithm, sum) in [
            (None, vec![0xcb, 0xf4, 0x39, 0x26]),
            (Some("adler32"), vec![0x09, 0x1e, 0x01, 0xde]),
            (
                Some("fnv1a64"),
                vec![0x06, 0xd5, 0x57, 0x39, 0x23, 0xc6, 0xcd, 0xfc],
            ),
        ] {
            let options = algorithm.map_or(ComponentOptions::new(), |algorithm| {
                ComponentOptions::new().with_config("algorithm", algorithm)
            });
            let id = runtime
                .load_component(&fixture("checksum.wasm"), options)
                .unwrap();
            runtime.init(&id).unwrap();
            let answer = runtime
                .execute(&id, &codec::encode(Codec::Raw.code(), b"123456789"))
                .unwrap();
            let answer = codec::decode(&answer).unwrap();
            assert_eq!(answer.codec, Codec::Raw);
            assert_eq!(answer.data, sum);
        }
    }
}

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
fn a_counter_keeps_its_state_and_its_settings() {
    for runtime in runtimes() {
        let options = ComponentOptions::new()
            .with_config("start", "40")
            .with_config("step", "2");
        let id = runtime.load_component(&fixture("counter.wasm"), options).unwrap();
        runtime.init(&id).unwrap();
        assert_eq!(ask(&runtime, &id, "increment", Value::Null), json!({"count": 42}));
        assert_eq!(
            ask(&runtime, &id, "set-step", json!({"step": 8})),
            json!({"count": 42})
        );
        assert_eq!(ask(&runtime, &id, "increment", Value::Null), json!({"count": 50}));
        let health = runtime.health(&id).unwrap();
        assert_eq!(health.message.as_deref(), Some("count is 50"));
        runtime.shutdown(&id).unwrap();
    }
}

#[test]
fn a_fixed_setting_is_refused_to_the_component() {
    let runtime = runtime();
    let options = ComponentOptions::new().with_fixed_config("step", "2");
    let id = runtime.load_component(&fixture("counter.wasm"), options).unwrap();
    runtime.init(&id).unwrap();
    let refused = runtime.execute(&id, &operation(Codec::Json, "set-step", json!({"step": 8})));
    assert!(
        matches!(&refused, Err(RuntimeError::Execution(ExecutionError::Failed(text))) if text.contains("ReadOnly")),
        "{refused:?}"
    );
}

#[test]
fn metadata_is_handed_on_untouched() {
    let runtime = runtime();
    let id = text_processor(&runtime);
    let metadata = runtime.metadata(&id).unwrap();
    assert_eq!(metadata.name, "text-processor");
    assert_eq!(
        metadata.supported_operations,
        ["word-count", "reverse", "statistics"]
    );
    assert_eq!(metadata.timeout_ms, Some(1000));
    assert_eq!(
        metadata.custom_metadata,
        Some(vec![
            ("text:word-separator".into(), "Unicode white space".into()),
            ("text:reverse-unit".into(), "Unicode scalar value".into()),
        ])
    );
    runtime.init(&id).unwrap();
    assert_eq!(runtime.metadata(&id).unwrap(), metadata);
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
        // Its identity is taken until it is unloaded.
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

fn sleeper() -> Vec<u8> {
    Guest {
        execute: "(call $sleep (i64.const 600000)) i32.const 0",
        ..Guest::default()
    }
    .build()
}

fn within(timeout: Duration) -> ExecuteOptions {
    ExecuteOptions {
        timeout: Some(timeout),
        ..ExecuteOptions::default()
    }
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

#[test]
fn an_executing_component_is_busy_and_others_are_not() {
    let runtime = runtime();
    let sleeping = runtime.load_component(&sleeper(), options("sleeping")).unwrap();
    let other = runtime
        .load_component(&fixture("text-processor.wasm"), options("other"))
        .unwrap();
    runtime.init(&sleeping).unwrap();
    runtime.init(&other).unwrap();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| runtime.execute_with(&sleeping, b"", within(Duration::from_secs(1))));
        while runtime.state(&sleeping).unwrap() != ComponentState::Executing {
            std::thread::yield_now();
        }
        for this in CALLS {
            let result = call(&runtime, &sleeping, this);
            match this {
                // It is known since `init`.
                Call::Metadata => result.unwrap(),
                _ => assert!(
                    matches!(&result, Err(RuntimeError::Busy { running: Call::Execute, call, .. }) if *call == this),
                    "{this}: {result:?}"
                ),
            }
        }
        call(&runtime, &other, Call::Execute).unwrap();
        assert_eq!(runtime.list_components().len(), 2);
        assert!(!running.is_finished());
        assert!(matches!(
            running.join().unwrap(),
            Err(RuntimeError::Timeout { .. })
        ));
    });
    assert_eq!(runtime.state(&sleeping).unwrap(), ComponentState::Failed);
}

#[test]
fn a_component_unloaded_during_a_call_ends_its_call() {
    let runtime = runtime();
    let id = runtime.load_component(&sleeper(), options("sleeping")).unwrap();
    runtime.init(&id).unwrap();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| runtime.execute_with(&id, b"", within(Duration::from_millis(300))));
        while runtime.state(&id).unwrap() != ComponentState::Executing {
            std::thread::yield_now();
        }
        runtime.unload(&id).unwrap();
        assert!(runtime.list_components().is_empty());
        // The identity is free at once.
        runtime.load_component(&sleeper(), options("sleeping")).unwrap();
        assert!(matches!(
            running.join().unwrap(),
            Err(RuntimeError::Timeout { .. })
        ));
        assert_eq!(runtime.state(&id).unwrap(), ComponentState::Created);
    });
}

#[test]
fn components_execute_side_by_side() {
    const THREADS: usize = 4;
    let runtime = runtime();
    let ids: Vec<_> = (0..THREADS)
        .map(|_| {
            let id = runtime
                .load_component(&fixture("counter.wasm"), ComponentOptions::new())
                .unwrap();
            runtime.init(&id).unwrap();
            id
        })
        .collect();
    let start = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for (thread, id) in ids.iter().enumerate() {
            let (runtime, start) = (runtime.clone(), &start);
            scope.spawn(move || {
                start.wait();
                for count in 1..=200 * (thread + 1) {
                    assert_eq!(
                        ask(&runtime, id, "increment", Value::Null),
                        json!({"count": count})
                    );
                }
            });
        }
    });
    // From another thread than the one that ran it.
    for (thread, id) in ids.iter().enumerate() {
        assert_eq!(
            ask(&runtime, id, "get", Value::Null),
            json!({"count": 200 * (thread + 1)})
        );
    }
}

/// Address space that this process has mapped, in bytes.
#[cfg(target_os = "linux")]
fn mapped() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").expect("it is there");
    let pages: u64 = status
        .split(' ')
        .next()
        .expect("a number")
        .parse()
        .expect("a number");
    pages * 4096
}

/// Every instance reserves gigabytes of address space for its memory, so one that is kept shows.
#[cfg(target_os = "linux")]
#[test]
fn unload_and_shutdown_and_failure_free_the_instance() {
    // In a process of its own: other tests map memory too.
    if std::env::var_os("AIRSSYS_TEST_ALONE").is_none() {
        let alone = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "unload_and_shutdown_and_failure_free_the_instance"])
            .env("AIRSSYS_TEST_ALONE", "1")
            .output()
            .unwrap();
        assert!(
            alone.status.success(),
            "{}",
            String::from_utf8_lossy(&alone.stdout)
        );
        return;
    }
    for runtime in runtimes() {
        let trapping = Guest {
            execute: "unreachable",
            ..Guest::default()
        }
        .build();
        let round = |ending: usize| {
            let bytes = if ending == 2 {
                trapping.clone()
            } else {
                fixture("checksum.wasm")
            };
            let id = runtime.load_component(&bytes, ComponentOptions::new()).unwrap();
            runtime.init(&id).unwrap();
            match ending {
                0 => runtime.unload(&id).unwrap(),
                1 => runtime.shutdown(&id).unwrap(),
                _ => drop(runtime.execute(&id, b"").unwrap_err()),
            }
        };
        (0..6).for_each(|number| round(number % 3));
        let before = mapped();
        (0..60).for_each(|number| round(number % 3));
        let grown = mapped().saturating_sub(before);
        assert!(
            grown < 8 << 30,
            "{grown} bytes more are mapped after 60 components"
        );
    }
}

#[test]
fn a_component_without_the_life_cycle_is_refused() {
    let runtime = runtime();
    let load = |text: &str| {
        let bytes = wat::parse_str(text).expect("the text parses");
        runtime
            .load_component(&bytes, ComponentOptions::new())
            .unwrap_err()
    };
    let error = load("(component)");
    assert!(matches!(error, RuntimeError::NoLifecycle { .. }), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Load);

    let lifecycle = |version: &str, functions: &[&str]| {
        let exports: String = functions
            .iter()
            .map(|name| format!(r#"(export "{name}" (func $f))"#))
            .collect();
        format!(
            r#"(component
                (core module $m (func (export "f")))
                (core instance $i (instantiate $m))
                (func $f (canon lift (core func $i "f")))
                (instance $l {exports})
                (export "airssys:component-core/component-lifecycle@{version}" (instance $l)))"#
        )
    };
    let all = [
        "init",
        "execute",
        "metadata",
        "health",
        "supported-codecs",
        "shutdown",
    ];

    let error = load(&lifecycle("1.0.0", &["shutdown", "metadata", "init"]));
    let RuntimeError::PartialLifecycle { export, missing } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(export, "airssys:component-core/component-lifecycle@1.0.0");
    assert_eq!(missing, &["execute", "health", "supported-codecs"]);
    assert!(
        error
            .to_string()
            .contains("lacks execute, health, supported-codecs"),
        "{error}"
    );

    let error = load(&lifecycle("2.0.0", &all));
    assert!(matches!(error, RuntimeError::ContractVersion { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("component-lifecycle@2.0.0") && text.contains("1.0.0"),
        "{text}"
    );

    let error = load(&lifecycle("1.0.0", &all));
    assert!(
        matches!(&error, RuntimeError::LifecycleType { function, .. } if function.ends_with("#init")),
        "{error:?}"
    );

    let error = load(
        r#"(component (import "airssys:host-core/host-services@2.1.0" (instance (export "now" (func)))))"#,
    );
    assert!(
        matches!(&error, RuntimeError::ContractVersion { name, .. } if name.ends_with("@2.1.0")),
        "{error:?}"
    );
    assert!(runtime.list_components().is_empty(), "nothing is left of them");
}

#[test]
fn a_later_minor_version_of_the_contract_is_compatible() {
    let runtime = runtime();
    let guest = Guest {
        version: "1.4.2",
        ..Guest::default()
    };
    let id = runtime
        .load_component(&guest.build(), ComponentOptions::new())
        .unwrap();
    runtime.init(&id).unwrap();
    assert!(runtime.execute(&id, b"").unwrap().is_empty());
    runtime.shutdown(&id).unwrap();
}

#[test]
fn an_import_that_this_version_lacks_is_named() {
    let bytes = wat::parse_str(
        r#"(component
            (import "airssys:host-core/host-services@1.3.0" (instance $h (export "teleport" (func))))
            (core func $t (canon lower (func $h "teleport")))
            (core module $m (import "" "t" (func)) (func (export "f")))
            (core instance $i (instantiate $m (with "" (instance (export "t" (func $t))))))
            (func $f (canon lift (core func $i "f")))
            (instance $l (export "init" (func $f)) (export "execute" (func $f)) (export "metadata" (func $f))
                (export "health" (func $f)) (export "supported-codecs" (func $f)) (export "shutdown" (func $f)))
            (export "airssys:component-core/component-lifecycle@1.3.0" (instance $l)))"#,
    )
    .unwrap();
    let error = runtime()
        .load_component(&bytes, ComponentOptions::new())
        .unwrap_err();
    assert!(
        matches!(
            &error,
            RuntimeError::Load(airssys_wasm::Error::MissingImport { .. })
        ),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("host-services@1.3.0#teleport"),
        "{error}"
    );
}

#[test]
fn bytes_that_are_no_component_are_told_apart() {
    let runtime = runtime();
    let load = |bytes: &[u8]| match runtime.load_component(bytes, ComponentOptions::new()) {
        Err(RuntimeError::Load(error)) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(
        load(b"\0asm\x01\0\0\0"),
        airssys_wasm::Error::CoreModule
    ));
    assert!(matches!(load(b"#!/bin/sh"), airssys_wasm::Error::NotWasm(_)));
    let missing = runtime.load_component_from_file(fixture_path("absent.wasm"), ComponentOptions::new());
    assert!(matches!(&missing, Err(RuntimeError::Read { .. })), "{missing:?}");
    assert!(missing.unwrap_err().to_string().contains("absent.wasm"));
}

#[test]
fn identities_come_from_the_options_or_the_file() {
    let runtime = runtime();
    let from_file = |options| {
        runtime
            .load_component_from_file(fixture_path("counter.wasm"), options)
            .unwrap()
    };
    assert_eq!(from_file(ComponentOptions::new()), id("counter"));
    assert_eq!(from_file(ComponentOptions::new()), id("counter-2"));
    assert_eq!(from_file(options("mine")), id("mine"));
    let again = runtime.load_component(&fixture("counter.wasm"), options("mine"));
    assert!(matches!(again, Err(RuntimeError::DuplicateId(taken)) if taken == id("mine")));
    assert_eq!(
        runtime.list_components(),
        [id("counter"), id("counter-2"), id("mine")]
    );
    assert!(matches!(
        runtime.unload(&id("other")),
        Err(RuntimeError::UnknownComponent(_))
    ));
}

/// Metadata at 2048 whose least memory is 2 GiB.
const DEMANDING: &str = r#"(data (i32.const 2120) "\00\00\00\80\00\00\00\00")"#;
/// Metadata at 2048 whose time for an operation is 20 ms.
const HASTY: &str = r#"(data (i32.const 2144) "\01\00\00\00\00\00\00\00\14")"#;
/// Metadata at 2048 whose description has 1 MiB.
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
        .load_component(&described(DEMANDING, host_support::ZERO), ComponentOptions::new())
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
        matches!(stopped, Err(RuntimeError::Timeout { after, .. }) if after == Duration::from_millis(20)),
        "{stopped:?}"
    );
}

#[test]
fn metadata_beyond_its_bounds_is_refused() {
    let runtime = runtime();
    let id = runtime
        .load_component(&described(VERBOSE, host_support::ZERO), ComponentOptions::new())
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

#[test]
fn what_is_particular_to_a_request_reaches_the_component() {
    let runtime = runtime();
    // Copies request-id, caller, timeout and trace to the answer, as they lie in memory.
    let guest = Guest {
        execute: r#"
            (i32.store (i32.const 2056) (i32.add (local.get 0) (i32.const 8)))
            (i32.store (i32.const 2060) (i32.const 88))
            (i32.const 2048)"#,
        ..Guest::default()
    };
    let id = runtime
        .load_component(&guest.build(), ComponentOptions::new())
        .unwrap();
    runtime.init(&id).unwrap();
    let execute = |options| runtime.execute_with(&id, b"", options).unwrap();
    let word = |answer: &[u8], at: usize| u32::from_le_bytes(answer[at..at + 4].try_into().unwrap());
    let long = |answer: &[u8], at: usize| u64::from_le_bytes(answer[at..at + 8].try_into().unwrap());

    // request-id at 0, caller at 8 (payload at 12), memory at 24, time at 32, fuel at 40 (payload at 48),
    // timeout at 56, trace at 64 (payload at 68).
    let plain = execute(ExecuteOptions::default());
    assert_eq!(word(&plain, 4), "request-1".len() as u32);
    assert_eq!((plain[8], plain[40], plain[64]), (0, 0, 0));
    assert_eq!(long(&plain, 24), 1 << 30);
    assert_eq!((long(&plain, 32), long(&plain, 56)), (30_000, 30_000));

    let full = execute(ExecuteOptions {
        request_id: Some("r".into()),
        caller: Some(CallerInfo::Component("peer".into())),
        timeout: Some(Duration::from_secs(3600)),
        trace_context: Some(TraceContext {
            traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into(),
            tracestate: Some("a=b".into()),
        }),
    });
    assert_eq!((word(&full, 4), full[8], word(&full, 16)), (1, 1, 4));
    assert_eq!(long(&full, 56), 600_000, "cut to the runtime's longest");
    assert_eq!(
        (full[64], word(&full, 72), full[76], word(&full, 84)),
        (1, 55, 1, 3)
    );
}
