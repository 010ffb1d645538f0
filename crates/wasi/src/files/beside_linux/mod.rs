//! Comparison of every function that takes a path with the same call of Linux on an identical tree: the answers, and
//! the tree afterwards. Known differences are [`Difference`]s, each with its reason; any other difference fails.
//!
//! The first cases were slashes at the end of paths: wasmtime's issues 14359 ("WASI `stat-at` ignores a trailing `/` or
//! `/.`") and 14380 ("Wasmtime doesn't stat paths-to-symlinks with trailing slashes correctly").

mod calls;
mod cases;
mod tree;

use std::collections::BTreeMap;

use calls::{Call, Case, Ours, Theirs};

use crate::bindings::wasi::filesystem::types::OpenFlags;
use crate::files::FsPerms;

/// A reason to answer otherwise than Linux does. The tree then stays unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    /// A path or a link leads out of the folder, where Linux would follow it.
    Sandbox,
    /// A link with an absolute path is neither created nor read: the host would resolve it differently.
    AbsoluteLink,
    /// Hosts refuse to follow a link in order to link its target (`path_link` in wasi-testsuite requires that).
    LinkFollow,
    /// Hosts refuse to create or truncate a directory by `open-at`; Linux refuses some of these, depending on its
    /// version.
    DirectoryMade,
    /// The folder is granted read-only: a call that could change it is refused before the path is looked at.
    ReadOnly,
}

impl Difference {
    /// Returns the difference that a case is expected to have.
    fn of(case: &Case, ours: &Ours, access: FsPerms) -> Option<Difference> {
        let makes = OpenFlags::CREATE | OpenFlags::EXCLUSIVE | OpenFlags::TRUNCATE;
        match case.call {
            Call::Open(_, how, _) if how.contains(OpenFlags::DIRECTORY) && how.intersects(makes) => {
                Some(Difference::DirectoryMade)
            }
            _ if access == FsPerms::ReadOnly && case.changes() => Some(Difference::ReadOnly),
            Call::Link(true) => Some(Difference::LinkFollow),
            _ if case.leaves(&ours.tree) => Some(Difference::Sandbox),
            Call::Symlink if case.path.starts_with('/') => Some(Difference::AbsoluteLink),
            Call::Readlink if case.path.trim_start_matches("./") == "absolute" => {
                Some(Difference::AbsoluteLink)
            }
            _ => None,
        }
    }

    fn answer(self) -> &'static str {
        match self {
            Difference::Sandbox | Difference::AbsoluteLink => "NotPermitted",
            Difference::LinkFollow | Difference::DirectoryMade => "Invalid",
            Difference::ReadOnly => "ReadOnly",
        }
    }
}

/// Runs all cases on both sides, and returns how many agree and how many differ, by reason.
fn compare(cases: &[Case], access: FsPerms) -> BTreeMap<Option<Difference>, usize> {
    let (mut ours, theirs) = (Ours::new(access), Theirs::new());
    let before = ours.tree.picture();
    assert_eq!(before, theirs.tree.picture(), "the trees are alike");
    let mut counts = BTreeMap::new();
    let mut unexplained = Vec::new();
    for case in cases {
        let difference = Difference::of(case, &ours, access);
        let answer = ours.answer(case);
        let after = ours.tree.picture();
        let (expected, expected_after) = match difference {
            Some(difference) => (difference.answer().to_owned(), before.clone()),
            None => (theirs.answer(case), theirs.tree.picture()),
        };
        if (&answer, &after) == (&expected, &expected_after) {
            *counts.entry(difference).or_insert(0) += 1;
        } else {
            let effect = if after == expected_after {
                ""
            } else {
                ", and another effect"
            };
            unexplained.push(format!(
                "{case:?}: `{answer}`, not `{expected}` ({difference:?}){effect}"
            ));
        }
        for (tree, after) in [(&ours.tree, &after), (&theirs.tree, &expected_after)] {
            if *after != before {
                tree.restore();
                assert_eq!(tree.picture(), before, "after {case:?}");
            }
        }
    }
    println!("{} cases: {counts:?}", cases.len());
    assert!(
        unexplained.is_empty(),
        "{} of {} differ without a reason:\n{}",
        unexplained.len(),
        cases.len(),
        unexplained.join("\n")
    );
    counts
}

#[test]
fn paths_are_resolved_as_linux_resolves_them() {
    let cases = cases::one_path();
    assert!(cases.len() >= 2000);
    let counts = compare(&cases, FsPerms::ReadWrite);
    assert!(counts.get(&None) >= Some(&10_000), "{counts:?}");
    for difference in [
        Difference::Sandbox,
        Difference::AbsoluteLink,
        Difference::LinkFollow,
        Difference::DirectoryMade,
    ] {
        assert!(
            counts.contains_key(&Some(difference)),
            "{difference:?} is no difference any more"
        );
    }
}

#[test]
fn pairs_of_paths_are_linked_and_renamed_as_on_linux() {
    let counts = compare(&cases::two_paths(), FsPerms::ReadWrite);
    assert!(counts.get(&None) >= Some(&4000), "{counts:?}");
}

#[test]
fn a_read_only_folder_resolves_paths_as_linux_does_and_refuses_every_change() {
    let cases: Vec<Case> = cases::one_path()
        .into_iter()
        .filter(|case| case.other.is_empty())
        .collect();
    let counts = compare(&cases, FsPerms::ReadOnly);
    assert!(counts.get(&None) >= Some(&1000), "{counts:?}");
    assert!(
        counts.get(&Some(Difference::ReadOnly)) >= Some(&1000),
        "{counts:?}"
    );
}
