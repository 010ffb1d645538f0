//! The program without a compiler: artifacts of the normal program, from each backend, give the same results on it.
//!
//! `cargo xtask test` builds it, and sets AIRSSYS_HEADLESS to its path.

use airssys_wasm_test_support as common;
use airssys_wasm_test_support::kind;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use airssys_wasm::component::Component;
use airssys_wasm::engine::{Backend, Engine};

/// Arguments of `run` for each guest of the contract, then arguments of `invoke` for each other guest. FILE is the path of a
/// file with nine digits.
const QUESTIONS: [(&str, &[&str]); 16] = [
    (
        "text-processor",
        &[
            "--operation",
            "word-count",
            "--params",
            r#"{"text":"to be or not to be"}"#,
        ],
    ),
    (
        "text-processor",
        &[
            "--operation",
            "statistics",
            "--params",
            r#"{"text":"Grüße 世界\nnaïve"}"#,
        ],
    ),
    ("text-processor", &["--operation", "shout"]),
    (
        "text-processor-async",
        &[
            "--operation",
            "word-count",
            "--params",
            r#"{"text":"to be or not to be"}"#,
        ],
    ),
    (
        "text-processor-c-async",
        &[
            "--operation",
            "word-count",
            "--params",
            r#"{"text":"to be or not to be"}"#,
        ],
    ),
    (
        "text-processor-c",
        &[
            "--operation",
            "word-count",
            "--params",
            r#"{"text":"to be or not to be"}"#,
        ],
    ),
    (
        "counter",
        &[
            "--operation",
            "increment",
            "--config",
            "start=40",
            "--config",
            "step=2",
        ],
    ),
    (
        "json-transform",
        &[
            "--operation",
            "pick",
            "--params",
            r#"{"value":{"b":1,"s":"ü😀"},"keys":["s","q"]}"#,
        ],
    ),
    (
        "files",
        &[
            "--operation",
            "read-file",
            "--params",
            r#"{"path":"FILE"}"#,
            "--grant",
            "filesystem:read:FILE",
        ],
    ),
    (
        "intake",
        &[
            "--operation",
            "submit",
            "--params",
            r#"{"text":"a line"}"#,
            "--config",
            "next=nobody",
        ],
    ),
    ("meter", &["--operation", "counters", "--config", "next=nobody"]),
    // No component gets its message: an error.
    ("relay", &["--operation", "pass-on"]),
    ("checksum", &["--codec", "raw", "--input", "FILE", "--json"]),
    (
        "types",
        &[r#"describe({name: "x", age: 3}, circle(1.5), ["a","b"])"#],
    ),
    ("types", &["out-of-bounds()"]),
    ("bench", &["add(1, 2)"]),
];

/// The result of a run: exit code, standard output, standard error.
type Ended = (Option<i32>, String, String);

fn ended(program: &Path, args: &[&str]) -> Ended {
    let ran = Command::new(program)
        .args(args)
        .env_remove("RUST_LOG")
        .env("XDG_CACHE_HOME", scratch("cache-home"))
        .output();
    let ran = ran.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (ran.status.code(), text(ran.stdout), text(ran.stderr))
}

fn full() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_airssys-wasm"))
}

/// Returns the headless program; prints a notice and returns `None` if it has not been built.
fn headless() -> Option<PathBuf> {
    let program = std::env::var_os("AIRSSYS_HEADLESS").map(PathBuf::from);
    if program.is_none() {
        let required = std::env::var("AIRSSYS_REQUIRE_ALL").is_ok_and(|value| value == "1");
        assert!(
            !required,
            "AIRSSYS_HEADLESS names no headless program: `cargo xtask test` builds one"
        );
        eprintln!("NOT RUN: the headless program was not built; `cargo xtask test` builds it");
    }
    program
}

fn fixtures() -> PathBuf {
    common::root().join("tests/fixtures")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path that is text")
}

