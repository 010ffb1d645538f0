//! Exit statuses depend on the fault, not on the command that finds it; errors stay readable, as text and as JSON.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::process::{Ran, airssys, airssys_with_input, fixture, scratch, scratch_file};

/// Largest size of any error message, in bytes.
const MOST_ERROR_BYTES: usize = 8 << 10;

/// Each command that reads a file, with the place of that file marked.
const READERS: [&[&str]; 21] = [
    &["run", "FILE", "--operation", "x"],
    &["run", "COUNTER", "--input", "FILE", "--codec", "raw"],
    &["run", "COUNTER", "--operation", "x", "--trust", "FILE"],
    &["inspect", "FILE"],
    &["inspect", "COUNTER", "--trust", "FILE"],
    &["invoke", "FILE", "f()"],
    &["invoke", "COUNTER", "f()", "--trust", "FILE"],
    &["serve", "FILE", "--addr", "127.0.0.1:0"],
    &["compile", "FILE", "-o", "OUT"],
    &["compile", "COUNTER", "-o", "OUT", "--sign", "FILE"],
    &["compile", "COUNTER", "-o", "OUT", "--manifest", "FILE"],
    &["verify", "FILE"],
    &["manifest", "check", "FILE"],
    &["manifest", "show", "FILE"],
    &["manifest", "embed", "FILE", "-o", "OUT"],
    &["install", "FILE", "--allow-unsigned"],
    &["component", "new", "FILE", "-o", "OUT"],
    &["host", "run", "FILE"],
    &["host", "ps", "--host", "FILE"],
    &["wast", "FILE"],
    &["conformance", "COUNTER", "--calls", "FILE"],
];

/// Fills in the placeholders of a command line.
fn line<'a>(words: &[&'a str], file: &'a str, counter: &'a str, out: &'a str) -> Vec<&'a str> {
    let place = |word: &&'a str| match *word {
        "FILE" => file,
        "COUNTER" => counter,
        "OUT" => out,
        word => word,
    };
    words.iter().map(place).collect()
}

#[track_caller]
fn refused(ran: Ran, status: i32, args: &[&str]) -> Ran {
    assert_eq!(ran.code, status, "{args:?}: {ran:?}");
    assert_eq!(ran.stdout, "", "{args:?}");
    assert!(ran.stderr.starts_with("error: "), "{args:?}: {ran:?}");
    assert!(
        ran.stderr.len() < MOST_ERROR_BYTES,
        "{args:?}: {} bytes",
        ran.stderr.len()
    );
    ran
}

fn each_reader(file: &str, status: i32) {
    let counter = fixture("counter");
    let out = scratch("statuses-out");
    let out = out.to_str().expect("text");
    for words in READERS {
        let args = line(words, file, &counter, out);
        refused(airssys(&args), status, &args);
        assert!(!Path::new(out).exists(), "{args:?} left its output");
    }
}

#[test]
fn a_missing_input_file_ends_in_3_for_every_command() {
    each_reader("no-such-file", 3);
    let args = ["bindgen", "no-such-file"];
    refused(airssys(&args), 3, &args);
}

#[test]
fn a_folder_instead_of_a_file_ends_in_3_for_every_command() {
    let folder = scratch("statuses-folder");
    std::fs::create_dir_all(&folder).expect("a folder");
    each_reader(folder.to_str().expect("text"), 3);
    let args = ["bindgen", folder.to_str().expect("text")];
    refused(airssys(&args), 3, &args);
}

#[test]
fn files_that_hold_something_else_end_in_3_where_a_component_is_loaded() {
    let counter = fixture("counter");
    for (name, bytes) in [
        ("empty", &b""[..]),
        ("garbage", b"\x00\xff garbage"),
        ("magic", b"\0asm"),
    ] {
        let file = scratch_file(&format!("statuses-{name}"), bytes);
        for words in READERS {
            let out = scratch("statuses-none");
            let args = line(words, &file, &counter, out.to_str().expect("text"));
            // Data, keys, manifests and scripts are checked by rules of their own.
            if words.get(1) != Some(&"FILE") || words.first() == Some(&"wast") {
                continue;
            }
            refused(airssys(&args), 3, &args);
        }
    }
}

