//! Bytes of files, by `read` and `write` and by streams.

use super::*;
use crate::bindings::wasi::filesystem::types::{Advice, filesystem_error_code};
use crate::bindings::wasi::io::streams::{InputStream, StreamError};
use crate::text::{Lines, bytes, done, said};
use crate::{Case, Outcome};

pub const CASES: &[Case] = &[
    ("files/read a file in parts", read_parts),
    ("files/read beyond the end", read_beyond),
    ("files/read nothing", read_nothing),
    ("files/read 2^64-1 bytes", read_endless),
    ("files/read a large file", read_large),
    ("files/read at huge offsets", read_offsets),
    ("files/read a directory", read_directory),
    ("files/read what is open for writing alone", read_write_only),
    ("files/write over, into and behind", write_places),
    ("files/write leaves a hole", write_hole),
    ("files/write nothing", write_nothing),
    ("files/write at huge offsets", write_offsets),
    ("files/write a directory", write_directory),
    ("files/write what is open for reading alone", write_read_only),
    ("files/write while another reads", write_and_read),
    ("files/size is cut and filled", set_size),
    ("files/size of 2^64-1", set_size_huge),
    ("files/size of what is open for reading alone", set_size_read_only),
    ("files/read-via-stream from the start", stream_read),
    ("files/read-via-stream from the middle", stream_middle),
    ("files/read-via-stream beyond the end", stream_beyond),
    ("files/read-via-stream at a huge offset", stream_huge),
    ("files/read-via-stream of a directory", stream_directory),
    ("files/read-via-stream of what is open for writing alone", stream_write_only),
    ("files/read-via-stream skips", stream_skip),
    ("files/read-via-stream outlives its descriptor", stream_outlives),
    ("files/read-via-stream twice at once", stream_twice),
    ("files/write-via-stream", stream_write),
    ("files/write-via-stream behind the end", stream_write_behind),
    ("files/write-via-stream at a huge offset", stream_write_huge),
    ("files/write-via-stream of what is open for reading alone", stream_write_read_only),
    ("files/write-via-stream of a directory", stream_write_directory),
    ("files/append-via-stream", stream_append),
    ("files/append-via-stream twice at once", stream_append_twice),
    ("files/append-via-stream of what is open for reading alone", stream_append_read_only),
    ("files/splice from file to file", stream_splice),
    ("files/write zeroes", stream_zeroes),
    ("files/advise", advise),
    ("files/sync and sync-data", sync),
    ("files/filesystem-error-code", error_code),
];

fn part(result: Result<(Vec<u8>, bool), ErrorCode>) -> String {
    match result {
        Ok((read, end)) => format!("{}{}", bytes(&read), if end { ", the end" } else { "" }),
        Err(code) => code.name().to_string(),
    }
}

/// All that a stream gives, and how it ends.
fn drain(stream: &InputStream) -> String {
    let mut read = Vec::new();
    loop {
        match stream.blocking_read(10_000) {
            Ok(more) => read.extend(more),
            Err(StreamError::Closed) => return format!("{}, closed", bytes(&read)),
            Err(StreamError::LastOperationFailed(error)) => {
                let code = filesystem_error_code(&error).map_or("no code", |code| code.name());
                return format!("{}, failed: {code}", bytes(&read));
            }
        }
    }
}

fn failure(error: StreamError) -> String {
    match error {
        StreamError::Closed => "closed".into(),
        StreamError::LastOperationFailed(error) => {
            filesystem_error_code(&error).map_or("no code", |code| code.name()).into()
        }
    }
}

fn wrote(result: Result<(), StreamError>) -> String {
    result.map_or_else(failure, |()| "ok".into())
}

fn read_parts() -> Outcome {
    let file = open(&data()?, "hello.txt")?;
    let mut lines = Lines::default();
    lines.add("5 at 0", part(file.read(5, 0)));
    lines.add("5 at 7", part(file.read(5, 7)));
    lines.add("100 at 0", part(file.read(100, 0)));
    lines.add("100 at 12", part(file.read(100, 12)));
    lines.end()
}

fn read_beyond() -> Outcome {
    let file = open(&data()?, "hello.txt")?;
    let mut lines = Lines::default();
    lines.add("at the end", part(file.read(10, 13)));
    lines.add("behind it", part(file.read(10, 1_000_000)));
    lines.add("of none", part(open(&data()?, "empty.txt")?.read(10, 0)));
    lines.end()
}

