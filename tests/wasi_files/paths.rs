//! Every function with a path, with every path that leads out of its folder.

use crate::bench::{Bench, DATA, MORE, Step, at, between, open};
use crate::{Case, check};

/// Paths that lead out, even if a link at the end is not followed.
const OUT: &[&str] = &[
    "../secret/secret.txt",
    "../secret/new",
    "/etc/passwd",
    "//etc/passwd",
    "/",
    "sub/../../secret/secret.txt",
    "sub/../../../../../../etc/passwd",
    "./../secret/secret.txt",
    "../data/hello.txt",
    "out/secret.txt",
    "out/new",
    "out/../secret/secret.txt",
    "sub/../out/secret.txt",
];

/// Links that lead out when followed.
const FOLLOWED: &[&str] = &["out", "through", "around", "absolute"];

/// Returns the functions, with a name for each way to call them.
fn calls(path: &str) -> Vec<(&'static str, Step)> {
    vec![
        ("stat-at", at("stat-at", DATA, path)),
        ("open-at to read", open(DATA, path, "read")),
        ("open-at to write", open(DATA, path, "write")),
        ("open-at to make", open(DATA, path, "write create")),
        ("open-at to cut", open(DATA, path, "write truncate")),
        ("open-at a directory", open(DATA, path, "read directory")),
        ("create-directory-at", at("create-directory-at", DATA, path)),
        ("remove-directory-at", at("remove-directory-at", DATA, path)),
        ("unlink-file-at", at("unlink-file-at", DATA, path)),
        ("readlink-at", at("readlink-at", DATA, path)),
        ("symlink-at", between("symlink-at", DATA, "hello.txt", DATA, path)),
        ("link-at from", between("link-at", DATA, path, DATA, "new")),
        ("link-at to", between("link-at", DATA, "hello.txt", DATA, path)),
        (
            "link-at to elsewhere",
            between("link-at", DATA, "hello.txt", MORE, path),
        ),
        ("rename-at from", between("rename-at", DATA, path, DATA, "new")),
        (
            "rename-at to",
            between("rename-at", DATA, "hello.txt", DATA, path),
        ),
        (
            "rename-at to elsewhere",
            between("rename-at", DATA, "hello.txt", MORE, path),
        ),
        ("set-times-at", at("set-times-at", DATA, path)),
        ("metadata-hash-at", at("metadata-hash-at", DATA, path)),
    ]
}

/// Returns the functions that can follow links at the end, with that flag set.
fn following(path: &str) -> Vec<(&'static str, Step)> {
    vec![
        ("stat-at", at("stat-at", DATA, path).with("symlink-follow")),
        ("open-at to read", open(DATA, path, "read symlink-follow")),
        ("open-at to write", open(DATA, path, "write symlink-follow")),
        ("open-at to make", open(DATA, path, "write create symlink-follow")),
        (
            "open-at to cut",
            open(DATA, path, "write truncate symlink-follow"),
        ),
        (
            "set-times-at",
            at("set-times-at", DATA, path).with("symlink-follow"),
        ),
        (
            "metadata-hash-at",
            at("metadata-hash-at", DATA, path).with("symlink-follow"),
        ),
    ]
}

#[test]
fn no_path_leads_out_of_its_folder() {
    let mut cases = Vec::new();
    for path in OUT {
        for (name, step) in calls(path) {
            // The other folder is empty, so the path leads nowhere there.
            if step.other == MORE && (path.contains("out") || path.starts_with("sub")) {
                continue;
            }
            cases.push(Case::new(format!("{name} `{path}`"), [(step, "not-permitted")]));
        }
    }
    for path in FOLLOWED {
        for (name, step) in following(path) {
            cases.push(Case::new(
                format!("{name} `{path}`, following"),
                [(step, "not-permitted")],
            ));
        }
    }
    check(&cases, 250);
}

