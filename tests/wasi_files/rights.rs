//! Read-only folders: every function that would change something.

use crate::bench::{Bench, DATA, FIXED, MORE, Step, at, between, call, open};
use crate::{Case, check};

/// The first descriptor after the granted folders.
const OPENED: u32 = 3;

fn changes(folder: u32, path: &str) -> Vec<(&'static str, Step)> {
    vec![
        ("open-at to write", open(folder, path, "write")),
        ("open-at to read and write", open(folder, path, "read write")),
        ("open-at to make", open(folder, path, "read create")),
        (
            "open-at to make alone",
            open(folder, path, "read create exclusive"),
        ),
        ("open-at to cut", open(folder, path, "read truncate")),
        ("open-at for changes", open(folder, path, "read mutate-directory")),
        ("create-directory-at", at("create-directory-at", folder, path)),
        ("remove-directory-at", at("remove-directory-at", folder, path)),
        ("unlink-file-at", at("unlink-file-at", folder, path)),
        ("symlink-at", between("symlink-at", folder, "x", folder, path)),
        ("link-at", between("link-at", folder, path, folder, "new")),
        ("rename-at", between("rename-at", folder, path, folder, "new")),
        ("set-times-at", at("set-times-at", folder, path)),
        ("link-at out", between("link-at", folder, path, MORE, "new")),
        ("rename-at out", between("rename-at", folder, path, MORE, "new")),
        ("link-at in", between("link-at", DATA, "hello.txt", folder, path)),
        (
            "rename-at in",
            between("rename-at", DATA, "hello.txt", folder, path),
        ),
    ]
}

#[test]
fn a_read_only_folder_stays_as_it_is() {
    let mut cases = Vec::new();
    for path in ["hello.txt", "sub", "new", "link", "out/secret.txt"] {
        for (name, step) in changes(FIXED, path) {
            cases.push(Case::new(format!("{name} `{path}`"), [(step, "read-only")]));
        }
    }
    check(&cases, 80);
}

#[test]
fn so_does_a_directory_that_was_opened_in_it() {
    let mut cases = Vec::new();
    for path in ["inner.txt", "deeper", "new"] {
        for (name, step) in changes(OPENED, path) {
            cases.push(Case::new(
                format!("{name} `{path}`"),
                [
                    (open(FIXED, "sub", "read directory"), "ok 3"),
                    (step, "read-only"),
                ],
            ));
        }
    }
    check(&cases, 50);
}

#[test]
fn so_does_a_file_that_was_opened_in_it() {
    let steps = [
        call("write", OPENED),
        call("set-size", OPENED),
        call("set-times", OPENED),
        call("write-via-stream", OPENED),
        call("append-via-stream", OPENED),
    ];
    let cases: Vec<Case> = steps
        .into_iter()
        .map(|step| {
            let name = step.call.clone();
            Case::new(
                name,
                [(open(FIXED, "hello.txt", "read"), "ok 3"), (step, "read-only")],
            )
        })
        .chain([
            Case::new(
                "set-times of the folder",
                [(call("set-times", FIXED), "read-only")],
            ),
            Case::new(
                "reading it",
                [
                    (open(FIXED, "link", "read symlink-follow"), "ok 3"),
                    (call("read", OPENED), "ok \"hello\" false"),
                    (call("get-flags", OPENED), "ok 000001"),
                    (call("get-flags", FIXED), "ok 000001"),
                    (call("get-flags", DATA), "ok 100001"),
                    (call("sync", OPENED), "ok"),
                    (call("sync", FIXED), "ok"),
                    (at("readlink-at", FIXED, "link"), "ok hello.txt"),
                ],
            ),
        ])
        .collect();
    check(&cases, 7);
}

