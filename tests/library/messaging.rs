//! Messages between components of one runtime.

use airssys_wasm_test_support::host as host_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use airssys_wasm::codec::Codec;
use airssys_wasm::host::Clock;
use airssys_wasm::runtime::ExecutionError;
use airssys_wasm::{ComponentId, ComponentOptions, ComponentRuntime, RuntimeConfig, RuntimeError};
use host_support::{ask, fixture, id, operation, runtime, runtimes};
use serde_json::{Value, json};

fn counter(runtime: &ComponentRuntime, name: &str) -> ComponentId {
    let options = ComponentOptions::new().with_id(id(name));
    let id = runtime.load_component(&fixture("counter.wasm"), options).unwrap();
    runtime.init(&id).unwrap();
    id
}

fn send(runtime: &ComponentRuntime, from: &ComponentId, to: &str) -> Result<(), ExecutionError> {
    match runtime.execute(from, &operation(Codec::Json, "send", json!({"target": to}))) {
        Ok(_) => Ok(()),
        Err(RuntimeError::Execution(error)) => Err(error),
        Err(error) => panic!("{error}"),
    }
}

fn received(runtime: &ComponentRuntime, by: &ComponentId) -> Vec<(String, Value)> {
    let answer = ask(runtime, by, "receive", Value::Null);
    let messages = answer["messages"].as_array().expect("a list").iter();
    messages
        .map(|message| {
            (
                message["sender"].as_str().expect("text").to_owned(),
                message["payload"]["count"].clone(),
            )
        })
        .collect()
}

#[test]
fn two_components_exchange_messages() {
    for runtime in runtimes() {
        let (left, right) = (counter(&runtime, "left"), counter(&runtime, "right"));
        for _ in 0..3 {
            ask(&runtime, &left, "increment", Value::Null);
            send(&runtime, &left, "right").unwrap();
        }
        send(&runtime, &right, "left").unwrap();
        let left_said = |count: u64| ("left".to_owned(), json!(count));
        assert_eq!(
            received(&runtime, &right),
            [left_said(1), left_said(2), left_said(3)]
        );
        assert_eq!(received(&runtime, &left), [("right".to_owned(), json!(0))]);
        assert!(received(&runtime, &right).is_empty());
        send(&runtime, &left, "left").unwrap();
        assert_eq!(received(&runtime, &left), [left_said(3)]);
    }
}

#[test]
fn a_mailbox_is_bounded_in_messages() {
    let config = RuntimeConfig::builder().with_mailbox_capacity(2).build().unwrap();
    let runtime = ComponentRuntime::new(config).unwrap();
    let (left, right) = (counter(&runtime, "left"), counter(&runtime, "right"));
    send(&runtime, &left, "right").unwrap();
    send(&runtime, &left, "right").unwrap();
    let full = ExecutionError::ResourceExhausted("the mailbox of `right` is full".into());
    assert_eq!(send(&runtime, &left, "right"), Err(full));
    assert_eq!(received(&runtime, &right).len(), 2);
    send(&runtime, &left, "right").unwrap();
}

#[test]
fn a_mailbox_is_bounded_in_bytes() {
    // A message is the prefix and `{"count":0}`: 13 bytes.
    let config = |most, all| {
        let config = RuntimeConfig::builder()
            .with_max_message_bytes(most)
            .with_mailbox_bytes(all);
        ComponentRuntime::new(config.build().unwrap()).unwrap()
    };
    let runtime = config(12, 100);
    let left = counter(&runtime, "left");
    let large = ExecutionError::ResourceExhausted("a message may have 12 bytes".into());
    assert_eq!(send(&runtime, &left, "left"), Err(large));

    let runtime = config(13, 30);
    let left = counter(&runtime, "left");
    send(&runtime, &left, "left").unwrap();
    send(&runtime, &left, "left").unwrap();
    assert!(matches!(
        send(&runtime, &left, "left"),
        Err(ExecutionError::ResourceExhausted(_))
    ));
    assert_eq!(received(&runtime, &left).len(), 2);
}

#[test]
fn a_target_that_is_gone_is_told_apart_from_one_that_is_closed() {
    let runtime = runtime();
    let (left, right) = (counter(&runtime, "left"), counter(&runtime, "right"));
    let unknown = |name| {
        Err(ExecutionError::InvalidInput(format!(
            "no component is called `{name}`"
        )))
    };
    assert_eq!(send(&runtime, &left, "nobody"), unknown("nobody"));
    assert_eq!(send(&runtime, &left, ""), unknown(""));
    send(&runtime, &left, "right").unwrap();
    runtime.shutdown(&right).unwrap();
    let closed = ExecutionError::Failed("messaging is closed".into());
    assert_eq!(send(&runtime, &left, "right"), Err(closed));
    runtime.unload(&right).unwrap();
    assert_eq!(send(&runtime, &left, "right"), unknown("right"));
    // A new component with that name starts with an empty mailbox.
    let right = counter(&runtime, "right");
    assert!(received(&runtime, &right).is_empty());
}

#[test]
fn a_component_that_is_not_initialized_yet_keeps_its_messages() {
    let runtime = runtime();
    let left = counter(&runtime, "left");
    let options = ComponentOptions::new().with_id(id("late"));
    let late = runtime.load_component(&fixture("counter.wasm"), options).unwrap();
    send(&runtime, &left, "late").unwrap();
    runtime.init(&late).unwrap();
    assert_eq!(received(&runtime, &late).len(), 1);
}

#[derive(Debug)]
struct Ticks(AtomicU64);

impl Clock for Ticks {
    fn now_millis(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

#[test]
fn the_hosts_clock_is_the_one_that_is_given() {
    let clock = Arc::new(Ticks(AtomicU64::new(7)));
    let config = RuntimeConfig::builder()
        .with_clock(clock.clone())
        .build()
        .unwrap();
    let runtime = ComponentRuntime::new(config).unwrap();
    let left = counter(&runtime, "left");
    send(&runtime, &left, "left").unwrap();
    assert_eq!(clock.0.load(Ordering::Relaxed), 8, "asked once, for the message");
}

#[test]
fn messages_of_one_sender_keep_their_order_among_many() {
    const SENDERS: usize = 4;
    const MESSAGES: u64 = 50;
    let runtime = runtime();
    let target = counter(&runtime, "target");
    let senders: Vec<_> = (0..SENDERS)
        .map(|number| counter(&runtime, &format!("sender-{number}")))
        .collect();
    std::thread::scope(|scope| {
        for sender in &senders {
            let runtime = runtime.clone();
            scope.spawn(move || {
                for _ in 0..MESSAGES {
                    ask(&runtime, sender, "increment", Value::Null);
                    send(&runtime, sender, "target").unwrap();
                }
            });
        }
    });
    let messages = received(&runtime, &target);
    assert_eq!(messages.len(), SENDERS * MESSAGES as usize);
    for sender in &senders {
        let counts: Vec<_> = messages
            .iter()
            .filter(|(name, _)| name == sender.as_str())
            .map(|(_, count)| count.as_u64().expect("a number"))
            .collect();
        assert_eq!(counts, (1..=MESSAGES).collect::<Vec<_>>());
    }
}
