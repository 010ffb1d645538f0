//! Clients that send or accept as little as they can, two hundred at a time: other clients are served meanwhile. Nothing is
//! timed here: the others only have to finish while the attack is running.

use std::io::{ErrorKind, Read};
use std::time::Duration;

use airssys_wasm::wasi::WasiCtxBuilder;
use airssys_wasm::wasi::http::serve::ServeLimits;
use http::Method;

use crate::client::{Raw, connect, exchange, get, request, runtime, send};
use crate::server::{Running, limits};

const ATTACKERS: usize = 200;

/// Limits that end no attack before the other clients are done.
fn patient() -> ServeLimits {
    let long = Duration::from_secs(120);
    let mut limits = limits();
    limits.request_time = long;
    limits.head_time = long;
    limits.read_time = long;
    limits.write_time = long;
    limits.drain_time = Duration::from_millis(200);
    limits
}

fn attack(server: &Running, head: impl Fn(usize) -> String) -> Vec<Raw> {
    let begin = |number| {
        let mut raw = Raw::connect(server.addr);
        assert!(raw.send(head(number).as_bytes()));
        raw
    };
    (0..ATTACKERS).map(begin).collect()
}

/// Counts the attackers that are still connected without a response.
fn unanswered(attackers: &[Raw]) -> usize {
    let waits = |raw: &&Raw| {
        raw.0.set_nonblocking(true).expect("it can");
        let mut byte = [0; 1];
        matches!((&raw.0).read(&mut byte), Err(error) if error.kind() == ErrorKind::WouldBlock)
    };
    attackers.iter().filter(waits).count()
}

/// Makes requests of a well-behaved client, on connections of their own and on a shared one.
fn honest(server: &Running) {
    for number in 0..20 {
        assert_eq!(get(server.addr, "/").text(), "hello");
        let body = format!("request {number}");
        let echo = exchange(server.addr, request(Method::POST, "/echo", body.clone()));
        assert_eq!(echo.expect("a whole response").text(), body);
    }
    runtime().block_on(async {
        let mut sender = connect(server.addr).await;
        for _ in 0..100 {
            let response = send(&mut sender, request(Method::POST, "/count", "abc")).await;
            assert_eq!(response.expect("a whole response").text(), "3");
        }
    });
}

/// 200 requests whose bodies never ended blocked all request threads: another client waited for half a minute.
#[test]
fn bodies_that_never_end_hold_no_thread_of_others() {
    let mut limits = patient();
    limits.threads = 4;
    limits.slow_threads = 4;
    let server = Running::with(&WasiCtxBuilder::new(), limits);
    let attackers = attack(&server, |number| {
        let fields = match number % 4 {
            0 => "Content-Length: 1000\r\n\r\nabc",
            1 => "Transfer-Encoding: chunked\r\n\r\n100\r\nabc",
            2 => "Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n",
            _ => "Content-Length: 1000000\r\n\r\n",
        };
        format!("POST /count HTTP/1.1\r\nHost: a\r\n{fields}")
    });
    honest(&server);
    // A quarter of them received 100 Continue.
    let left = unanswered(&attackers);
    assert!(left >= ATTACKERS * 3 / 4, "{left} attackers are left");
}

/// The server gives up on a body that does not arrive, even if the component does not wait for it.
#[test]
fn bodies_that_never_end_end() {
    let server = Running::limited(|limits| {
        limits.threads = 2;
        limits.slow_threads = 2;
        limits.read_time = Duration::from_millis(500);
    });
    let attackers: Vec<Raw> = (0..20)
        .map(|_| {
            let mut raw = Raw::connect(server.addr);
            raw.send(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc");
            raw
        })
        .collect();
    for raw in attackers {
        let answer = raw.rest();
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
}

/// A byte now and then prevented any pause from being long enough.
#[test]
fn bodies_that_drip_end_too() {
    let server = Running::limited(|limits| {
        limits.read_time = Duration::from_millis(400);
        limits.read_rate = 1000;
    });
    let mut raw = Raw::connect(server.addr);
    raw.send(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    for drops in 0.. {
        std::thread::sleep(Duration::from_millis(20));
        if !raw.send(b"x") || unanswered(std::slice::from_ref(&raw)) == 0 {
            break;
        }
        assert!(drops < 3000, "it drips on and on");
    }
    let server = Running::limited(|limits| limits.read_rate = 1000);
    let steady = exchange(server.addr, request(Method::POST, "/count", vec![b'x'; 900_000]));
    assert_eq!(steady.expect("a whole response").text(), "900000");
}

#[test]
fn heads_that_never_end_keep_no_place_from_others() {
    let mut limits = patient();
    limits.connections = 32;
    let server = Running::with(&WasiCtxBuilder::new(), limits);
    let attackers = attack(&server, |_| "GET / HTTP/1.1\r\nHost: a\r\nx-".to_owned());
    honest(&server);
    drop(attackers);
    honest(&server);
}

#[test]
fn clients_that_take_nothing_hold_no_thread_of_others() {
    let server = Running::with(&WasiCtxBuilder::new(), patient());
    let attackers = attack(&server, |_| {
        "GET /large?100000000 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()
    });
    honest(&server);
    drop(attackers);
}

/// A client that closed its side and is gone holds its thread for a limited time.
#[test]
fn a_client_that_closed_its_side_is_given_up_in_the_end() {
    let mut limits = patient();
    limits.half_closed_time = Duration::from_millis(300);
    let server = Running::with(&WasiCtxBuilder::new(), limits);
    let mut raw = Raw::connect(server.addr);
    raw.send(b"GET /spin HTTP/1.1\r\nHost: a\r\n\r\n");
    raw.done();
    let answer = raw.rest();
    assert!(answer.starts_with("HTTP/1.1 504"), "{answer}");
}
