//! Opening, making, renaming, linking and removing.

use super::*;
use crate::text::{Lines, done, need};
use crate::{Case, Outcome};

pub const CASES: &[Case] = &[
    ("files/open with each open-flag", open_flags),
    ("files/open with open-flags that exclude each other", open_nonsense),
    ("files/open a directory", open_directory),
    ("files/open a file below a file", open_below_file),
    ("files/open a file as a directory", open_file_as_directory),
    ("files/open follows links or not", open_links),
    ("files/open makes a file where a link leads", open_dangling),
    ("files/open cuts a file", open_truncate),
    ("files/open without a right", open_no_right),
    ("files/open makes a file to read it", open_create_read),
    ("files/open with sync flags", open_sync),
    ("files/open a directory for changes", open_mutate),
    ("files/get-flags of each way to open", get_flags),
    ("files/open 40 at once", open_many),
    ("files/make directories", make_directories),
    ("files/remove directories", remove_directories),
    ("files/unlink", unlink),
    ("files/unlink what is open", unlink_open),
    ("files/rename a file", rename_file),
    ("files/rename over something", rename_over),
    ("files/rename a directory", rename_directory),
    ("files/rename a directory into itself", rename_into_itself),
    ("files/rename across folders", rename_across),
    ("files/rename what is open", rename_open),
    ("files/link", link),
    ("files/link across folders", link_across),
    ("files/link what cannot be linked", link_wrong),
    ("files/symlink", symlink),
    ("files/symlink with odd contents", symlink_contents),
    ("files/readlink", readlink),
    ("files/long and odd names", odd_names),
];

fn opened(dir: &Descriptor, path: &str, open: OpenFlags, flags: DescriptorFlags) -> String {
    match dir.open_at(STAY, path, open, flags) {
        Ok(file) => file.get_type().map_or_else(|code| code.name().into(), |it| kind(it).into()),
        Err(code) => code.name().into(),
    }
}

fn open_flags() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    for (name, flags) in [
        ("none", OpenFlags::empty()),
        ("create", OpenFlags::CREATE),
        ("create exclusive", OpenFlags::CREATE | OpenFlags::EXCLUSIVE),
        ("exclusive", OpenFlags::EXCLUSIVE),
        ("truncate", OpenFlags::TRUNCATE),
        ("directory", OpenFlags::DIRECTORY),
    ] {
        for path in ["hello.txt", "sub"] {
            lines.add(&format!("{name} {path}"), opened(&data, path, flags, READ));
        }
        let fresh = format!("new-{}", name.replace(' ', "-"));
        lines.add(&format!("{name} new"), opened(&data, &fresh, flags, READ | WRITE));
    }
    lines.add("then", entries(&data));
    lines.end()
}

fn open_nonsense() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    for (name, flags) in [
        ("create", OpenFlags::CREATE),
        ("exclusive", OpenFlags::EXCLUSIVE),
        ("truncate", OpenFlags::TRUNCATE),
        ("all", OpenFlags::all()),
    ] {
        lines.add(name, opened(&data, "sub", flags | OpenFlags::DIRECTORY, READ));
    }
    lines.end()
}

fn open_directory() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    for (name, flags) in [("read", READ), ("write", WRITE), ("both", READ | WRITE), ("none", DescriptorFlags::empty())] {
        lines.add(name, opened(&data, "sub", OpenFlags::empty(), flags));
    }
    let sub = open(&data, "sub")?;
    lines.add("inside", contents(&sub, "inner.txt"));
    lines.end()
}

fn open_below_file() -> Outcome {
    let data = data()?;
    let file = open(&data, "hello.txt")?;
    let mut lines = Lines::default();
    lines.add("from a file", opened(&file, "x", OpenFlags::empty(), READ));
    lines.add("stat", done(file.stat_at(STAY, "x")));
    lines.add("make", done(file.create_directory_at("x")));
    lines.add("list", entries(&file));
    lines.add("rename", done(file.rename_at("x", &data, "y")));
    lines.add("rename to", done(data.rename_at("hello.txt", &file, "y")));
    lines.end()
}

fn open_file_as_directory() -> Outcome {
    Ok(opened(&data()?, "hello.txt", OpenFlags::DIRECTORY, READ))
}

