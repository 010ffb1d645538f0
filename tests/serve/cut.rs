//! Responses that fail after their head was sent: the client gets the data so far, and can tell that it is incomplete.

use std::io::Read;

use airssys_wasm::component::Component;
use airssys_wasm::wasi::WasiCtxBuilder;

use crate::client::Raw;
use crate::common::{engines, fixture};
use crate::server::{Running, limits};

/// Returns the bytes that a client of `path` gets until the connection ends, and true if that was a reset.
fn exchange(server: &Running, version: &str, path: &str) -> (String, bool) {
    let mut raw = Raw::connect(server.addr);
    let head = format!("POST {path} HTTP/{version}\r\nHost: a\r\nContent-Length: 2\r\n\r\ngo");
    assert!(raw.send(head.as_bytes()));
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    loop {
        match raw.0.read(&mut part) {
            Ok(0) => return (String::from_utf8(bytes).expect("text"), false),
            Ok(read) => bytes.extend_from_slice(&part[..read]),
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{path}");
                return (String::from_utf8(bytes).expect("text"), true);
            }
        }
    }
}

/// A guest that declared 9 bytes and wrote 5 sometimes sent the client nothing at all.
#[test]
fn what_was_sent_before_a_body_failed_arrives_and_has_no_end() {
    for engine in engines() {
        let component = Component::from_binary(&engine, &fixture("wasi-cases.wasm")).expect("it loads");
        let server = Running::of(&engine, &component, &WasiCtxBuilder::new(), limits());
        for (path, declared, times) in [
            ("/short", Some(10), 40),
            ("/long", Some(6), 40),
            ("/trap-later", None, 10),
            ("/unfinished", None, 10),
        ] {
            for time in 0..times {
                let (answer, _) = exchange(&server, "1.1", path);
                let name = format!("{} {path} {time}: {answer:?}", engine.backend());
                let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{name}"));
                assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{name}");
                match declared {
                    Some(length) => {
                        assert!(head.contains(&format!("content-length: {length}\r\n")), "{name}");
                        assert_eq!(body, "part", "{name}");
                    }
                    None => {
                        assert!(head.contains("transfer-encoding: chunked\r\n"), "{name}");
                        assert_eq!(body, "4\r\npart\r\n", "{name}");
                    }
                }
            }
        }
    }
}

/// A client of HTTP/1.0 knows the end of such a body only by the connection's end, so that must be a different one.
#[test]
fn a_cut_that_nothing_else_would_show_is_a_reset() {
    let engine = crate::common::default_engine();
    let component = Component::from_binary(&engine, &fixture("wasi-cases.wasm")).expect("it loads");
    let server = Running::of(&engine, &component, &WasiCtxBuilder::new(), limits());
    for path in ["/trap-later", "/unfinished"] {
        let (answer, reset) = exchange(&server, "1.0", path);
        assert!(reset, "{path}: {answer}");
    }
    let (answer, reset) = exchange(&server, "1.0", "/short");
    assert!(
        !reset && answer.ends_with("\r\n\r\npart"),
        "its length shows it: {answer}"
    );
    let (answer, reset) = exchange(&server, "1.0", "/echo");
    assert!(!reset && answer.ends_with("\r\n\r\ngo"), "{answer}");
}
