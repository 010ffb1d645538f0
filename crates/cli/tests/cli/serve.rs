//! `serve`, as a process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::policy::decisions;
use crate::process::{airssys, fixture, scratch, scratch_file};

pub(crate) struct Serving {
    pub(crate) child: Child,
    pub(crate) addr: String,
    pub(crate) errors: BufReader<std::process::ChildStderr>,
}

pub(crate) fn serve(args: &[&str]) -> Serving {
    let mut child = Command::new(env!("CARGO_BIN_EXE_airssys-wasm"))
        .args(["-v", "serve", &fixture("wasi-http"), "--addr", "127.0.0.1:0"])
        .args(args)
        .env_remove("RUST_LOG")
        .env("XDG_CACHE_HOME", scratch("cache-home"))
        // No test would pass by this proxy: there is none.
        .envs(["HTTP_PROXY", "http_proxy", "ALL_PROXY"].map(|name| (name, "http://127.0.0.1:9")))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut errors = BufReader::new(child.stderr.take().expect("standard error is a pipe"));
    let mut line = String::new();
    let addr = loop {
        line.clear();
        assert_ne!(
            errors.read_line(&mut line).expect("text"),
            0,
            "it ended before it served"
        );
        if let Some(url) = line.strip_prefix("serving http://") {
            break url.trim_end().trim_end_matches('/').to_owned();
        }
    };
    Serving { child, addr, errors }
}

fn get(addr: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(addr).expect("it listens");
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    answer
}

#[cfg(unix)]
#[test]
fn a_server_answers_until_it_is_asked_to_end() {
    for signal in ["-INT", "-TERM"] {
        let mut serving = serve(&["--env", "GREETING=hello", "--timeout", "5000"]);
        assert!(get(&serving.addr, "/").contains("hello"));
        assert!(get(&serving.addr, "/environment").contains("GREETING=hello"));
        // A request whose response has begun, and whose body has not ended.
        let mut late = TcpStream::connect(&serving.addr).expect("it listens");
        let head = "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked";
        write!(late, "{head}\r\n\r\n5\r\nbegin\r\n").expect("it reads");
        let (mut seen, mut part) = (String::new(), [0; 512]);
        while !seen.contains("begin") {
            let read = late.read(&mut part).expect("a response that begins");
            assert_ne!(read, 0, "{seen}");
            seen.push_str(&String::from_utf8_lossy(&part[..read]));
        }
        let start = Instant::now();
        let id = serving.child.id().to_string();
        let sent = Command::new("kill")
            .args([signal, &id])
            .status()
            .expect("there is `kill`");
        assert!(sent.success());
        while TcpStream::connect(&serving.addr).is_ok() {
            assert!(start.elapsed() < Duration::from_secs(60), "it still listens");
            std::thread::sleep(Duration::from_millis(5));
        }
        late.write_all(b"8\r\nthe rest\r\n0\r\n\r\n").expect("it reads");
        late.read_to_string(&mut seen).expect("text");
        assert!(
            seen.contains("the rest"),
            "a request in flight is answered: {seen}"
        );
        let status = serving.child.wait().expect("it ends");
        assert_eq!(status.code(), Some(0), "{signal}");
        let mut log = String::new();
        serving.errors.read_to_string(&mut log).expect("text");
        assert_eq!(log.matches("airssys_wasm::access").count(), 3, "{log}");
    }
}

/// A server on this machine that answers each request with `text`. Returns its address.
pub(crate) fn origin(text: &str) -> String {
    let length = text.len();
    answering(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{text}"
    ))
}

/// As [`origin`], for a whole response.
fn answering(response: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = listener.local_addr().expect("it is bound").to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut line = String::new();
            let mut reader = BufReader::new(stream.try_clone().expect("a descriptor"));
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {}
            let _ = stream.write_all(response.as_bytes());
        }
    });
    addr
}

