//! Failures of policies.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::conflict::Conflict;
use super::{MAX_POLICY_BYTES, MAX_RULES};
use crate::limits::InvalidLimit;
use crate::security::domain::CapabilityError;

/// A place in a policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the file.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// The reason why a policy is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The file cannot be read.
    #[error("the policy {} cannot be read: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The failure.
        error: std::io::Error,
    },
    /// The file is too large.
    #[error("the policy {file} has more than {MAX_POLICY_BYTES} bytes; a policy of that size is not read")]
    TooLarge {
        /// Name of the file.
        file: String,
    },
    /// The file is not TOML.
    #[error("{place}: {problem}")]
    Syntax {
        /// The place.
        place: Place,
        /// The problem.
        problem: String,
    },
    /// A table has a key that policies do not have.
    #[error("{place}: there is no key `{key}`{}; the keys are {}", suggestion(nearest.as_deref()), known.join(", "))]
    UnknownKey {
        /// The place.
        place: Place,
        /// The key.
        key: String,
        /// The known key with the most similar name, if one is similar.
        nearest: Option<String>,
        /// All keys of the table.
        known: &'static [&'static str],
    },
    /// A value has the wrong form.
    #[error("{place}: `{key}` must be {expected}")]
    Value {
        /// The place.
        place: Place,
        /// The key.
        key: &'static str,
        /// The expected form.
        expected: &'static str,
    },
    /// A rule lacks its capabilities.
    #[error("{place}: the rule has no `capabilities`; list those that it covers")]
    NoCapabilities {
        /// The place.
        place: Place,
    },
    /// A table of limits has none.
    #[error("{place}: the table has no limits; write them as in `memory = \"64MiB\"`")]
    NoLimits {
        /// The place.
        place: Place,
    },
    /// A limit has a value that cannot be used.
    #[error("{place}: {error}")]
    Limit {
        /// The place of the limit: in a file with the column, otherwise its origin.
        place: String,
        /// The reason.
        error: InvalidLimit,
    },
    /// A capability is invalid, or unknown.
    #[error("{place}: {error}")]
    Capability {
        /// The place of the rule: in a file with the column, otherwise its origin.
        place: String,
        /// The reason.
        error: Box<CapabilityError>,
    },
    /// The text of a rule is empty, too long or has control characters.
    #[error("{place}: the {what} must have 1 to {most} bytes, without control and invisible characters")]
    Text {
        /// The place of the rule: in a file with the column, otherwise its origin.
        place: String,
        /// The text's meaning.
        what: &'static str,
        /// Maximum bytes.
        most: usize,
    },
    /// A rule of a file denies all that another rule of it allows.
    #[error(transparent)]
    Conflict(Box<Conflict>),
    /// There are too many rules.
    #[error("the policy has more than {MAX_RULES} rules")]
    TooManyRules,
    /// The domains lack one that the policy already uses.
    #[error("the domains differ from those of the rules before; set them first")]
    Domains,
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}
