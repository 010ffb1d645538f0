//! Cases of `wasi:cli`.

use crate::bindings::wasi::cli::{
    environment, exit, stderr, stdin, stdout, terminal_stderr, terminal_stdin, terminal_stdout,
};
use crate::bindings::wasi::io::streams::StreamError;
use crate::text::Lines;
use crate::{Case, Outcome};

pub const CASES: &[Case] = &[
    ("cli/get-environment", || Ok(format!("{:?}", environment::get_environment()))),
    ("cli/get-arguments", || Ok(format!("{:?}", environment::get_arguments()))),
    ("cli/initial-cwd", || Ok(format!("{:?}", environment::initial_cwd()))),
    ("cli/stdin to its end", input),
    ("cli/stdin in parts", input_parts),
    ("cli/stdin twice", input_twice),
    ("cli/stdout", output),
    ("cli/stdout twice", output_twice),
    ("cli/stderr", error),
    ("cli/stdout of what is spliced", spliced),
    ("cli/terminals", terminals),
    ("cli/exit well", || {
        exit::exit(Ok(()));
        Ok("it came back".into())
    }),
    ("cli/exit badly", || {
        exit::exit(Err(()));
        Ok("it came back".into())
    }),
    ("cli/exit-with-code", || {
        exit::exit_with_code(42);
        Ok("it came back".into())
    }),
];

fn rest(stream: &stdin::InputStream) -> String {
    let mut read = Vec::new();
    loop {
        match stream.blocking_read(7) {
            Ok(more) => read.extend(more),
            Err(StreamError::Closed) => return format!("{:?}", String::from_utf8_lossy(&read)),
            Err(error) => return format!("{error:?}"),
        }
    }
}

fn input() -> Outcome {
    Ok(rest(&stdin::get_stdin()))
}

fn input_parts() -> Outcome {
    let stream = stdin::get_stdin();
    let mut lines = Lines::default();
    for len in [1, 4, 3] {
        let read = stream.blocking_read(len).map_err(|error| format!("{error:?}"))?;
        lines.add(&len.to_string(), format!("{:?}", String::from_utf8_lossy(&read)));
    }
    lines.add("the rest", rest(&stream));
    lines.add("and then", rest(&stream));
    lines.end()
}

fn input_twice() -> Outcome {
    let (one, two) = (stdin::get_stdin(), stdin::get_stdin());
    let mut lines = Lines::default();
    let read = one.blocking_read(4).map_err(|error| format!("{error:?}"))?;
    lines.add("one", format!("{:?}", String::from_utf8_lossy(&read)));
    lines.add("two", rest(&two));
    lines.add("one", rest(&one));
    lines.end()
}

fn write(stream: &stdout::OutputStream, text: &str) -> &'static str {
    match stream.blocking_write_and_flush(text.as_bytes()) {
        Ok(()) => "ok",
        Err(StreamError::Closed) => "closed",
        Err(StreamError::LastOperationFailed(_)) => "failed",
    }
}

fn output() -> Outcome {
    let stream = stdout::get_stdout();
    let mut lines = Lines::default();
    lines.add("a line", write(&stream, "a line\n"));
    lines.add("nothing", write(&stream, ""));
    lines.add("no end", write(&stream, "no end"));
    lines.end()
}

fn output_twice() -> Outcome {
    let (one, two) = (stdout::get_stdout(), stdout::get_stdout());
    let mut lines = Lines::default();
    for (stream, text) in [(&one, "1"), (&two, "2"), (&one, "3")] {
        lines.add(text, write(stream, text));
    }
    drop(one);
    lines.add("4", write(&two, "4"));
    lines.end()
}

fn error() -> Outcome {
    let (out, err) = (stdout::get_stdout(), stderr::get_stderr());
    let mut lines = Lines::default();
    lines.add("stderr", write(&err, "to stderr\n"));
    lines.add("stdout", write(&out, "to stdout\n"));
    lines.end()
}

fn spliced() -> Outcome {
    let (input, output) = (stdin::get_stdin(), stdout::get_stdout());
    let mut moved = 0;
    loop {
        match output.blocking_splice(&input, 6) {
            Ok(more) => moved += more,
            Err(StreamError::Closed) => break,
            Err(error) => return Ok(format!("{error:?}")),
        }
    }
    output.blocking_flush().map_err(|error| format!("{error:?}"))?;
    Ok(format!("{moved} bytes"))
}

fn terminals() -> Outcome {
    let mut lines = Lines::default();
    lines.add("stdin", terminal_stdin::get_terminal_stdin().is_some().to_string());
    lines.add("stdout", terminal_stdout::get_terminal_stdout().is_some().to_string());
    lines.add("stderr", terminal_stderr::get_terminal_stderr().is_some().to_string());
    lines.end()
}
