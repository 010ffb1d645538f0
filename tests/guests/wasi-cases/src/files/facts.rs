//! Facts about files: kinds, sizes, timestamps, identities.

use super::*;
use crate::bindings::wasi::clocks::wall_clock::{self, Datetime};
use crate::bindings::wasi::filesystem::types::{DescriptorStat, NewTimestamp};
use crate::text::{Lines, done, need};
use crate::{Case, Outcome};

pub const CASES: &[Case] = &[
    ("files/preopens", preopens),
    ("files/preopens asked for twice", preopens_twice),
    ("files/stat of each kind", stat_kinds),
    ("files/stat of what is open", stat_open),
    ("files/stat follows writes", stat_writes),
    ("files/stat counts links", stat_links),
    ("files/stat has timestamps", stat_times),
    ("files/get-type", get_type),
    ("files/set-times", set_times),
    ("files/set-times to now", set_times_now),
    ("files/set-times changes one", set_times_one),
    ("files/set-times to times that there are not", set_times_odd),
    ("files/set-times of a directory", set_times_directory),
    ("files/set-times of what is open for reading alone", set_times_read_only),
    ("files/set-times-at a file", set_times_at),
    ("files/set-times-at a link", set_times_link),
    ("files/is-same-object", same_object),
    ("files/metadata-hash tells objects apart", hash_differs),
    ("files/metadata-hash stays", hash_stays),
    ("files/metadata-hash-at a link", hash_link),
];

fn preopens() -> Outcome {
    let mut lines = Lines::default();
    for (dir, path) in super::preopens::get_directories() {
        lines.add(&path, dir.get_type().map_or_else(|code| code.name().into(), |it| kind(it).to_string()));
        lines.add("holds", entries(&dir));
    }
    lines.end()
}

fn preopens_twice() -> Outcome {
    let one = super::preopens::get_directories();
    let two = super::preopens::get_directories();
    let mut lines = Lines::default();
    for ((a, path), (b, _)) in one.iter().zip(&two) {
        lines.add(path, a.is_same_object(b).to_string());
    }
    drop(one);
    lines.add("the others stay", entries(&two[0].0));
    lines.end()
}

fn facts(stat: Result<DescriptorStat, ErrorCode>) -> String {
    match stat {
        Ok(stat) if stat.type_ == DescriptorType::Directory => "directory".into(),
        Ok(stat) => format!("{}, {} bytes, {} links", kind(stat.type_), stat.size, stat.link_count),
        Err(code) => code.name().into(),
    }
}

fn stat_kinds() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    for path in ["hello.txt", "empty.txt", "large.bin", "sub", "link", "sublink", "dangling", "loop-a"] {
        lines.add(path, facts(data.stat_at(STAY, path)));
        lines.add("following", facts(data.stat_at(FOLLOW, path)));
    }
    lines.end()
}

fn stat_open() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    lines.add("file", facts(open(&data, "hello.txt")?.stat()));
    lines.add("directory", facts(open(&data, "sub")?.stat()));
    lines.add("through a link", facts(open(&data, "link")?.stat()));
    lines.add("a granted folder", facts(data.stat()));
    lines.end()
}

fn stat_writes() -> Outcome {
    let data = data()?;
    let file = edit(&data, "hello.txt")?;
    let mut lines = Lines::default();
    lines.add("write", done(file.write(b"x", 99)));
    lines.add("then", facts(file.stat()));
    lines.add("by path", facts(data.stat_at(STAY, "hello.txt")));
    lines.add("cut", done(file.set_size(3)));
    lines.add("then", facts(file.stat()));
    lines.end()
}

fn stat_links() -> Outcome {
    let data = data()?;
    let file = open(&data, "hello.txt")?;
    let mut lines = Lines::default();
    for name in ["b", "c"] {
        lines.add("link", done(data.link_at(STAY, "hello.txt", &data, name)));
        lines.add("then", facts(file.stat()));
    }
    lines.add("unlink", done(data.unlink_file_at("b")));
    lines.add("then", facts(file.stat()));
    lines.end()
}

fn key(time: Datetime) -> (u64, u32) {
    (time.seconds, time.nanoseconds)
}