fn read_nothing() -> Outcome {
    let file = open(&data()?, "hello.txt")?;
    let mut lines = Lines::default();
    lines.add("at 0", part(file.read(0, 0)));
    lines.add("at the end", part(file.read(0, 13)));
    lines.end()
}

fn read_endless() -> Outcome {
    let file = open(&data()?, "hello.txt")?;
    Ok(part(file.read(u64::MAX, 0)))
}

fn read_large() -> Outcome {
    let file = open(&data()?, "large.bin")?;
    let read = all(&file).map_err(|code| code.name().to_string())?;
    let (first, end) = file.read(u64::MAX, 0).map_err(|code| code.name().to_string())?;
    Ok(format!(
        "{}; at once at least 4096: {}, a beginning: {}, the end: {end}",
        bytes(&read),
        first.len() >= 4096,
        read.starts_with(&first)
    ))
}

fn read_offsets() -> Outcome {
    let file = open(&data()?, "hello.txt")?;
    let mut lines = Lines::default();
    for offset in [1 << 40, i64::MAX as u64, 1 << 63, u64::MAX] {
        lines.add(&offset.to_string(), part(file.read(10, offset)));
    }
    lines.end()
}

fn read_directory() -> Outcome {
    Ok(part(data()?.read(10, 0)))
}

fn write_only() -> Result<Descriptor, String> {
    crate::text::need("open", data()?.open_at(STAY, "hello.txt", OpenFlags::empty(), WRITE))
}

fn read_write_only() -> Outcome {
    Ok(part(write_only()?.read(10, 0)))
}

fn write_places() -> Outcome {
    let data = data()?;
    let file = edit(&data, "hello.txt")?;
    let mut lines = Lines::default();
    lines.add("over", said(file.write(b"HELLO", 0)));
    lines.add("then", contents(&data, "hello.txt"));
    lines.add("across the end", said(file.write(b"d, and more\n", 11)));
    lines.add("then", contents(&data, "hello.txt"));
    lines.end()
}

fn write_hole() -> Outcome {
    let data = data()?;
    let file = edit(&data, "empty.txt")?;
    let mut lines = Lines::default();
    lines.add("at 10", said(file.write(b"x", 10)));
    lines.add("then", contents(&data, "empty.txt"));
    lines.end()
}

fn write_nothing() -> Outcome {
    let data = data()?;
    let file = edit(&data, "hello.txt")?;
    let mut lines = Lines::default();
    lines.add("at 0", said(file.write(b"", 0)));
    lines.add("behind the end", said(file.write(b"", 100)));
    lines.add("then", contents(&data, "hello.txt"));
    lines.end()
}

fn write_offsets() -> Outcome {
    let file = edit(&data()?, "hello.txt")?;
    let mut lines = Lines::default();
    for offset in [i64::MAX as u64, 1 << 63, u64::MAX] {
        lines.add(&offset.to_string(), said(file.write(b"x", offset)));
    }
    lines.end()
}

fn write_directory() -> Outcome {
    Ok(said(data()?.write(b"x", 0)))
}

fn write_read_only() -> Outcome {
    Ok(said(open(&data()?, "hello.txt")?.write(b"x", 0)))
}

fn write_and_read() -> Outcome {
    let data = data()?;
    let reader = open(&data, "hello.txt")?;
    let writer = edit(&data, "hello.txt")?;
    let mut lines = Lines::default();
    lines.add("before", part(reader.read(5, 0)));
    lines.add("write", said(writer.write(b"J", 0)));
    lines.add("after", part(reader.read(5, 0)));
    lines.end()
}

fn set_size() -> Outcome {
    let data = data()?;
    let file = edit(&data, "hello.txt")?;
    let mut lines = Lines::default();
    lines.add("cut", done(file.set_size(5)));
    lines.add("then", contents(&data, "hello.txt"));
    lines.add("filled", done(file.set_size(8)));
    lines.add("then", contents(&data, "hello.txt"));
    lines.add("none", done(file.set_size(0)));
    lines.add("then", contents(&data, "hello.txt"));
    lines.end()
}

