//! Placement of components on hosts by their labels.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use airssys_wasm::ComponentId;
use airssys_wasm::actors::{ActorOptions, SendOptions};
use airssys_wasm_cluster::{Cluster, ClusterError, ClusterOptions, DurableOptions, MAX_LABELS, Name, Placer};
use airssys_wasm_test_support::host::id;

use crate::registry::{Killed, SERVER, tolerant};
use crate::{Host, LONG, key, name, options};
use airssys_wasm_test_support::nats::{Folder, Server};

/// Names the store of a child process.
const STORE: &str = "AIRSSYS_CLUSTER_STORE";

/// Starts durable actors of a host without any others.
struct Starter(Arc<Host>);

impl Placer for Starter {
    fn start(&self, id: &ComponentId) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.0
            .start_component(id.as_str(), &ActorOptions::new().with_durable(true))?;
        Ok(())
    }

    fn stop(&self, id: &ComponentId) {
        let stopped = self.0.runtime.stop_actor(id).wait();
        stopped.expect("it was started");
    }
}

/// A host that takes part, whose components answer with a number.
fn host(folder: PathBuf, number: u8, options: ClusterOptions, labels: &[&str]) -> (Arc<Host>, Cluster) {
    let host = Arc::new(Host::durable(&folder, &ActorOptions::new(), &[], move |_, _| {
        number
    }));
    let cluster = host.join(tolerant(options));
    let labels: Vec<Name> = labels.iter().map(|label| name(label)).collect();
    cluster
        .place_components(labels, Starter(host.clone()))
        .wait()
        .unwrap();
    (host, cluster)
}

/// Waits until each declared component runs where it belongs, and is nowhere else; returns the numbers of components by host.
fn settled(cluster: &Cluster, hosts: &[(&str, u8)]) -> BTreeMap<String, usize> {
    let begun = Instant::now();
    loop {
        let mut counts = BTreeMap::new();
        let placement = cluster.placement().wait().unwrap();
        let is_settled = placement.iter().all(|(id, owner)| {
            let Some(owner) = owner else { return false };
            *counts.entry(owner.to_string()).or_default() += 1;
            let number = hosts.iter().find(|(host, _)| *host == owner.as_str());
            let answer = cluster.send_to(id, [0], SendOptions::new()).wait();
            answer.ok().and_then(|answer| answer.first().copied()) == number.map(|(_, number)| *number)
        });
        if is_settled {
            return counts;
        }
        assert!(begun.elapsed() < LONG, "{placement:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A host in a process of its own, which is killed.
#[test]
#[ignore = "it is the process that `components_follow_labels_and_hosts` starts"]
fn host_process() {
    let server = std::env::var(SERVER).expect("the test that starts it names the server");
    let store = std::env::var(STORE).expect("and the store");
    let options = ClusterOptions::new(name("test"), name("four"), key(7)).with_server(server);
    let _host = host(store.into(), 14, options, &[]);
    loop {
        std::thread::park();
    }
}

#[test]
fn components_follow_labels_and_hosts() {
    let (server, folder) = (Server::start(), Folder::new());
    let file = |name: &str| folder.0.join(name);
    let (_first, one) = host(file("one"), 11, options("one", &server), &["gpu", "eu"]);
    let (second, two) = host(file("two"), 12, options("two", &server), &["eu"]);
    for number in 0..12 {
        let labels: &[&str] = if number < 3 { &["gpu"] } else { &[] };
        let labels: Vec<Name> = labels.iter().map(|label| name(label)).collect();
        two.declare_component(&id(&format!("c{number}")), labels)
            .wait()
            .unwrap();
    }
    let hosts = [("one", 11), ("two", 12), ("three", 13), ("four", 14)];
    let counts = settled(&two, &hosts);
    assert_eq!(counts.values().sum::<usize>(), 12);
    assert!(counts["one"] >= 3, "{counts:?}");
    for (id, owner) in two.placement().wait().unwrap() {
        let has_gpu = ["c0", "c1", "c2"].contains(&id.as_str());
        assert!(!has_gpu || owner.unwrap().as_str() == "one");
    }
    // They get durable messages too.
    let stored = two.send_durable(&id("c0"), [1], DurableOptions::new());
    stored.wait().unwrap();
    let begun = Instant::now();
    while one.counters().durable_received == 0 {
        assert!(begun.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(5));
    }

    // A host comes, and is killed.
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "placement::host_process"]);
    command.env(SERVER, server.url()).env(STORE, file("four"));
    let mut four = Killed(
        command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let begun = Instant::now();
    while !settled(&one, &hosts).contains_key("four") {
        assert!(begun.elapsed() < LONG);
    }
    four.0.kill().unwrap();
    four.0.wait().unwrap();
    let begun = Instant::now();
    while settled(&one, &hosts) != counts {
        assert!(begun.elapsed() < LONG, "as before it came");
    }

    // Another comes, and leaves.
    let (third, three) = host(file("three"), 13, options("three", &server), &["gpu"]);
    let begun = Instant::now();
    while !settled(&one, &hosts).contains_key("three") {
        assert!(begun.elapsed() < LONG);
    }
    // Of the placer, which is dropped though `three` is not.
    assert!(Arc::strong_count(&third) > 1);
    three.leave(LONG).wait().unwrap();
    let begun = Instant::now();
    while Arc::strong_count(&third) > 1 {
        assert!(begun.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(settled(&one, &hosts), counts);
    drop((three, third));

    // Labels that no host has, and none at all any more.
    one.declare_component(&id("c0"), [name("us")]).wait().unwrap();
    let begun = Instant::now();
    while !matches!(one.locate(&id("c0")).wait(), Err(ClusterError::NotAnnounced(_))) {
        assert!(begun.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(one.placement().wait().unwrap()[0], (id("c0"), None));
    one.remove_declared(&id("c0")).wait().unwrap();
    assert_eq!(settled(&two, &hosts).values().sum::<usize>(), 11);

    // A host changes its labels.
    one.declare_component(&id("c1"), [name("us")]).wait().unwrap();
    let replaced = two.place_components([name("us")], Starter(second.clone()));
    replaced.wait().unwrap();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(settled(&one, &hosts).values().sum::<usize>(), 11);
    assert_eq!(two.placement().wait().unwrap()[0], (id("c1"), Some(name("two"))));
    let many: Vec<Name> = (0..=MAX_LABELS).map(|label| name(&label.to_string())).collect();
    let refused = one.declare_component(&id("c1"), many).wait();
    assert!(
        matches!(refused, Err(ClusterError::PlacementFull { .. })),
        "{refused:?}"
    );
}
