//! The field `Host` (RFC 9112, section 3.2; RFC 9110, section 7.2).

use super::{Fate, Row};

const VALID: [&str; 13] = [
    "a",
    "a.b.c",
    "A",
    "a:",
    "a:0",
    "a:8080",
    "a:65535",
    "127.0.0.1",
    "127.0.0.1:80",
    "[::1]",
    "[2001:db8::1]:443",
    "a_b-c~d",
    "  a  ",
];

const INVALID: [&str; 28] = [
    "a b",
    "a/b",
    "a?b",
    "a#b",
    "a\\b",
    "a@b",
    "u:p@b",
    "@b",
    "a@",
    ":80",
    ":",
    "a:b",
    "a:-1",
    "a:+1",
    "a:0x50",
    "a:80:81",
    "a%41",
    "a:65536",
    "a:99999999999",
    "[::1",
    "::1",
    "[::1]x",
    "[::1]:x",
    "[]",
    "[a]",
    "a, b",
    "http://a",
    "ä",
];

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for version in ["1.1", "1.0"] {
        let fate = if version == "1.1" {
            Fate::Open
        } else {
            Fate::Closed
        };
        let row = |name: &str, rule, fields: &str| {
            let head = format!("GET / HTTP/{version}\r\n{fields}\r\n");
            Row::new(format!("{name} in HTTP/{version}"), rule, head)
        };
        for host in VALID {
            let row = row(
                &format!("host {host:?}"),
                "9110, 7.2",
                &format!("Host: {host}\r\n"),
            );
            rows.push(row.answered("hello").fate(fate));
        }
        for host in INVALID {
            let rule = match host {
                "a:65536" | "a:99999999999" => "open: 3986, 3.2.3 has any digits; no port of TCP's here",
                "a%41" => {
                    "open: 3986, 3.2.2 has percent encodings; names of DNS need none, and the library for authorities has none"
                }
                _ => "9112, 3.2: 400 for an invalid Host",
            };
            rows.push(row(&format!("host {host:?}"), rule, &format!("Host: {host}\r\n")).refused(&[400]));
        }
        let empty = "9112, 3.2: an empty Host, where the target has no authority";
        rows.push(
            row("an empty host", empty, "Host:\r\n")
                .answered("hello")
                .fate(fate),
        );
        let doubled = "9112, 3.2: 400 for more than one Host";
        rows.push(row("two hosts", doubled, "Host: a\r\nHost: b\r\n").refused(&[400]));
        rows.push(row("the same host twice", doubled, "Host: a\r\nHost: a\r\n").refused(&[400]));
        rows.push(row("an empty host and another", doubled, "Host:\r\nhost: a\r\n").refused(&[400]));
        let none = row("no host", "9112, 3.2: HTTP/1.1 has a Host", "");
        rows.push(match version {
            "1.1" => none.refused(&[400]),
            _ => none.answered("hello"),
        });
        // RFC 9112, 3.2.2: the target's host is used, but the field must be valid all the same.
        let described = |name: &str, host: &str| {
            let head = format!("GET http://b:81/describe HTTP/{version}\r\n{host}\r\n");
            Row::new(
                format!("{name} beside a target with one, in HTTP/{version}"),
                "9112, 3.2.2",
                head,
            )
        };
        let told = "Method::Get\nSome(Scheme::Http)\nSome(\"b:81\")\nSome(\"/describe\")\n";
        rows.push(described("another host", "Host: a\r\n").answered(told).fate(fate));
        rows.push(described("an empty host", "Host:\r\n").answered(told).fate(fate));
        rows.push(described("an invalid host", "Host: a b\r\n").refused(&[400]));
        rows.push(described("two hosts", "Host: b:81\r\nHost: b:81\r\n").refused(&[400]));
        let none = described("no host", "");
        rows.push(match version {
            "1.1" => none.refused(&[400]),
            _ => none.answered(told),
        });
    }
    rows
}
