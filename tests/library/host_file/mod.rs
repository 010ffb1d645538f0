//! Host files: an example, refused texts, and generated documents.

mod generated;
mod refused;

use std::path::Path;
use std::time::Duration;

use airssys_wasm::actors::{Backpressure, GroupStrategy, GuestMessages, Restart};
use airssys_wasm::codec::{self, Codec};
use airssys_wasm::engine::Backend;
use airssys_wasm::host_file::{CacheChoice, HostFile, HostFileError, ValueError};
use airssys_wasm::limits::Resource;

/// A file with every key.
const FULL: &str = r#"
[host]
name = "full"
workers = 3
turn-messages = 8
drain-time = "5s"
call-time = "1m30s"
socket = "run/full.sock"
policy = "policy.toml"
principal = "alice"
audit = "/var/log/audit.jsonl"
store = "state.redb"
cache = "off"
backend = "cranelift"
trust = ["0000000000000000000000000000000000000000000000000000000000000001", "key.pub"]
allow-unsigned = false
log-lines = 50
log-bytes = "64KiB"

[cluster]
name = "shop"
host = "eu-1"
servers = ["tls://nats.example.com:4222", "nats://[::1]:4223"]
key = "cluster.key"
user = "eu-1"
password = { env = "HOST_FILE_TEST_UNSET" }
labels = ["eu", "gpu"]
artifacts = "artifacts"
artifact-bytes = "2GiB"
connect-time = "20s"
call-time = "3s"
request-time = "1m"
clock-tolerance = "2s"
lease-time = "15s"
max-requests = 100
max-served = 50
replicas = 3

[cluster.tls]
authorities = "authority.pem"
certificate = "eu-1.pem"
key = "eu-1.key"
required = true

[cluster.durable]
bytes = "64MiB"
messages-per-component = 1000
age = "24h"

[[group]]
name = "pair"
strategy = "rest-for-one"
intensity = 4
period = "2m"

[[component]]
id = "reader"
path = "components/reader.wasm"
manifest = "reader.toml"
grants = ["filesystem:read:/data"]
config = { depth = "3", token = { env = "HOST_FILE_TEST_UNSET" }, key = { file = "key" } }
env = { LANG = "C" }
config-data = { codec = "msgpack", file = "reader.bin" }
backpressure = { wait = "250ms" }
messages = "execute"
group = "pair"
durable = true

[component.mailbox]
messages = 5000
bytes = "32MiB"
message-bytes = "2MiB"

[component.supervision]
restart = "transient"
intensity = 2
period = "10s"
first-pause = "1ms"
longest-pause = "4ms"
jitter-percent = 0
max-tries = 1

[component.health]
interval = "20ms"
timeout = "2s"
failures = 5

[component.cluster]
announce = true
accept-durable = true
topics = ["orders", "returns"]
left-topics = ["quotes"]

[component.limits]
memory = "64MiB"
call-time = "5s"
handles = 100

[[component]]
id = "writer"
path = "/opt/writer.cwasm"
config-data = '{"a": 1}'
instances = 4

[[component]]
id = "mover"
cluster = { place-on = ["gpu"], artifact = "DIGEST" }
"#;

