//! `docs/conformance.md`: its prose is written by hand, its tables between markers are generated here.

use std::path::{Path, PathBuf};

use crate::Subject;
use crate::wast::FileReport;
use anyhow::{Context, Result, ensure};

use crate::engines::REFERENCE;
use crate::matrix::{Group, differences, lines, table};
use crate::{fixtures, scripts};

/// Returns the path of the document.
pub fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/conformance.md")
}

/// A table, by the name of its markers.
#[derive(Clone, Debug)]
pub struct Block {
    pub name: &'static str,
    pub text: String,
    /// Failures in the table's cases.
    pub failures: Vec<String>,
}

/// Returns the document with the text between `<!-- NAME -->` and `<!-- /NAME -->` replaced.
///
/// # Errors
/// Missing markers.
pub fn with_block(document: &str, block: &Block) -> Result<String> {
    let (open, close) = (
        format!("<!-- {} -->\n", block.name),
        format!("<!-- /{} -->", block.name),
    );
    let parts = document.split_once(&open).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&close)?;
        Some((before, after))
    });
    let (before, after) = parts.with_context(|| format!("the markers `{}` are missing", block.name))?;
    Ok(format!("{before}{open}\n{}\n{close}{after}", block.text))
}

fn names(engines: &[Box<dyn Subject>]) -> Vec<String> {
    engines.iter().map(|engine| engine.name().to_owned()).collect()
}

/// Scripts of the specification's suite that the text format's parser no longer reads: an option that was removed later.
const UNREADABLE: &[&str] = &["async/cancellable.wast"];

/// Runs the specification's own suite in `folder`.
///
/// # Errors
/// Files that cannot be read.
pub fn specification(folder: &Path, engines: &[Box<dyn Subject>]) -> Result<[Block; 2]> {
    let found = scripts::below(folder, UNREADABLE)?;
    let reports = scripts::run(folder, &found, engines)?;
    let groups: Vec<Group> = reports.iter().map(|reports| Group::of_script(reports)).collect();
    // Failures of the reference are reported in the table, but do not count.
    let of_ours: Vec<Vec<FileReport>> = reports.iter().map(|reports| ours(reports)).collect();
    let failures = failures(&of_ours);
    let mut rows = vec![
        ["file", "lines", "feature", "engines"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for reports in &of_ours {
        rows.extend(missing(reports));
    }
    Ok([
        Block {
            name: "specification",
            text: table("file", &names(engines), &groups),
            failures,
        },
        Block {
            name: "unsupported",
            text: lines(&rows),
            failures: Vec::new(),
        },
    ])
}

fn ours(reports: &[FileReport]) -> Vec<FileReport> {
    let ours = reports.iter().filter(|report| report.backend != REFERENCE);
    ours.cloned().collect()
}

/// Returns table rows of the features that scripts lack, with their lines.
fn missing(reports: &[FileReport]) -> Vec<Vec<String>> {
    // The same lines and feature on several engines are one row.
    let mut rows: Vec<(String, String, Vec<&str>)> = Vec::new();
    for report in reports {
        for (feature, _) in report.missing_features() {
            let lines = report.lacking.iter().filter(|lacking| lacking.feature == feature);
            let lines: Vec<String> = lines.map(|lacking| lacking.line.to_string()).collect();
            let lines = match &lines[..] {
                [first, .., last] if lines.len() > 4 => format!("{} from {first} to {last}", lines.len()),
                _ => lines.join(", "),
            };
            match rows.iter_mut().find(|row| row.0 == lines && row.1 == feature) {
                Some(row) => row.2.push(&report.backend),
                None => rows.push((lines, feature.to_owned(), vec![&report.backend])),
            }
        }
    }
    let file = reports
        .first()
        .map(|report| report.file.clone())
        .unwrap_or_default();
    rows.into_iter()
        .map(|(lines, feature, engines)| vec![file.clone(), lines, feature, engines.join(", ")])
        .collect()
}

/// Returns the failures of each engine.
pub fn failures(reports: &[Vec<FileReport>]) -> Vec<String> {
    let mut failures = Vec::new();
    for report in reports.iter().flatten() {
        for failure in &report.failures {
            failures.push(format!(
                "{}:{} [{}]: expected {}, got {}",
                report.file, failure.line, report.backend, failure.expected, failure.got
            ));
        }
    }
    failures
}

/// Runs the project's own scripts.
///
/// # Errors
/// Files that cannot be read.
pub fn own(engines: &[Box<dyn Subject>]) -> Result<Block> {
    let folder = scripts::own();
    let reports = scripts::run(&folder, &scripts::below(&folder, &[])?, engines)?;
    let groups: Vec<Group> = reports.iter().map(|reports| Group::of_script(reports)).collect();
    Ok(Block {
        name: "own",
        text: table("file", &names(engines), &groups),
        failures: failures(&reports),
    })
}

/// Runs the calls of the fixtures.
///
/// # Errors
/// Files that cannot be read.
pub fn calls(engines: &[Box<dyn Subject>]) -> Result<Block> {
    let mut groups = Vec::new();
    let mut failures = Vec::new();
    for name in fixtures::NAMES {
        let comparison = fixtures::run(name, engines)?;
        groups.push(Group::of_calls(name, &comparison));
        failures.extend(
            differences(&comparison)
                .into_iter()
                .map(|difference| format!("{name}: {difference}")),
        );
    }
    Ok(Block {
        name: "calls",
        text: table("fixture", &names(engines), &groups),
        failures,
    })
}

/// Writes blocks to the document.
///
/// # Errors
/// A document that cannot be read or written, or lacks the markers.
pub fn write(path: &Path, blocks: &[Block]) -> Result<()> {
    let mut document = std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
    for block in blocks {
        document = with_block(&document, block)?;
    }
    ensure!(!document.is_empty(), "the document would be empty");
    std::fs::write(path, document).with_context(|| format!("{}", path.display()))
}
