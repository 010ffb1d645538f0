//! Errors of host files and of the values that they name.

use std::io;
use std::path::PathBuf;

use super::read::{MAX_HOST_FILE_BYTES, MAX_VALUE_BYTES};
use crate::manifest::InvalidManifest;

/// Reasons for which a host file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostFileError {
    /// The text is not a valid host file. The problems have their places.
    #[error("{0}")]
    Invalid(Box<InvalidManifest>),
    /// The file has more than [`MAX_HOST_FILE_BYTES`] bytes.
    #[error("{} has more than {MAX_HOST_FILE_BYTES} bytes, the limit of a host file", .0.display())]
    TooLarge(PathBuf),
    /// The file is not UTF-8.
    #[error("{} is not a host file: byte {valid_up_to} is not valid UTF-8", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
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
}

/// Reasons for which the value of a setting cannot be read from the place that a host file names. Values are not shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The host has no such environment variable.
    #[error("the environment of the host has no variable `{0}`: set it, or name another")]
    NoVariable(String),
    /// The value is not UTF-8, or has a zero byte.
    #[error("the value of {0} is not text: it is not UTF-8, or has a zero byte")]
    NotText(String),
    /// The value has more than [`MAX_VALUE_BYTES`] bytes.
    #[error("the value of {0} has more than {MAX_VALUE_BYTES} bytes, the limit of a value")]
    TooLarge(String),
    /// The file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}
