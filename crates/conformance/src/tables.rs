//! The tables of hostile guests and of advisories.

use std::collections::BTreeMap;

use crate::{Ours, Reference};
use anyhow::Result;

use crate::document::Block;
use crate::hostile::Reference as Outside;
use crate::hostile::advisories::ADVISORIES;
use crate::hostile::{Case, cases, run_ours, run_subject};
use crate::matrix::{Group, Tally, lines, table};

/// Runs every hostile case: on our backends compares the exact error, on the reference the category, where comparable.
///
/// # Errors
/// A reference that refuses its configuration.
pub fn hostile() -> Result<Block> {
    let backends = Ours::all()?;
    let reference = Reference::new()?;
    let mut engines: Vec<String> = backends
        .iter()
        .map(|ours| ours.backend().name().to_owned())
        .collect();
    engines.push(crate::engines::REFERENCE.to_owned());

    let mut groups: BTreeMap<&str, Vec<Tally>> = BTreeMap::new();
    let mut failures = Vec::new();
    for case in cases() {
        let mut outcomes: Vec<Result<bool, String>> = Vec::new();
        for ours in &backends {
            outcomes.push(run_ours(&case, ours.backend()).map(|()| true));
        }
        outcomes.push(on_reference(&case, &reference));
        let tallies = groups
            .entry(case.group)
            .or_insert_with(|| vec![Tally::default(); engines.len()]);
        for ((tally, outcome), engine) in tallies.iter_mut().zip(outcomes).zip(&engines) {
            match outcome {
                Ok(true) => tally.passed += 1,
                Ok(false) => tally.unsupported += 1,
                Err(message) => {
                    tally.failed += 1;
                    failures.push(format!("{} [{engine}]: {message}", case.name));
                }
            }
        }
    }
    let groups: Vec<Group> = groups
        .into_iter()
        .map(|(name, tallies)| Group {
            name: name.to_owned(),
            tallies,
        })
        .collect();
    Ok(Block {
        name: "hostile",
        text: table("group", &engines, &groups),
        failures,
    })
}

/// Reports whether a case is comparable on the reference; an error if its outcome is not the known one.
fn on_reference(case: &Case, reference: &Reference) -> Result<bool, String> {
    if matches!(case.reference, Outside::Not(_)) {
        return Ok(false);
    }
    case.reference_agrees(&run_subject(case, reference))
        .map(|()| true)
}

/// Tabulates the advisories with their cases.
pub fn advisories() -> Block {
    let mut rows = vec![["advisory", "summary", "case"].map(str::to_owned).to_vec()];
    rows.extend(ADVISORIES.iter().map(|advisory| {
        vec![
            advisory.ids.join(", "),
            advisory.summary.to_owned(),
            format!("`{}`", advisory.case),
        ]
    }));
    Block {
        name: "advisories",
        text: lines(&rows),
        failures: Vec::new(),
    }
}

/// Tabulates the deviations of the reference, with their reasons.
pub fn differences() -> Block {
    let mut rows: Vec<(String, usize)> = Vec::new();
    for case in cases() {
        let reason = match &case.reference {
            Outside::Same => continue,
            Outside::Differs(kind, reason) => format!("{kind}: {reason}"),
            Outside::Returns(reason) => format!("returns: {reason}"),
            Outside::Not(reason) => format!("not compared: {reason}"),
        };
        match rows.iter_mut().find(|(other, _)| *other == reason) {
            Some((_, count)) => *count += 1,
            None => rows.push((reason, 1)),
        }
    }
    let heading = vec!["wasmtime's difference".to_owned(), "cases".to_owned()];
    let rows = rows
        .into_iter()
        .map(|(reason, count)| vec![reason, count.to_string()]);
    Block {
        name: "otherwise",
        text: lines(&[heading].into_iter().chain(rows).collect::<Vec<_>>()),
        failures: Vec::new(),
    }
}
