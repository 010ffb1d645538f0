//! Values of options, and their appearance in `Debug`.

use std::fmt;

use crate::security::Secret;

/// The value of an environment variable or setting.
#[derive(Clone)]
pub(super) enum Value {
    Plain(String),
    Secret(Secret<String>),
}

impl Value {
    pub(super) fn plain(value: impl Into<String>) -> Value {
        Value::Plain(value.into())
    }

    pub(super) fn secret(value: impl Into<String>) -> Value {
        Value::Secret(Secret::new(value.into()))
    }

    pub(super) fn is_secret(&self) -> bool {
        matches!(self, Value::Secret(_))
    }

    pub(super) fn reveal(&self) -> &str {
        match self {
            Value::Plain(value) => value,
            Value::Secret(value) => value.reveal(),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Plain(value) => value.fmt(f),
            Value::Secret(value) => value.fmt(f),
        }
    }
}

/// Bytes that the host does not inspect, and `Debug` does not show.
#[derive(Clone)]
pub(super) struct Opaque(pub(super) Vec<u8>);

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}
