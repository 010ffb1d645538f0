//! `host run` with [cluster]: servers, keys and files that cannot be used, and servers that go away.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use airssys_wasm_test_support::nats::{Server, certificates, old_program};
use serde_json::json;

use crate::host::{Hosting, command, folder, start};
use crate::host_cluster::{key, member, until};
use crate::process::{Ran, airssys};

const ALONE: &str = "[[component]]\nid = 'a'\npath = 'COUNTER'\n";

/// Runs a host that cannot join, and checks that what it started is stopped.
#[track_caller]
fn refused(file: &str, status: i32) -> Ran {
    let ran = airssys(&["host", "run", file]);
    assert_eq!((ran.code, &*ran.stdout), (status, ""), "{ran:?}");
    let count = |word| ran.stderr.matches(word).count();
    assert_eq!(count("] started "), count("] stopped "), "{ran:?}");
    ran
}

#[test]
fn a_server_that_is_absent_silent_or_old_ends_the_host_with_the_remedy() {
    let folder = folder("cluster-absent");
    let listener = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let at = |listener: &TcpListener| {
        let port = listener.local_addr().expect("an address").port();
        format!("nats://127.0.0.1:{port}")
    };
    let short = "connect-time = '500ms'\n";
    let closed = airssys_wasm_test_support::ClosedPort::new();
    let absent = format!("nats://{}", closed.addr);
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
fn a_host_that_waits_for_its_servers_answers_its_clients() {
    let folder = folder("cluster-joining");
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let at = format!("nats://{}", silent.local_addr().expect("an address"));
    // Long enough for the commands below, and an end for a host that does not answer them.
    let file = member(&folder, "one", &at, "connect-time = '60s'\n", ALONE);
    let child = command(&["host", "run", &file])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let _connection = silent.accept().expect("a connection");
    let ask = |args: &[&str]| airssys(&[&["host"], args, &["--host", &file]].concat());
    let ps = ask(&["ps", "--json"]).ended(0).json();
    assert_eq!(
        ps["cluster"],
        json!({"name": "shop", "host": "one", "state": "joining"})
    );
    assert_eq!(ps["components"][0]["state"], "ready", "{ps}");
    let table = ask(&["ps"]).ended(0).stdout;
    let last = table.lines().last();
    assert_eq!(last, Some("cluster shop, host one: joining"), "{table}");
    let logs = ask(&["logs", "a"]).ended(0).stdout;
    assert!(logs.contains("started"), "{logs}");
    for asked in [
        &["send", "a", "get"][..],
        &["send", "a", "get", "--durable"],
        &["stop", "a"],
        &["rollback", "a"],
        &["replace", "a", "other.wasm"],
        &["publish", "none.artifact"],
    ] {
        ask(asked).ended(5).says("the host is still joining its cluster");
    }
    let sent = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(sent.expect("`kill`").success());
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(0), "{said}");
    fs::remove_dir_all(&folder).expect("it is ours");
}

#[test]
fn a_host_whose_servers_are_away_says_so_and_is_back_with_them() {
    let (folder, mut server) = (folder("cluster-away"), Server::start());
    let more = "lease-time = '1s'\ncall-time = '5s'\nrequest-time = '1s'\n";
    let alone = ALONE.to_owned() + "[host]\ndrain-time = '3s'\n";
    let announced = alone.replace("[host]", "cluster = { announce = true }\n[host]");
    let [one, two] = [("one", &announced), ("two", &alone)]
        .map(|(host, components)| start(&member(&folder, host, &server.url(), more, components)));
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
    one.ask(&["stop", "a"]).ended(0);
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

    // An identity is in the registry once.
    let announced = ALONE.to_owned() + "cluster = { announce = true }\n";
    let four = start(&member(&folder, "four", &server.url(), "", &announced));
    let ran = refused(&member(&folder, "five", &server.url(), "", &announced), 5);
    ran.says("`a` is announced by the host `four`: withdraw it there, or choose another identity");
    assert_eq!(four.end("-TERM").0, Some(0));

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
fn the_limits_of_the_servers_storage_are_those_of_the_file_and_of_all_hosts() {
    let (folder, server) = (folder("cluster-limits"), Server::start());
    let limits = "artifact-bytes = '1MiB'\nmax-requests = 10\nmax-served = 10\nreplicas = 1\n\
                  durable = { bytes = '2MiB', messages-per-component = 2, age = '2m' }\n";
    let one = start(&member(&folder, "one", &server.url(), limits, ALONE));
    let send = || one.ask(&["send", "later", "x", "--durable", "--json"]);
    for _ in 0..2 {
        let stored = send().ended(0).json();
        assert_eq!(stored["stored"], 1, "{stored}");
    }
    let full = send();
    full.code_is(4);
    assert!(
        full.stderr.contains("no durable message to `later` is taken now"),
        "{full:?}"
    );
    // One to another component has its place.
    one.ask(&["send", "other", "x", "--durable"]).ended(0);
    let other = limits.replace("2MiB", "4MiB");
    let ran = refused(&member(&folder, "two", &server.url(), &other, ALONE), 5);
    ran.says("max_bytes = 2097152, and 4194304 is needed");
    ran.says("nats stream edit");
    assert_eq!(one.end("-TERM").0, Some(0));
    fs::remove_dir_all(&folder).expect("it is ours");
}
