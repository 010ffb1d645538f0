//! Persistence and end of connections, framing of responses, and clients that close their side (RFC 9112, sections 6, 8 and
//! 9).

use super::reader::Framing;
use super::{Fate, Row};

fn get(name: impl Into<String>, rule: &'static str, target: &str, version: &str, fields: &str) -> Row {
    let head = format!("GET {target} HTTP/{version}\r\nHost: a\r\n{fields}\r\n");
    Row::new(name, rule, head)
}

pub(super) fn rows() -> Vec<Row> {
    [options(), responses(), pipelines(), half_closed()]
        .into_iter()
        .flatten()
        .collect()
}

fn options() -> Vec<Row> {
    let mut rows = Vec::new();
    for (fields, new, old) in [
        ("", Fate::Open, Fate::Closed),
        ("Connection: keep-alive\r\n", Fate::Open, Fate::Open),
        ("Connection: Keep-Alive\r\n", Fate::Open, Fate::Open),
        ("Connection: x, keep-alive\r\n", Fate::Open, Fate::Open),
        ("Connection: close\r\n", Fate::Closed, Fate::Closed),
        ("Connection: CLOSE\r\n", Fate::Closed, Fate::Closed),
        ("Connection: close, keep-alive\r\n", Fate::Closed, Fate::Closed),
        ("Connection: keep-alive, close\r\n", Fate::Closed, Fate::Closed),
        (
            "Connection: keep-alive\r\nConnection: close\r\n",
            Fate::Closed,
            Fate::Closed,
        ),
        (
            "Connection: close\r\nConnection: keep-alive\r\n",
            Fate::Closed,
            Fate::Closed,
        ),
        ("Connection: x\r\n", Fate::Open, Fate::Closed),
        ("Connection: closed\r\n", Fate::Open, Fate::Closed),
        ("Connection:\r\n", Fate::Open, Fate::Closed),
        ("Keep-Alive: timeout=5\r\n", Fate::Open, Fate::Closed),
        ("Proxy-Connection: close\r\n", Fate::Open, Fate::Closed),
    ] {
        for (version, fate) in [("1.1", new), ("1.0", old)] {
            let name = format!("options {:?} in HTTP/{version}", fields.trim_end());
            rows.push(
                get(name, "9112, 9.3", "/", version, fields)
                    .answered("hello")
                    .fate(fate),
            );
        }
    }
    rows
}

fn responses() -> Vec<Row> {
    let mut rows = Vec::new();
    for (status, statuses) in [("204", &[204_u16] as &[u16]), ("304", &[304])] {
        let row = get(
            format!("a response of {status}"),
            "9110, 15.3.5 and 15.4.5: no content",
            &format!("/status?{status}"),
            "1.1",
            "",
        );
        rows.push(row.reply(statuses, Framing::Nothing, None).open());
        let head = format!("HEAD /status?{status} HTTP/1.1\r\nHost: a\r\n\r\n");
        rows.push(
            Row::new(format!("a response of {status} to HEAD"), "9110, 9.3.2", head)
                .reply(statuses, Framing::Head, None)
                .open(),
        );
    }
    for (status, statuses) in [
        ("205", &[205_u16] as &[u16]),
        ("200", &[200]),
        ("404", &[404]),
        ("500", &[500]),
        ("999", &[999]),
    ] {
        let row = get(
            format!("a response of {status} without content"),
            "9112, 6.3 and 9110, 15.3.6",
            &format!("/status?{status}"),
            "1.1",
            "",
        );
        rows.push(row.reply(statuses, Framing::Length, Some("")).open());
    }
    let lines: String = (0..10).map(|number| format!("line {number}\n")).collect();
    let chunked = |name: &str, fields: &str| {
        get(
            name,
            "9112, 7: a length that is not known",
            "/stream?1",
            "1.1",
            fields,
        )
    };
    rows.push(
        chunked("a response as it comes", "")
            .reply(&[200], Framing::Chunked, Some(&lines))
            .open(),
    );
    rows.push(
        chunked("a response as it comes, and the end", "Connection: close\r\n").reply(
            &[200],
            Framing::Chunked,
            Some(&lines),
        ),
    );
    let old = |name: &str, fields: &str| {
        get(
            name,
            "9112, 6.1: no chunks for HTTP/1.0",
            "/stream?1",
            "1.0",
            fields,
        )
    };
    rows.push(old("a response as it comes, for HTTP/1.0", "").reply(&[200], Framing::Close, Some(&lines)));
    rows.push(
        old(
            "a response as it comes, for HTTP/1.0 that stays",
            "Connection: keep-alive\r\n",
        )
        .reply(&[200], Framing::Close, Some(&lines)),
    );
    for (path, name) in [
        ("/stream?1", "as it comes"),
        ("/", "of known length"),
        ("/large?100000", "that is large"),
        ("/trailers", "with trailers"),
    ] {
        let head = format!("HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        rows.push(
            Row::new(
                format!("a response {name} to HEAD"),
                "9110, 9.3.2: no content",
                head,
            )
            .reply(&[200], Framing::Head, None)
            .open(),
        );
    }
    for (fields, trailers) in [
        ("TE: trailers\r\nConnection: TE\r\n", 1),
        ("TE: gzip, Trailers\r\n", 1),
        ("TE: gzip\r\n", 0),
        ("", 0),
    ] {
        let row = get(
            format!("trailers for {:?}", fields.trim_end()),
            "9110, 6.5.1: only for those who take them",
            "/trailers",
            "1.1",
            fields,
        );
        let row = row.reply(&[200], Framing::Chunked, Some("none"));
        rows.push(row.with_trailers(trailers).open());
    }
    rows.push(
        get(
            "trailers for HTTP/1.0",
            "9112, 7.1.2: no chunks, no trailers",
            "/trailers",
            "1.0",
            "",
        )
        .reply(&[200], Framing::Close, Some("none")),
    );
    for (path, statuses) in [
        ("/trap", &[500_u16] as &[u16]),
        ("/no-answer", &[500]),
        ("/error", &[500]),
        ("/short", &[500]),
        ("/long", &[500]),
    ] {
        let row = get(
            format!("a component that fails at {path}"),
            "9110, 15.6.1",
            path,
            "1.1",
            "",
        );
        rows.push(
            row.reply(statuses, Framing::Length, Some("Internal Server Error"))
                .open(),
        );
    }
    rows
}

