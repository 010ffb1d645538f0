//! Capabilities: permission for one kind of action.

use std::fmt;
use std::str::FromStr;

/// Maximum bytes of a [`Capability`] that a host application grants. Stops lists of grants that fill a guest's memory.
pub const MAX_CAPABILITY_BYTES: usize = 4096;

/// Permission for one kind of action: `domain:action`, or `domain:action:scope` to narrow it.
///
/// The scope is everything behind the second colon, and may contain colons itself. Without a scope the capability covers
/// the whole domain and action.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Capability(String);

/// An error for text that is not a capability.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a capability: {problem}; write `domain:action` or `domain:action:scope`")]
pub struct InvalidCapability {
    text: String,
    problem: &'static str,
}

impl Capability {
    /// Checks a text and converts it to a capability.
    ///
    /// # Errors
    /// [`InvalidCapability`] if domain or action is missing or is not lower-case ASCII words with `-`, if the scope is
    /// empty or contains control characters, or if there are more than [`MAX_CAPABILITY_BYTES`] bytes.
    pub fn new(text: &str) -> Result<Capability, InvalidCapability> {
        let refuse = |problem| {
            let text = text.chars().take(100).collect();
            Err(InvalidCapability { text, problem })
        };
        if text.len() > MAX_CAPABILITY_BYTES {
            return refuse("it is too long");
        }
        let mut parts = text.splitn(3, ':');
        let (Some(domain), Some(action)) = (parts.next(), parts.next()) else {
            return refuse("it has no action");
        };
        if !is_word(domain) {
            return refuse("its domain is not a lowercase word");
        }
        if !is_word(action) {
            return refuse("its action is not a lowercase word");
        }
        match parts.next() {
            Some("") => refuse("its scope is empty"),
            Some(scope) if scope.contains(char::is_control) => refuse("its scope has a control character"),
            _ => Ok(Capability(text.to_owned())),
        }
    }

    /// Returns the capability to read the file at `path`: `filesystem:read:PATH`.
    pub fn to_read_file(path: &str) -> Capability {
        Capability::scoped("filesystem:read", path)
    }

    /// Returns the capability to write the file at `path`: `filesystem:write:PATH`.
    pub fn to_write_file(path: &str) -> Capability {
        Capability::scoped("filesystem:write", path)
    }

    /// Returns the capability to send a request to `url`: `network:outbound:HOST`, without a scope if the URL has no host.
    pub fn to_request(url: &str) -> Capability {
        Capability::scoped("network:outbound", host_of(url).unwrap_or_default())
    }

    /// Returns the capability to call the host application's function `name`: `host-function:call:NAME`.
    pub fn to_call_host_function(name: &str) -> Capability {
        Capability::scoped("host-function:call", name)
    }

    fn scoped(kind: &str, scope: &str) -> Capability {
        Capability(if scope.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind}:{scope}")
        })
    }

    /// Returns the capability as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the first word: the kind of object, such as `filesystem`.
    pub fn domain(&self) -> &str {
        self.parts().0
    }

    /// Returns the second word: the kind of action, such as `read`.
    pub fn action(&self) -> &str {
        self.parts().1
    }

    /// Returns everything behind the second colon; `None` if the capability covers the whole action.
    pub fn scope(&self) -> Option<&str> {
        self.parts().2
    }

    fn parts(&self) -> (&str, &str, Option<&str>) {
        let mut parts = self.0.splitn(3, ':');
        let domain = parts.next().unwrap_or_default();
        (domain, parts.next().unwrap_or_default(), parts.next())
    }

    /// Converts a text that was checked, or escaped for display, without a further check.
    pub(super) fn unchecked(text: String) -> Capability {
        Capability(text)
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Extracts the host of a URL, without user, password and port. Sufficient for the text of a denial; parse the URL in full
/// before acting on it.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit('@').next()?;
    if host.starts_with('[') {
        return host.split_inclusive(']').next();
    }
    host.split(':').next().filter(|host| !host.is_empty())
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Capability {
    type Err = InvalidCapability;

    fn from_str(text: &str) -> Result<Capability, InvalidCapability> {
        Capability::new(text)
    }
}

impl From<Capability> for String {
    fn from(capability: Capability) -> String {
        capability.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_have_domain_action_and_scope() {
        for good in [
            "network:outbound",
            "filesystem:read:/models",
            "a:b:c:d",
            "host-function:call:x",
        ] {
            assert_eq!(Capability::new(good).unwrap().as_str(), good);
        }
        let longest = format!("a:b:{}", "x".repeat(MAX_CAPABILITY_BYTES - 4));
        assert!(Capability::new(&longest).is_ok());
        let long = format!("{longest}x");
        for bad in ["", "a", ":b", "a:", "a:b:", "A:b", "a b:c", "a:b:\n", &long] {
            assert!(Capability::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_request_needs_its_host() {
        for (url, needed) in [
            (
                "https://api.example.com/v1?x=1",
                "network:outbound:api.example.com",
            ),
            ("http://user:pass@host:8080", "network:outbound:host"),
            ("http://[::1]:80/", "network:outbound:[::1]"),
            ("not an address", "network:outbound"),
            ("http://", "network:outbound"),
        ] {
            assert_eq!(Capability::to_request(url).as_str(), needed);
        }
    }
}
