//! The other direction of HTTP: requests that come in. A case is what one client sends, byte by byte; the handler of
//! `tests/guests/wasi-cases` answers, behind a server of each side, and what the client gets has to be the same.

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

/// Talks to a server at an address, and tells what came back.
pub type Talk<'a> = dyn Fn(SocketAddr) -> Result<String> + 'a;

/// The beginning of these cases' names.
const GROUP: &str = "served/";

/// One connection to a server.
#[derive(Clone, Copy, Debug)]
struct Exchange {
    /// Behind [`GROUP`].
    name: &'static str,
    steps: &'static [Step],
}

/// What a client does.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Sends this.
    Send(&'static str),
    /// Waits until this has come.
    Await(&'static str),
    /// Sends nothing more, and says so.
    End,
}

/// What the client got, and what the guest said of it, line by line.
pub(super) fn told(seen: &str, guest: &str) -> End {
    let seen = seen.lines().map(str::to_owned);
    let guest = guest.lines().map(|line| format!("guest: {line}"));
    End::Seen(seen.chain(guest).collect::<Vec<_>>().join("\n"))
}

/// The names of the cases.
pub(super) fn names() -> impl Iterator<Item = String> {
    cases::CASES
        .iter()
        .map(|exchange| format!("{GROUP}{}", exchange.name))
}

/// What the client of a case does, if it is one of these.
pub(super) fn talk(case: &str) -> Option<Box<Talk<'static>>> {
    let name = case.strip_prefix(GROUP)?;
    let exchange = cases::CASES.iter().find(|exchange| exchange.name == name)?;
    Some(Box::new(|addr| client::talk(exchange, addr)))
}
