//! Cases of `wasi:io`, with files and standard streams at their ends.

use crate::bindings::wasi::cli::{stdin, stdout};
use crate::bindings::wasi::io::poll;
use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use crate::files;
use crate::text::{Lines, bytes, need};
use crate::{Case, Outcome};

pub const CASES: &[Case] = &[
    ("streams/read of nothing", read_nothing),
    ("streams/read when it is ready", read_ready),
    ("streams/read at the end", read_end),
    ("streams/skip", skip),
    ("streams/check-write, write and flush", write),
    ("streams/write twice on one permit", write_twice),
    ("streams/write without asking", write_unasked),
    ("streams/write nothing", write_nothing),
    ("streams/write more than is permitted", write_too_much),
    ("streams/blocking-write-and-flush of 4096 bytes", write_most),
    ("streams/blocking-write-and-flush of 4097 bytes", write_over),
    ("streams/write-zeroes", zeroes),
    ("streams/blocking-write-zeroes-and-flush of 4097 bytes", zeroes_over),
    ("streams/splice", splice),
    ("streams/splice from the end", splice_end),
    ("streams/subscribe", subscribe),
    ("streams/subscribe to both ends", subscribe_both),
    ("streams/pollable outlives its stream", pollable_outlives),
    ("streams/error has a text", error_text),
    ("poll/of an empty list", || {
        poll::poll(&[]);
        Ok("it came back".into())
    }),
];

fn reading(path: &str) -> Result<InputStream, String> {
    need("stream", files::open(&files::data()?, path)?.read_via_stream(0))
}

fn writing(path: &str) -> Result<OutputStream, String> {
    need("stream", files::edit(&files::data()?, path)?.write_via_stream(0))
}

fn shown<T>(result: Result<T, StreamError>, ok: impl FnOnce(T) -> String) -> String {
    match result {
        Ok(value) => ok(value),
        Err(StreamError::Closed) => "closed".into(),
        Err(StreamError::LastOperationFailed(_)) => "failed".into(),
    }
}

fn said(result: Result<(), StreamError>) -> String {
    shown(result, |()| "ok".into())
}

/// Waits, and asks how much may be written.
fn room(stream: &OutputStream) -> Result<u64, String> {
    stream.subscribe().block();
    stream.check_write().map_err(|error| format!("check-write: {error:?}"))
}

fn read_nothing() -> Outcome {
    let stream = reading("hello.txt")?;
    let mut lines = Lines::default();
    lines.add("read", shown(stream.read(0), |read| bytes(&read)));
    lines.add("blocking-read", shown(stream.blocking_read(5), |read| bytes(&read)));
    lines.end()
}

fn read_ready() -> Outcome {
    let stream = reading("hello.txt")?;
    let mut read = Vec::new();
    loop {
        stream.subscribe().block();
        match stream.read(5) {
            Ok(more) if more.is_empty() => return Ok("ready, and nothing there".into()),
            Ok(more) => read.extend(more),
            Err(StreamError::Closed) => return Ok(bytes(&read)),
            Err(error) => return Ok(format!("{error:?}")),
        }
    }
}

fn read_end() -> Outcome {
    let stream = reading("empty.txt")?;
    let mut lines = Lines::default();
    lines.add("blocking-read", shown(stream.blocking_read(5), |read| bytes(&read)));
    lines.add("blocking-read again", shown(stream.blocking_read(5), |read| bytes(&read)));
    lines.add("read", shown(stream.read(5), |read| bytes(&read)));
    lines.add("skip", shown(stream.skip(5), |n| n.to_string()));
    lines.end()
}

fn skip() -> Outcome {
    let stream = reading("hello.txt")?;
    let mut lines = Lines::default();
    stream.subscribe().block();
    lines.add("skip", shown(stream.skip(7), |n| n.to_string()));
    lines.add("rest", shown(stream.blocking_read(100), |read| bytes(&read)));
    lines.end()
}

fn write() -> Outcome {
    let data = files::data()?;
    let stream = writing("empty.txt")?;
    let mut lines = Lines::default();
    lines.add("4 bytes are permitted", (room(&stream)? >= 4).to_string());
    lines.add("write", said(stream.write(b"text")));
    lines.add("flush", said(stream.flush()));
    lines.add("4 bytes are permitted", (room(&stream)? >= 4).to_string());
    lines.add("then", files::contents(&data, "empty.txt"));
    lines.end()
}

