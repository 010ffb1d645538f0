//! The cases of `tests/guests/wasi-cases`, on every backend of ours and on wasmtime with its own WASI: each in a fresh
//! world, with the same grants. Incoming requests are cases of their own ([`served`]). The answers must be the same,
//! except for the [`DIFFERENCES`].

mod answer;
mod differences;
pub mod functions;
mod ours;
mod reference;
pub mod served;
mod world;

use std::collections::BTreeSet;
use std::path::Path;

use airssys_wasm_component::engine::Backend;
use anyhow::{Context, Result, ensure};

pub use answer::{Answer, End};
pub use differences::{DIFFERENCES, Difference};
pub use ours::Ours;
pub use reference::Reference;
pub use world::World;

use crate::document::Block;
use crate::matrix::{Group, Tally, lines, table};

/// Most bytes of a case's output.
const MAX_OUTPUT: usize = 1 << 20;

/// Cases that must trap, since the guest breaks a rule of the interface, unless a difference is known. Any other trap is a
/// failure, on either side.
const TRAPS: &[&str] = &[
    "streams/write without asking",
    "streams/write more than is permitted",
    "streams/blocking-write-and-flush of 4097 bytes",
    "streams/blocking-write-zeroes-and-flush of 4097 bytes",
    "streams/pollable outlives its stream",
    "poll/of an empty list",
];

/// An engine that runs the cases.
pub trait Side {
    fn name(&self) -> &str;

    /// Reports whether this is the side that the others are compared with.
    fn is_reference(&self) -> bool {
        false
    }

    /// Lists the names of the cases.
    ///
    /// # Errors
    /// If the guest cannot be run.
    fn list(&self) -> Result<Vec<String>>;

    /// Runs one case.
    ///
    /// # Errors
    /// If the guest cannot be started.
    fn run(&self, case: &str, world: &World) -> Result<Answer>;

    /// Lets a client talk to a server whose requests the guest answers.
    ///
    /// # Errors
    /// If no server can be started, or the client fails.
    fn serve(&self, talk: &served::Talk<'_>) -> Result<Answer>;
}

/// Reads the guest.
///
/// # Errors
/// If it cannot be read.
pub fn guest() -> Result<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/wasi-cases.wasm");
    std::fs::read(&path).with_context(|| format!("{}", path.display()))
}

/// Returns every backend of this build, and the reference at the end.
///
/// # Errors
/// A build without a backend, or a guest that does not compile.
pub fn sides(guest: &[u8]) -> Result<Vec<Box<dyn Side>>> {
    let mut sides: Vec<Box<dyn Side>> = Vec::new();
    for backend in Backend::available() {
        sides.push(Box::new(Ours::new(*backend, guest)?));
    }
    ensure!(!sides.is_empty(), "this build has no backend to compare");
    sides.push(Box::new(Reference::new(guest)?));
    Ok(sides)
}

/// Results of one case.
#[derive(Clone, Debug)]
pub struct Row {
    pub case: String,
    /// One answer for each side.
    pub answers: Vec<Answer>,
    /// The faults of each side.
    pub faults: Vec<Vec<String>>,
    /// Indices of the [`DIFFERENCES`] that it showed.
    pub shown: BTreeSet<usize>,
}

/// Runs a case on every side, and compares each with the last.
///
/// # Errors
/// If the case cannot be run.
pub fn compare(case: &str, sides: &[Box<dyn Side>]) -> Result<Row> {
    let mut answers = Vec::new();
    let mut faults = Vec::new();
    for side in sides {
        let world = World::new()?;
        let answer = match served::talk(case) {
            Some(talk) => side.serve(&talk),
            None => side.run(case, &world),
        };
        let answer = answer.with_context(|| format!("{case} on {}", side.name()))?;
        let mut wrong = Vec::new();
        if !world.is_unharmed()? {
            wrong.push("files outside of the granted folders have changed".to_owned());
        }
        let right = match &answer.end {
            End::Seen(_) | End::Exited(_) => !TRAPS.contains(&case) || side.is_reference(),
            End::Trapped(_) => TRAPS.contains(&case),
            End::Failed(_) => false,
        };
        if !right {
            wrong.push(format!("it ended with {:?}", answer.end));
        }
        answers.push(answer);
        faults.push(wrong);
    }
    let theirs = answers.last().map(Answer::lines).unwrap_or_default();
    let mut shown = BTreeSet::new();
    for (answer, faults) in answers.iter().zip(&mut faults) {
        differ(case, &answer.lines(), &theirs, faults, &mut shown);
    }
    Ok(Row {
        case: case.to_owned(),
        answers,
        faults,
        shown,
    })
}