#[test]
fn a_descriptor_has_the_rights_that_it_was_opened_with() {
    let cases = [
        Case::new(
            "reading alone",
            [
                (open(DATA, "hello.txt", "read"), "ok 3"),
                (call("write", OPENED), "bad-descriptor"),
                (call("write-via-stream", OPENED), "bad-descriptor"),
                (call("append-via-stream", OPENED), "bad-descriptor"),
                (call("set-size", OPENED), "invalid"),
                (call("read", OPENED), "ok \"hello\" false"),
            ],
        ),
        Case::new(
            "writing alone",
            [
                (open(DATA, "hello.txt", "write"), "ok 3"),
                (call("read", OPENED), "bad-descriptor"),
                (call("read-via-stream", OPENED), "bad-descriptor"),
                (call("write", OPENED), "ok 1"),
            ],
        ),
        Case::new(
            "made to be read",
            [
                (open(DATA, "new", "read create"), "ok 3"),
                (call("write", OPENED), "bad-descriptor"),
                (call("set-size", OPENED), "invalid"),
            ],
        ),
        Case::new(
            "cut to be read",
            [
                (open(DATA, "hello.txt", "read truncate"), "ok 3"),
                (call("write", OPENED), "bad-descriptor"),
                (call("stat", OPENED), "ok regular-file 0"),
            ],
        ),
        Case::new(
            "a directory is no file",
            [
                (call("read", DATA), "bad-descriptor"),
                (call("write", DATA), "bad-descriptor"),
                (call("set-size", DATA), "bad-descriptor"),
                (call("advise", DATA), "bad-descriptor"),
                (call("read-via-stream", DATA), "is-directory"),
                (call("write-via-stream", DATA), "bad-descriptor"),
                (call("append-via-stream", DATA), "bad-descriptor"),
                (open(DATA, "sub", "write"), "is-directory"),
                (open(DATA, "sub", "read create"), "is-directory"),
            ],
        ),
        Case::new(
            "a file is no directory",
            [
                (open(DATA, "hello.txt", "read"), "ok 3"),
                (open(OPENED, "x", "read"), "not-directory"),
                (at("stat-at", OPENED, "x"), "not-directory"),
                (at("create-directory-at", OPENED, "x"), "not-directory"),
                (at("remove-directory-at", OPENED, "x"), "not-directory"),
                (at("unlink-file-at", OPENED, "x"), "not-directory"),
                (at("readlink-at", OPENED, "x"), "not-directory"),
                (at("set-times-at", OPENED, "x"), "not-directory"),
                (at("metadata-hash-at", OPENED, "x"), "not-directory"),
                (between("symlink-at", OPENED, "x", DATA, "y"), "not-directory"),
                (between("link-at", OPENED, "x", DATA, "y"), "not-directory"),
                (
                    between("link-at", DATA, "hello.txt", OPENED, "y"),
                    "not-directory",
                ),
                (
                    between("rename-at", DATA, "hello.txt", OPENED, "y"),
                    "not-directory",
                ),
                (call("list", OPENED), "not-directory"),
            ],
        ),
    ];
    check(&cases, 6);
}

#[test]
fn two_folders_that_may_be_changed_exchange_files() {
    let cases = [
        Case::new(
            "rename-at",
            [
                (between("rename-at", DATA, "hello.txt", MORE, "new"), "ok"),
                (at("stat-at", MORE, "new"), "ok regular-file 5"),
                (at("stat-at", DATA, "hello.txt"), "no-entry"),
            ],
        ),
        Case::new(
            "link-at",
            [
                (between("link-at", DATA, "hello.txt", MORE, "new"), "ok"),
                (at("stat-at", MORE, "new"), "ok regular-file 5"),
                (at("stat-at", DATA, "hello.txt"), "ok regular-file 5"),
            ],
        ),
        // Links are resolved at their place: a name alone does not carry the right along.
        Case::new(
            "a link to a link that leads out",
            [
                (between("link-at", DATA, "through", MORE, "new"), "ok"),
                (open(MORE, "new", "read symlink-follow"), "not-permitted"),
            ],
        ),
    ];
    check(&cases, 3);
}

/// A name that the host has linked into the folder belongs to the folder.
#[test]
fn a_hard_link_of_the_hosts_is_granted_with_its_folder() {
    let mut bench = Bench::new();
    std::fs::hard_link(bench.host("secret/secret.txt"), bench.host("fixed/shared")).unwrap();
    assert_eq!(bench.take(open(FIXED, "shared", "read")), "ok 3");
    assert_eq!(bench.take(call("read", OPENED)), "ok \"secret\" false");
    assert_eq!(bench.take(open(FIXED, "shared", "write")), "read-only");
}