fn write_twice() -> Outcome {
    let data = files::data()?;
    let stream = writing("empty.txt")?;
    let mut lines = Lines::default();
    for text in ["one,", "two"] {
        room(&stream)?;
        lines.add(text, said(stream.write(text.as_bytes())));
    }
    lines.add("flush", said(stream.blocking_flush()));
    lines.add("then", files::contents(&data, "empty.txt"));
    lines.end()
}

fn write_unasked() -> Outcome {
    let stream = stdout::get_stdout();
    Ok(said(stream.write(b"text")))
}

fn write_nothing() -> Outcome {
    let stream = writing("empty.txt")?;
    room(&stream)?;
    let mut lines = Lines::default();
    lines.add("write", said(stream.write(b"")));
    lines.add("flush", said(stream.blocking_flush()));
    lines.end()
}

fn write_too_much() -> Outcome {
    let stream = writing("empty.txt")?;
    let permitted = room(&stream)?;
    let too_much = vec![b'x'; usize::try_from(permitted + 1).unwrap_or(0)];
    Ok(said(stream.write(&too_much)))
}

fn write_most() -> Outcome {
    let data = files::data()?;
    let stream = writing("empty.txt")?;
    let mut lines = Lines::default();
    lines.add("write", said(stream.blocking_write_and_flush(&[b'x'; 4096])));
    lines.add("then", files::contents(&data, "empty.txt"));
    lines.end()
}

fn write_over() -> Outcome {
    Ok(said(writing("empty.txt")?.blocking_write_and_flush(&[b'x'; 4097])))
}

fn zeroes() -> Outcome {
    let data = files::data()?;
    let stream = writing("hello.txt")?;
    room(&stream)?;
    let mut lines = Lines::default();
    lines.add("write-zeroes", said(stream.write_zeroes(5)));
    lines.add("flush", said(stream.blocking_flush()));
    lines.add("then", files::contents(&data, "hello.txt"));
    lines.end()
}

fn zeroes_over() -> Outcome {
    Ok(said(writing("empty.txt")?.blocking_write_zeroes_and_flush(4097)))
}

fn splice() -> Outcome {
    let data = files::data()?;
    let (input, output) = (reading("hello.txt")?, writing("empty.txt")?);
    let mut lines = Lines::default();
    input.subscribe().block();
    room(&output)?;
    lines.add("splice", shown(output.splice(&input, 5), |n| n.to_string()));
    lines.add("flush", said(output.blocking_flush()));
    lines.add("then", files::contents(&data, "empty.txt"));
    lines.add("left", shown(input.blocking_read(100), |read| bytes(&read)));
    lines.end()
}

fn splice_end() -> Outcome {
    let (input, output) = (reading("empty.txt")?, writing("hello.txt")?);
    Ok(shown(output.blocking_splice(&input, 5), |n| n.to_string()))
}

fn subscribe() -> Outcome {
    let stream = reading("hello.txt")?;
    let pollable = stream.subscribe();
    pollable.block();
    Ok(format!("ready: {}, again: {}", pollable.ready(), pollable.ready()))
}

fn subscribe_both() -> Outcome {
    let (input, output) = (reading("hello.txt")?, writing("empty.txt")?);
    let (one, two) = (input.subscribe(), output.subscribe());
    one.block();
    two.block();
    Ok(format!("{:?}", poll::poll(&[&one, &two])))
}

fn pollable_outlives() -> Outcome {
    let stream = stdin::get_stdin();
    let pollable = stream.subscribe();
    // A stream that has a pollable may not be dropped: this traps.
    drop(stream);
    drop(pollable);
    Ok("it came back".into())
}

fn error_text() -> Outcome {
    let file = files::edit(&files::data()?, "hello.txt")?;
    let stream = need("stream", file.write_via_stream(1 << 63))?;
    Ok(match stream.blocking_write_and_flush(b"x") {
        Err(StreamError::LastOperationFailed(error)) => format!("a text: {}", !error.to_debug_string().is_empty()),
        other => format!("{other:?}"),
    })
}