#[test]
fn links_that_lead_out_can_be_made_and_not_followed() {
    let mut cases = Vec::new();
    for target in [
        "..",
        "../secret",
        "../secret/secret.txt",
        "sub/../../secret/secret.txt",
    ] {
        cases.push(Case::new(
            format!("a link to `{target}`"),
            [
                (between("symlink-at", DATA, target, DATA, "new"), "ok"),
                (open(DATA, "new", "read symlink-follow"), "not-permitted"),
                (open(DATA, "new", "write create symlink-follow"), "not-permitted"),
                (at("stat-at", DATA, "new").with("symlink-follow"), "not-permitted"),
                (open(DATA, "new/secret.txt", "read"), "not-permitted"),
                (at("unlink-file-at", DATA, "new/secret.txt"), "not-permitted"),
                (at("create-directory-at", DATA, "new/x"), "not-permitted"),
            ],
        ));
    }
    for target in ["/etc/passwd", "/", "//etc"] {
        cases.push(Case::new(
            format!("a link to `{target}`"),
            [
                (between("symlink-at", DATA, target, DATA, "new"), "not-permitted"),
                (at("stat-at", DATA, "new"), "no-entry"),
            ],
        ));
    }
    // A link out of the folder after the guest has moved it deeper, and one composed of two that are harmless alone.
    cases.push(Case::new(
        "a link that is moved to where it leads elsewhere",
        [
            (between("symlink-at", DATA, "../hello.txt", DATA, "sub/up"), "ok"),
            (open(DATA, "sub/up", "read symlink-follow"), "ok 3"),
            (between("rename-at", DATA, "sub/up", DATA, "up"), "ok"),
            (open(DATA, "up", "read symlink-follow"), "not-permitted"),
        ],
    ));
    cases.push(Case::new(
        "two links that lead out together",
        [
            (between("symlink-at", DATA, "..", DATA, "sub/a"), "ok"),
            (between("symlink-at", DATA, "sub/a/..", DATA, "b"), "ok"),
            (at("stat-at", DATA, "b").with("symlink-follow"), "not-permitted"),
            (open(DATA, "b/secret/secret.txt", "read"), "not-permitted"),
        ],
    ));
    check(&cases, 9);
}

#[test]
fn odd_paths_have_their_own_errors() {
    let long = "n".repeat(256);
    let mut cases = Vec::new();
    for (path, expected) in [
        ("", "no-entry"),
        ("hello.txt\0", "invalid"),
        ("sub\0/../hello.txt", "invalid"),
        ("\0", "invalid"),
        (long.as_str(), "name-too-long"),
        ("loop-a/x", "loop"),
        ("hello.txt/x", "not-directory"),
        ("missing/x", "no-entry"),
    ] {
        for (name, step) in calls(path) {
            if step.other == MORE {
                continue;
            }
            let shown = if path.len() > 20 { "256 bytes" } else { path };
            cases.push(Case::new(format!("{name} {shown:?}"), [(step, expected)]));
        }
    }
    check(&cases, 100);
}

#[test]
fn a_trailing_slash_is_a_directory() {
    let cases = [
        Case::new("open-at", [(open(DATA, "hello.txt/", "read"), "not-directory")]),
        Case::new(
            "stat-at",
            [(
                at("stat-at", DATA, "hello.txt/").with("symlink-follow"),
                "not-directory",
            )],
        ),
        Case::new(
            "remove-directory-at",
            [
                (at("remove-directory-at", DATA, "sub/"), "not-empty"),
                (at("remove-directory-at", DATA, "sub/deeper//"), "ok"),
                (at("remove-directory-at", DATA, "hello.txt/"), "not-directory"),
                (at("remove-directory-at", DATA, "out/"), "not-directory"),
                (at("remove-directory-at", DATA, "../"), "not-permitted"),
                (at("remove-directory-at", DATA, "//"), "not-permitted"),
                (at("remove-directory-at", DATA, "./"), "invalid"),
            ],
        ),
        Case::new(
            "unlink-file-at",
            [(at("unlink-file-at", DATA, "hello.txt/"), "not-directory")],
        ),
        Case::new(
            "open-at to make",
            [
                (open(DATA, "new/", "write create"), "is-directory"),
                (at("stat-at", DATA, "new"), "no-entry"),
            ],
        ),
        Case::new(
            "create-directory-at",
            [
                (at("create-directory-at", DATA, "new/"), "ok"),
                (at("remove-directory-at", DATA, "new/"), "ok"),
            ],
        ),
        Case::new(
            "rename-at from",
            [(
                between("rename-at", DATA, "hello.txt/", DATA, "new"),
                "not-directory",
            )],
        ),
        Case::new(
            "link-at from",
            [(
                between("link-at", DATA, "hello.txt/", DATA, "new"),
                "not-directory",
            )],
        ),
        Case::new(
            "symlink-at",
            [(between("symlink-at", DATA, "x", DATA, "new/"), "no-entry")],
        ),
        Case::new(
            "readlink-at",
            [(at("readlink-at", DATA, "link/"), "not-directory")],
        ),
    ];
    check(&cases, 10);
}

