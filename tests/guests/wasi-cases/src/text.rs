//! Results as text.

use crate::bindings::wasi::filesystem::types::ErrorCode;
use std::fmt::{Debug, Write};

/// The name of the code, or the value.
pub fn said<T: Debug>(result: Result<T, ErrorCode>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(code) => code.name().to_string(),
    }
}

/// `ok`, or the name of the code.
pub fn done<T>(result: Result<T, ErrorCode>) -> String {
    said(result.map(|_| Okay))
}

struct Okay;

impl Debug for Okay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ok")
    }
}

/// Result that a step of a case needs; its error ends the case.
pub fn need<T>(what: &str, result: Result<T, ErrorCode>) -> Result<T, String> {
    result.map_err(|code| format!("{what}: {}", code.name()))
}

/// Lines of `what: result`.
#[derive(Default)]
pub struct Lines(String);

impl Lines {
    pub fn add(&mut self, what: &str, result: impl AsRef<str>) -> &mut Self {
        let _ = writeln!(self.0, "{what}: {}", result.as_ref());
        self
    }

    pub fn end(&mut self) -> Result<String, String> {
        Ok(std::mem::take(&mut self.0))
    }
}

/// Bytes as text, short if they are long.
pub fn bytes(bytes: &[u8]) -> String {
    if bytes.len() <= 64 {
        return format!("{:?}", String::from_utf8_lossy(bytes));
    }
    let sum = bytes.iter().fold(0u32, |sum, byte| sum.rotate_left(5) ^ u32::from(*byte));
    format!("{} bytes, {sum:08x}", bytes.len())
}