fn stat_times() -> Outcome {
    let data = data()?;
    let file = edit(&data, "hello.txt")?;
    let before = need("stat", file.stat())?;
    need("write", file.write(b"x", 0))?;
    let after = need("stat", file.stat())?;
    let (before, after) = (before.data_modification_timestamp, after.data_modification_timestamp);
    let (Some(before), Some(after)) = (before, after) else {
        return Ok("no timestamps".into());
    };
    // The clock of the file system may be some milliseconds behind.
    let now = wall_clock::now().seconds + 2;
    Ok(format!(
        "later: {}, not in the future: {}, nanoseconds: {}",
        key(after) >= key(before),
        after.seconds <= now,
        after.nanoseconds < 1_000_000_000
    ))
}

fn get_type() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    for path in ["hello.txt", "sub", "link", "sublink"] {
        let it = open(&data, path)?.get_type();
        lines.add(path, it.map_or_else(|code| code.name().into(), |it| kind(it).to_string()));
    }
    lines.end()
}

const THEN: Datetime = Datetime { seconds: 1_000_000_000, nanoseconds: 500_000_000 };
const LATER: Datetime = Datetime { seconds: 1_500_000_000, nanoseconds: 1 };

fn times(stat: Result<DescriptorStat, ErrorCode>) -> String {
    let shown = |time: Option<Datetime>| match time {
        Some(time) if time.seconds > 1_600_000_000 => "lately".into(),
        Some(time) => format!("{}.{:09}", time.seconds, time.nanoseconds),
        None => "none".to_string(),
    };
    match stat {
        Ok(stat) => format!(
            "read {}, written {}",
            shown(stat.data_access_timestamp),
            shown(stat.data_modification_timestamp)
        ),
        Err(code) => code.name().into(),
    }
}

fn at(time: Datetime) -> NewTimestamp {
    NewTimestamp::Timestamp(time)
}

fn set_times() -> Outcome {
    let data = data()?;
    let file = edit(&data, "hello.txt")?;
    let mut lines = Lines::default();
    lines.add("set", done(file.set_times(at(THEN), at(LATER))));
    lines.add("then", times(file.stat()));
    lines.add("by path", times(data.stat_at(STAY, "hello.txt")));
    lines.end()
}

fn set_times_now() -> Outcome {
    let file = edit(&data()?, "hello.txt")?;
    let mut lines = Lines::default();
    lines.add("set", done(file.set_times(at(THEN), at(THEN))));
    lines.add("now", done(file.set_times(NewTimestamp::Now, NewTimestamp::Now)));
    lines.add("then", times(file.stat()));
    lines.end()
}

fn set_times_one() -> Outcome {
    let file = edit(&data()?, "hello.txt")?;
    let mut lines = Lines::default();
    lines.add("set", done(file.set_times(at(THEN), at(THEN))));
    lines.add("the first", done(file.set_times(at(LATER), NewTimestamp::NoChange)));
    lines.add("then", times(file.stat()));
    lines.add("the second", done(file.set_times(NewTimestamp::NoChange, at(LATER))));
    lines.add("then", times(file.stat()));
    lines.add("none", done(file.set_times(NewTimestamp::NoChange, NewTimestamp::NoChange)));
    lines.add("then", times(file.stat()));
    lines.end()
}

fn set_times_odd() -> Outcome {
    let file = edit(&data()?, "hello.txt")?;
    let mut lines = Lines::default();
    for (seconds, nanoseconds) in [(u64::MAX, 0), (1 << 63, 0), (u64::MAX, 999_999_999)] {
        let time = at(Datetime { seconds, nanoseconds });
        lines.add(&format!("{seconds}.{nanoseconds:09}"), done(file.set_times(time, time)));
    }
    lines.add("zero", done(file.set_times(at(Datetime { seconds: 0, nanoseconds: 0 }), NewTimestamp::NoChange)));
    lines.end()
}

fn set_times_directory() -> Outcome {
    let data = data()?;
    let sub = open(&data, "sub")?;
    let mut lines = Lines::default();
    lines.add("set", done(sub.set_times(at(THEN), at(LATER))));
    let written = sub.stat().map(|stat| DescriptorStat { data_access_timestamp: None, ..stat });
    lines.add("then", times(written));
    lines.end()
}

fn set_times_read_only() -> Outcome {
    let file = open(&data()?, "hello.txt")?;
    let mut lines = Lines::default();
    lines.add("set", done(file.set_times(at(THEN), at(LATER))));
    lines.add("then", times(file.stat()));
    lines.end()
}

