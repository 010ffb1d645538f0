//! `host run` with [cluster]: hosts in processes of their own on a real NATS server.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use airssys_wasm_test_support::nats::{Server, certificates, old_program};
use serde_json::json;

use crate::host::{Hosting, command, declared, folder, start};
use crate::host_support::Guest;
use crate::process::{Ran, airssys};

/// Bound for what takes a moment, against a test without end.
const LONG: Duration = Duration::from_secs(60);

/// Writes a secret that only its owner can read.
fn key(folder: &Path, bytes: &[u8]) {
    let path = folder.join("cluster.key");
    fs::write(&path, bytes).expect("it can be written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
}

/// Writes a host file of the cluster `shop` with more lines of [cluster], then its components, in a folder of its own.
fn member(folder: &Path, host: &str, server: &str, more: &str, components: &str) -> String {
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
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
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

/// Runs a host that cannot join, and checks that what it started is stopped.
#[track_caller]
fn refused(file: &str, status: i32) -> Ran {
    let ran = airssys(&["host", "run", file]);
    assert_eq!((ran.code, &*ran.stdout), (status, ""), "{ran:?}");
    let count = |word| ran.stderr.matches(word).count();
    assert_eq!(count("] started "), count("] stopped "), "{ran:?}");
    ran
}

const ALONE: &str = "[[component]]\nid = 'a'\npath = 'COUNTER'\n";

#[test]
fn a_server_that_is_absent_silent_or_old_ends_the_host_with_the_remedy() {
    let folder = folder("cluster-absent");
    let listener = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let at = |listener: &TcpListener| {
        let port = listener.local_addr().expect("an address").port();
        format!("nats://127.0.0.1:{port}")
    };
    let short = "connect-time = '500ms'\n";
    let absent = at(&listener());
    let ran = refused(&member(&folder, "one", &absent, short, ALONE), 5);
    ran.says("the host cannot join the cluster `shop`");
    ran.says("no NATS server of the list accepts the connection");
    ran.says("check the addresses");
    let silent = listener();
    let ran = refused(&member(&folder, "one", &at(&silent), short, ALONE), 5);
    ran.says("the host cannot join the cluster `shop`");
    ran.says("check ");
    let without = Server::configured(|_| String::new());
    let ran = refused(&member(&folder, "one", &without.url(), "", ALONE), 5);
    ran.says("--jetstream");
    if let Some(program) = old_program() {
        let server = Server::with(&program, |folder| {
            let store = folder.join("store").display().to_string();
            vec!["--jetstream".to_owned(), "--store_dir".to_owned(), store]
        });
        let ran = refused(&member(&folder, "one", &server.url(), "", ALONE), 5);
        ran.says("has version 2.9.10, and 2.12 or later is needed: install a newer nats-server");
    }
    fs::remove_dir_all(&folder).expect("it is ours");
}

#[test]
fn a_host_that_waits_for_its_servers_ends_when_it_is_asked_to() {
    let folder = folder("cluster-waits");
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let at = format!("nats://{}", silent.local_addr().expect("an address"));
    let file = member(&folder, "one", &at, "connect-time = '1h'\n", ALONE);
    let child = command(&["host", "run", &file])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // It has started its component, and connects.
    let _connection = silent.accept().expect("a connection");
    let sent = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(sent.expect("`kill`").success());
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("] stopped component=a") && !said.contains("panicked"),
        "{said}"
    );
    fs::remove_dir_all(&folder).expect("it is ours");
}

#[test]
fn a_host_whose_servers_are_away_says_so_and_is_back_with_them() {
    let (folder, mut server) = (folder("cluster-away"), Server::start());
    let more = "lease-time = '1s'\ncall-time = '1s'\nrequest-time = '1s'\n";
    let alone = ALONE.to_owned() + "[host]\ndrain-time = '3s'\n";
    let [one, two] = ["one", "two"].map(|host| start(&member(&folder, host, &server.url(), more, &alone)));
    let state = |host: &Hosting| host.ask(&["ps", "--json"]).ended(0).json()["cluster"]["state"].clone();
    until("both", || state(&one) == "joined" && state(&two) == "joined");
    server.kill();
    until("the end of the lease", || state(&one) == "cut-off");
    // It goes on by itself.
    assert_eq!(one.send("a", "increment", "null"), json!({"count": 1}));
    one.ask(&["send", "two/a", "get"]).ended(5);
    server.restart();
    until("the connection", || {
        let asked = one.ask(&["send", "two/a", "increment"]);
        asked.code == 0 && state(&one) == "joined" && state(&two) == "joined"
    });
    server.kill();
    // Without servers, the end takes its time and is clean.
    for host in [one, two] {
        let (status, rest) = host.end("-TERM");
        assert_eq!(status, Some(0), "{rest}");
    }
    fs::remove_dir_all(&folder).expect("it is ours");
}

#[test]
fn a_name_that_is_taken_and_keys_and_files_that_cannot_be_used_are_refused() {
    let (folder, server) = (folder("cluster-refused"), Server::start());
    let lease = "lease-time = '1s'\nclock-tolerance = '4s'\n";
    let one = start(&member(&folder, "one", &server.url(), lease, ALONE));
    let second = folder.join("second");
    let ran = refused(&member(&second, "one", &server.url(), lease, ALONE), 5);
    ran.says("a host of the cluster is named `one` already: stop it, or choose another name");

    let two = member(&folder, "two", &server.url(), "", ALONE);
    let secret = folder.join("two/cluster.key");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).expect("it is ours");
    refused(&two, 2).says("chmod 600");
    key(&folder.join("two"), b"short-geheim");
    let ran = refused(&two, 3);
    ran.says("must have 32 to 4096");
    assert!(!ran.stderr.contains("geheim"), "{ran:?}");
    fs::remove_file(&secret).expect("it is ours");
    refused(&two, 3).says("cluster.key");
    fs::create_dir(&secret).expect("a folder");
    refused(&two, 3).says("not a regular file");
    let missing = "credentials = 'none.creds'\n";
    refused(&member(&folder, "three", &server.url(), missing, ALONE), 3).says("none.creds");
    fs::write(
        folder.join("three/none.creds"),
        "geheim: neither a JWT nor a seed",
    )
    .expect("it can be written");
    let ran = refused(&member(&folder, "three", &server.url(), missing, ALONE), 3);
    ran.says("none.creds");
    assert!(!ran.stderr.contains("geheim"), "{ran:?}");
    let missing = "tls = { authorities = 'none.pem' }\n";
    refused(&member(&folder, "three", &server.url(), missing, ALONE), 3).says("none.pem");

    // A host with another key gets no answer, and is not believed.
    let file = member(&folder, "stranger", &server.url(), "request-time = '1s'\n", ALONE);
    key(&folder.join("stranger"), &[8; 32]);
    let stranger = start(&file);
    let ran = stranger.ask(&["send", "one/a", "increment"]).ended(5);
    ran.says("`one/a` did not answer within 1000 ms");
    let ps = one.ask(&["ps", "--json"]).ended(0).json();
    assert!(ps["cluster"]["forged"].as_u64() >= Some(1), "{ps}");
    assert_eq!(one.send("a", "get", "null"), json!({"count": 0}));
    assert_eq!(stranger.end("-TERM").0, Some(0));
    assert_eq!(one.end("-TERM").0, Some(0));
    fs::remove_dir_all(&folder).expect("it is ours");
}

