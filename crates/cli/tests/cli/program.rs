//! `run` and `invoke` of components that use WASI.

use std::process::Command;

use crate::process::{Ran, airssys, airssys_with_input, fixture, scratch};

fn program(flags: &[&str], args: &[&str]) -> Ran {
    let component = fixture("wasi-program");
    airssys(&[&["run", &*component][..], flags, &["--"], args].concat())
}

#[test]
fn output_is_logged_unless_streams_are_inherited() {
    let ran = program(&[], &["surroundings", "hidden"]);
    assert_eq!((ran.code, &*ran.stdout, &*ran.stderr), (0, "", ""));
    let ran = program(&["-v"], &["surroundings", "logged"]);
    assert_eq!((ran.code, &*ran.stdout), (0, ""));
    ran.says("argument logged");
    let ran = program(&["--inherit-stdio"], &["surroundings", "seen", "--flag"]);
    assert_eq!(ran.code, 0);
    assert_eq!(
        ran.stdout,
        "argument seen\nargument --flag\nfolder None\nterminals [false, false, false]\n"
    );
    assert_eq!(ran.stderr, "");
}

#[test]
fn standard_input_is_inherited_too() {
    let component = fixture("wasi-program");
    let input = "text\n".repeat(10_000);
    let ran = airssys_with_input(
        &["run", &component, "--inherit-stdio", "--", "cat"],
        input.as_bytes(),
    );
    assert_eq!((ran.code, ran.stdout), (0, input.clone()));
    let ran = airssys_with_input(&["run", &component, "--", "cat"], input.as_bytes());
    assert_eq!((ran.code, &*ran.stdout), (0, ""));
    let ran = airssys(&["run", &component, "--inherit-stdio", "--", "stderr", "an error"]);
    assert_eq!((ran.code, &*ran.stdout, &*ran.stderr), (0, "", "an error\n"));
}

#[test]
fn the_exit_status_is_handed_through() {
    for (args, status) in [
        (&["exit", "0"][..], 0),
        (&["exit", "1"], 1),
        (&["exit", "42"], 42),
        (&["exit", "255"], 255),
        (&["exit-ok"], 0),
        (&["exit-err"], 1),
        (&["fail"], 1),
    ] {
        let ran = program(&[], args);
        assert_eq!(
            (ran.code, &*ran.stdout, &*ran.stderr),
            (status, "", ""),
            "{args:?}"
        );
    }
    program(&[], &["panic"]).ended(4).says("unreachable");
    let ran = program(&["--timeout", "300"], &["sleep", "18446744073709551615"]);
    ran.ended(4).says("interrupted");
}

#[test]
fn the_environment_is_what_is_given() {
    let ran = program(
        &["--inherit-stdio", "--env", "A=1", "--env", "B=x=y"],
        &["surroundings"],
    );
    assert_eq!(ran.code, 0);
    assert!(
        ran.stdout.starts_with("variable A=1\nvariable B=x=y\nfolder"),
        "{ran:?}"
    );
}

#[test]
fn the_network_is_what_is_granted() {
    let ran = program(&["--inherit-stdio"], &["tcp", "127.0.0.1:9"]);
    assert_eq!(ran.stdout, "access-denied\n");
    let unused = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let unused = unused.expect("a port").to_string();
    let ran = program(&["--inherit-stdio", "--net", &unused], &["tcp", &unused]);
    assert_eq!(ran.stdout, "connection-refused\n");
    let ran = program(&["--inherit-stdio", "--net", "*"], &["tcp", &unused]);
    assert_eq!(ran.stdout, "access-denied\n");
    for bad in ["", "host:0", "http://host", "a b", "127.1"] {
        let ran = program(&["--net", bad], &["surroundings"]);
        assert_eq!(ran.code, 2, "{bad}: {ran:?}");
        ran.says("HOST");
    }
}

#[test]
fn folders_are_what_is_granted() {
    for bad in ["folder", "::", "a::", "::b"] {
        let ran = program(&["--dir", bad], &["surroundings"]);
        assert_eq!(ran.code, 2, "{bad}: {ran:?}");
        ran.says("HOST::GUEST");
    }
    let absent = scratch("no-such-folder");
    let grant = format!("{}::/data", absent.display());
    program(&["--dir", &grant], &["surroundings"])
        .ended(2)
        .says("no-such-folder");
    let folder = scratch("granted");
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    let grant = format!("{}::/data:ro", folder.display());
    assert_eq!(program(&["--dir", &grant], &["surroundings"]).code, 0);
    let twice = ["--dir", &*grant, "--dir", &*grant];
    program(&twice, &["surroundings"])
        .ended(2)
        .says("cannot grant access to the folder");
}

#[test]
fn programs_and_other_components_are_told_apart() {
    let component = fixture("wasi-program");
    airssys(&["run", &component, "--operation", "x"])
        .ended(2)
        .says("does not apply to the program");
    let other = fixture("text-processor");
    airssys(&["run", &other, "--", "x"])
        .ended(2)
        .says("is not a program");
}

/// Components only accept text.
#[cfg(unix)]
#[test]
fn arguments_that_are_not_text_are_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let bad = OsStr::from_bytes(b"a\xff\xfe");
    let run = |args: &[&OsStr]| {
        let output = Command::new(env!("CARGO_BIN_EXE_airssys-wasm"))
            .args(["run", &fixture("wasi-program")])
            .args(args)
            .env("XDG_CACHE_HOME", scratch("cache-home"))
            .output()
            .expect("the program starts");
        (output.status.code(), output.stdout)
    };
    let os = OsStr::new;
    assert_eq!(run(&[os("--"), os("surroundings"), bad]), (Some(2), Vec::new()));
    assert_eq!(
        run(&[os("--env"), bad, os("--"), os("surroundings")]),
        (Some(2), Vec::new())
    );
    assert_eq!(
        run(&[os("--net"), bad, os("--"), os("surroundings")]),
        (Some(2), Vec::new())
    );
}

#[test]
fn invoke_runs_and_hands_through_too() {
    let component = fixture("wasi-program");
    let ran = airssys(&["invoke", &component, "wasi:cli/run@0.2.12#run()"]);
    assert_eq!((ran.code, &*ran.stdout), (0, "ok\n"));
    let ran = airssys(&["invoke", &component, "run()", "--inherit-stdio"]);
    // Without arguments it prints a message, and succeeds.
    assert_eq!((ran.code, &*ran.stdout), (0, "nothing to do\nok\n"));
}
