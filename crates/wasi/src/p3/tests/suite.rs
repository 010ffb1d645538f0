//! Programs of [wasi-testsuite](https://github.com/WebAssembly/wasi-testsuite), branch `prod/testsuite-base`. They are not committed: the
//! environment variable [`FOLDER`] has the path of their folder `wasm32-wasip3`, and without it, nothing runs.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{Component, engines, linker, store};
use crate::p3::{is_command, run_command};
use crate::{MemoryInputPipe, MemoryOutputPipe, WasiCtxBuilder};

const FOLDER: &str = "AIRSSYS_WASIP3_TESTS";

/// A program, and its behavior.
#[derive(Default)]
struct Program {
    name: &'static str,
    args: &'static [&'static str],
    env: &'static [(&'static str, &'static str)],
    stdin: &'static str,
    stdout: &'static str,
    stderr: &'static str,
    code: u8,
}

const PROGRAMS: &[&Program] = &[
    &Program {
        name: "cli-env",
        args: &["cli-env.wasm", "a", "b", "42"],
        env: &[("foo", "bar"), ("baz", "42")],
        ..EMPTY
    },
    &Program {
        name: "cli-exit",
        code: 1,
        ..EMPTY
    },
    &Program {
        name: "cli-stdio",
        stdout: "\0",
        stderr: "\0",
        ..EMPTY
    },
    &Program {
        name: "cli-stdio-roundtrip",
        stdin: "Hello, world!",
        stdout: "Hello, world!",
        stderr: "Hello, world!",
        ..EMPTY
    },
    &Program {
        name: "cli-stdout-flush",
        stdin: "x",
        stdout: "READY",
        ..EMPTY
    },
    &Program {
        name: "cli-terminal",
        ..EMPTY
    },
    &Program {
        name: "monotonic-clock",
        ..EMPTY
    },
    &Program {
        name: "multi-clock-wait",
        ..EMPTY
    },
    &Program {
        name: "random",
        ..EMPTY
    },
    &Program {
        name: "run-with-err",
        code: 1,
        ..EMPTY
    },
    &Program {
        name: "wall-clock",
        ..EMPTY
    },
];

const EMPTY: Program = Program {
    name: "",
    args: &[],
    env: &[],
    stdin: "",
    stdout: "",
    stderr: "",
    code: 0,
};

#[test]
fn programs_of_the_suite_behave_as_it_requires() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let mut failures = Vec::new();
    for engine in engines() {
        let linker = linker(&engine);
        for program in PROGRAMS {
            let name = format!("{} ({})", program.name, engine.backend());
            let bytes = fs::read(folder.join(program.name).with_extension("wasm")).unwrap();
            let component = match Component::new(&engine, bytes) {
                Ok(component) => component,
                Err(error) => {
                    failures.push(format!("{name}: {error}"));
                    continue;
                }
            };
            assert!(is_command(&component), "{name}");
            let (stdout, stderr) = (MemoryOutputPipe::new(1 << 20), MemoryOutputPipe::new(1 << 20));
            let mut builder = WasiCtxBuilder::new();
            builder
                .args(program.args)
                .envs(program.env)
                .stdin(MemoryInputPipe::new(program.stdin))
                .stdout(stdout.clone())
                .stderr(stderr.clone());
            let mut store = store(&engine, &builder);
            let deadline = Some(Instant::now() + Duration::from_secs(20));
            let ended = run_command(&mut store, &component, &linker, deadline);
            let text = |pipe: &MemoryOutputPipe| String::from_utf8_lossy(&pipe.contents()).into_owned();
            let (out, err) = (text(&stdout), text(&stderr));
            let passed = matches!(&ended, Ok(exit) if exit.code == program.code)
                && (&*out, &*err) == (program.stdout, program.stderr);
            println!("{name}: {}", if passed { "passed" } else { "failed" });
            if !passed {
                failures.push(format!("{name}: {ended:?}, stdout {out:?}, stderr {err:?}"));
            }
            println!("{name}: {:?}", store.concurrency_counts());
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
