//! Placed components whose starts and stops take long: they run on one host at a time, and hold nothing else up.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use airssys_wasm::ComponentId;
use airssys_wasm::actors::{ActorOptions, SendOptions};
use airssys_wasm_cluster::{Cluster, ClusterError, FailureKind, Placer};
use airssys_wasm_test_support::host::id;
use airssys_wasm_test_support::nats::Server;

use crate::registry::quick;
use crate::{Door, Host, LONG, name, options};

/// Calls of placers in their order.
type Calls = Arc<Mutex<Vec<String>>>;

/// A host whose component `slow` waits at a door when it starts, and whose `busy` at another when it gets a message.
struct Placed {
    name: &'static str,
    host: Host,
    calls: Calls,
    starts: Arc<Door>,
    handles: Arc<Door>,
    is_handling: Arc<AtomicBool>,
}

impl Placed {
    fn new(name: &'static str, number: u8, calls: &Calls) -> Arc<Placed> {
        let (handles, is_handling) = (Arc::new(Door::default()), Arc::new(AtomicBool::new(false)));
        let (door, entered) = (handles.clone(), is_handling.clone());
        let host = Host::with(&[], move |component, _| {
            if component == "busy" {
                entered.store(true, Ordering::SeqCst);
                door.pass();
            }
            number
        });
        Arc::new(Placed {
            name,
            host,
            calls: calls.clone(),
            starts: Arc::default(),
            handles,
            is_handling,
        })
    }

    fn join(self: &Arc<Self>, server: &Server, label: &str) -> Cluster {
        let cluster = self.host.join(quick(options(self.name, server)));
        let placed = cluster.place_components([name(label)], Starter(self.clone()));
        placed.wait().unwrap();
        cluster
    }

    fn called(&self, what: &str, id: &ComponentId) {
        self.calls
            .lock()
            .unwrap()
            .push(format!("{} {what} {id}", self.name));
    }

    fn runs(&self, component: &str) -> bool {
        self.host.runtime.actor_status(&id(component)).is_ok()
    }
}

struct Starter(Arc<Placed>);

impl Placer for Starter {
    fn start(&self, id: &ComponentId) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.0.called("starts", id);
        if id.as_str().starts_with("slow") {
            self.0.starts.pass();
        }
        self.0.host.start_component(id.as_str(), &ActorOptions::new())?;
        Ok(())
    }

    fn stop(&self, id: &ComponentId) {
        self.0.called("stops", id);
        let stopped = self.0.host.runtime.stop_actor(id).wait();
        stopped.expect("it was started");
    }
}

fn has(calls: &Calls, call: &str) -> bool {
    calls.lock().unwrap().iter().any(|known| known == call)
}