#[test]
fn passwords_and_certificates_are_checked_and_not_shown() {
    let folder = folder("cluster-tls");
    let server = Server::configured(|folder| {
        certificates(folder);
        let at = folder.display();
        format!(
            "jetstream {{ store_dir: \"{at}/store\" }}\nauthorization {{ user: u, password: right }}\n\
             tls {{ cert_file: \"{at}/server.pem\", key_file: \"{at}/server.key\", ca_file: \"{at}/ca.pem\", verify: true }}\n"
        )
    });
    let file = |authority: &str, password: &str| {
        let at = server.folder.0.display();
        fs::write(folder.join("password"), password).expect("it can be written");
        let more = format!(
            "user = 'u'\npassword = {{ file = '../password' }}\n[cluster.tls]\nauthorities = '{at}/{authority}.pem'\n\
             certificate = '{at}/client.pem'\nkey = '{at}/client.key'\nrequired = true\n"
        );
        member(&folder, "one", &server.url(), &more, ALONE)
    };
    let ran = refused(&file("ca", "geheim"), 5);
    ran.says("no NATS server of the list accepts the connection");
    assert!(!ran.stderr.contains("geheim"), "{ran:?}");
    refused(&file("other", "right"), 5).says("check the addresses, the credentials and the certificates");
    let host = start(&file("ca", "right\n"));
    assert_eq!(host.send("one/a", "increment", "null"), json!({"count": 1}));
    let (status, rest) = host.end("-TERM");
    assert_eq!(status, Some(0), "{rest}");
    assert!(!rest.contains("right"), "{rest}");
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
