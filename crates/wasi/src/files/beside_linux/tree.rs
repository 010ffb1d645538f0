//! The tree that calls work on, and its state afterwards.

use std::collections::VecDeque;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, mknodat, utimensat};

enum What {
    Folder,
    File,
    Link(&'static str),
    Pipe,
}

/// Every entry. Each has its own modification time, which identifies the entry that a call found.
const ENTRIES: &[(&str, What)] = &[
    ("t", What::Folder),
    ("outside", What::Folder),
    ("outside/secret", What::File),
    ("t/file", What::File),
    ("t/other", What::File),
    ("t/dir", What::Folder),
    ("t/dir/inner", What::File),
    ("t/dir/below", What::Folder),
    ("t/empty", What::Folder),
    ("t/link", What::Link("file")),
    ("t/symdir", What::Link("dir")),
    ("t/dangling", What::Link("nowhere")),
    ("t/loop", What::Link("loop")),
    ("t/slashdir", What::Link("dir/")),
    ("t/slashfile", What::Link("file/")),
    ("t/slashnowhere", What::Link("nowhere/")),
    ("t/dotdir", What::Link("dir/.")),
    ("t/twice", What::Link("symdir/inner")),
    ("t/pipe", What::Pipe),
    ("t/out", What::Link("../outside")),
    ("t/outfile", What::Link("../outside/secret")),
    ("t/back", What::Link("../t/file")),
    ("t/absolute", What::Link("/etc")),
    ("t/symn", What::Link("n")),
    ("t/n", What::Folder),
    ("t/n/file", What::File),
    ("t/n/dir", What::Folder),
    ("t/n/dir/inner", What::File),
    ("t/n/empty", What::Folder),
    ("t/n/link", What::Link("file")),
    ("t/n/symdir", What::Link("dir")),
    ("t/n/dangling", What::Link("nowhere")),
    ("t/n/loop", What::Link("loop")),
    ("t/n/upfile", What::Link("../file")),
    ("t/n/updir", What::Link("../dir")),
];

/// The first entry's time, in seconds. Each following entry is one second later.
const FIRST: i64 = 1_000_000_000;

/// The time that calls set.
pub(super) const SET: i64 = 1_200_000_000;

/// Formats a time for comparison: the number of an entry, `set` by a call, or `now`.
pub(super) fn mark(seconds: i64) -> String {
    match seconds - FIRST {
        SINCE_SET => "set".into(),
        entry @ 0..1000 => format!("#{entry}"),
        _ => "now".into(),
    }
}

const SINCE_SET: i64 = SET - FIRST;

/// A folder `t` to call functions on, and another folder beside it.
pub(super) struct Tree {
    base: PathBuf,
}

impl Tree {
    pub(super) fn new() -> Tree {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let base = std::env::temp_dir().join(format!("airssys-wasm-paths-{}-{next}", std::process::id()));
        fs::create_dir_all(&base).unwrap();
        let tree = Tree { base };
        tree.restore();
        tree
    }

    /// Restores the initial state. Cheaper than creating another tree.
    pub(super) fn restore(&self) {
        for (path, found) in self.entries().into_iter().rev() {
            let entry = ENTRIES
                .iter()
                .zip(FIRST..)
                .find(|((entry, _), _)| path == Path::new(entry));
            match entry {
                Some(((_, What::Folder), _)) if found.is_dir() => {}
                Some((_, seconds)) if found.mtime() == seconds && found.nlink() == 1 => {}
                _ if found.is_dir() => fs::remove_dir(self.base.join(path)).unwrap(),
                _ => fs::remove_file(self.base.join(path)).unwrap(),
            }
        }
        for (path, what) in ENTRIES {
            let path = self.base.join(path);
            if path.symlink_metadata().is_ok() {
                continue;
            }
            match what {
                What::Folder => fs::create_dir(path).unwrap(),
                What::File => fs::write(&path, path.file_name().unwrap().as_encoded_bytes()).unwrap(),
                What::Link(contents) => symlink(contents, path).unwrap(),
                What::Pipe => mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap(),
            }
        }
        for ((path, _), seconds) in ENTRIES.iter().zip(FIRST..) {
            let time = Timespec {
                tv_sec: seconds,
                tv_nsec: 0,
            };
            let times = Timestamps {
                last_access: time,
                last_modification: time,
            };
            utimensat(CWD, self.base.join(path), &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
        }
    }

    /// Returns the path of the granted folder.
    pub(super) fn folder(&self) -> PathBuf {
        self.base.join("t")
    }

    /// Describes all entries, one line each, sorted by path. Access times are omitted: following a link may change
    /// them.
    pub(super) fn picture(&self) -> String {
        let mut lines = String::new();
        for (path, found) in self.entries() {
            let size = if found.is_dir() { 0 } else { found.size() };
            let (path, mode, mark) = (path.display(), found.mode(), mark(found.mtime()));
            writeln!(lines, "{path} {mode:o} {} {size} {mark}", found.nlink()).unwrap();
        }
        lines
    }

    /// Returns the path of the entry for which `is` returns true, or `unknown`.
    pub(super) fn path_of(&self, is: impl Fn(&Path, &fs::Metadata) -> bool) -> String {
        let mut entries = self.entries().into_iter();
        let found = entries.find(|(path, found)| is(&self.base.join(path), found));
        found.map_or("unknown".into(), |(path, _)| path.display().to_string())
    }

    fn entries(&self) -> Vec<(PathBuf, fs::Metadata)> {
        let mut entries = Vec::new();
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(self.base.join(&folder)).unwrap() {
                let entry = entry.unwrap();
                let (path, found) = (folder.join(entry.file_name()), entry.metadata().unwrap());
                if found.is_dir() {
                    folders.push(path.clone());
                }
                entries.push((path, found));
            }
        }
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        entries
    }

    /// Returns whether resolving a path goes above the granted folder before it ends for another reason. This resolver
    /// is independent of the system's and of the one under test.
    pub(super) fn leaves(&self, path: &str, follow: bool) -> bool {
        let follow = follow || path.ends_with('/');
        let mut left: VecDeque<String> = path.split('/').map(str::to_owned).collect();
        let mut place: Vec<String> = Vec::new();
        let mut links = 0;
        if path.starts_with('/') {
            return true;
        }
        while let Some(part) = left.pop_front() {
            match &*part {
                "" | "." => {}
                ".." if place.pop().is_none() => return true,
                ".." => {}
                _ => {
                    let here = self.folder().join(place.join("/")).join(&part);
                    let Ok(found) = here.symlink_metadata() else {
                        return false;
                    };
                    if found.is_symlink() && (follow || !left.is_empty()) {
                        links += 1;
                        let contents = fs::read_link(here).unwrap();
                        if contents.is_absolute() {
                            return true;
                        }
                        if links > 40 {
                            return false;
                        }
                        for part in contents.components().rev() {
                            let part = match part {
                                Component::Normal(name) => name.to_str().unwrap(),
                                Component::ParentDir => "..",
                                _ => ".",
                            };
                            left.push_front(part.to_owned());
                        }
                        continue;
                    }
                    if !found.is_dir() {
                        return false;
                    }
                    place.push(part);
                }
            }
        }
        false
    }

    /// As [`Tree::leaves`], for functions that do not follow the entry at the end of the path.
    pub(super) fn parent_leaves(&self, path: &str) -> bool {
        let ends = path.trim_end_matches('/');
        match ends.rsplit_once('/') {
            _ if path.starts_with('/') || ends == ".." || ends.ends_with("/..") => self.leaves(path, true),
            Some((parent, _)) => self.leaves(parent, true),
            None => false,
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.base);
    }
}
