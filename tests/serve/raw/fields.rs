//! Fields: their syntax, their size, expectations and upgrades (RFC 9112, section 5; RFC 9110, sections 5, 7.8 and 10.1.1).

use super::reader::Framing;
use super::{Fate, Row};

fn with_field(name: impl Into<String>, rule: &'static str, field: &[u8]) -> Row {
    let head: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n";
    Row::new(name, rule, [head, field, b"\r\n\r\n"].concat())
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, field) in [
        ("an empty value", b"x:".as_slice()),
        ("no space before the value", b"x:y"),
        ("spaces and tabs around the value", b"x: \t y \t "),
        ("a tab in a value", b"x: y\tz"),
        ("a value that is not ASCII", b"x: \xc3\xbc\xff"),
        ("a name of every kind of character", b"!#$%&'*+-.^_`|~09azAZ: y"),
        ("a field twice", b"x: y\r\nx: z"),
        ("a quoted colon", b"x: \"a:b\""),
    ] {
        rows.push(
            with_field(name, "9110, 5.5 and 5.6", field)
                .answered("hello")
                .open(),
        );
    }
    for (name, rule, field) in [
        ("a space before the colon", "9112, 5.1: 400", b"x : y".as_slice()),
        ("a tab before the colon", "9112, 5.1: 400", b"x\t: y"),
        ("a field without a name", "9112, 5", b": y"),
        ("a field without a colon", "9112, 5", b"nonsense"),
        ("a space in a name", "9110, 5.1", b"x y: z"),
        ("a parenthesis in a name", "9110, 5.1", b"x(y): z"),
        ("a name that is not ASCII", "9110, 5.1", b"\xc3\xbc: y"),
        ("a NUL in a name", "9110, 5.1", b"x\0y: z"),
        ("a NUL in a value", "9110, 5.5", b"x: y\0z"),
        ("a carriage return in a value", "9112, 2.2", b"x: y\rz"),
        ("a control character in a value", "9110, 5.5 MAY", b"x: y\x01z"),
        ("a DEL in a value", "9110, 5.5 MAY", b"x: y\x7fz"),
        ("a folded value", "9112, 5.2: 400 or replaced", b"x: y\r\n z"),
        (
            "a value folded with a tab",
            "9112, 5.2: 400 or replaced",
            b"x: y\r\n\tz",
        ),
        (
            "a length in another line's fold",
            "9112, 5.2: 400 or replaced",
            b"x: y\r\n Content-Length: 5",
        ),
    ] {
        rows.push(with_field(name, rule, field).refused(&[400]));
    }
    for (count, statuses) in [
        (98, None),
        (99, None),
        (100, Some(&[431_u16] as &[u16])),
        (1000, Some(&[431])),
    ] {
        let fields: Vec<String> = (0..count).map(|number| format!("x{number}: y")).collect();
        let row = with_field(
            format!("{count} fields and Host"),
            "9110, 5.4 and 6585, 5",
            fields.join("\r\n").as_bytes(),
        );
        rows.push(match statuses {
            None => row.answered("hello").open(),
            Some(statuses) => row.refused(statuses),
        });
    }
    for (len, fits) in [
        (60_000, true),
        (65_600, false),
        (100_000, false),
        (300_000, false),
    ] {
        let field = [b"x: ".to_vec(), vec![b'y'; len]].concat();
        let row = with_field(format!("a value of {len} bytes"), "9110, 5.4 and 6585, 5", &field);
        rows.push(match fits {
            true => row.answered("hello").open(),
            false => row.refused(&[431]),
        });
    }
    let long: Vec<String> = (0..50)
        .map(|number| format!("x{number}: {}", "y".repeat(2000)))
        .collect();
    rows.push(
        with_field(
            "fields that are too long together",
            "9110, 5.4 and 6585, 5",
            long.join("\r\n").as_bytes(),
        )
        .refused(&[431]),
    );
    rows.extend(expectations());
    for (name, field) in [
        ("to a web socket", "Connection: upgrade\r\nUpgrade: websocket"),
        (
            "to HTTP/2",
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
        ),
        ("to TLS", "Connection: upgrade\r\nUpgrade: TLS/1.2"),
        ("without its option", "Upgrade: websocket"),
    ] {
        let row = with_field(
            format!("an upgrade {name}"),
            "9110, 7.8 MAY ignore it",
            field.as_bytes(),
        );
        rows.push(row.answered("hello").open());
    }
    rows
}

fn expectations() -> Vec<Row> {
    let mut rows = Vec::new();
    let post = |name: String, rule, version: &str, field: &str, rest: &str| {
        let head = format!("POST /count HTTP/{version}\r\nHost: a\r\n{field}\r\n{rest}");
        Row::new(name, rule, head)
    };
    for value in ["100-continue", "100-Continue", "100-CONTINUE"] {
        let field = format!("Expect: {value}\r\nContent-Length: 2\r\n");
        let row = post(
            format!("expect {value}"),
            "9110, 10.1.1: 100 before the body is read",
            "1.1",
            &field,
            "ab",
        );
        rows.push(row.reply(&[100], Framing::Nothing, None).answered("2").open());
    }
    let chunked = "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n";
    let row = post(
        "expect in chunks".into(),
        "9110, 10.1.1",
        "1.1",
        chunked,
        "2\r\nab\r\n0\r\n\r\n",
    );
    rows.push(row.reply(&[100], Framing::Nothing, None).answered("2").open());
    for value in [
        "nonsense",
        "200-ok",
        "100-continue-not",
        "100-continue; a=b",
        "x, 100-continue",
        "100-continue, x",
        "",
    ] {
        for version in ["1.1", "1.0"] {
            let field = format!("Expect: {value}\r\nContent-Length: 2\r\n");
            let name = format!("expect {value:?} in HTTP/{version}");
            rows.push(post(name, "9110, 10.1.1 MAY 417", version, &field, "ab").refused(&[417]));
        }
    }
    let old = "Expect: 100-continue\r\nContent-Length: 2\r\n";
    rows.push(
        post(
            "expect in HTTP/1.0".into(),
            "9110, 10.1.1: ignored",
            "1.0",
            old,
            "ab",
        )
        .answered("2"),
    );
    let none = "Expect: 100-continue\r\n";
    let row = post(
        "expect without a body".into(),
        "9110, 10.1.1: no 100 where there is no content",
        "1.1",
        none,
        "",
    );
    rows.push(row.answered("0").open());
    // The component answers without reading the body: no 100 is sent, and the client sends none.
    let head = "POST /ignore HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    let row = Row::new(
        "expect, and an answer without the body",
        "9110, 10.1.1: a final status instead of 100",
        head,
    );
    rows.push(row.answered("ignored").fate(Fate::Any));
    rows
}
