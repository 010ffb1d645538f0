//! Arguments in, lines out.

use std::net::SocketAddr;

use crate::bindings::wasi::cli::stdout;
use crate::bindings::wasi::sockets::network::{
    IpAddress, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};

pub(crate) fn print(line: &str) {
    write(format!("{line}\n").as_bytes());
}

pub(crate) fn write(bytes: &[u8]) {
    let output = stdout::get_stdout();
    for part in bytes.chunks(4096) {
        output.blocking_write_and_flush(part).expect("standard output takes it");
    }
}

/// An argument that is a number; 0 if it is not there.
pub(crate) fn number(args: &[&str], place: usize) -> u64 {
    args.get(place).map_or(0, |arg| arg.parse().expect("a number"))
}

/// An argument that is an address with a port.
pub(crate) fn address(args: &[&str], place: usize) -> IpSocketAddress {
    match args[place].parse().expect("an address with a port") {
        SocketAddr::V4(address) => {
            let [a, b, c, d] = address.ip().octets();
            IpSocketAddress::Ipv4(Ipv4SocketAddress {
                port: address.port(),
                address: (a, b, c, d),
            })
        }
        SocketAddr::V6(address) => {
            let [a, b, c, d, e, f, g, h] = address.ip().segments();
            IpSocketAddress::Ipv6(Ipv6SocketAddress {
                port: address.port(),
                flow_info: address.flowinfo(),
                address: (a, b, c, d, e, f, g, h),
                scope_id: address.scope_id(),
            })
        }
    }
}

pub(crate) fn ip(address: IpAddress) -> String {
    match address {
        IpAddress::Ipv4((a, b, c, d)) => std::net::Ipv4Addr::new(a, b, c, d).to_string(),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => {
            std::net::Ipv6Addr::new(a, b, c, d, e, f, g, h).to_string()
        }
    }
}

pub(crate) fn port(address: IpSocketAddress) -> u16 {
    match address {
        IpSocketAddress::Ipv4(address) => address.port,
        IpSocketAddress::Ipv6(address) => address.port,
    }
}

/// Outcome of an operation: `ok`, or the error as the interface calls it.
pub(crate) fn told<T, E: std::fmt::Debug>(result: &Result<T, E>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => {
            // Either the name of a case in Rust, or a number with the interface's own name.
            let text = format!("{error:?}");
            if let Some((_, rest)) = text.split_once("name: \"") {
                return rest.split('"').next().unwrap_or(rest).to_owned();
            }
            let name = text.rsplit("::").next().unwrap_or(&text);
            let mut out = String::new();
            for (place, letter) in name.chars().enumerate() {
                if letter.is_ascii_uppercase() && place > 0 {
                    out.push('-');
                }
                out.push(letter.to_ascii_lowercase());
            }
            out
        }
    }
}
