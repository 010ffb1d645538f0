//! The same server for components in Rust, JavaScript and Python, on every backend.

use airssys_wasm::component::Component;
use airssys_wasm::engine::Backend;
use airssys_wasm::wasi::WasiCtxBuilder;
use http::Method;

use crate::client::{exchange, get, request};
use crate::common::{built_bytes, engine, engines, fixture};
use crate::server::{Running, limits};

fn answers(bytes: &[u8], backend: Backend) {
    let engine = engine(backend);
    let component = Component::from_binary(&engine, bytes).expect("the guest loads");
    let server = Running::of(&engine, &component, &WasiCtxBuilder::new(), limits());
    for _ in 0..5 {
        let hello = get(server.addr, "/");
        assert_eq!(
            (hello.status.as_u16(), hello.text().as_str()),
            (200, "hello"),
            "{backend}"
        );
        assert_eq!(hello.headers["content-type"], "text/plain");
    }
    let body = "grüße, 世界 ".repeat(2000);
    let mut echo = request(Method::POST, "/echo", body.clone());
    echo.headers_mut()
        .insert("content-type", "text/x-test".parse().unwrap());
    let echo = exchange(server.addr, echo).unwrap();
    assert_eq!(echo.headers["content-type"], "text/x-test", "{backend}");
    assert!(echo.text() == body, "{backend}: {} bytes", echo.body.len());
    assert_eq!(get(server.addr, "/nowhere").status, 404);
    assert_eq!(get(server.addr, "/trap").status, 500);
    assert_eq!(get(server.addr, "/").text(), "hello");
}

#[test]
fn rust() {
    for engine in engines() {
        answers(&fixture("wasi-http.wasm"), engine.backend());
    }
}

/// In the form of a new application of Spin 4: a handler of WASI 0.3.0-rc-2026-03-15, built with Spin's SDK.
#[test]
fn spin() {
    for engine in engines() {
        let component = Component::from_binary(&engine, &fixture("spin-http.wasm")).expect("it loads");
        let server = Running::of(&engine, &component, &WasiCtxBuilder::new(), limits());
        for path in ["/", "/some/path"] {
            let answer = get(server.addr, path);
            assert_eq!(
                (answer.status.as_u16(), answer.text()),
                (200, format!("GET {path}"))
            );
        }
        let posted = exchange(
            server.addr,
            request(Method::POST, "/p?q=1", "body".repeat(10_000)),
        );
        assert_eq!(posted.unwrap().text(), "POST /p");
        assert_eq!(get(server.addr, "/nowhere").status, 404);
    }
}

#[test]
fn javascript() {
    let Some(bytes) = built_bytes("wasi-http-javascript") else {
        return;
    };
    answers(&bytes, Backend::available()[0]);
}

#[test]
fn python() {
    let Some(bytes) = built_bytes("wasi-http-python") else {
        return;
    };
    answers(&bytes, Backend::available()[0]);
}
