//! Names of clusters and hosts, and addresses of components.

use std::fmt;
use std::str::FromStr;

use airssys_wasm::messaging::{ComponentId, InvalidComponentId};

/// Maximum bytes of a [`Name`]. Stops names that fill subjects and logs.
pub const MAX_NAME_BYTES: usize = 48;

/// The name of a cluster or of a host: 1 to [`MAX_NAME_BYTES`] bytes, ASCII letters, digits, `-` and `_`, so that it is one
/// token of a NATS subject. Names that differ in case only are different names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Box<str>);

/// Reasons for which text is no name, or no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidName {
    /// It is empty.
    #[error("the name of a cluster or a host must not be empty")]
    Empty,
    /// It is too long.
    #[error("the name of a cluster or a host has {0} bytes, more than the limit of {MAX_NAME_BYTES}")]
    TooLong(usize),
    /// It has a character that is not allowed.
    #[error(
        "the name of a cluster or a host may only contain ASCII letters, digits, `-` and `_`, but has {character:?} at byte {at}"
    )]
    Character {
        /// The character.
        character: char,
        /// Its place, in bytes from the start.
        at: usize,
    },
    /// The component's part of an address is no identity.
    #[error("{0}")]
    Component(#[from] InvalidComponentId),
}

impl Name {
    /// Checks a text and converts it to a name.
    ///
    /// # Errors
    /// [`InvalidName::Empty`], [`InvalidName::TooLong`], [`InvalidName::Character`].
    pub fn new(text: impl AsRef<str>) -> Result<Name, InvalidName> {
        let text = text.as_ref();
        if text.is_empty() {
            return Err(InvalidName::Empty);
        }
        if text.len() > MAX_NAME_BYTES {
            return Err(InvalidName::TooLong(text.len()));
        }
        let allowed = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
        match text.char_indices().find(|(_, character)| !allowed(*character)) {
            Some((at, character)) => Err(InvalidName::Character { character, at }),
            None => Ok(Name(text.into())),
        }
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Name, InvalidName> {
        Name::new(text)
    }
}

/// The place of a component in the cluster: an identity on a host. As text, `host/identity`.
///
/// An identity may contain `/` itself; the host is the part before the first one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// The host.
    pub host: Name,
    /// The component's identity on that host.
    pub component: ComponentId,
}

impl Address {
    /// Creates the address of a component on a host.
    pub fn new(host: Name, component: ComponentId) -> Address {
        Address { host, component }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.component)
    }
}

impl FromStr for Address {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Address, InvalidName> {
        let (host, component) = text.split_once('/').unwrap_or(("", text));
        Ok(Address::new(Name::new(host)?, ComponentId::new(component)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_token_of_a_subject() {
        assert_eq!(Name::new("eu-1_A").unwrap().as_str(), "eu-1_A");
        assert_eq!(Name::new(""), Err(InvalidName::Empty));
        let long = "x".repeat(MAX_NAME_BYTES + 1);
        assert_eq!(Name::new(long), Err(InvalidName::TooLong(MAX_NAME_BYTES + 1)));
        for (text, character, at) in [
            ("a.b", '.', 1),
            ("*", '*', 0),
            ("ab>", '>', 2),
            ("ü", 'ü', 0),
            ("a b", ' ', 1),
        ] {
            assert_eq!(
                Name::new(text),
                Err(InvalidName::Character { character, at }),
                "{text}"
            );
        }
    }

    #[test]
    fn an_address_ends_its_host_at_the_first_slash() {
        let address: Address = "one/a/b:c".parse().unwrap();
        assert_eq!(
            (address.host.as_str(), address.component.as_str()),
            ("one", "a/b:c")
        );
        assert_eq!(address.to_string(), "one/a/b:c");
        for refused in ["", "one", "/a", "one/", "o.n/a", "one/ö"] {
            assert!(refused.parse::<Address>().is_err(), "{refused}");
        }
    }
}
