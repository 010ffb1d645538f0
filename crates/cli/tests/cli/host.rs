//! `host`, as a process: components run, answer, and end with it.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::process::{Ran, airssys, fixture, scratch};

/// A host that runs. Dropping it kills it.
pub(crate) struct Hosting {
    child: Child,
    pub(crate) socket: PathBuf,
    errors: Option<BufReader<std::process::ChildStderr>>,
    /// The lines of standard error before the host ran.
    before: String,
}

impl Drop for Hosting {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns an empty folder for one test, with a short path: sockets allow no long one.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("airssys-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Writes a host file, and returns its path.
pub(crate) fn declared(folder: &Path, text: &str) -> String {
    let text = text
        .replace("COUNTER", &fixture("counter"))
        .replace("TEXT-C", &fixture("text-processor-c"))
        .replace("TEXT", &fixture("text-processor"));
    let path = folder.join("host.toml");
    std::fs::write(&path, text).expect("it can be written");
    path.to_str().expect("text").to_owned()
}

pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_airssys-wasm"));
    command
        .args(args)
        .env_remove("RUST_LOG")
        .env("XDG_CACHE_HOME", scratch("cache-home"))
        .stdin(Stdio::null());
    command
}

pub(crate) fn start(file: &str) -> Hosting {
    let mut child = command(&["host", "run", file])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut errors = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut before = String::new();
    let socket = loop {
        let mut line = String::new();
        let read = errors.read_line(&mut line).expect("text");
        assert_ne!(read, 0, "it ended before it ran: {before}");
        if line.starts_with("running ") {
            let (_, socket) = line.trim_end().split_once("socket ").expect("a socket");
            break PathBuf::from(socket);
        }
        before.push_str(&line);
    };
    Hosting {
        child,
        socket,
        errors: Some(errors),
        before,
    }
}

impl Hosting {
    /// Runs a command for this host.
    pub(crate) fn ask(&self, args: &[&str]) -> Ran {
        let socket = self.socket.to_str().expect("text");
        airssys(&[&["host"], args, &["--socket", socket]].concat())
    }

    pub(crate) fn send(&self, id: &str, operation: &str, params: &str) -> Value {
        self.ask(&["send", id, operation, params]).ended(0).json()
    }

    /// Returns the row of a component.
    pub(crate) fn row(&self, id: &str) -> Value {
        let ps = self.ask(&["ps", "--json"]).ended(0).json();
        let rows = ps["components"].as_array().expect("rows").clone();
        let row = rows.into_iter().find(|row| row["id"] == id);
        row.unwrap_or_else(|| panic!("{id} is not in {ps}"))
    }

    /// Asks it to end, and returns its exit status and the rest of its standard error.
    pub(crate) fn end(mut self, signal: &str) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().expect("`kill`");
        assert!(sent.success());
        let status = self.child.wait().expect("it ends");
        let mut rest = String::new();
        let mut errors = self.errors.take().expect("read once");
        errors.read_to_string(&mut rest).expect("text");
        (status.code(), rest)
    }
}

const TWO: &str = "
[host]
name = 'two'
workers = 2

[[component]]
id = 'first'
path = 'COUNTER'
config = { start = '40' }

[[component]]
id = 'second'
path = 'COUNTER'
config = { step = { file = 'step' } }
mailbox = { messages = 3 }
";

