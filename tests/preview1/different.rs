//! Calls of preview 1 that wasmer-wasix answers wrongly here too: the rows of the document's table.

use super::answers::*;
use super::guest::*;

/// End of a program.
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

    /// As it stands in the document.
    pub(crate) fn text(self) -> String {
        match self {
            Number(number) => number.to_string(),
            Error(number) => {
                let name = match number {
                    0 => "success",
                    2 => "acces",
                    8 => "badf",
                    44 => "noent",
                    58 => "notsup",
                    63 => "perm",
                    70 => "spipe",
                    _ => panic!("{number} has no name here"),
                };
                format!("`{name}`")
            }
        }
    }
}

/// A call, and what is wrong with its answer.
pub(crate) struct Row {
    pub(crate) call: &'static str,
    /// The program of wasi-testsuite that stops there, if one does.
    pub(crate) program: &'static str,
    pub(crate) right: Answer,
    pub(crate) here: Answer,
    pub(crate) kind: Kind,
    pub(crate) make: Make,
}

const fn row(
    call: &'static str,
    program: &'static str,
    right: Answer,
    here: Answer,
    kind: Kind,
    make: Make,
) -> Row {
    Row {
        call,
        program,
        right,
        here,
        kind,
        make,
    }
}

fn stat(guest: &mut Guest, path: &str) -> String {
    let path = guest.path(path);
    format!("(call $path_filestat_get (i32.const 3) (i32.const 0) {path} (i32.const 64))")
}

fn drop_all(calls: &[String]) -> String {
    calls.iter().map(|call| format!("(drop {call})")).collect()
}

/// Sets the time at which a path was changed, without following a link; whether it is that then.
fn times(guest: &mut Guest, path: &str) -> String {
    let path = guest.path(path);
    format!(
        "(drop (call $path_filestat_set_times (i32.const 3) (i32.const 0) {path} (i64.const 0) (i64.const 1000000000)
            (i32.const 4)))
         (drop (call $path_filestat_get (i32.const 3) (i32.const 0) {path} (i32.const 64)))
         (i64.eq (i64.load (i32.const 112)) (i64.const 1000000000))"
    )
}

/// Differences that are left: the document's rows.
pub(crate) const DIFFERENT: &[Row] = &[
    row(
        "`fd_renumber` to the granted folder",
        "overwrite_preopen",
        Error(0),
        Error(58),
        Kind::Plain,
        |g| then(&[g.open("inner", DIRECTORY, READ), renumber(3)]),
    ),
    row(
        "`fd_fdstat_get` of a file, in two folders of which one has fewer rights to inherit: whether its rights are the same",
        "path_link",
        Number(1),
        Number(0),
        Kind::Plain,
        |g| {
            let (folder, path) = (g.path("full"), g.path("one"));
            let one = opened();
            let open_folder = format!(
                "(call $path_open (i32.const 3) (i32.const 0) {folder} (i32.const {DIRECTORY}) (i64.const {PATH_OPEN})
                    (i64.const {READ}) (i32.const 0) (i32.const {RESULT}))"
            );
            let open = format!(
                "(call $path_open {one} (i32.const 0) {path} (i32.const 0) (i64.const {READ}) (i64.const {READ}) (i32.const 0)
                    (i32.const {RESULT}))"
            );
            let first = drop_all(&[open_folder, open, of("fd_fdstat_get", &one)]);
            let second = drop_all(&[g.open("full/one", 0, READ), of("fd_fdstat_get", &one)]);
            format!(
                "{first} (i64.store (i32.const 120) (i64.load (i32.const 72))) {second}
                 (i64.eq (i64.load (i32.const 120)) (i64.load (i32.const 72)))"
            )
        },
    ),
    row(
        "`path_filestat_get` of a file with two names: the count of them",
        "",
        Number(2),
        Number(1),
        Kind::Plain,
        |g| {
            let (linked, stat) = (g.link("file", "new"), stat(g, "new"));
            format!("{} (i32.load (i32.const 88))", drop_all(&[linked, stat]))
        },
    ),
    row(
        "`path_filestat_get` of a symbolic link's second name by `path_link`, when the first is unlinked",
        "",
        Error(0),
        Error(44),
        Kind::Plain,
        |g| {
            then(&[
                g.link("dangling", "new"),
                g.at("path_unlink_file", "dangling"),
                stat(g, "new"),
            ])
        },
    ),
    row(
        "`path_filestat_set_times` of a file: whether `path_filestat_get` has the time",
        "path_filestat",
        Number(1),
        Number(0),
        Kind::Plain,
        |g| times(g, "file"),
    ),
    row(
        "`path_filestat_set_times` of a symbolic link: whether `path_filestat_get` has the time",
        "symlink_filestat",
        Number(1),
        Number(0),
        Kind::Plain,
        |g| times(g, "good"),
    ),
    row(
        "`fd_readdir`: whether its first entry has the inode of `fd_filestat_get`",
        "fd_readdir",
        Number(1),
        Number(0),
        Kind::Plain,
        |_| {
            format!(
                "(drop {}) (drop (call $fd_readdir (i32.const 3) (i32.const 200) (i32.const 200) (i64.const 0) (i32.const 16)))
                 (i64.eq (i64.load (i32.const 72)) (i64.load (i32.const 208)))",
                of("fd_filestat_get", "(i32.const 3)")
            )
        },
    ),
    row(
        "`path_rename` of a symbolic link",
        "",
        Error(0),
        Error(44),
        Kind::Plain,
        |g| g.rename("good", "new"),
    ),
    row(
        "`proc_exit(70000)`: the status",
        "",
        Number(70_000),
        Number(112),
        Kind::Plain,
        |_| "(i32.const 70000)".into(),
    ),
    row(
        "`fd_tell` of the first descriptor of `fd_renumber`, in a module that imports WASIX",
        "",
        Error(8),
        Error(0),
        Kind::Wasix,
        |g| then(&[g.open_in(4, "file", 0, FILE), renumber(20), tell(&opened())]),
    ),
    row(
        "`fd_prestat_get(4)` with one folder that is not `/`, in a module that imports WASIX",
        "",
        Error(8),
        Error(0),
        Kind::Wasix,
        |_| "(call $fd_prestat_get (i32.const 4) (i32.const 16))".into(),
    ),
    row(
        "`fd_seek` of standard input, in a module with shared memory",
        "",
        Error(70),
        Error(2),
        Kind::Shared,
        |_| seek("(i32.const 0)", 0, 1),
    ),
    row(
        "`poll_oneoff` of a clock, in a module that imports `wasi_unstable`: the event's type",
        "",
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
