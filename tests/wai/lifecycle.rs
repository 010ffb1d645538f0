//! A guest that is built with the WAI tools, under the runtime on every backend.

use std::time::Duration;

use airssys_wasm::codec::Codec;
use airssys_wasm::host::{ComponentError, ExecutionError, HealthState};
use airssys_wasm::runtime::{CallerInfo, ComponentState, TraceContext};
use airssys_wasm::wai::is_wai_module;
use airssys_wasm::{ComponentOptions, ExecuteOptions, RuntimeError};
use serde_json::json;

use crate::host_support::{ask, fixture, fixture_path, id, operation, read, runtimes};

const GUEST: &str = "counter-wai.wasm";

#[test]
fn a_guest_lives_as_components_do() {
    for runtime in runtimes() {
        let options = ComponentOptions::new()
            .with_config("start", "41")
            .with_env("PLACE", "here")
            .with_config_data(vec![1, 2, 3]);
        let counter = runtime
            .load_component_from_file(fixture_path(GUEST), options)
            .expect("it loads");
        assert_eq!(counter.as_str(), "counter-wai");
        assert_eq!(runtime.state(&counter).unwrap(), ComponentState::Created);
        assert_eq!(runtime.health(&counter).unwrap().state, HealthState::Degraded);
        assert!(matches!(
            runtime.execute(&counter, &[]),
            Err(RuntimeError::WrongState { .. })
        ));

        let metadata = runtime.metadata(&counter).unwrap();
        assert_eq!(metadata.name, "counter-wai");
        assert_eq!(metadata.supported_operations.len(), 8);
        assert_eq!(metadata.supported_codecs, [0x0200]);
        assert_eq!(metadata.timeout_ms, Some(1000));
        assert!(metadata.stateful && metadata.homepage.is_none());
        let custom = metadata.custom_metadata.expect("it has some");
        assert_eq!(custom, [("counter:settings".to_owned(), "start".to_owned())]);
        assert_eq!(runtime.supported_codecs(&counter).unwrap(), [0x0200]);

        runtime.init(&counter).unwrap();
        assert_eq!(runtime.state(&counter).unwrap(), ComponentState::Initialized);
        assert_eq!(runtime.health(&counter).unwrap().state, HealthState::Healthy);
        assert_eq!(runtime.health(&counter).unwrap().message, None);
        for count in 42..200 {
            let answer = ask(&runtime, &counter, "increment", json!(null));
            assert_eq!(answer, json!({ "count": count }));
        }
        runtime.shutdown(&counter).unwrap();
        assert_eq!(runtime.state(&counter).unwrap(), ComponentState::ShutDown);
        runtime.unload(&counter).unwrap();
    }
}

