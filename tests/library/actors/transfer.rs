//! State that goes from one version of a component to the next.

use std::time::Instant;

use airssys_wasm::actors::{ActorError, ActorOptions, ReplaceOptions, StateTransfer};
use airssys_wasm::codec::{self, Codec};
use airssys_wasm::{ComponentRuntime, RuntimeConfig};
use serde_json::{Value, json};

use super::host_support::Guest;
use super::{LONG, first, load, start_loaded, system};

/// A guest with one digit of state: `increment`, `snapshot` and `restore`, if its metadata names them.
fn stateful(operations: &[&str]) -> Vec<u8> {
    let mut names = String::new();
    let mut list = String::new();
    let mut at = 3600;
    for name in operations {
        names += &format!("(data (i32.const {at}) \"{name}\")");
        for number in [at, name.len()] {
            for byte in u32::try_from(number).unwrap().to_le_bytes() {
                list += &format!("\\{byte:02x}");
            }
        }
        at += name.len();
    }
    let count = operations.len();
    let more = format!(
        r#"
        {names}
        (data (i32.const 3560) "{list}")
        ;; The metadata: operations at 48, codecs at 56: JSON.
        (data (i32.const 3248) "\e8\0d\00\00\{count:02x}\00\00\00\c0\0d\00\00\01\00\00\00")
        (data (i32.const 3520) "\00\02\00\00\00\00\00\00")
        (data (i32.const 3000) "step")
        (global $state (mut i32) (i32.const 48))
        ;; The answer: JSON of the state.
        (data (i32.const 3400) "\00\00\00\00\00\00\00\00\80\0d\00\00\03\00\00\00")
        (data (i32.const 3456) "\80\040")
        (func $execute (param $operation i32) (param $bytes i32) (result i32)
          (local $order i32)
          (call $call-host-function (i32.const 3000) (i32.const 4) (local.get $operation) (local.get $bytes)
            (i32.const 3100))
          (local.set $order (i32.load8_u (i32.load (i32.const 3104))))
          (if (i32.eq (local.get $order) (i32.const 1)) (then
            (global.set $state (i32.add (global.get $state) (i32.const 1)))))
          (if (i32.gt_u (local.get $order) (i32.const 1)) (then (global.set $state (local.get $order))))
          (i32.store8 (i32.const 3458) (global.get $state))
          (i32.const 3400))"#
    );
    Guest {
        execute: "(call $execute (i32.load (local.get 0)) (i32.load offset=4 (local.get 0)))",
        metadata: "i32.const 3200",
        more: &more,
        ..Guest::default()
    }
    .build()
}

#[test]
fn state_is_handed_over_between_two_messages() {
    let config = RuntimeConfig::builder()
        .with_backend(first())
        .with_host_function("step", |_, message| {
            let payload = codec::decode(message).unwrap();
            let operation = codec::parse_operation(&payload).unwrap();
            Ok(vec![match operation.name.as_str() {
                "increment" => 1,
                "restore" => b'0' + u8::try_from(operation.params.as_u64().unwrap()).unwrap(),
                _ => 0,
            }])
        });
    let runtime = ComponentRuntime::new(config.build().unwrap()).unwrap();
    let system = system(2);
    let both = ["snapshot", "restore"];
    let loaded = load(&runtime, &stateful(&both));
    let id = start_loaded(&runtime, &loaded, &system, "a", ActorOptions::new())
        .wait()
        .unwrap();
    let ask = |name: &str| {
        let operation = codec::operation(Codec::Json, name, &Value::Null).unwrap();
        let answer = runtime.send_message_to_component(&id, operation).wait().unwrap();
        codec::to_json(&codec::decode(&answer).unwrap()).unwrap()
    };
    for expected in 1..=3 {
        assert_eq!(ask("increment"), json!(expected));
    }
    let transfer = || ReplaceOptions::new().with_state(StateTransfer::Operations);
    runtime
        .replace_component(&id, stateful(&both), transfer())
        .wait()
        .unwrap();
    assert_eq!(ask("increment"), json!(4));
    // Also with a trial.
    let trial = transfer().with_trial(1, LONG);
    let replaced = runtime.replace_component(&id, stateful(&both), trial);
    let begin = Instant::now();
    while !replaced.is_done() {
        assert_eq!(ask("read"), json!(4));
        assert!(begin.elapsed() < LONG);
        // The guests never free memory.
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    replaced.wait().unwrap();
    // Without the operations, both versions and their state stay as they are.
    for operations in [&["snapshot"][..], &[]] {
        let refused = runtime
            .replace_component(&id, stateful(operations), transfer())
            .wait();
        let Err(ActorError::Transfer { reason, .. }) = refused else {
            panic!("{refused:?}");
        };
        assert!(reason.contains("`restore`"), "{reason}");
    }
    assert_eq!(ask("increment"), json!(5));
    // Without a transfer, it begins anew.
    runtime
        .replace_component(&id, stateful(&both), ReplaceOptions::new())
        .wait()
        .unwrap();
    assert_eq!(ask("increment"), json!(1));
}
