//! Texts of a bounded length.

use std::fmt::{self, Display, Write};

/// A writer that fails after a number of bytes.
pub(super) struct Bounded {
    text: String,
    left: usize,
}

impl Bounded {
    pub(super) fn new(bytes: usize) -> Bounded {
        Bounded {
            text: String::new(),
            left: bytes,
        }
    }

    /// Returns the text, with `…` at the end if it was cut.
    pub(super) fn finish(mut self, written: fmt::Result) -> String {
        if written.is_err() {
            self.text.push('…');
        }
        self.text
    }
}

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let fits = text.floor_char_boundary(self.left);
        self.text.push_str(&text[..fits]);
        self.left -= fits;
        if fits == text.len() {
            Ok(())
        } else {
            Err(fmt::Error)
        }
    }
}

/// Formats a value, cut after a number of bytes.
pub(super) fn bounded(value: &impl Display, bytes: usize) -> String {
    let mut text = Bounded::new(bytes);
    let written = write!(text, "{value}");
    text.finish(written)
}

#[cfg(test)]
mod tests {
    use super::bounded;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(bounded(&"abc", 3), "abc");
        assert_eq!(bounded(&"abcd", 3), "abc…");
        assert_eq!(bounded(&"aß", 2), "a…");
    }
}
