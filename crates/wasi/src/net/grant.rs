//! Network grants, and their text form.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::address::{covers, is_public};

/// Hosts that a component may connect to, on one port or on all.
///
/// Written `HOST` or `HOST:PORT`, where `HOST` is
/// - a name: `example.com`, or `*.example.com` for all below it;
/// - an address: `192.0.2.1`, `[2001:db8::1]`;
/// - a network: `10.0.0.0/8`, `[fd00::]/8`;
/// - `*`: everything that is public.
///
/// A name leads only to public addresses, whatever it resolves to, and `localhost` only to this host. All other
/// addresses must be granted as addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetGrant {
    host: HostGrant,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostGrant {
    Name(String),
    Below(String),
    Network(IpAddr, u32),
    Public,
}

/// The error for a text that is not a grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not HOST or HOST:PORT: {problem} (a host is a name, `*.name`, an address, `[IPv6 address]`, a network \
     as in 10.0.0.0/8, or `*`)"
)]
pub struct NetGrantError {
    text: String,
    problem: &'static str,
}

impl NetGrant {
    /// Returns whether the grant includes this port; `None` asks for any port.
    pub(super) fn has_port(&self, port: Option<u16>) -> bool {
        match (self.port, port) {
            (Some(granted), Some(port)) => granted == port,
            _ => true,
        }
    }

    /// Returns whether the grant includes this name, in the form of [`normal_name`].
    pub(super) fn has_name(&self, name: &str) -> bool {
        match &self.host {
            HostGrant::Name(granted) => granted == name,
            HostGrant::Below(parent) => name
                .strip_suffix(parent.as_str())
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|rest| !rest.is_empty()),
            HostGrant::Public => true,
            HostGrant::Network(..) => false,
        }
    }

    /// Returns whether the grant includes this address directly, not through a name.
    pub(super) fn has_address(&self, address: IpAddr) -> bool {
        match &self.host {
            HostGrant::Network(network, length) => covers(*network, *length, address),
            HostGrant::Public => is_public(address),
            HostGrant::Name(_) | HostGrant::Below(_) => false,
        }
    }

    /// Returns whether a name that the grant includes may lead to this address.
    pub(super) fn leads_to(&self, address: IpAddr) -> bool {
        match &self.host {
            HostGrant::Name(name) if name == "localhost" => address.to_canonical().is_loopback(),
            _ => is_public(address),
        }
    }
}

impl FromStr for NetGrant {
    type Err = NetGrantError;

    fn from_str(text: &str) -> Result<NetGrant, NetGrantError> {
        let error = |problem| NetGrantError {
            text: text.to_owned(),
            problem,
        };
        let (host, port) = split_port(text).map_err(error)?;
        let host = if host == "*" {
            HostGrant::Public
        } else if let Some(parent) = host.strip_prefix("*.") {
            HostGrant::Below(normal_name(parent).ok_or_else(|| error("the name is invalid"))?)
        } else if let Some((network, length)) = network(host).map_err(error)? {
            HostGrant::Network(network, length)
        } else {
            HostGrant::Name(normal_name(host).ok_or_else(|| error("the name is invalid"))?)
        };
        Ok(NetGrant { host, port })
    }
}

impl fmt::Display for NetGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            HostGrant::Name(name) => f.write_str(name)?,
            HostGrant::Below(parent) => write!(f, "*.{parent}")?,
            HostGrant::Network(IpAddr::V4(network), 32) => write!(f, "{network}")?,
            HostGrant::Network(IpAddr::V4(network), length) => write!(f, "{network}/{length}")?,
            HostGrant::Network(IpAddr::V6(network), 128) => write!(f, "[{network}]")?,
            HostGrant::Network(IpAddr::V6(network), length) => write!(f, "[{network}]/{length}")?,
            HostGrant::Public => f.write_str("*")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Addresses of this host that a component may listen at, or receive datagrams at from any sender.
