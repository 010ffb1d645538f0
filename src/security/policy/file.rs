//! Policy files.
//!
//! ```toml
//! [[allow]]
//! capabilities = ["filesystem:read:/data", "network:outbound:https://api.example.com"]
//! components = ["reader"]              # optional: otherwise for all
//! principals = ["alice"]               # optional: otherwise for all
//! expires = 2027-01-01T00:00:00Z       # optional
//! reason = "nightly reports"           # optional
//!
//! [[deny]]
//! capabilities = ["filesystem:read:/data/keys"]
//! reason = "keys stay with the host"
//!
//! [[limits]]
//! components = ["reader"]              # optional: otherwise for all
//! memory = "64MiB"
//! call-time = "5s"
//! ```

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::{Datetime, Offset};

use super::MAX_POLICY_BYTES;
use super::error::{Place, PolicyError};
use super::limits::LimitsDraft;
use super::rule::{Origin, RuleDraft};
use crate::limits::{Resource, ResourceLimits};
use crate::security::domain::nearest;
use crate::security::index::Effect;
use crate::security::time::days_since_1970;
use airssys_wasm_component::internal::text::sanitize;

const TABLES: &[&str] = &["allow", "deny", "limits"];
const KEYS: &[&str] = &["capabilities", "components", "principals", "expires", "reason"];

/// Keys of a table of limits: whom they apply to, then the names of [`Resource`].
const LIMIT_KEYS: &[&str] = &{
    let mut keys = ["components"; 2 + Resource::ALL.len()];
    keys[1] = "principals";
    let mut at = 0;
    while at < Resource::ALL.len() {
        keys[2 + at] = Resource::ALL[at].name();
        at += 1;
    }
    keys
};

/// Maximum bytes of a name from a file in an error.
const MAX_SHOWN: usize = 100;

/// Reads the text of a policy file.
pub(super) fn read(path: &Path) -> Result<String, PolicyError> {
    let failed = |error| PolicyError::Read {
        path: path.to_owned(),
        error,
    };
    let file = File::open(path).map_err(failed)?;
    let mut text = Vec::new();
    let most = MAX_POLICY_BYTES as u64 + 1;
    file.take(most).read_to_end(&mut text).map_err(failed)?;
    if text.len() > MAX_POLICY_BYTES {
        return Err(PolicyError::TooLarge {
            file: path.display().to_string(),
        });
    }
    String::from_utf8(text).map_err(|error| {
        let text = error.as_bytes();
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(&text[..valid]);
        let source = Source::new(&path.display().to_string(), &text);
        PolicyError::Syntax {
            place: source.place(text.len()),
            problem: "the text is not UTF-8".to_owned(),
        }
    })
}

/// A file's name and text, for places.
struct Source<'t> {
    file: Arc<str>,
    text: &'t str,
    /// Position of the first byte of each line.
    lines: Vec<usize>,
}

