//! Placed components that change hosts while they handle a message: they run on one host at a time.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use airssys_wasm::ComponentId;
use airssys_wasm::actors::{ActorOptions, SendOptions};
use airssys_wasm_cluster::{Cluster, Placer};
use airssys_wasm_test_support::host::id;
use airssys_wasm_test_support::nats::Server;

use crate::registry::quick;
use crate::{Door, Host, LONG, name, options};

/// A host, its starts of actors, and whether it stops one.
struct Watched {
    host: Host,
    starts: AtomicU32,
    stops: AtomicBool,
}

struct Starter(Arc<Watched>);

impl Placer for Starter {
    fn start(&self, id: &ComponentId) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.0.starts.fetch_add(1, Ordering::SeqCst);
        self.0.host.start_component(id.as_str(), &ActorOptions::new())?;
        Ok(())
    }

    fn stop(&self, id: &ComponentId) {
        self.0.stops.store(true, Ordering::SeqCst);
        let stopped = self.0.host.runtime.stop_actor(id).wait();
        stopped.expect("it was started");
    }
}

#[track_caller]
fn until(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Two hosts, of which the first has the component `c`, which handles a message until the door opens.
struct Busy {
    first: Arc<Watched>,
    second: Arc<Watched>,
    one: Cluster,
    two: Cluster,
    door: Arc<Door>,
    _server: Server,
}

impl Busy {
    fn start() -> Busy {
        let (server, door) = (Server::start(), Arc::new(Door::default()));
        let entered = Arc::new(AtomicBool::new(false));
        let (waits, at_door) = (door.clone(), entered.clone());
        let watched = |host| {
            Arc::new(Watched {
                host,
                starts: AtomicU32::new(0),
                stops: AtomicBool::new(false),
            })
        };
        let first = watched(Host::with(&[], move |_, _| {
            at_door.store(true, Ordering::SeqCst);
            waits.pass();
            11
        }));
        let second = watched(Host::with(&[], |_, _| 12));
        let join = |watched: &Arc<Watched>, host: &str, label: &str| {
            let cluster = watched.host.join(quick(options(host, &server)));
            let placed = cluster.place_components([name(label)], Starter(watched.clone()));
            placed.wait().unwrap();
            cluster
        };
        let one = join(&first, "one", "eu");
        let two = join(&second, "two", "us");
        one.declare_component(&id("c"), [name("eu")]).wait().unwrap();
        // It is this host's in the registry before it runs.
        until(|| first.host.runtime.actor_status(&id("c")).is_ok());
        two.locate(&id("c")).wait().unwrap();
        // Dropping the result does not take the message back.
        let sent = one.send_to(&id("c"), [0], SendOptions::new());
        std::thread::spawn(move || drop(sent.wait()));
        until(|| entered.load(Ordering::SeqCst));
        Busy {
            first,
            second,
            one,
            two,
            door,
            _server: server,
        }
    }

    /// Checks that the second host starts the component only once the message on the first is handled.
    fn moves_after_its_message(&self) {
        until(|| self.first.stops.load(Ordering::SeqCst));
        // Several looks of the second host.
        std::thread::sleep(Duration::from_secs(3));
        assert!(
            self.first.host.runtime.actor_status(&id("c")).is_ok(),
            "it handles its message"
        );
        assert_eq!(
            self.second.starts.load(Ordering::SeqCst),
            0,
            "it runs on both hosts"
        );
        self.door.open();
        until(|| self.second.starts.load(Ordering::SeqCst) > 0);
        assert!(self.first.host.runtime.actor_status(&id("c")).is_err());
        until(|| {
            let answer = self.two.send_to(&id("c"), [0], SendOptions::new()).wait();
            answer.is_ok_and(|answer| answer.first() == Some(&12))
        });
    }
}

#[test]
fn a_component_starts_on_its_next_host_when_it_has_stopped_on_the_one_before() {
    let busy = Busy::start();
    busy.two.declare_component(&id("c"), [name("us")]).wait().unwrap();
    busy.moves_after_its_message();
}

#[test]
fn a_host_that_leaves_stops_its_placed_components_before_others_have_them() {
    let busy = Busy::start();
    busy.two
        .place_components([name("us"), name("eu")], Starter(busy.second.clone()))
        .wait()
        .unwrap();
    // The component may belong to either host now.
    let left = busy.one.leave(LONG);
    busy.moves_after_its_message();
    left.wait().unwrap();
}