/// wasmtime's issues 14359 and 14380: `stat-at` of such paths without symlink-follow examined the link, or the file.
#[test]
fn stat_at_looks_at_what_a_slash_at_the_end_leads_to() {
    const FILE: &str = "ok regular-file 5";
    const LINK: &str = "ok symbolic-link";
    const FOLDER: &str = "ok directory";
    let rows = [
        // The path, without following links, and following them.
        ("hello.txt", FILE, FILE),
        ("hello.txt/", "not-directory", "not-directory"),
        ("hello.txt/.", "not-directory", "not-directory"),
        ("link", LINK, FILE),
        ("link/", "not-directory", "not-directory"),
        ("link/.", "not-directory", "not-directory"),
        ("sub", FOLDER, FOLDER),
        ("sub/", FOLDER, FOLDER),
        ("sub/.", FOLDER, FOLDER),
        ("symdir", LINK, FOLDER),
        ("symdir/", FOLDER, FOLDER),
        ("symdir//", FOLDER, FOLDER),
        ("symdir/.", FOLDER, FOLDER),
        ("dangling", LINK, "no-entry"),
        ("dangling/", "no-entry", "no-entry"),
        ("nowhere/", "no-entry", "no-entry"),
        ("loop-a", LINK, "loop"),
        ("loop-a/", "loop", "loop"),
        ("out", LINK, "not-permitted"),
        ("out/", "not-permitted", "not-permitted"),
        ("symdir/..", FOLDER, FOLDER),
    ];
    let mut bench = Bench::new();
    for (contents, link) in [("sub", "symdir"), ("nowhere", "dangling")] {
        assert_eq!(
            bench.take(between("symlink-at", DATA, contents, DATA, link)),
            "ok"
        );
    }
    for (path, expected, followed) in rows {
        for (flags, expected) in [("", expected), ("symlink-follow", followed)] {
            let answer = bench.take(at("stat-at", DATA, path).with(flags));
            // The size of a directory, or of a link, depends on the system.
            assert!(
                answer.starts_with(expected),
                "`{path}` {flags}: `{answer}`, not `{expected}`"
            );
        }
    }
}

/// wasi-testsuite's `path_rename_file_trailing_slashes`, which wasmtime's pull request 2487 skipped when it switched to
/// cap-std: the slash was dropped, and the file moved.
#[test]
fn a_file_is_not_moved_to_a_path_with_a_slash_at_its_end() {
    let mut bench = Bench::new();
    for (old, new) in [
        ("hello.txt", "new/"),
        ("hello.txt/", "new"),
        ("link", "new//"),
        ("hello.txt", "empty.txt/"),
    ] {
        assert_eq!(
            bench.take(between("rename-at", DATA, old, DATA, new)),
            "not-directory",
            "{old} {new}"
        );
    }
    assert_eq!(bench.take(at("stat-at", DATA, "hello.txt")), "ok regular-file 5");
    assert_eq!(bench.take(at("stat-at", DATA, "new")), "no-entry");
    assert_eq!(
        bench.take(between("rename-at", DATA, "sub/deeper/", DATA, "new/")),
        "ok"
    );
}
