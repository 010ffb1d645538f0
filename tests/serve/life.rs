//! Start and shutdown of a server.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use airssys_wasm::component::Component;
use airssys_wasm::wasi::WasiCtxBuilder;
use airssys_wasm::wasi::http::serve::{ServeError, ServeLimits, Server};

use crate::client::{Raw, get};
use crate::common::{default_engine, fixture};
use crate::server::{PATIENT, Running, limits};

#[test]
fn requests_in_flight_end_and_new_ones_are_not_taken() {
    let engine = default_engine();
    let component = Component::from_binary(&engine, &fixture("wasi-http.wasm")).unwrap();
    let mut limits = limits();
    limits.drain_time = PATIENT;
    // An address of its own: no other test can listen on the port once it is free.
    let ip = Ipv4Addr::new(127, 0, 0, 77);
    let server = Running::at(ip, &engine, &component, &WasiCtxBuilder::new(), limits);
    let addr = server.addr;
    let mut late = Raw::connect(addr);
    late.begin_echo();
    let idle = Raw::connect(addr);
    let stopped = std::thread::spawn(move || server.stop());
    let start = Instant::now();
    while TcpStream::connect(addr).is_ok() {
        assert!(start.elapsed() < PATIENT, "it still listens");
        std::thread::sleep(Duration::from_millis(5));
    }
    let late = late.end_echo();
    assert!(
        late.contains("the rest") && late.ends_with("\r\n0\r\n\r\n"),
        "{late}"
    );
    stopped.join().unwrap().unwrap();
    assert_eq!(idle.rest(), "", "an idle connection is closed");
    assert!(TcpStream::connect(addr).is_err(), "nobody listens any more");
}

