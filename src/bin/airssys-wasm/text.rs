//! Text of unknown origin, fit for a terminal.

use std::fmt::Write;

/// Whether a terminal might act on `c` instead of showing it: control characters, other line ends, and what turns
/// the direction of writing.
fn active(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{061c}'
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// On one line, with what a terminal might act on spelled out.
pub(crate) fn line(text: &str) -> String {
    spell(text, |c, out| write!(out, "{}", c.escape_default()))
}

/// A message: as [`line()`], but its lines stay, and all but the first are indented.
pub(crate) fn message(text: &str) -> String {
    let lines: Vec<String> = text.trim_end().lines().map(line).collect();
    lines.join("\n    ")
}

/// JSON text with the same meaning.
pub(crate) fn json(value: &serde_json::Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    // What is active beside the line ends that belong to the format stands within strings.
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| spell(line, |c, out| write!(out, "\\u{:04x}", u32::from(c))))
        .collect();
    lines.join("\n")
}

fn spell(text: &str, mut escape: impl FnMut(char, &mut String) -> std::fmt::Result) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if active(c) {
            // Writing to a string cannot fail.
            let _ = escape(c, &mut out);
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_acts_on_is_spelled_out() {
        assert_eq!(line("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\nc");
        assert_eq!(line("naïve 日本 \u{202e}x"), "naïve 日本 \\u{202e}x");
        assert_eq!(message("first\nsecond\u{9b}\n"), "first\n    second\\u{9b}");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let value = serde_json::json!({"a\u{202e}": ["b\u{9b}\n", 1]});
        let text = json(&value);
        assert!(!text.contains(|c| c != '\n' && active(c)), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).ok(), Some(value));
    }
}
