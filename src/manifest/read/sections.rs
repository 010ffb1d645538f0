//! The sections of a manifest.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use semver::Version;
use toml::de::{DeTable, DeValue};

use super::MAX_NAME_BYTES;
use super::report::{Report, listed, nearest, quoted};
use super::values::{Breaks, Section, Text, Value, expected, not_a_name, text};
use crate::codec::Codec;
use crate::manifest::types::{
    ComponentManifest, Identity, ManifestMetadata, Multicodec, RequestedCapabilities, WitDependencies,
};
use crate::security::Capability;

const SECTIONS: [&str; 6] = [
    "component",
    "wit-dependencies",
    "multicodec",
    "capabilities",
    "metadata",
    "extensions",
];

/// The keys of each section that has fixed keys.
const KEYS: [(&str, &[&str]); 4] = [
    (
        "component",
        &["name", "version", "description", "authors", "license", "language"],
    ),
    ("multicodec", &["primary-format", "supported-formats"]),
    ("capabilities", &["required", "optional"]),
    (
        "metadata",
        &[
            "entrypoint",
            "memory-limit",
            "execution-timeout",
            "expected-operations",
        ],
    ),
];

/// The packages of the contract, which every component includes.
const CORE: [&str; 3] = [
    "airssys-component-core",
    "airssys-host-core",
    "airssys-multicodec-core",
];

pub(super) fn manifest(root: &DeTable<'_>, report: &mut Report<'_>) -> Option<ComponentManifest> {
    for (key, _) in root {
        if !SECTIONS.contains(&&**key.get_ref()) {
            report.add(key.span(), unknown_section(key.get_ref()));
        }
    }
    let section = |name: &'static str, report: &mut Report<'_>| section(root, name, report);
    let component = required(root, "component", report).and_then(|section| identity(&section, report));
    let wit_dependencies =
        required(root, "wit-dependencies", report).map(|section| wit_dependencies(&section, report));
    let multicodec = section("multicodec", report).map(|section| multicodec(&section, report));
    let capabilities = section("capabilities", report).map(|section| capabilities(&section, report));
    let metadata = section("metadata", report).map(|section| metadata(&section, report));
    let extensions = section("extensions", report).map(|section| extensions(&section, report));
    Some(ComponentManifest {
        component: component?,
        wit_dependencies: wit_dependencies?,
        multicodec: multicodec.flatten(),
        capabilities: capabilities.unwrap_or_default(),
        metadata: metadata.unwrap_or_default(),
        extensions: extensions.unwrap_or_default(),
    })
}

/// Returns a section, and reports the keys that it does not know.
fn section<'t>(root: &'t DeTable<'t>, name: &'static str, report: &mut Report<'_>) -> Option<Section<'t>> {
    let (key, value) = root.get_key_value(name)?;
    let DeValue::Table(table) = value.get_ref() else {
        report.add(value.span(), expected(&format!("`{name}`"), "a table", value));
        return None;
    };
    if let Some((_, keys)) = KEYS.iter().find(|(section, _)| *section == name) {
        for (key, _) in table {
            if !keys.contains(&&**key.get_ref()) {
                report.add(key.span(), unknown_key(name, key.get_ref(), keys));
            }
        }
    }
    let span = key.span();
    Some(Section { name, span, table })
}

fn required<'t>(root: &'t DeTable<'t>, name: &'static str, report: &mut Report<'_>) -> Option<Section<'t>> {
    if !root.contains_key(name) {
        report.add(0..0, format!("the section [{name}] is missing"));
    }
    section(root, name, report)
}

fn unknown_section(key: &str) -> String {
    let place = KEYS.iter().find(|(_, keys)| keys.contains(&key));
    let known = match (place, nearest(key, &SECTIONS)) {
        (Some((section, _)), _) => format!("it is a key of [{section}]"),
        (None, Some(near)) => format!("the nearest is [{near}]"),
        (None, None) => format!(
            "the sections are {}; those of other tools go below [extensions]",
            listed(&SECTIONS)
        ),
    };
    format!("the section [{}] is unknown: {known}", quoted(key))
}

fn unknown_key(section: &str, key: &str, keys: &[&str]) -> String {
    let spelled = key.replace('_', "-");
    let place = KEYS
        .iter()
        .find(|(other, keys)| *other != section && keys.contains(&&*spelled));
    let known = match (place, nearest(key, keys)) {
        (Some((other, _)), _) => format!("`{spelled}` belongs in [{other}]"),
        (None, Some(near)) => format!("the nearest is `{near}`"),
        (None, None) => format!("the keys are {}", listed(keys)),
    };
    format!("[{section}] has no key `{}`: {known}", quoted(key))
}

