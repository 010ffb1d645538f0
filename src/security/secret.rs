//! Values that must not be shown.

use std::fmt;

/// A value that is not shown by `Debug` and `Display`: a password, a token, a setting marked secret.
///
/// ```
/// use airssys_wasm::security::Secret;
///
/// let token = Secret::new("hunter2".to_owned());
/// assert_eq!(format!("{token} {token:?}"), "[secret] [secret]");
/// assert_eq!(token.reveal(), "hunter2");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Secret<T> {
        Secret(value)
    }

    /// Returns the value. Every place that shows it is found by this name.
    pub fn reveal(&self) -> &T {
        &self.0
    }

    /// Unwraps the value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Secret<T> {
        Secret(value)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Returns whether the value of an HTTP header must not be shown: credentials and cookies.
pub fn is_secret_header(name: &str) -> bool {
    const SECRET: [&str; 8] = [
        "authorization",
        "cookie",
        "proxy-authorization",
        "set-cookie",
        "x-amz-security-token",
        "x-api-key",
        "x-auth-token",
        "x-csrf-token",
    ];
    SECRET.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_with_credentials_are_secret() {
        assert!(is_secret_header("Authorization") && is_secret_header("SET-COOKIE"));
        assert!(!is_secret_header("accept"));
    }
}
