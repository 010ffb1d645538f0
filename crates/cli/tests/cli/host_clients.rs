//! Hostile clients of the socket of a host: each gets a typed error, and others are served meanwhile.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::Value;

use crate::host::{Hosting, declared, folder, start};

fn hosting(name: &str) -> Hosting {
    let folder = folder(name);
    start(&declared(&folder, "[[component]]\nid = 'a'\npath = 'TEXT'\n"))
}

fn connect(host: &Hosting) -> UnixStream {
    let stream = UnixStream::connect(&host.socket).expect("it listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .expect("a time");
    stream
}

/// Returns the last line of the answer.
fn answer(stream: UnixStream) -> Value {
    let lines = BufReader::new(stream).lines();
    let last = lines.map_while(Result::ok).last().expect("an answer");
    serde_json::from_str(&last).unwrap_or_else(|error| panic!("{error}: {last}"))
}

fn asked(host: &Hosting, request: &[u8]) -> Value {
    let mut stream = connect(host);
    stream.write_all(request).expect("it reads");
    answer(stream)
}

#[test]
fn requests_that_are_wrong_are_refused_with_their_reason() {
    let host = hosting("wrong");
    let deep = format!("{{\"v\":1,\"command\":{}\n", "[".repeat(100_000));
    for (request, words) in [
        (&b"\n"[..], "is not JSON"),
        (b"\xff\xfe\n", "is not JSON"),
        (b"GET / HTTP/1.1\r\n\r\n", "is not JSON"),
        (deep.as_bytes(), "is not JSON"),
        (b"{}\n", "another version"),
        (b"[1]\n", "another version"),
        (b"{\"v\":2,\"command\":\"ps\"}\n", "another version"),
        (b"{\"v\":1}\n", "no `command`"),
        (b"{\"v\":1,\"command\":\"quit\"}\n", "no `command`"),
        (b"{\"v\":1,\"command\":[\"ps\"]}\n", "no `command`"),
        (b"{\"v\":1,\"command\":\"stop\"}\n", "no component ``"),
        (b"{\"v\":1,\"command\":\"logs\",\"id\":7}\n", "no component ``"),
        (b"{\"v\":1,\"command\":\"send\",\"id\":\"a\"}\n", "hexadecimal"),
        (
            b"{\"v\":1,\"command\":\"send\",\"id\":\"a\",\"payload\":\"0\"}\n",
            "hexadecimal",
        ),
        (b"{\"v\":1,\"command\":\"replace\",\"id\":\"a\"}\n", "`path`"),
        (b"{\"v\":1,\"command\":\"publish\"}\n", "`path`"),
        (
            b"{\"v\":1,\"command\":\"send\",\"id\":\"a\",\"payload\":\"00\",\"durable\":1}\n",
            "true or false",
        ),
        (
            b"{\"v\":1,\"command\":\"send\",\"id\":\"a\",\"payload\":\"00\",\"durable\":true,\"message-id\":7}\n",
            "not a text",
        ),
        (
            b"{\"v\":1,\"command\":\"replace\",\"id\":\"a\",\"path\":\"x\",\"share\":-1}\n",
            "`share`",
        ),
        (
            b"{\"v\":1,\"command\":\"send\",\"id\":\"a\",\"payload\":\"00\",\"timeout-ms\":-1}\n",
            "whole number",
        ),
    ] {
        let refused = asked(&host, request);
        let message = refused["error"]["message"].as_str().expect("a message");
        assert!(message.contains(words), "{}: {refused}", request.escape_ascii());
        assert_eq!(refused["v"], 1);
        assert_eq!(refused["error"]["status"], 2);
    }
    // A payload that is none is the component's to refuse.
    let refused = asked(
        &host,
        b"{\"v\":1,\"command\":\"send\",\"id\":\"a\",\"payload\":\"\"}\n",
    );
    assert!(refused["error"].is_object(), "{refused}");
    let mut half = connect(&host);
    half.write_all(b"{\"v\":1").expect("it reads");
    half.shutdown(Shutdown::Write).expect("it is open");
    let refused = answer(half);
    assert_eq!(refused["error"]["message"], "the request has no line end");
    assert_eq!(host.row("a")["state"], "ready");
}

#[test]
fn a_line_without_end_is_cut_off() {
    let host = hosting("endless");
    let mut stream = connect(&host);
    let chunk = [b'x'; 1 << 16];
    let mut sent = 0usize;
    // It stops reading a little beyond the limit, and closes the connection.
    let ended = loop {
        match stream.write(&chunk) {
            Ok(written) => sent += written,
            Err(error) => break error.kind(),
        }
        assert!(sent < 64 << 20, "{sent} bytes were read");
    };
    assert!(
        matches!(ended, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset),
        "{ended:?}"
    );
    assert!(sent >= 4 << 20, "{sent}");
    assert_eq!(host.row("a")["state"], "ready");
}

#[test]
fn silent_clients_are_dropped_and_their_number_is_bounded() {
    let host = hosting("silent");
    let mut silent: Vec<UnixStream> = (0..64).map(|_| connect(&host)).collect();
    let refused = answer(connect(&host));
    let message = refused["error"]["message"].as_str().expect("a message");
    assert!(message.contains("64 connections"), "{refused}");
    // Each gets the error that its time is over.
    let mut told = String::new();
    let mut last = silent.pop().expect("a client");
    last.read_to_string(&mut told).expect("text");
    assert!(told.contains("did not come within"), "{told}");
    for mut stream in silent {
        let mut told = String::new();
        stream.read_to_string(&mut told).expect("text");
        assert!(told.contains("did not come within"), "{told}");
    }
    assert_eq!(host.row("a")["state"], "ready");
}

#[test]
fn clients_that_leave_take_nothing_with_them() {
    let host = hosting("leaving");
    for round in 0..200 {
        let mut stream = connect(&host);
        if round % 2 == 0 {
            let follow = b"{\"v\":1,\"command\":\"logs\",\"id\":\"a\",\"follow\":true}\n";
            stream.write_all(follow).expect("it reads");
        }
    }
    // The last followers are noticed within a moment.
    let mut tries = 0;
    while host.ask(&["ps"]).code != 0 {
        tries += 1;
        assert!(tries < 100, "connections are not given back");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(host.end("-TERM").0, Some(0));
}