/// Returns a guest's component: committed, or built.
fn guest(name: &str) -> Option<PathBuf> {
    let committed = fixtures().join(format!("{name}.wasm"));
    match committed.exists() {
        true => Some(committed),
        false => common::built(name),
    }
}

/// Returns the folder of one test.
fn scratch(name: &str) -> PathBuf {
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("headless-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}

fn compiled(folder: &Path, component: &Path, backend: Backend) -> PathBuf {
    let guest = component.file_stem().expect("a name").to_string_lossy();
    let artifact = folder.join(format!("{guest}-{backend}.cwasm"));
    let args = [
        "compile",
        text(component),
        "-o",
        text(&artifact),
        "--backend",
        backend.name(),
    ];
    let made = ended(full(), &args);
    assert_eq!(made.0, Some(0), "{guest}, {backend}: {made:?}");
    artifact
}

#[test]
fn every_guest_of_the_contract_is_asked_something() {
    let engine = Engine::new(&Default::default()).expect("there is a compiler");
    let mut found = 0;
    for entry in std::fs::read_dir(fixtures()).expect("there are fixtures") {
        let path = entry.expect("readable").path();
        if path.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        let bytes = std::fs::read(&path).expect("readable");
        if !kind::is_component(&bytes) {
            continue;
        }
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let component =
            Component::from_binary(&engine, &bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let of_contract = |(name, _): &(String, _)| name.contains("component-lifecycle");
        if component.exports().iter().any(of_contract) {
            assert!(
                QUESTIONS.iter().any(|(guest, _)| *guest == name),
                "{name} is asked nothing"
            );
            found += 1;
        }
    }
    assert!(found >= 3, "there are {found} only");
}

#[test]
fn artifacts_of_every_backend_answer_as_their_components_do() {
    let Some(headless) = headless() else { return };
    let folder = scratch("answers");
    let digits = folder.join("digits");
    std::fs::write(&digits, b"123456789").expect("it can be written");
    for (guest, question) in QUESTIONS {
        let command = if question[0].starts_with("--") {
            "run"
        } else {
            "invoke"
        };
        let question: Vec<String> = question
            .iter()
            .map(|word| word.replace("FILE", text(&digits)))
            .collect();
        let question: Vec<&str> = question.iter().map(String::as_str).collect();
        let Some(component) = self::guest(guest) else {
            continue;
        };
        for backend in Backend::available() {
            let asked = [
                &[command, text(&component)],
                &question[..],
                &["--backend", backend.name()],
            ]
            .concat();
            let expected = ended(full(), &asked);
            assert!(expected.1.len() + expected.2.len() > 0, "{expected:?}");
            let artifact = compiled(&folder, &component, *backend);
            let asked = [&[command, text(&artifact)], &question[..], &["--allow-unsigned"]].concat();
            let mut got = ended(&headless, &asked);
            // The identity is derived from the file name.
            got.2 = got.2.replace(&format!("{guest}-{backend}"), guest);
            assert_eq!(got, expected, "{guest} {question:?}, {backend}");
        }
    }
}

#[test]
fn traps_have_the_same_names() {
    let Some(headless) = headless() else { return };
    let folder = scratch("names");
    let component = folder.join("trapping.wasm");
    let text_format = r#"(component
        (core module $named (func $fail unreachable) (func $run (export "run") (call $fail)))
        (core instance $i (instantiate $named))
        (func (export "run") (canon lift (core func $i "run"))))"#;
    let bytes = wat::parse_str(text_format).expect("the text parses");
    std::fs::write(&component, bytes).expect("it can be written");
    for backend in Backend::available() {
        let asked = ["invoke", text(&component), "run()", "--backend", backend.name()];
        let expected = ended(full(), &asked);
        for name in ["named!fail ", "named!run "] {
            assert!(expected.2.contains(name), "{expected:?}");
        }
        let artifact = compiled(&folder, &component, *backend);
        let asked = ["invoke", text(&artifact), "run()", "--allow-unsigned"];
        let mut got = ended(&headless, &asked);
        // The identity is derived from the file name.
        got.2 = got.2.replace(&format!("trapping-{backend}"), "trapping");
        assert_eq!(got, expected, "{backend}");
    }
}

#[test]
fn it_says_why_it_takes_no_component() {
    let Some(headless) = headless() else { return };
    let component = fixtures().join("text-processor.wasm");
    let out = scratch("refusals").join("x.cwasm");
    for args in [
        &["run", text(&component), "--operation", "word-count"][..],
        &["invoke", text(&component), "execute()"],
        &["inspect", text(&component)],
        &["compile", text(&component), "-o", text(&out)],
    ] {
        let (code, stdout, stderr) = ended(&headless, args);
        assert_eq!((code, stdout.as_str()), (Some(3), ""), "{args:?}: {stderr}");
        assert!(
            stderr.contains("this build has no compiler"),
            "{args:?}: {stderr}"
        );
        assert!(stderr.contains("airssys-wasm compile"), "{args:?}: {stderr}");
    }
    let named = [
        "run",
        text(&component),
        "--operation",
        "x",
        "--backend",
        "cranelift",
    ];
    let (code, _, stderr) = ended(&headless, &named);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("not compiled in"), "{stderr}");
    let (code, stdout, _) = ended(&headless, &["backends"]);
    assert_eq!(code, Some(0));
    assert!(
        stdout.lines().skip(1).all(|line| line.contains(" no ")),
        "{stdout}"
    );
    let (code, stdout, stderr) = ended(&headless, &["--version"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
}

#[test]
fn it_checks_and_shows_artifacts() {
    let Some(headless) = headless() else { return };
    let folder = scratch("checks");
    for backend in Backend::available() {
        let artifact = compiled(&folder, &fixtures().join("counter.wasm"), *backend);
        let (code, stdout, stderr) = ended(&headless, &["verify", text(&artifact)]);
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stdout.contains("runs here  yes"), "{stdout}");
        let (code, stdout, stderr) = ended(&headless, &["inspect", text(&artifact), "--allow-unsigned"]);
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stdout.contains("increment"), "{stdout}");
        let (code, _, stderr) = ended(&headless, &["run", text(&artifact), "--operation", "get"]);
        assert_eq!(code, Some(3));
        assert!(stderr.contains("not signed"), "{stderr}");
    }
}

#[cfg(unix)]
#[test]
fn a_host_file_with_a_cluster_names_the_feature_that_joins_it() {
    let Some(headless) = headless() else { return };
    let folder = scratch("cluster");
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("host.toml");
    let declared = "[cluster]\nname = 'c'\nhost = 'h'\nservers = ['nats://127.0.0.1:1']\nkey = 'none'\n\
                    [[component]]\nid = 'a'\npath = 'none.artifact'\n";
    fs::write(&file, declared).expect("it can be written");
    let (status, stdout, said) = ended(&headless, &["host", "run", text(&file)]);
    assert_eq!((status, &*stdout), (Some(2), ""), "{said}");
    assert!(said.contains("built without the feature `nats`"), "{said}");
    assert!(
        said.contains("`cargo build --release --features nats`, or remove [cluster]"),
        "{said}"
    );
}

#[test]
fn a_command_that_is_not_compiled_in_names_its_feature() {
    let Some(headless) = headless() else { return };
    for (args, feature) in [
        (&["wast", "x.wast"][..], "conformance"),
        (&["conformance", "x.wasm", "--calls", "x.toml"], "conformance"),
        (&["bindgen", "wit"], "bindgen"),
        (&["component", "new", "x.wasm"], "adapt"),
    ] {
        let command = args[0];
        let said =
            format!("error: the command `{command}` is not compiled in: build with `--features {feature}`\n");
        assert_eq!(ended(&headless, args), (Some(2), String::new(), said));
    }
    let (status, _, said) = ended(&headless, &["wst"]);
    assert_eq!(status, Some(2));
    assert!(said.contains("unrecognized subcommand"), "{said}");
}
