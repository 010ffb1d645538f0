//! Messages of components to actors, and topics.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use airssys_wasm::actors::{
    ActorError, ActorOptions, ActorSystem, Backpressure, DeadLetterReason, GuestMessages, SendOptions,
};
use airssys_wasm::messaging::{MailboxLimits, Topic};
use airssys_wasm::runtime::InvalidOptions;
use airssys_wasm::security::{Policy, RuleDraft, SecurityContext};
use airssys_wasm::{ComponentOptions, ComponentRuntime, RuntimeError};

use super::{Gate, LONG, SEND, TRAP, answer, commanded, first, id, load, obedient, start, system};

/// The component and the message of each call, and for messages of components the caller.
type Calls = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A runtime whose guests answer by the first byte of their message, and by `a` messages from other components.
fn recorded(calls: &Calls, gate: Option<Gate>) -> ComponentRuntime {
    let calls = calls.clone();
    let step = move |component: &str, message: &[u8]| {
        calls
            .lock()
            .unwrap()
            .push((component.to_owned(), message.to_vec()));
        match message {
            // The guest sends this to `a`.
            b"a" => {
                if let Some(gate) = &gate {
                    gate.pass();
                }
                77
            }
            _ => message[0],
        }
    };
    commanded(first(), step, |_| 0)
}

fn executes() -> ActorOptions {
    ActorOptions::new().with_guest_messages(GuestMessages::Execute)
}

