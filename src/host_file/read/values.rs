//! Values of one type, checked.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use toml::de::DeValue;

use super::{MAX_VALUE_BYTES, section};
use crate::host_file::value::DeclaredValue;
use crate::limits::{ExecutionTimeout, Resource};
use crate::manifest::MAX_NAME_BYTES;
use crate::manifest::read::report::{Report, listed, quoted};
use crate::manifest::read::values::{Section, Text, Value, expected};
use crate::security::Secret;

/// The folder of a host file, which its paths are relative to.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn of(file: &Path) -> Folder {
        Folder(file.parent().unwrap_or(Path::new("")).to_owned())
    }

    pub(super) fn join(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }
}

/// Returns a key's path, joined to the folder.
pub(super) fn path(
    section: &Section<'_>,
    key: &str,
    folder: &Folder,
    report: &mut Report<'_>,
) -> Option<PathBuf> {
    let text = section.text(key, report)?;
    Some(folder.join(text.text))
}

/// Returns a key's whole number in a range.
pub(super) fn number<T: TryFrom<u64>>(
    section: &Section<'_>,
    key: &str,
    range: RangeInclusive<u64>,
    report: &mut Report<'_>,
) -> Option<T> {
    let value = section.get(key)?;
    let DeValue::Integer(number) = value.get_ref() else {
        report.add(
            value.span(),
            expected(&format!("`{key}`"), "a whole number", value),
        );
        return None;
    };
    let number = u64::from_str_radix(number.as_str(), number.radix()).ok();
    let within = number.filter(|number| range.contains(number));
    let converted = within.and_then(|number| T::try_from(number).ok());
    if converted.is_none() {
        let message = format!(
            "`{key}` must be a whole number from {} to {}",
            range.start(),
            range.end()
        );
        report.add(value.span(), message);
    }
    converted
}

pub(super) fn boolean(section: &Section<'_>, key: &str, report: &mut Report<'_>) -> Option<bool> {
    let value = section.get(key)?;
    match value.get_ref() {
        DeValue::Boolean(truth) => Some(*truth),
        _ => {
            report.add(
                value.span(),
                expected(&format!("`{key}`"), "true or false", value),
            );
            None
        }
    }
}

/// Returns a key's value of a type that is written as a text.
pub(super) fn parsed<T: FromStr<Err: Display>>(
    section: &Section<'_>,
    key: &str,
    report: &mut Report<'_>,
) -> Option<T> {
    if let Some(value) = section.get(key)
        && matches!(value.get_ref(), DeValue::Integer(_) | DeValue::Float(_))
    {
        let message = format!("`{key}` has no unit: write it as a string with a unit");
        report.add(value.span(), message);
        return None;
    }
    let text = section.text(key, report)?;
    match text.text.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            report.add(text.span, format!("`{key}`: {error}"));
            None
        }
    }
}

/// Returns a key's number of bytes, from 1 to `most`.
pub(super) fn bytes(section: &Section<'_>, key: &str, most: u64, report: &mut Report<'_>) -> Option<usize> {
    bytes_from(section, key, 1..=most, report)
}

/// Returns a key's number of bytes in a range.
pub(super) fn bytes_from<T: TryFrom<u64>>(
    section: &Section<'_>,
    key: &str,
    range: RangeInclusive<u64>,
    report: &mut Report<'_>,
) -> Option<T> {
    struct Size(u64);
    impl FromStr for Size {
        type Err = crate::limits::InvalidUnit;
        fn from_str(text: &str) -> Result<Size, Self::Err> {
            crate::limits::parse_bytes(text).map(Size)
        }
    }
    let Size(size) = parsed(section, key, report)?;
    let converted = T::try_from(size).ok().filter(|_| range.contains(&size));
    if converted.is_none() {
        let span = section
            .get(key)
            .map_or(section.span.clone(), |value| value.span());
        let [least, most] = [range.start(), range.end()].map(|bytes| Resource::MailboxBytes.show(*bytes));
        report.add(span, format!("`{key}` must be from {least} to {most}"));
    }
    converted
}

/// Returns a key's time in a range of milliseconds.
pub(super) fn time(
    section: &Section<'_>,
    key: &str,
    range: RangeInclusive<u64>,
    report: &mut Report<'_>,
) -> Option<ExecutionTimeout> {
    let time: ExecutionTimeout = parsed(section, key, report)?;
    if range.contains(&time.millis()) {
        return Some(time);
    }
    let span = section
        .get(key)
        .map_or(section.span.clone(), |value| value.span());
    let [least, most] = [range.start(), range.end()].map(|millis| Resource::CallTime.show(*millis));
    report.add(span, format!("`{key}` must be from {least} to {most}"));
    None
}