fn identity(section: &Section<'_>, report: &mut Report<'_>) -> Option<Identity> {
    let name = section.required("name", report);
    if let Some(name) = &name
        && let Some(problem) = not_a_name(name.text)
    {
        let message = format!("`{}` is not a component's name: {problem}", quoted(name.text));
        report.add(name.span.clone(), message);
    }
    let version = section.required("version", report);
    let version = version.and_then(|version| semantic(&version, report));
    let description = section
        .get("description")
        .and_then(|value| text(value, "`description`", Breaks::Allowed, report));
    let authors = section.texts("authors", report);
    let license = section.text("license", report);
    if let Some(license) = &license
        && let Err(error) = spdx::Expression::parse(license.text)
    {
        let part = license.text.get(error.span.clone()).unwrap_or_default();
        let at = match part {
            "" => String::new(),
            part => format!(" at `{}`", quoted(part)),
        };
        let message = format!(
            "`{}` is not an SPDX license expression: {}{at}; write one as in `MIT OR Apache-2.0`",
            quoted(license.text),
            error.reason
        );
        report.add(license.span.clone(), message);
    }
    let language = section.text("language", report);
    if let Some(language) = &language
        && !is_language(language.text)
    {
        let message = format!(
            "`{}` is not a language: write its name in lowercase, as in `rust`, `c++` or `python`",
            quoted(language.text)
        );
        report.add(language.span.clone(), message);
    }
    let owned = |text: Text<'_>| text.text.to_owned();
    Some(Identity {
        name: name.map(owned)?,
        version: version?,
        description: description.map(owned),
        authors: authors.into_iter().map(owned).collect(),
        license: license.map(owned),
        language: language.map(owned),
    })
}

fn is_language(text: &str) -> bool {
    let is_part = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'#' | b'.')
    };
    text.len() <= MAX_NAME_BYTES
        && text.bytes().all(is_part)
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
}

fn semantic(version: &Text<'_>, report: &mut Report<'_>) -> Option<Version> {
    match Version::parse(version.text) {
        Ok(version) => Some(version),
        Err(error) => {
            let message = format!(
                "`{}` is not a semantic version: {error}; write MAJOR.MINOR.PATCH, as in `1.0.0`",
                quoted(version.text)
            );
            report.add(version.span.clone(), message);
            None
        }
    }
}

fn wit_dependencies(section: &Section<'_>, report: &mut Report<'_>) -> WitDependencies {
    let mut found = WitDependencies::new();
    for (key, value) in section.table {
        let name: &str = key.get_ref();
        if let Some(problem) = not_a_name(name) {
            let message = format!(
                "`{}` is not the name of a WIT package: {problem}, as in `airssys-host-core`",
                quoted(name)
            );
            report.add(key.span(), message);
        } else if let Some(near) = nearest(name, &CORE)
            && near != name
            && section.get(near).is_none()
        {
            let message = format!(
                "the package `{}` is unknown: the nearest is `{near}`",
                quoted(name)
            );
            report.add(key.span(), message);
        }
        let version = text(value, &format!("`{}`", quoted(name)), Breaks::Refused, report);
        if let Some(version) = version.and_then(|version| semantic(&version, report)) {
            found.insert(name.to_owned(), version);
        }
    }
    let missing: Vec<_> = CORE
        .into_iter()
        .filter(|core| section.get(core).is_none())
        .collect();
    if !missing.is_empty() {
        let message = format!(
            "[wit-dependencies] has no {}, which every component includes",
            listed(&missing)
        );
        report.add(section.span.clone(), message);
    }
    found
}

fn multicodec(section: &Section<'_>, report: &mut Report<'_>) -> Option<Multicodec> {
    let primary = section.required("primary-format", report);
    let primary = primary.and_then(|text| Some((codec(&text, report)?, text.span)));
    let mut supported = Vec::new();
    for text in section.texts("supported-formats", report) {
        supported.extend(codec(&text, report));
    }
    let (primary, span) = primary?;
    match section.get("supported-formats") {
        None => supported.push(primary),
        Some(value) if matches!(value.get_ref(), DeValue::Array(list) if list.is_empty()) => {
            report.add(
                value.span(),
                "`supported-formats` is empty: list at least `primary-format`",
            );
        }
        Some(_) if !supported.contains(&primary) => {
            let message = format!("`primary-format` is `{primary}`, which is not in `supported-formats`");
            report.add(span, message);
        }
        Some(_) => {}
    }
    Some(Multicodec {
        primary_format: primary,
        supported_formats: supported,
    })
}

