//! Calls of preview 1 that are answered rightly here although wasmer-wasix alone has them wrong.

use super::guest::*;

pub(crate) type Make = fn(&mut Guest) -> String;

/// `oflags` of `path_open`.
const CREATE: u32 = 1;
const EMPTY: u32 = 8;

pub(crate) const SUCCESS: u32 = 0;
pub(crate) const BADF: u32 = 8;
pub(crate) const BUSY: u32 = 10;
pub(crate) const EXIST: u32 = 20;
pub(crate) const INVAL: u32 = 28;
pub(crate) const ISDIR: u32 = 31;
pub(crate) const NAMETOOLONG: u32 = 37;
pub(crate) const NOENT: u32 = 44;
pub(crate) const NOTDIR: u32 = 54;
pub(crate) const NOTEMPTY: u32 = 55;
pub(crate) const NOTSOCK: u32 = 57;
pub(crate) const PERM: u32 = 63;
pub(crate) const SPIPE: u32 = 70;

/// Runs one call after another; the last one's number is left.
pub(crate) fn then(calls: &[String]) -> String {
    let (last, before) = calls.split_last().expect("a call");
    let before: String = before.iter().map(|call| format!("(drop {call})")).collect();
    before + last
}

/// The position of what was opened.
pub(crate) fn position() -> String {
    format!("(drop {}) (i32.load (i32.const 16))", tell(&opened()))
}

/// Opens a file, and answers what `more` does.
pub(crate) fn file(guest: &mut Guest, more: &[String]) -> String {
    let mut calls = vec![guest.open("file", 0, FILE)];
    calls.extend_from_slice(more);
    then(&calls)
}

/// Gives what was opened the number of another.
pub(crate) fn renumber(to: u32) -> String {
    format!("(call $fd_renumber {} (i32.const {to}))", opened())
}

/// Opens a file and a folder; renumbers the file to the folder's number, which is kept at byte 40. The last call is made then.
pub(crate) fn moved(guest: &mut Guest, rights: u64, last: String) -> String {
    let other = guest.open("inner", DIRECTORY, READ);
    let file = guest.open("file", 0, rights);
    format!(
        "(drop {other}) (i32.store (i32.const 40) {0}) (drop {file})
         (drop (call $fd_renumber {0} (i32.load (i32.const 40)))) {last}",
        opened()
    )
}

/// A call with one descriptor and a place for its results.
pub(crate) fn of(function: &str, descriptor: &str) -> String {
    format!("(call ${function} {descriptor} (i32.const 64))")
}

pub(crate) fn close(descriptor: &str) -> String {
    format!("(call $fd_close {descriptor})")
}

/// Reads a link into so many bytes; the count is at byte 16, the text at 64.
fn readlink(guest: &mut Guest, link: &str, room: u32) -> String {
    format!(
        "(call $path_readlink (i32.const 3) {} (i32.const 64) (i32.const {room}) (i32.const 16))",
        guest.path(link)
    )
}

