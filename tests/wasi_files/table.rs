//! The table of WASI's functions in docs/security.md: each function works with its capability alone, and is denied without
//! it.

use std::fs;

use crate::bench::{Step, at, between, call, open};
use crate::policy::Guarded;

/// The descriptor of the granted folder.
const DATA: u32 = 0;

/// The call for an entry of the table in docs/security.md, and whether it needs no other capability.
fn example(entry: &str) -> (Step, bool) {
    let (file, folder) = (1, 2);
    let alone = |step| (step, true);
    let among = |step| (step, false);
    match entry {
        "`open-at` to read" => alone(open(DATA, "sub/inner.txt", "read")),
        "`open-at` to write, create or truncate" => {
            alone(open(DATA, "sub/made.txt", "write create truncate"))
        }
        "`open-at` of a folder" => alone(open(DATA, "sub", "read directory")),
        "the new path of `link-at`" => among(between("link-at", DATA, "hello.txt", DATA, "sub/linked")),
        "the new path of `rename-at`" => among(between("rename-at", DATA, "hello.txt", DATA, "sub/moved")),
        "the old path of `rename-at`" => among(between("rename-at", DATA, "hello.txt", DATA, "sub/moved")),
        "the old path of `link-at`" => among(between("link-at", DATA, "hello.txt", DATA, "sub/linked")),
        "`read-directory`" | "`read-directory-entry`" => alone(call("list", folder)),
        "`symlink-at`" => alone(between("symlink-at", DATA, "x", DATA, "sub/new-link")),
        "`readlink-at`" => alone(at("readlink-at", DATA, "link")),
        "`create-directory-at`" => alone(at("create-directory-at", DATA, "sub/new-folder")),
        "`unlink-file-at`" => alone(at("unlink-file-at", DATA, "hello.txt")),
        "`remove-directory-at`" => alone(at("remove-directory-at", DATA, "sub/deeper")),
        "`get-directories`" => alone(call("get-type", DATA)),
        other => {
            let name = other.trim_matches('`');
            match name.ends_with("-at") {
                true => alone(at(name, DATA, "hello.txt")),
                false => alone(call(name, file)),
            }
        }
    }
}

#[test]
fn the_table_of_the_documentation_is_that_of_the_functions() {
    const ACTIONS: [&str; 4] = ["read", "write", "list", "delete"];
    let document = fs::read_to_string(crate::common::root().join("docs/security.md")).expect("it is there");
    let table = document
        .split("| capability | `wasi:filesystem` functions |")
        .nth(1)
        .expect("the table");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let mut count = 0;
    for row in rows {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let needed: &[&str] = match cells[1] {
            "any of these four" => &ACTIONS,
            "none" => &[],
            one => {
                let action = one.trim_matches('`').rsplit(':').next().expect("an action");
                &ACTIONS[ACTIONS.iter().position(|known| *known == action).expect(action)..][..1]
            }
        };
        for entry in cells[2]
            .split("; ")
            .flat_map(|part| match part.contains(" create or ") {
                // This entry has a comma itself.
                true => {
                    let (first, rest) = part.split_at("`open-at` to write, create or truncate".len());
                    [vec![first], rest.trim_start_matches(", ").split(", ").collect()].concat()
                }
                false => part.split(", ").collect(),
            })
        {
            let (step, alone) = example(entry);
            let answer = |kept: &dyn Fn(&str) -> bool| {
                let rules = ACTIONS.map(|action| format!("allow filesystem:{action}:$/data"));
                let mut guarded = Guarded::new(&rules.each_ref().map(String::as_str));
                let opened = [
                    open(DATA, "sub/inner.txt", "read write"),
                    open(DATA, "sub", "read directory"),
                ];
                assert_eq!(guarded.take(opened[0].clone()).0, "ok 1");
                assert_eq!(guarded.take(opened[1].clone()).0, "ok 2");
                for action in ACTIONS.into_iter().filter(|action| !kept(action)) {
                    guarded.revoke(&format!("filesystem:{action}:$/data"));
                }
                guarded.take(step.clone()).0
            };
            let without = answer(&|action| !needed.contains(&action));
            assert_eq!(
                without.ends_with("access"),
                !needed.is_empty(),
                "{entry} without {needed:?}: {without}"
            );
            for action in needed.iter().filter(|_| alone) {
                let with = answer(&|kept| kept == *action);
                assert!(!with.ends_with("access"), "{entry} with {action}: {with}");
            }
            count += 1;
        }
    }
    assert!(count >= 30, "{count}");
}
