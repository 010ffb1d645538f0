//! Identities of components within one runtime.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Maximum bytes of a [`ComponentId`]. Stops names that fill logs and tables.
pub const MAX_COMPONENT_ID_BYTES: usize = 128;

/// Identifies one loaded component within one runtime. Cheap to clone.
///
/// 1 to [`MAX_COMPONENT_ID_BYTES`] bytes: ASCII letters, digits, and `-`, `_`, `.`, `:`, `/`, `@`. So an identity needs no
/// escaping in a log line, a metric path or a command line.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ComponentId(Arc<str>);

/// Reasons for which text is not a component identity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidComponentId {
    /// It is empty.
    #[error("a component identity must not be empty")]
    Empty,
    /// It is too long.
    #[error("the component identity has {0} bytes, more than the limit of {MAX_COMPONENT_ID_BYTES}")]
    TooLong(usize),
    /// It has a character that is not allowed.
    #[error(
        "a component identity may only contain ASCII letters, digits and `-_.:/@`, but has {character:?} at byte {at}"
    )]
    Character {
        /// The character.
        character: char,
        /// Its place, in bytes from the start.
        at: usize,
    },
}

impl ComponentId {
    /// Checks a text and converts it to an identity.
    ///
    /// # Errors
    /// Each case of [`InvalidComponentId`].
    pub fn new(text: impl AsRef<str>) -> Result<ComponentId, InvalidComponentId> {
        let text = text.as_ref();
        if text.is_empty() {
            return Err(InvalidComponentId::Empty);
        }
        if text.len() > MAX_COMPONENT_ID_BYTES {
            return Err(InvalidComponentId::TooLong(text.len()));
        }
        match text.char_indices().find(|(_, character)| !allowed(*character)) {
            Some((at, character)) => Err(InvalidComponentId::Character { character, at }),
            None => Ok(ComponentId(text.into())),
        }
    }

    /// Returns the identity nearest to a text such as a file name: characters that are not allowed become `-`, excess
    /// length is cut, and empty text becomes `component`. Leaves room for a number behind it.
    pub fn near(text: &str) -> ComponentId {
        let near: String = text
            .chars()
            .map(|character| if allowed(character) { character } else { '-' })
            .take(MAX_COMPONENT_ID_BYTES - 24)
            .collect();
        ComponentId(if near.is_empty() {
            "component".into()
        } else {
            near.into()
        })
    }

    /// Returns this identity with a number appended.
    pub(crate) fn numbered(&self, number: u64) -> ComponentId {
        ComponentId(format!("{self}-{number}").into())
    }

    /// Returns the identity as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_.:/@".contains(character)
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for ComponentId {
    type Err = InvalidComponentId;

    fn from_str(text: &str) -> Result<ComponentId, InvalidComponentId> {
        ComponentId::new(text)
    }
}

impl AsRef<str> for ComponentId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ComponentId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_bounded_and_plain() {
        assert_eq!(ComponentId::new("a-B_0.9:/@").unwrap().as_str(), "a-B_0.9:/@");
        assert_eq!(ComponentId::new(""), Err(InvalidComponentId::Empty));
        assert!(ComponentId::new("x".repeat(MAX_COMPONENT_ID_BYTES)).is_ok());
        assert_eq!(
            ComponentId::new("x".repeat(MAX_COMPONENT_ID_BYTES + 1)),
            Err(InvalidComponentId::TooLong(MAX_COMPONENT_ID_BYTES + 1))
        );
        assert_eq!(
            "a\nb".parse::<ComponentId>(),
            Err(InvalidComponentId::Character {
                character: '\n',
                at: 1
            })
        );
    }

    #[test]
    fn the_nearest_identity_is_one() {
        for text in ["", "köln 1.wasm", &"y".repeat(1000)] {
            let near = ComponentId::near(text).numbered(u64::MAX);
            assert!(ComponentId::new(near.as_str()).is_ok(), "{near}");
        }
    }
}
