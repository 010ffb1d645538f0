//! Runs of the program.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Checks the exit code, and that errors are only written to standard error.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "{self:?}");
        if code > 1 {
            assert_eq!(self.stdout, "", "results and errors are kept apart");
            assert!(self.stderr.starts_with("error: "), "{self:?}");
        }
        self
    }

    /// Parses the standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn says(&self, what: &str) {
        assert!(self.stderr.contains(what), "{what:?} is not in {self:?}");
    }
}

pub(crate) fn airssys(args: &[&str]) -> Ran {
    airssys_with_input(args, b"")
}

/// As [`airssys`], with additional environment variables.
pub(crate) fn airssys_with_variables(args: &[&str], variables: &[(&str, &OsStr)]) -> Ran {
    start(args, b"", variables)
}

pub(crate) fn airssys_with_input(args: &[&str], input: &[u8]) -> Ran {
    start(args, input, &[])
}

fn start(args: &[&str], input: &[u8], variables: &[(&str, &OsStr)]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_airssys-wasm"))
        .args(args)
        .envs(variables.iter().copied())
        .env_remove("RUST_LOG")
        // The user's own cache and records stay untouched, and each test run begins with empty ones.
        .env("XDG_CACHE_HOME", scratch("cache-home"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    // A program that reads no input may have exited by now.
    let _ = stdin.write_all(input);
    drop(stdin);
    let output = child.wait_with_output().expect("the program ends");
    Ran {
        code: output.status.code().expect("the program ends by itself"),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

/// Returns the path of a fixture.
pub(crate) fn fixture(name: &str) -> String {
    let path = airssys_wasm_test_support::fixture_path(&format!("{name}.wasm"));
    path.to_str().expect("a path that is text").to_owned()
}

/// Returns a path for a test's own file.
pub(crate) fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{}-{name}", std::process::id()))
}

/// Writes a test's own file.
pub(crate) fn scratch_file(name: &str, bytes: &[u8]) -> String {
    let path = scratch(name);
    std::fs::write(&path, bytes).expect("the target folder can be written");
    path.to_str().expect("a path that is text").to_owned()
}