fn set_size_huge() -> Outcome {
    let data = data()?;
    let file = edit(&data, "hello.txt")?;
    let mut lines = Lines::default();
    lines.add("2^63", done(file.set_size(1 << 63)));
    lines.add("2^64-1", done(file.set_size(u64::MAX)));
    lines.add("a directory", done(data.set_size(0)));
    lines.add("then", contents(&data, "hello.txt"));
    lines.end()
}

fn set_size_read_only() -> Outcome {
    Ok(done(open(&data()?, "hello.txt")?.set_size(1)))
}

fn reading(path: &str, offset: u64) -> Outcome {
    let file = open(&data()?, path)?;
    Ok(match file.read_via_stream(offset) {
        Ok(stream) => drain(&stream),
        Err(code) => code.name().into(),
    })
}

fn stream_read() -> Outcome {
    let mut lines = Lines::default();
    for path in ["hello.txt", "empty.txt", "large.bin"] {
        lines.add(path, reading(path, 0)?);
    }
    lines.end()
}

fn stream_middle() -> Outcome {
    reading("hello.txt", 7)
}

fn stream_beyond() -> Outcome {
    reading("hello.txt", 1000)
}

fn stream_huge() -> Outcome {
    let mut lines = Lines::default();
    for offset in [i64::MAX as u64, 1 << 63, u64::MAX] {
        lines.add(&offset.to_string(), reading("hello.txt", offset)?);
    }
    lines.end()
}

fn stream_directory() -> Outcome {
    Ok(done(data()?.read_via_stream(0)))
}

fn stream_write_only() -> Outcome {
    Ok(match write_only()?.read_via_stream(0) {
        Ok(stream) => format!("a stream: {}", drain(&stream)),
        Err(code) => code.name().into(),
    })
}

fn stream_skip() -> Outcome {
    let file = open(&data()?, "hello.txt")?;
    let stream = crate::text::need("stream", file.read_via_stream(0))?;
    let mut lines = Lines::default();
    lines.add("skipped", stream.blocking_skip(7).map_or_else(failure, |n| n.to_string()));
    lines.add("rest", drain(&stream));
    lines.add("at the end", stream.blocking_skip(1).map_or_else(failure, |n| n.to_string()));
    lines.end()
}

fn stream_outlives() -> Outcome {
    let data = data()?;
    let file = open(&data, "hello.txt")?;
    let stream = crate::text::need("stream", file.read_via_stream(0))?;
    drop(file);
    let mut lines = Lines::default();
    lines.add("unlinked", done(data.unlink_file_at("hello.txt")));
    lines.add("read", drain(&stream));
    lines.end()
}

fn stream_twice() -> Outcome {
    let file = open(&data()?, "hello.txt")?;
    let one = crate::text::need("stream", file.read_via_stream(0))?;
    let two = crate::text::need("stream", file.read_via_stream(0))?;
    let mut lines = Lines::default();
    lines.add("one", one.blocking_read(5).map_or_else(failure, |read| bytes(&read)));
    lines.add("two", two.blocking_read(3).map_or_else(failure, |read| bytes(&read)));
    lines.add("one", drain(&one));
    lines.add("two", drain(&two));
    lines.end()
}

fn writing(offset: u64) -> Outcome {
    let data = data()?;
    let file = edit(&data, "hello.txt")?;
    let stream = crate::text::need("stream", file.write_via_stream(offset))?;
    let mut lines = Lines::default();
    lines.add("first", wrote(stream.blocking_write_and_flush(b"AB")));
    lines.add("second", wrote(stream.blocking_write_and_flush(b"CD")));
    lines.add("flush", wrote(stream.blocking_flush()));
    lines.add("then", contents(&data, "hello.txt"));
    lines.end()
}

fn stream_write() -> Outcome {
    writing(0)
}

fn stream_write_behind() -> Outcome {
    writing(16)
}

fn stream_write_huge() -> Outcome {
    writing(u64::MAX)
}

fn stream_write_read_only() -> Outcome {
    let file = open(&data()?, "hello.txt")?;
    Ok(match file.write_via_stream(0) {
        Ok(stream) => format!("a stream: {}", wrote(stream.blocking_write_and_flush(b"x"))),
        Err(code) => code.name().into(),
    })
}

fn stream_write_directory() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    lines.add("write", done(data.write_via_stream(0)));
    lines.add("append", done(data.append_via_stream()));
    lines.end()
}

