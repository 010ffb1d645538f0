//! Calls of preview 1 by their results: those that are right here although wasmer-wasix alone returns wrong ones, and those
//! that are not.

use super::guest::*;

/// Result of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Error(u32),
    Number(u32),
}

use Answer::{Error, Number};

impl Answer {
    pub(crate) fn status(self) -> u32 {
        match self {
            Error(number) | Number(number) => number,
        }
    }

    /// Formats the result as in the document.
    pub(crate) fn text(self) -> String {
        match self {
            Number(number) => number.to_string(),
            Error(number) => {
                let name = match number {
                    0 => "success",
                    2 => "acces",
                    8 => "badf",
                    44 => "noent",
                    63 => "perm",
                    70 => "spipe",
                    _ => panic!("{number} has no name here"),
                };
                format!("`{name}`")
            }
        }
    }
}

type Make = fn(&mut Guest) -> String;

pub(crate) const SUCCESS: u32 = 0;
pub(crate) const BADF: u32 = 8;
pub(crate) const BUSY: u32 = 10;
pub(crate) const EXIST: u32 = 20;
pub(crate) const INVAL: u32 = 28;
pub(crate) const ISDIR: u32 = 31;
pub(crate) const NOENT: u32 = 44;
pub(crate) const NOTDIR: u32 = 54;
pub(crate) const NOTEMPTY: u32 = 55;
pub(crate) const NOTSOCK: u32 = 57;
pub(crate) const SPIPE: u32 = 70;

/// Runs one call after another; leaves the last one's number.
fn then(calls: &[String]) -> String {
    let (last, before) = calls.split_last().expect("a call");
    let before: String = before.iter().map(|call| format!("(drop {call})")).collect();
    before + last
}

/// Returns the position of the opened descriptor.
fn position() -> String {
    format!("(drop {}) (i32.load (i32.const 16))", tell(&opened()))
}

/// Opens a file, then makes the calls of `more`.
fn file(guest: &mut Guest, more: &[String]) -> String {
    let mut calls = vec![guest.open("file", 0, FILE)];
    calls.extend_from_slice(more);
    then(&calls)
}

fn renumber(to: u32) -> String {
    format!("(call $fd_renumber {} (i32.const {to}))", opened())
}

fn prestat() -> String {
    format!("(call $fd_prestat_get {} (i32.const 16))", opened())
}

