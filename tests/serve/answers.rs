//! Responses of a component reach the client unchanged.

use std::io::{Read, Write};

use airssys_wasm::wasi::WasiCtxBuilder;
use http::Method;

use crate::client::{Raw, connect, exchange, get, raw, request, runtime, send};
use crate::server::{Running, capture, limits, lines};

#[test]
fn a_request_is_answered() {
    let server = Running::start();
    let response = get(server.addr, "/");
    assert_eq!(response.status, 200);
    assert_eq!(response.text(), "hello");
    assert_eq!(response.headers["content-type"], "text/plain");
    assert_eq!(get(server.addr, "/nowhere").status, 404);
}

#[test]
fn a_component_sees_the_request_and_not_what_is_the_hosts() {
    let server = Running::start();
    let mut asked = request(Method::from_bytes(b"PURGE").unwrap(), "/describe?a=b%20c", "");
    asked.headers_mut().insert("x-one", "1".parse().unwrap());
    asked.headers_mut().append("x-one", "2".parse().unwrap());
    asked
        .headers_mut()
        .insert("connection", "keep-alive".parse().unwrap());
    asked
        .headers_mut()
        .insert("upgrade", "websocket".parse().unwrap());
    let told = exchange(server.addr, asked).unwrap().text();
    let mut lines: Vec<&str> = told.lines().collect();
    lines[4..].sort_unstable();
    assert_eq!(
        lines,
        [
            "Method::Other(\"PURGE\")",
            "Some(Scheme::Http)",
            "Some(\"test.example\")",
            "Some(\"/describe?a=b%20c\")",
            "x-one: 1",
            "x-one: 2"
        ]
    );
}

#[test]
fn bodies_go_both_ways_whatever_their_size() {
    let server = Running::start();
    for size in [0, 1, 4096, 4097, 65_536, 300_000, 1 << 20] {
        let body: Vec<u8> = (0..size).map(|at| (at * 7 + at / 256) as u8).collect();
        let response = exchange(server.addr, request(Method::POST, "/echo", body.clone())).unwrap();
        assert_eq!(response.status, 200);
        assert!(response.body == body, "{size} bytes came back otherwise");
        let counted = exchange(server.addr, request(Method::PUT, "/count", body)).unwrap();
        assert_eq!(counted.text(), size.to_string());
    }
    let large = get(server.addr, "/large?5000000");
    assert_eq!(large.body.len(), 5_000_000);
    assert!(large.body.iter().all(|byte| *byte == b'x'));
}

#[test]
fn statuses_are_the_components() {
    let server = Running::start();
    for status in [200, 201, 204, 304, 400, 418, 500, 599, 999] {
        assert_eq!(get(server.addr, &format!("/status?{status}")).status, status);
    }
    for status in ["0", "99", "100", "101", "1000", "70000"] {
        assert_eq!(
            get(server.addr, &format!("/status?{status}")).status,
            400,
            "{status}"
        );
    }
}

#[test]
fn a_response_begins_before_the_component_has_ended() {
    let server = Running::start();
    let mut raw = Raw::connect(server.addr);
    raw.begin_echo();
    // The component cannot have ended: the rest of the request is not sent before the response has begun.
    let rest = raw.end_echo();
    assert!(
        rest.contains("the rest") && rest.ends_with("\r\n0\r\n\r\n"),
        "{rest}"
    );
}

#[test]
fn a_connection_serves_many_requests() {
    let server = Running::start();
    runtime().block_on(async {
        let mut sender = connect(server.addr).await;
        for number in 0..200 {
            let body = format!("request {number}");
            let response = send(&mut sender, request(Method::POST, "/echo", body.clone())).await;
            assert_eq!(response.unwrap().text(), body);
        }
    });
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let server = Running::start();
    let mut text = String::new();
    for number in 0..50 {
        let close = if number == 49 { "Connection: close\r\n" } else { "" };
        text.push_str(&format!(
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n{close}\r\nn {number:02}"
        ));
    }
    let answers = raw(server.addr, text.as_bytes());
    let mut from = 0;
    for number in 0..50 {
        let wanted = format!("n {number:02}");
        from += answers[from..]
            .find(&wanted)
            .unwrap_or_else(|| panic!("{wanted}: {answers}"));
    }
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 50);
}

#[test]
fn trailers_go_both_ways() {
    let server = Running::start();
    let answer = raw(
        server.addr,
        b"POST /trailers HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\
          Trailer: x-sum\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 42\r\n\r\n",
    );
    assert!(answer.contains("Some(\"42\")"), "{answer}");
    assert!(answer.ends_with("0\r\nx-seen: yes\r\n\r\n"), "{answer}");
    let none = exchange(server.addr, request(Method::POST, "/trailers", "abc")).unwrap();
    assert_eq!(none.text(), "none");
}

#[test]
fn answers_to_head_have_no_body_and_old_clients_are_served() {
    let server = Running::start();
    let head = exchange(server.addr, request(Method::HEAD, "/", "")).unwrap();
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    let old = raw(server.addr, b"GET / HTTP/1.0\r\n\r\n");
    assert!(old.starts_with("HTTP/1.0 200") && old.ends_with("hello"), "{old}");
    let waiting = Raw::connect(server.addr);
    let mut stream = waiting.0.try_clone().unwrap();
    stream
        .write_all(b"POST /count HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut told = [0; 25];
    stream.read_exact(&mut told).unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"ok").unwrap();
    let counted = waiting.rest();
    assert!(
        counted.starts_with("HTTP/1.1 200") && counted.contains("\r\n2"),
        "{counted}"
    );
}

#[test]
fn an_environment_is_what_was_granted() {
    let mut wasi = WasiCtxBuilder::new();
    assert_eq!(
        get(Running::with(&wasi, limits()).addr, "/environment").text(),
        ""
    );
    wasi.env("GREETING", "hello").env("TARGET", "world");
    let server = Running::with(&wasi, limits());
    assert_eq!(
        get(server.addr, "/environment").text(),
        "GREETING=hello\nTARGET=world"
    );
}

#[test]
fn each_request_leaves_a_line_in_the_access_log() {
    capture();
    let server = Running::start();
    get(server.addr, "/logged-once?12345");
    let found = lines("/logged-once");
    assert_eq!(found.len(), 1, "{found:?}");
    let line = &found[0];
    // A query may be secret.
    assert!(
        line.starts_with("airssys_wasm::access GET /logged-once?… peer=127.0.0.1:"),
        "{line}"
    );
    assert!(line.contains(" status=404 "), "{line}");
    assert!(
        line.contains(" bytes=9 ") && line.ends_with(" complete=true"),
        "{line}"
    );
    assert_eq!(get(server.addr, "/trap?logged-trap").status, 500);
    assert!(lines(" GET /trap?… ")[0].contains(" status=500 "));
}