#[test]
fn keys_that_are_none_are_usage_errors_whether_or_not_an_artifact_is_run() {
    let counter = fixture("counter");
    let no_key = scratch_file("statuses-no-key", b"not a key");
    for named in [&no_key, &"0".repeat(63)] {
        let status = if named == &no_key { 2 } else { 3 };
        for args in [
            &["run", &counter, "--operation", "increment", "--trust", named][..],
            &["inspect", &counter, "--trust", named],
            &["invoke", &counter, "f()", "--trust", named],
            &["serve", &counter, "--trust", named],
        ] {
            refused(airssys(args), status, args);
        }
    }
}

#[test]
fn numbers_out_of_their_range_are_usage_errors_that_name_the_range() {
    let counter = fixture("counter");
    for number in ["0", "-1", "4294967296", "99999999999999999999", "1e3", "nan", ""] {
        let option = format!("--timeout={number}");
        let args = ["run", &counter, "--operation", "x", &option];
        let ran = refused(airssys(&args), 2, &args);
        if ["0", "4294967296"].contains(&number) {
            ran.says("1..=4294967295");
        }
    }
    for number in ["-1", "99999999999999999999", "x"] {
        let option = format!("--max-bytes={number}");
        let args = ["cache", "prune", &option];
        refused(airssys(&args), 2, &args);
    }
}

#[test]
fn an_argument_of_100_kilobytes_is_not_echoed_whole() {
    let long = "x".repeat(100_000);
    let counter = fixture("counter");
    let call = format!("{long}()");
    let pair = format!("{long}=1");
    for args in [
        &["run", &counter, &long][..],
        &["run", &counter, "--operation", "x", "--backend", &long],
        &["run", &counter, "--operation", "x", "--codec", &long],
        &["run", &counter, "--operation", "x", "--params", &long],
        &["run", &counter, "--operation", "x", "--config", &pair],
        &["run", &counter, "--operation", "x", "--trust", &long],
        &["run", &counter, "--operation", "x", "--net", &long],
        &["run", &counter, &format!("--timeout={long}")],
        &["run", &long],
        &["inspect", &long],
        &["invoke", &counter, &call],
        &["invoke", &counter, &long],
        &["wast", &fixture("counter"), "--backend", &long],
        &["compile", &counter, "-o", "x", "--target", &long],
        &["compile", &counter, "-o", "x", "--opt", &long],
        &["bindgen", &long],
        &[&long],
    ] {
        let ran = airssys(args);
        assert!(matches!(ran.code, 1..=3), "{:?}: {ran:?}", args.first());
        assert!(
            ran.stderr.len() < MOST_ERROR_BYTES,
            "{:?} of {:?}: {} bytes",
            args.first(),
            args.get(2..4),
            ran.stderr.len()
        );
    }
}

