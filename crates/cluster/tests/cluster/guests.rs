//! Messages of components to those of other hosts.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use airssys_wasm::ComponentOptions;
use airssys_wasm::actors::{ActorOptions, ActorSystem, GuestMessages, SendOptions};
use airssys_wasm::artifact::Trust;
use airssys_wasm::load::LoadOptions;
use airssys_wasm::messaging::MailboxLimits;
use airssys_wasm::security::{Policy, RuleDraft, SecurityContext};
use airssys_wasm_cluster::Cluster;
use airssys_wasm_test_support::host::{Guest, id};
use airssys_wasm_test_support::nats::{Folder, Server};

use crate::{Door, Host, LONG, options};

/// Answers of the sending guest.
const SENT: u8 = 0;
const UNKNOWN: u8 = 1;
const FULL: u8 = 2;
const DENIED: u8 = 3;
const TOO_LARGE: u8 = 4;
const CLOSED: u8 = 5;

/// A guest that sends its message to the component of that name. Its answer is 0, or 1 and the number of the error's case.
fn sender() -> Vec<u8> {
    Guest {
        execute: "(call $pass-on (i32.load (local.get 0)) (i32.load offset=4 (local.get 0)))",
        more: r#"
            (func $pass-on (param $target i32) (param $bytes i32) (result i32)
              (call $send-message (local.get $target) (local.get $bytes) (local.get $target) (local.get $bytes)
                (i32.const 3000))
              (call $answer
                (if (result i32) (i32.load8_u (i32.const 3000))
                  (then (i32.add (i32.const 1) (i32.load8_u (i32.const 3008))))
                  (else (i32.const 0)))))"#,
        ..Guest::default()
    }
    .build()
}

/// A host with the sending guest as `s` and `denied`.
fn sending() -> Host {
    let host = Host::with(&[], |_, _| 0);
    let loaded = host
        .runtime
        .loader()
        .load(&sender().into(), &Trust::default(), &LoadOptions::default())
        .expect("it loads");
    for name in ["s", "denied"] {
        let component = ComponentOptions::new().with_id(id(name));
        let started = host
            .runtime
            .start_actor(&loaded, component, &host.system, ActorOptions::new());
        started.wait().expect("it starts");
    }
    host
}

/// Has a component of the host send a message; returns its answer.
fn sends(host: &Host, component: &str, target: &str) -> u8 {
    let answer = host.runtime.send_message_to_component(&id(component), target);
    answer.wait().expect("it answers")[0]
}

/// The component and the message of each call.
type Calls = Receiver<(String, Vec<u8>)>;

fn executes() -> ActorOptions {
    ActorOptions::new().with_guest_messages(GuestMessages::Execute)
}

/// A host whose actors report the messages of other components. Those that are `wait` wait at the door.
fn receiving(names: &[&str], options: &ActorOptions, door: Arc<Door>) -> (Host, Calls) {
    let (step, calls) = reports(door);
    let system = ActorSystem::builder().with_workers(2);
    (Host::start(system, options, names, step), calls)
}

fn reports(door: Arc<Door>) -> (impl Fn(&str, &[u8]) -> u8 + Send + Sync + 'static, Calls) {
    let (sender, calls) = channel();
    let sender = Mutex::new(sender);
    let step = move |component: &str, message: &[u8]| {
        let call = (component.to_owned(), message.to_vec());
        let _ = sender.lock().unwrap().send(call);
        if component == "wait" {
            door.pass();
        }
        3
    };
    (step, calls)
}

fn call(calls: &Calls) -> (String, String) {
    let (component, message) = calls.recv_timeout(LONG).expect("it is called");
    (component, String::from_utf8(message).expect("a name"))
}

fn of(component: &str, message: &str) -> (String, String) {
    (component.to_owned(), message.to_owned())
}

#[test]
fn a_component_reaches_those_of_other_hosts_by_name_and_by_address() {
    let server = Server::start();
    let one = sending();
    let (two, calls) = receiving(&["a", "b"], &executes(), Arc::default());
    assert_eq!(sends(&one, "s", "a"), UNKNOWN, "it is in no cluster");
    let (joined, other) = (
        one.join(options("one", &server)),
        two.join(options("two", &server)),
    );
    assert_eq!(sends(&one, "s", "a"), UNKNOWN, "no host has announced it");
    assert_eq!(sends(&one, "s", "two/a"), SENT);
    assert_eq!(call(&calls), of("a", "two/a"));
    other.announce(&id("a")).wait().expect("it is announced");
    // That it was not announced may be remembered.
    let begin = Instant::now();
    while sends(&one, "s", "a") == UNKNOWN {
        assert!(begin.elapsed() < LONG);
    }
    assert_eq!(call(&calls), of("a", "a"));
    for absent in [
        "b",
        "two/none",
        "three/a",
        "two/topic:x",
        "topic:x",
        "no name",
        "",
        "/",
        "two/",
    ] {
        assert_eq!(sends(&one, "s", absent), UNKNOWN, "{absent}");
    }
    // A component of the host's own comes first.
    one.start_component("a", &executes()).expect("it starts");
    assert_eq!(sends(&one, "s", "a"), SENT);
    assert_eq!(sends(&one, "s", "one/a"), SENT);
    assert!(calls.try_recv().is_err());
    let (counters, others) = (joined.counters(), other.counters());
    assert_eq!((counters.served, others.served), (0, 4), "{others:?}");
    assert_eq!((others.forged, others.malformed), (0, 0));
}