///
/// Written `ADDRESS` or `ADDRESS:PORT`, where `ADDRESS` is `127.0.0.1`, `[::1]`, or `*` for any. `0.0.0.0` and `[::]`
/// let a component bind to all addresses of that family. Without a port, every port is granted, including one that the
/// system chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenGrant {
    address: Option<IpAddr>,
    port: Option<u16>,
}

impl ListenGrant {
    /// Returns whether the grant includes this address and port.
    pub(super) fn has(&self, address: IpAddr, port: u16) -> bool {
        self.address
            .is_none_or(|granted| granted == address.to_canonical())
            && self.port.is_none_or(|granted| granted == port)
    }
}

impl FromStr for ListenGrant {
    type Err = NetGrantError;

    fn from_str(text: &str) -> Result<ListenGrant, NetGrantError> {
        let error = |problem| NetGrantError {
            text: text.to_owned(),
            problem,
        };
        let (host, port) = split_port(text).map_err(error)?;
        let address = match network(host).map_err(error)? {
            _ if host == "*" => None,
            Some((IpAddr::V4(address), 32)) => Some(IpAddr::V4(address)),
            Some((IpAddr::V6(address), 128)) => Some(IpAddr::V6(address)),
            _ => return Err(error("the address must be one of this host")),
        };
        Ok(ListenGrant { address, port })
    }
}

fn split_port(text: &str) -> Result<(&str, Option<u16>), &'static str> {
    let bare_v6 = text.parse::<Ipv6Addr>().is_ok();
    match text.rsplit_once(':') {
        _ if bare_v6 => Ok((text, None)),
        // The colon belongs to an address in brackets, or precedes the length of a network.
        Some((_, rest)) if rest.contains([']', '/']) => Ok((text, None)),
        Some((host, port)) => match port.parse() {
            Ok(0) | Err(_) => Err("the port is not a number from 1 to 65535"),
            Ok(port) => Ok((host, Some(port))),
        },
        None => Ok((text, None)),
    }
}

/// Parses an address or a network; `None` if the text is neither.
fn network(text: &str) -> Result<Option<(IpAddr, u32)>, &'static str> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let inner = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let parsed = match inner {
        Some(inner) => inner.parse::<Ipv6Addr>().map(IpAddr::V6).ok(),
        None => address.parse::<IpAddr>().ok(),
    };
    let Some(address) = parsed else {
        return match inner.is_some() || length.is_some() {
            true => Err("the address is invalid"),
            false => Ok(None),
        };
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = match length.map(str::parse) {
        None => most,
        Some(Ok(length)) if length <= most => length,
        Some(_) => return Err("the network's prefix length is out of range"),
    };
    Ok(Some((address, length)))
}