fn codec(text: &Text<'_>, report: &mut Report<'_>) -> Option<Codec> {
    let names = Codec::ALL.map(Codec::name);
    let found = Codec::ALL.into_iter().find(|codec| codec.name() == text.text);
    if found.is_none() {
        let known = match nearest(text.text, &names) {
            Some(near) => format!("the nearest is `{near}`"),
            None => format!("the codecs are {}", listed(&names)),
        };
        let message = format!("the codec `{}` is unknown: {known}", quoted(text.text));
        report.add(text.span.clone(), message);
    }
    found
}

fn capabilities(section: &Section<'_>, report: &mut Report<'_>) -> RequestedCapabilities {
    let mut list = |key: &str| -> Vec<Capability> {
        let mut found = Vec::new();
        for text in section.texts(key, report) {
            match Capability::new(text.text) {
                Ok(capability) => found.push((capability, text.span)),
                Err(error) => report.add(text.span, error.to_string()),
            }
        }
        let twice = key == "optional";
        if twice && let Some(DeValue::Array(required)) = section.get("required").map(Value::get_ref) {
            let required: std::collections::HashSet<_> = required
                .iter()
                .filter_map(|item| item.get_ref().as_str())
                .collect();
            for (capability, span) in &found {
                if required.contains(capability.as_str()) {
                    let message = format!("`{}` is in `required` already", quoted(capability.as_str()));
                    report.add(span.clone(), message);
                }
            }
        }
        found.into_iter().map(|(capability, _)| capability).collect()
    };
    RequestedCapabilities {
        required: list("required"),
        optional: list("optional"),
    }
}

fn metadata(section: &Section<'_>, report: &mut Report<'_>) -> ManifestMetadata {
    let mut metadata = ManifestMetadata::default();
    if let Some(entrypoint) = section.text("entrypoint", report) {
        if entrypoint.text.contains(char::is_whitespace) || entrypoint.text.len() > MAX_NAME_BYTES {
            let message = format!("`{}` is not the name of an export", quoted(entrypoint.text));
            report.add(entrypoint.span, message);
        } else {
            metadata.entrypoint = entrypoint.text.to_owned();
        }
    }
    metadata.memory_limit = unit(section, "memory-limit", report);
    metadata.execution_timeout = unit(section, "execution-timeout", report);
    for operation in section.texts("expected-operations", report) {
        if operation.text.len() > MAX_NAME_BYTES {
            let message = format!("an operation's name has at most {MAX_NAME_BYTES} bytes");
            report.add(operation.span, message);
        } else {
            metadata.expected_operations.push(operation.text.to_owned());
        }
    }
    metadata
}

/// Returns a key's value of a type with units.
fn unit<T: FromStr<Err: Display>>(section: &Section<'_>, key: &str, report: &mut Report<'_>) -> Option<T> {
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
            report.add(text.span, format!("{error}"));
            None
        }
    }
}

fn extensions(section: &Section<'_>, report: &mut Report<'_>) -> BTreeMap<String, toml::Table> {
    let mut found = BTreeMap::new();
    for (key, value) in section.table {
        let DeValue::Table(table) = value.get_ref() else {
            let what = format!("`extensions.{}`", quoted(key.get_ref()));
            report.add(value.span(), expected(&what, "a table", value));
            continue;
        };
        if key.get_ref().is_empty() || key.get_ref().len() > MAX_NAME_BYTES {
            let message = format!("an extension's name has 1 to {MAX_NAME_BYTES} bytes");
            report.add(key.span(), message);
            continue;
        }
        found.insert(key.get_ref().clone().into_owned(), kept(table, report));
    }
    found
}

/// Converts a table that is kept as it is. Its depth was checked before.
fn kept(table: &DeTable<'_>, report: &mut Report<'_>) -> toml::Table {
    let mut found = toml::Table::new();
    for (key, value) in table {
        if let Some(value) = kept_value(value, report) {
            found.insert(key.get_ref().clone().into_owned(), value);
        }
    }
    found
}

fn kept_value(value: &Value<'_>, report: &mut Report<'_>) -> Option<toml::Value> {
    Some(match value.get_ref() {
        DeValue::String(text) => toml::Value::String(text.clone().into_owned()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => toml::Value::Integer(number),
            Err(_) => {
                report.add(value.span(), "the number has more than 64 bits");
                return None;
            }
        },
        DeValue::Float(number) => match number.as_str().parse() {
            Ok(number) => toml::Value::Float(number),
            Err(_) => {
                report.add(value.span(), "the number cannot be represented");
                return None;
            }
        },
        DeValue::Boolean(truth) => toml::Value::Boolean(*truth),
        DeValue::Datetime(time) => toml::Value::Datetime(*time),
        DeValue::Array(list) => {
            toml::Value::Array(list.iter().filter_map(|item| kept_value(item, report)).collect())
        }
        DeValue::Table(table) => toml::Value::Table(kept(table, report)),
    })
}
