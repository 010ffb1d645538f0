//! What can be wrong with WIT, or with the options.

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

/// `file:line:column`, counted from 1.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why there is no source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No WIT was named.
    #[error("there is no WIT: give a path or inline text")]
    NoInput,
    /// A path leads nowhere.
    #[error("{}: there is no such file or folder; paths are of a WIT file, or of a folder with WIT files in it", .0.display())]
    NoFile(PathBuf),
    /// WIT that cannot be read. The text has file, line and column.
    #[error("{message}{}", hinted(.hint))]
    Wit {
        /// What is wrong, and where.
        message: String,
        /// What to do.
        hint: Option<&'static str>,
    },
    /// There is no world of that name.
    #[error("there is no world `{name}`; {}", listed(.worlds))]
    UnknownWorld {
        /// The name.
        name: String,
        /// The worlds that there are, each with its place.
        worlds: Vec<String>,
    },
    /// No world was chosen, and there is not exactly one.
    #[error("the world has to be named; {}", listed(.worlds))]
    WhichWorld {
        /// The worlds that there are, each with its place.
        worlds: Vec<String>,
    },
    /// Something that this host does not have.
    #[error("{place}: {what}; {hint}")]
    Unsupported {
        /// Where it is.
        place: Place,
        /// What it is.
        what: String,
        /// What to do.
        hint: &'static str,
    },
    /// A type or a function that no value can cross.
    #[error("{place}: {what}: {message}; {hint}")]
    NoPlan {
        /// Where it is.
        place: Place,
        /// The function or type.
        what: String,
        /// What is wrong with it.
        message: String,
        /// What to do.
        hint: &'static str,
    },
    /// An option names what the world does not have.
    #[error("option `{option}`: the world has no `{key}`; {hint}")]
    UnknownKey {
        /// The option's name.
        option: &'static str,
        /// What it names.
        key: String,
        /// What could be named.
        hint: String,
    },
    /// An option has what is no path of Rust's.
    #[error("option `{option}`: `{path}` is no Rust path; write one as `some::module::Name`")]
    NoPath {
        /// The option's name.
        option: &'static str,
        /// What it has.
        path: String,
    },
    /// The generator has a fault.
    #[error(
        "the generated source is no Rust: {0}; this is a fault of the generator's, please report it with the WIT"
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
