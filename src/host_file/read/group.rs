//! Tables `[[group]]`.

use toml::de::{DeTable, DeValue};

use super::values::{choice, number, parsed};
use super::{MAX_GROUPS, unknown_keys};
use crate::actors::GroupStrategy;
use crate::host_file::types::DeclaredGroup;
use crate::manifest::MAX_NAME_BYTES;
use crate::manifest::read::report::{Report, quoted};
use crate::manifest::read::values::{Section, expected};

pub(super) const KEYS: [&str; 4] = ["name", "strategy", "intensity", "period"];

pub(super) fn groups(root: &DeTable<'_>, report: &mut Report<'_>) -> Vec<DeclaredGroup> {
    let Some((key, value)) = root.get_key_value("group") else {
        return Vec::new();
    };
    let wanted = "tables that each begin with `[[group]]`";
    let DeValue::Array(tables) = value.get_ref() else {
        report.add(key.span(), expected("`group`", wanted, value));
        return Vec::new();
    };
    if tables.len() > MAX_GROUPS {
        let message = format!(
            "the file declares {} groups: at most {MAX_GROUPS} are allowed",
            tables.len()
        );
        report.add(key.span(), message);
        return Vec::new();
    }
    let mut found: Vec<DeclaredGroup> = Vec::new();
    for value in tables.iter() {
        let DeValue::Table(table) = value.get_ref() else {
            report.add(value.span(), expected("an entry of `group`", wanted, value));
            continue;
        };
        let section = Section {
            name: "[group]",
            span: value.span(),
            table,
        };
        unknown_keys(&section, &KEYS, report);
        if let Some(group) = group(&section, &found, report) {
            found.push(group);
        }
    }
    found
}

fn group(section: &Section<'_>, earlier: &[DeclaredGroup], report: &mut Report<'_>) -> Option<DeclaredGroup> {
    let name = section.required("name", report);
    let name = name.and_then(|name| {
        let problem = if name.text.is_empty() || name.text.len() > MAX_NAME_BYTES {
            format!("the name of a group has from 1 to {MAX_NAME_BYTES} bytes")
        } else if earlier.iter().any(|group| group.name == name.text) {
            format!("two groups have the name `{}`: change one", quoted(name.text))
        } else {
            return Some(name.text.to_owned());
        };
        report.add(name.span, problem);
        None
    });
    let strategies = [
        ("one-for-one", GroupStrategy::OneForOne),
        ("one-for-all", GroupStrategy::OneForAll),
        ("rest-for-one", GroupStrategy::RestForOne),
    ];
    let strategy = choice(section, "strategy", &strategies, report);
    let intensity = number(section, "intensity", 0..=10_000, report);
    let period = parsed(section, "period", report);
    Some(DeclaredGroup {
        name: name?,
        strategy,
        intensity,
        period,
    })
}