fn wait_for(system: &ActorSystem, delivered: u64) {
    let begin = std::time::Instant::now();
    while system.counters().delivered < delivered {
        assert!(begin.elapsed() < LONG, "{:?}", system.counters());
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_message_of_a_component_is_a_call_of_the_actor() {
    let calls = Calls::default();
    let (runtime, system) = (recorded(&calls, None), system(2));
    let target = start(&runtime, &system, "a", executes()).unwrap();
    let sender = start(&runtime, &system, "sender", ActorOptions::new()).unwrap();
    let sent = runtime.send_message_to_component(&sender, [SEND]);
    assert_eq!(answer(sent).unwrap(), 0, "the guest was told that it is sent");
    wait_for(&system, 2);
    let calls = calls.lock().unwrap().clone();
    assert_eq!(
        calls,
        [("sender".to_owned(), vec![SEND]), ("a".to_owned(), b"a".to_vec())]
    );
    let counters = runtime.actor_status(&target).unwrap().counters;
    assert_eq!((counters.sent, counters.delivered), (1, 1));
    assert!(system.counters().add_up());
}

#[test]
fn a_component_sends_to_itself() {
    let calls = Calls::default();
    let (runtime, system) = (recorded(&calls, None), system(1));
    let own = start(&runtime, &system, "a", executes()).unwrap();
    assert_eq!(
        answer(runtime.send_message_to_component(&own, [SEND])).unwrap(),
        0
    );
    wait_for(&system, 2);
    assert_eq!(calls.lock().unwrap().len(), 2);
}

#[test]
fn a_full_actor_refuses_the_message_of_a_component_also_when_hosts_wait() {
    let mut mailbox = MailboxLimits::default();
    mailbox.messages = 1;
    for backpressure in [Backpressure::Refuse, Backpressure::Wait { longest: LONG }] {
        let (calls, gate) = (Calls::default(), Gate::default());
        let runtime = recorded(&calls, Some(gate.clone()));
        let system = system(2);
        let options = executes()
            .with_mailbox(mailbox.clone())
            .with_backpressure(backpressure);
        let target = start(&runtime, &system, "a", options).unwrap();
        let sender = start(&runtime, &system, "sender", ActorOptions::new()).unwrap();
        let sends = || answer(runtime.send_message_to_component(&sender, [SEND])).unwrap();
        assert_eq!(sends(), 0);
        gate.wait_for(1);
        assert_eq!((sends(), sends()), (0, 1), "one waits, and then it is full");
        gate.open();
        runtime.stop_actor(&target).wait().unwrap();
        runtime.stop_actor(&sender).wait().unwrap();
        let counters = system.counters();
        assert!(counters.add_up() && counters.refused > 0, "{counters:?}");
    }
}

#[test]
fn a_message_that_came_during_the_load_is_handled() {
    let calls = Calls::default();
    let (sender_started, target_loads) = (Gate::default(), Gate::default());
    let (step, init) = (calls.clone(), target_loads.clone());
    let runtime = commanded(
        first(),
        move |component, message| {
            step.lock()
                .unwrap()
                .push((component.to_owned(), message.to_vec()));
            if message == b"a" { 77 } else { message[0] }
        },
        move |component| {
            if component == "a" {
                init.pass();
            }
            0
        },
    );
    let system = system(3);
    let sender = start(&runtime, &system, "sender", ActorOptions::new()).unwrap();
    let loaded = load(&runtime, &obedient());
    let target = super::start_loaded(&runtime, &loaded, &system, "a", executes());
    target_loads.wait_for(1);
    assert_eq!(
        answer(runtime.send_message_to_component(&sender, [SEND])).unwrap(),
        0
    );
    target_loads.open();
    target.wait().unwrap();
    wait_for(&system, 2);
    drop(sender_started);
    assert_eq!(calls.lock().unwrap().last().unwrap().0, "a");
}

#[test]
fn a_policy_keeps_messages_of_a_component_from_an_actor() {
    let calls = Calls::default();
    let (runtime, system) = (recorded(&calls, None), system(2));
    let policy = Policy::builder()
        .allow("host-function:call")
        .rule(RuleDraft::deny("messaging:receive:sender").for_component("a"))
        .build()
        .unwrap();
    let loaded = load(&runtime, &obedient());
    for (name, options) in [("a", executes()), ("sender", ActorOptions::new())] {
        let security = SecurityContext::builder().policy(policy.clone()).build();
        let component = ComponentOptions::new().with_id(id(name)).with_security(security);
        runtime
            .start_actor(&loaded, component, &system, options)
            .wait()
            .unwrap();
    }
    let sent = runtime.send_message_to_component(&id("sender"), [SEND]);
    assert_eq!(answer(sent).unwrap(), 1, "the guest got an error");
    assert_eq!(calls.lock().unwrap().len(), 1);
    assert_eq!(runtime.actor_status(&id("a")).unwrap().counters.sent, 0);
}

#[test]
fn a_message_of_a_component_that_traps_becomes_a_dead_letter() {
    let runtime = commanded(
        first(),
        |_, message| if message == b"a" { TRAP } else { message[0] },
        |_| 0,
    );
    let system = system(2);
    start(&runtime, &system, "a", executes()).unwrap();
    let sender = start(&runtime, &system, "sender", ActorOptions::new()).unwrap();
    let options = SendOptions::new().with_request_id("order-7");
    let sent = runtime.send_message_to_component_with(&sender, [SEND], options);
    assert_eq!(answer(sent).unwrap(), 0);
    let begin = std::time::Instant::now();
    let dead = loop {
        let dead = system.take_dead_letters();
        if !dead.is_empty() {
            break dead;
        }
        assert!(begin.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(1));
    };
    assert_eq!((dead.len(), dead[0].payload.as_slice()), (1, b"a".as_slice()));
    assert!(matches!(
        dead[0].reason,
        DeadLetterReason::Poison { tries: 3, .. }
    ));
    assert_eq!(
        dead[0].request_id.as_deref(),
        Some("order-7"),
        "the sender's request"
    );
}

#[test]
fn a_topic_reaches_each_subscriber_once() {
    let calls = Calls::default();
    let (runtime, system) = (recorded(&calls, None), system(2));
    let topic = Topic::new("orders").unwrap();
    for name in ["x", "y", "z"] {
        start(&runtime, &system, name, ActorOptions::new()).unwrap();
    }
    for name in ["y", "x", "x"] {
        runtime.subscribe_to_topic(&id(name), &topic).unwrap();
    }
    assert_eq!(runtime.topic_subscribers(&topic), [id("x"), id("y")]);
    let published = runtime.publish(&topic, [9], SendOptions::new());
    assert_eq!((published.accepted, published.refused.len()), (2, 0));
    wait_for(&system, 2);
    let mut got: Vec<_> = calls.lock().unwrap().drain(..).map(|(name, _)| name).collect();
    got.sort();
    assert_eq!(got, ["x", "y"]);

    runtime.unsubscribe_from_topic(&id("x"), &topic);
    runtime.stop_actor(&id("y")).wait().unwrap();
    assert!(runtime.topic_subscribers(&topic).is_empty());
    let published = runtime.publish(&topic, [9], SendOptions::new());
    assert_eq!((published.accepted, published.refused.len()), (0, 0));
    let unknown = runtime.subscribe_to_topic(&id("y"), &topic);
    assert!(matches!(unknown, Err(RuntimeError::UnknownComponent(_))));
}

#[test]
fn a_publication_reports_who_refused_it() {
    let (calls, gate) = (Calls::default(), Gate::default());
    let runtime = recorded(&calls, Some(gate.clone()));
    let system = system(2);
    let topic = Topic::new("orders").unwrap();
    let mut mailbox = MailboxLimits::default();
    mailbox.messages = 1;
    let small = ActorOptions::new().with_mailbox(mailbox);
    start(&runtime, &system, "small", small).unwrap();
    start(&runtime, &system, "large", ActorOptions::new()).unwrap();
    for name in ["small", "large"] {
        runtime.subscribe_to_topic(&id(name), &topic).unwrap();
    }
    let publish = || runtime.publish(&topic, *b"a", SendOptions::new());
    assert_eq!(publish().accepted, 2);
    gate.wait_for(2);
    assert_eq!(publish().accepted, 2);
    let third = publish();
    assert_eq!(third.accepted, 1);
    let [(refuser, ActorError::Full { .. })] = &third.refused[..] else {
        panic!("{third:?}");
    };
    assert_eq!(refuser.as_str(), "small");
    gate.open();
    system.shutdown(LONG).wait().unwrap();
    assert!(system.counters().add_up());
}

#[test]
fn a_component_publishes_to_a_topic() {
    for (topic, expected) in [("a", 0), ("nobody", 1)] {
        let calls = Calls::default();
        let (runtime, system) = (recorded(&calls, None), system(2));
        start(&runtime, &system, "reader", executes()).unwrap();
        let name = Topic::new(topic).unwrap();
        if expected == 0 {
            runtime.subscribe_to_topic(&id("reader"), &name).unwrap();
        }
        let publisher = load(&runtime, &super::sending_to(&format!("topic:{topic}")));
        let sender = super::start_loaded(&runtime, &publisher, &system, "sender", ActorOptions::new());
        let sent = runtime.send_message_to_component(&sender.wait().unwrap(), [SEND]);
        assert_eq!(answer(sent).unwrap(), expected);
        wait_for(&system, 2 - u64::from(expected));
        assert_eq!(calls.lock().unwrap().len(), 2 - usize::from(expected));
    }
}

#[test]
fn an_identity_cannot_be_that_of_a_topic() {
    let (runtime, system) = (recorded(&Calls::default(), None), system(1));
    let refused = start(&runtime, &system, "topic:orders", ActorOptions::new());
    let Err(ActorError::Runtime(RuntimeError::Options(InvalidOptions::TopicId(_)))) = refused else {
        panic!("{refused:?}");
    };
    // Of a file's name, it is replaced.
    let component = ComponentOptions::new()
        .with_name_of("topic:orders.wasm")
        .with_capability(airssys_wasm::security::Capability::new("host-function:call").unwrap());
    let loaded = load(&runtime, &obedient());
    let named = runtime.start_actor(&loaded, component, &system, ActorOptions::new());
    assert_eq!(named.wait().unwrap().as_str(), "component-1");
}