fn open_links() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    for path in ["link", "sublink", "dangling", "loop-a", "out", "absolute"] {
        for (name, flags) in [("follow", FOLLOW), ("stay", STAY)] {
            let file = data.open_at(flags, path, OpenFlags::empty(), READ);
            lines.add(&format!("{name} {path}"), done(file));
        }
    }
    lines.add("through one", contents(&data, "sublink/inner.txt"));
    lines.end()
}

fn open_dangling() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    lines.add("exclusive", done(data.open_at(FOLLOW, "dangling", OpenFlags::CREATE | OpenFlags::EXCLUSIVE, WRITE)));
    lines.add("stay", done(data.open_at(STAY, "dangling", OpenFlags::CREATE, WRITE)));
    lines.add("follow", done(data.open_at(FOLLOW, "dangling", OpenFlags::CREATE, WRITE)));
    lines.add("then", contents(&data, "nowhere"));
    lines.end()
}

fn open_truncate() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    lines.add("to write", done(data.open_at(STAY, "hello.txt", OpenFlags::TRUNCATE, WRITE)));
    lines.add("then", contents(&data, "hello.txt"));
    lines.add("a directory", done(data.open_at(STAY, "sub", OpenFlags::TRUNCATE, WRITE)));
    lines.add("a link", done(data.open_at(STAY, "link", OpenFlags::TRUNCATE, WRITE)));
    lines.add("nothing", done(data.open_at(STAY, "missing", OpenFlags::TRUNCATE, WRITE)));
    lines.end()
}

fn open_no_right() -> Outcome {
    let data = data()?;
    let file = need("open", data.open_at(STAY, "hello.txt", OpenFlags::empty(), DescriptorFlags::empty()))?;
    let mut lines = Lines::default();
    lines.add("stat", done(file.stat()));
    lines.add("write", done(file.write(b"x", 0)));
    lines.end()
}

fn open_create_read() -> Outcome {
    let data = data()?;
    let file = need("open", data.open_at(STAY, "new.txt", OpenFlags::CREATE, READ))?;
    let mut lines = Lines::default();
    lines.add("read", done(file.read(1, 0)));
    lines.add("write", done(file.write(b"x", 0)));
    lines.end()
}

fn open_sync() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    for (name, flags) in [
        ("file", DescriptorFlags::FILE_INTEGRITY_SYNC),
        ("data", DescriptorFlags::DATA_INTEGRITY_SYNC),
        ("requested", DescriptorFlags::REQUESTED_WRITE_SYNC),
    ] {
        lines.add(name, opened(&data, "hello.txt", OpenFlags::empty(), READ | WRITE | flags));
    }
    lines.end()
}

fn open_mutate() -> Outcome {
    let data = data()?;
    let flags = READ | DescriptorFlags::MUTATE_DIRECTORY;
    let sub = need("open", data.open_at(STAY, "sub", OpenFlags::DIRECTORY, flags))?;
    let mut lines = Lines::default();
    lines.add("make", done(sub.create_directory_at("made")));
    lines.add("then", entries(&sub));
    let plain = need("open", data.open_at(STAY, "sub", OpenFlags::DIRECTORY, READ))?;
    lines.add("not asked for", done(plain.create_directory_at("too")));
    lines.end()
}

fn flags_of(file: Result<Descriptor, ErrorCode>) -> String {
    match file.and_then(|file| file.get_flags()) {
        Err(code) => code.name().into(),
        Ok(flags) => [
            (READ, "read"),
            (WRITE, "write"),
            (DescriptorFlags::MUTATE_DIRECTORY, "mutate"),
        ]
        .iter()
        .filter_map(|(flag, name)| flags.contains(*flag).then_some(*name))
        .collect::<Vec<_>>()
        .join(" "),
    }
}

fn get_flags() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    let none = OpenFlags::empty();
    lines.add("read", flags_of(data.open_at(STAY, "hello.txt", none, READ)));
    lines.add("write", flags_of(data.open_at(STAY, "hello.txt", none, WRITE)));
    lines.add("both", flags_of(data.open_at(STAY, "hello.txt", none, READ | WRITE)));
    lines.add("neither", flags_of(data.open_at(STAY, "hello.txt", none, DescriptorFlags::empty())));
    lines.add("data", flags_of(Ok(data)));
    lines.add("fixed", flags_of(Ok(folder("/fixed")?)));
    lines.end()
}

