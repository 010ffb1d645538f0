//! Test cases: every combination of paths and calls.

use super::calls::{Call, Case};
use crate::bindings::wasi::filesystem::types::{DescriptorFlags, OpenFlags};

/// Names that paths lead to: files, directories, links to each, links that lead nowhere or out, nothing; and paths
/// through them.
const NAMES: &[&str] = &[
    "file",
    "dir",
    "empty",
    "link",
    "symdir",
    "dangling",
    "loop",
    "missing",
    "slashdir",
    "slashnowhere",
    "pipe",
    "out",
    "back",
    "absolute",
    ".",
    "..",
    "n/file",
    "n/dir",
    "n/link",
    "n/symdir",
    "n/dangling",
    "n/loop",
    "n/missing",
    "n/updir",
    "symn/link",
    "symn/missing",
    "n/../symdir",
    "symdir/inner",
    "file/file",
    "loop/file",
    "out/secret",
];

/// Prefixes and suffixes around a path's name.
const FORMS: &[(&str, &str)] = &[
    ("", ""),
    ("", "/"),
    ("", "//"),
    ("", "/."),
    ("", "/.//"),
    ("", "/.."),
    ("./", ""),
    (".//", "/"),
];

/// Ways of opening a file: the open flags and the descriptor flags.
const OPENINGS: &[(&[OpenFlags], &[DescriptorFlags])] = {
    const READ: DescriptorFlags = DescriptorFlags::READ;
    const WRITE: DescriptorFlags = DescriptorFlags::WRITE;
    const CREATE: OpenFlags = OpenFlags::CREATE;
    const DIRECTORY: OpenFlags = OpenFlags::DIRECTORY;
    const EXCLUSIVE: OpenFlags = OpenFlags::EXCLUSIVE;
    const TRUNCATE: OpenFlags = OpenFlags::TRUNCATE;
    &[
        (&[], &[]),
        (&[], &[READ]),
        (&[], &[WRITE]),
        (&[], &[READ, WRITE]),
        (&[CREATE], &[READ]),
        (&[CREATE], &[WRITE]),
        (&[CREATE, EXCLUSIVE], &[WRITE]),
        (&[CREATE, TRUNCATE], &[READ, WRITE]),
        (&[TRUNCATE], &[READ]),
        (&[TRUNCATE], &[WRITE]),
        (&[EXCLUSIVE], &[READ]),
        (&[DIRECTORY], &[READ]),
        (&[DIRECTORY], &[WRITE]),
        (&[DIRECTORY, CREATE], &[READ]),
        (&[DIRECTORY, EXCLUSIVE], &[READ]),
        (&[DIRECTORY, TRUNCATE], &[READ]),
    ]
};

fn paths() -> Vec<String> {
    let forms = |name: &&str| {
        FORMS
            .iter()
            .map(move |(before, after)| format!("{before}{name}{after}"))
            .collect()
    };
    let mut paths: Vec<String> = NAMES
        .iter()
        .flat_map(|name| -> Vec<String> { forms(name) })
        .collect();
    let long = "n".repeat(256);
    // Exactly as long as paths may be, and one byte longer.
    for end in ["file", "file/", "fileslonger", "./dir"] {
        paths.push(format!("{}{end}", "./".repeat(2045)));
    }
    paths.extend([
        String::new(),
        long.clone(),
        format!("{long}/"),
        format!("{long}/.."),
        format!("n/{long}/"),
    ]);
    paths
}

/// Returns every call with one path that varies.
pub(super) fn one_path() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in paths() {
        let mut add = |call, path: &str, other: &str| {
            cases.push(Case {
                call,
                path: path.into(),
                other: other.into(),
            });
        };
        for follow in [false, true] {
            add(Call::Stat(follow), &path, "");
            add(Call::Hash(follow), &path, "");
            add(Call::SetTimes(follow), &path, "");
            for (how, flags) in OPENINGS {
                let (how, flags) = (how.iter().copied().collect(), flags.iter().copied().collect());
                add(Call::Open(follow, how, flags), &path, "");
            }
            add(Call::Link(follow), &path, "fresh");
        }
        for call in [
            Call::Readlink,
            Call::Unlink,
            Call::RemoveDirectory,
            Call::CreateDirectory,
        ] {
            add(call, &path, "");
        }
        add(Call::Link(false), &path, "other");
        add(Call::Link(false), "file", &path);
        add(Call::Link(false), "dir/", &path);
        add(Call::Symlink, "file", &path);
        add(Call::Symlink, &path, "fresh");
        for to in ["fresh", "other", "empty", "fresh/"] {
            add(Call::Rename, &path, to);
        }
        for from in ["other", "empty", "link", "empty/"] {
            add(Call::Rename, from, &path);
        }
    }
    cases
}

/// Returns renames and links between all pairs of some paths.
pub(super) fn two_paths() -> Vec<Case> {
    let names = [
        "file",
        "dir",
        "empty",
        "link",
        "symdir",
        "dangling",
        "loop",
        "missing",
        "n",
        "n/dir",
        "n/missing",
        "file/x",
    ];
    let ends = ["", "/", "/.", "/.."];
    let paths: Vec<String> = names
        .iter()
        .flat_map(|name| ends.map(|end| format!("{name}{end}")))
        .collect();
    let mut cases = Vec::new();
    for path in &paths {
        for other in &paths {
            for call in [Call::Rename, Call::Link(false)] {
                cases.push(Case {
                    call,
                    path: path.clone(),
                    other: other.clone(),
                });
            }
        }
    }
    cases
}
