//! The registry: names of hosts, announced components, leases.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use airssys_wasm::actors::SendOptions;
use airssys_wasm_cluster::{Cluster, ClusterError, ClusterOptions, FailureKind};
use airssys_wasm_test_support::host::{id, runtime};

use crate::envelope::stranger;
use crate::{Host, LONG, key, name, options, said};
use airssys_wasm_test_support::nats::Server;

/// Names the server of a child process.
pub(crate) const SERVER: &str = "AIRSSYS_CLUSTER_SERVER";

fn send(from: &Cluster, component: &str) -> Result<Vec<u8>, ClusterError> {
    from.send_to(&id(component), [0], SendOptions::new()).wait()
}

pub(crate) fn quick(options: ClusterOptions) -> ClusterOptions {
    options
        .with_lease_time(Duration::from_secs(1))
        .with_clock_tolerance(Duration::from_millis(200))
}

/// Short leases that another host takes for over only some seconds later: their hosts may be slow to renew them.
pub(crate) fn tolerant(options: ClusterOptions) -> ClusterOptions {
    quick(options).with_clock_tolerance(Duration::from_secs(5))
}

#[test]
fn an_announced_component_is_found_wherever_it_is() {
    let server = Server::start();
    let (first, second) = (Host::new(|_, _| 1 + 2), Host::new(|_, _| 4));
    let (one, two) = (
        first.join(options("one", &server)),
        second.join(options("two", &server)),
    );
    let none = send(&one, "a");
    assert!(matches!(none, Err(ClusterError::NotAnnounced(_))), "{none:?}");
    let unknown = one.announce(&id("c")).wait();
    assert!(
        matches!(
            unknown,
            Err(ClusterError::Failed {
                kind: FailureKind::Unknown,
                ..
            })
        ),
        "{unknown:?}"
    );

    let fence = one.announce(&id("a")).wait().unwrap();
    assert_eq!(
        one.announce(&id("a")).wait().unwrap(),
        fence,
        "it is announced already"
    );
    assert_eq!(two.locate(&id("a")).wait().unwrap().to_string(), "one/a");
    assert_eq!(
        (send(&one, "a").unwrap(), send(&two, "a").unwrap()),
        (said(3), said(3))
    );
    let taken = two.announce(&id("a")).wait();
    assert!(
        matches!(&taken, Err(ClusterError::Announced { host, .. }) if host.as_str() == "one"),
        "{taken:?}"
    );
    two.withdraw(&id("a")).wait().unwrap();
    assert_eq!(send(&two, "a").unwrap(), said(3), "another host's entry stays");

    // It moves: the remembered place of `two` is wrong from now on.
    one.withdraw(&id("a")).wait().unwrap();
    first.runtime.stop_actor(&id("a")).wait().unwrap();
    assert!(two.announce(&id("a")).wait().unwrap() > fence);
    assert_eq!(
        (send(&one, "a").unwrap(), send(&two, "a").unwrap()),
        (said(4), said(4))
    );

    // Its host leaves, and another takes it over at once.
    two.leave(LONG).wait().unwrap();
    let begun = Instant::now();
    while !matches!(send(&one, "a"), Err(ClusterError::NotAnnounced(_))) {
        assert!(begun.elapsed() < LONG);
    }
    one.announce(&id("b")).wait().unwrap();
    assert_eq!(send(&one, "b").unwrap(), said(3));
}

#[test]
fn a_name_belongs_to_one_host_until_it_leaves() {
    let server = Server::start();
    let (first, second) = (Host::new(|_, _| 3), Host::new(|_, _| 4));
    let one = first.join(tolerant(options("one", &server)));
    let taken = Cluster::join(&second.runtime, tolerant(options("one", &server))).wait();
    assert!(
        matches!(&taken, Err(ClusterError::HostTaken(host)) if host.as_str() == "one"),
        "{taken:?}"
    );
    // Its lease was renewed meanwhile.
    one.announce(&id("a")).wait().unwrap();
    assert_eq!(send(&one, "a").unwrap(), said(3));
    one.leave(LONG).wait().unwrap();
    let again = second.join(options("one", &server));
    assert_eq!(
        again.announce(&id("a")).wait().map(|fence| fence > 0).ok(),
        Some(true)
    );
    assert_eq!(send(&again, "a").unwrap(), said(4));
}

