//! Answers of components, and the data that reaches them.

use std::time::Duration;

use airssys_wasm::codec::{self, Codec};
use airssys_wasm::runtime::{CallerInfo, ExecutionError, HealthState, TraceContext};
use airssys_wasm::{ComponentOptions, ExecuteOptions, RuntimeError};
use serde_json::{Value, json};

use super::host_support::{Guest, ask, fixture, operation, read, runtime, runtimes};
use super::text_processor;

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
fn what_is_particular_to_a_request_reaches_the_component() {
    let runtime = runtime();
    // Copies request-id, caller, timeout and trace to the answer, in their memory layout.
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

    let trace = TraceContext {
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into(),
        tracestate: Some("a=b".into()),
    };
    let full = execute(
        ExecuteOptions::new()
            .with_request_id("r")
            .with_caller(CallerInfo::Component("peer".into()))
            .with_timeout(Duration::from_secs(3600))
            .with_trace_context(trace),
    );
    assert_eq!((word(&full, 4), full[8], word(&full, 16)), (1, 1, 4));
    assert_eq!(long(&full, 56), 600_000, "cut to the runtime's longest");
    assert_eq!(
        (full[64], word(&full, 72), full[76], word(&full, 84)),
        (1, 55, 1, 3)
    );
}
