//! Values of settings: written in the file, or read from a place that it names.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::ValueError;
use super::read::MAX_VALUE_BYTES;
use crate::security::Secret;

/// The value of a setting or of an environment variable. `Debug` shows no value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeclaredValue {
    /// Written in the host file.
    Text(Secret<String>),
    /// The value of a variable in the environment of the host.
    Env(String),
    /// The contents of a file, without one line end at its end.
    File(PathBuf),
}

impl DeclaredValue {
    /// Returns whether the value is in another place than the host file, as secrets are.
    pub fn is_elsewhere(&self) -> bool {
        !matches!(self, DeclaredValue::Text(_))
    }

    /// Reads the value.
    ///
    /// # Errors
    /// Each case of [`ValueError`].
    pub fn read(&self) -> Result<String, ValueError> {
        let text = match self {
            DeclaredValue::Text(text) => return Ok(text.reveal().clone()),
            DeclaredValue::Env(name) => {
                let what = || format!("the variable `{name}`");
                let value = std::env::var_os(name).ok_or_else(|| ValueError::NoVariable(name.clone()))?;
                let value = value.into_string().map_err(|_| ValueError::NotText(what()))?;
                match value.len() > MAX_VALUE_BYTES {
                    true => return Err(ValueError::TooLarge(what())),
                    false => value,
                }
            }
            DeclaredValue::File(path) => {
                let bytes = contents(path)?;
                let text = String::from_utf8(bytes);
                let mut text = text.map_err(|_| ValueError::NotText(path.display().to_string()))?;
                if text.ends_with('\n') {
                    text.pop();
                    if text.ends_with('\r') {
                        text.pop();
                    }
                }
                text
            }
        };
        match text.contains('\0') {
            true => Err(ValueError::NotText(match self {
                DeclaredValue::Env(name) => format!("the variable `{name}`"),
                DeclaredValue::File(path) => path.display().to_string(),
                DeclaredValue::Text(_) => "the setting".to_owned(),
            })),
            false => Ok(text),
        }
    }
}

/// Reads a regular file of at most [`MAX_VALUE_BYTES`] bytes.
///
/// # Errors
/// [`ValueError::Read`], [`ValueError::TooLarge`].
pub(super) fn contents(path: &Path) -> Result<Vec<u8>, ValueError> {
    let unreadable = |source| ValueError::Read {
        path: path.to_owned(),
        source,
    };
    // Opening a pipe could block for ever.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(unreadable(io::Error::other("it is not a regular file")));
    }
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    let most = MAX_VALUE_BYTES as u64 + 1;
    file.take(most).read_to_end(&mut bytes).map_err(unreadable)?;
    match bytes.len() > MAX_VALUE_BYTES {
        true => Err(ValueError::TooLarge(path.display().to_string())),
        false => Ok(bytes),
    }
}