#[test]
fn refusals_are_those_of_the_other_host() {
    let server = Server::start();
    let one = sending();
    let door = Arc::new(Door::default());
    let mut mailbox = MailboxLimits::default();
    (mailbox.messages, mailbox.message_bytes) = (1, 8);
    let (two, calls) = receiving(&["wait"], &executes().with_mailbox(mailbox), door.clone());
    let (_joined, other) = (
        one.join(options("one", &server)),
        two.join(options("two", &server)),
    );
    assert_eq!(sends(&one, "s", "two/wait"), SENT);
    assert_eq!(call(&calls), of("wait", "two/wait"));
    assert_eq!(sends(&one, "s", "two/wait"), SENT, "it waits in the mailbox");
    assert_eq!(sends(&one, "s", "two/wait"), FULL);
    let policy = Policy::builder()
        .allow("host-function:call")
        .rule(RuleDraft::deny("messaging:receive:one/denied"))
        .build()
        .expect("a policy");
    let security = SecurityContext::builder().policy(policy).build();
    let mut mailbox = MailboxLimits::default();
    mailbox.message_bytes = 6;
    for name in ["p", "large"] {
        let component = ComponentOptions::new()
            .with_id(id(name))
            .with_security(security.clone());
        let options = executes().with_mailbox(mailbox.clone());
        let started = two
            .runtime
            .start_actor(&two.loaded, component, &two.system, options);
        started.wait().expect("it starts");
    }
    assert_eq!(sends(&one, "s", "two/p"), SENT);
    assert_eq!(call(&calls), of("p", "two/p"));
    assert_eq!(sends(&one, "denied", "two/p"), DENIED);
    assert_eq!(sends(&one, "s", "two/large"), TOO_LARGE);
    door.open();
    other.leave(LONG).wait().expect("it leaves");
    assert_eq!(sends(&one, "s", "two/p"), UNKNOWN, "its host has left");
}

#[test]
fn a_message_without_an_answer_ends_with_the_call() {
    let mut server = Server::start();
    let one = sending();
    let impatient = options("one", &server).with_request_timeout(Duration::from_millis(300));
    let joined = one.join(impatient);
    let (two, _calls) = receiving(&["a"], &executes(), Arc::default());
    let _other: Cluster = two.join(options("two", &server));
    assert_eq!(sends(&one, "s", "two/a"), SENT);
    server.kill();
    assert_eq!(sends(&one, "s", "two/a"), CLOSED);
    joined.leave(Duration::ZERO).wait().expect("it leaves");
    assert_eq!(sends(&one, "s", "two/a"), UNKNOWN, "it has left");
}

/// The target is looked up on the servers, which takes longer than the call may.
#[test]
fn a_call_does_not_outlast_its_deadline_while_its_target_is_looked_up() {
    let mut server = Server::start();
    let one = sending();
    let _joined = one.join(options("one", &server).with_call_timeout(LONG));
    server.kill();
    let begin = Instant::now();
    let call = SendOptions::new().with_timeout(Duration::from_millis(300));
    let ended = one
        .runtime
        .send_message_to_component_with(&id("s"), "elsewhere", call)
        .wait();
    assert!(ended.is_err(), "{ended:?}");
    assert!(begin.elapsed() < LONG / 2, "{:?}", begin.elapsed());
}

#[test]
fn a_durable_actor_has_the_message_in_its_store() {
    let server = Server::start();
    let folder = Folder::new();
    let one = sending();
    let _joined = one.join(options("one", &server));
    let (step, calls) = reports(Arc::default());
    let two = Host::durable(&folder.0.join("store"), &executes(), &["a"], step);
    let _other = two.join(options("two", &server));
    assert_eq!(sends(&one, "s", "two/a"), SENT);
    assert_eq!(call(&calls), of("a", "two/a"));
}
