//! Cases of `wasi:sockets/ip-name-lookup`, with names that need no server.

use crate::bindings::wasi::sockets::instance_network::instance_network;
use crate::bindings::wasi::sockets::ip_name_lookup::resolve_addresses;
use crate::bindings::wasi::sockets::network::{ErrorCode, IpAddress};
use crate::text::Lines;
use crate::{Case, Outcome};

pub const CASES: &[Case] = &[
    ("lookup/addresses", || names(&["127.0.0.1", "::1"])),
    ("lookup/localhost", localhost),
    ("lookup/what is no name", || names(&["", " ", "a b", "127.0.0.1:80", "http://localhost/", "local\0host"])),
];

fn resolve(name: &str) -> Result<Vec<IpAddress>, ErrorCode> {
    let stream = resolve_addresses(&instance_network(), name)?;
    let mut addresses = Vec::new();
    loop {
        match stream.resolve_next_address() {
            Ok(Some(address)) => addresses.push(address),
            Ok(None) => return Ok(addresses),
            Err(ErrorCode::WouldBlock) => stream.subscribe().block(),
            Err(code) => return Err(code),
        }
    }
}

fn names(names: &[&str]) -> Outcome {
    let mut lines = Lines::default();
    for name in names {
        let resolved = resolve(name);
        lines.add(&format!("{name:?}"), resolved.map_or_else(|code| code.name().into(), |it| format!("{it:?}")));
    }
    lines.end()
}

fn localhost() -> Outcome {
    let addresses = resolve("localhost").map_err(|code| code.name().to_string())?;
    let own = addresses.iter().all(|address| match address {
        IpAddress::Ipv4(address) => address.0 == 127,
        IpAddress::Ipv6(address) => *address == (0, 0, 0, 0, 0, 0, 0, 1),
    });
    Ok(format!("some: {}, all of this host: {own}", !addresses.is_empty()))
}