#[test]
fn what_does_not_end_is_cut_off() {
    let mut limits = limits();
    limits.request_time = Duration::from_secs(60);
    limits.drain_time = Duration::from_millis(300);
    let server = Running::with(&WasiCtxBuilder::new(), limits);
    let mut spinning = Raw::connect(server.addr);
    spinning.send(b"GET /spin HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut endless = Raw::connect(server.addr);
    endless.send(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
    std::thread::sleep(Duration::from_millis(200));
    let start = Instant::now();
    server.stop().unwrap();
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    assert_eq!(spinning.rest(), "");
}

#[test]
fn servers_stand_beside_each_other() {
    let servers: Vec<Running> = (0..3).map(|_| Running::start()).collect();
    for server in &servers {
        assert_eq!(get(server.addr, "/").text(), "hello");
    }
}

#[test]
fn what_cannot_be_served_is_told_at_once() {
    let engine = default_engine();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let bind = |bytes: &[u8], addr| {
        let component = Component::from_binary(&engine, bytes).unwrap();
        Server::bind(
            &engine,
            &component,
            addr,
            &WasiCtxBuilder::new(),
            ServeLimits::default(),
        )
    };
    let others = [
        (b"\0asm\x0d\0\x01\0".to_vec(), "it exports nothing"),
        (
            fixture("text-processor.wasm"),
            "it is a component of the contract",
        ),
        (fixture("wasi-program.wasm"), "it is a program (wasi:cli/run)"),
        (fixture("types.wasm"), "it is a library of functions"),
    ];
    for (bytes, kind) in others {
        let error = bind(&bytes, any).unwrap_err();
        assert!(matches!(&error, ServeError::NoHandler(_)), "{error:?}");
        let text = error.to_string();
        assert!(
            text.contains("exports neither wasi:http/incoming-handler@0.2 nor wasi:http/handler@0.3"),
            "{text}"
        );
        assert!(text.contains(kind), "{text}");
    }
    let taken = TcpListener::bind(any).unwrap();
    let error = bind(&fixture("wasi-http.wasm"), taken.local_addr().unwrap()).unwrap_err();
    assert!(matches!(error, ServeError::Listen { .. }), "{error:?}");
}

/// `--connections` beyond a semaphore's range caused a panic after the server had announced its address; with 0 it never
/// answered.
#[test]
fn limits_out_of_their_range_are_refused_before_anything_is_served() {
    let engine = default_engine();
    let component = Component::from_binary(&engine, &fixture("wasi-http.wasm")).unwrap();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    type Change = fn(&mut ServeLimits);
    let changes: [(&str, Change); 22] = [
        ("connections", |limits| limits.connections = 0),
        ("connections", |limits| limits.connections = usize::MAX),
        ("queue", |limits| limits.queue = usize::MAX),
        ("threads", |limits| limits.threads = 0),
        ("threads", |limits| limits.threads = 4097),
        ("slow_threads", |limits| limits.slow_threads = 0),
        ("slow_threads", |limits| limits.slow_threads = usize::MAX),
        ("instances", |limits| limits.instances = usize::MAX),
        ("head_bytes", |limits| limits.head_bytes = 0),
        ("head_bytes", |limits| limits.head_bytes = usize::MAX),
        ("fields", |limits| limits.fields = 0),
        ("fields", |limits| limits.fields = usize::MAX),
        ("target_bytes", |limits| limits.target_bytes = 0),
        ("target_bytes", |limits| limits.target_bytes = usize::MAX),
        ("ahead_bytes", |limits| limits.ahead_bytes = usize::MAX),
        ("read_rate", |limits| limits.read_rate = u64::MAX),
        ("request_time", |limits| limits.request_time = Duration::ZERO),
        ("request_time", |limits| limits.request_time = Duration::MAX),
        ("head_time", |limits| limits.head_time = Duration::MAX),
        ("read_time", |limits| limits.read_time = Duration::ZERO),
        ("write_time", |limits| limits.write_time = Duration::MAX),
        ("half_closed_time", |limits| {
            limits.half_closed_time = Duration::MAX
        }),
    ];
    for (name, change) in changes {
        let mut limits = ServeLimits::default();
        change(&mut limits);
        let error = Server::bind(&engine, &component, any, &WasiCtxBuilder::new(), limits).unwrap_err();
        assert!(
            matches!(&error, ServeError::Limit(limit) if limit.name() == name),
            "{name}: {error:?}"
        );
        assert!(error.to_string().contains("must be from"), "{error}");
    }
}

#[test]
fn the_table_of_limits_is_what_the_code_has() {
    let path = airssys_wasm_test_support::root().join("docs/serve.md");
    let text = std::fs::read_to_string(path).expect("it is there");
    let limits = ServeLimits::default();
    let range = |range: std::ops::RangeInclusive<u64>| format!("{}–{}", range.start(), range.end());
    let number = |value: usize| value.to_string();
    let millis = |time: Duration| time.as_millis().to_string();
    let times = range(ServeLimits::MILLIS);
    let rows = [
        (
            "connections",
            number(limits.connections),
            range(ServeLimits::CONNECTIONS),
        ),
        ("queue", number(limits.queue), range(ServeLimits::QUEUE)),
        ("threads", number(limits.threads), range(ServeLimits::THREADS)),
        (
            "slow_threads",
            number(limits.slow_threads),
            range(ServeLimits::THREADS),
        ),
        (
            "instances",
            number(limits.instances),
            range(ServeLimits::INSTANCES),
        ),
        (
            "instance_concurrency",
            number(limits.instance_concurrency),
            range(ServeLimits::INSTANCE_CONCURRENCY),
        ),
        (
            "instance_requests",
            number(limits.instance_requests),
            range(ServeLimits::INSTANCE_REQUESTS),
        ),
        ("request_time", millis(limits.request_time), times.clone()),
        (
            "head_bytes",
            number(limits.head_bytes),
            range(ServeLimits::HEAD_BYTES),
        ),
        ("fields", number(limits.fields), range(ServeLimits::FIELDS)),
        (
            "target_bytes",
            number(limits.target_bytes),
            range(ServeLimits::TARGET_BYTES),
        ),
        ("head_time", millis(limits.head_time), times.clone()),
        ("body_bytes", limits.body_bytes.to_string(), "any".to_owned()),
        (
            "ahead_bytes",
            number(limits.ahead_bytes),
            range(ServeLimits::AHEAD_BYTES),
        ),
        ("read_time", millis(limits.read_time), times.clone()),
        (
            "read_rate",
            limits.read_rate.to_string(),
            range(ServeLimits::RATE),
        ),
        ("write_time", millis(limits.write_time), times.clone()),
        (
            "write_rate",
            limits.write_rate.to_string(),
            range(ServeLimits::RATE),
        ),
        ("half_closed_time", millis(limits.half_closed_time), times),
        ("drain_time", millis(limits.drain_time), "0–86400000".to_owned()),
    ];
    for (name, default, range) in rows {
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("| `{name}` ")));
        let cells: Vec<&str> = line.expect(name).split('|').map(str::trim).collect();
        assert_eq!((cells[3], cells[5]), (default.as_str(), range.as_str()), "{name}");
    }
}