impl<'t> Source<'t> {
    fn new(name: &str, text: &'t str) -> Source<'t> {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        Source {
            file: sanitize(name, 4096).into(),
            text,
            lines: std::iter::once(0).chain(ends).collect(),
        }
    }

    fn place(&self, at: usize) -> Place {
        let line = self.lines.partition_point(|start| *start <= at);
        let start = self.lines[line - 1];
        let before = self.text.get(start..at).unwrap_or_default();
        Place {
            file: self.file.clone(),
            line,
            column: before.chars().count() + 1,
        }
    }

    fn wrong(&self, span: Range<usize>, key: &'static str, expected: &'static str) -> PolicyError {
        PolicyError::Value {
            place: self.place(span.start),
            key,
            expected,
        }
    }
}

/// Rules, each with the place of its capability, and limits, each with its place.
type Parsed = (Vec<(Place, RuleDraft)>, Vec<(Place, LimitsDraft)>);

/// Parses the text of a policy file.
pub(super) fn parse(name: &str, text: &str) -> Result<Parsed, PolicyError> {
    if text.len() > MAX_POLICY_BYTES {
        return Err(PolicyError::TooLarge {
            file: name.to_owned(),
        });
    }
    let source = Source::new(name, text);
    let table = DeTable::parse(text).map_err(|error| PolicyError::Syntax {
        place: source.place(error.span().map_or(0, |span| span.start)),
        problem: sanitize(error.message(), 500).into_owned(),
    })?;
    let mut rules = Vec::new();
    let mut limits = Vec::new();
    for (key, value) in table.get_ref() {
        let (key, effect) = match key.get_ref().as_ref() {
            "allow" => ("allow", Effect::Allow),
            "deny" => ("deny", Effect::Deny),
            "limits" => {
                all_limits(&source, value, &mut limits)?;
                continue;
            }
            _ => return Err(unknown(&source, key, TABLES)),
        };
        let expected = "tables, each of which begins with `[[allow]]` or `[[deny]]`";
        let wrong = |span| source.wrong(span, key, expected);
        let tables = value.get_ref().as_array().ok_or_else(|| wrong(value.span()))?;
        for table in tables.iter() {
            let fields = table.get_ref().as_table().ok_or_else(|| wrong(table.span()))?;
            rule(&source, effect, table.span(), fields, &mut rules)?;
        }
    }
    // In the order of the file: tables are sorted by key.
    rules.sort_by_key(|(place, _)| (place.line, place.column));
    limits.sort_by_key(|(place, _)| (place.line, place.column));
    Ok((rules, limits))
}

/// Parses `[limits]` or `[[limits]]`.
fn all_limits(
    source: &Source<'_>,
    value: &Spanned<DeValue<'_>>,
    limits: &mut Vec<(Place, LimitsDraft)>,
) -> Result<(), PolicyError> {
    let expected = "a table `[limits]`, or tables that each begin with `[[limits]]`";
    let wrong = |span| source.wrong(span, "limits", expected);
    match value.get_ref() {
        DeValue::Table(fields) => limits_of(source, value.span(), fields, limits),
        DeValue::Array(tables) => tables.iter().try_for_each(|table| {
            let fields = table.get_ref().as_table().ok_or_else(|| wrong(table.span()))?;
            limits_of(source, table.span(), fields, limits)
        }),
        _ => Err(wrong(value.span())),
    }
}

/// Parses one table of limits. Each limit keeps its own line.
fn limits_of(
    source: &Source<'_>,
    span: Range<usize>,
    fields: &DeTable<'_>,
    limits: &mut Vec<(Place, LimitsDraft)>,
) -> Result<(), PolicyError> {
    let mut draft = LimitsDraft::new(ResourceLimits::new());
    let mut values = Vec::new();
    for (key, value) in fields {
        match key.get_ref().as_ref() {
            "components" => draft.components = names(source, "components", value)?,
            "principals" => draft.principals = names(source, "principals", value)?,
            name => {
                let resource = Resource::from_name(name).ok_or_else(|| unknown(source, key, LIMIT_KEYS))?;
                values.push((key.span().start, resource, limit(source, resource, value)?));
            }
        }
    }
    if values.is_empty() {
        let place = source.place(span.start);
        return Err(PolicyError::NoLimits { place });
    }
    for (at, resource, value) in values {
        let place = source.place(at);
        let mut draft = draft.clone();
        draft.limits = ResourceLimits::new().with(resource, value);
        draft.origin = Origin::File {
            file: source.file.clone(),
            line: place.line,
        };
        limits.push((place, draft));
    }
    Ok(())
}

/// Parses the value of a limit.
fn limit(source: &Source<'_>, resource: Resource, value: &Spanned<DeValue<'_>>) -> Result<u64, PolicyError> {
    let wrong = |expected| source.wrong(value.span(), resource.name(), expected);
    let parsed = match (value.get_ref(), resource.is_number()) {
        (DeValue::Integer(number), true) => u64::from_str_radix(number.as_str(), number.radix())
            .map_err(|_| wrong("a whole number from 0 to 18446744073709551615"))
            .map(|number| resource.parse(&number.to_string()))?,
        (DeValue::String(text), false) => resource.parse(text),
        (_, true) => return Err(wrong("a whole number, without quotes")),
        (_, false) => return Err(wrong("a string with a unit, as in \"64MiB\" or \"1m30s\"")),
    };
    parsed.map_err(|error| PolicyError::Limit {
        place: source.place(value.span().start).to_string(),
        error,
    })
}

fn unknown(
    source: &Source<'_>,
    key: &Spanned<impl AsRef<str>>,
    known: &'static [&'static str],
) -> PolicyError {
    let name = key.get_ref().as_ref();
    PolicyError::UnknownKey {
        place: source.place(key.span().start),
        key: sanitize(name, MAX_SHOWN).into_owned(),
        nearest: nearest(name, known.iter().copied()),
        known,
    }
}

