//! Reader of manifests: TOML with the place of each value, to checked sections.

mod report;
mod sections;
mod values;

use toml::de::{DeTable, DeValue};

use super::error::ManifestError;
use super::types::ComponentManifest;
use report::Report;

/// Maximum bytes of a manifest: 1 MiB. Stops files that fill the host's memory.
pub const MAX_MANIFEST_BYTES: usize = 1 << 20;

/// Maximum keys and list entries of a manifest, those of `[extensions]` included. Stops a million empty tables, of which
/// each takes a hundred times its text.
pub const MAX_ENTRIES: usize = 4096;

/// Maximum depth of tables and lists. Stops recursion that overflows the stack of a host's thread.
pub const MAX_DEPTH: usize = 32;

/// Maximum bytes of one text. Stops descriptions that fill logs and terminals.
pub const MAX_TEXT_BYTES: usize = 4096;

/// Maximum bytes of a component's name, an interface's name and an operation's name. Stops names that fill tables.
pub const MAX_NAME_BYTES: usize = 128;

/// Maximum problems in one report. Stops a report that is longer than its manifest.
pub const MAX_PROBLEMS: usize = 20;

impl ComponentManifest {
    /// Reads a manifest from a TOML text.
    ///
    /// # Errors
    /// [`ManifestError::Invalid`], with every problem and its place, or with the first one if the text is not TOML;
    /// [`ManifestError::TooLarge`].
    pub fn from_toml(text: &str) -> Result<ComponentManifest, ManifestError> {
        if text.len() > MAX_MANIFEST_BYTES {
            return Err(ManifestError::TooLarge(None));
        }
        let mut report = Report::new(text);
        let root = match DeTable::parse(text) {
            Ok(root) => root,
            Err(error) => {
                let end = text.len()..text.len();
                report.add(error.span().unwrap_or(end), syntax(error.message()));
                return Err(report.into_error());
            }
        };
        let root = root.get_ref();
        // The rest of the reader trusts both limits.
        let mut entries = 0;
        count(root, 1, &mut entries, &mut report);
        if !report.is_empty() {
            return Err(report.into_error());
        }
        match sections::manifest(root, &mut report) {
            Some(manifest) if report.is_empty() => Ok(manifest),
            _ => Err(report.into_error()),
        }
    }
}

fn syntax(message: &str) -> String {
    match message {
        "recursion limit" => format!("tables are nested deeper than {MAX_DEPTH} levels"),
        message => format!("this is not TOML: {}", message.replace('\n', " ")),
    }
}

/// Counts entries, and reports the first that is beyond a limit. The parser has a limit for depth too, so that this
/// recursion ends.
fn count(table: &DeTable<'_>, depth: usize, entries: &mut usize, report: &mut Report<'_>) {
    for (key, value) in table {
        count_value(value, key.span(), depth, entries, report);
    }
}

fn count_value(
    value: &toml::Spanned<DeValue<'_>>,
    place: std::ops::Range<usize>,
    depth: usize,
    entries: &mut usize,
    report: &mut Report<'_>,
) {
    if !report.is_empty() {
        return;
    }
    *entries += 1;
    if *entries > MAX_ENTRIES {
        let message = format!("the manifest has more than {MAX_ENTRIES} keys and list entries");
        return report.add(place, message);
    }
    let is_nested = matches!(value.get_ref(), DeValue::Table(_) | DeValue::Array(_));
    if depth > MAX_DEPTH && is_nested {
        let message = format!("tables are nested deeper than {MAX_DEPTH} levels");
        return report.add(place, message);
    }
    match value.get_ref() {
        DeValue::Table(table) => count(table, depth + 1, entries, report),
        DeValue::Array(list) => {
            for item in list {
                count_value(item, item.span(), depth + 1, entries, report);
            }
        }
        _ => {}
    }
}