#[test]
fn components_run_answer_and_end_with_the_host() {
    let folder = folder("two");
    std::fs::write(folder.join("step"), "5\n").expect("it can be written");
    let host = start(&declared(&folder, TWO));
    assert_eq!(host.send("first", "increment", "null"), json!({"count": 41}));
    assert_eq!(host.send("second", "increment", "null"), json!({"count": 5}));
    assert_eq!(host.send("second", "increment", "null"), json!({"count": 10}));
    let told = host
        .ask(&["send", "second", "get", "--codec", "json", "--json"])
        .ended(0);
    let expected = json!({"codec": "json", "operation": "get", "answer": {"count": 10}});
    assert_eq!(told.json(), expected);

    let row = host.row("second");
    assert_eq!((&row["state"], &row["restarts"]), (&json!("ready"), &json!(0)));
    assert_eq!(
        (&row["messages"]["sent"], &row["messages"]["delivered"]),
        (&json!(3), &json!(3))
    );
    let table = host.ask(&["ps"]).ended(0).stdout;
    let lines: Vec<Vec<_>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines[0][..3], ["ID", "STATE", "RESTARTS"]);
    assert_eq!(lines[1], ["first", "ready", "0", "0", "1", "1", "0", "0", "0"]);
    assert_eq!(lines.len(), 3);

    let logs = host.ask(&["logs", "first"]).ended(0).stdout;
    assert!(logs.contains("INFO  counter is ready count=40"), "{logs}");
    assert!(logs.contains("INFO  started"), "events are in the log: {logs}");
    let logs = host.ask(&["logs", "first", "--json"]).ended(0).stdout;
    let line: Value = serde_json::from_str(logs.lines().next().expect("a line")).expect("JSON");
    assert!(
        line["time"].as_str().is_some_and(|time| time.ends_with('Z')),
        "{line}"
    );

    assert_eq!(host.ask(&["stop", "first"]).ended(0).stdout, "first is stopped\n");
    assert_eq!(host.row("first")["state"], "unloaded");
    let (socket, lock) = (host.socket.clone(), host.socket.with_extension("sock.lock"));
    let before = host.before.clone();
    let (status, rest) = host.end("-TERM");
    assert_eq!(status, Some(0), "{rest}");
    let all = before + &rest;
    for (event, times) in [("] started ", 2), ("] ready ", 2), ("] stopped ", 2)] {
        assert_eq!(all.matches(event).count(), times, "{event}: {all}");
    }
    assert!(rest.contains("draining") && rest.contains("stopped"), "{rest}");
    assert!(!socket.exists() && lock.exists());
    std::fs::remove_dir_all(&folder).expect("it is ours");
}

#[test]
fn errors_have_the_exit_status_of_their_reason() {
    let folder = folder("errors");
    let host = start(&declared(&folder, "[[component]]\nid = 'text'\npath = 'TEXT'\n"));
    let unknown = host.ask(&["send", "txt", "word-count"]).ended(2);
    unknown.says("the host has no component `txt`; it has text");
    host.ask(&["send", "text", "no-such-operation"]).code_is(1);
    host.ask(&["send", "text", "word-count", "{"]).ended(2);
    host.ask(&["logs", "txt"]).ended(2);
    host.ask(&["stop", "txt"]).ended(2);
    let large = format!("{{\"text\":\"{}\"}}", "x".repeat(100_000));
    let answer = host.ask(&["send", "text", "word-count", &large]).ended(0);
    assert!(answer.stdout.contains('1'), "{answer:?}");
    let told = host
        .ask(&["send", "txt", "word-count", "--json"])
        .ended_in_json(2);
    assert_eq!(told["error"]["kind"], "usage");
    host.ask(&["stop", "text"]).ended(0);
    host.ask(&["send", "text", "word-count"])
        .ended(2)
        .says("no actor is loaded as `text`");
    let socket = host.socket.to_str().expect("text").to_owned();
    assert_eq!(host.end("-INT").0, Some(0));
    let gone = airssys(&["host", "ps", "--socket", &socket]).ended(5);
    gone.says("no host listens on");
    gone.says("airssys-wasm host run");
    std::fs::remove_dir_all(&folder).expect("it is ours");
}

impl Ran {
    #[track_caller]
    pub(crate) fn code_is(&self, code: i32) {
        assert_eq!(self.code, code, "{self:?}");
    }