fn open_many() -> Outcome {
    let data = data()?;
    let files = (0..40).map(|_| open(&data, "hello.txt")).collect::<Result<Vec<_>, _>>()?;
    let read = files.iter().filter(|file| all(file).is_ok_and(|bytes| bytes.len() == 13)).count();
    Ok(format!("{read} of {}", files.len()))
}

fn make_directories() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    for path in ["a", "a", "a/b", "a/b/c/d", "hello.txt", "hello.txt/x", "dangling", "sub", "c/"] {
        lines.add(path, done(data.create_directory_at(path)));
    }
    lines.add("then", entries(&data));
    lines.end()
}

fn remove_directories() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    for path in ["sub", "sub/deeper", "sub/deeper", "hello.txt", "sublink", "missing", "."] {
        lines.add(path, done(data.remove_directory_at(path)));
    }
    lines.add("then", entries(&open(&data, "sub")?));
    lines.end()
}

fn unlink() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    for path in ["hello.txt", "hello.txt", "sub", "link", "dangling", "sublink", "sub/inner.txt"] {
        lines.add(path, done(data.unlink_file_at(path)));
    }
    lines.add("then", entries(&data));
    lines.end()
}

fn unlink_open() -> Outcome {
    let data = data()?;
    let file = edit(&data, "hello.txt")?;
    let mut lines = Lines::default();
    lines.add("unlink", done(data.unlink_file_at("hello.txt")));
    lines.add("links", file.stat().map_or_else(|code| code.name().into(), |stat| stat.link_count.to_string()));
    lines.add("write", done(file.write(b"J", 0)));
    let read = all(&file).map_err(|code| code.name().to_string())?;
    lines.add("read", crate::text::bytes(&read));
    lines.end()
}

fn rename_file() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    lines.add("to a new name", done(data.rename_at("hello.txt", &data, "renamed.txt")));
    lines.add("into a directory", done(data.rename_at("renamed.txt", &data, "sub/moved.txt")));
    lines.add("onto itself", done(data.rename_at("sub/moved.txt", &data, "sub/moved.txt")));
    lines.add("what is not there", done(data.rename_at("hello.txt", &data, "x")));
    lines.add("to where nothing is", done(data.rename_at("empty.txt", &data, "missing/x")));
    lines.add("a link", done(data.rename_at("link", &data, "renamed-link")));
    lines.add("then", entries(&data));
    lines.add("moved", contents(&data, "sub/moved.txt"));
    lines.end()
}

fn rename_over() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    lines.add("a file", done(data.rename_at("empty.txt", &data, "hello.txt")));
    lines.add("then", contents(&data, "hello.txt"));
    lines.add("a directory, by a file", done(data.rename_at("hello.txt", &data, "sub")));
    lines.add("a file, by a directory", done(data.rename_at("sub", &data, "hello.txt")));
    lines.add("make", done(data.create_directory_at("void")));
    lines.add("an empty directory", done(data.rename_at("sub/deeper", &data, "void")));
    lines.add("a full directory", done(data.rename_at("void", &data, "sub")));
    lines.end()
}

fn rename_directory() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    lines.add("rename", done(data.rename_at("sub", &data, "other")));
    lines.add("inside", contents(&data, "other/inner.txt"));
    lines.add("through the link", contents(&data, "sublink/inner.txt"));
    lines.end()
}

fn rename_into_itself() -> Outcome {
    let data = data()?;
    Ok(done(data.rename_at("sub", &data, "sub/deeper/sub")))
}

fn rename_across() -> Outcome {
    let (data, more) = (data()?, folder("/more")?);
    let mut lines = Lines::default();
    lines.add("there", done(data.rename_at("hello.txt", &more, "hello.txt")));
    lines.add("then", contents(&more, "hello.txt"));
    lines.add("gone", contents(&data, "hello.txt"));
    lines.add("a directory", done(data.rename_at("sub", &more, "sub")));
    lines.add("then", entries(&more));
    lines.add("to a read-only folder", done(data.rename_at("empty.txt", &folder("/fixed")?, "x")));
    lines.end()
}

