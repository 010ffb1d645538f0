//! Targets and methods (RFC 9112, section 3.2).

use super::reader::Framing;
use super::{Fate, Row};

const METHODS: [&str; 10] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PURGE", "CONNECT",
];

/// The form of a target.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Origin,
    Absolute,
    /// A scheme that requires a secure connection.
    Secured,
    Asterisk,
    Authority,
    None,
}

const TARGETS: [(&str, Form); 20] = [
    ("/", Form::Origin),
    ("/?", Form::Origin),
    ("/?a=b&c", Form::Origin),
    ("/nowhere", Form::Origin),
    ("//a/b", Form::Origin),
    ("/a:80", Form::Origin),
    ("http://b/", Form::Absolute),
    ("http://b", Form::Absolute),
    ("HTTP://b:80/?x", Form::Absolute),
    ("https://b/", Form::Secured),
    ("ftp://b/", Form::Secured),
    ("*", Form::Asterisk),
    ("b:80", Form::Authority),
    ("no-slash", Form::None),
    ("b/c", Form::None),
    ("?a", Form::None),
    ("http:///x", Form::None),
    ("http://u@b/", Form::None),
    ("http://u:p@b/", Form::None),
    ("http://b:99999/", Form::None),
];

/// Returns the component's status for a path.
fn status(target: &str) -> &'static [u16] {
    match target {
        "/nowhere" | "//a/b" | "/a:80" | "*" => &[404],
        _ => &[200],
    }
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for method in METHODS {
        for (target, form) in TARGETS {
            let head = format!("{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n");
            let row = |rule| Row::new(format!("{method} {target}"), rule, head.clone());
            let row = match (method, form) {
                ("CONNECT", Form::Authority) => {
                    row("9110, 9.1: 501 for what is not implemented").refused(&[501])
                }
                ("CONNECT", _) => row("9112, 3.2.3: CONNECT has the authority form only").refused(&[400]),
                (_, Form::Authority) => {
                    row("9112, 3.2.3: the authority form is CONNECT's only").refused(&[400])
                }
                ("OPTIONS", Form::Asterisk) => row("9112, 3.2.4: the asterisk form is OPTIONS'")
                    .reply(&[404], Framing::Length, None)
                    .open(),
                (_, Form::Asterisk) => row("9112, 3.2.4: the asterisk form is OPTIONS' only").refused(&[400]),
                (_, Form::None) => row("9112, 3.2 and 9110, 4.2.4: no form of a target").refused(&[400]),
                (_, Form::Secured) => {
                    row("9110, 7.4: a scheme that needs a secured connection is misdirected").refused(&[421])
                }
                ("HEAD", _) => row("9110, 9.3.2: HEAD has no content")
                    .reply(status(target), Framing::Head, None)
                    .open(),
                _ => row("9112, 3.2.1 and 3.2.2: origin and absolute form")
                    .reply(status(target), Framing::Length, None)
                    .open(),
            };
            // A refusal of HEAD has no content, either.
            let row = match (method, form) {
                ("HEAD", Form::Secured | Form::Asterisk | Form::Authority | Form::None) => headed(row),
                _ => row,
            };
            rows.push(row);
        }
    }
    let get = |name: &str, rule, target: &str| {
        let head = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        Row::new(name, rule, head)
    };
    rows.push(
        get(
            "a fragment",
            "open: 9112, 3.2 SHOULD 400; hyper drops it, as in wasmtime",
            "/#a",
        )
        .answered("hello")
        .open(),
    );
    rows.push(
        get(
            "a target in UTF-8",
            "open: 9112, 3.2 SHOULD 400; wasmtime's component gets it",
            "/?ü",
        )
        .answered("hello")
        .open(),
    );
    rows.push(
        get("a target of other bytes", "9112, 3.2", "/")
            .send(b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n")
            .refused(&[400]),
    );
    rows.push(
        get(
            "a broken percent encoding",
            "open: 9110, 4.2 leaves it to the component, as wasmtime does",
            "/?%zz",
        )
        .answered("hello")
        .open(),
    );
    for (name, target) in [
        ("a control character", "/\x01"),
        ("a DEL", "/\x7f"),
        ("a tab", "/\t"),
        ("a NUL", "/\0"),
    ] {
        rows.push(get(&format!("{name} in a target"), "9112, 3.2", target).refused(&[400]));
    }
    for (name, len, statuses) in [
        ("a target as long as may be", 16_384, &[404_u16] as &[u16]),
        ("a target that is too long", 16_385, &[414]),
        ("a target of 60,000 bytes", 60_000, &[414]),
        ("a target of 100,000 bytes", 100_000, &[414]),
    ] {
        let target = format!("/{}", "a".repeat(len - 1));
        let row = get(name, "9112, 3: 414 for a target that is too long", &target).reply(
            statuses,
            Framing::Length,
            None,
        );
        rows.push(row.fate(if statuses == [404] {
            Fate::Open
        } else {
            Fate::Closed
        }));
    }
    rows
}

fn headed(mut row: Row) -> Row {
    for reply in &mut row.replies {
        reply.framing = Framing::Head;
    }
    row
}

impl Row {
    /// Replaces the row's bytes.
    fn send(mut self, bytes: &[u8]) -> Row {
        self.send = bytes.to_vec();
        self
    }
}