fn rule(
    source: &Source<'_>,
    effect: Effect,
    span: Range<usize>,
    fields: &DeTable<'_>,
    rules: &mut Vec<(Place, RuleDraft)>,
) -> Result<(), PolicyError> {
    let mut draft = RuleDraft::new(effect, "");
    let mut capabilities = Vec::new();
    for (key, value) in fields {
        match key.get_ref().as_ref() {
            "capabilities" => capabilities = texts(source, "capabilities", value)?,
            "components" => draft.components = names(source, "components", value)?,
            "principals" => draft.principals = names(source, "principals", value)?,
            "expires" => draft.until = Some(time(source, value)?),
            "reason" => {
                let wrong = || source.wrong(value.span(), "reason", "a string");
                draft.reason = Some(value.get_ref().as_str().ok_or_else(wrong)?.to_owned());
            }
            _ => return Err(unknown(source, key, KEYS)),
        }
    }
    if capabilities.is_empty() {
        let place = source.place(span.start);
        return Err(PolicyError::NoCapabilities { place });
    }
    for (at, capability) in capabilities {
        let place = source.place(at);
        let mut draft = draft.clone();
        draft.capability = capability;
        draft.origin = Origin::File {
            file: source.file.clone(),
            line: place.line,
        };
        rules.push((place, draft));
    }
    Ok(())
}

fn texts(
    source: &Source<'_>,
    key: &'static str,
    value: &Spanned<DeValue<'_>>,
) -> Result<Vec<(usize, String)>, PolicyError> {
    let wrong = |span| source.wrong(span, key, "a list of strings that is not empty");
    let list = value.get_ref().as_array().ok_or_else(|| wrong(value.span()))?;
    if list.is_empty() {
        return Err(wrong(value.span()));
    }
    let text = |item: &Spanned<DeValue<'_>>| match item.get_ref().as_str() {
        Some(text) => Ok((item.span().start, text.to_owned())),
        None => Err(wrong(item.span())),
    };
    list.iter().map(text).collect()
}

/// Parses a list of names. An empty one would apply to all, which is not what it looks like.
fn names(
    source: &Source<'_>,
    key: &'static str,
    value: &Spanned<DeValue<'_>>,
) -> Result<Vec<String>, PolicyError> {
    let names = texts(source, key, value)?;
    Ok(names.into_iter().map(|(_, name)| name).collect())
}

fn time(source: &Source<'_>, value: &Spanned<DeValue<'_>>) -> Result<SystemTime, PolicyError> {
    let time = value.get_ref().as_datetime().and_then(system_time);
    let expected = "a time with its offset, as in 2030-12-31T23:59:59Z";
    time.ok_or_else(|| source.wrong(value.span(), "expires", expected))
}

fn system_time(time: &Datetime) -> Option<SystemTime> {
    let (date, clock, offset) = (time.date?, time.time?, time.offset?);
    let offset = match offset {
        Offset::Z => 0,
        Offset::Custom { minutes } => i64::from(minutes) * 60,
    };
    let seconds = i64::from(clock.hour) * 3600
        + i64::from(clock.minute) * 60
        + i64::from(clock.second.unwrap_or(0))
        + days_since_1970(date.year.into(), date.month.into(), date.day.into()) * 86_400
        - offset;
    let since = Duration::new(
        u64::try_from(seconds).ok()?,
        clock.nanosecond.unwrap_or(0).min(999_999_999),
    );
    UNIX_EPOCH.checked_add(since)
}