#[test]
fn answers_that_are_errors_keep_their_form() {
    for runtime in runtimes() {
        let load = |start: &str| {
            let options = ComponentOptions::new().with_config("start", start);
            runtime
                .load_component(&fixture(GUEST), options)
                .expect("it loads")
        };
        let refusing = load("many");
        match runtime.init(&refusing) {
            Err(RuntimeError::Component(ComponentError::InvalidConfig(text))) => {
                assert_eq!(text, "`start` must be a whole number, not `many`");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(runtime.state(&refusing).unwrap(), ComponentState::Failed);

        let counter = load("0");
        runtime.init(&counter).unwrap();
        let answer = |payload: &[u8]| match runtime.execute(&counter, payload) {
            Err(RuntimeError::Execution(error)) => error,
            other => panic!("{other:?}"),
        };
        let ask = |name, params| answer(&operation(Codec::Json, name, params));
        assert_eq!(
            ask("fly", json!(null)),
            ExecutionError::UnsupportedOperation("fly".into())
        );
        assert_eq!(
            answer(&operation(Codec::Yaml, "increment", json!(null))),
            ExecutionError::UnsupportedCodec(0x0114)
        );
        assert!(matches!(answer(&[]), ExecutionError::InvalidInput(_)));
        let denied = ExecutionError::CapabilityDenied("filesystem:read:/etc/passwd".into());
        assert_eq!(ask("read", json!({"path": "/etc/passwd"})), denied);
        assert_eq!(runtime.state(&counter).unwrap(), ComponentState::Initialized);
    }
}

#[test]
fn host_services_are_those_of_components() {
    for runtime in runtimes() {
        let load = |file: &str, name: &str| {
            let options = ComponentOptions::new().with_id(id(name));
            let loaded = runtime.load_component(&fixture(file), options).expect("it loads");
            runtime.init(&loaded).expect("it starts");
            loaded
        };
        let (wai, wit) = (load(GUEST, "wai"), load("counter.wasm", "wit"));

        ask(&runtime, &wit, "increment", json!(null));
        ask(&runtime, &wit, "send", json!({"target": "wai"}));
        let message = json!({"messages": [{"sender": "wit", "payload": {"count": 1}}]});
        assert_eq!(ask(&runtime, &wai, "receive", json!(null)), message);
        ask(&runtime, &wai, "send", json!({"target": "wit"}));
        let message = json!({"messages": [{"sender": "wai", "payload": {"count": 0}}]});
        assert_eq!(ask(&runtime, &wit, "receive", json!(null)), message);

        let known = ask(&runtime, &wai, "components", json!(null));
        let expected = json!([
            {"id": "wai", "name": "counter-wai", "tags": ["state", "wai"]},
            {"id": "wit", "name": "counter", "tags": ["state", "messages", "example"]},
        ]);
        assert_eq!(known["components"], expected);
        assert_eq!(
            ask(&runtime, &wai, "set-start", json!({"start": 3})),
            json!({"start": 3})
        );
        let slept = ask(&runtime, &wai, "sleep", json!({"ms": 5}))["slept"].as_u64();
        assert!(slept.is_some_and(|slept| slept >= 5), "{slept:?}");
    }
}

#[test]
fn a_call_knows_on_whose_behalf_it_is_made() {
    for runtime in runtimes() {
        let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let trace = TraceContext {
            traceparent: traceparent.into(),
            tracestate: Some("a=b".into()),
        };
        let options = ExecuteOptions::new()
            .with_request_id("r-1")
            .with_caller(CallerInfo::Component("somebody".into()))
            .with_timeout(Duration::from_millis(700))
            .with_trace_context(trace);
        let question = operation(Codec::Json, "context", json!(null));
        // The guest's own limit is a second, so a slow machine may need more than one call.
        let answers = (0..20).map(|_| {
            let counter = runtime.load_component(&fixture(GUEST), ComponentOptions::new());
            let counter = counter.expect("it loads");
            runtime.init(&counter).unwrap();
            let answer = runtime.execute_with(&counter, &question, options.clone());
            runtime.unload(&counter).unwrap();
            answer
        });
        let mut answers = answers.skip_while(|answer| matches!(answer, Err(RuntimeError::Timeout { .. })));
        let answer = answers.next().expect("a call within its time").unwrap();
        let expected = json!({
            "request": "r-1", "caller": "somebody", "timeout": 700, "trace": traceparent, "json": true,
        });
        assert_eq!(read(&answer).1, expected);
    }
}

#[test]
fn sleep_ends_with_the_call() {
    for runtime in runtimes() {
        let counter = runtime
            .load_component(&fixture(GUEST), ComponentOptions::new())
            .expect("it loads");
        runtime.init(&counter).unwrap();
        let question = operation(Codec::Json, "sleep", json!({"ms": 600_000}));
        let options = ExecuteOptions::new().with_timeout(Duration::from_millis(50));
        let ended = runtime.execute_with(&counter, &question, options);
        assert!(matches!(ended, Err(RuntimeError::Timeout { .. })), "{ended:?}");
        assert_eq!(runtime.state(&counter).unwrap(), ComponentState::Failed);
    }
}

#[test]
fn modules_are_told_from_components() {
    assert!(is_wai_module(&fixture(GUEST)));
    for other in ["counter.wasm", "wasi-program.wasm"] {
        assert!(!is_wai_module(&fixture(other)), "{other}");
    }
    assert!(!is_wai_module(b""));
    assert!(!is_wai_module(b"\0asm\x01\0\0\0"));
}
