//! Reader of host files: TOML with the place of each value, to checked sections.

mod cluster;
mod component;
mod group;
mod host;
mod values;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::error::HostFileError;
use super::types::{DeclaredComponent, HostFile, HostSettings};
use crate::manifest::read::parse;
use crate::manifest::read::report::{Report, listed, nearest, quoted};
use crate::manifest::read::values::{Section, expected};
use values::Folder;

/// Maximum bytes of a host file: 8 MiB. Stops files that fill the host's memory.
pub const MAX_HOST_FILE_BYTES: usize = 8 << 20;

/// Maximum keys and list entries of a host file. Stops a million empty tables, of which each takes a hundred times its text.
pub const MAX_HOST_FILE_ENTRIES: usize = 1 << 17;

/// Maximum components of a host file. Stops files that fill the host's memory.
pub const MAX_COMPONENTS: usize = 4096;

/// Maximum groups of a host file. Stops files that fill the host's memory.
pub const MAX_GROUPS: usize = 256;

/// Maximum bytes of the value of a setting, of an environment variable and of configuration data: 1 MiB. Stops files that
/// fill the host's memory.
pub const MAX_VALUE_BYTES: usize = 1 << 20;

const SECTIONS: [&str; 4] = ["host", "cluster", "group", "component"];

impl HostFile {
    /// Reads a host file.
    ///
    /// # Errors
    /// Each case of [`HostFileError`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<HostFile, HostFileError> {
        let path = path.as_ref();
        let unreadable = |source| HostFileError::Read {
            path: path.to_owned(),
            source,
        };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        let limit = MAX_HOST_FILE_BYTES as u64 + 1;
        file.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() > MAX_HOST_FILE_BYTES {
            return Err(HostFileError::TooLarge(path.to_owned()));
        }
        match std::str::from_utf8(&bytes) {
            Ok(text) => HostFile::from_toml(text, path),
            Err(error) => Err(HostFileError::NotText {
                path: path.to_owned(),
                valid_up_to: error.valid_up_to(),
            }),
        }
    }

    /// Reads the text of a host file. `path` is its name in errors; paths in it are relative to the folder of `path`. No file
    /// is opened.
    ///
    /// # Errors
    /// [`HostFileError::Invalid`], with every problem and its place, or with the first one if the text is not TOML;
    /// [`HostFileError::TooLarge`].
    pub fn from_toml(text: &str, path: impl AsRef<Path>) -> Result<HostFile, HostFileError> {
        let path = path.as_ref();
        if text.len() > MAX_HOST_FILE_BYTES {
            return Err(HostFileError::TooLarge(path.to_owned()));
        }
        let mut report = Report::new(text);
        let folder = Folder::of(path);
        let file = parse(text, MAX_HOST_FILE_ENTRIES, &mut report)
            .and_then(|root| host_file(root.get_ref(), &folder, &mut report));
        match file {
            Some(file) if report.is_empty() => Ok(file),
            _ => Err(HostFileError::Invalid(Box::new(
                report.into_invalid(Some(path.to_owned())),
            ))),
        }
    }
}

fn host_file(root: &DeTable<'_>, folder: &Folder, report: &mut Report<'_>) -> Option<HostFile> {
    for (key, _) in root {
        if !SECTIONS.contains(&&**key.get_ref()) {
            report.add(key.span(), unknown_section(key.get_ref()));
        }
    }
    let host = match section(root, "host", "host", &host::KEYS, report) {
        Some(section) => host::settings(&section, folder, report),
        None => HostSettings::default(),
    };
    let cluster = cluster::settings(root, folder, report);
    let groups = group::groups(root, report);
    let known = component::Host {
        groups: &groups,
        has_store: host.store.is_some(),
        cluster: cluster.as_ref(),
        is_member: root.contains_key("cluster"),
    };
    let components = components(root, folder, known, report);
    Some(HostFile {
        host,
        cluster,
        groups,
        components,
    })
}

fn components(
    root: &DeTable<'_>,
    folder: &Folder,
    host: component::Host<'_>,
    report: &mut Report<'_>,
) -> Vec<DeclaredComponent> {
    let Some((key, value)) = root.get_key_value("component") else {
        report.add(
            0..0,
            "the file declares no component: begin each with `[[component]]`",
        );
        return Vec::new();
    };
    let wanted = "tables that each begin with `[[component]]`";
    let DeValue::Array(tables) = value.get_ref() else {
        report.add(key.span(), expected("`component`", wanted, value));
        return Vec::new();
    };
    if tables.is_empty() || tables.len() > MAX_COMPONENTS {
        let message = format!(
            "the file declares {} components: from 1 to {MAX_COMPONENTS} are allowed",
            tables.len()
        );
        report.add(key.span(), message);
        return Vec::new();
    }
    let mut found: Vec<DeclaredComponent> = Vec::new();
    let mut ids = std::collections::HashSet::new();
    for value in tables.iter() {
        let DeValue::Table(table) = value.get_ref() else {
            report.add(value.span(), expected("an entry of `component`", wanted, value));
            continue;
        };
        let section = Section {
            name: "[component]",
            span: value.span(),
            table,
        };
        unknown_keys(&section, &component::KEYS, report);
        if let Some(declared) = component::component(&section, folder, host, &mut ids, report) {
            found.push(declared);
        }
    }
    found
}

/// Returns the table at `key`, and reports the keys that it does not know. `name` is its name in messages.
fn section<'t>(
    table: &'t DeTable<'t>,
    key: &str,
    name: &'static str,
    keys: &[&str],
    report: &mut Report<'_>,
) -> Option<Section<'t>> {
    let (key, value) = table.get_key_value(key)?;
    let DeValue::Table(table) = value.get_ref() else {
        report.add(value.span(), expected(&format!("`{name}`"), "a table", value));
        return None;
    };
    let span = key.span();
    let section = Section { name, span, table };
    unknown_keys(&section, keys, report);
    Some(section)
}

fn unknown_keys(section: &Section<'_>, keys: &[&str], report: &mut Report<'_>) {
    for (key, _) in section.table {
        let name: &str = key.get_ref();
        if !keys.contains(&name) {
            let known = match nearest(name, keys) {
                Some(near) => format!("the nearest is `{near}`"),
                None => format!("the keys are {}", listed(keys)),
            };
            let message = format!("[{}] has no key `{}`: {known}", section.name, quoted(name));
            report.add(key.span(), message);
        }
    }
}

fn unknown_section(key: &str) -> String {
    let known = match (host::KEYS.contains(&key), component::KEYS.contains(&key)) {
        (true, _) => "it is a key of [host]".to_owned(),
        (_, true) => "it is a key of [[component]]".to_owned(),
        _ if group::KEYS.contains(&key) => "it is a key of [[group]]".to_owned(),
        _ if cluster::KEYS.contains(&key) => "it is a key of [cluster]".to_owned(),
        _ => match nearest(key, &SECTIONS) {
            Some(near @ ("host" | "cluster")) => format!("the nearest is [{near}]"),
            Some(near) => format!("the nearest is [[{near}]]"),
            None => "the sections are [host], [cluster], [[group]] and [[component]]".to_owned(),
        },
    };
    format!("the section [{}] is unknown: {known}", quoted(key))
}
