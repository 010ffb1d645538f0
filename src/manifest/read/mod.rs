//! Reader of manifests: TOML with the place of each value, to checked sections.

pub(crate) mod report;
mod sections;
pub(crate) mod values;

use toml::Spanned;
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
        let Some(root) = parse(text, MAX_ENTRIES, &mut report) else {
            return Err(report.into_error());
        };
        match sections::manifest(root.get_ref(), &mut report) {
            Some(manifest) if report.is_empty() => Ok(manifest),
            _ => Err(report.into_error()),
        }
    }
}

/// Parses TOML with at most `entries` keys and list entries, and at most [`MAX_DEPTH`] levels, which the rest of a reader
/// trusts.
pub(crate) fn parse<'t>(
    text: &'t str,
    entries: usize,
    report: &mut Report<'_>,
) -> Option<Spanned<DeTable<'t>>> {
    let root = match DeTable::parse(text) {
        Ok(root) => root,
        Err(error) => {
            let end = text.len()..text.len();
            report.add(error.span().unwrap_or(end), syntax(error.message()));
            return None;
        }
    };
    let mut counter = Counter {
        most: entries,
        entries: 0,
    };
    counter.table(root.get_ref(), 1, report);
    report.is_empty().then_some(root)
}

fn syntax(message: &str) -> String {
    match message {
        "recursion limit" => format!("tables are nested deeper than {MAX_DEPTH} levels"),
        message => format!("this is not TOML: {}", message.replace('\n', " ")),
    }
}

/// Counts entries, and reports the first that is beyond a limit. The parser has a limit for depth too, so that its
/// recursion ends.
struct Counter {
    most: usize,
    entries: usize,
}

impl Counter {
    fn table(&mut self, table: &DeTable<'_>, depth: usize, report: &mut Report<'_>) {
        for (key, value) in table {
            self.value(value, key.span(), depth, report);
        }
    }

    fn value(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        place: std::ops::Range<usize>,
        depth: usize,
        report: &mut Report<'_>,
    ) {
        if !report.is_empty() {
            return;
        }
        self.entries += 1;
        if self.entries > self.most {
            let message = format!("the file has more than {} keys and list entries", self.most);
            return report.add(place, message);
        }
        let is_nested = matches!(value.get_ref(), DeValue::Table(_) | DeValue::Array(_));
        if depth > MAX_DEPTH && is_nested {
            let message = format!("tables are nested deeper than {MAX_DEPTH} levels");
            return report.add(place, message);
        }
        match value.get_ref() {
            DeValue::Table(table) => self.table(table, depth + 1, report),
            DeValue::Array(list) => {
                for item in list {
                    self.value(item, item.span(), depth + 1, report);
                }
            }
            _ => {}
        }
    }
}
