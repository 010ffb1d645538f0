//! Escaping of text of unknown origin, for a terminal.

use std::fmt::Write;

/// Returns whether a terminal might act on `c` instead of showing it: control characters, other line ends, and
/// characters that change the direction of writing.
fn active(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{061c}'
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Returns text on one line, with the characters that a terminal might act on escaped.
pub(crate) fn line(text: &str) -> String {
    spell(text, |c, out| write!(out, "{}", c.escape_default()))
}

/// Escapes a message: as [`line()`], but it keeps its line ends, and all lines but the first are indented.
pub(crate) fn message(text: &str) -> String {
    let lines: Vec<String> = text.trim_end().lines().map(line).collect();
    lines.join("\n    ")
}

/// Most characters of one line of an error.
const MAX_LINE: usize = 1000;

/// Most lines of an error.
const MAX_LINES: usize = 100;

/// Cuts the middle of an error's text if it is too long, so that an argument of 100 KB does not fill the terminal.
pub(crate) fn shorten(text: &str) -> String {
    let count = text.trim_end().lines().count();
    let kept = |index: usize| index < MAX_LINES / 2 || index + MAX_LINES / 2 >= count;
    let mut lines = Vec::new();
    for (index, line) in text.trim_end().lines().enumerate() {
        if kept(index) {
            lines.push(shorten_line(line));
        } else if index == MAX_LINES / 2 {
            lines.push(format!("… ({} lines) …", count - MAX_LINES / 2 * 2));
        }
    }
    lines.join("\n")
}

fn shorten_line(line: &str) -> String {
    let count = line.chars().count();
    if count <= MAX_LINE {
        return line.to_owned();
    }
    let half = MAX_LINE / 2;
    let first: String = line.chars().take(half).collect();
    let last: String = line.chars().skip(count - half).collect();
    format!("{first}… ({} characters) …{last}", count - 2 * half)
}

/// Formats JSON, with the characters that a terminal might act on escaped.
pub(crate) fn json(value: &serde_json::Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    // Apart from the format's line ends, such characters occur only within strings.
    let lines: Vec<String> = text.split('\n').map(spell_json).collect();
    lines.join("\n")
}

/// Formats JSON on one line, with the same escapes.
pub(crate) fn json_line(value: &serde_json::Value) -> String {
    spell_json(&serde_json::to_string(value).unwrap_or_default())
}

fn spell_json(line: &str) -> String {
    spell(line, |c, out| write!(out, "\\u{:04x}", u32::from(c)))
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
    fn errors_are_shown_without_the_middle_of_long_lines_and_texts() {
        let short = "x".repeat(MAX_LINE);
        assert_eq!(shorten(&short), short);
        let long = format!("{}é{}", "a".repeat(60_000), "b".repeat(60_000));
        let shown = shorten(&long);
        assert!(shown.starts_with("aaa") && shown.ends_with("bbb"), "{shown}");
        assert!(shown.contains("… (119001 characters) …"), "{shown}");
        let lines: Vec<String> = (0..1000).map(|line| line.to_string()).collect();
        let shown = shorten(&lines.join("\n"));
        assert_eq!(shown.lines().count(), MAX_LINES + 1);
        assert!(shown.contains("\n49\n… (900 lines) …\n950\n"), "{shown}");
        assert!(shown.ends_with("\n999"), "{shown}");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let value = serde_json::json!({"a\u{202e}": ["b\u{9b}\n", 1]});
        let text = json(&value);
        assert!(!text.contains(|c| c != '\n' && active(c)), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).ok(), Some(value));
    }
}
