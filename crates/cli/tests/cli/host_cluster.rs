//! `host run` with [cluster]: hosts in processes of their own on a real NATS server.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use airssys_wasm_test_support::nats::Server;
use serde_json::json;

use crate::host::{Hosting, command, declared, folder, start};
use crate::host_support::Guest;
use crate::process::airssys;

/// Bound for what takes a moment, against a test without end.
const LONG: Duration = Duration::from_secs(60);

/// Writes a secret that only its owner can read.
pub(crate) fn key(folder: &Path, bytes: &[u8]) {
    let path = folder.join("cluster.key");
    fs::write(&path, bytes).expect("it can be written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
}

/// Writes a host file of the cluster `shop` with more lines of [cluster], then its components, in a folder of its own.
pub(crate) fn member(folder: &Path, host: &str, server: &str, more: &str, components: &str) -> String {
    let own = folder.join(host);
    fs::create_dir_all(&own).expect("a folder");
    key(&own, &[7; 32]);
    let cluster = format!(
        "[cluster]\nname = 'shop'\nhost = '{host}'\nservers = ['{server}']\nkey = 'cluster.key'\n{more}\n"
    );
    declared(&own, &(cluster + components))
}

/// Asks again until a condition is true.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !is_so() {
        assert!(Instant::now() < end, "{what} does not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn components_of_other_hosts_answer_and_are_gone_once_their_host_has_left() {
    let (folder, server) = (folder("cluster"), Server::start());
    let component = |id: &str, rest: &str| format!("[[component]]\nid = '{id}'\npath = 'COUNTER'\n{rest}");
    let first = component("first", "cluster = { announce = true }\n");
    let second = component("second", "config = { start = '10' }\n");
    let of_two = member(&folder, "two", &server.url(), "", &second);
    let one = start(&member(&folder, "one", &server.url(), "", &first));
    let two = start(&of_two);

    assert_eq!(one.send("two/second", "increment", "null"), json!({"count": 11}));
    assert_eq!(one.send("two/second", "get", "null"), json!({"count": 11}));
    // By its identity alone, since it is announced; and by its address on the own host.
    assert_eq!(two.send("first", "increment", "null"), json!({"count": 1}));
    assert_eq!(two.send("one/first", "increment", "null"), json!({"count": 2}));
    assert_eq!(one.send("one/first", "increment", "null"), json!({"count": 3}));
    let ask = |to: &str, operation: &str| one.ask(&["send", to, operation]);
    ask("second", "get")
        .ended(2)
        .says("no host of the cluster has announced `second`");
    ask("two/third", "get").ended(2).says("third");
    ask("three/a", "get").ended(5).says("no host `three`");
    ask("two/second", "no-such-operation").code_is(1);
    ask("a b", "get").ended(2).says("not the address");

    let ps = one.ask(&["ps", "--json"]).ended(0).json();
    let cluster = &ps["cluster"];
    assert_eq!(
        (&cluster["name"], &cluster["host"], &cluster["state"]),
        (&json!("shop"), &json!("one"), &json!("joined"))
    );
    assert!(cluster["served"].as_u64() >= Some(2), "{cluster}");
    let table = two.ask(&["ps"]).ended(0).stdout;
    let last = table.lines().last().expect("a line");
    assert!(
        last.starts_with("cluster shop, host two: joined, nats-server 2.12."),
        "{table}"
    );

    // A stopped component is not in the registry any more.
    one.ask(&["stop", "first"]).ended(0);
    two.ask(&["send", "first", "get", "--timeout", "5000"]).ended(2);

    let (status, rest) = two.end("-TERM");
    assert_eq!(status, Some(0), "{rest}");
    ask("two/second", "get").ended(5).says("no host `two`");
    // Its name is free at once.
    let two = start(&of_two);
    assert_eq!(one.send("two/second", "get", "null"), json!({"count": 10}));
    for host in [one, two] {
        let (status, rest) = host.end("-TERM");
        assert_eq!(status, Some(0), "{rest}");
    }
    fs::remove_dir_all(&folder).expect("it is ours");
}

/// Answers `{}` two seconds later.
fn slow(folder: &Path) -> PathBuf {
    let guest = Guest {
        execute: "(call $sleep (i64.const 2000)) (call $answer (i32.const 0x7d7b0480))",
        ..Guest::default()
    };
    let path = folder.join("slow.wasm");
    fs::write(&path, guest.build()).expect("it can be written");
    path
}

#[test]
fn a_message_of_another_host_that_is_handled_is_answered_before_its_host_leaves() {
    let (folder, server) = (folder("cluster-drain"), Server::start());
    let components = format!(
        "[[component]]\nid = 'slow'\npath = '{}'\n",
        slow(&folder).display()
    );
    let two = start(&member(&folder, "two", &server.url(), "", &components));
    let idle = "[[component]]\nid = 'idle'\npath = 'COUNTER'\n";
    let one = start(&member(&folder, "one", &server.url(), "", idle));
    std::thread::scope(|scope| {
        let sent = scope.spawn(|| one.ask(&["send", "two/slow", "work"]));
        until("the message", || two.row("slow")["messages"]["in-flight"] == 1);
        let (status, rest) = two.end("-TERM");
        assert_eq!(status, Some(0), "{rest}");
        let answer = sent.join().expect("it ends").ended(0);
        assert_eq!(answer.json(), json!({}));
        // Its components run until then.
        let place = |words: &str| rest.find(words).unwrap_or_else(|| panic!("{words}: {rest}"));
        assert!(place("left the cluster: host two of the cluster shop") < place("stopped component=slow"));
    });
    assert_eq!(one.end("-TERM").0, Some(0));
    fs::remove_dir_all(&folder).expect("it is ours");
}

/// The number of messages that a durable component has handled, from its followed log.
struct Followed(Child);

impl Followed {
    fn start(host: &Hosting, id: &str) -> Followed {
        let socket = host.socket.to_str().expect("text");
        let follower = command(&["host", "logs", id, "--follow", "--socket", socket])
            .stdout(Stdio::piped())
            .spawn();
        Followed(follower.expect("the program starts"))
    }

    /// Reads until the host has ended.
    fn handled(self) -> usize {
        let output = self.0.wait_with_output().expect("it ends");
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).expect("text");
        text.lines().filter(|line| line.contains("executing")).count()
    }
}

