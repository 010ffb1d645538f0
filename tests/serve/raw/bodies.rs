//! Lengths, codings and chunks of requests (RFC 9112, sections 6 and 7; RFC 9110, section 8.6).

use super::{Fate, Row};

fn post(name: impl Into<String>, rule: &'static str, fields: &str, body: &str) -> Row {
    let head = format!("POST /count HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n{body}");
    Row::new(name, rule, head)
}

pub(super) fn rows() -> Vec<Row> {
    [lengths(), codings(), chunks()].into_iter().flatten().collect()
}

fn lengths() -> Vec<Row> {
    let mut rows = Vec::new();
    for value in ["2", "02", "0000000000000000000000002", " 2 ", "\t2"] {
        let row = post(
            format!("length {value:?}"),
            "9110, 8.6: digits",
            &format!("Content-Length: {value}"),
            "ab",
        );
        rows.push(row.answered("2").open());
    }
    for value in [
        "",
        "+2",
        "-2",
        "-0",
        "2.0",
        "2e0",
        "0x2",
        "2 2",
        "2,3",
        "2;",
        "two",
        "\"2\"",
        "2a",
        "２",
        "_2",
        "18446744073709551616",
        "99999999999999999999999999",
    ] {
        let row = post(
            format!("length {value:?}"),
            "9112, 6.3: 400",
            &format!("Content-Length: {value}"),
            "ab",
        );
        rows.push(row.refused(&[400]));
    }
    for value in ["2, 2", "2,2"] {
        let row = post(
            format!("length {value:?}"),
            "9110, 8.6: 400, or one of them",
            &format!("Content-Length: {value}"),
            "ab",
        );
        rows.push(row.refused(&[400]));
    }
    for value in [
        "1048577",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551613",
    ] {
        let row = post(
            format!("length {value}"),
            "9110, 15.5.14: too large",
            &format!("Content-Length: {value}"),
            "",
        );
        rows.push(row.refused(&[413]));
    }
    for value in ["18446744073709551614", "18446744073709551615"] {
        let rule = "open: 9110, 8.6 names no status; hyper keeps these two numbers for itself";
        rows.push(
            post(
                format!("length {value}"),
                rule,
                &format!("Content-Length: {value}"),
                "",
            )
            .refused(&[400, 413, 431]),
        );
    }
    let rows_of = |name: &str, rule, fields: &str| post(name, rule, fields, "ab");
    rows.push(
        rows_of(
            "the same length twice",
            "9110, 8.6: 400, or one of them",
            "Content-Length: 2\r\nContent-Length: 2",
        )
        .answered("2")
        .open(),
    );
    rows.push(
        rows_of(
            "two lengths",
            "9112, 6.3: 400",
            "Content-Length: 2\r\nContent-Length: 3",
        )
        .refused(&[400]),
    );
    rows.push(
        rows_of(
            "a length and an empty one",
            "9112, 6.3: 400",
            "Content-Length: 2\r\nContent-Length:",
        )
        .refused(&[400]),
    );
    rows.push(
        rows_of(
            "a length whose name has a space",
            "9112, 5.1: 400",
            "Content-Length : 2",
        )
        .refused(&[400]),
    );
    rows.push(
        post("no length at all", "9112, 6.3: no body", "x: y", "")
            .answered("0")
            .open(),
    );
    rows.push(
        post("a length of nothing", "9112, 6.3", "Content-Length: 0", "")
            .answered("0")
            .open(),
    );
    for method in ["GET", "HEAD", "DELETE", "OPTIONS"] {
        let head = format!("{method} /count HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab");
        let row = Row::new(
            format!("a body with {method}"),
            "9110, 9.3.1: framed as any other",
            head,
        );
        rows.push(match method {
            "HEAD" => row.reply(&[200], super::Framing::Head, None).open(),
            _ => row.answered("2").open(),
        });
    }
    // The bytes behind the length are the next request.
    let next =
        "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    rows.push(
        Row::new("a request behind a body", "9112, 6.3", next)
            .answered("3")
            .answered("hello")
            .open(),
    );
    let hidden = "POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\nGET /describe HTTP/1.1\r\nHost: evil\r\n\r\n";
    rows.push(
        Row::new(
            "a request within a body that is not read",
            "9112, 9.3: a body is read, or the connection closed",
            &hidden[..hidden.len() - 3],
        )
        .answered("ignored")
        .fate(Fate::Any),
    );
    rows
}

