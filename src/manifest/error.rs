//! Errors of manifests.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use super::read::MAX_MANIFEST_BYTES;
use crate::artifact::ArtifactError;
use crate::load::LoadError;

/// An error of reading, comparing or embedding a manifest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The text is not a valid manifest.
    #[error("{0}")]
    Invalid(Box<InvalidManifest>),
    /// The manifest has more than [`MAX_MANIFEST_BYTES`] bytes.
    #[error("{} has more than {MAX_MANIFEST_BYTES} bytes, the limit of a manifest", named(.0))]
    TooLarge(Option<PathBuf>),
    /// The manifest is not UTF-8.
    #[error("{} is not a manifest: byte {valid_up_to} is not valid UTF-8", named(.origin))]
    NotText {
        /// The file, if it is one.
        origin: Option<PathBuf>,
        /// Number of bytes that are valid.
        valid_up_to: usize,
    },
    /// The file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The component or artifact cannot be read.
    #[error("{0}")]
    Load(#[source] Box<LoadError>),
    /// The artifact changed while it was read.
    #[error("{0}")]
    Artifact(#[source] Box<ArtifactError>),
    /// The bytes are not WebAssembly, or their sections are damaged.
    #[error("the component's sections cannot be read: {0}")]
    Damaged(&'static str),
    /// The component has more than one manifest.
    #[error("the component has more than one section `component.toml`: embed its manifest again")]
    Twice,
    /// The component has no manifest.
    #[error(
        "{} has no manifest: embed one with `airssys-wasm manifest embed`, or put component.toml beside it",
        .0.display()
    )]
    Missing(PathBuf),
    /// The manifest inside the component and another one for it differ in meaning.
    #[error(
        "the manifest inside {} and {} differ in {}: embed the right one again, or remove the other",
        component.display(), other.display(), sections.join(", ")
    )]
    Differs {
        /// The component or artifact.
        component: PathBuf,
        /// The other manifest.
        other: PathBuf,
        /// The sections that differ.
        sections: Vec<&'static str>,
    },
}

fn named(path: &Option<PathBuf>) -> String {
    match path {
        Some(path) => path.display().to_string(),
        None => "the manifest".to_owned(),
    }
}

/// The problems of a manifest or of a host file, with its text.
///
/// `Debug` shows what `Display` does, and not the text: it may hold secrets, such as the settings of a component.
#[derive(Clone)]
pub struct InvalidManifest {
    pub(super) origin: Option<PathBuf>,
    pub(super) text: Arc<str>,
    pub(super) problems: Vec<Problem>,
    pub(super) omitted: usize,
}

/// One problem of a manifest, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The problem and its remedy, on one line. Text from the manifest is escaped.
    pub message: String,
    /// The place, in bytes of the text.
    pub span: Range<usize>,
    /// Line of the place, from 1.
    pub line: usize,
    /// Column of the place in characters, from 1.
    pub column: usize,
}

impl InvalidManifest {
    /// Returns the file, or the component that the manifest is in; `None` for a text.
    pub fn origin(&self) -> Option<&std::path::Path> {
        self.origin.as_deref()
    }

    /// Returns the manifest's text, to which the spans refer.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the problems in the order of the text: at least one, at most [`MAX_PROBLEMS`](super::MAX_PROBLEMS).
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Returns the number of further problems.
    pub fn omitted(&self) -> usize {
        self.omitted
    }
}

impl std::error::Error for InvalidManifest {}

impl fmt::Debug for InvalidManifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InvalidManifest")
            .field(&format_args!("{self}"))
            .finish()
    }
}

/// Writes one line for each problem: `component.toml:3:1: message`.
impl fmt::Display for InvalidManifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = match &self.origin {
            Some(path) => path.display().to_string(),
            None => super::FILE_NAME.to_owned(),
        };
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            let Problem {
                message,
                line,
                column,
                ..
            } = problem;
            write!(f, "{origin}:{line}:{column}: {message}")?;
        }
        match self.omitted {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl ManifestError {
    /// Names the file of a manifest that was read from a text.
    pub(super) fn of(mut self, file: PathBuf) -> ManifestError {
        match &mut self {
            ManifestError::Invalid(invalid) => invalid.origin = Some(file),
            ManifestError::TooLarge(origin) | ManifestError::NotText { origin, .. } => *origin = Some(file),
            _ => {}
        }
        self
    }
}
