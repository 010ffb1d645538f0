//! `docs/deploy.md`, followed literally: its commands run in their order, and print the documented output.
#![cfg(all(target_arch = "x86_64", target_os = "linux", feature = "cranelift"))]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const DOCUMENT: &str = include_str!("../../../docs/deploy.md");
/// The document's placeholder for a public key.
const KEY: &str = "(the public key: 64 hexadecimal digits)";

#[derive(Debug)]
struct Block<'a> {
    /// The info string: `sh build`, `text`, `ini`.
    kind: &'a str,
    text: String,
}

fn blocks(document: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut within = false;
    for line in document.lines() {
        match line.strip_prefix("```") {
            Some(_) if within => within = false,
            Some(kind) => {
                within = true;
                let text = String::new();
                blocks.push(Block { kind, text });
            }
            None if within => {
                let block = blocks.last_mut().expect("within one");
                block.text.push_str(line);
                block.text.push('\n');
            }
            None => {}
        }
    }
    assert!(!within, "a block that does not end");
    blocks
}

/// Replaces values that differ between runs by the document's placeholders.
fn general(text: &str) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    for character in text.chars().chain(['\0']) {
        if character.is_ascii_hexdigit() && !character.is_ascii_uppercase() {
            digits.push(character);
            continue;
        }
        match digits.len() {
            64 => out.push_str(KEY),
            _ => out.push_str(&digits),
        }
        digits.clear();
        if character != '\0' {
            out.push(character);
        }
    }
    out
}

/// A folder of the test's own, with a folder for the program of each host.
struct Place {
    root: PathBuf,
}

impl Place {
    fn new() -> Place {
        let name = format!("deploy-{}", std::process::id());
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&root);
        for folder in ["source", "build-bin", "host-bin", "home"] {
            fs::create_dir_all(root.join(folder)).expect("the target folder can be written");
        }
        let tests = airssys_wasm_test_support::root().join("tests");
        symlink(tests, root.join("source/tests")).expect("a link can be made");
        let program = Path::new(env!("CARGO_BIN_EXE_airssys-wasm"));
        symlink(program, root.join("build-bin/airssys-wasm")).expect("a link can be made");
        symlink(host_program(program), root.join("host-bin/airssys-wasm")).expect("a link can be made");
        Place { root }
    }

    /// Runs commands and returns their output, standard output and standard error interleaved.
    fn run(&self, host: &str, commands: &str) -> String {
        let script = format!("exec 2>&1\numask 022\n{commands}");
        let path = std::env::var("PATH").expect("there is a PATH");
        let home = self.root.join("home");
        let ran = Command::new("sh")
            .args(["-eu", "-c", &script])
            .current_dir(self.root.join("source"))
            .env(
                "PATH",
                format!("{}:{path}", self.root.join(format!("{host}-bin")).display()),
            )
            .env("HOME", &home)
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("XDG_DATA_HOME", home.join("data"))
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .output()
            .expect("there is a shell");
        let printed = String::from_utf8(ran.stdout).expect("text");
        assert!(ran.status.success(), "{commands}\n{printed}");
        printed
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.root);
        }
    }
}

/// Returns the headless program, if `cargo xtask test` has built it; the normal one includes its functions.
fn host_program(program: &Path) -> PathBuf {
    match std::env::var_os("AIRSSYS_HEADLESS") {
        Some(headless) => PathBuf::from(headless),
        None => {
            let required = std::env::var("AIRSSYS_REQUIRE_ALL").is_ok_and(|value| value == "1");
            assert!(!required, "AIRSSYS_HEADLESS names no headless program");
            eprintln!("without AIRSSYS_HEADLESS, the host of docs/deploy.md has the program with compilers");
            program.to_owned()
        }
    }
}

#[test]
fn the_document_does_what_it_says() {
    let place = Place::new();
    let blocks = blocks(DOCUMENT);
    let mut printed: Option<String> = None;
    let (mut commands, mut compared) = (0, 0);
    for block in &blocks {
        match block.kind {
            "sh build" | "sh host" => {
                let silent = printed.take().unwrap_or_default();
                assert_eq!(silent, "", "the document does not show what was printed");
                let host = block.kind.trim_start_matches("sh ");
                printed = Some(general(&place.run(host, &block.text)));
                commands += 1;
            }
            "text" => {
                let printed = printed.take().expect("something was run before");
                assert_eq!(printed, block.text);
                compared += 1;
            }
            "ini" => the_unit_runs(&place, &block.text),
            other => panic!("a block of kind {other:?}"),
        }
    }
    assert!(
        commands >= 8 && compared >= 7,
        "{commands} blocks of commands, {compared} compared"
    );
}

/// Runs the unit's command, with the test's folders in place of the system's.
fn the_unit_runs(place: &Place, unit: &str) {
    let starts: Vec<&str> = unit
        .lines()
        .filter_map(|line| line.strip_prefix("ExecStart="))
        .collect();
    let [start] = starts.as_slice() else {
        panic!("one command: {starts:?}");
    };
    let here = start
        .replace("/usr/local/bin/", "")
        .replace("/var/lib/airssys-wasm", "host/components")
        .replace("/etc/airssys-wasm", "host/etc");
    assert!(!here.contains(" /"), "a path that is not of this test: {here}");
    let printed = place.run("host", &here);
    assert!(printed.contains("\"count\": 6"), "{printed}");
}

#[test]
fn blocks_are_found_and_keys_are_recognized() {
    let found = blocks("x\n```sh build\na\nb\n```\n```text\n```\n");
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].kind, found[0].text.as_str()), ("sh build", "a\nb\n"));
    let key = "0123456789abcdef".repeat(4);
    assert_eq!(general(&format!("by {key}, abc\n")), format!("by {KEY}, abc\n"));
    assert_eq!(general(&format!("{key}0")), format!("{key}0"));
}
