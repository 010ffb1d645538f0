//! Hosts of `network` scopes and requests.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use url::{Host, Url};

use super::{MAX_SCOPE_BYTES, is_deceptive};

/// Maximum bytes of a URL. Stops guests that let the host parse megabytes.
const MAX_URL_BYTES: usize = 64 << 10;
/// Bytes of a name, and of a label (RFC 1035).
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// A scheme with a default port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `http`, port 80.
    Http,
    /// `https`, port 443.
    Https,
}

impl Scheme {
    /// Returns the port that a URL of this scheme has if it names none.
    pub const fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }

    /// Returns the scheme as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
}

/// Hosts of a rule, or the single host of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// `*`: all names. No addresses: an address must be granted as one.
    AnyName,
    /// `*.example.com`: all names below, not the name itself.
    Below(Box<str>),
    /// One name: ASCII, lowercase, without final dot.
    Name(Box<str>),
    /// `10.0.0.0/8`: all addresses with this prefix. A single address has the full length. An IPv4-mapped IPv6 address is
    /// the IPv4 address.
    Network(IpAddr, u8),
}

/// Scope of `network:outbound`: `[scheme://]host[:port]`.
///
/// The host is a name (`example.com`), all names below one (`*.example.com`), all names (`*`), an address (`192.0.2.1`,
/// `[2001:db8::1]`) or a network (`10.0.0.0/8`, `[fd00::]/8`). Names are compared in lowercase, without final dot and in
/// their ASCII form (punycode). A scheme without port means its default port; without both, all ports are covered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostScope {
    pub(in crate::security) host: HostPattern,
    pub(in crate::security) scheme: Option<Scheme>,
    pub(in crate::security) port: Option<u16>,
}

/// The error for text that is not a host scope, or not a URL to connect to. Contains nothing of the text, which may have
/// a password in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the target {problem}")]
pub struct InvalidTarget {
    problem: &'static str,
}

impl InvalidTarget {
    /// Returns the problem, which completes the sentence "the target …".
    pub fn problem(&self) -> String {
        self.problem.to_owned()
    }
}

impl HostScope {
    /// Returns the scopes that cover everything: all names, and the addresses of both families.
    pub(in crate::security) fn all() -> [HostScope; 3] {
        [
            HostPattern::AnyName,
            HostPattern::Network(Ipv4Addr::UNSPECIFIED.into(), 0),
            HostPattern::Network(Ipv6Addr::UNSPECIFIED.into(), 0),
        ]
        .map(|host| HostScope {
            host,
            scheme: None,
            port: None,
        })
    }

    /// Returns the hosts.
    pub fn host(&self) -> &HostPattern {
        &self.host
    }

    /// Returns the scheme; `None` covers all.
    pub fn scheme(&self) -> Option<Scheme> {
        self.scheme
    }

    /// Returns the port; `None` covers all.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Returns whether this scope covers all of another.
    pub fn covers(&self, other: &HostScope) -> bool {
        self.host.covers(&other.host)
            && (self.scheme.is_none() || self.scheme == other.scheme)
            && (self.port.is_none() || self.port == other.port)
    }

    /// Returns whether the hosts of this scope, on any port and with any scheme, include those of another.
    pub(in crate::security) fn shares_host(&self, other: &HostScope) -> bool {
        self.host.covers(&other.host)
    }

    /// Returns what both scopes cover; `None` if that is nothing.
    pub(in crate::security) fn common(&self, other: &HostScope) -> Option<HostScope> {
        let host = if self.host.covers(&other.host) {
            &other.host
        } else if other.host.covers(&self.host) {
            &self.host
        } else {
            return None;
        };
        if self.scheme.is_some() && other.scheme.is_some() && self.scheme != other.scheme
            || self.port.is_some() && other.port.is_some() && self.port != other.port
        {
            return None;
        }
        Some(HostScope {
            host: host.clone(),
            scheme: self.scheme.or(other.scheme),
            port: self.port.or(other.port),
        })
    }
}

