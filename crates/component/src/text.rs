//! Guest text escaped for logs and terminals.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// Returns the text on one line, without anything that a terminal or a log reader could interpret, and with at
/// most `max` bytes of the original.
///
/// Control characters (line ends and escapes among them), line and paragraph separators, and characters that
/// change the direction of writing are written as Rust writes them: `\n`, `\u{1b}`. The number of bytes cut off
/// follows: `…(+12 bytes)`.
pub fn sanitize(text: &str, max: usize) -> Cow<'_, str> {
    let kept = cut(text, max);
    if kept.len() == text.len() && !text.contains(misleading) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(kept.len() + 16);
    for character in kept.chars() {
        if misleading(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    if kept.len() < text.len() {
        // Writing to a string cannot fail.
        let _ = write!(out, "…(+{} bytes)", text.len() - kept.len());
    }
    Cow::Owned(out)
}

/// Returns the longest prefix of at most `max` bytes that ends between characters.
pub fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

fn misleading(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{061c}'
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Maximum bytes of a guest's text in an error message.
const MAX_ERROR_BYTES: usize = 1024;

/// Escapes and shortens a guest's text for an error message.
pub fn shown(text: &str) -> Cow<'_, str> {
    sanitize(text, MAX_ERROR_BYTES)
}

/// Formats a value in at most 300 bytes, with `…` for the rest. A type that shares its parts can have a text
/// exponentially longer than itself, so formatting stops there.
pub fn brief(what: &dyn fmt::Display) -> String {
    struct Brief(String);
    impl Write for Brief {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            const MAX: usize = 300;
            let room = MAX - self.0.len();
            self.0.push_str(cut(text, room));
            if text.len() > room {
                Err(fmt::Error)
            } else {
                Ok(())
            }
        }
    }
    let mut out = Brief(String::new());
    if write!(out, "{what}").is_err() {
        out.0.push('…');
    }
    out.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_left_alone() {
        assert!(matches!(
            sanitize("grüße, 世界 \\n", 100),
            Cow::Borrowed("grüße, 世界 \\n")
        ));
    }

    #[test]
    fn what_could_mislead_is_escaped() {
        assert_eq!(
            sanitize("a\nb\x1b[31m\r\t\0\u{9b}\u{2028}\u{202e}", 100),
            "a\\nb\\u{1b}[31m\\r\\t\\u{0}\\u{9b}\\u{2028}\\u{202e}"
        );
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(sanitize("aé", 2), "a…(+2 bytes)");
        assert_eq!(sanitize("abc", 0), "…(+3 bytes)");
        assert_eq!(sanitize("abc", 3), "abc");
    }

    #[test]
    fn brief_texts_are_bounded() {
        assert_eq!(brief(&"short"), "short");
        assert!(brief(&"é".repeat(10_000)).len() <= 303);
    }
}
