//! Programs of preview 1 written in the test: calls whose last number is the program's exit status.

use std::fmt::Write;

pub(crate) const DIRECTORY: u32 = 2;

pub(crate) const READ: u64 = 1 << 1;
pub(crate) const SEEK: u64 = 1 << 2;
pub(crate) const TELL: u64 = 1 << 5;
pub(crate) const WRITE: u64 = 1 << 6;
pub(crate) const PATH_OPEN: u64 = 1 << 13;
pub(crate) const FILE: u64 = READ | SEEK | TELL | WRITE;

/// Address of a call's results.
pub(crate) const RESULT: u32 = 8;

/// Kind of a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Plain,
    /// Imports a function of WASIX.
    Wasix,
    /// Has a shared memory, like a module with threads.
    Shared,
    /// Imports preview 1's predecessor.
    Unstable,
}

/// Builder of a program.
#[derive(Default)]
pub(crate) struct Guest {
    kind: Kind,
    texts: String,
    length: usize,
}

impl Guest {
    pub(crate) fn new(kind: Kind) -> Guest {
        Guest {
            kind,
            ..Guest::default()
        }
    }

    /// Returns a path's address and length, as two arguments.
    pub(crate) fn path(&mut self, path: &str) -> String {
        /// Behind all results of calls.
        const TEXTS: usize = 2048;
        let at = TEXTS + self.length;
        self.texts.push_str(path);
        self.length += path.len();
        format!("(i32.const {at}) (i32.const {})", path.len())
    }

    /// Opens a path; its descriptor is at [`RESULT`].
    pub(crate) fn open(&mut self, path: &str, flags: u32, rights: u64) -> String {
        self.open_in(3, path, flags, rights)
    }

    pub(crate) fn open_in(&mut self, folder: u32, path: &str, flags: u32, rights: u64) -> String {
        let path = self.path(path);
        format!(
            "(call $path_open (i32.const {folder}) (i32.const 0) {path} (i32.const {flags}) (i64.const {rights})
                (i64.const {rights}) (i32.const 0) (i32.const {RESULT}))"
        )
    }

    pub(crate) fn symlink(&mut self, contents: &str, link: &str) -> String {
        let (contents, link) = (self.path(contents), self.path(link));
        format!("(call $path_symlink {contents} (i32.const 3) {link})")
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str) -> String {
        let (from, to) = (self.path(from), self.path(to));
        format!("(call $path_rename (i32.const 3) {from} (i32.const 3) {to})")
    }

    /// Gives a file a second name.
    pub(crate) fn link(&mut self, from: &str, to: &str) -> String {
        let (from, to) = (self.path(from), self.path(to));
        format!("(call $path_link (i32.const 3) (i32.const 0) {from} (i32.const 3) {to})")
    }

    /// Calls a function of a folder and a path.
    pub(crate) fn at(&mut self, function: &str, path: &str) -> String {
        format!("(call ${function} (i32.const 3) {})", self.path(path))
    }

    /// Returns the program, whose exit status is `body`'s number.
    pub(crate) fn program(self, body: &str) -> Vec<u8> {
        let functions = [
            ("clock_time_get", "i32 i64 i32"),
            ("fd_allocate", "i32 i64 i64"),
            ("fd_close", "i32"),
            ("fd_fdstat_get", "i32 i32"),
            ("fd_fdstat_set_flags", "i32 i32"),
            ("fd_filestat_get", "i32 i32"),
            ("fd_filestat_set_size", "i32 i64"),
            ("fd_prestat_dir_name", "i32 i32 i32"),
            ("fd_prestat_get", "i32 i32"),
            ("fd_read", "i32 i32 i32 i32"),
            ("fd_readdir", "i32 i32 i32 i64 i32"),
            ("fd_renumber", "i32 i32"),
            ("fd_seek", "i32 i64 i32 i32"),
            ("fd_tell", "i32 i32"),
            ("fd_write", "i32 i32 i32 i32"),
            ("path_create_directory", "i32 i32 i32"),
            ("path_filestat_get", "i32 i32 i32 i32 i32"),
            ("path_filestat_set_times", "i32 i32 i32 i32 i64 i64 i32"),
            ("path_link", "i32 i32 i32 i32 i32 i32 i32"),
            ("path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32"),
            ("path_readlink", "i32 i32 i32 i32 i32 i32"),
            ("path_remove_directory", "i32 i32 i32"),
            ("path_rename", "i32 i32 i32 i32 i32 i32"),
            ("path_symlink", "i32 i32 i32 i32 i32"),
            ("path_unlink_file", "i32 i32 i32"),
            ("poll_oneoff", "i32 i32 i32 i32"),
            ("sock_shutdown", "i32 i32"),
        ];
        let mut imports = String::new();
        let module = match self.kind {
            Kind::Unstable => "wasi_unstable",
            _ => "wasi_snapshot_preview1",
        };
        for (name, params) in functions {
            writeln!(
                imports,
                r#"(import "{module}" "{name}" (func ${name} (param {params}) (result i32)))"#
            )
            .unwrap();
        }
        if self.kind == Kind::Wasix {
            imports.push_str(r#"(import "wasix_32v1" "sched_yield" (func (result i32)))"#);
        }
        let memory = match self.kind {
            Kind::Shared => r#"(import "env" "memory" (memory 1 1 shared)) (export "memory" (memory 0))"#,
            _ => r#"(memory (export "memory") 1)"#,
        };
        let text = format!(
            r#"(module {imports}
                (import "{module}" "proc_exit" (func $exit (param i32)))
                {memory}
                (data (i32.const 2048) "{}")
                (func $answer (result i32) (local $one i32) {body})
                (func (export "_start") (call $exit (call $answer))))"#,
            self.texts
        );
        wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }
}

/// Moves a descriptor's position by `offset` from `whence`.
pub(crate) fn seek(descriptor: &str, offset: i64, whence: u32) -> String {
    format!("(call $fd_seek {descriptor} (i64.const {offset}) (i32.const {whence}) (i32.const 16))")
}

/// A descriptor's error of `fd_tell`; the position is at byte 16.
pub(crate) fn tell(descriptor: &str) -> String {
    format!("(call $fd_tell {descriptor} (i32.const 16))")
}

/// Returns the descriptor that was opened last.
pub(crate) fn opened() -> String {
    format!("(i32.load (i32.const {RESULT}))")
}