impl HostPattern {
    fn covers(&self, other: &HostPattern) -> bool {
        match (self, other) {
            (HostPattern::AnyName, HostPattern::Network(..)) => false,
            (HostPattern::AnyName, _) => true,
            (HostPattern::Below(parent), HostPattern::Name(name)) => is_below(parent, name),
            (HostPattern::Below(parent), HostPattern::Below(other)) => {
                parent == other || is_below(parent, other)
            }
            (HostPattern::Name(name), HostPattern::Name(other)) => name == other,
            (HostPattern::Network(network, length), HostPattern::Network(other, longer)) => {
                network.is_ipv4() == other.is_ipv4()
                    && length <= longer
                    && masked(*network, *length) == masked(*other, *length)
            }
            _ => false,
        }
    }
}

fn is_below(parent: &str, name: &str) -> bool {
    let rest = name.strip_suffix(parent).and_then(|rest| rest.strip_suffix('.'));
    rest.is_some_and(|rest| !rest.is_empty())
}

/// Returns the first `length` bits of an address, as the highest bits of the result.
pub(in crate::security) fn masked(address: IpAddr, length: u8) -> u128 {
    let bits = match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    };
    match u32::from(length) {
        0 => 0,
        length => bits & (u128::MAX << (128 - length.min(128))),
    }
}

/// Returns the IPv4 address to which gateways translate an IPv6 address: NAT64 (RFC 6052) and 6to4 (RFC 3056).
pub(in crate::security) fn embedded(address: IpAddr) -> Option<IpAddr> {
    let IpAddr::V6(address) = address else {
        return None;
    };
    let [a, b, c, d, e, f, high, low] = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match (a, b) {
        (0x64, 0xff9b) if [c, d, e, f] == [0; 4] => Some(v4(high, low).into()),
        (0x2002, _) => Some(v4(b, c).into()),
        _ => None,
    }
}

impl FromStr for HostScope {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<HostScope, InvalidTarget> {
        let error = |problem| Err(InvalidTarget { problem });
        if text.contains(is_deceptive) || text.contains(char::is_whitespace) {
            return error("has a space, or a control or invisible character");
        }
        if text.contains('@') {
            return error("has a user name; write the host alone");
        }
        let (scheme, rest) = match text.split_once("://") {
            None => (None, text),
            Some(("http", rest)) => (Some(Scheme::Http), rest),
            Some(("https", rest)) => (Some(Scheme::Https), rest),
            Some(_) => return error("has a scheme other than `http` and `https`"),
        };
        if rest.contains(['%', '\\', '?', '#']) {
            return error("has `%`, `\\`, `?` or `#`; write `[scheme://]host[:port]`");
        }
        let (host, port) = split_port(rest)?;
        let host = pattern(host)?;
        Ok(HostScope {
            host,
            scheme,
            port: port.or(scheme.map(Scheme::default_port)),
        })
    }
}

fn split_port(text: &str) -> Result<(&str, Option<u16>), InvalidTarget> {
    match text.rsplit_once(':') {
        _ if text.parse::<Ipv6Addr>().is_ok() => Ok((text, None)),
        // The colon belongs to an address in brackets, or precedes the length of a network.
        Some((_, rest)) if rest.contains([']', '/']) => Ok((text, None)),
        Some((host, port)) if !port.starts_with('+') => match port.parse() {
            Ok(0) | Err(_) => Err(InvalidTarget {
                problem: "has a port that is not a number from 1 to 65535",
            }),
            Ok(port) => Ok((host, Some(port))),
        },
        Some(_) => Err(InvalidTarget {
            problem: "has a port that is not a number from 1 to 65535",
        }),
        None => Ok((text, None)),
    }
}

fn pattern(text: &str) -> Result<HostPattern, InvalidTarget> {
    let error = |problem| Err(InvalidTarget { problem });
    if text == "*" {
        return Ok(HostPattern::AnyName);
    }
    if let Some((address, length)) = text.split_once('/') {
        return network(address, length);
    }
    if let Some(parent) = text.strip_prefix("*.") {
        return match single(parent)? {
            HostPattern::Name(name) => Ok(HostPattern::Below(name)),
            _ => error("has `*.` before an address; write a network, as in 10.0.0.0/8"),
        };
    }
    if text.contains('*') {
        return error("has `*` in a place other than its beginning, as in `*.example.com`");
    }
    single(text)
}

