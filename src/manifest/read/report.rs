//! The problems of one file, and their places.

use std::ops::Range;
use std::path::PathBuf;

use airssys_wasm_component::internal::text::sanitize;

use super::MAX_PROBLEMS;
use crate::manifest::error::{InvalidManifest, ManifestError, Problem};

/// Most bytes of the manifest's own text in a message.
const MAX_QUOTED_BYTES: usize = 100;

pub(crate) struct Report<'t> {
    text: &'t str,
    found: Vec<(Range<usize>, String)>,
    omitted: usize,
    /// Places of secrets, with the message of all problems there.
    hidden: Vec<(Range<usize>, &'static str)>,
}

impl<'t> Report<'t> {
    pub(crate) fn new(text: &'t str) -> Report<'t> {
        Report {
            text,
            found: Vec::new(),
            omitted: 0,
            hidden: Vec::new(),
        }
    }

    /// Hides a place that may hold a secret: the text that reports show has asterisks there, and problems within have this message.
    pub(crate) fn hide(&mut self, place: Range<usize>, message: &'static str) {
        self.hidden.push((place, message));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// As [`Report::hide`], if the place has this character.
    pub(crate) fn hide_if(&mut self, place: Range<usize>, character: char, message: &'static str) {
        if self
            .text
            .get(place.clone())
            .is_some_and(|text| text.contains(character))
        {
            self.hide(place, message);
        }
    }

    pub(crate) fn add(&mut self, span: Range<usize>, message: impl Into<String>) {
        match self.found.len() < MAX_PROBLEMS {
            true => self.found.push((span, message.into())),
            false => self.omitted += 1,
        }
    }

    pub(crate) fn into_error(self) -> ManifestError {
        ManifestError::Invalid(Box::new(self.into_invalid(None)))
    }

    pub(crate) fn into_invalid(self, origin: Option<PathBuf>) -> InvalidManifest {
        let text = self.text;
        let hidden = self.hidden;
        let message_of = |span: &Range<usize>, message: String| {
            let within = |place: &Range<usize>| place.start <= span.start && span.end <= place.end;
            let secret = hidden.iter().find(|(place, _)| within(place));
            secret.map_or(message, |(_, message)| (*message).to_owned())
        };
        let mut problems: Vec<_> = self
            .found
            .into_iter()
            .map(|(span, message)| {
                let message = message_of(&span, message);
                problem(text, span, message)
            })
            .collect();
        problems.sort_by_key(|problem| problem.span.start);
        InvalidManifest {
            origin,
            text: without(text, &hidden).into(),
            problems,
            omitted: self.omitted,
        }
    }
}

/// Returns a text with asterisks in the hidden places, byte for byte but for the ends of lines.
fn without(text: &str, hidden: &[(Range<usize>, &'static str)]) -> String {
    let mut shown = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        let is_hidden = hidden.iter().any(|(place, _)| place.contains(&at));
        match is_hidden && !matches!(character, '\n' | '\r') {
            true => shown.extend(std::iter::repeat_n('*', character.len_utf8())),
            false => shown.push(character),
        }
    }
    shown
}

fn problem(text: &str, span: Range<usize>, message: String) -> Problem {
    let start = text.floor_char_boundary(span.start);
    let end = text.ceil_char_boundary(span.end.clamp(start, text.len()));
    let before = &text[..start];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Problem {
        message,
        span: start..end,
        line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

/// Returns text of the manifest, escaped and shortened.
pub(crate) fn quoted(text: &str) -> String {
    sanitize(text, MAX_QUOTED_BYTES).into_owned()
}

/// Returns the known word that is nearest to `word`, if one is near.
pub(crate) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    if word.len() > MAX_QUOTED_BYTES {
        return None;
    }
    let word = word.to_lowercase().replace('_', "-");
    let ranked = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(&word, known), *known));
    let (distance, nearest) = ranked.min_by_key(|(distance, _)| *distance)?;
    let may_differ = nearest.len().max(word.len()) / 2;
    (distance <= may_differ).then_some(nearest)
}

/// Returns the words as a list in prose.
pub(crate) fn listed(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}
