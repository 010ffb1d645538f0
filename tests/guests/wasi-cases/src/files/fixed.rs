//! A folder in which nothing may be changed.

use super::*;
use crate::bindings::wasi::filesystem::types::NewTimestamp;
use crate::text::{Lines, done};
use crate::{Case, Outcome};

pub const CASES: &[Case] = &[
    ("read-only/reading works", reading),
    ("read-only/open to write", open_write),
    ("read-only/open to make and to cut", open_make),
    ("read-only/open for changes", open_mutate),
    ("read-only/create-directory-at", || on_fixed(|dir| done(dir.create_directory_at("new")))),
    ("read-only/remove-directory-at", || on_fixed(|dir| done(dir.remove_directory_at("sub/deeper")))),
    ("read-only/unlink-file-at", || on_fixed(|dir| done(dir.unlink_file_at("hello.txt")))),
    ("read-only/symlink-at", || on_fixed(|dir| done(dir.symlink_at("hello.txt", "new")))),
    ("read-only/link-at", || on_fixed(|dir| done(dir.link_at(STAY, "hello.txt", dir, "new")))),
    ("read-only/rename-at", || on_fixed(|dir| done(dir.rename_at("hello.txt", dir, "new")))),
    ("read-only/set-times-at", || {
        on_fixed(|dir| done(dir.set_times_at(STAY, "hello.txt", NewTimestamp::Now, NewTimestamp::Now)))
    }),
    ("read-only/set-times", set_times),
    ("read-only/an open file", open_file),
    ("read-only/below a directory in it", below),
    ("read-only/rename-at and link-at across", across),
    ("read-only/through a link from elsewhere", through_link),
];

fn on_fixed(call: fn(&Descriptor) -> String) -> Outcome {
    let fixed = folder("/fixed")?;
    let before = entries(&fixed);
    let mut lines = Lines::default();
    lines.add("call", call(&fixed));
    lines.add("unchanged", (before == entries(&fixed)).to_string());
    lines.add("hello.txt", contents(&fixed, "hello.txt"));
    lines.end()
}

fn reading() -> Outcome {
    let fixed = folder("/fixed")?;
    let mut lines = Lines::default();
    lines.add("hello.txt", contents(&fixed, "hello.txt"));
    lines.add("list", entries(&fixed));
    lines.add("stat", done(fixed.stat_at(STAY, "hello.txt")));
    lines.add("readlink", fixed.readlink_at("link").unwrap_or_else(|code| code.name().into()));
    lines.add("hash", done(fixed.metadata_hash_at(STAY, "hello.txt")));
    lines.add("sync", done(fixed.sync()));
    lines.end()
}

fn open_write() -> Outcome {
    let fixed = folder("/fixed")?;
    let mut lines = Lines::default();
    for (name, flags) in [("write", WRITE), ("both", READ | WRITE)] {
        for path in ["hello.txt", "missing", "sub", "link", "../secret.txt"] {
            lines.add(&format!("{name} {path}"), done(fixed.open_at(FOLLOW, path, OpenFlags::empty(), flags)));
        }
    }
    lines.end()
}

fn open_make() -> Outcome {
    let fixed = folder("/fixed")?;
    let mut lines = Lines::default();
    for (name, flags) in [
        ("create", OpenFlags::CREATE),
        ("truncate", OpenFlags::TRUNCATE),
        ("exclusive", OpenFlags::CREATE | OpenFlags::EXCLUSIVE),
    ] {
        for path in ["hello.txt", "missing"] {
            lines.add(&format!("{name} {path}"), done(fixed.open_at(STAY, path, flags, READ)));
        }
    }
    lines.add("then", entries(&fixed));
    lines.add("hello.txt", contents(&fixed, "hello.txt"));
    lines.end()
}

fn open_mutate() -> Outcome {
    let fixed = folder("/fixed")?;
    let flags = READ | DescriptorFlags::MUTATE_DIRECTORY;
    let opened = fixed.open_at(STAY, "sub", OpenFlags::DIRECTORY, flags);
    let mut lines = Lines::default();
    match opened {
        Ok(sub) => lines.add("make", done(sub.create_directory_at("new"))),
        Err(code) => lines.add("open", code.name()),
    };
    lines.end()
}

fn set_times() -> Outcome {
    let fixed = folder("/fixed")?;
    let mut lines = Lines::default();
    lines.add("folder", done(fixed.set_times(NewTimestamp::Now, NewTimestamp::Now)));
    let file = open(&fixed, "hello.txt")?;
    lines.add("file", done(file.set_times(NewTimestamp::Now, NewTimestamp::NoChange)));
    lines.end()
}

fn open_file() -> Outcome {
    let fixed = folder("/fixed")?;
    let file = open(&fixed, "hello.txt")?;
    let mut lines = Lines::default();
    lines.add("write", done(file.write(b"x", 0)));
    lines.add("set-size", done(file.set_size(0)));
    lines.add("write-via-stream", done(file.write_via_stream(0)));
    lines.add("append-via-stream", done(file.append_via_stream()));
    lines.add("sync", done(file.sync()));
    lines.add("advise", done(file.advise(0, 0, crate::bindings::wasi::filesystem::types::Advice::Normal)));
    lines.add("then", contents(&fixed, "hello.txt"));
    lines.end()
}

fn below() -> Outcome {
    let sub = open(&folder("/fixed")?, "sub")?;
    let mut lines = Lines::default();
    lines.add("make", done(sub.create_directory_at("new")));
    lines.add("open", done(sub.open_at(STAY, "inner.txt", OpenFlags::empty(), WRITE)));
    lines.add("unlink", done(sub.unlink_file_at("inner.txt")));
    lines.add("read", contents(&sub, "inner.txt"));
    lines.end()
}

fn across() -> Outcome {
    let (fixed, data) = (folder("/fixed")?, data()?);
    let mut lines = Lines::default();
    lines.add("rename out", done(fixed.rename_at("hello.txt", &data, "out.txt")));
    lines.add("rename in", done(data.rename_at("hello.txt", &fixed, "in.txt")));
    lines.add("link out", done(fixed.link_at(STAY, "hello.txt", &data, "out.txt")));
    lines.add("link in", done(data.link_at(STAY, "hello.txt", &fixed, "in.txt")));
    lines.add("hello.txt", contents(&fixed, "hello.txt"));
    lines.add("list", entries(&data));
    lines.end()
}

fn through_link() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    lines.add("make", done(data.symlink_at("../fixed/hello.txt", "there")));
    lines.add("open", done(data.open_at(FOLLOW, "there", OpenFlags::empty(), WRITE)));
    lines.add("rename", done(data.rename_at("there", &data, "again")));
    lines.end()
}