/// A host in a process of its own, which is killed.
#[test]
#[ignore = "it is the process that `a_killed_host_is_replaced` starts"]
fn host_process() {
    let server = std::env::var(SERVER).expect("the test that starts it names the server");
    let host = Host::new(|_, _| 7);
    let joined = ClusterOptions::new(name("test"), name("one"), key(7)).with_server(server);
    let cluster = host.join(tolerant(joined));
    let fence = cluster.announce(&id("a")).wait().unwrap();
    println!("\nfence {fence}");
    loop {
        std::thread::park();
    }
}

pub(crate) struct Killed(pub(crate) Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_killed_host_is_replaced() {
    let server = Server::start();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "--nocapture", "registry::host_process"]);
    let child = command
        .env(SERVER, server.url())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut child = Killed(child);
    let lines = BufReader::new(child.0.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let fence = lines.filter_map(|line| {
        line.strip_prefix("fence ")
            .map(|fence| fence.parse::<u64>().unwrap())
    });
    let fence = fence.take(1).next().expect("it announces its component");

    let (first, second) = (Host::new(|_, _| 3), Host::new(|_, _| 4));
    let two = first.join(tolerant(options("two", &server)));
    assert_eq!(send(&two, "a").unwrap(), said(7));
    child.0.kill().unwrap();
    child.0.wait().unwrap();
    // Its component is another host's when the lease is over, and not before.
    let begun = Instant::now();
    let taken = loop {
        match two.announce(&id("a")).wait() {
            Ok(taken) => break taken,
            Err(ClusterError::Announced { .. }) => assert!(begun.elapsed() < LONG),
            Err(error) => panic!("{error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(taken > fence, "{taken} {fence}");
    assert_eq!(send(&two, "a").unwrap(), said(3));
    // So is its name.
    let one = second.join(tolerant(options("one", &server)));
    assert_eq!(one.locate(&id("a")).wait().unwrap().to_string(), "two/a");
    assert_eq!(send(&one, "a").unwrap(), said(3));
}

#[test]
fn a_host_that_was_cut_off_holds_its_name_again() {
    let mut server = Server::start();
    let host = Host::new(|_, _| 3);
    let one = host.join(quick(options("one", &server)));
    one.announce(&id("a")).wait().unwrap();
    server.kill();
    // Longer than the lease and the tolerance.
    std::thread::sleep(Duration::from_millis(1500));
    server.restart();
    let other = Host::new(|_, _| 4);
    let two = other.join(quick(options("two", &server)));
    let begun = Instant::now();
    while !matches!(send(&two, "a").as_deref(), Ok([3, 0, 0, 0])) {
        assert!(begun.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_strangers_entry_is_none() {
    let server = Server::start();
    let host = Host::new(|_, _| 3);
    let one = host.join(quick(options("one", &server)));
    one.announce(&id("a")).wait().unwrap();
    stranger(&server, async |client| {
        let jetstream = async_nats::jetstream::new(client);
        let bucket = jetstream.get_key_value("airssys-v1-test-registry").await.unwrap();
        // A copy of a right entry under another key, and bytes.
        let entry = bucket.entry("component.a").await.unwrap().unwrap();
        bucket.put("component.b", entry.value).await.unwrap();
        bucket.put("host.one", "mine".into()).await.unwrap();
    });
    let copied = send(&one, "b");
    assert!(matches!(copied, Err(ClusterError::NotAnnounced(_))), "{copied:?}");
    // The host takes its name again, with its components.
    let begun = Instant::now();
    let other = Host::new(|_, _| 4).join(quick(options("two", &server)));
    while !matches!(send(&other, "a").as_deref(), Ok([3, 0, 0, 0])) {
        assert!(begun.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_bucket_with_another_configuration_is_refused() {
    let server = Server::start();
    stranger(&server, async |client| {
        let jetstream = async_nats::jetstream::new(client);
        let config = async_nats::jetstream::kv::Config {
            bucket: "airssys-v1-test-registry".to_owned(),
            history: 5,
            ..Default::default()
        };
        jetstream.create_key_value(config).await.unwrap();
    });
    let refused = Cluster::join(&runtime(), options("one", &server)).wait();
    assert!(
        matches!(
            refused,
            Err(ClusterError::Stream { .. } | ClusterError::Server { .. })
        ),
        "{refused:?}"
    );
}