#[test]
fn every_key_is_read() {
    let digest = "0123456789abcdef".repeat(4);
    let full = FULL.replace("DIGEST", &digest);
    let file = HostFile::from_toml(&full, "/srv/full.toml").expect("it is valid");
    let host = &file.host;
    assert_eq!(host.name.as_deref(), Some("full"));
    assert_eq!((host.workers, host.turn_messages), (Some(3), Some(8)));
    assert_eq!(host.drain_time.map(|time| time.millis()), Some(5000));
    assert_eq!(host.call_time.map(|time| time.millis()), Some(90_000));
    assert_eq!(host.socket.as_deref(), Some(Path::new("/srv/run/full.sock")));
    assert_eq!(host.socket_of("x.toml"), Path::new("/srv/run/full.sock"));
    assert_eq!(host.policy.as_deref(), Some(Path::new("/srv/policy.toml")));
    assert_eq!(host.audit.as_deref(), Some(Path::new("/var/log/audit.jsonl")));
    assert_eq!(host.store.as_deref(), Some(Path::new("/srv/state.redb")));
    assert_eq!(host.cache, Some(CacheChoice::Off));
    assert_eq!(host.backend, Some(Backend::Cranelift));
    assert_eq!(host.trust, [&format!("{}1", "0".repeat(63)), "/srv/key.pub"]);
    assert_eq!((host.log_lines, host.log_bytes), (Some(50), Some(64 << 10)));

    let [reader, writer, mover] = file.components.as_slice() else {
        panic!("{:?}", file.components)
    };
    assert_eq!(reader.id.as_str(), "reader");
    assert_eq!(reader.path, Path::new("/srv/components/reader.wasm"));
    assert_eq!(reader.grants[0].as_str(), "filesystem:read:/data");
    assert_eq!(reader.limits.get(Resource::Memory), Some(64 << 20));
    assert_eq!(reader.limits.get(Resource::Handles), Some(100));
    let options = reader.actor_options();
    let mailbox = options.mailbox.expect("bounds");
    assert_eq!(
        (mailbox.messages, mailbox.bytes, mailbox.message_bytes),
        (5000, 32 << 20, 2 << 20)
    );
    let longest = Duration::from_millis(250);
    assert_eq!(options.backpressure, Backpressure::Wait { longest });
    assert_eq!(options.guest_messages, GuestMessages::Execute);
    let restarts = &options.restarts;
    assert_eq!((restarts.restart, restarts.intensity), (Restart::Transient, 2));
    assert_eq!((restarts.jitter_percent, restarts.max_tries), (0, 1));
    assert_eq!(restarts.longest_pause, Duration::from_millis(4));

    let probe = options.health.as_ref().expect("probes");
    assert_eq!((probe.interval, probe.failures), (Duration::from_millis(20), 5));
    assert_eq!(probe.timeout, Duration::from_secs(2));
    assert!(options.durable);
    assert_eq!(reader.group.as_deref(), Some("pair"));
    let [group] = file.groups.as_slice() else {
        panic!("{:?}", file.groups)
    };
    assert_eq!(group.strategy, Some(GroupStrategy::RestForOne));
    assert_eq!((group.intensity, group.group().name()), (Some(4), "pair"));
    assert_eq!(group.period.map(|period| period.millis()), Some(120_000));

    let unset = reader.config["token"].read().expect_err("it is not set");
    assert!(matches!(unset, ValueError::NoVariable(_)), "{unset}");
    let missing = reader.config["key"].read().expect_err("there is none");
    assert!(matches!(missing, ValueError::Read { .. }), "{missing}");
    assert!(!format!("{reader:?}").contains("\"3\""), "values are not shown");

    assert_eq!(writer.path, Path::new("/opt/writer.cwasm"));
    let data = writer
        .config_data
        .as_ref()
        .expect("data")
        .payload()
        .expect("a text");
    assert_eq!(data, codec::encode(Codec::Json.code(), br#"{"a": 1}"#));
    assert_eq!(writer.actor_options().backpressure, Backpressure::Refuse);
    assert_eq!((options.instances, writer.actor_options().instances), (1, 4));

    let of_reader = reader.cluster.as_ref().expect("a table");
    assert!(of_reader.announce && of_reader.accept_durable && of_reader.place_on.is_none());
    let topics: Vec<_> = of_reader.topics.iter().map(|topic| topic.as_str()).collect();
    assert_eq!(topics, ["orders", "returns"]);
    assert_eq!(of_reader.left_topics[0].as_str(), "quotes");
    assert_eq!(writer.cluster, None);
    let of_mover = mover.cluster.as_ref().expect("a table");
    assert_eq!(of_mover.place_on.as_deref(), Some(&["gpu".to_owned()][..]));
    assert_eq!(of_mover.artifact.as_deref(), Some(&*digest));
    assert_eq!(
        mover.path,
        Path::new(&format!("/srv/artifacts/{digest}.artifact"))
    );
}

#[test]
fn every_key_of_the_cluster_is_read() {
    let full = FULL.replace("DIGEST", &"0".repeat(64));
    let file = HostFile::from_toml(&full, "/srv/full.toml").expect("it is valid");
    let cluster = file.cluster.expect("a cluster");
    assert_eq!((&*cluster.name, &*cluster.host), ("shop", "eu-1"));
    let servers: Vec<_> = cluster.servers.iter().map(|server| server.as_str()).collect();
    assert_eq!(servers, ["tls://nats.example.com:4222", "nats://[::1]:4223"]);
    assert_eq!(cluster.key, Path::new("/srv/cluster.key"));
    assert_eq!(
        (cluster.credentials, cluster.user.as_deref()),
        (None, Some("eu-1"))
    );
    let unset = cluster
        .password
        .expect("a place")
        .read()
        .expect_err("it is not set");
    assert!(matches!(unset, ValueError::NoVariable(_)), "{unset}");
    assert_eq!(cluster.labels, ["eu", "gpu"]);
    assert_eq!(cluster.artifacts.as_deref(), Some(Path::new("/srv/artifacts")));
    assert_eq!(cluster.artifact_bytes, Some(2 << 30));
    let times = [
        cluster.connect_time,
        cluster.call_time,
        cluster.request_time,
        cluster.clock_tolerance,
        cluster.lease_time,
    ];
    let times = times.map(|time| time.expect("a time").millis());
    assert_eq!(times, [20_000, 3000, 60_000, 2000, 15_000]);
    let numbers = (cluster.max_requests, cluster.max_served, cluster.replicas);
    assert_eq!(numbers, (Some(100), Some(50), Some(3)));
    let tls = &cluster.tls;
    assert_eq!(tls.authorities.as_deref(), Some(Path::new("/srv/authority.pem")));
    assert_eq!(tls.certificate.as_deref(), Some(Path::new("/srv/eu-1.pem")));
    assert_eq!(tls.key.as_deref(), Some(Path::new("/srv/eu-1.key")));
    assert!(tls.required);
    let durable = &cluster.durable;
    assert_eq!(
        (durable.bytes, durable.messages_per_component),
        (Some(64 << 20), Some(1000))
    );
    assert_eq!(durable.age.map(|age| age.millis()), Some(86_400_000));
}

#[test]
fn a_small_file_has_the_defaults() {
    let text = "[[component]]\nid = 'a'\npath = 'a.wasm'\n";
    let file = HostFile::from_toml(text, "dir/small.toml").expect("it is valid");
    assert_eq!(file.host, Default::default());
    assert_eq!(
        file.host.socket_of("dir/small.toml"),
        Path::new("dir/small.run/host.sock")
    );
    assert_eq!(file.components[0].path, Path::new("dir/a.wasm"));
    let options = file.components[0].actor_options();
    assert_eq!(options.restarts, Default::default());
    assert!(options.health.is_none() && !options.durable && file.groups.is_empty());
    assert_eq!(options.mailbox, Some(Default::default()));
    assert_eq!((file.cluster, options.instances), (None, 1));
    let text = "[cluster]\nname = 'c'\nhost = 'h'\nservers = ['nats://a']\nkey = '/k'\n".to_owned() + text;
    let file = HostFile::from_toml(&text, "dir/small.toml").expect("it is valid");
    let cluster = file.cluster.expect("a cluster");
    assert_eq!((cluster.tls, cluster.durable), Default::default());
    assert_eq!(
        (cluster.lease_time, cluster.replicas, cluster.password),
        (None, None, None)
    );
}

#[test]
fn values_come_from_files_without_their_last_line_end() {
    let folder = std::env::temp_dir().join(format!("host-file-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let text = "[[component]]\nid = 'a'\npath = 'a.wasm'\nconfig.token = { file = 'token' }\n";
    let file = HostFile::from_toml(text, folder.join("host.toml")).expect("it is valid");
    let value = &file.components[0].config["token"];
    for (bytes, expected) in [
        (&b"secret\n"[..], Some("secret")),
        (b"secret\r\n", Some("secret")),
        (b"two\n\n", Some("two\n")),
        (b"", Some("")),
        (b"\xff", None),
        (b"a\0b", None),
        (&vec![b'x'; (1 << 20) + 1], None),
    ] {
        std::fs::write(folder.join("token"), bytes).expect("it can be written");
        assert_eq!(value.read().ok().as_deref(), expected);
    }
    std::fs::remove_file(folder.join("token")).expect("it is there");
    std::fs::create_dir(folder.join("token")).expect("a folder");
    assert!(matches!(value.read(), Err(ValueError::Read { .. })));
    let unreadable = HostFile::from_file(folder.join("none.toml"));
    assert!(matches!(unreadable, Err(HostFileError::Read { .. })));
    std::fs::remove_dir_all(&folder).expect("it is ours");
}
