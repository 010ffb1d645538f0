//! Names of topics.

use std::fmt;
use std::str::FromStr;

use super::{ComponentId, InvalidComponentId, MAX_COMPONENT_ID_BYTES};

/// Prefix of the target of `send-message` for a topic: `topic:orders`. No component has an identity that begins with it.
pub const TOPIC_PREFIX: &str = "topic:";

/// Maximum bytes of a [`Topic`]: with [`TOPIC_PREFIX`], those of a component's identity.
pub const MAX_TOPIC_BYTES: usize = MAX_COMPONENT_ID_BYTES - TOPIC_PREFIX.len();

/// The name of a topic: messages that are published under it go to each subscriber. Cheap to clone.
///
/// 1 to [`MAX_TOPIC_BYTES`] bytes, with the characters of a [`ComponentId`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic(ComponentId);

/// Reasons for which text is not the name of a topic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTopic {
    /// It is too long.
    #[error("the name of the topic has {0} bytes, more than the limit of {MAX_TOPIC_BYTES}")]
    TooLong(usize),
    /// It is empty, or has a character that is not allowed.
    #[error("the name of a topic has the form of a component identity: {0}")]
    Name(#[from] InvalidComponentId),
}

impl Topic {
    /// Checks a text and converts it to the name of a topic.
    ///
    /// # Errors
    /// Each case of [`InvalidTopic`].
    pub fn new(text: impl AsRef<str>) -> Result<Topic, InvalidTopic> {
        let text = text.as_ref();
        match text.len() > MAX_TOPIC_BYTES {
            true => Err(InvalidTopic::TooLong(text.len())),
            false => Ok(Topic(ComponentId::new(text)?)),
        }
    }

    /// Returns the topic that a target of `send-message` names; `None` if it is not one.
    pub fn of_target(target: &str) -> Option<Topic> {
        Topic::new(target.strip_prefix(TOPIC_PREFIX)?).ok()
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Topic {
    type Err = InvalidTopic;

    fn from_str(text: &str) -> Result<Topic, InvalidTopic> {
        Topic::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded_and_plain() {
        assert_eq!(Topic::new("a/b").unwrap().to_string(), "a/b");
        assert_eq!(Topic::of_target("topic:a"), Topic::new("a").ok());
        for target in ["a", "topic", "topic:", "topic:a b"] {
            assert_eq!(Topic::of_target(target), None, "{target}");
        }
        assert!(Topic::new("x".repeat(MAX_TOPIC_BYTES)).is_ok());
        let long = Topic::new("x".repeat(MAX_TOPIC_BYTES + 1));
        assert_eq!(long, Err(InvalidTopic::TooLong(MAX_TOPIC_BYTES + 1)));
        assert!(matches!("".parse::<Topic>(), Err(InvalidTopic::Name(_))));
    }
}