/// Bytes of a name, and of a label (RFC 1035).
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// Returns the normal form of a host name, for comparison and look-up; `None` if it is invalid. A text that could be
/// read as an address in an old notation is not a name.
pub(super) fn normal_name(name: &str) -> Option<String> {
    // Names in other scripts have an ASCII form, and so do their digits.
    let name = match name.is_ascii() {
        true => Cow::Borrowed(name),
        false if name.len() <= 4 * MAX_NAME => Cow::Owned(idna::domain_to_ascii(name).ok()?),
        false => return None,
    };
    let name = name.strip_suffix('.').unwrap_or(&name);
    let valid = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=MAX_LABEL).contains(&label.len()) && label.bytes().all(allowed)
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    let number = last.bytes().all(|byte| byte.is_ascii_digit())
        || last
            .strip_prefix("0x")
            .or(last.strip_prefix("0X"))
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let is_name = name.len() <= MAX_NAME && name.split('.').all(valid) && !number;
    is_name.then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(text: &str) -> NetGrant {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn grants_are_read_and_written() {
        for text in [
            "example.com",
            "example.com:443",
            "*.example.com:443",
            "*",
            "*:80",
            "10.0.0.1",
            "10.0.0.1:80",
            "10.0.0.0/8",
            "10.0.0.0/8:80",
            "[::1]",
            "[::1]:80",
            "[fd00::]/8",
            "[fd00::]/8:80",
        ] {
            assert_eq!(grant(text).to_string(), text);
        }
        assert_eq!(grant("EXAMPLE.com.").to_string(), "example.com");
        assert_eq!(grant("Bücher.example").to_string(), "xn--bcher-kva.example");
        assert_eq!(grant("fd00::/8").to_string(), "[fd00::]/8");
        assert_eq!(grant("::1").to_string(), "[::1]");
    }

    #[test]
    fn what_is_no_grant() {
        for text in [
            "",
            ":80",
            "a b",
            "example.com:0",
            "example.com:65536",
            "example.com:x",
            "http://example.com",
            "10.0.0.1/33",
            "[::1",
            "[10.0.0.1]",
            "[::1]/129",
            "127.1",
            "0x7f.0x1",
            "2130706433",
            "a..b",
            "*.",
            "*.*",
            "ex*mple.com",
            "１２７.１",
            "a/8",
        ] {
            assert!(text.parse::<NetGrant>().is_err(), "{text}");
        }
        assert!(format!("{}.com", "a".repeat(64)).parse::<NetGrant>().is_err());
        assert!("a.".repeat(128).parse::<NetGrant>().is_err());
    }

    #[test]
    fn names_and_ports() {
        assert!(grant("example.com").has_name("example.com"));
        assert!(!grant("example.com").has_name("a.example.com"));
        assert!(grant("*.example.com").has_name("a.b.example.com"));
        assert!(!grant("*.example.com").has_name("example.com"));
        assert!(!grant("*.example.com").has_name("badexample.com"));
        assert!(grant("*").has_name("anything.example"));
        assert!(!grant("10.0.0.0/8").has_name("10.0.0.1"));
        assert!(grant("a:1").has_port(Some(1)) && grant("a:1").has_port(None));
        assert!(!grant("a:1").has_port(Some(2)));
        assert!(grant("a").has_port(Some(2)));
    }

    #[test]
    fn addresses_are_granted_as_such() {
        assert!(grant("10.0.0.0/8").has_address(ip("10.1.1.1")));
        assert!(grant("10.0.0.0/8").has_address(ip("::ffff:10.1.1.1")));
        assert!(!grant("10.0.0.0/8").has_address(ip("11.1.1.1")));
        assert!(grant("*").has_address(ip("1.1.1.1")));
        assert!(!grant("*").has_address(ip("127.0.0.1")));
        assert!(!grant("*").leads_to(ip("169.254.169.254")));
        assert!(!grant("example.com").has_address(ip("1.1.1.1")));
        assert!(grant("example.com").leads_to(ip("1.1.1.1")));
        assert!(!grant("example.com").leads_to(ip("10.0.0.1")));
        assert!(grant("localhost").leads_to(ip("127.0.0.1")));
        assert!(grant("localhost").leads_to(ip("::1")));
        assert!(!grant("localhost").leads_to(ip("10.0.0.1")));
        assert!(!grant("localhost").leads_to(ip("1.1.1.1")));
    }

    #[test]
    fn places_to_listen_at() {
        let listen = |text: &str| text.parse::<ListenGrant>().unwrap();
        assert!(listen("127.0.0.1:80").has(ip("127.0.0.1"), 80));
        assert!(listen("127.0.0.1:80").has(ip("::ffff:127.0.0.1"), 80));
        assert!(!listen("127.0.0.1:80").has(ip("127.0.0.1"), 0));
        assert!(!listen("127.0.0.1:80").has(ip("0.0.0.0"), 80));
        assert!(listen("[::1]").has(ip("::1"), 0));
        assert!(listen("*:80").has(ip("0.0.0.0"), 80));
        for text in ["localhost", "10.0.0.0/8", "", "127.0.0.1:0"] {
            assert!(text.parse::<ListenGrant>().is_err(), "{text}");
        }
    }
}