fn stream_append() -> Outcome {
    let data = data()?;
    let file = edit(&data, "hello.txt")?;
    let stream = crate::text::need("stream", file.append_via_stream())?;
    let mut lines = Lines::default();
    lines.add("first", wrote(stream.blocking_write_and_flush(b"AB")));
    lines.add("set-size", done(file.set_size(3)));
    lines.add("second", wrote(stream.blocking_write_and_flush(b"CD")));
    lines.add("then", contents(&data, "hello.txt"));
    lines.end()
}

fn stream_append_twice() -> Outcome {
    let data = data()?;
    let (one, two) = (edit(&data, "empty.txt")?, edit(&data, "empty.txt")?);
    let one = crate::text::need("stream", one.append_via_stream())?;
    let two = crate::text::need("stream", two.append_via_stream())?;
    let mut lines = Lines::default();
    for (stream, text) in [(&one, b"1"), (&two, b"2"), (&one, b"3"), (&two, b"4")] {
        lines.add("append", wrote(stream.blocking_write_and_flush(text)));
    }
    lines.add("then", contents(&data, "empty.txt"));
    lines.end()
}

fn stream_append_read_only() -> Outcome {
    let file = open(&data()?, "hello.txt")?;
    Ok(match file.append_via_stream() {
        Ok(stream) => format!("a stream: {}", wrote(stream.blocking_write_and_flush(b"x"))),
        Err(code) => code.name().into(),
    })
}

fn stream_splice() -> Outcome {
    let data = data()?;
    let from = open(&data, "hello.txt")?;
    let to = edit(&data, "empty.txt")?;
    let input = crate::text::need("input", from.read_via_stream(0))?;
    let output = crate::text::need("output", to.write_via_stream(0))?;
    let mut lines = Lines::default();
    let mut total = 0;
    let end = loop {
        match output.blocking_splice(&input, 5) {
            Ok(moved) => total += moved,
            Err(error) => break failure(error),
        }
    };
    lines.add("moved", format!("{total}, {end}"));
    lines.add("flush", wrote(output.blocking_flush()));
    lines.add("then", contents(&data, "empty.txt"));
    lines.end()
}

fn stream_zeroes() -> Outcome {
    let data = data()?;
    let file = edit(&data, "hello.txt")?;
    let stream = crate::text::need("stream", file.write_via_stream(1))?;
    let mut lines = Lines::default();
    lines.add("zeroes", wrote(stream.blocking_write_zeroes_and_flush(3)));
    lines.add("text", wrote(stream.blocking_write_and_flush(b"x")));
    lines.add("then", contents(&data, "hello.txt"));
    lines.end()
}

fn advise() -> Outcome {
    let data = data()?;
    let file = open(&data, "large.bin")?;
    let mut lines = Lines::default();
    for (name, advice) in [
        ("normal", Advice::Normal),
        ("sequential", Advice::Sequential),
        ("random", Advice::Random),
        ("will-need", Advice::WillNeed),
        ("dont-need", Advice::DontNeed),
        ("no-reuse", Advice::NoReuse),
    ] {
        lines.add(name, done(file.advise(0, 0, advice)));
    }
    lines.add("a part", done(file.advise(10, 20, Advice::WillNeed)));
    lines.add("behind the end", done(file.advise(1 << 40, 1 << 40, Advice::WillNeed)));
    lines.add("a directory", done(data.advise(0, 0, Advice::Normal)));
    lines.end()
}

fn sync() -> Outcome {
    let data = data()?;
    let mut lines = Lines::default();
    let (read, write) = (open(&data, "hello.txt")?, edit(&data, "hello.txt")?);
    for (name, descriptor) in [("reading", &read), ("writing", &write), ("directory", &data)] {
        lines.add(name, done(descriptor.sync()));
        lines.add(name, done(descriptor.sync_data()));
    }
    lines.end()
}

fn error_code() -> Outcome {
    let data = data()?;
    let file = edit(&data, "hello.txt")?;
    let stream = crate::text::need("stream", file.write_via_stream(1 << 63))?;
    let mut lines = Lines::default();
    lines.add("write", wrote(stream.blocking_write_and_flush(b"x")));
    lines.add("again", wrote(stream.blocking_write_and_flush(b"x")));
    let room = stream.check_write();
    lines.add("check-write", room.map_or_else(failure, |room| (room > 0).to_string()));
    lines.end()
}