/// Right results, by description.
pub(crate) const RIGHT: &[(&str, u32, Make)] = &[
    ("seeking before the start is refused", INVAL, |g| {
        file(g, &[seek(&opened(), -1, 1)])
    }),
    ("a refused seek moves nothing", 2, |g| {
        file(g, &[seek(&opened(), 2, 0), seek(&opened(), -3, 1), position()])
    }),
    ("seeking back", 1, |g| {
        file(g, &[seek(&opened(), 3, 0), seek(&opened(), -2, 1), position()])
    }),
    ("seeking beyond what an offset can be", INVAL, |g| {
        file(g, &[seek(&opened(), 2, 0), seek(&opened(), i64::MAX, 1)])
    }),
    ("seeking on standard input", SPIPE, |_| {
        seek("(i32.const 0)", 0, 1)
    }),
    ("seeking on a folder", BADF, |_| seek("(i32.const 3)", 0, 0)),
    ("prestat of the granted folder", SUCCESS, |_| {
        "(call $fd_prestat_get (i32.const 3) (i32.const 16))".into()
    }),
    ("prestat of no second folder", BADF, |_| {
        "(call $fd_prestat_get (i32.const 4) (i32.const 16))".into()
    }),
    ("prestat of a folder that was opened", BADF, |g| {
        then(&[g.open("inner", DIRECTORY, READ), prestat()])
    }),
    ("prestat of the granted folder, opened again", BADF, |g| {
        then(&[g.open(".", DIRECTORY, READ), prestat()])
    }),
    ("its name, opened again", BADF, |g| {
        let name = format!(
            "(call $fd_prestat_dir_name {} (i32.const 16) (i32.const 99))",
            opened()
        );
        then(&[g.open(".", DIRECTORY, READ), name])
    }),
    ("the granted folder's name is as long as it was named", 5, |_| {
        "(drop (call $fd_prestat_get (i32.const 3) (i32.const 16))) (i32.load (i32.const 20))".into()
    }),
    ("the granted folder's name", 0x2f, |_| {
        "(drop (call $fd_prestat_dir_name (i32.const 3) (i32.const 16) (i32.const 5)))
         (i32.load8_u (i32.const 16))"
            .into()
    }),
    ("moving a descriptor", SUCCESS, |g| {
        file(g, &[renumber(20), tell("(i32.const 20)")])
    }),
    ("a moved descriptor's old number", BADF, |g| {
        file(g, &[renumber(20), tell(&opened())])
    }),
    ("moving a descriptor to itself", SUCCESS, |g| {
        let same = format!("(call $fd_renumber {} {})", opened(), opened());
        file(g, &[same, tell(&opened())])
    }),
    ("opening a folder with its own rights", SUCCESS, |g| {
        let path = g.path(".");
        format!(
            "(drop (call $fd_fdstat_get (i32.const 3) (i32.const 32)))
             (call $path_open (i32.const 3) (i32.const 0) {path} (i32.const {DIRECTORY}) (i64.load (i32.const 40))
                (i64.load (i32.const 48)) (i32.const 0) (i32.const 8))"
        )
    }),
    ("reading what was opened to write", BADF, |g| {
        let read = format!(
            "(call $fd_read {} (i32.const 64) (i32.const 0) (i32.const 16))",
            opened()
        );
        then(&[g.open("file", 0, WRITE), read])
    }),
    ("writing what was opened to read", BADF, |g| {
        let write = format!(
            "(call $fd_write {} (i32.const 64) (i32.const 0) (i32.const 16))",
            opened()
        );
        then(&[g.open("file", 0, READ), write])
    }),
    ("shutting down a file", NOTSOCK, |g| {
        file(g, &[format!("(call $sock_shutdown {} (i32.const 1))", opened())])
    }),
    ("shutting down a folder", NOTSOCK, |_| {
        "(call $sock_shutdown (i32.const 3) (i32.const 1))".into()
    }),
    ("shutting down what is not open", BADF, |_| {
        "(call $sock_shutdown (i32.const 99) (i32.const 1))".into()
    }),
    ("creating a folder over a file", EXIST, |g| {
        g.at("path_create_directory", "file")
    }),
    ("creating a folder over a folder", EXIST, |g| {
        g.at("path_create_directory", "inner")
    }),
    ("creating a folder over a link", EXIST, |g| {
        g.at("path_create_directory", "good")
    }),
    ("creating a folder with a slash", SUCCESS, |g| {
        g.at("path_create_directory", "new/")
    }),
    ("creating a folder nowhere", NOENT, |g| {
        g.at("path_create_directory", "no/new")
    }),
    ("creating a folder in a file", NOTDIR, |g| {
        g.at("path_create_directory", "file/new")
    }),
    ("creating a folder without a name", NOENT, |g| {
        g.at("path_create_directory", "")
    }),
    ("removing a file as a folder", NOTDIR, |g| {
        g.at("path_remove_directory", "file")
    }),
    ("removing a link as a folder", NOTDIR, |g| {
        g.at("path_remove_directory", "symdir")
    }),
    ("removing a folder that is not there", NOENT, |g| {
        g.at("path_remove_directory", "no")
    }),
    ("removing a folder that was not looked at", SUCCESS, |g| {
        g.at("path_remove_directory", "inner")
    }),
    ("removing a folder with a slash", SUCCESS, |g| {
        g.at("path_remove_directory", "inner/")
    }),
    ("removing a folder that is not empty", NOTEMPTY, |g| {
        g.at("path_remove_directory", "full")
    }),
    ("removing a folder's dot", INVAL, |g| {
        g.at("path_remove_directory", "inner/.")
    }),
    ("unlinking a folder", ISDIR, |g| g.at("path_unlink_file", "inner")),
    ("unlinking a folder twice", ISDIR, |g| {
        then(&[
            g.at("path_unlink_file", "inner"),
            g.at("path_unlink_file", "inner"),
        ])
    }),
    ("unlinking a parent", ISDIR, |g| {
        g.at("path_unlink_file", "inner/..")
    }),
    ("unlinking a file with a slash", NOTDIR, |g| {
        g.at("path_unlink_file", "file/")
    }),
    ("renaming over a file", SUCCESS, |g| g.rename("file", "full/one")),
    ("renaming a file over a folder", ISDIR, |g| {
        g.rename("file", "inner")
    }),
    ("renaming a file over a full folder", ISDIR, |g| {
        g.rename("file", "full")
    }),
    ("renaming a folder over a file", NOTDIR, |g| {
        g.rename("inner", "file")
    }),
    ("renaming a folder over an empty one", SUCCESS, |g| {
        then(&[g.rename("full", "inner"), g.open("inner/one", 0, READ)])
    }),
    ("renaming a folder over a full one", NOTEMPTY, |g| {
        g.rename("inner", "full")
    }),
    ("renaming a folder to a name with a slash", SUCCESS, |g| {
        g.rename("full", "new/")
    }),
    ("renaming a folder into itself", INVAL, |g| {
        g.rename("full", "full/new")
    }),
    ("renaming a file to a name with a slash", NOTDIR, |g| {
        g.rename("file", "new/")
    }),
    ("renaming a file named with a slash", NOTDIR, |g| {
        g.rename("file/", "new")
    }),
    ("renaming to the folder itself", BUSY, |g| g.rename("file", ".")),
    ("renaming to a folder's dot", BUSY, |g| {
        g.rename("file", "inner/.")
    }),
    ("renaming to a folder's parent", BUSY, |g| {
        g.rename("file", "inner/..")
    }),
    ("renaming to the root", BUSY, |g| g.rename("file", "/")),
    ("renaming a folder's parent", BUSY, |g| {
        g.rename("inner/..", "new")
    }),
    ("renaming to no name", NOENT, |g| g.rename("file", "")),
    ("renaming from no name", NOENT, |g| g.rename("", "new")),
    ("renaming what is not there", NOENT, |g| g.rename("no", "new")),
    ("renaming into what is not there", NOENT, |g| {
        g.rename("file", "no/new")
    }),
    ("renaming into a file", NOTDIR, |g| {
        g.rename("file", "full/one/new")
    }),
    ("renaming over a link", SUCCESS, |g| {
        then(&[g.rename("full/one", "good"), g.open("good", 0, READ)])
    }),
    ("renaming over a link to nothing", SUCCESS, |g| {
        g.rename("file", "dangling")
    }),
    ("renaming over a link to itself", SUCCESS, |g| {
        g.rename("file", "loop")
    }),
    ("linking over a file", EXIST, |g| g.symlink("x", "file")),
    ("linking in a file", NOTDIR, |g| g.symlink("x", "file/x")),
    ("linking in a link to a file", NOTDIR, |g| {
        g.symlink("x", "good/x")
    }),
    ("linking deep in a file", NOTDIR, |g| g.symlink("x", "full/one/x")),
    ("linking in a link to a folder", SUCCESS, |g| {
        g.symlink("x", "symdir/x")
    }),
    ("linking at a name with a slash", NOENT, |g| {
        g.symlink("x", "new/")
    }),
    ("linking at a folder with a slash", EXIST, |g| {
        g.symlink("x", "inner/")
    }),
    ("linking at a file with a slash", NOTDIR, |g| {
        g.symlink("x", "file/")
    }),
];