fn pipelines() -> Vec<Row> {
    let one = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let post = "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    let chunked =
        "POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\nx: y\r\n\r\n";
    let head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
    let late = "GET /late?30 HTTP/1.1\r\nHost: a\r\n\r\n";
    let rule = "9112, 9.3.2: in the order of the requests";
    let row = |name: &str, parts: &[&str]| Row::new(name, rule, parts.concat());
    vec![
        row("two in a row", &[one, one]).answered("hello").answered("hello").open(),
        row("ten in a row", &[one; 10]).answered("hello").many("hello", 9).open(),
        row("bodies in a row", &[post, chunked, post]).answered("3").answered("4").answered("3").open(),
        row("a slow one and a quick one", &[late, one]).answered("late").answered("hello").open(),
        row("HEAD and GET", &[head, one]).reply(&[200], Framing::Head, None).answered("hello").open(),
        row("one behind a close", &[last, one]).answered("hello").fate(Fate::Closed),
        row("one behind a refusal", &["GET x HTTP/1.1\r\nHost: a\r\n\r\n", one]).refused(&[400]),
        row("nonsense behind a request", &[one, "nonsense\r\n\r\n"]).answered("hello").refused(&[400]),
        row("one behind a failure", &["GET /trap HTTP/1.1\r\nHost: a\r\n\r\n", one])
            .reply(&[500], Framing::Length, None)
            .answered("hello")
            .open(),
        row("one behind a length and chunks", &[
            "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 44\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            one,
        ])
        .answered("0")
        .fate(Fate::Closed),
    ]
}

fn half_closed() -> Vec<Row> {
    let rule = "9112, 9.6: a client that has closed its side gets its answer";
    let row = |name: &str, bytes: &str| Row::new(name, rule, bytes).ending();
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    vec![
        row("closed after GET", get).answered("hello"),
        row("closed after HEAD", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").reply(&[200], Framing::Head, None),
        row("closed after HTTP/1.0", "GET / HTTP/1.0\r\n\r\n").answered("hello"),
        row(
            "closed after a body",
            "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        )
        .answered("3"),
        row(
            "closed after chunks",
            "POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        )
        .answered("3"),
        row(
            "closed while the component waits",
            "GET /late?200 HTTP/1.1\r\nHost: a\r\n\r\n",
        )
        .answered("late"),
        row(
            "closed before a large response",
            "GET /large?300000 HTTP/1.1\r\nHost: a\r\n\r\n",
        )
        .reply(&[200], Framing::Chunked, None),
        row("closed after three in a row", &[get; 3].concat()).many("hello", 3),
        row("closed after a refusal", "GET x HTTP/1.1\r\nHost: a\r\n\r\n").refused(&[400]),
        row(
            "closed after an expectation",
            "POST /count HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
        )
        .reply(&[100], Framing::Nothing, None)
        .answered("3"),
        // RFC 9112, 8: an incomplete request may get an error.
        row(
            "closed within a body",
            "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
        )
        .refused(&[400]),
        row(
            "closed within chunks",
            "POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
        )
        .refused(&[400]),
        row(
            "closed before the last chunk",
            "POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        )
        .refused(&[400]),
        row("closed within a head", "GET / HTTP/1.1\r\nHost: a\r\n"),
        row("closed within a request line", "GET /"),
        row("closed without a request", ""),
        row("closed within the second head", &format!("{get}GET /")).answered("hello"),
    ]
}

impl Row {
    /// Expects the same response of the component several times.
    fn many(mut self, body: &str, times: usize) -> Row {
        for _ in 0..times {
            self = self.answered(body);
        }
        self
    }
}
