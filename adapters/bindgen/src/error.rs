//! Errors in WIT and in the options.

use std::fmt;
use std::path::PathBuf;

use wit_parser::{Resolve, Span};

/// A place in a WIT file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(String);

impl Place {
    pub(crate) fn of(resolve: &Resolve, span: Span) -> Place {
        Place(resolve.render_location(span))
    }
}

/// Formats it as `file:line:column`, counted from 1.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The reason that no source was generated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No WIT was named.
    #[error("there is no WIT: give a path or inline text")]
    NoInput,
    /// A path does not exist.
    #[error("{}: there is no such file or folder; use the path of a WIT file, or of a folder with WIT files", .0.display())]
    NoFile(PathBuf),
    /// WIT that cannot be parsed. The text has file, line and column.
    #[error("{message}{}", hinted(.hint))]
    Wit {
        /// The error and its place.
        message: String,
        /// The remedy.
        hint: Option<&'static str>,
    },
    /// There is no world with that name.
    #[error("there is no world `{name}`; {}", listed(.worlds))]
    UnknownWorld {
        /// The name.
        name: String,
        /// The worlds that there are, each with its place.
        worlds: Vec<String>,
    },
    /// No world was chosen, and there is not exactly one.
    #[error("the world must be named; {}", listed(.worlds))]
    WhichWorld {
        /// The worlds that there are, each with its place.
        worlds: Vec<String>,
    },
    /// A feature that this host does not support.
    #[error("{place}: {what}; {hint}")]
    Unsupported {
        /// Where it is.
        place: Place,
        /// The feature.
        what: String,
        /// The remedy.
        hint: &'static str,
    },
    /// A type or a function that has no plan.
    #[error("{place}: {what}: {message}; {hint}")]
    NoPlan {
        /// Where it is.
        place: Place,
        /// The function or type.
        what: String,
        /// The reason.
        message: String,
        /// The remedy.
        hint: &'static str,
    },
    /// An option names an item that the world does not have.
    #[error("option `{option}`: the world has no `{key}`; {hint}")]
    UnknownKey {
        /// The option's name.
        option: &'static str,
        /// The name.
        key: String,
        /// The names that exist.
        hint: String,
    },
    /// An option has text that is not a Rust path.
    #[error("option `{option}`: `{path}` is not a Rust path; write one like `some::module::Name`")]
    NoPath {
        /// The option's name.
        option: &'static str,
        /// The text.
        path: String,
    },
    /// The generator has a bug.
    #[error(
        "the generated source is not valid Rust: {0}; this is a bug in the generator, please report it with the WIT"
    )]
    Syntax(String),
}

fn hinted(hint: &Option<&'static str>) -> String {
    hint.map(|hint| format!("\n{hint}")).unwrap_or_default()
}

fn listed(worlds: &[String]) -> String {
    if worlds.is_empty() {
        "the WIT has no worlds: add one, `world name { … }`".to_owned()
    } else {
        format!("there are:\n  {}", worlds.join("\n  "))
    }
}
