//! Raw exchanges: the client's bytes, and the server's required reaction, each by a section of RFC 9110 or 9112. Rows are
//! generated where one rule decides many of them.
//!
//! A rule that begins with `open` is one that the standard leaves to the server; the expectation then is the behavior of
//! wasmtime's server, which is based on hyper too, or the rest of the rule's text.

mod bodies;
mod fields;
mod hosts;
mod lines;
mod persistence;
mod reader;
mod targets;

use std::net::SocketAddr;

use airssys_wasm::component::Component;
use airssys_wasm::wasi::WasiCtxBuilder;
use airssys_wasm::wasi::http::serve::ServeLimits;

use crate::common::{engines, fixture};
use crate::server::{Running, limits};
use reader::{Conversation, Framing, Reply};

/// One exchange.
#[derive(Debug)]
struct Row {
    name: String,
    /// The section, or the reason for which the standard leaves it open.
    rule: &'static str,
    send: Vec<u8>,
    /// Set if the client closes its side after sending.
    ends: bool,
    replies: Vec<Expected>,
    fate: Fate,
}

/// An expected response.
#[derive(Clone, Debug)]
struct Expected {
    statuses: &'static [u16],
    framing: Framing,
    /// The expected body, if it matters.
    body: Option<String>,
    /// Number of trailer fields.
    trailers: usize,
}

/// The connection's state after the responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The next request on it is answered.
    Open,
    /// The server closes it.
    Closed,
    /// Either is correct.
    Any,
}

impl Row {
    fn new(name: impl Into<String>, rule: &'static str, send: impl Into<Vec<u8>>) -> Row {
        Row {
            name: name.into(),
            rule,
            send: send.into(),
            ends: false,
            replies: Vec::new(),
            fate: Fate::Closed,
        }
    }

    /// Lets the client close its side.
    fn ending(mut self) -> Row {
        self.ends = true;
        self
    }

    fn reply(mut self, statuses: &'static [u16], framing: Framing, body: Option<&str>) -> Row {
        self.replies.push(Expected {
            statuses,
            framing,
            body: body.map(str::to_owned),
            trailers: 0,
        });
        self
    }

    /// Expects the component's response, with this body.
    fn answered(self, body: &str) -> Row {
        self.reply(&[200], Framing::Length, Some(body))
    }

    /// Expects trailer fields after the last response's body.
    fn with_trailers(mut self, trailers: usize) -> Row {
        if let Some(last) = self.replies.last_mut() {
            last.trailers = trailers;
        }
        self
    }

    /// Expects a refusal by the server, which ends the connection.
    fn refused(self, statuses: &'static [u16]) -> Row {
        self.reply(statuses, Framing::Length, None).fate(Fate::Closed)
    }

    fn fate(mut self, fate: Fate) -> Row {
        self.fate = fate;
        self
    }

    fn open(self) -> Row {
        self.fate(Fate::Open)
    }
}

fn rows() -> Vec<Row> {
    [
        targets::rows(),
        hosts::rows(),
        lines::rows(),
        fields::rows(),
        bodies::rows(),
        persistence::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Returns the first difference between a row's exchange and its expectation.
fn wrong(addr: SocketAddr, row: &Row) -> Option<String> {
    let mut conversation = Conversation::begin(addr, &row.send, row.ends);
    for (number, expected) in row.replies.iter().enumerate() {
        let head = expected.framing == Framing::Head;
        let reply = match conversation.reply(head) {
            Ok(Some(reply)) => reply,
            Ok(None) => return Some(format!("response {number} is missing")),
            Err(error) => return Some(format!("response {number}: {error}")),
        };
        if let Some(wrong) = differs(expected, &reply) {
            return Some(format!("response {number}: {wrong}"));
        }
    }
    match row.fate {
        Fate::Open => conversation.next().err(),
        Fate::Closed => conversation.closed().err(),
        Fate::Any => None,
    }
}

fn differs(expected: &Expected, reply: &Reply) -> Option<String> {
    if !expected.statuses.contains(&reply.status) {
        return Some(format!("{} and not {:?}", reply.status, expected.statuses));
    }
    if expected.framing != reply.framing {
        return Some(format!("{:?} and not {:?}", reply.framing, expected.framing));
    }
    if expected.trailers != reply.trailers.len() {
        return Some(format!("trailers {:?}", reply.trailers));
    }
    match &expected.body {
        Some(body) if body.as_bytes() != reply.body => {
            let got = String::from_utf8_lossy(&reply.body).into_owned();
            Some(format!("{got:?} and not {body:?}"))
        }
        _ => None,
    }
}

/// Returns the rows whose exchange differs from the expectation.
fn all_wrong(addr: SocketAddr, rows: &[Row]) -> Vec<String> {
    let wrong = rows.iter().filter_map(|row| {
        let wrong = wrong(addr, row)?;
        Some(format!("{} ({}): {wrong}", row.name, row.rule))
    });
    wrong.collect()
}

fn patient() -> ServeLimits {
    let mut limits = limits();
    limits.target_bytes = 16 << 10;
    limits
}

#[test]
fn exchanges_are_as_the_standard_has_them() {
    let rows = rows();
    let open = rows.iter().filter(|row| row.rule.starts_with("open")).count();
    println!(
        "{} exchanges, {open} of them left open by the standard",
        rows.len()
    );
    assert!(rows.len() >= 300, "{} rows", rows.len());
    let mut names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), rows.len(), "each row has a name of its own");
    let server = Running::with(&WasiCtxBuilder::new(), patient());
    let wrong = all_wrong(server.addr, &rows);
    assert!(
        wrong.is_empty(),
        "{} are otherwise:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// HTTP is independent of the backends: one row in eight suffices to show that.
#[test]
fn exchanges_are_the_same_on_every_backend() {
    let rows: Vec<Row> = rows().into_iter().step_by(8).collect();
    for engine in engines() {
        let component = Component::from_binary(&engine, &fixture("wasi-http.wasm")).expect("it loads");
        let server = Running::of(&engine, &component, &WasiCtxBuilder::new(), patient());
        let wrong = all_wrong(server.addr, &rows);
        assert!(wrong.is_empty(), "{}: {}", engine.backend(), wrong.join("\n"));
    }
}
