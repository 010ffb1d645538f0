//! A system that grants the program no threads: it works without them where possible, and otherwise exits with a documented
//! code.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use airssys_wasm::engine::Backend;

use crate::process::{Ran, airssys, fixture};

/// The user of such runs, if the tests run as root: root's processes are not counted.
const NOBODY: u32 = 65_534;

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// A folder that every user can read, with the program in it.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let folder = std::env::temp_dir().join(format!("airssys-threads-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let place = Place(folder);
        place.allow("", 0o755);
        fs::copy(env!("CARGO_BIN_EXE_airssys-wasm"), place.path("airssys-wasm")).expect("it is copied");
        place.allow("airssys-wasm", 0o755);
        fs::create_dir(place.path("cache")).expect("a folder");
        if is_root() {
            std::os::unix::fs::chown(place.path("cache"), Some(NOBODY), Some(NOBODY)).expect("root may");
        }
        place
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("text").to_owned()
    }

    fn allow(&self, name: &str, mode: u32) {
        fs::set_permissions(self.0.join(name), fs::Permissions::from_mode(mode)).expect("it is ours");
    }

    /// Copies a test file to a place that every user can read.
    fn copied(&self, from: impl AsRef<Path>) -> String {
        let name = from.as_ref().file_name().expect("a file").to_str().expect("text");
        fs::copy(&from, self.path(name)).expect("it is copied");
        self.allow(name, 0o644);
        self.path(name)
    }

    /// Runs the program as a user who may have only this one process.
    fn without_threads(&self, args: &[&str]) -> Ran {
        let mut command = Command::new("prlimit");
        command.arg("--nproc=1").arg(self.path("airssys-wasm")).args(args);
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
            .env_remove("RUST_LOG")
            .env("XDG_CACHE_HOME", self.path("cache"));
        let output = command.output().expect("util-linux's `prlimit` is there");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        let ran = Ran {
            code: output.status.code().expect("it ends by itself"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        assert!(!ran.stderr.contains("panicked"), "{args:?}: {ran:?}");
        ran
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const RUN: [&str; 4] = [
    "--operation",
    "word-count",
    "--params",
    r#"{"text":"to be or not to be"}"#,
];

#[test]
fn compiling_without_threads_is_an_error_of_the_host() {
    let place = Place::new("compile");
    let component = place.copied(fixture("text-processor"));
    for backend in Backend::available() {
        let args = [&["run", &component, "--backend", backend.name()], &RUN[..]].concat();
        let ran = place.without_threads(&args).ended(5);
        ran.says("cannot spawn threads for the compiler");
        ran.says("ulimit -u");
    }
    place
        .without_threads(&["run", &component, "--backend", "tiered"])
        .ended(5);
    place.without_threads(&["inspect", &component]).ended(5);
    let output = place.path("out.cwasm");
    place
        .without_threads(&["compile", &component, "-o", &output])
        .ended(5)
        .says("ulimit -u");
    assert!(!Path::new(&output).exists(), "nothing is left behind");
}

#[test]
fn what_needs_no_threads_is_done_without() {
    let place = Place::new("others");
    let component = place.copied(fixture("text-processor"));
    let artifact = place.path("text-processor.cwasm");
    airssys(&["compile", &component, "-o", &artifact]).ended(0);
    place.allow("text-processor.cwasm", 0o644);
    place.without_threads(&["verify", &artifact]).ended(0);
    let usual = airssys(&["inspect", &artifact]).ended(0);
    let inspected = place.without_threads(&["inspect", &artifact]).ended(0);
    assert_eq!(inspected.stdout, usual.stdout);
    let args = [&["run", &artifact, "--allow-unsigned"], &RUN[..]].concat();
    let ran = place.without_threads(&args).ended(0);
    assert_eq!(ran.json()["count"], 6);
}

#[test]
fn a_program_that_waits_without_threads_ends_with_the_remedy() {
    let place = Place::new("waits");
    let artifact = place.path("wasi-program.cwasm");
    airssys(&["compile", &fixture("wasi-program"), "-o", &artifact]).ended(0);
    place.allow("wasi-program.cwasm", 0o644);
    let ran = place
        .without_threads(&["run", &artifact, "--allow-unsigned"])
        .ended(5);
    ran.says("cannot spawn threads for the executor");
    ran.says("ulimit -u");
}

#[test]
fn serving_without_threads_is_an_error_of_the_host() {
    let place = Place::new("serve");
    let artifact = place.path("wasi-http.cwasm");
    airssys(&["compile", &fixture("wasi-http"), "-o", &artifact]).ended(0);
    place.allow("wasi-http.cwasm", 0o644);
    let args = ["serve", &artifact, "--addr", "127.0.0.1:0", "--allow-unsigned"];
    place.without_threads(&args).ended(5).says("ulimit -u");
}
