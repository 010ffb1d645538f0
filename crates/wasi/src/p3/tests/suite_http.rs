//! The programs of wasi-testsuite that answer requests: as [`super::suite`], by a real server and client.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::thread;

use super::origin::{self, Reply, Route, ask};
use super::suite::{FOLDER, ONLY};
use super::{Component, engines};
use crate::http::serve::{ServeLimits, Server};
use crate::{MemoryOutputPipe, WasiCtxBuilder};

/// A request, and the answer: status, headers, and body if it matters.
#[derive(Clone, Copy)]
struct Exchange {
    method: &'static str,
    path: &'static str,
    header: Option<(&'static str, &'static str)>,
    body: Option<&'static str>,
    status: u16,
    answer: Option<(&'static str, &'static str)>,
    text: Option<&'static str>,
}

const GET: Exchange = Exchange {
    method: "GET",
    path: "/",
    header: None,
    body: None,
    status: 200,
    answer: None,
    text: None,
};

const HEY: Exchange = Exchange {
    answer: Some(("content-type", "text/plain")),
    text: Some("hey\n"),
    ..GET
};

/// A program, the routes of the server that it sends requests to, and the requests to it.
type Program = (&'static str, &'static [Route], &'static [Exchange]);

/// The suite's own manifests, `http-*.json`, as values.
const PROGRAMS: &[Program] = &[
    ("http-client", &[("POST", "/echo", Reply::EchoBody)], &[GET]),
    (
        "http-client-chunked",
        &[
            ("GET", "/chunked", Reply::Chunks(&["one", "two", "three"], &[])),
            (
                "GET",
                "/trailers",
                Reply::Chunks(&["pay", "load"], &[("x-checksum", "abc123"), ("x-parts", "1")]),
            ),
        ],
        &[GET],
    ),
    (
        "http-client-headers",
        &[("GET", "/echo-headers", Reply::EchoHeaders)],
        &[GET],
    ),
    (
        "http-client-method",
        &[
            ("GET", "/method", Reply::Text(200, "GET")),
            ("POST", "/method", Reply::Text(200, "POST")),
            ("PUT", "/method", Reply::Text(200, "PUT")),
            ("DELETE", "/method", Reply::Text(200, "DELETE")),
            ("PATCH", "/method", Reply::Text(200, "PATCH")),
            ("OPTIONS", "/method", Reply::Text(200, "OPTIONS")),
            ("HEAD", "/method", Reply::Text(200, "HEAD")),
        ],
        &[GET],
    ),
    (
        "http-client-path",
        &[
            ("GET", "/", Reply::Text(200, "root")),
            ("GET", "/plain", Reply::Text(200, "plain")),
            ("GET", "/query?x=1", Reply::Text(200, "query")),
            ("GET", "/multi?a=1&b=2", Reply::Text(200, "multi")),
            ("GET", "/pct%2Fsegment?q=a%20b", Reply::Text(200, "encoded")),
            ("GET", "/echo?a=1&a=2&b=", Reply::EchoHeaders),
        ],
        &[GET],
    ),
    (
        "http-client-path-none",
        &[("GET", "/", Reply::Text(200, "root"))],
        &[GET],
    ),
    (
        "http-client-send-errors",
        &[("GET", "/", Reply::Text(200, ""))],
        &[GET],
    ),
    ("http-client-sent", &[], &[GET]),
    (
        "http-client-status",
        &[
            ("GET", "/ok", Reply::Text(200, "")),
            ("GET", "/created", Reply::Text(201, "made")),
            ("GET", "/teapot", Reply::Text(418, "")),
            ("GET", "/boom", Reply::Text(500, "nope")),
        ],
        &[GET],
    ),
    (
        "http-client-trailer-error",
        &[("POST", "/echo-body", Reply::EchoBody)],
        &[GET],
    ),
    (
        "http-client-trailers",
        &[
            ("POST", "/echo-headers", Reply::EchoHeaders),
            ("POST", "/echo-body", Reply::EchoBody),
        ],
        &[GET],
    ),
    (
        "http-service",
        &[],
        &[
            HEY,
            HEY,
            Exchange {
                path: "/whatever",
                status: 404,
                ..GET
            },
            Exchange {
                method: "POST",
                path: "/whatever",
                status: 405,
                ..GET
            },
        ],
    ),
    (
        "http-service-echo",
        &[],
        &[
            Exchange {
                method: "POST",
                path: "/echo",
                body: Some("hello, echo"),
                answer: Some(("content-type", "application/octet-stream")),
                text: Some("hello, echo"),
                ..GET
            },
            Exchange {
                method: "POST",
                path: "/echo",
                body: Some(""),
                text: Some(""),
                ..GET
            },
            Exchange {
                path: "/reflect-header",
                header: Some(("x-echo", "ping")),
                answer: Some(("x-echoed", "ping")),
                ..GET
            },
            Exchange {
                path: "/whatever",
                status: 404,
                ..GET
            },
        ],
    ),
    (
        "http-service-uri",
        &[],
        &[Exchange {
            path: "/whoami",
            ..GET
        }],
    ),
];

/// Sends the requests to a server. Returns the difference from the answer, if there is one.
fn exchange(addr: SocketAddr, exchange: &Exchange) -> Option<String> {
    let headers: Vec<(&str, &str)> = exchange.header.into_iter().collect();
    let body = exchange.body.map(str::as_bytes);
    let answer = ask(addr, exchange.method, exchange.path, &headers, body);
    let has_header = |(name, value): (&str, &str)| answer.header(name) == Some(value);
    let is_right = answer.is_whole
        && answer.status() == exchange.status
        && exchange.answer.is_none_or(has_header)
        && exchange.text.is_none_or(|text| answer.text() == text);
    (!is_right).then(|| format!("{} {}: {answer:?}", exchange.method, exchange.path))
}

#[test]
#[ignore = "its programs are in a repository of their own: docs/async.md"]
fn programs_of_the_suite_answer_as_it_requires() {
    let folder = std::env::var_os(FOLDER).map(PathBuf::from);
    let folder = folder.expect("AIRSSYS_WASIP3_TESTS has the folder of the programs");
    let only = std::env::var(ONLY).unwrap_or_default();
    let mut failures = Vec::new();
    for engine in engines() {
        for (name, routes, exchanges) in PROGRAMS.iter().filter(|(name, ..)| name.contains(&only)) {
            let bytes = fs::read(folder.join(name).with_extension("wasm")).unwrap();
            let component = Component::new(&engine, bytes).unwrap();
            let stderr = MemoryOutputPipe::new(1 << 20);
            let mut builder = WasiCtxBuilder::new();
            builder
                .env("HTTP_SERVER_MAIN", origin::start(routes).to_string())
                .env("HTTP_SERVER_DEAD", origin::closed().to_string())
                .connect("127.0.0.1".parse().unwrap())
                .connect("nonexistent.invalid".parse().unwrap())
                .stderr(stderr.clone());
            let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let server = Server::bind(&engine, &component, any, &builder, ServeLimits::default()).unwrap();
            let (addr, shutdown) = (server.local_addr(), server.shutdown_handle());
            let running = thread::spawn(move || server.run());
            let wrong: Vec<String> = exchanges.iter().filter_map(|one| exchange(addr, one)).collect();
            shutdown.shutdown();
            running.join().unwrap().unwrap();
            let name = format!("{name} ({})", engine.backend());
            println!("{name}: {}", if wrong.is_empty() { "passed" } else { "failed" });
            let stderr = String::from_utf8_lossy(&stderr.contents()).into_owned();
            failures.extend(
                wrong
                    .iter()
                    .map(|wrong| format!("{name}: {wrong}, stderr {stderr:?}")),
            );
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
