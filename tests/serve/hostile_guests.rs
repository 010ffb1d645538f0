//! Components that trap, break announcements, never end, or request too much: the server and other requests are unaffected.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use airssys_wasm::wasi::http::HttpLimits;
use airssys_wasm::wasi::{WasiCtxBuilder, WasiLimits};

use crate::client::{get, raw};
use crate::gate::Gate;
use crate::server::{PATIENT, Running, limits};

#[test]
fn what_a_component_does_wrong_is_one_request_with_no_details() {
    let server = Running::start();
    let cases = [
        "/trap",
        "/no-answer",
        "/dropped-answer",
        "/error",
        "/stream-open",
        "/many-fields?100000",
        "/wide-fields?1000",
        "/many-headers?100000",
        "/large-field?1000000",
        "/large-field?200000000",
    ];
    for path in cases {
        let response = get(server.addr, path);
        assert_eq!(response.status, 500, "{path}: {}", response.text());
        assert_eq!(response.text(), "Internal Server Error", "{path}");
        assert_eq!(get(server.addr, "/").text(), "hello", "after {path}");
    }
    assert_eq!(get(server.addr, "/large-field?60000").text(), "true");
}

/// A guest that declared 3 or 10 bytes and wrote 5 sent the client nothing at all, depending on the faster thread.
#[test]
fn a_body_that_fails_before_its_head_is_sent_is_another_answer() {
    let server = Running::start();
    for path in ["/trap-later", "/unfinished", "/short", "/long", "/overwrite"] {
        for _ in 0..20 {
            let response = get(server.addr, path);
            assert_eq!(response.status, 500, "{path}: {}", response.text());
            assert_eq!(response.text(), "Internal Server Error", "{path}");
        }
    }
    let impatient = Running::limited(|limits| limits.request_time = Duration::from_secs(2));
    let late = get(impatient.addr, "/spin-later");
    assert_eq!(
        (late.status.as_u16(), late.text().as_str()),
        (504, "Gateway Timeout")
    );
    assert_eq!(soon(&impatient), "hello");
}

#[test]
fn the_interfaces_own_errors_are_what_guests_get() {
    let server = Running::start();
    let fields = get(server.addr, "/fields");
    assert_eq!(fields.text(), "ok 103");
    let setters = get(server.addr, "/setters");
    assert_eq!(setters.text(), "ok 42");
    let lengths = get(server.addr, "/lengths");
    assert_eq!(lengths.text(), "ok 5");
}

/// Returns the text at `/`, of a server on which a slow machine may exceed the time of a request.
fn soon(server: &Running) -> String {
    let responses = std::iter::repeat_with(|| get(server.addr, "/")).take(20);
    let mut served = responses.filter(|response| response.status != 504);
    served.next().expect("a response within the time").text()
}

#[test]
fn a_component_that_never_ends_is_stopped() {
    let server = Running::limited(|limits| limits.request_time = Duration::from_secs(2));
    for path in ["/spin", "/late?18446744073709551615", "/late?100000"] {
        let start = Instant::now();
        let response = get(server.addr, path);
        assert_eq!(response.status, 504, "{path}");
        assert!(start.elapsed() >= Duration::from_secs(2), "{path}");
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "{path}: {:?}",
            start.elapsed()
        );
    }
    // A response that does not begin within the time is a 504 too.
    let endless = std::iter::repeat_with(|| raw(server.addr, b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n"));
    let endless = endless
        .take(10)
        .find(|answer| !answer.starts_with("HTTP/1.1 504"));
    let endless = endless.expect("a response that begins within the time");
    assert!(endless.starts_with("HTTP/1.1 200"));
    assert!(!endless.ends_with("0\r\n\r\n"));
    assert_eq!(soon(&server), "hello");
}

#[test]
fn what_is_sent_is_bounded_too() {
    let mut wasi = WasiCtxBuilder::new();
    wasi.http_limits({
        let mut limits = HttpLimits::default();
        limits.outgoing_body_bytes = 100_000;
        limits
    });
    let server = Running::with(&wasi, limits());
    let endless = raw(server.addr, b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(endless.len() < 110_000, "{} bytes", endless.len());
    assert!(!endless.ends_with("0\r\n\r\n"));
    assert_eq!(get(server.addr, "/large?90000").body.len(), 90_000);
}

#[test]
fn resources_are_bounded_for_each_request() {
    let mut wasi = WasiCtxBuilder::new();
    wasi.limits({
        let mut limits = WasiLimits::default();
        limits.resources = 100;
        limits
    });
    let server = Running::with(&wasi, limits());
    assert_eq!(get(server.addr, "/many-fields?200").status, 500);
    for _ in 0..200 {
        assert_eq!(get(server.addr, "/").status, 200, "each request has its own");
    }
}

/// A guest that waits holds one thread; there are more.
#[test]
fn slow_requests_do_not_hold_up_the_others() {
    let gate = Gate::default();
    let origin = gate.origin();
    let mut wasi = WasiCtxBuilder::new();
    wasi.connect(origin.addr.to_string().parse().expect("a grant"));
    let server = Running::with(&wasi, limits());
    let addr = server.addr;
    let slow: Vec<_> = (0..12)
        .map(|_| {
            let path = format!("/get?{}", origin.url());
            std::thread::spawn(move || get(addr, &path))
        })
        .collect();
    let start = Instant::now();
    while origin.asked.load(Ordering::SeqCst) < slow.len() {
        assert!(start.elapsed() < PATIENT, "the slow requests run at once");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(get(addr, "/").text(), "hello");
    gate.open();
    for slow in slow {
        assert_eq!(slow.join().unwrap().text(), "200 ok");
    }
}
