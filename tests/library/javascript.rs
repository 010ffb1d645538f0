//! The JavaScript guest, which `cargo xtask guests json-transform` builds: too large to commit.

use airssys_wasm_test_support as common;

use airssys_wasm::codec::{self, Codec};
use airssys_wasm::{ComponentOptions, ComponentRuntime, RuntimeConfig};
use common::{built_bytes, engines};
use serde_json::{Value, json};

#[test]
fn the_javascript_guest_answers_on_every_backend() {
    let Some(bytes) = built_bytes("json-transform") else {
        return;
    };
    let value = json!({"b": 1, "a": {"y": [1, {"z": 2, "c": 3}], "x": {}}, "s": "ü😀"});
    for engine in engines() {
        let config = RuntimeConfig::builder()
            .with_backend(engine.backend())
            .build()
            .unwrap();
        let runtime = ComponentRuntime::new(config).unwrap();
        let id = runtime.load_component(&bytes, ComponentOptions::new()).unwrap();
        runtime.init(&id).unwrap();
        let execute = |operation: &str, params: Value| {
            let payload = codec::operation(Codec::Json, operation, &params).unwrap();
            let answer = runtime.execute(&id, &payload).unwrap();
            codec::to_json(&codec::decode(&answer).unwrap()).unwrap()
        };
        let picked = execute("pick", json!({"value": value, "keys": ["s", "b", "q"]}));
        assert_eq!(picked, json!({"s": "ü😀", "b": 1}), "{}", engine.backend());
        let flat = execute("flatten", json!({"value": value}));
        assert_eq!(
            flat,
            json!({"b": 1, "a.y.0": 1, "a.y.1.z": 2, "a.y.1.c": 3, "a.x": {}, "s": "ü😀"})
        );
        let metadata = runtime.metadata(&id).unwrap();
        assert_eq!(metadata.language, "javascript");
        runtime.shutdown(&id).unwrap();
    }
}

/// Data that `JSON.parse` would change: digits beyond a double, the order of numeric keys, one of two equal keys.
#[test]
fn the_javascript_guest_keeps_json_as_it_is_written() {
    let Some(bytes) = built_bytes("json-transform") else {
        return;
    };
    let engine = engines().into_iter().next().expect("there is a backend");
    let config = RuntimeConfig::builder()
        .with_backend(engine.backend())
        .build()
        .unwrap();
    let runtime = ComponentRuntime::new(config).unwrap();
    let id = runtime.load_component(&bytes, ComponentOptions::new()).unwrap();
    runtime.init(&id).unwrap();
    let execute = |text: &str| {
        let answer = runtime.execute(&id, &codec::encode(Codec::Json.code(), text.as_bytes()));
        answer.map(|answer| {
            let data = codec::decode(&answer).unwrap().data;
            String::from_utf8(data.to_vec()).unwrap()
        })
    };

    let value = r#"{"b":9007199254740993,"10":18446744073709551616,"9":[-0,1.10,1e400],"a":"\u00e9"}"#;
    let sorted = execute(&format!(
        r#"{{"operation":"sort-keys","params":{{"value":{value}}}}}"#
    ));
    assert_eq!(
        sorted.unwrap(),
        r#"{"10":18446744073709551616,"9":[-0,1.10,1e400],"a":"é","b":9007199254740993}"#
    );
    let twice = execute(r#"{"operation":"flatten","params":{"value":{"a":1,"a":2}}}"#).unwrap_err();
    assert!(twice.to_string().contains("the key"), "{twice}");
    let long = format!("\"{}\"", "é\\n".repeat(1 << 17));
    let same = execute(&format!(
        r#"{{"operation":"pick","params":{{"value":{{"k":{long}}},"keys":["k"]}}}}"#
    ));
    assert!(
        same.unwrap() == format!(r#"{{"k":{long}}}"#),
        "half a MiB of text"
    );

    // The guest's engine rounds this codec number to 2^53: the guest must not answer with a different one than requested.
    let number = (1 << 53) + 1;
    let error = runtime
        .execute(&id, &codec::encode(number, b""))
        .unwrap_err()
        .to_string();
    assert!(error.contains("beyond 2^53"), "{error}");
}