fn network(address: &str, length: &str) -> Result<HostPattern, InvalidTarget> {
    let error = |problem| Err(InvalidTarget { problem });
    let inner = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let parsed = match inner {
        Some(inner) => inner.parse::<Ipv6Addr>().map(IpAddr::V6).ok(),
        None => address.parse::<IpAddr>().ok(),
    };
    let Some(mut address) = parsed else {
        return error("has a path, or a network that is not written as 10.0.0.0/8 or [fd00::]/8");
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    let mut length = match length.parse::<u8>() {
        Ok(length) if digits && length <= most => length,
        _ => return error("has a network whose prefix length is out of range"),
    };
    if address.to_canonical() != address && length >= 96 {
        address = address.to_canonical();
        length -= 96;
    }
    if masked(address, length) != masked(address, most) {
        return error("has a network with bits behind its prefix; write them as zero");
    }
    Ok(HostPattern::Network(address, length))
}

/// Parses one host of a scope.
fn single(text: &str) -> Result<HostPattern, InvalidTarget> {
    let bare = text.parse::<Ipv6Addr>();
    let parsed = match bare {
        Ok(address) => Host::Ipv6(address),
        Err(_) => Host::parse(text).map_err(|_| InvalidTarget {
            problem: "is not a host name or an address",
        })?,
    };
    // Old notations are understood in URLs, but readers of a policy need not know them.
    if matches!(parsed, Host::Ipv4(_)) && text.parse::<Ipv4Addr>().is_err() {
        return Err(InvalidTarget {
            problem: "has an address that is not written as four decimal numbers",
        });
    }
    normal(parsed)
}

/// Returns the normal form of a parsed host.
fn normal<S: AsRef<str>>(host: Host<S>) -> Result<HostPattern, InvalidTarget> {
    let address = match host {
        Host::Domain(name) => return normal_name(name.as_ref()).map(HostPattern::Name),
        Host::Ipv4(address) => IpAddr::V4(address),
        Host::Ipv6(address) => IpAddr::V6(address).to_canonical(),
    };
    let length = if address.is_ipv4() { 32 } else { 128 };
    Ok(HostPattern::Network(address, length))
}

/// Checks a name that the URL parser has brought to ASCII and lowercase, and removes its final dot.
fn normal_name(name: &str) -> Result<Box<str>, InvalidTarget> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let valid = |label: &str| {
        let allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        (1..=MAX_LABEL).contains(&label.len()) && label.bytes().all(allowed)
    };
    match name.len() <= MAX_NAME && name.split('.').all(valid) {
        true => Ok(name.into()),
        false => Err(InvalidTarget {
            problem: "is not a host name: labels have 1 to 63 letters, digits, `-` and `_`",
        }),
    }
}

impl fmt::Display for HostScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = self.scheme {
            write!(f, "{}://", scheme.as_str())?;
        }
        match &self.host {
            HostPattern::AnyName => f.write_str("*")?,
            HostPattern::Below(parent) => write!(f, "*.{parent}")?,
            HostPattern::Name(name) => f.write_str(name)?,
            HostPattern::Network(IpAddr::V4(network), 32) => write!(f, "{network}")?,
            HostPattern::Network(IpAddr::V4(network), length) => write!(f, "{network}/{length}")?,
            HostPattern::Network(IpAddr::V6(network), 128) => write!(f, "[{network}]")?,
            HostPattern::Network(IpAddr::V6(network), length) => write!(f, "[{network}]/{length}")?,
        }
        match self.port {
            Some(port) if self.scheme.map(Scheme::default_port) != Some(port) => write!(f, ":{port}"),
            _ => Ok(()),
        }
    }
}

/// One host, port and, for a request over HTTP, scheme that a component connects to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    scope: HostScope,
    port: u16,
}