/// Runs the program with standard output on a device that is always full.
fn without_room(args: &[&str]) -> (i32, String) {
    let full = OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("/dev/full");
    let ended = Command::new(env!("CARGO_BIN_EXE_airssys-wasm"))
        .args(args)
        .env_remove("RUST_LOG")
        .env("XDG_CACHE_HOME", scratch("cache-home"))
        .stdin(Stdio::null())
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .expect("the program runs");
    let text = String::from_utf8(ended.stderr).expect("text");
    (ended.status.code().expect("an exit status"), text)
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_ends_in_5_also_for_help() {
    let counter = fixture("counter");
    let key = scratch("statuses-full-key");
    let key = key.to_str().expect("text");
    let call = "airssys:component-core/component-lifecycle@1.0.0#supported-codecs()";
    for args in [
        &["--help"][..],
        &["--version"],
        &["run", "--help"],
        &["backends"],
        &["backends", "--json"],
        &["inspect", &counter],
        &["inspect", &counter, "--json"],
        &["invoke", &counter, call],
        &["run", &counter, "--operation", "increment", "--params", "{}"],
        &["cache", "info"],
        &["keygen", "-o", key],
        &["keygen", "-o", key, "--json"],
    ] {
        let (status, text) = without_room(args);
        assert_eq!(status, 5, "{args:?}: {text}");
        assert!(
            text.contains("standard output cannot be written"),
            "{args:?}: {text}"
        );
    }
    // If the public key was not printed, neither half of the key pair remains.
    assert!(!Path::new(key).exists());
    assert!(!Path::new(&format!("{key}.pub")).exists());
}

#[test]
fn with_json_an_error_is_one_line_of_json() {
    let counter = fixture("counter");
    let damaged = scratch_file("statuses-damaged", b"\0asm garbage");
    for (args, status, kind) in [
        (&["run", "no-such-file", "--json"][..], 3, "load"),
        (&["run", &damaged, "--operation", "x", "--json"], 3, "load"),
        (&["run", &counter, "--json"], 2, "usage"),
        (&["run", &counter, "--timeout", "0", "--json"], 2, "usage"),
        (&["run", "--json"], 2, "usage"),
        (&["inspect", "no-such-file", "--json"], 3, "load"),
        (&["invoke", &counter, "nothing()", "--json"], 2, "usage"),
        (&["verify", &counter, "--json"], 3, "load"),
        (
            &["compile", &counter, "-o", "/no/such/folder/x", "--json"],
            5,
            "host",
        ),
        (&["keygen", "-o", "/no/such/folder/x", "--json"], 5, "host"),
        (&["wast", "no-such-file", "--json"], 3, "load"),
    ] {
        let ran = airssys(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (status, ""), "{args:?}: {ran:?}");
        let last = ran.stderr.lines().last().unwrap_or_default();
        let error: Value =
            serde_json::from_str(last).unwrap_or_else(|error| panic!("{args:?}: {error}: {ran:?}"));
        assert_eq!(ran.stderr.lines().count(), 1, "{args:?}: {ran:?}");
        let error = &error["error"];
        assert_eq!(error["status"], status, "{args:?}: {error}");
        assert_eq!(error["kind"], kind, "{args:?}: {error}");
        assert!(
            error["message"].as_str().is_some_and(|text| !text.is_empty()),
            "{error}"
        );
        assert!(error["causes"].is_array(), "{error}");
    }
}

#[test]
fn input_that_no_component_can_take_is_a_limit() {
    // A sparse file: 3 GB without disk space.
    let path = scratch("statuses-sparse");
    let file = std::fs::File::create(&path).expect("a file");
    file.set_len(3 << 30).expect("a sparse file");
    let path = path.to_str().expect("text");
    let counter = fixture("counter");
    let args = ["run", &counter, "--input", path, "--codec", "raw"];
    refused(airssys(&args), 4, &args).says("more than 268435440 bytes");
    // The first bytes show that it is not a component.
    for args in [
        &["run", path, "--operation", "x"][..],
        &["inspect", path],
        &["invoke", path, "f()"],
        &["compile", path, "-o", "x"],
    ] {
        refused(airssys(args), 3, args).says("not WebAssembly");
    }
    std::fs::remove_file(path).expect("it is there");
    // The limit holds for pipes, too.
    let args = ["run", &counter, "--input", "-", "--codec", "raw"];
    let ran = airssys_with_input(&args, &vec![b'x'; (256 << 20) + 1]);
    refused(ran, 4, &args).says("more than 268435440 bytes");
}

#[test]
fn a_setting_without_a_name_is_refused_in_a_sentence() {
    let args = [
        "run",
        &fixture("counter"),
        "--operation",
        "increment",
        "--config",
        "=1",
    ];
    let ran = refused(airssys(&args), 2, &args);
    ran.says("the key is empty");
    assert!(!ran.stderr.contains("InvalidKey"), "{ran:?}");
}

#[test]
fn a_call_that_is_stopped_names_the_limit_that_applied() {
    let guest = crate::host_support::Guest {
        metadata: "i32.const 2048",
        execute: "(call $sleep (i64.const 600000)) i32.const 0",
        // Metadata at 2048 that allows 20 ms for an operation.
        more: r#"(data (i32.const 2144) "\01\00\00\00\00\00\00\00\14")"#,
        ..crate::host_support::Guest::default()
    };
    let path = scratch_file("statuses-hasty.wasm", &guest.build());
    let args = ["run", &path, "--operation", "x", "--timeout", "20000"];
    let ran = refused(airssys(&args), 4, &args);
    ran.says("stopped after 20 ms: the component's own limit (timeout-ms in its metadata)");
    let args = ["run", &path, "--operation", "x", "--timeout", "10"];
    refused(airssys(&args), 4, &args).says("stopped after 10 ms: the runtime's default timeout");
}
