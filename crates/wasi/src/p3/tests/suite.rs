//! Programs of [wasi-testsuite](https://github.com/WebAssembly/wasi-testsuite), branch `prod/testsuite-base`. They are not committed: the
//! test is run by hand, with the path of their folder `wasm32-wasip3` in the environment variable [`FOLDER`].

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::{Component, engines, linker, store};
use crate::p3::{is_command, run_command};
use crate::{FsPerms, MemoryInputPipe, MemoryOutputPipe, WasiCtxBuilder};

pub(super) const FOLDER: &str = "AIRSSYS_WASIP3_TESTS";
/// A part of the names of programs: others do not run.
pub(super) const ONLY: &str = "AIRSSYS_WASIP3_ONLY";

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
    /// True if it may connect to this host, and listen.
    sockets: bool,
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
        name: "http-fields",
        ..EMPTY
    },
    &Program {
        name: "http-request",
        ..EMPTY
    },
    &Program {
        name: "http-request-options",
        ..EMPTY
    },
    &Program {
        name: "http-response",
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
        name: "sockets-echo",
        sockets: true,
        ..EMPTY
    },
    &Program {
        name: "sockets-tcp-bind",
        sockets: true,
        ..EMPTY
    },
    &Program {
        name: "sockets-tcp-connect",
        sockets: true,
        ..EMPTY
    },
    &Program {
        name: "sockets-tcp-listen",
        sockets: true,
        ..EMPTY
    },
    &Program {
        name: "sockets-tcp-properties",
        sockets: true,
        ..EMPTY
    },
    &Program {
        name: "sockets-tcp-receive",
        sockets: true,
        ..EMPTY
    },
    &Program {
        name: "sockets-tcp-send",
        sockets: true,
        ..EMPTY
    },
    &Program {
        name: "sockets-udp-bind",
        sockets: true,
        ..EMPTY
    },
    &Program {
        name: "sockets-udp-connect",
        sockets: true,
        ..EMPTY
    },
    &Program {
        name: "sockets-udp-properties",
        sockets: true,
        ..EMPTY
    },
    &Program {
        name: "sockets-udp-receive",
        sockets: true,
        ..EMPTY
    },
    &Program {
        name: "sockets-udp-send",
        sockets: true,
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
    sockets: false,
};

/// The program that accepts a connection at the address that it prints, and sends back what it receives.
const ECHO: &str = "sockets-echo";

/// Waits until the program has printed its address, and exchanges a text with it. Returns the program's output.
fn exchange(stdout: &MemoryOutputPipe) -> String {
    let end = Instant::now() + Duration::from_secs(20);
    let line = loop {
        let output = String::from_utf8(stdout.contents()).unwrap();
        if output.ends_with('\n') {
            break output;
        }
        assert!(Instant::now() < end, "the program has an address");
        thread::sleep(Duration::from_millis(5));
    };
    let mut stream = TcpStream::connect(line.trim()).unwrap();
    stream.write_all(b"Hello, world").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "Hello, world");
    line
}

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
            if program.sockets {
                for address in ["127.0.0.1", "[::1]"] {
                    builder.connect(address.parse().unwrap());
                }
                builder.listen("*".parse().unwrap());
            }
            let peer = (program.name == ECHO).then(|| {
                let stdout = stdout.clone();
                thread::spawn(move || exchange(&stdout))
            });
            let mut store = store(&engine, &builder);
            let deadline = Some(Instant::now() + Duration::from_secs(20));
            let ended = run_command(&mut store, &component, &linker, deadline);
            let text = |pipe: &MemoryOutputPipe| String::from_utf8_lossy(&pipe.contents()).into_owned();
            let (out, err) = (text(&stdout), text(&stderr));
            let expected = peer.map_or(Ok(program.stdout.to_owned()), thread::JoinHandle::join);
            let expected = expected.unwrap_or_else(|_| "an exchange with the peer".to_owned());
            let passed = matches!(&ended, Ok(exit) if exit.code == program.code)
                && (&*out, &*err) == (&*expected, program.stderr);
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