impl Target {
    /// Returns the target of an absolute URL with the scheme `http` or `https`. Old notations of addresses (decimal, octal,
    /// hexadecimal) become the address that they mean, and percent-encoded characters of the host are decoded, as in the
    /// client that sends the request.
    ///
    /// # Errors
    /// [`InvalidTarget`] if the text is not such a URL, is longer than 64 KiB, has control characters or `\`, or contains a
    /// user name or password. These would be visible in logs, and make a host out of what is none
    /// (`http://example.com@evil.test`); credentials belong in a header.
    pub fn from_url(url: &str) -> Result<Target, InvalidTarget> {
        let error = |problem| Err(InvalidTarget { problem });
        if url.len() > MAX_URL_BYTES {
            return error("is a URL of more than 65536 bytes");
        }
        // The parser drops tabs and line ends, and reads `\` as `/`.
        if url.contains(|character| character == ' ' || is_deceptive(character)) {
            return error("is a URL with a space, or a control or invisible character");
        }
        if url.contains('\\') {
            return error("is a URL with `\\`; write `/`, or `%5C` in a query");
        }
        match Url::parse(url) {
            Ok(url) => Target::of(&url),
            Err(_) => error("is not an absolute URL"),
        }
    }

    /// Returns the target of a parsed URL.
    ///
    /// # Errors
    /// As [`Target::from_url`].
    pub(crate) fn of(url: &Url) -> Result<Target, InvalidTarget> {
        let error = |problem| Err(InvalidTarget { problem });
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return error("has a scheme other than `http` and `https`"),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return error("has a user name or password in its URL; send credentials in a header");
        }
        let port = url.port().unwrap_or(scheme.default_port());
        if port == 0 {
            return error("has the port 0");
        }
        match url.host() {
            Some(host) => Ok(Target::new(normal(host)?, Some(scheme), port)),
            None => error("is a URL without a host"),
        }
    }

    /// Returns the target of a connection to a host, a name or an address, without a scheme.
    ///
    /// # Errors
    /// [`InvalidTarget`] if `host` is neither, or `port` is 0.
    pub fn from_host(host: &str, port: u16) -> Result<Target, InvalidTarget> {
        let error = |problem| Err(InvalidTarget { problem });
        if port == 0 {
            return error("has the port 0");
        }
        if host.len() > MAX_SCOPE_BYTES || host.contains(is_deceptive) || host.contains(['%', '*', '/', '@'])
        {
            return error("is not a host name or an address");
        }
        let parsed = match host.parse::<IpAddr>() {
            Ok(address) => return Ok(Target::from_address(address, port)),
            Err(_) => Host::parse(host),
        };
        match parsed {
            Ok(host) => Ok(Target::new(normal(host)?, None, port)),
            Err(_) => error("is not a host name or an address"),
        }
    }

    /// Returns the target of a connection to an address.
    pub fn from_address(address: IpAddr, port: u16) -> Target {
        let address = address.to_canonical();
        let length = if address.is_ipv4() { 32 } else { 128 };
        Target::new(HostPattern::Network(address, length), None, port)
    }

    fn new(host: HostPattern, scheme: Option<Scheme>, port: u16) -> Target {
        let scope = HostScope {
            host,
            scheme,
            port: Some(port),
        };
        Target { scope, port }
    }

    /// Returns the same target at an address that its name leads to.
    pub(in crate::security) fn at(&self, address: IpAddr) -> Target {
        let at = Target::from_address(address, self.port);
        Target::new(at.scope.host, self.scope.scheme, self.port)
    }

    /// Returns the name; `None` if the target is an address.
    pub fn name(&self) -> Option<&str> {
        match &self.scope.host {
            HostPattern::Name(name) => Some(name),
            _ => None,
        }
    }

    /// Returns the address; `None` if the target is a name.
    pub fn address(&self) -> Option<IpAddr> {
        match self.scope.host {
            HostPattern::Network(address, _) => Some(address),
            _ => None,
        }
    }

    /// Returns the scheme of a request over HTTP.
    pub fn scheme(&self) -> Option<Scheme> {
        self.scope.scheme
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub(in crate::security) fn scope(&self) -> &HostScope {
        &self.scope
    }
}

/// Writes the scope that covers the target: `https://example.com`, `http://example.com:8080`, `192.0.2.1:5432`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.scope.fmt(f)
    }
}

#[cfg(test)]
#[path = "host_tests.rs"]
mod tests;