/// Returns a key's choice among words.
pub(super) fn choice<T: Copy>(
    section: &Section<'_>,
    key: &str,
    choices: &[(&str, T)],
    report: &mut Report<'_>,
) -> Option<T> {
    let text = section.text(key, report)?;
    chosen(&text, key, choices, report)
}

pub(super) fn chosen<T: Copy>(
    text: &Text<'_>,
    key: &str,
    choices: &[(&str, T)],
    report: &mut Report<'_>,
) -> Option<T> {
    let found = choices.iter().find(|(name, _)| *name == text.text);
    if found.is_none() {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        let message = format!(
            "`{key}` is `{}`, and must be one of {}",
            quoted(text.text),
            listed(&names)
        );
        report.add(text.span.clone(), message);
    }
    found.map(|(_, choice)| *choice)
}

/// Returns the values of a table of settings or environment variables.
pub(super) fn values(
    owner: &Section<'_>,
    key: &str,
    folder: &Folder,
    report: &mut Report<'_>,
) -> BTreeMap<String, DeclaredValue> {
    let mut found = BTreeMap::new();
    let Some(value) = owner.get(key) else {
        return found;
    };
    let DeValue::Table(table) = value.get_ref() else {
        report.add(value.span(), expected(&format!("`{key}`"), "a table", value));
        return found;
    };
    for (name, value) in table {
        let text: &str = name.get_ref();
        if text.is_empty() || text.len() > MAX_NAME_BYTES || text.contains(['=', '\0']) {
            let message =
                format!("a name in `{key}` has 1 to {MAX_NAME_BYTES} bytes, and no `=` and no zero byte");
            report.add(name.span(), message);
        } else if let Some(value) = declared(value, &format!("`{key}.{}`", quoted(text)), folder, report) {
            found.insert(text.to_owned(), value);
        }
    }
    found
}

/// Returns a text, or the place of one: `{ env = "NAME" }` or `{ file = "PATH" }`.
pub(super) fn declared(
    value: &Value<'_>,
    what: &str,
    folder: &Folder,
    report: &mut Report<'_>,
) -> Option<DeclaredValue> {
    match value.get_ref() {
        DeValue::String(_) => written(value, what, report),
        DeValue::Table(table) => {
            let place = Section {
                name: "a value",
                span: value.span(),
                table,
            };
            super::unknown_keys(&place, &["env", "file"], report);
            match (place.get("env"), place.get("file")) {
                (Some(_), None) => {
                    let name = place.text("env", report)?;
                    match name.text.contains('=') {
                        false => Some(DeclaredValue::Env(name.text.to_owned())),
                        true => {
                            report.add(name.span, "the name of a variable has no `=`");
                            None
                        }
                    }
                }
                (None, Some(_)) => path(&place, "file", folder, report).map(DeclaredValue::File),
                // Its other keys are reported.
                (None, None) if !table.is_empty() => None,
                _ => {
                    report.add(value.span(), format!("{what} must have either `env` or `file`"));
                    None
                }
            }
        }
        _ => {
            let wanted = "a string, or a table with `env` or `file`";
            report.add(value.span(), expected(what, wanted, value));
            None
        }
    }
}

/// Returns a text that is written in the file. It may be empty and have line ends.
pub(super) fn written(value: &Value<'_>, what: &str, report: &mut Report<'_>) -> Option<DeclaredValue> {
    let DeValue::String(text) = value.get_ref() else {
        report.add(value.span(), expected(what, "a string", value));
        return None;
    };
    if text.len() > MAX_VALUE_BYTES || text.contains('\0') {
        let message = format!("{what} may have {MAX_VALUE_BYTES} bytes, none of which is zero");
        report.add(value.span(), message);
        return None;
    }
    Some(DeclaredValue::Text(Secret::new(text.clone().into_owned())))
}

/// Returns a table within a component.
pub(super) fn part<'t>(
    owner: &Section<'t>,
    key: &str,
    name: &'static str,
    keys: &[&str],
    report: &mut Report<'_>,
) -> Option<Section<'t>> {
    section(owner.table, key, name, keys, report)
}
