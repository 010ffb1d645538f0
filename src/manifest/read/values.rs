//! Values of one type, checked.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::report::{Report, quoted};
use super::{MAX_NAME_BYTES, MAX_TEXT_BYTES};

/// A value and its place.
pub(crate) type Value<'t> = Spanned<DeValue<'t>>;

/// A text of the manifest and its place.
pub(crate) struct Text<'t> {
    pub(crate) text: &'t str,
    pub(crate) span: Range<usize>,
}

/// A table with the name that messages use for it.
pub(crate) struct Section<'t> {
    pub(crate) name: &'static str,
    pub(crate) span: Range<usize>,
    pub(crate) table: &'t DeTable<'t>,
}

impl<'t> Section<'t> {
    pub(crate) fn get(&self, key: &str) -> Option<&'t Value<'t>> {
        self.table.get(key)
    }

    /// Returns a key's text; reports a missing key.
    pub(crate) fn required(&self, key: &str, report: &mut Report<'_>) -> Option<Text<'t>> {
        if self.get(key).is_none() {
            let message = format!("[{}] has no `{key}`, which is required", self.name);
            report.add(self.span.clone(), message);
        }
        self.text(key, report)
    }

    pub(crate) fn text(&self, key: &str, report: &mut Report<'_>) -> Option<Text<'t>> {
        text(self.get(key)?, &format!("`{key}`"), Breaks::Refused, report)
    }

    /// Returns a key's list of different texts; reports every entry that is something else.
    pub(crate) fn texts(&self, key: &str, report: &mut Report<'_>) -> Vec<Text<'t>> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let DeValue::Array(list) = value.get_ref() else {
            report.add(
                value.span(),
                expected(&format!("`{key}`"), "a list of strings", value),
            );
            return Vec::new();
        };
        let what = format!("an entry of `{key}`");
        let mut seen = std::collections::HashSet::new();
        let mut texts = Vec::new();
        for item in list {
            let Some(entry) = text(item, &what, Breaks::Refused, report) else {
                continue;
            };
            if !seen.insert(entry.text) {
                let message = format!("`{key}` has `{}` twice", quoted(entry.text));
                report.add(entry.span, message);
                continue;
            }
            texts.push(entry);
        }
        texts
    }
}

/// Returns the message about a value of another type.
pub(crate) fn expected(what: &str, wanted: &str, found: &Value<'_>) -> String {
    let article = match found.get_ref() {
        DeValue::Integer(_) | DeValue::Array(_) => "an",
        _ => "a",
    };
    format!(
        "{what} must be {wanted}, and this is {article} {}",
        found.get_ref().type_str()
    )
}

/// Line ends in a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Breaks {
    Allowed,
    Refused,
}

/// Returns a text that is not empty, not too long, and has no characters that a terminal acts on.
pub(crate) fn text<'t>(
    value: &'t Value<'t>,
    what: &str,
    breaks: Breaks,
    report: &mut Report<'_>,
) -> Option<Text<'t>> {
    let span = value.span();
    let DeValue::String(text) = value.get_ref() else {
        report.add(span, expected(what, "a string", value));
        return None;
    };
    let refused = |c: &char| {
        let allowed = breaks == Breaks::Allowed && *c == '\n';
        !allowed && is_active(*c)
    };
    let problem = if text.trim().is_empty() {
        format!("{what} is empty")
    } else if text.len() > MAX_TEXT_BYTES {
        format!(
            "{what} has {} bytes, and at most {MAX_TEXT_BYTES} are allowed",
            text.len()
        )
    } else if let Some(c) = text.chars().find(refused) {
        format!(
            "{what} has the control character U+{:04X}: remove it",
            u32::from(c)
        )
    } else {
        return Some(Text { text, span });
    };
    report.add(span, problem);
    None
}

/// Returns whether a terminal acts on a character instead of showing it, or shows others in another order.
fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200f}' | '\u{061c}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Returns the problem of a name that is not lowercase words with `-` between them.
pub(crate) fn not_a_name(text: &str) -> Option<String> {
    let is_word = |word: &str| {
        word.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            && word.bytes().next().is_some()
    };
    if text.len() > MAX_NAME_BYTES {
        return Some(format!("at most {MAX_NAME_BYTES} bytes are allowed"));
    }
    let is_name =
        text.split('-').all(is_word) && text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    (!is_name).then(|| {
        "use lowercase letters and digits, with `-` between words, and begin with a letter".to_owned()
    })
}
