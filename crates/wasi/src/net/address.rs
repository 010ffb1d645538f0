//! Classification of addresses: public internet or not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Returns whether an address is on the public internet. Any other address must be granted as an address: names
/// cannot lead to it, since guests, or a name's owner, choose where they lead. Not public are this host itself, private
/// networks, links (where clouds have their metadata services), multicast groups, and everything that is reserved for
/// another use.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Networks that are not public: address and length of the prefix.
const RESERVED_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),       // this host, this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // between carriers and their customers; a cloud's metadata
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local; clouds' metadata
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocol assignments; a cloud's metadata
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // relays to IPv6, no longer in use
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast groups
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved; broadcast
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let reserved = |(network, length): &(Ipv4Addr, u32)| covers_v4(*network, *length, address);
    // The platform service of a cloud, at an address in a public network.
    !RESERVED_V4.iter().any(reserved) && address != Ipv4Addr::new(168, 63, 129, 16)
}

/// Parts of the global unicast range that are not public.
const RESERVED_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocols, tunnels whose other end could be anywhere
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // IPv4 behind a relay
];

/// IPv6 addresses that are translated to the IPv4 address in their last 32 bits.
const TRANSLATED: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [.., high, low] = address.segments();
    let within = Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    if address.to_ipv4_mapped().is_some() || covers_v6(TRANSLATED.0, TRANSLATED.1, address) {
        return is_public_v4(within);
    }
    let global = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
    let reserved = |(network, length): &(Ipv6Addr, u32)| covers_v6(*network, *length, address);
    covers_v6(global.0, global.1, address) && !RESERVED_V6.iter().any(reserved)
}

/// Returns whether `address` is in a network, given by one of its addresses and the length of its prefix in bits. An
/// IPv4-mapped IPv6 address counts as the IPv4 address.
pub(super) fn covers(network: IpAddr, length: u32, address: IpAddr) -> bool {
    match (network, address.to_canonical()) {
        (IpAddr::V4(network), IpAddr::V4(address)) => covers_v4(network, length, address),
        (IpAddr::V6(network), IpAddr::V6(address)) => covers_v6(network, length, address),
        _ => false,
    }
}

fn covers_v4(network: Ipv4Addr, length: u32, address: Ipv4Addr) -> bool {
    let shift = 32_u32.saturating_sub(length);
    (network.to_bits() ^ address.to_bits())
        .checked_shr(shift)
        .unwrap_or(0)
        == 0
}

fn covers_v6(network: Ipv6Addr, length: u32, address: Ipv6Addr) -> bool {
    let shift = 128_u32.saturating_sub(length);
    (network.to_bits() ^ address.to_bits())
        .checked_shr(shift)
        .unwrap_or(0)
        == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00::1",
            "::ffff:1.1.1.1",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn all_others() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.255",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:808:808::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn networks_cover_their_addresses() {
        let covers = |network: &str, length, address: &str| {
            covers(network.parse().unwrap(), length, address.parse().unwrap())
        };
        assert!(covers("10.0.0.0", 8, "10.255.0.1"));
        assert!(!covers("10.0.0.0", 8, "11.0.0.1"));
        assert!(covers("10.0.0.1", 32, "10.0.0.1"));
        assert!(!covers("10.0.0.1", 32, "10.0.0.2"));
        assert!(covers("0.0.0.0", 0, "255.1.1.1"));
        assert!(covers("10.0.0.1", 32, "::ffff:10.0.0.1"));
        assert!(!covers("10.0.0.1", 32, "::10.0.0.1"));
        assert!(covers("fe80::", 10, "febf::1"));
        assert!(!covers("fe80::", 10, "fec0::1"));
        assert!(covers("::", 0, "ff02::1"));
        assert!(!covers("::", 0, "1.1.1.1"));
    }
}