fn codings() -> Vec<Row> {
    let mut rows = Vec::new();
    let chunked = "3\r\nabc\r\n0\r\n\r\n";
    for value in ["chunked", "Chunked", "CHUNKED", " chunked ", ", chunked"] {
        let row = post(
            format!("coding {value:?}"),
            "9112, 7",
            &format!("Transfer-Encoding: {value}"),
            chunked,
        );
        rows.push(row.answered("3").open());
    }
    for value in [
        "",
        "gzip",
        "identity",
        "xchunked",
        "chunkedx",
        "chunked, gzip",
        "chunked;a=b",
        "\"chunked\"",
        "chunked gzip",
        "chunked, identity",
        "chunked\u{e4}",
        "chunked,",
    ] {
        let rule = match value {
            "chunked," => {
                "open: 9110, 5.6.1.2 MUST skip empty elements; hyper reads framing strictly, as in wasmtime"
            }
            _ => "9112, 6.3: 400 where chunked is not last",
        };
        let row = post(
            format!("coding {value:?}"),
            rule,
            &format!("Transfer-Encoding: {value}"),
            chunked,
        );
        rows.push(row.refused(&[400]));
    }
    for value in [
        "gzip, chunked",
        "deflate,chunked",
        "br, gzip, chunked",
        "x;q=\"1\", chunked",
        "identity, chunked",
    ] {
        let row = post(
            format!("coding {value:?}"),
            "9112, 6.1: 501 for a coding that is not understood",
            &format!("Transfer-Encoding: {value}"),
            chunked,
        );
        rows.push(row.refused(&[501]));
    }
    for value in ["chunked, chunked", "chunked,gzip,chunked"] {
        let row = post(
            format!("coding {value:?}"),
            "9112, 6.1: chunked is applied once",
            &format!("Transfer-Encoding: {value}"),
            chunked,
        );
        rows.push(row.refused(&[400]));
    }
    for (name, fields, statuses) in [
        (
            "chunked in two lines",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            &[400_u16] as &[u16],
        ),
        (
            "a coding and chunked in two lines",
            "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
            &[501],
        ),
        (
            "chunked and a coding in two lines",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip",
            &[400],
        ),
        (
            "a coding whose name has a space",
            "Transfer-Encoding : chunked",
            &[400],
        ),
        ("a coding in a fold", "Transfer-Encoding:\r\n chunked", &[400]),
    ] {
        rows.push(post(name, "9112, 6.1 and 6.3", fields, chunked).refused(statuses));
    }
    for (name, fields) in [
        (
            "a length and chunks",
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
        ),
        (
            "chunks and a length",
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
        ),
        (
            "chunks and a length of nothing",
            "Transfer-Encoding: chunked\r\nContent-Length: 0",
        ),
    ] {
        rows.push(
            post(
                name,
                "9112, 6.1: 400, or by the chunks, and closed",
                fields,
                chunked,
            )
            .answered("3"),
        );
    }
    let old = format!("POST /count HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}");
    rows.push(Row::new("chunks in HTTP/1.0", "9112, 6.1: faulty", old).refused(&[400]));
    let old = format!(
        "POST /count HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n{chunked}"
    );
    rows.push(Row::new("chunks and a length in HTTP/1.0", "9112, 6.1: faulty", old).refused(&[400]));
    rows
}