/// Compares lines; unexplained differences are faults.
fn differ(
    case: &str,
    ours: &[String],
    theirs: &[String],
    faults: &mut Vec<String>,
    shown: &mut BTreeSet<usize>,
) {
    if ours.len() != theirs.len() {
        faults.push(format!("{ours:?}, but the reference {theirs:?}"));
        return;
    }
    for (ours, theirs) in ours.iter().zip(theirs) {
        if ours == theirs {
            continue;
        }
        let explained = DIFFERENCES
            .iter()
            .position(|difference| difference.explains(case, ours, theirs));
        match explained {
            Some(place) => {
                shown.insert(place);
            }
            None => faults.push(format!("`{ours}`, but the reference `{theirs}`")),
        }
    }
}

/// Runs all cases on all sides.
///
/// # Errors
/// If they cannot be run, or the sides list different cases.
pub fn run(sides: &[Box<dyn Side>], wanted: impl Fn(&str) -> bool) -> Result<Vec<Row>> {
    let mut lists = sides.iter().map(|side| side.list());
    let cases = lists.next().context("there are no sides to compare")??;
    for other in lists {
        ensure!(other? == cases, "the sides have different cases");
    }
    let cases = cases.into_iter().chain(served::names());
    let wanted = cases.filter(|case| wanted(case));
    wanted.map(|case| compare(&case, sides)).collect()
}

/// Formats the faults.
pub fn failures(sides: &[Box<dyn Side>], rows: &[Row]) -> Vec<String> {
    let mut failures = Vec::new();
    for row in rows {
        for (side, faults) in sides.iter().zip(&row.faults) {
            let faults = faults.iter();
            failures.extend(faults.map(|fault| format!("{} [{}]: {fault}", row.case, side.name())));
        }
    }
    failures
}

/// Returns the known differences that no row has shown.
pub fn stale(rows: &[Row]) -> Vec<String> {
    let shown: BTreeSet<usize> = rows.iter().flat_map(|row| row.shown.iter().copied()).collect();
    let stale = DIFFERENCES
        .iter()
        .enumerate()
        .filter(|(place, _)| !shown.contains(place));
    stale
        .map(|(_, difference)| format!("no case shows this difference: {difference:?}"))
        .collect()
}

/// Returns the tables for the document.
///
/// # Errors
/// If the cases cannot be run.
pub fn blocks() -> Result<[Block; 2]> {
    let sides = sides(&guest()?)?;
    let rows = run(&sides, |_| true)?;
    let mut groups: Vec<Group> = Vec::new();
    for row in &rows {
        let name = row.case.split_once('/').map_or("", |(group, _)| group);
        if groups.last().is_none_or(|group| group.name != name) {
            groups.push(Group {
                name: name.to_owned(),
                tallies: vec![Tally::default(); sides.len()],
            });
        }
        let tallies = groups.last_mut().into_iter().flat_map(|group| &mut group.tallies);
        for (tally, faults) in tallies.zip(&row.faults) {
            match faults.is_empty() {
                true => tally.passed += 1,
                false => tally.failed += 1,
            }
        }
    }
    let names: Vec<String> = sides.iter().map(|side| side.name().to_owned()).collect();
    let mut failures = failures(&sides, &rows);
    failures.extend(stale(&rows));
    let mut otherwise = vec![["cases", "ours", "wasmtime's", "why"].map(str::to_owned).to_vec()];
    otherwise.extend(DIFFERENCES.iter().map(|difference| {
        [
            difference.case,
            difference.ours,
            difference.theirs,
            difference.reason,
        ]
        .map(str::to_owned)
        .to_vec()
    }));
    Ok([
        Block {
            name: "wasi",
            text: table("cases", &names, &groups),
            failures,
        },
        Block {
            name: "wasi-otherwise",
            text: lines(&otherwise),
            failures: Vec::new(),
        },
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_unexplained_is_a_fault() {
        let text = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let (mut faults, mut shown) = (Vec::new(), BTreeSet::new());
        let theirs = text(&["call: not-permitted", "unchanged: true"]);
        let mut check = |case: &str, ours: &[&str]| {
            faults.clear();
            differ(case, &text(ours), &theirs, &mut faults, &mut shown);
            faults.len()
        };
        assert_eq!(check("read-only/x", &["call: read-only", "unchanged: true"]), 0);
        assert_eq!(check("files/x", &["call: read-only", "unchanged: true"]), 1);
        assert_eq!(check("read-only/x", &["call: read-only", "unchanged: false"]), 1);
        assert_eq!(check("read-only/x", &["call: read-only"]), 1);
        assert_eq!(check("files/x", &["call: not-permitted", "unchanged: true"]), 0);
        assert_eq!(shown.len(), 1);
    }
}