#[track_caller]
fn until(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Returns the identity of a slow component that belongs to the host `two` once it is there.
fn slow() -> ComponentId {
    let number = |host: &str, id: &str| *blake3::hash(format!("{host}/{id}").as_bytes()).as_bytes();
    let mut ids = (0..).map(|index| format!("slow{index}"));
    let slow = ids.find(|id| number("two", id) > number("one", id));
    id(&slow.unwrap())
}

/// Sends a message that the component `busy` of a host handles until its door opens.
fn occupy(placed: &Arc<Placed>, from: &Cluster) {
    until(|| placed.runs("busy") && from.locate(&id("busy")).wait().is_ok());
    let sent = from.send_to(&id("busy"), [0], SendOptions::new());
    std::thread::spawn(move || drop(sent.wait()));
    until(|| placed.is_handling.load(Ordering::SeqCst));
}

#[test]
fn a_host_that_joins_does_not_start_what_another_is_starting() {
    let (server, calls, slow) = (Server::start(), Calls::default(), slow());
    let (first, second) = (Placed::new("one", 11, &calls), Placed::new("two", 12, &calls));
    let one = first.join(&server, "eu");
    one.declare_component(&slow, []).wait().unwrap();
    until(|| has(&calls, &format!("one starts {slow}")));

    let two = second.join(&server, "eu");
    second.starts.open();
    until(|| two.placement().wait().unwrap()[0].1 == Some(name("two")));
    // Several looks of the second host.
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(*calls.lock().unwrap(), [format!("one starts {slow}")]);
    let refused = two.send_to(&slow, [0], SendOptions::new()).wait();
    let starts = matches!(
        &refused,
        Err(ClusterError::Failed { kind: FailureKind::Unknown, from, .. }) if from.host == name("one")
    );
    assert!(starts, "{refused:?}");

    first.starts.open();
    until(|| {
        let answer = two.send_to(&slow, [0], SendOptions::new()).wait();
        answer.is_ok_and(|answer| answer.first() == Some(&12))
    });
    let in_order = ["one starts", "one stops", "two starts"].map(|call| format!("{call} {slow}"));
    assert_eq!(*calls.lock().unwrap(), in_order);
}

#[test]
fn a_component_that_does_not_start_is_left_to_others() {
    struct Failing;
    impl Placer for Failing {
        fn start(&self, _: &ComponentId) -> Result<(), Box<dyn Error + Send + Sync>> {
            Err("it has no file".into())
        }
        fn stop(&self, _: &ComponentId) {
            unreachable!("it never started");
        }
    }
    let (server, calls) = (Server::start(), Calls::default());
    let (first, second) = (Placed::new("one", 11, &calls), Placed::new("two", 12, &calls));
    let one = first.host.join(quick(options("one", &server)));
    one.place_components([name("eu")], Failing).wait().unwrap();
    one.declare_component(&id("c"), [name("eu")]).wait().unwrap();
    let two = second.join(&server, "us");
    two.declare_component(&id("c"), [name("us")]).wait().unwrap();
    until(|| {
        let answer = one.send_to(&id("c"), [0], SendOptions::new()).wait();
        answer.is_ok_and(|answer| answer.first() == Some(&12))
    });
}

#[test]
fn a_host_that_leaves_stops_its_components_while_it_starts_one_and_handles_a_request() {
    let (server, calls) = (Server::start(), Calls::default());
    let (first, second) = (Placed::new("one", 11, &calls), Placed::new("two", 12, &calls));
    let (one, two) = (first.join(&server, "eu"), second.join(&server, "us"));
    for component in ["busy", "idle"] {
        one.declare_component(&id(component), [name("eu")])
            .wait()
            .unwrap();
    }
    occupy(&first, &two);
    until(|| first.runs("idle"));
    one.declare_component(&id("slow"), [name("eu")]).wait().unwrap();
    until(|| has(&calls, "one starts slow"));

    let left = one.leave(LONG);
    let stopped = |component: &str| has(&calls, &format!("one stops {component}"));
    until(|| stopped("busy") && stopped("idle"));
    assert!(first.runs("busy") && !stopped("slow"));
    // The name is given back after them.
    two.locate(&id("busy")).wait().unwrap();
    first.starts.open();
    until(|| stopped("slow"));
    first.handles.open();
    left.wait().unwrap();
    assert!(
        ["busy", "idle", "slow"]
            .iter()
            .all(|component| !first.runs(component))
    );
}

#[test]
fn a_component_that_handles_its_last_message_does_not_keep_others_from_starting() {
    let (server, calls) = (Server::start(), Calls::default());
    let (first, second) = (Placed::new("one", 11, &calls), Placed::new("two", 12, &calls));
    let (one, two) = (first.join(&server, "eu"), second.join(&server, "us"));
    one.declare_component(&id("busy"), [name("eu")]).wait().unwrap();
    occupy(&first, &two);
    one.declare_component(&id("busy"), [name("us")]).wait().unwrap();
    until(|| has(&calls, "one stops busy"));
    one.declare_component(&id("idle"), [name("eu")]).wait().unwrap();
    until(|| first.runs("idle"));
    assert!(first.runs("busy") && !second.runs("busy"));

    // A message of another host meanwhile.
    let refused = two.send_to(&id("busy"), [0], SendOptions::new()).wait();
    let unavailable = matches!(
        &refused,
        Err(ClusterError::Failed {
            kind: FailureKind::Unavailable,
            ..
        })
    );
    assert!(unavailable, "{refused:?}");
    second.handles.open();
    first.handles.open();
    until(|| {
        let answer = two.send_to(&id("busy"), [0], SendOptions::new()).wait();
        answer.is_ok_and(|answer| answer.first() == Some(&12))
    });
    // It comes back once it has stopped there.
    two.declare_component(&id("busy"), [name("eu")]).wait().unwrap();
    until(|| {
        let answer = two.send_to(&id("busy"), [0], SendOptions::new()).wait();
        answer.is_ok_and(|answer| answer.first() == Some(&11))
    });
}
