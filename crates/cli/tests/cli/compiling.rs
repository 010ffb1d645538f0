//! Progress output of `compile`, and its cancellation.
#![cfg(unix)]

use std::io::Read;
use std::process::{Child, Command, Stdio};

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

/// Starts a compilation in a terminal, which `script` makes. It says first which process it is.
fn in_terminal(component: &str, out: &str) -> Option<Child> {
    let program = env!("CARGO_BIN_EXE_airssys-wasm");
    let command = format!("echo process $$; exec {program} compile {component} -o {out}");
    let started = Command::new("script")
        .args(["-q", "-e", "-c", &command, "/dev/null"])
        .env("TERM", "xterm")
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    match started {
        Ok(child) => Some(child),
        Err(error) => {
            let required = std::env::var("AIRSSYS_REQUIRE_ALL").is_ok_and(|value| value == "1");
            assert!(!required, "there is no `script`: {error}");
            eprintln!("NOT RUN: there is no `script` (Debian's bsdutils) to make a terminal: {error}");
            None
        }
    }
}

/// Interrupts a compilation once it shows how far it is. Returns its status, and the output.
fn interrupted(mut terminal: Child) -> (Option<i32>, String) {
    let mut shown = String::new();
    let mut output = terminal.stdout.take().expect("it is a pipe");
    let (mut part, mut is_interrupted) = ([0; 4096], false);
    loop {
        let read = output.read(&mut part).expect("it is a pipe");
        if read == 0 {
            break;
        }
        shown.push_str(&String::from_utf8_lossy(&part[..read]));
        if !is_interrupted && shown.contains("functions") {
            let process = shown.split_whitespace().nth(1).expect("its number");
            let killed = Command::new("kill").args(["-INT", process]).status();
            is_interrupted = killed.is_ok_and(|status| status.success());
        }
    }
    (terminal.wait().expect("it ends").code(), shown)
}

#[test]
fn a_terminal_shows_how_far_it_is() {
    let component = scratch_file("shown.wasm", &long(100));
    let out = scratch("shown.cwasm");
    let Some(terminal) = in_terminal(&component, text(&out)) else {
        return;
    };
    let ran = terminal.wait_with_output().expect("it ends");
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
        // If this thread is too late, the compilation succeeds, and is repeated.
        let interruptions = (0..10).map(|_| {
            let _ = std::fs::remove_file(&out);
            if let Some(before) = before {
                std::fs::write(&out, before).expect("written");
            }
            Some(interrupted(in_terminal(&component, text(&out))?))
        });
        let mut interruptions = interruptions.skip_while(|ran| matches!(ran, Some((Some(0), _))));
        let Some(ran) = interruptions
            .next()
            .expect("a compilation that takes long enough")
        else {
            return;
        };
        assert_eq!(ran.0, Some(130), "{}", ran.1);
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
