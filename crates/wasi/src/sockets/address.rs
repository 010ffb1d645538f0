//! Conversion of addresses between the interfaces and Rust, and their classification.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::bindings::wasi::sockets::network::{
    IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};

impl From<IpAddr> for IpAddress {
    fn from(address: IpAddr) -> IpAddress {
        match address {
            IpAddr::V4(address) => IpAddress::Ipv4(from_v4(address)),
            IpAddr::V6(address) => IpAddress::Ipv6(from_v6(address)),
        }
    }
}

impl From<SocketAddr> for IpSocketAddress {
    fn from(address: SocketAddr) -> IpSocketAddress {
        match address {
            SocketAddr::V4(address) => IpSocketAddress::Ipv4(Ipv4SocketAddress {
                port: address.port(),
                address: from_v4(*address.ip()),
            }),
            SocketAddr::V6(address) => IpSocketAddress::Ipv6(Ipv6SocketAddress {
                port: address.port(),
                flow_info: address.flowinfo(),
                address: from_v6(*address.ip()),
                scope_id: address.scope_id(),
            }),
        }
    }
}

impl From<IpSocketAddress> for SocketAddr {
    fn from(address: IpSocketAddress) -> SocketAddr {
        match address {
            IpSocketAddress::Ipv4(Ipv4SocketAddress {
                port,
                address: (a, b, c, d),
            }) => SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), port).into(),
            IpSocketAddress::Ipv6(Ipv6SocketAddress {
                port,
                flow_info,
                address: (a, b, c, d, e, f, g, h),
                scope_id,
            }) => {
                let address = Ipv6Addr::new(a, b, c, d, e, f, g, h);
                SocketAddrV6::new(address, port, flow_info, scope_id).into()
            }
        }
    }
}

fn from_v4(address: Ipv4Addr) -> (u8, u8, u8, u8) {
    let [a, b, c, d] = address.octets();
    (a, b, c, d)
}

fn from_v6(address: Ipv6Addr) -> (u16, u16, u16, u16, u16, u16, u16, u16) {
    let [a, b, c, d, e, f, g, h] = address.segments();
    (a, b, c, d, e, f, g, h)
}

/// Returns whether an address belongs to a socket's address family. IPv6 addresses that contain an IPv4 address do not:
/// a socket has one family only.
pub(super) fn fits(family: IpAddressFamily, address: IpAddr) -> bool {
    match (family, address) {
        (IpAddressFamily::Ipv4, IpAddr::V4(_)) => true,
        (IpAddressFamily::Ipv6, IpAddr::V6(address)) => {
            let [a, b, c, d, e, f, high, low] = address.segments();
            let compatible = [a, b, c, d, e, f] == [0; 6] && (high, low) != (0, 0) && (high, low) != (0, 1);
            address.to_ipv4_mapped().is_none() && !compatible
        }
        _ => false,
    }
}

/// Returns the address that stands for all of this host, with a port that the system chooses.
pub(super) fn any(family: IpAddressFamily) -> SocketAddr {
    match family {
        IpAddressFamily::Ipv4 => (Ipv4Addr::UNSPECIFIED, 0).into(),
        IpAddressFamily::Ipv6 => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

/// Returns whether an address is unicast.
pub(super) fn is_unicast(address: IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    !address.is_multicast() && !broadcast
}

/// Returns whether an address can be a destination.
pub(super) fn is_remote(address: SocketAddr) -> bool {
    !address.ip().is_unspecified() && address.port() != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_the_same_in_both_forms() {
        for text in ["1.2.3.4:5", "[1:2:3:4:5:6:7:8]:9", "[fe80::1%7]:65535"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(SocketAddr::from(IpSocketAddress::from(address)), address);
        }
    }

    #[test]
    fn kinds_of_addresses() {
        let v4 = |text: &str| fits(IpAddressFamily::Ipv4, text.parse().unwrap());
        let v6 = |text: &str| fits(IpAddressFamily::Ipv6, text.parse().unwrap());
        assert!(v4("127.0.0.1") && !v4("::1"));
        assert!(v6("::1") && v6("::") && v6("2001:db8::1"));
        assert!(!v6("127.0.0.1") && !v6("::ffff:127.0.0.1") && !v6("::127.0.0.1"));
        assert!(!is_unicast("224.0.0.1".parse().unwrap()));
        assert!(!is_unicast("255.255.255.255".parse().unwrap()));
        assert!(!is_unicast("ff02::1".parse().unwrap()));
        assert!(is_unicast("10.0.0.1".parse().unwrap()));
        assert!(!is_remote("0.0.0.0:1".parse().unwrap()));
        assert!(!is_remote("1.1.1.1:0".parse().unwrap()));
    }
}