/// Messages are sent before the receiver's host is there, while it runs, while it drains, and while it is away.
#[test]
fn durable_messages_outlast_the_drain_of_their_host_and_each_is_handled_once() {
    const MESSAGES: usize = 24;
    let (folder, server) = (folder("cluster-durable"), Server::start());
    let idle = "[[component]]\nid = 'idle'\npath = 'COUNTER'\n";
    let one = start(&member(&folder, "one", &server.url(), "", idle));
    let components = "
[[component]]
id = 'sink'
path = 'TEXT'
durable = true
cluster = { accept-durable = true, topics = ['orders'] }

[host]
store = 'state.store'
";
    let of_two = member(&folder, "two", &server.url(), "", components);
    let send = |number: usize, to: &str| {
        let id = format!("message-{number}");
        let told = one.ask(&[
            "send",
            to,
            "word-count",
            r#"{"text":"a b"}"#,
            "--durable",
            "--message-id",
            &id,
        ]);
        assert_eq!(told.ended(0).stdout, format!("stored 1 as {id}\n"));
    };
    (0..4).for_each(|number| send(number, "sink"));
    let mut handled = 0;
    let mut two = Some(start(&of_two));
    let mut followed = Followed::start(two.as_ref().expect("it runs"), "sink");
    for number in 4..MESSAGES {
        send(number, if number % 2 == 0 { "sink" } else { "topic:orders" });
        // One that is sent again is handled once.
        if number == 9 {
            send(8, "sink");
        }
        if number == 12 {
            std::thread::scope(|scope| {
                let ending = two.take().expect("it runs");
                let ended = scope.spawn(|| ending.end("-TERM"));
                send(100, "sink");
                let (status, rest) = ended.join().expect("it ends");
                assert_eq!(status, Some(0), "{rest}");
            });
            handled += followed.handled();
            send(101, "sink");
            let again = start(&of_two);
            followed = Followed::start(&again, "sink");
            two = Some(again);
        }
    }
    let two = two.expect("it runs");
    let received = || {
        let ps = two.ask(&["ps", "--json"]).ended(0).json();
        ps["cluster"]["durable-received"].as_u64().expect("a number")
    };
    let others = u64::try_from(MESSAGES + 2 - handled).expect("it fits");
    // Those of the first process that it took and did not handle are in its store.
    until("the last message", || {
        let row = two.row("sink");
        received() <= others && row["waiting"] == 0 && row["messages"]["delivered"].as_u64() == Some(others)
    });
    // A component that no host has yet, and what is none.
    one.ask(&["send", "later", "x", "--durable"]).ended(0);
    for (to, words) in [("topic:", "must not be empty"), ("a b", "may only contain")] {
        one.ask(&["send", to, "x", "--durable"]).ended(2).says(words);
    }
    let (status, rest) = two.end("-TERM");
    assert_eq!(status, Some(0), "{rest}");
    handled += followed.handled();
    assert_eq!(handled, MESSAGES + 2);
    assert_eq!(one.end("-TERM").0, Some(0));
    fs::remove_dir_all(&folder).expect("it is ours");
}