fn rename_open() -> Outcome {
    let data = data()?;
    let file = open(&data, "hello.txt")?;
    let sub = open(&data, "sub")?;
    let mut lines = Lines::default();
    lines.add("file", done(data.rename_at("hello.txt", &data, "x")));
    lines.add("read", all(&file).map_or_else(|code| code.name().into(), |read| crate::text::bytes(&read)));
    lines.add("directory", done(data.rename_at("sub", &data, "y")));
    lines.add("list", entries(&sub));
    lines.end()
}

fn link() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    lines.add("link", done(data.link_at(STAY, "hello.txt", &data, "second.txt")));
    let (one, two) = (edit(&data, "hello.txt")?, open(&data, "second.txt")?);
    lines.add("same", one.is_same_object(&two).to_string());
    lines.add("links", two.stat().map_or_else(|code| code.name().into(), |stat| stat.link_count.to_string()));
    lines.add("write", done(one.write(b"J", 0)));
    lines.add("read", contents(&data, "second.txt"));
    lines.add("to a name that is taken", done(data.link_at(STAY, "hello.txt", &data, "empty.txt")));
    lines.end()
}

fn link_across() -> Outcome {
    let (data, more) = (data()?, folder("/more")?);
    let mut lines = Lines::default();
    lines.add("link", done(data.link_at(STAY, "hello.txt", &more, "hello.txt")));
    lines.add("then", contents(&more, "hello.txt"));
    lines.add("from a read-only folder", done(folder("/fixed")?.link_at(STAY, "hello.txt", &more, "x")));
    lines.add("to a read-only folder", done(more.link_at(STAY, "hello.txt", &folder("/fixed")?, "x")));
    lines.end()
}

fn link_wrong() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    lines.add("a directory", done(data.link_at(STAY, "sub", &data, "x")));
    lines.add("nothing", done(data.link_at(STAY, "missing", &data, "x")));
    lines.add("a link itself", done(data.link_at(STAY, "link", &data, "y")));
    lines.add("which is", data.readlink_at("y").unwrap_or_else(|code| code.name().into()));
    lines.add("following", done(data.link_at(FOLLOW, "link", &data, "z")));
    lines.add("to nowhere", done(data.link_at(STAY, "hello.txt", &data, "missing/x")));
    lines.end()
}

fn symlink() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    lines.add("make", done(data.symlink_at("sub/inner.txt", "new-link")));
    lines.add("read through", data.open_at(FOLLOW, "new-link", OpenFlags::empty(), READ).map_or_else(
        |code| code.name().into(),
        |file| part(&file),
    ));
    lines.add("over a file", done(data.symlink_at("x", "hello.txt")));
    lines.add("over a link", done(data.symlink_at("x", "link")));
    lines.add("to nowhere", done(data.symlink_at("x", "missing/x")));
    lines.end()
}

fn part(file: &Descriptor) -> String {
    all(file).map_or_else(|code| code.name().into(), |read| crate::text::bytes(&read))
}

fn symlink_contents() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    for (place, contents) in ["/etc/passwd", "../../up", "", "a b", "grüße", "sub/", ".."].iter().enumerate() {
        let name = format!("l{place}");
        lines.add(contents, done(data.symlink_at(contents, &name)));
        lines.add("read", data.readlink_at(&name).unwrap_or_else(|code| code.name().into()));
        lines.add("followed", done(data.stat_at(FOLLOW, &name)));
    }
    lines.end()
}

fn readlink() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    for path in ["link", "sublink", "dangling", "loop-a", "out", "absolute", "hello.txt", "sub", "missing"] {
        lines.add(path, data.readlink_at(path).unwrap_or_else(|code| code.name().into()));
    }
    lines.end()
}

fn odd_names() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    let long = "n".repeat(255);
    for name in [" ", "grüße, 世界", "a\nb", "\\", "...", "-", "*", long.as_str()] {
        let shown = if name.len() > 20 { "255 bytes" } else { name };
        lines.add(shown, done(data.open_at(STAY, name, OpenFlags::CREATE, WRITE)));
    }
    let listed = entries(&data).replace(&long, "255 bytes");
    lines.add("then", listed);
    lines.add("256 bytes", done(data.open_at(STAY, &"n".repeat(256), OpenFlags::CREATE, WRITE)));
    lines.end()
}
