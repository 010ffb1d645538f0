//! Programs of [wasi-testsuite](https://github.com/WebAssembly/wasi-testsuite), branch `prod/testsuite-base`. They are not committed: the
//! test is run by hand, with the path of their folder `wasm32-wasip3` in the environment variable [`FOLDER`].

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Component, engines, linker, store};
use crate::p3::{is_command, run_command};
use crate::{FsPerms, MemoryInputPipe, MemoryOutputPipe, WasiCtxBuilder};

const FOLDER: &str = "AIRSSYS_WASIP3_TESTS";
/// A part of the names of programs: others do not run.
const ONLY: &str = "AIRSSYS_WASIP3_ONLY";

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
    /// True if it gets a copy of the suite's folder for files.
    root: bool,
}

/// All but `filesystem-mkdir-rmdir`, which requires `not-permitted` for the removal of a link with a final slash if the link leads out of the
/// folder. Here it is `not-directory`, as on Linux and in WASI 0.2 (docs/wasi.md).
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
        name: "filesystem-advise",
        root: true,
        ..EMPTY
    },
    &Program {
        name: "filesystem-dotdot",
        root: true,
        ..EMPTY
    },
    &Program {
        name: "filesystem-flags-and-type",
        root: true,
        ..EMPTY
    },
    &Program {
        name: "filesystem-hard-links",
        root: true,
        ..EMPTY
    },
    &Program {
        name: "filesystem-io",
        root: true,
        ..EMPTY
    },
    &Program {
        name: "filesystem-is-same-object",
        root: true,
        ..EMPTY
    },
    &Program {
        name: "filesystem-metadata-hash",
        root: true,
        ..EMPTY
    },
    &Program {
        name: "filesystem-open-errors",
        root: true,
        ..EMPTY
    },
    &Program {
        name: "filesystem-read-directory",
        root: true,
        ..EMPTY
    },
    &Program {
        name: "filesystem-rename",
        root: true,
        ..EMPTY
    },
    &Program {
        name: "filesystem-set-size",
        root: true,
        ..EMPTY
    },
    &Program {
        name: "filesystem-stat",
        root: true,
        ..EMPTY
    },
    &Program {
        name: "filesystem-unlink-errors",
        root: true,
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
    root: false,
};

/// Copies the files of a folder to another one, which has no others then.
fn copy_of(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
#[ignore = "its programs are in a repository of their own: docs/async.md"]
fn programs_of_the_suite_behave_as_it_requires() {
    let folder = std::env::var_os(FOLDER).map(PathBuf::from);
    let folder = folder.expect("AIRSSYS_WASIP3_TESTS has the folder of the programs");
    let mut failures = Vec::new();
    for engine in engines() {
        let linker = linker(&engine);
        let only = std::env::var(ONLY).unwrap_or_default();
        for program in PROGRAMS.iter().filter(|program| program.name.contains(&only)) {
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
            let copy = std::env::temp_dir().join(format!("airssys-wasip3-{}", std::process::id()));
            if program.root {
                copy_of(&folder.join("fs-tests.dir"), &copy);
                builder.preopened_dir(&copy, "/", FsPerms::ReadWrite).unwrap();
            }
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
            assert_eq!(store.concurrency_counts().activities, 0, "{name}");
            let _ = fs::remove_dir_all(&copy);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
