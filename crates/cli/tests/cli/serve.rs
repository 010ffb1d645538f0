//! `serve`, as a process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::process::{airssys, fixture, scratch};

struct Serving {
    child: Child,
    addr: String,
    errors: BufReader<std::process::ChildStderr>,
}

fn serve(args: &[&str]) -> Serving {
    let mut child = Command::new(env!("CARGO_BIN_EXE_airssys-wasm"))
        .args(["-v", "serve", &fixture("wasi-http"), "--addr", "127.0.0.1:0"])
        .args(args)
        .env_remove("RUST_LOG")
        .env("XDG_CACHE_HOME", scratch("cache-home"))
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
        let addr = serving.addr.clone();
        let late = std::thread::spawn(move || get(&addr, "/late?500"));
        std::thread::sleep(Duration::from_millis(200));
        let start = Instant::now();
        let id = serving.child.id().to_string();
        let sent = Command::new("kill")
            .args([signal, &id])
            .status()
            .expect("there is `kill`");
        assert!(sent.success());
        let status = serving.child.wait().expect("it ends");
        assert_eq!(status.code(), Some(0), "{signal}");
        assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
        assert!(
            late.join().expect("no panic").contains("late"),
            "a request in flight is answered"
        );
        let mut log = String::new();
        serving.errors.read_to_string(&mut log).expect("text");
        assert_eq!(log.matches("airssys_wasm::access").count(), 3, "{log}");
    }
}

#[test]
fn what_cannot_be_served_ends_at_once() {
    let other = airssys(&["serve", &fixture("text-processor"), "--addr", "127.0.0.1:0"]).ended(3);
    other.says("does not export wasi:http/incoming-handler");
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
