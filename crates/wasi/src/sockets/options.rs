//! Options of both TCP and UDP sockets.

use std::os::fd::AsFd;

use rustix::io::Errno;
use rustix::net::sockopt;

use super::SocketError;
use crate::bindings::wasi::sockets::network::{ErrorCode, IpAddressFamily};

/// Checks that a number is not 0, and caps it at `most`, as systems do.
pub(super) fn positive(value: u64, most: usize) -> Result<usize, SocketError> {
    match value {
        0 => Err(ErrorCode::InvalidArgument.into()),
        value => Ok(usize::try_from(value).map_or(most, |value| value.min(most))),
    }
}

pub(super) fn hop_limit(socket: impl AsFd, family: IpAddressFamily) -> Result<u8, SocketError> {
    match family {
        IpAddressFamily::Ipv4 => {
            let limit = sockopt::ip_ttl(socket)?;
            u8::try_from(limit).map_err(|_| ErrorCode::NotSupported.into())
        }
        IpAddressFamily::Ipv6 => Ok(sockopt::ipv6_unicast_hops(socket)?),
    }
}

pub(super) fn set_hop_limit(
    socket: impl AsFd,
    family: IpAddressFamily,
    value: u8,
) -> Result<(), SocketError> {
    if value == 0 {
        return Err(ErrorCode::InvalidArgument.into());
    }
    match family {
        IpAddressFamily::Ipv4 => sockopt::set_ip_ttl(socket, value.into())?,
        IpAddressFamily::Ipv6 => sockopt::set_ipv6_unicast_hops(socket, Some(value))?,
    }
    Ok(())
}

/// Converts a buffer size of the system to the size that was set: Linux doubles it for its own overhead.
fn given(size: usize) -> u64 {
    let size = if cfg!(target_os = "linux") { size / 2 } else { size };
    u64::try_from(size).unwrap_or(u64::MAX)
}

/// Ignores the refusal of a buffer size, which is only a hint: the system then keeps its own.
fn hint(result: Result<(), Errno>) -> Result<(), SocketError> {
    match result {
        Err(Errno::NOBUFS) => Ok(()),
        result => Ok(result?),
    }
}

pub(super) fn receive_buffer_size(socket: impl AsFd) -> Result<u64, SocketError> {
    Ok(given(sockopt::socket_recv_buffer_size(socket)?))
}

pub(super) fn set_receive_buffer_size(socket: impl AsFd, value: u64, most: usize) -> Result<(), SocketError> {
    let value = positive(value, most)?;
    hint(sockopt::set_socket_recv_buffer_size(socket, value))
}

pub(super) fn send_buffer_size(socket: impl AsFd) -> Result<u64, SocketError> {
    Ok(given(sockopt::socket_send_buffer_size(socket)?))
}

pub(super) fn set_send_buffer_size(socket: impl AsFd, value: u64, most: usize) -> Result<(), SocketError> {
    let value = positive(value, most)?;
    hint(sockopt::set_socket_send_buffer_size(socket, value))
}
