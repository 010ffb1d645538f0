//! Checks of a request's head beyond its syntax (RFC 9110, RFC 9112), and of the limits that apply to the head alone.

use std::net::Ipv6Addr;

use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Method, StatusCode, Version, header};

use super::ServeLimits;

/// Checks a head. Returns the authority of the request, or the status that refuses it. `length` is the declared length
/// of the body.
pub(super) fn check(
    head: &Parts,
    length: u64,
    limits: &ServeLimits,
) -> Result<Option<Authority>, StatusCode> {
    if target_len(head) > limits.target_bytes {
        return Err(StatusCode::URI_TOO_LONG);
    }
    if fields_len(&head.headers) > limits.head_bytes {
        return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    target(head)?;
    let host = host(head)?;
    coding(&head.headers)?;
    expectation(head)?;
    if length > limits.body_bytes {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    // RFC 9112, 3.2.2: the host of an absolute form takes precedence over the field.
    Ok(head.uri.authority().cloned().or(host))
}

/// Returns whether the client waits for a 100 before it sends the body.
pub(super) fn expects_continue(head: &Parts) -> bool {
    head.version == Version::HTTP_11 && head.headers.contains_key(header::EXPECT)
}

/// Returns whether a response has content, whatever its head says (RFC 9110, 9.3.2, 15.3.5, 15.3.6, 15.4.5).
pub(super) fn has_content(method: &Method, status: StatusCode) -> bool {
    method != Method::HEAD
        && !matches!(
            status,
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED
        )
}

fn target_len(head: &Parts) -> usize {
    let scheme = head
        .uri
        .scheme_str()
        .map_or(0, |scheme| scheme.len() + "://".len());
    let authority = head
        .uri
        .authority()
        .map_or(0, |authority| authority.as_str().len());
    let path = head.uri.path_and_query().map_or(0, |path| path.as_str().len());
    scheme + authority + path
}

fn fields_len(fields: &HeaderMap) -> usize {
    let lines = fields.iter();
    lines
        .map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len())
        .sum()
}

/// Checks the form of a target, which depends on the method (RFC 9112, 3.2).
fn target(head: &Parts) -> Result<(), StatusCode> {
    const BAD: Result<(), StatusCode> = Err(StatusCode::BAD_REQUEST);
    let (uri, method) = (&head.uri, &head.method);
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    match (uri.scheme(), uri.authority()) {
        // The authority form, only for tunnels: a host and a port.
        (None, Some(authority)) if method == Method::CONNECT => {
            match is_host(authority.as_str())
                && authority.port().is_some_and(|port| !port.as_str().is_empty())
            {
                // No component can answer with a tunnel.
                true => Err(StatusCode::NOT_IMPLEMENTED),
                false => BAD,
            }
        }
        _ if method == Method::CONNECT => BAD,
        (Some(scheme), Some(authority)) => {
            if !is_host(authority.as_str()) {
                return BAD;
            }
            // RFC 9110, 7.4: an `https` request did not arrive on a secured connection.
            match *scheme == Scheme::HTTP {
                true => Ok(()),
                false => Err(StatusCode::MISDIRECTED_REQUEST),
            }
        }
        (None, None) if path == "*" && method == Method::OPTIONS => Ok(()),
        (None, None) if path.starts_with('/') => Ok(()),
        _ => BAD,
    }
}

/// Returns the host: one field `Host`, which HTTP/1.0 may leave out; an empty one names no host (RFC 9112, 3.2).
fn host(head: &Parts) -> Result<Option<Authority>, StatusCode> {
    let mut fields = head.headers.get_all(header::HOST).iter();
    let Some(host) = fields.next() else {
        return match head.version == Version::HTTP_11 {
            true => Err(StatusCode::BAD_REQUEST),
            false => Ok(None),
        };
    };
    if fields.next().is_some() {
        return Err(StatusCode::BAD_REQUEST);
    }
    if host.is_empty() {
        return Ok(None);
    }
    let host = host.to_str().ok().filter(|host| is_host(host));
    let host = host.and_then(|host| Authority::try_from(host).ok());
    host.map(Some).ok_or(StatusCode::BAD_REQUEST)
}

/// Matches `uri-host [ ":" port ]` (RFC 9110, 7.2), with a non-empty host and a valid TCP port. User information is not
/// allowed (RFC 9110, 4.2.4).
fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) if address.parse::<Ipv6Addr>().is_ok() => (address, port),
            _ => return false,
        },
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let literal = text.starts_with('[');
    let port = match port.strip_prefix(':') {
        Some(port) => {
            port.is_empty() || (port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok())
        }
        None => port.is_empty(),
    };
    port && !host.is_empty() && (literal || is_name(host))
}

/// Matches a `reg-name` (RFC 3986, 3.2.2). DNS names need no percent-encoding, which [`Authority`] does not support.
fn is_name(host: &str) -> bool {
    let mut bytes = host.bytes();
    bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte))
}

/// Accepts only the transfer coding `chunked`, applied once (RFC 9112, 6.1). A component would receive the bytes of any
/// other coding as the content.
fn coding(fields: &HeaderMap) -> Result<(), StatusCode> {
    let mut chunked = 0;
    let mut other = false;
    for line in fields.get_all(header::TRANSFER_ENCODING) {
        let line = line.to_str().map_err(|_| StatusCode::BAD_REQUEST)?;
        for coding in line.split(',').map(|coding| coding.trim_matches([' ', '\t'])) {
            match coding {
                "" => {}
                coding if coding.eq_ignore_ascii_case("chunked") => chunked += 1,
                _ => other = true,
            }
        }
    }
    match (chunked, other) {
        (2.., _) => Err(StatusCode::BAD_REQUEST),
        (_, true) => Err(StatusCode::NOT_IMPLEMENTED),
        _ => Ok(()),
    }
}

/// Checks the expectation: RFC 9110, 10.1.1 defines one, which HTTP/1.0 does not have.
fn expectation(head: &Parts) -> Result<(), StatusCode> {
    let mut fields = head.headers.get_all(header::EXPECT).iter();
    let met = fields.all(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    match met {
        true => Ok(()),
        false => Err(StatusCode::EXPECTATION_FAILED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_from_what_is_none() {
        for host in [
            "a",
            "a.b",
            "a:",
            "a:80",
            "a:65535",
            "127.0.0.1",
            "127.0.0.1:8080",
            "[::1]",
            "[::1]:80",
            "a_b",
            "a,b",
            "xn--bcher-kva.example",
        ] {
            assert!(is_host(host), "{host}");
        }
        for host in [
            "",
            ":80",
            "a:b",
            "a:65536",
            "a:-1",
            "a:+1",
            "a:80:90",
            "u@a",
            "u:p@a",
            "a/b",
            "a b",
            "a?b",
            "a#b",
            "[::1",
            "::1",
            "[::1]80",
            "[]",
            "[a]",
            "[::1%25eth0]",
            "a%20b",
            "a%2",
            "a%zz",
            "a\\b",
            "ü",
            "a\"b",
            "[::1]:x",
        ] {
            assert!(!is_host(host), "{host}");
        }
    }
}