fn set_times_at() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    lines.add("set", done(data.set_times_at(STAY, "hello.txt", at(THEN), at(LATER))));
    lines.add("then", times(data.stat_at(STAY, "hello.txt")));
    lines.add("missing", done(data.set_times_at(STAY, "missing", at(THEN), at(LATER))));
    lines.add("below a directory", done(data.set_times_at(STAY, "sub/inner.txt", at(THEN), at(LATER))));
    lines.add("then", times(data.stat_at(STAY, "sub/inner.txt")));
    lines.end()
}

fn set_times_link() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    lines.add("the link", done(data.set_times_at(STAY, "link", at(THEN), at(LATER))));
    let written = data.stat_at(STAY, "link").map(|stat| DescriptorStat { data_access_timestamp: None, ..stat });
    lines.add("then", times(written));
    lines.add("what it leads to", times(data.stat_at(FOLLOW, "link").map(|stat| {
        DescriptorStat { data_access_timestamp: None, ..stat }
    })));
    lines.add("following", done(data.set_times_at(FOLLOW, "link", at(LATER), at(THEN))));
    lines.add("what it leads to", times(data.stat_at(STAY, "hello.txt")));
    lines.add("to nowhere", done(data.set_times_at(FOLLOW, "dangling", at(LATER), at(THEN))));
    lines.end()
}

fn same_object() -> Outcome {
    let data = data()?;
    let (one, two) = (open(&data, "hello.txt")?, open(&data, "link")?);
    let other = open(&data, "empty.txt")?;
    let (sub, again) = (open(&data, "sub")?, open(&data, "sublink")?);
    let mut lines = Lines::default();
    lines.add("itself", one.is_same_object(&one).to_string());
    lines.add("through a link", one.is_same_object(&two).to_string());
    lines.add("another file", one.is_same_object(&other).to_string());
    lines.add("a directory", one.is_same_object(&sub).to_string());
    lines.add("directories", sub.is_same_object(&again).to_string());
    lines.add("of two folders", open(&folder("/fixed")?, "hello.txt")?.is_same_object(&one).to_string());
    need("rename", data.rename_at("hello.txt", &data, "x"))?;
    lines.add("renamed", open(&data, "x")?.is_same_object(&one).to_string());
    lines.end()
}

fn hash(dir: &Descriptor, flags: PathFlags, path: &str) -> Result<(u64, u64), String> {
    let hash = need(path, dir.metadata_hash_at(flags, path))?;
    Ok((hash.lower, hash.upper))
}

fn hash_differs() -> Outcome {
    let data = data()?;
    let one = hash(&data, STAY, "hello.txt")?;
    let mut lines = Lines::default();
    for path in ["empty.txt", "sub", "link"] {
        lines.add(path, (one != hash(&data, STAY, path)?).to_string());
    }
    let open = need("hash", open(&data, "hello.txt")?.metadata_hash())?;
    lines.add("the same when open", (one == (open.lower, open.upper)).to_string());
    let folder = need("hash", data.metadata_hash())?;
    lines.add("the folder's", (hash(&data, STAY, ".")? == (folder.lower, folder.upper)).to_string());
    lines.end()
}

fn hash_stays() -> Outcome {
    let data = data()?;
    let one = hash(&data, STAY, "hello.txt")?;
    let mut lines = Lines::default();
    lines.add("again", (one == hash(&data, STAY, "hello.txt")?).to_string());
    need("write", edit(&data, "hello.txt")?.write(b"longer than before", 0))?;
    lines.add("written", (one == hash(&data, STAY, "hello.txt")?).to_string());
    need("rename", data.rename_at("hello.txt", &data, "x"))?;
    lines.add("renamed", (one == hash(&data, STAY, "x")?).to_string());
    need("link", data.link_at(STAY, "x", &data, "y"))?;
    lines.add("linked", (one == hash(&data, STAY, "y")?).to_string());
    lines.end()
}

fn hash_link() -> Outcome {
    let data = data()?;
    let file = hash(&data, STAY, "hello.txt")?;
    let mut lines = Lines::default();
    lines.add("following", (file == hash(&data, FOLLOW, "link")?).to_string());
    lines.add("not following", (file == hash(&data, STAY, "link")?).to_string());
    lines.add("to nowhere", done(data.metadata_hash_at(FOLLOW, "dangling")));
    lines.end()
}