fn chunks() -> Vec<Row> {
    let mut rows = Vec::new();
    let row = |name: &str, rule, body: &str| post(name, rule, "Transfer-Encoding: chunked", body);
    for (name, body, count) in [
        ("no chunk", "0\r\n\r\n", "0"),
        ("one chunk", "3\r\nabc\r\n0\r\n\r\n", "3"),
        ("two chunks", "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "3"),
        ("zeroes before a size", "0003\r\nabc\r\n0\r\n\r\n", "3"),
        ("zeroes for the end", "3\r\nabc\r\n000\r\n\r\n", "3"),
        ("a size in small letters", "a\r\n0123456789\r\n0\r\n\r\n", "10"),
        ("a size in capitals", "A\r\n0123456789\r\n0\r\n\r\n", "10"),
        ("an extension", "3;x\r\nabc\r\n0\r\n\r\n", "3"),
        ("an extension with a value", "3;x=y\r\nabc\r\n0;z\r\n\r\n", "3"),
        (
            "an extension with a quoted value",
            "3;x=\"y z\"\r\nabc\r\n0\r\n\r\n",
            "3",
        ),
        ("an extension after a space", "3 ;x\r\nabc\r\n0\r\n\r\n", "3"),
        ("line ends as data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "4"),
        ("a trailer", "3\r\nabc\r\n0\r\nx: y\r\n\r\n", "3"),
        ("two trailers", "3\r\nabc\r\n0\r\nx: y\r\nz:\r\n\r\n", "3"),
    ] {
        rows.push(
            row(&format!("chunks: {name}"), "9112, 7.1", body)
                .answered(count)
                .open(),
        );
    }
    for (name, body) in [
        ("a size that is no number", "x\r\nabc\r\n0\r\n\r\n"),
        ("no size", "\r\nabc\r\n0\r\n\r\n"),
        ("an extension without a size", ";x\r\nabc\r\n0\r\n\r\n"),
        ("a prefix before a size", "0x3\r\nabc\r\n0\r\n\r\n"),
        ("a sign before a size", "+3\r\nabc\r\n0\r\n\r\n"),
        ("a negative size", "-3\r\nabc\r\n0\r\n\r\n"),
        ("a size beyond 64 bits", "10000000000000003\r\nabc\r\n0\r\n\r\n"),
        (
            "a size far beyond 64 bits",
            "fffffffffffffffffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        ),
        ("more data than the size", "3\r\nabcd\r\n0\r\n\r\n"),
        ("less data than the size", "5\r\nabc\r\n0\r\n\r\n"),
        ("no line end after the data", "3\r\nabc0\r\n\r\n"),
        ("a line feed alone after the size", "3\nabc\r\n0\r\n\r\n"),
        ("a carriage return alone after the size", "3\rabc\r\n0\r\n\r\n"),
        ("a line feed alone after the data", "3\r\nabc\n0\r\n\r\n"),
        ("a line feed in an extension", "3;a\nb\r\nabc\r\n0\r\n\r\n"),
        ("a space within a size", "1 2\r\nabc\r\n0\r\n\r\n"),
        ("a space before a size", " 3\r\nabc\r\n0\r\n\r\n"),
        ("a trailer without a colon", "3\r\nabc\r\n0\r\nnonsense\r\n\r\n"),
        ("a trailer with a NUL", "3\r\nabc\r\n0\r\nx: \0\r\n\r\n"),
        (
            "a trailer whose name has a space",
            "3\r\nabc\r\n0\r\nx y: z\r\n\r\n",
        ),
    ] {
        rows.push(
            row(
                &format!("chunks: {name}"),
                "9112, 7.1 and 9110, 15.5.1: 400",
                body,
            )
            .refused(&[400]),
        );
    }
    let endless = format!("3;{}\r\nabc\r\n0\r\n\r\n", "x".repeat(100_000));
    rows.push(
        row(
            "chunks: an extension of 100,000 bytes",
            "9112, 7.1.1: a limit, and 4xx",
            &endless,
        )
        .refused(&[400]),
    );
    let large = format!("110000\r\n{}\r\n0\r\n\r\n", "x".repeat(0x11_0000));
    rows.push(
        row(
            "chunks: more than a body may have",
            "9110, 15.5.14: too large",
            &large,
        )
        .refused(&[413]),
    );
    rows
}
