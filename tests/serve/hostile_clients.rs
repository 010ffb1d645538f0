//! Clients that send malformed requests, break their own announcements, or send nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Method;

use crate::client::{Raw, exchange, get, raw, request};
use crate::gate::Gate;
use crate::server::{PATIENT, Running, limits};
use airssys_wasm::wasi::WasiCtxBuilder;

/// A request in bytes, and the beginning of the response; empty for a connection that is closed without one.
type Case = (&'static str, Vec<u8>, &'static [&'static str]);

fn with_header(line: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{line}\r\n\r\n").into_bytes()
}

fn first_line(line: &str) -> Vec<u8> {
    format!("{line}\r\nHost: a\r\nConnection: close\r\n\r\n").into_bytes()
}

fn post(headers: &str, body: &str) -> Vec<u8> {
    format!("POST /count HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n\r\n{body}").into_bytes()
}

fn cases() -> Vec<Case> {
    const BAD: &[&str] = &["400"];
    const FULL: &[&str] = &["431"];
    // Closed at once, or after an error response.
    const ANY_END: &[&str] = &["400", ""];
    let many = |count: usize| {
        (0..count)
            .map(|number| format!("x-{number}: y\r\n"))
            .collect::<String>()
    };
    vec![
        ("a carriage return in a value", with_header("x: a\rb"), BAD),
        ("a NUL in a value", with_header("x: a\0b"), BAD),
        ("a DEL in a value", with_header("x: a\x7fb"), BAD),
        ("a NUL in a name", with_header("x\0y: a"), BAD),
        ("a space in a name", with_header("x y: a"), BAD),
        ("a space before the colon", with_header("x : a"), BAD),
        ("a header without a name", with_header(": a"), BAD),
        ("a header without a colon", with_header("nonsense"), BAD),
        ("a folded header", with_header("x: a\r\n b"), BAD),
        ("a name that is not ASCII", with_header("ü: a"), BAD),
        (
            "no host",
            b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n".to_vec(),
            BAD,
        ),
        ("two hosts", with_header("Host: b"), BAD),
        (
            "a host that is none",
            b"GET / HTTP/1.1\r\nHost: a b/c\r\nConnection: close\r\n\r\n".to_vec(),
            BAD,
        ),
        ("a method that is none", first_line("G@T / HTTP/1.1"), BAD),
        ("no method", first_line(" / HTTP/1.1"), BAD),
        ("no path", first_line("GET HTTP/1.1"), BAD),
        ("a space in the path", first_line("GET /a b HTTP/1.1"), BAD),
        (
            "a control character in the path",
            first_line("GET /a\x01b HTTP/1.1"),
            BAD,
        ),
        ("a version that there is not", first_line("GET / HTTP/9.9"), BAD),
        ("a version that is none", first_line("GET / nonsense"), BAD),
        (
            "the other version's preface",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            &["400", "505", ""],
        ),
        (
            "TLS",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\0\0\0\0\r\n\r\n".to_vec(),
            BAD,
        ),
        ("nonsense", vec![0xff; 1000], ANY_END),
        ("NULs", vec![0; 10_000], ANY_END),
        ("a tunnel", first_line("CONNECT internal:443 HTTP/1.1"), &["501"]),
        (
            "a path of 100 KiB",
            first_line(&format!("GET /{} HTTP/1.1", "a".repeat(100 << 10))),
            &["414"],
        ),
        (
            "a header of 100 KiB",
            with_header(&format!("x: {}", "a".repeat(100 << 10))),
            FULL,
        ),
        (
            "a name of 100 KiB",
            with_header(&format!("{}: y", "a".repeat(100 << 10))),
            &["431", "400"],
        ),
        ("101 headers", with_header(many(101).trim_end()), FULL),
        ("10,000 headers", with_header(many(10_000).trim_end()), FULL),
        ("a negative length", post("Content-Length: -1", ""), BAD),
        ("a signed length", post("Content-Length: +1", "a"), BAD),
        ("a length that is none", post("Content-Length: ten", ""), BAD),
        (
            "a length beyond 2^64",
            post("Content-Length: 18446744073709551616", ""),
            BAD,
        ),
        (
            "two lengths",
            post("Content-Length: 1\r\nContent-Length: 2", "ab"),
            BAD,
        ),
        (
            "a length of 2^63",
            post("Content-Length: 9223372036854775808", ""),
            &["413"],
        ),
        (
            "a length over the limit",
            post("Content-Length: 1048577", ""),
            &["413"],
        ),
        (
            "a coding that there is not",
            post("Transfer-Encoding: gzip", ""),
            BAD,
        ),
        (
            "chunks within a coding",
            post("Transfer-Encoding: chunked, gzip", "0\r\n\r\n"),
            BAD,
        ),
        (
            "chunks over the limit",
            post(
                "Transfer-Encoding: chunked",
                &format!("200000\r\n{}\r\n0\r\n\r\n", "a".repeat(0x20_0000)),
            ),
            &["413", ""],
        ),
        // The component gets an error from the body, and sends no response of its own.
        (
            "a chunk size that is none",
            post("Transfer-Encoding: chunked", "xyz\r\nabc\r\n0\r\n\r\n"),
            BAD,
        ),
        (
            "a chunk size beyond 2^64",
            post(
                "Transfer-Encoding: chunked",
                "fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
            ),
            BAD,
        ),
        (
            "a chunk that is longer than it says",
            post("Transfer-Encoding: chunked", "3\r\nabcdef\r\n0\r\n\r\n"),
            BAD,
        ),
        (
            "a chunk's extension without end",
            post(
                "Transfer-Encoding: chunked",
                &format!("3;{}\r\nabc\r\n0\r\n\r\n", "x".repeat(200_000)),
            ),
            BAD,
        ),
    ]
}

#[test]
fn requests_that_are_none_are_refused_and_the_next_one_is_served() {
    let server = Running::start();
    let cases = cases();
    assert!(cases.len() >= 44, "{}", cases.len());
    let mut wrong = Vec::new();
    for (name, bytes, expected) in &cases {
        let answer = raw(server.addr, bytes);
        let status = answer
            .strip_prefix("HTTP/1.1 ")
            .or(answer.strip_prefix("HTTP/1.0 "));
        let status = status.map_or("", |rest| &rest[..3.min(rest.len())]);
        if !expected.contains(&status) {
            let begin: String = answer.chars().take(80).collect();
            wrong.push(format!("{name}: {begin:?}, not {expected:?}"));
        }
        assert_eq!(get(server.addr, "/").text(), "hello", "after {name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn lengths_and_chunks_together_smuggle_nothing() {
    let server = Running::start();
    let smuggled = "GET /describe?smuggled HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let length = smuggled.len() + 5;
    let answer = raw(
        server.addr,
        format!(
            "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
        )
        .as_bytes(),
    );
    // The body is read by its chunks, and the connection ends with it, so there is no second request.
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    assert!(!answer.contains("smuggled"), "{answer}");
}

/// Sends bytes in small pieces; returns the response and the time.
fn slowly(server: &Running, first: &[u8], bit: &[u8], times: u32) -> (String, Duration) {
    let start = Instant::now();
    let mut raw = Raw::connect(server.addr);
    raw.send(first);
    for _ in 0..times {
        std::thread::sleep(Duration::from_millis(100));
        if !raw.send(bit) {
            break;
        }
    }
    (raw.rest(), start.elapsed())
}

#[test]
fn a_head_that_never_ends_is_not_waited_for() {
    let server = Running::limited(|limits| limits.head_time = Duration::from_millis(500));
    let (_, time) = slowly(&server, b"GET / HTTP/1.1\r\nHost: a\r\n", b"x: y\r\n", 20);
    assert!(time < Duration::from_secs(30), "{time:?}");
    let (answer, time) = slowly(&server, b"", b"", 0);
    assert_eq!(answer, "", "a connection without a request");
    assert!(time < Duration::from_secs(30), "{time:?}");
    // A client that is late with its request gets no response, so that it asks again.
    let idle = std::iter::repeat_with(|| raw(server.addr, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    let idle = idle
        .take(20)
        .find(|answer| !answer.is_empty())
        .unwrap_or_default();
    assert!(idle.contains("hello"), "an idle connection is closed: {idle}");
}

#[test]
fn a_body_that_pauses_or_never_ends_is_an_error_for_the_component() {
    let impatient = Running::limited(|limits| limits.read_time = Duration::from_millis(500));
    let start = Instant::now();
    let paused = raw(
        impatient.addr,
        b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc",
    );
    assert!(paused.starts_with("HTTP/1.1 408"), "{paused}");
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    assert_eq!(get(impatient.addr, "/").text(), "hello");

    let server = Running::start();
    let mut endless = Raw::connect(server.addr);
    endless.send(b"POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    let mut sent = 0_u64;
    while endless.send(&[b"8000\r\n".as_slice(), &[b'x'; 0x8000], b"\r\n"].concat()) {
        sent += 0x8000;
        assert!(sent < 1 << 30, "the server reads on and on");
    }
    let mut part = Raw::connect(server.addr);
    part.send(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    part.done();
    let broken = part.rest();
    assert!(broken.starts_with("HTTP/1.1 400"), "{broken}");
    assert_eq!(get(server.addr, "/").text(), "hello");
}

#[test]
fn a_component_need_not_read_a_body() {
    let server = Running::start();
    let body = vec![b'x'; 1 << 20];
    for _ in 0..3 {
        match exchange(server.addr, request(Method::POST, "/ignore", body.clone())) {
            Ok(response) => assert_eq!(response.text(), "ignored"),
            // The connection may end while the body is still being sent.
            Err(error) => assert!(!error.is_parse(), "{error}"),
        }
    }
    let small = exchange(server.addr, request(Method::POST, "/ignore", "small")).unwrap();
    assert_eq!(small.text(), "ignored");
}

#[test]
fn a_client_that_takes_nothing_holds_nothing() {
    let server = Running::limited(|limits| limits.write_time = Duration::from_millis(500));
    let slow: Vec<Raw> = (0..20)
        .map(|_| {
            let mut raw = Raw::connect(server.addr);
            raw.send(b"GET /large?100000000 HTTP/1.1\r\nHost: a\r\n\r\n");
            raw
        })
        .collect();
    assert_eq!(get(server.addr, "/").text(), "hello");
    for mut raw in slow {
        // A connection that the server has closed takes no more bytes.
        let start = Instant::now();
        while raw.send(b"x") {
            assert!(
                start.elapsed() < PATIENT,
                "the server keeps a client that takes nothing"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        let got = raw.rest();
        assert!(got.len() < 100_000_000, "it was cut off");
    }
    assert_eq!(get(server.addr, "/").text(), "hello");
}

#[test]
fn clients_that_go_away_stop_the_component() {
    let server = Running::limited(|limits| {
        limits.threads = 2;
        limits.request_time = Duration::from_secs(600);
        limits.half_closed_time = Duration::from_millis(500);
    });
    for _ in 0..20 {
        let mut raw = Raw::connect(server.addr);
        raw.send(b"GET /spin HTTP/1.1\r\nHost: a\r\n\r\n");
        std::thread::sleep(Duration::from_millis(20));
        drop(raw);
    }
    // Both threads are free long before a request's time limit.
    let start = Instant::now();
    assert_eq!(get(server.addr, "/").text(), "hello");
    assert!(start.elapsed() < PATIENT, "{:?}", start.elapsed());
}

#[test]
fn a_flood_is_refused_and_passes() {
    let mut limits = limits();
    limits.threads = 2;
    limits.queue = 4;
    let gate = Gate::default();
    let origin = gate.origin();
    let mut wasi = WasiCtxBuilder::new();
    wasi.connect(origin.addr.to_string().parse().expect("a grant"));
    let server = Running::with(&wasi, limits);
    let addr = server.addr;
    let refused = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..60)
        .map(|_| {
            let (path, refused) = (format!("/get?{}", origin.url()), refused.clone());
            std::thread::spawn(move || {
                let response = get(addr, &path);
                if response.status == 503 {
                    refused.fetch_add(1, Ordering::SeqCst);
                }
                response
            })
        })
        .collect();
    // The threads and the queue are full until the gate opens.
    let start = Instant::now();
    while refused.load(Ordering::SeqCst) < 30 {
        assert!(start.elapsed() < PATIENT, "{refused:?} requests were refused");
        std::thread::sleep(Duration::from_millis(5));
    }
    gate.open();
    let statuses: Vec<u16> = clients
        .into_iter()
        .map(|client| client.join().unwrap().status.as_u16())
        .collect();
    let count = |status| statuses.iter().filter(|other| **other == status).count();
    assert!(count(200) >= 2, "{statuses:?}");
    assert!(count(503) >= 30, "{statuses:?}");
    assert_eq!(count(200) + count(503), 60, "{statuses:?}");
    assert_eq!(get(addr, "/").text(), "hello");
}

#[test]
fn connections_beyond_the_limit_wait_for_a_place() {
    let server = Running::limited(|limits| limits.connections = 8);
    let idle: Vec<Raw> = (0..100).map(|_| Raw::connect(server.addr)).collect();
    // Places become free as the clients of idle connections close them.
    let start = Instant::now();
    drop(idle);
    assert_eq!(get(server.addr, "/").text(), "hello");
    assert!(start.elapsed() < PATIENT, "{:?}", start.elapsed());
}