#[test]
fn a_placed_component_moves_when_its_host_leaves() {
    let (folder, server) = (folder("cluster-placed"), Server::start());
    let components = "
[[component]]
id = 'mover'
path = 'COUNTER'
cluster = { place-on = ['eu'] }
";
    let more = "labels = ['eu']\nlease-time = '1500ms'\n";
    let hosts = ["one", "two"].map(|host| start(&member(&folder, host, &server.url(), more, components)));
    let state = |host: &Hosting| host.row("mover")["state"].as_str().expect("text").to_owned();
    until("a place", || {
        hosts.iter().filter(|host| state(host) == "ready").count() == 1
    });
    let answers = |host: &Hosting| {
        let sent = host.ask(&["send", "mover", "increment", "--timeout", "5000"]);
        sent.code == 0
    };
    until("an answer", || hosts.iter().all(answers));
    let [one, two] = hosts;
    let (owner, other) = match state(&one) == "ready" {
        true => (one, two),
        false => (two, one),
    };
    assert_eq!(state(&other), "elsewhere");
    owner
        .ask(&["stop", "mover"])
        .ended(2)
        .says("the cluster places `mover`");
    let (status, rest) = owner.end("-TERM");
    assert_eq!(status, Some(0), "{rest}");
    until("the component", || state(&other) == "ready" && answers(&other));
    assert_eq!(other.end("-TERM").0, Some(0));
    fs::remove_dir_all(&folder).expect("it is ours");
}

#[test]
fn a_host_fetches_an_artifact_by_its_digest_and_runs_it_only_with_a_trusted_signature() {
    let (folder, server) = (folder("cluster-artifact"), Server::start());
    let text = |name: &str| folder.join(name).to_str().expect("text").to_owned();
    let public = airssys(&["keygen", "-o", &text("sign.key")]).ended(0).stdout;
    let (artifact, component) = (text("counter.artifact"), crate::process::fixture("counter"));
    airssys(&[
        "compile",
        &component,
        "-o",
        &artifact,
        "--sign",
        &text("sign.key"),
    ])
    .ended(0);
    let idle = "[[component]]\nid = 'idle'\npath = 'COUNTER'\n";
    let one = start(&member(&folder, "one", &server.url(), "", idle));
    let digest = one.ask(&["publish", &artifact]).ended(0).stdout;
    one.ask(&["publish", &component]).ended(3);
    let of_digest = |digest: &str, host: &str| {
        let trust = format!("[host]\n{host}\n");
        let component = format!("[[component]]\nid = 'fetched'\ncluster = {{ artifact = '{digest}' }}\n");
        member(
            &folder,
            "two",
            &server.url(),
            "artifacts = 'artifacts'",
            &(component + &trust),
        )
    };
    let trusted = format!("trust = ['{}']", public.trim());
    let two = start(&of_digest(digest.trim(), &trusted));
    assert_eq!(one.send("two/fetched", "increment", "null"), json!({"count": 1}));
    assert!(
        folder
            .join(format!("two/artifacts/{}.artifact", digest.trim()))
            .exists()
    );
    assert_eq!(two.end("-TERM").0, Some(0));

    fs::remove_dir_all(folder.join("two/artifacts")).expect("it is ours");
    let untrusted = airssys(&["host", "run", &of_digest(digest.trim(), "")]);
    assert_eq!(untrusted.code, 3, "{untrusted:?}");
    assert!(
        untrusted.stderr.contains("`fetched` cannot be entered"),
        "{untrusted:?}"
    );
    let missing = airssys(&["host", "run", &of_digest(&"0".repeat(64), &trusted)]);
    assert_eq!(missing.code, 3, "{missing:?}");
    assert!(missing.stderr.contains("is not on the servers"), "{missing:?}");
    assert_eq!(one.end("-TERM").0, Some(0));
    fs::remove_dir_all(&folder).expect("it is ours");
}

#[test]
fn the_example_of_the_document_runs() {
    const DOCUMENT: &str = include_str!("../../../../docs/host.md");
    let (_, part) = DOCUMENT
        .split_once("\n## A host of a cluster\n")
        .expect("the part");
    let (_, rest) = part.split_once("```toml\n").expect("an example");
    let (example, _) = rest.split_once("```\n").expect("its end");
    let (folder, server) = (folder("cluster-document"), Server::start());
    let text = example
        .replace("nats://127.0.0.1:4222", &server.url())
        .replace("counter.wasm", "COUNTER")
        .replace("report.wasm", "TEXT");
    key(&folder, &[7; 32]);
    let host = start(&declared(&folder, &text));
    assert_eq!(
        host.send("eu-1/counter", "increment", "null"),
        json!({"count": 1})
    );
    let sent = host
        .ask(&["send", "topic:orders", "increment", "--durable"])
        .ended(0);
    assert!(sent.stdout.starts_with("stored 1 as "), "{sent:?}");
    until("the durable message", || {
        host.send("counter", "get", "null") == json!({"count": 2})
    });
    until("the placed component", || host.row("report")["state"] == "ready");
    let (status, rest) = host.end("-TERM");
    assert_eq!(status, Some(0), "{rest}");
    fs::remove_dir_all(&folder).expect("it is ours");
}