/// Remaining differences: the document's rows.
pub(crate) const DIFFERENT: &[(&str, Answer, Answer, Kind, Make)] = &[
    (
        "`path_rename` of a symbolic link",
        Error(0),
        Error(44),
        Kind::Plain,
        |g| g.rename("good", "new"),
    ),
    (
        "`path_rename` to a path that leaves the folder",
        Error(63),
        Error(2),
        Kind::Plain,
        |g| g.rename("file", "../new"),
    ),
    (
        "`proc_exit(70000)`: the status",
        Number(70_000),
        Number(112),
        Kind::Plain,
        |_| "(i32.const 70000)".into(),
    ),
    (
        "`fd_tell` of the first descriptor of `fd_renumber`, in a module that imports WASIX",
        Error(8),
        Error(0),
        Kind::Wasix,
        |g| then(&[g.open_in(4, "file", 0, FILE), renumber(20), tell(&opened())]),
    ),
    (
        "`fd_prestat_get(4)` with one folder that is not `/`, in a module that imports WASIX",
        Error(8),
        Error(0),
        Kind::Wasix,
        |_| "(call $fd_prestat_get (i32.const 4) (i32.const 16))".into(),
    ),
    (
        "`fd_seek` of standard input, in a module with shared memory",
        Error(70),
        Error(2),
        Kind::Shared,
        |_| seek("(i32.const 0)", 0, 1),
    ),
    (
        "`poll_oneoff` of a clock, in a module that imports `wasi_unstable`: the event's type",
        Number(0),
        Number(1),
        Kind::Unstable,
        |_| {
            "(i32.store (i32.const 124) (i32.const 1)) (i64.store (i32.const 132) (i64.const 1000))
             (drop (call $poll_oneoff (i32.const 100) (i32.const 300) (i32.const 1) (i32.const 16)))
             (i32.load8_u (i32.const 310))"
                .into()
        },
    ),
];
