//! Progress output of `compile`, and its cancellation.
#![cfg(unix)]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::artifacts::text;
use crate::process::{scratch, scratch_file};

/// Returns a component that takes long to compile: `functions` functions of many operations each.
fn long(functions: usize) -> Vec<u8> {
    let body = "(local.set 0 (f64.add (f64.sqrt (local.get 0)) (f64.mul (local.get 0) (f64.const 1.5))))";
    let function = format!(
        "(func (param f64) (result f64) {} (local.get 0))",
        body.repeat(2000)
    );
    let text = format!(
        "(component (core module $m {}) (core instance (instantiate $m)))",
        function.repeat(functions)
    );
    wat::parse_str(text).expect("the text parses")
}

#[test]
fn a_terminal_shows_how_far_it_is() {
    let component = scratch_file("shown.wasm", &long(100));
    let out = scratch("shown.cwasm");
    let program = env!("CARGO_BIN_EXE_airssys-wasm");
    let command = format!("{program} compile {component} -o {}", text(&out));
    // `script` gives the command a terminal.
    let ran = Command::new("script")
        .args(["-q", "-e", "-c", &command, "/dev/null"])
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .output();
    let ran = match ran {
        Ok(ran) => ran,
        Err(error) => {
            let required = std::env::var("AIRSSYS_REQUIRE_ALL").is_ok_and(|value| value == "1");
            assert!(!required, "there is no `script`: {error}");
            eprintln!("NOT RUN: there is no `script` (Debian's bsdutils) to make a terminal: {error}");
            return;
        }
    };
    let shown = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{shown}");
    assert!(shown.contains("module 1 of 1, 100 functions"), "{shown}");
    assert!(shown.contains("elapsed"), "{shown}");
    let last = shown.trim_end().lines().next_back().unwrap_or_default();
    assert!(last.contains("not signed"), "the result stands last: {last:?}");
}

#[test]
fn ctrl_c_ends_a_compilation_and_leaves_nothing() {
    let component = scratch_file("long.wasm", &long(200));
    let folder = scratch("interrupted");
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    let out = folder.join("long.cwasm");
    for (before, kept) in [(None, false), (Some(&b"what was there"[..]), true)] {
        if let Some(before) = before {
            std::fs::write(&out, before).expect("written");
        }
        let mut child = Command::new(env!("CARGO_BIN_EXE_airssys-wasm"))
            .args(["compile", &component, "-o", text(&out)])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        std::thread::sleep(Duration::from_millis(700));
        assert!(
            child.try_wait().expect("it can be asked").is_none(),
            "the component compiles too fast for this test"
        );
        let started = Instant::now();
        let killed = Command::new("sh")
            .args(["-c", &format!("kill -INT {}", child.id())])
            .status();
        assert!(killed.expect("there is a shell").success());
        let ran = child.wait_with_output().expect("it ends");
        assert_eq!(ran.status.code(), Some(130), "{ran:?}");
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "{:?}",
            started.elapsed()
        );
        let left: Vec<_> = std::fs::read_dir(&folder)
            .expect("it is there")
            .map(|entry| entry.expect("readable").file_name())
            .collect();
        if kept {
            assert_eq!(left, ["long.cwasm"]);
            assert_eq!(std::fs::read(&out).ok().as_deref(), before);
        } else {
            assert!(left.is_empty(), "{left:?}");
        }
    }
}
