//! Beginning and end of a server.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use airssys_wasm::Error;
use airssys_wasm::component::Component;
use airssys_wasm::wasi::WasiBuilder;
use airssys_wasm::wasi::http::serve::{ServeError, ServeLimits, Server};

use crate::client::{Raw, get};
use crate::common::{default_engine, fixture};
use crate::server::{Running, limits};

#[test]
fn requests_in_flight_end_and_new_ones_are_not_taken() {
    let server = Running::start();
    let addr = server.addr;
    let late = std::thread::spawn(move || get(addr, "/late?700"));
    let idle = Raw::connect(addr);
    std::thread::sleep(Duration::from_millis(200));
    let start = Instant::now();
    server.stop().unwrap();
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    let late = late.join().unwrap();
    assert_eq!((late.status.as_u16(), late.text().as_str()), (200, "late"));
    assert_eq!(idle.rest(), "", "an idle connection is closed");
    assert!(TcpStream::connect(addr).is_err(), "nobody listens any more");
}

#[test]
fn what_does_not_end_is_cut_off() {
    let limits = ServeLimits {
        request_time: Duration::from_secs(60),
        drain_time: Duration::from_millis(300),
        ..limits()
    };
    let server = Running::with(&WasiBuilder::new(), limits);
    let mut spinning = Raw::connect(server.addr);
    spinning.send(b"GET /spin HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut endless = Raw::connect(server.addr);
    endless.send(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
    std::thread::sleep(Duration::from_millis(200));
    let start = Instant::now();
    server.stop().unwrap();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
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
            &WasiBuilder::new(),
            ServeLimits::default(),
        )
    };
    let error = bind(b"\0asm\x0d\0\x01\0", any).unwrap_err();
    assert!(
        matches!(&error, ServeError::Component(Error::MissingExport { .. })),
        "{error:?}"
    );
    let error = bind(&fixture("text-processor.wasm"), any).unwrap_err();
    assert!(
        matches!(&error, ServeError::Component(Error::MissingImport { .. })),
        "{error:?}"
    );
    let taken = TcpListener::bind(any).unwrap();
    let error = bind(&fixture("wasi-http.wasm"), taken.local_addr().unwrap()).unwrap_err();
    assert!(matches!(error, ServeError::Listen { .. }), "{error:?}");
}