pub(crate) fn prestat() -> String {
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
    ("seeking on a folder", ISDIR, |_| seek("(i32.const 3)", 0, 0)),
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
        moved(g, FILE, tell("(i32.load (i32.const 40))"))
    }),
    ("a moved descriptor's old number", BADF, |g| {
        moved(g, FILE, tell(&opened()))
    }),
    ("moving a descriptor to a number that is not open", BADF, |g| {
        file(g, &[renumber(20)])
    }),
    ("moving what is not open", BADF, |g| {
        file(g, &[format!("(call $fd_renumber (i32.const 20) {})", opened())])
    }),
    ("moving standard input", BADF, |g| {
        let input = "(i32.const 0)";
        file(
            g,
            &[
                format!("(call $fd_renumber {input} {})", opened()),
                of("fd_fdstat_get", input),
            ],
        )
    }),
    ("what standard input was moved to", SUCCESS, |g| {
        file(
            g,
            &[
                format!("(call $fd_renumber (i32.const 0) {})", opened()),
                of("fd_fdstat_get", &opened()),
            ],
        )
    }),
    ("a moved folder is granted under its new number", SUCCESS, |g| {
        file(
            g,
            &[
                format!("(call $fd_renumber (i32.const 3) {})", opened()),
                prestat(),
            ],
        )
    }),
    ("closing the granted folder", SUCCESS, |_| close("(i32.const 3)")),
    ("closing the granted folder twice", BADF, |_| {
        then(&[close("(i32.const 3)"), close("(i32.const 3)")])
    }),
    ("a granted folder that was closed", BADF, |_| {
        then(&[close("(i32.const 3)"), of("fd_fdstat_get", "(i32.const 3)")])
    }),
    ("opening in a folder that was closed", BADF, |g| {
        then(&[close("(i32.const 3)"), g.open("file", 0, READ)])
    }),
    ("renaming from a folder that was closed", BADF, |g| {
        then(&[close("(i32.const 3)"), g.rename("file", "new")])
    }),
    ("linking in a folder that was closed", BADF, |g| {
        then(&[close("(i32.const 3)"), g.symlink("x", "new")])
    }),
    ("prestat of a folder that was closed", BADF, |_| {
        then(&[close("(i32.const 3)"), of("fd_prestat_get", "(i32.const 3)")])
    }),
    ("a folder within one that was closed", SUCCESS, |g| {
        let file = format!(
            "(call $path_open {} (i32.const 0) {} (i32.const 0) (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 16))",
            opened(),
            g.path("one")
        );
        then(&[
            g.open("full", DIRECTORY, READ | PATH_OPEN),
            close("(i32.const 3)"),
            file,
        ])
    }),
    (
        "the granted folder that was opened again, and closed",
        BADF,
        |g| {
            then(&[
                g.open(".", DIRECTORY, READ),
                close(&opened()),
                of("fd_fdstat_get", &opened()),
            ])
        },
    ),
    ("standard output that was closed", BADF, |_| {
        then(&[close("(i32.const 1)"), of("fd_fdstat_get", "(i32.const 1)")])
    }),
    (
        "a number that was closed is open when it is given again",
        SUCCESS,
        |g| {
            then(&[
                close("(i32.const 0)"),
                close("(i32.const 1)"),
                g.open("file", 0, READ),
                g.open("file", 0, READ),
                g.open("file", 0, READ),
                of("fd_fdstat_get", &opened()),
            ])
        },
    ),
    (
        "the name of the granted folder where there is no room",
        NAMETOOLONG,
        |_| "(call $fd_prestat_dir_name (i32.const 3) (i32.const 16) (i32.const 4))".into(),
    ),
    ("the position of a folder", ISDIR, |_| tell("(i32.const 3)")),
    ("a folder's size", BADF, |_| {
        "(call $fd_filestat_set_size (i32.const 3) (i64.const 0))".into()
    }),
    ("room for a folder", BADF, |_| {
        "(call $fd_allocate (i32.const 3) (i64.const 0) (i64.const 1))".into()
    }),
    ("the position of standard input", SPIPE, |_| tell("(i32.const 0)")),
    ("a folder's right to be sought in", 0, |_| {
        // `fd_seek`, `fd_tell`, `fd_write`, `fd_allocate`, `path_filestat_set_size`, `fd_filestat_set_size`
        let file: u64 = 1 << 2 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 19 | 1 << 22;
        format!(
            "(drop {}) (i64.ne (i64.and (i64.load (i32.const 72)) (i64.const {file})) (i64.const 0))",
            of("fd_fdstat_get", "(i32.const 3)")
        )
    }),
    ("what is written once nothing is appended", 2, |g| {
        let write = |byte: u32| {
            format!(
                "(drop {}) (i32.store8 (i32.const 200) (i32.const {byte}))
                 (drop (call $fd_write {} (i32.const 64) (i32.const 1) (i32.const 16)))",
                seek(&opened(), 0, 0),
                opened()
            )
        };
        let path = g.path("new");
        format!(
            "(i32.store (i32.const 64) (i32.const 200)) (i32.store (i32.const 68) (i32.const 1))
             (drop (call $path_open (i32.const 3) (i32.const 0) {path} (i32.const 1) (i64.const {rights}) (i64.const {rights})
                (i32.const 1) (i32.const {RESULT})))
             {} {} (drop (call $fd_fdstat_set_flags {descriptor} (i32.const 0))) {} {} (drop {})
             (drop (call $fd_read {descriptor} (i32.const 64) (i32.const 1) (i32.const 16)))
             (i32.load8_u (i32.const 200))",
            write(7),
            write(8),
            write(1),
            write(2),
            seek(&opened(), 0, 0),
            rights = FILE | 1 << 3,
            descriptor = opened(),
        )
    }),
    ("what is appended comes behind what is there", 8, |g| {
        let write = |byte: u32| {
            format!(
                "(drop {}) (i32.store8 (i32.const 200) (i32.const {byte}))
                 (drop (call $fd_write {} (i32.const 64) (i32.const 1) (i32.const 16)))",
                seek(&opened(), 0, 0),
                opened()
            )
        };
        let path = g.path("new");
        format!(
            "(i32.store (i32.const 64) (i32.const 200)) (i32.store (i32.const 68) (i32.const 1))
             (drop (call $path_open (i32.const 3) (i32.const 0) {path} (i32.const 1) (i64.const {FILE}) (i64.const {FILE})
                (i32.const 1) (i32.const {RESULT})))
             {} {} (drop {})
             (drop (call $fd_read {descriptor} (i32.const 64) (i32.const 1) (i32.const 16)))
             (i32.load8_u (i32.const 200))",
            write(7),
            write(8),
            seek(&opened(), 1, 0),
            descriptor = opened(),
        )
    }),
    ("reading a link", SUCCESS, |g| readlink(g, "symdir", 10)),
    ("reading a link with just enough room", SUCCESS, |g| {
        readlink(g, "symdir", 5)
    }),
    ("the count of bytes of a link with just enough room", 5, |g| {
        format!("(drop {}) (i32.load (i32.const 16))", readlink(g, "symdir", 5))
    }),
    ("the count of bytes of a link with too little room", 3, |g| {
        format!("(drop {}) (i32.load (i32.const 16))", readlink(g, "symdir", 3))
    }),
    ("the part of a link that has room", 0x6e, |g| {
        // The second byte of `inn`, and none behind the third.
        format!(
            "(drop {}) (i32.add (i32.load8_u (i32.const 65)) (i32.load8_u (i32.const 67)))",
            readlink(g, "symdir", 3)
        )
    }),
    ("reading a link without room", SUCCESS, |g| {
        readlink(g, "symdir", 0)
    }),
    ("reading a file as a link", INVAL, |g| readlink(g, "file", 10)),
    ("opening below a file's descriptor", NOTDIR, |g| {
        let path = g.path("new");
        let open = format!(
            "(call $path_open {} (i32.const 0) {path} (i32.const 1) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 16))",
            opened()
        );
        file(g, &[open])
    }),
    ("looking below a file's descriptor", NOTDIR, |g| {
        let path = g.path("new");
        let stat = format!(
            "(call $path_filestat_get {} (i32.const 0) {path} (i32.const 64))",
            opened()
        );
        file(g, &[stat])
    }),
    ("renaming to below a file's descriptor", NOTDIR, |g| {
        let (from, to) = (g.path("full"), g.path("new"));
        let rename = format!("(call $path_rename (i32.const 3) {from} {} {to})", opened());
        file(g, &[rename])
    }),
    ("opening an absolute path", PERM, |g| g.open("/file", 0, READ)),
    ("looking at an absolute path", PERM, |g| {
        let path = g.path("/file");
        format!("(call $path_filestat_get (i32.const 3) (i32.const 0) {path} (i32.const 64))")
    }),
    ("opening what is above the folder", PERM, |g| {
        g.open("..", 0, READ)
    }),
    ("opening by a path that leaves the folder", PERM, |g| {
        g.open("inner/../../granted/file", 0, READ)
    }),
    ("opening by a path that stays in the folder", SUCCESS, |g| {
        g.open("inner/..//./full/../file", 0, READ)
    }),
    (
        "opening by a path that leaves the folder behind what is not there",
        NOENT,
        |g| g.open("no/../../file", 0, READ),
    ),
    ("opening by a path that leaves a folder within", PERM, |g| {
        let path = g.path("../file");
        let open = format!(
            "(call $path_open {} (i32.const 0) {path} (i32.const 0) (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 16))",
            opened()
        );
        then(&[g.open("inner", DIRECTORY, READ), open])
    }),
    ("creating what is above the folder", PERM, |g| {
        g.at("path_create_directory", "../new")
    }),
    ("unlinking what is above the folder", PERM, |g| {
        g.at("path_unlink_file", "../secret")
    }),
    ("renaming to a path that leaves the folder", PERM, |g| {
        g.rename("file", "../new")
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
    (
        "reading what was moved, without inheriting rights",
        SUCCESS,
        |g| moved_alone(g, READ, "fd_read"),
    ),
    (
        "the position of what was moved, without inheriting rights",
        SUCCESS,
        |g| moved_alone(g, FILE, "fd_read") + "drop (call $fd_tell (i32.load (i32.const 40)) (i32.const 64))",
    ),
    ("writing what was moved, without the right to", BADF, |g| {
        moved_alone(g, READ, "fd_write")
    }),
    ("writing what was created to read", BADF, |g| {
        then(&[g.open("new", CREATE, READ), transfer("fd_write", &opened())])
    }),
    ("writing what was emptied to read", BADF, |g| {
        then(&[g.open("file", EMPTY, READ), transfer("fd_write", &opened())])
    }),
    ("reading what was created to read", SUCCESS, |g| {
        then(&[g.open("new", CREATE, READ), transfer("fd_read", &opened())])
    }),
    ("writing what was created to write", SUCCESS, |g| {
        then(&[g.open("new", CREATE, WRITE), transfer("fd_write", &opened())])
    }),
    ("inheriting rights of a file", 0, |g| {
        format!(
            "(drop {}) (i64.ne (i64.load (i32.const 80)) (i64.const 0))",
            file(g, &[of("fd_fdstat_get", &opened())])
        )
    }),
    (
        "a file in a folder that was opened to read files in it",
        SUCCESS,
        |g| within(g, READ, READ),
    ),
];

/// Opens a file without inheriting rights, moves it, and reads or writes nothing.
fn moved_alone(guest: &mut Guest, rights: u64, function: &str) -> String {
    let other = guest.open("inner", DIRECTORY, READ);
    let path = guest.path("file");
    let one = opened();
    format!(
        "(drop {other}) (i32.store (i32.const 40) {one})
         (drop (call $path_open (i32.const 3) (i32.const 0) {path} (i32.const 0) (i64.const {rights}) (i64.const 0)
            (i32.const 0) (i32.const {RESULT})))
         (drop (call $fd_renumber {one} (i32.load (i32.const 40)))) {}",
        transfer(function, "(i32.load (i32.const 40))")
    )
}

/// Reads or writes nothing.
fn transfer(function: &str, descriptor: &str) -> String {
    format!("(call ${function} {descriptor} (i32.const 64) (i32.const 0) (i32.const 16))")
}

/// Opens a folder with these inheriting rights, and a file in it with these; reads nothing.
fn within(guest: &mut Guest, inheriting: u64, rights: u64) -> String {
    let (folder, path) = (guest.path("full"), guest.path("one"));
    let one = opened();
    format!(
        "(drop (call $path_open (i32.const 3) (i32.const 0) {folder} (i32.const {DIRECTORY}) (i64.const {PATH_OPEN})
            (i64.const {inheriting}) (i32.const 0) (i32.const {RESULT})))
         (drop (call $path_open {one} (i32.const 0) {path} (i32.const 0) (i64.const {rights}) (i64.const 0)
            (i32.const 0) (i32.const {RESULT})))
         {}",
        transfer("fd_read", &one)
    )
}
