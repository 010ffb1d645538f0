//! Every function that takes a path, with paths that try to get somewhere.

use super::*;
use crate::bindings::wasi::filesystem::types::NewTimestamp;
use crate::text::{Lines, done};
use crate::{Case, Outcome};

pub const CASES: &[Case] = &[
    ("paths/stat-at", || each(|dir, path| done(dir.stat_at(STAY, path)))),
    ("paths/stat-at, following", || each(|dir, path| done(dir.stat_at(FOLLOW, path)))),
    ("paths/open-at", || each(|dir, path| done(dir.open_at(STAY, path, OpenFlags::empty(), READ)))),
    ("paths/open-at, following", || each(|dir, path| done(dir.open_at(FOLLOW, path, OpenFlags::empty(), READ)))),
    ("paths/open-at to write", || each(|dir, path| done(dir.open_at(FOLLOW, path, OpenFlags::empty(), WRITE)))),
    ("paths/open-at to make", || each(|dir, path| done(dir.open_at(STAY, path, OpenFlags::CREATE, WRITE)))),
    ("paths/open-at to make, following", || {
        each(|dir, path| done(dir.open_at(FOLLOW, path, OpenFlags::CREATE, WRITE)))
    }),
    ("paths/open-at to make alone", || {
        each(|dir, path| done(dir.open_at(FOLLOW, path, OpenFlags::CREATE | OpenFlags::EXCLUSIVE, WRITE)))
    }),
    ("paths/open-at a directory", || {
        each(|dir, path| done(dir.open_at(FOLLOW, path, OpenFlags::DIRECTORY, READ)))
    }),
    ("paths/create-directory-at", || each(|dir, path| done(dir.create_directory_at(path)))),
    ("paths/remove-directory-at", || each(|dir, path| done(dir.remove_directory_at(path)))),
    ("paths/unlink-file-at", || each(|dir, path| done(dir.unlink_file_at(path)))),
    ("paths/readlink-at", || each(|dir, path| dir.readlink_at(path).unwrap_or_else(|code| code.name().into()))),
    ("paths/symlink-at", || each(|dir, path| done(dir.symlink_at("hello.txt", path)))),
    ("paths/symlink-at with it inside", || {
        each(|dir, path| {
            let made = done(dir.symlink_at(path, "made"));
            let then = done(dir.stat_at(FOLLOW, "made"));
            let _ = dir.unlink_file_at("made");
            format!("{made}, then {then}")
        })
    }),
    ("paths/link-at from it", || {
        each(|dir, path| {
            let made = done(dir.link_at(STAY, path, dir, "made"));
            let _ = dir.unlink_file_at("made");
            made
        })
    }),
    ("paths/link-at to it", || each(|dir, path| done(dir.link_at(STAY, "empty.txt", dir, path)))),
    ("paths/rename-at from it", || {
        each(|dir, path| {
            let renamed = done(dir.rename_at(path, dir, "made"));
            if renamed == "ok" {
                let back = done(dir.rename_at("made", dir, path));
                return format!("ok, back {back}");
            }
            renamed
        })
    }),
    ("paths/rename-at to it", || {
        each(|dir, path| {
            let renamed = done(dir.rename_at("empty.txt", dir, path));
            if renamed == "ok" {
                let back = done(dir.rename_at(path, dir, "empty.txt"));
                return format!("ok, back {back}");
            }
            renamed
        })
    }),
    ("paths/set-times-at", || {
        each(|dir, path| done(dir.set_times_at(STAY, path, NewTimestamp::Now, NewTimestamp::Now)))
    }),
    ("paths/set-times-at, following", || {
        each(|dir, path| done(dir.set_times_at(FOLLOW, path, NewTimestamp::Now, NewTimestamp::Now)))
    }),
    ("paths/metadata-hash-at", || each(|dir, path| done(dir.metadata_hash_at(STAY, path)))),
    ("paths/metadata-hash-at, following", || each(|dir, path| done(dir.metadata_hash_at(FOLLOW, path)))),
];

/// Paths out of the folder, around in it, and to things that are not what the path says.
const PATHS: &[&str] = &[
    "",
    ".",
    "./",
    "..",
    "../",
    "../..",
    "/",
    "//",
    "/etc/passwd",
    "../secret.txt",
    "./../secret.txt",
    "sub/../../secret.txt",
    "sub/../hello.txt",
    "sub/..",
    "sub/../..",
    "missing/../hello.txt",
    "hello.txt/../empty.txt",
    "./hello.txt",
    ".//.//hello.txt",
    "hello.txt/",
    "hello.txt/.",
    "hello.txt/..",
    "hello.txt/x",
    "sub",
    "sub/",
    "sub/.",
    "sub//inner.txt",
    "sub/./inner.txt",
    "sub\\inner.txt",
    "C:\\hello.txt",
    "missing",
    "missing/",
    "missing/x",
    "link",
    "link/",
    "link/x",
    "sublink",
    "sublink/",
    "sublink/inner.txt",
    "sublink/../hello.txt",
    "dangling",
    "dangling/",
    "loop-a",
    "loop-a/x",
    "out",
    "out/",
    "out/secret.txt",
    "around",
    "absolute",
    "hello.txt\0",
    "\0",
    "sub/\0/x",
    "...",
    "~",
];

fn each(call: fn(&Descriptor, &str) -> String) -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    for path in PATHS {
        lines.add(&format!("{path:?}"), call(&data, path));
    }
    let (long, deep) = ("n".repeat(5000), "sub/../".repeat(1000));
    lines.add("a long name", call(&data, &long));
    lines.add("a long path", call(&data, &format!("{deep}hello.txt")));
    lines.end()
}