#[test]
fn a_granted_name_cannot_redirect_a_served_component_to_addresses_inside() {
    let inside = origin("inside");
    for location in [&*inside, "169.254.169.254", "10.0.0.1:8080"] {
        let outside = answering(format!(
            "HTTP/1.1 302 Found\r\nLocation: http://{location}/\r\nContent-Length: 5\r\n\r\nmoved"
        ));
        let name = outside.replace("127.0.0.1", "localhost");
        let rule = format!("network:outbound:http://{name}");
        let audit = scratch("serve-redirect.jsonl").display().to_string();
        let _ = std::fs::remove_file(&audit);
        let mut serving = serve(&["--grant", &rule, "--audit", &audit]);
        let ask = |to: &str| get(&serving.addr, &format!("/get?http://{to}/"));
        let moved = ask(&name);
        assert!(moved.contains("302 moved"), "{moved}");
        let refused = ask(location);
        assert!(refused.contains("DestinationIpProhibited"), "{refused}");
        serving.child.kill().expect("it runs");
        serving.child.wait().expect("it ends");
        let line = |capability: &str, verdict: &str, rule: &str| {
            ["wasi-http", capability, verdict, rule].map(str::to_owned)
        };
        assert_eq!(
            decisions(&audit),
            [
                line(&rule, "allowed", &rule),
                line(&format!("network:outbound:http://{location}"), "denied", ""),
            ]
        );
    }
}

#[test]
fn a_served_component_reaches_only_what_the_policy_allows_and_the_audit_shows_it() {
    let (granted, other) = (origin("granted"), origin("other"));
    let rule = format!("network:outbound:http://{granted}");
    let policy = format!("[[allow]]\ncapabilities = ['{rule}']\ncomponents = ['wasi-http']\n");
    let policy = scratch_file("serve-policy.toml", policy.as_bytes());
    let audit = scratch("serve.jsonl").display().to_string();
    let mut serving = serve(&["--policy", &policy, "--audit", &audit]);
    let ask = |addr: &str, origin: &str| get(addr, &format!("/get?http://{origin}/"));
    let answer = ask(&serving.addr, &granted);
    assert!(answer.contains("200 granted"), "{answer}");
    let refused = ask(&serving.addr, &other);
    assert!(refused.contains("DestinationIpProhibited"), "{refused}");
    let name = ask(&serving.addr, "denied.test");
    assert!(name.contains("HttpRequestDenied"), "{name}");
    serving.child.kill().expect("it runs");
    serving.child.wait().expect("it ends");
    let line = |capability: &str, verdict: &str, rule: &str| {
        ["wasi-http", capability, verdict, rule].map(str::to_owned)
    };
    assert_eq!(
        decisions(&audit),
        [
            line(&rule, "allowed", &rule),
            line(&format!("network:outbound:http://{other}"), "denied", ""),
            line("network:outbound:http://denied.test", "denied", ""),
        ]
    );
}

#[test]
fn what_cannot_be_served_ends_at_once() {
    let other = airssys(&["serve", &fixture("text-processor"), "--addr", "127.0.0.1:0"]).ended(3);
    other.says("exports neither wasi:http/incoming-handler@0.2 nor wasi:http/handler@0.3");
    other.says("it is a component of the contract");
    airssys(&["serve", &fixture("wasi-http"), "--addr", "nowhere"]).ended(2);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = taken.local_addr().expect("an address").to_string();
    airssys(&["serve", &fixture("wasi-http"), "--addr", &addr])
        .ended(5)
        .says("cannot listen on");
}

/// A number beyond a semaphore's range caused a panic, and 0 a server that never answered.
#[test]
fn numbers_out_of_their_range_are_refused_with_the_range() {
    let cases = [
        ("--connections", "0", "1..=65536"),
        ("--connections", "2305843009213693952", "1..=65536"),
        ("--connections", "18446744073709551615", "1..=65536"),
        ("--threads", "0", "1..=4096"),
        ("--threads", "1000000", "1..=4096"),
        ("--slow-threads", "0", "1..=4096"),
        ("--timeout", "0", "1..=86400000"),
        ("--timeout", "18446744073709551615", "1..=86400000"),
        ("--max-head", "1", "1024..=16777216"),
        ("--head-time", "0", "1..=86400000"),
        ("--read-time", "0", "1..=86400000"),
        ("--read-rate", "99999999", "0..=1048576"),
        ("--write-time", "86400001", "1..=86400000"),
        ("--write-rate", "99999999", "0..=1048576"),
        ("--half-closed-time", "0", "1..=86400000"),
    ];
    for (option, value, range) in cases {
        let refused = airssys(&["serve", &fixture("wasi-http"), option, value]).ended(2);
        refused.says(option);
        refused.says(range);
    }
}
