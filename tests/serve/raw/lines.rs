//! Request lines, versions, methods, and line endings (RFC 9112, sections 2 and 3).

use super::{Fate, Row};

fn with_line(name: &str, rule: &'static str, line: &str) -> Row {
    Row::new(name, rule, format!("{line}\r\nHost: a\r\n\r\n"))
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (version, rule, statuses) in [
        (
            "HTTP/1.2",
            "open: 9110, 2.5 SHOULD take it as 1.1; hyper's parser has two versions, as in wasmtime",
            &[400_u16] as &[u16],
        ),
        ("HTTP/2.0", "9110, 15.6.6 MAY 505", &[400, 505]),
        ("HTTP/3.0", "9110, 15.6.6 MAY 505", &[400, 505]),
        ("HTTP/0.9", "9110, 15.6.6 MAY 505", &[400, 505]),
        ("HTTP/9.9", "9110, 15.6.6 MAY 505", &[400, 505]),
        ("HTTP/1", "9112, 2.3", &[400]),
        ("HTTP/1.", "9112, 2.3", &[400]),
        ("HTTP/11", "9112, 2.3", &[400]),
        ("HTTP/1.10", "9112, 2.3", &[400]),
        ("HTTP/01.1", "9112, 2.3", &[400]),
        ("HTTP/1.1x", "9112, 2.3", &[400]),
        ("http/1.1", "9112, 2.3: its case counts", &[400]),
        ("Http/1.1", "9112, 2.3: its case counts", &[400]),
        ("HTTPS/1.1", "9112, 2.3", &[400]),
        ("HTTP 1.1", "9112, 2.3", &[400]),
        ("HTTP/ 1.1", "9112, 2.3", &[400]),
        ("HTTP/-1.1", "9112, 2.3", &[400]),
        ("nonsense", "9112, 2.3", &[400]),
    ] {
        rows.push(
            with_line(&format!("version {version}"), rule, &format!("GET / {version}")).refused(statuses),
        );
    }
    for (name, line) in [
        ("a space before the method", " GET / HTTP/1.1"),
        ("two spaces after the method", "GET  / HTTP/1.1"),
        ("two spaces after the target", "GET /  HTTP/1.1"),
        ("a space after the version", "GET / HTTP/1.1 "),
        ("a tab after the method", "GET\t/ HTTP/1.1"),
        ("a tab after the target", "GET /\tHTTP/1.1"),
        ("a form feed after the method", "GET\x0c/ HTTP/1.1"),
        ("a space in the target", "GET /a b HTTP/1.1"),
        ("no target", "GET HTTP/1.1"),
        ("no version", "GET /"),
        ("no version but a space", "GET / "),
        ("a method alone", "GET"),
        ("a bare carriage return in the line", "GET /\rx HTTP/1.1"),
    ] {
        rows.push(with_line(name, "9112, 3: one space, and no other whitespace", line).refused(&[400]));
    }
    for method in ["GE!T", "G-E_T.", "get", "Get", "M-SEARCH", "|~^`", "1"] {
        let row = with_line(
            &format!("method {method}"),
            "9110, 9.1: any token; the component knows it or not",
            &format!("{method} / HTTP/1.1"),
        );
        rows.push(row.answered("hello").open());
    }
    for method in [
        "G(T", "G)T", "G,T", "G/T", "G:T", "G;T", "G<T", "G=T", "G>T", "G?T", "G@T", "G[T", "G]T", "G{T",
        "G}T", "G\"T", "G\\T", "G\x01T", "G\x7fT", "GÄT",
    ] {
        let row = with_line(
            &format!("method {method:?}"),
            "9110, 5.6.2: no token",
            &format!("{method} / HTTP/1.1"),
        );
        rows.push(row.refused(&[400]));
    }
    let row = |name: &str, rule, bytes: &str| Row::new(name, rule, bytes);
    rows.push(
        row(
            "an empty line before the request",
            "9112, 2.2 SHOULD ignore it",
            "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        )
        .answered("hello")
        .open(),
    );
    rows.push(
        row(
            "two empty lines before the request",
            "9112, 2.2: at least one",
            "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        )
        .answered("hello")
        .open(),
    );
    rows.push(
        row(
            "an empty line between requests",
            "9112, 2.2 SHOULD ignore it",
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        )
        .answered("hello")
        .answered("hello")
        .open(),
    );
    rows.push(
        row(
            "lines that end with a line feed alone",
            "open: 9112, 2.2 MAY take it; hyper does, as in wasmtime",
            "GET / HTTP/1.1\nHost: a\n\n",
        )
        .answered("hello")
        .open(),
    );
    rows.push(
        row(
            "a line feed alone after the request line",
            "open: 9112, 2.2 MAY take it; hyper does, as in wasmtime",
            "GET / HTTP/1.1\nHost: a\r\n\r\n",
        )
        .answered("hello")
        .open(),
    );
    rows.push(
        row(
            "a carriage return alone after the request line",
            "9112, 2.2: a bare CR is invalid",
            "GET / HTTP/1.1\rHost: a\r\n\r\n",
        )
        .refused(&[400]),
    );
    rows.push(
        row(
            "a carriage return too many",
            "9112, 2.2: a bare CR is invalid",
            "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n",
        )
        .refused(&[400]),
    );
    rows.push(
        row(
            "whitespace before the first field",
            "9112, 2.2: invalid, or skipped",
            "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
        )
        .refused(&[400]),
    );
    rows.push(row("a request of HTTP/0.9", "9112, 2.3: not supported", "GET /\r\n").refused(&[400]));
    rows.push(
        row(
            "the preface of HTTP/2",
            "open: 9113, 3.4; hyper closes, as in wasmtime",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        )
        .fate(Fate::Closed),
    );
    rows.push(
        Row::new(
            "a TLS hello",
            "9112, 3",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(),
        )
        .refused(&[400]),
    );
    rows.push(Row::new("bytes that are nothing", "9112, 3", vec![0xff; 100]).refused(&[400]));
    rows.push(Row::new("NULs", "9112, 3", vec![0; 100]).refused(&[400]));
    rows
}
