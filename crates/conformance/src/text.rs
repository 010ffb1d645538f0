//! Components in text form.

use std::borrow::Cow;

use wast::Wat;
use wast::parser::{self, ParseBuffer};

/// An error for text that is not a component.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct TextError {
    /// The line, counted from 1.
    pub line: usize,
    /// The fault.
    pub message: String,
}

/// Returns a component's binary form: the bytes themselves, or the parse result if they are text (WAT).
///
/// # Errors
/// Text that does not parse. Bytes that are neither are left for an engine to refuse.
pub fn to_binary(bytes: &[u8]) -> Result<Cow<'_, [u8]>, TextError> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) if text.trim_start().starts_with(['(', ';']) => text,
        _ => return Ok(Cow::Borrowed(bytes)),
    };
    let encoded = ParseBuffer::new(text).and_then(|buffer| parser::parse::<Wat<'_>>(&buffer)?.encode());
    encoded.map(Cow::Owned).map_err(|error| TextError {
        line: error.span().linecol_in(text).0 + 1,
        message: error.message(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_binary_are_told_apart() {
        let binary = b"\0asm\x0d\0\x01\0";
        assert_eq!(to_binary(binary).as_deref(), Ok(&binary[..]));
        assert_eq!(to_binary(b";; empty\n(component)").as_deref(), Ok(&binary[..]));
        let error = to_binary(b"(component\n  (nonsense))");
        assert_eq!(error.map_err(|error| error.line), Err(2));
        assert_eq!(to_binary(b"neither").as_deref(), Ok(&b"neither"[..]));
    }
}
