//! Reading directories.

use super::*;
use crate::text::{Lines, done, need};
use crate::{Case, Outcome};

pub const CASES: &[Case] = &[
    ("files/read-directory", read),
    ("files/read-directory of none", read_empty),
    ("files/read-directory twice at once", read_twice),
    ("files/read-directory of 500 entries", read_many),
    ("files/read-directory stays at its end", read_end),
    ("files/read-directory of one that was removed", read_removed),
    ("files/read-directory after its descriptor", read_outlives),
    ("files/a tree is made and removed", tree),
];

fn read() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    lines.add("data", entries(&data));
    lines.add("sub", entries(&open(&data, "sub")?));
    lines.add("through a link", entries(&open(&data, "sublink")?));
    lines.end()
}

fn read_empty() -> Outcome {
    Ok(format!("[{}]", entries(&open(&data()?, "sub/deeper")?)))
}

fn read_twice() -> Outcome {
    let data = data()?;
    let (one, two) = (need("one", data.read_directory())?, need("two", data.read_directory())?);
    let mut names = [Vec::new(), Vec::new()];
    loop {
        let next = [&one, &two].map(|stream| stream.read_directory_entry());
        let mut ended = true;
        for (names, next) in names.iter_mut().zip(next) {
            if let Some(entry) = need("entry", next)? {
                names.push(entry.name);
                ended = false;
            }
        }
        if ended {
            break;
        }
    }
    let [one, two] = &mut names;
    one.sort();
    two.sort();
    Ok(format!("{}, the same: {}", one.len(), one == two))
}

fn read_many() -> Outcome {
    let data = data()?;
    need("make", data.create_directory_at("many"))?;
    let many = open(&data, "many")?;
    for place in 0..500 {
        make(&many, &format!("entry-{place:03}"), b"")?;
    }
    let stream = need("read", many.read_directory())?;
    let mut names = Vec::new();
    while let Some(entry) = need("entry", stream.read_directory_entry())? {
        names.push(entry.name);
    }
    names.sort();
    names.dedup();
    Ok(format!("{}: {:?} to {:?}", names.len(), names.first(), names.last()))
}

fn read_end() -> Outcome {
    let deeper = open(&data()?, "sub/deeper")?;
    let stream = need("read", deeper.read_directory())?;
    let mut lines = Lines::default();
    for _ in 0..2 {
        let next = need("entry", stream.read_directory_entry())?;
        lines.add("next", if next.is_some() { "an entry" } else { "none" });
    }
    lines.end()
}

fn read_removed() -> Outcome {
    let data = data()?;
    let deeper = open(&data, "sub/deeper")?;
    let mut lines = Lines::default();
    lines.add("remove", done(data.remove_directory_at("sub/deeper")));
    lines.add("list", entries(&deeper));
    lines.add("make", done(deeper.create_directory_at("x")));
    lines.add("open", done(deeper.open_at(STAY, "x", OpenFlags::CREATE, WRITE)));
    lines.add("stat", done(deeper.stat()));
    lines.end()
}

fn read_outlives() -> Outcome {
    let sub = open(&data()?, "sub")?;
    let stream = need("read", sub.read_directory())?;
    drop(sub);
    let mut names = Vec::new();
    while let Some(entry) = need("entry", stream.read_directory_entry())? {
        names.push(entry.name);
    }
    names.sort();
    Ok(names.join(", "))
}

fn tree() -> Outcome {
    let data = data()?;
    need("make", data.create_directory_at("tree"))?;
    let mut path = String::from("tree");
    for depth in 0..20 {
        path.push_str(&format!("/d{depth}"));
        need("make", data.create_directory_at(&path))?;
        make(&data, &format!("{path}/file"), b"leaf")?;
    }
    let mut lines = Lines::default();
    lines.add("the last", contents(&data, &format!("{path}/file")));
    let mut removed = 0;
    while path.contains('/') {
        need("unlink", data.unlink_file_at(&format!("{path}/file")))?;
        need("remove", data.remove_directory_at(&path))?;
        removed += 1;
        path.truncate(path.rfind('/').unwrap_or(0));
    }
    lines.add("removed", removed.to_string());
    lines.add("left", format!("[{}]", entries(&open(&data, "tree")?)));
    lines.end()
}
