//! The other direction of HTTP: incoming requests. A case is the byte stream of one client; the handler of
//! `tests/guests/wasi-cases` answers, behind a server of each side, and the client's response must be the same.

mod cases;
mod client;
mod ours;
mod reference;
mod responses;

use std::net::SocketAddr;

use anyhow::Result;

use super::answer::End;

pub(super) use ours::serve as serve_ours;
pub(super) use reference::serve as serve_reference;

/// Talks to a server at an address, and returns its response.
pub type Talk<'a> = dyn Fn(SocketAddr) -> Result<String> + 'a;

/// The prefix of these cases' names.
const GROUP: &str = "served/";

/// One connection to a server.
#[derive(Clone, Copy, Debug)]
struct Exchange {
    /// The name without [`GROUP`].
    name: &'static str,
    steps: &'static [Step],
}

/// A step of a client.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Sends this text.
    Send(&'static str),
    /// Waits until this text has arrived.
    Await(&'static str),
    /// Shuts down the sending direction.
    End,
}

/// Combines the client's response and the guest's output, line by line.
pub(super) fn told(seen: &str, guest: &str) -> End {
    let seen = seen.lines().map(str::to_owned);
    let guest = guest.lines().map(|line| format!("guest: {line}"));
    End::Seen(seen.chain(guest).collect::<Vec<_>>().join("\n"))
}

/// Lists the names of the cases.
pub(super) fn names() -> impl Iterator<Item = String> {
    cases::CASES
        .iter()
        .map(|exchange| format!("{GROUP}{}", exchange.name))
}

/// Returns the client's part of a case, if it is one of these.
pub(super) fn talk(case: &str) -> Option<Box<Talk<'static>>> {
    let name = case.strip_prefix(GROUP)?;
    let exchange = cases::CASES.iter().find(|exchange| exchange.name == name)?;
    Some(Box::new(|addr| client::talk(exchange, addr)))
}