    /// Checks the exit code, and returns the error in JSON.
    #[track_caller]
    fn ended_in_json(&self, code: i32) -> Value {
        self.code_is(code);
        let last = self.stderr.lines().last().expect("a line");
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

#[test]
fn a_followed_log_ends_with_the_host() {
    let folder = folder("follow");
    let host = start(&declared(&folder, "[[component]]\nid = 'text'\npath = 'TEXT'\n"));
    let socket = host.socket.to_str().expect("text");
    let mut follower = command(&["host", "logs", "text", "--follow", "--socket", socket])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut told = BufReader::new(follower.stdout.take().expect("a pipe"));
    let mut lines = String::new();
    told.read_line(&mut lines).expect("text");
    host.send("text", "word-count", r#"{"text":"a b"}"#);
    let (status, rest) = host.end("-TERM");
    assert_eq!(status, Some(0), "{rest}");
    told.read_to_string(&mut lines).expect("text");
    let status = follower.wait().expect("it ends");
    assert_eq!(status.code(), Some(0), "the end of the log is its end");
    assert!(lines.contains("stopped"), "{lines}");
    for expected in ["text-processor is ready", "executing"] {
        assert!(lines.contains(expected), "{lines}");
    }
    std::fs::remove_dir_all(&folder).expect("it is ours");
}

/// Files that do not run, the exit status, and words of the error.
const REFUSED: [(&str, i32, &str); 7] = [
    (
        "[[component]]\nid = 'a'\npath = 'none.wasm'\n",
        3,
        "the component `a` cannot be started",
    ),
    (
        "[host]\nworkers = 0\n\n[[component]]\nid = 'a'\npath = 'TEXT'\n",
        3,
        "host.toml:2:11",
    ),
    (
        "[host]\npolicy = 'none.toml'\n[[component]]\nid = 'a'\npath = 'TEXT'\n",
        3,
        "none.toml",
    ),
    (
        "[[component]]\nid = 'a'\npath = 'TEXT'\ngrants = ['filesystem:fly']\n",
        3,
        "fly",
    ),
    (
        "[[component]]\nid = 'a'\npath = 'COUNTER'\nconfig.step = { env = 'AIRSSYS_UNSET' }\n",
        3,
        "AIRSSYS_UNSET",
    ),
    (
        "[[component]]\nid = 'a'\npath = 'COUNTER'\nconfig.step = 'x'\n",
        1,
        "step",
    ),
    (
        "[[component]]\nid = 'a'\npath = 'TEXT'\n[[component]]\nid = 'b'\npath = 'host.toml'\n",
        3,
        "`b` cannot be started",
    ),
];

#[test]
fn a_host_that_cannot_start_ends_with_the_reason_and_stops_what_it_started() {
    let folder = folder("refused");
    for (text, status, words) in REFUSED {
        let file = declared(&folder, text);
        let ran = airssys(&["host", "run", &file]);
        assert_eq!(ran.code, status, "{text}: {ran:?}");
        assert!(ran.stderr.contains(words), "{text}: {ran:?}");
        assert_eq!(ran.stdout, "", "{ran:?}");
        let count = |word| ran.stderr.matches(word).count();
        assert_eq!(count("] started "), count("] stopped "), "{ran:?}");
        assert!(!folder.join("host.run/host.sock").exists(), "{text}");
    }
    airssys(&["host", "run", "none.toml"]).ended(3).says("none.toml");
    airssys(&["host", "ps", "--host", "none.toml"]).ended(3);
    std::fs::remove_dir_all(&folder).expect("it is ours");
}

#[test]
fn the_socket_is_closed_to_others_and_to_a_second_host() {
    let folder = folder("socket");
    let file = declared(&folder, "[[component]]\nid = 'a'\npath = 'TEXT'\n");
    let host = start(&file);
    let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&host.socket), 0o600);
    assert_eq!(mode(host.socket.parent().expect("a folder")), 0o700);
    airssys(&["host", "run", &file]).code_is(5);
    let second = airssys(&["host", "run", &file]).ended(5);
    second.says("another host listens on");
    assert_eq!(host.row("a")["state"], "ready", "the first goes on");

    // A host that was killed leaves its socket, which the next one replaces.
    let socket = host.socket.clone();
    drop(host);
    assert!(socket.exists());
    let host = start(&file);
    assert_eq!(host.row("a")["state"], "ready");
    assert_eq!(host.end("-TERM").0, Some(0));

    let run = folder.join("host.run");
    std::fs::set_permissions(&run, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    airssys(&["host", "run", &file]).ended(5).says("chmod 700");
    std::fs::set_permissions(&run, std::fs::Permissions::from_mode(0o700)).expect("it is ours");
    std::fs::write(&socket, "a file").expect("it can be written");
    airssys(&["host", "run", &file]).ended(5).says("is not a socket");
    let long = folder.join("x".repeat(120));
    let long = long.to_str().expect("text");
    let ran = airssys(&["host", "run", &file, "--socket", &format!("{long}/a")]);
    assert!(
        ran.code == 5 && ran.stderr.contains("choose a shorter one"),
        "{ran:?}"
    );
    std::fs::remove_dir_all(&folder).expect("it is ours");
}

#[test]
fn three_components_in_three_languages_pass_messages_on() {
    let Some(tally) = airssys_wasm_test_support::built("tally") else {
        return;
    };
    let examples = airssys_wasm_test_support::root().join("examples/hosts");
    let text = std::fs::read_to_string(examples.join("pipeline.toml")).expect("it is there");
    // The built guest is in the target folder, and the socket's folder must not be in the sources.
    let text = text
        .replace("../../target/guests/tally.wasm", tally.to_str().expect("text"))
        .replace("../../tests/fixtures", fixture("x").trim_end_matches("/x.wasm"));
    assert!(!text.contains("../.."), "{text}");
    let folder = folder("pipeline");
    let file = folder.join("pipeline.toml");
    std::fs::write(&file, text).expect("it can be written");
    let host = start(file.to_str().expect("text"));
    let lines = "to be\\n\\nor not\\nto be";
    let accepted = host.send("intake", "submit", &format!("{{\"text\":\"{lines}\"}}"));
    assert_eq!(accepted, json!({"lines": 3}));
    let expected = json!({"lines": 3, "words": {"to": 2, "be": 2, "or": 1, "not": 1}});
    let mut tries = 0;
    loop {
        let totals = host.send("tally", "totals", "null");
        if totals == expected {
            break;
        }
        tries += 1;
        assert!(tries < 300, "{totals}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(host.send("meter", "counters", "null")["messages"], 3);
    let row = host.row("meter");
    assert_eq!(row["messages"]["delivered"], 4, "{row}");
    let many = "one two\\n".repeat(500);
    host.send("intake", "submit", &format!("{{\"text\":\"{many}\"}}"));
    let (status, rest) = host.end("-INT");
    // Messages that a stage passes on after the next one has begun to drain are refused there.
    assert_eq!(status, Some(0), "{rest}");
    for id in ["intake", "meter", "tally"] {
        assert!(rest.contains(&format!("stopped component={id}")), "{rest}");
    }
    std::fs::remove_dir_all(&folder).expect("it is ours");
}

#[test]
fn a_component_is_replaced_while_it_runs_and_stays_if_the_new_version_is_wrong() {
    let folder = folder("replace");
    let text = "[[component]]\nid = 'a'\npath = 'COUNTER'\nconfig = { start = '7' }\n";
    let host = start(&declared(&folder, text));
    assert_eq!(host.send("a", "increment", "null"), json!({"count": 8}));

    host.ask(&["replace", "a", "none.wasm"])
        .ended(3)
        .says("none.wasm");
    let invalid = folder.join("invalid.wasm");
    let bytes = wat::parse_str("(component (core module (func (result i32))))").expect("it is text");
    std::fs::write(&invalid, bytes).expect("it is written");
    let invalid = invalid.to_str().expect("text");
    let refused = host.ask(&["replace", "a", invalid]).ended(3);
    refused.says("invalid.wasm` cannot be loaded");
    // Its options are refused before it is compiled, which is left to the library.
    host.ask(&["replace", "a", invalid, "--share", "0", "--trial", "1"])
        .ended(2);
    let other = host.ask(&["replace", "a", &fixture("types")]);
    assert_eq!(other.code, 3, "{other:?}");
    host.ask(&["replace", "b", &fixture("counter")]).ended(2);
    let state = host.ask(&["replace", "a", &fixture("counter"), "--keep-state"]);
    assert_eq!(state.code, 1, "it has no snapshot: {state:?}");
    let share = [
        "replace",
        "a",
        &fixture("counter"),
        "--share",
        "0",
        "--trial",
        "1",
    ];
    host.ask(&share).ended(2);
    assert_eq!(
        host.send("a", "get", "null"),
        json!({"count": 8}),
        "the version before goes on"
    );

    let replaced = host
        .ask(&["replace", "a", &fixture("counter"), "--json"])
        .ended(0);
    let replaced = replaced.json();
    assert_eq!(replaced["id"], "a");
    let version = &replaced["version"];
    assert!(version.is_number(), "{replaced}");
    assert_eq!(
        host.send("a", "get", "null"),
        json!({"count": 7}),
        "it is configured as before"
    );
    assert_eq!(host.row("a")["state"], "ready");
    let back = host.ask(&["rollback", "a"]).ended(0);
    assert!(back.stdout.starts_with("a: version "), "{back:?}");
    assert_eq!(
        host.send("a", "get", "null"),
        json!({"count": 7}),
        "it begins again"
    );
    host.ask(&["rollback", "a"]).ended(2).says("no earlier version");
    host.ask(&["rollback", "b"]).ended(2);
    assert_eq!(host.row("a")["state"], "ready");
    let (status, rest) = host.end("-TERM");
    assert_eq!(status, Some(0), "{rest}");
    let event = format!("replaced by version {version} component=a");
    assert!(rest.contains(&event), "{rest}");
    std::fs::remove_dir_all(&folder).expect("it is ours");
}
