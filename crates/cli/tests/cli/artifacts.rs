//! Artifacts through the program: compiled, signed, verified, run; and every refusal.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use airssys_wasm::artifact::PublicKey;
use airssys_wasm::engine::{Backend, Target};
use serde_json::{Value, json};

use crate::process::{Ran, airssys, airssys_with_input, fixture, scratch, scratch_file};

const HAMLET: &str = r#"{"text":"to be or not to be"}"#;

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a path that is text")
}

/// Returns a key's file, and its public key.
fn key() -> &'static (String, String) {
    static KEY: OnceLock<(String, String)> = OnceLock::new();
    KEY.get_or_init(|| {
        let path = scratch("key");
        let ran = airssys(&["keygen", "-o", text(&path)]).ended(0);
        (text(&path).to_owned(), ran.stdout.trim().to_owned())
    })
}

fn compile(name: &str, more: &[&str]) -> PathBuf {
    let path = scratch(&format!("{name}.cwasm"));
    let component = fixture("text-processor");
    airssys(&[&["compile", &component, "-o", text(&path)], more].concat()).ended(0);
    path
}

/// Returns an artifact of `text-processor` that is signed with [`key`].
fn signed() -> &'static Path {
    static SIGNED: OnceLock<PathBuf> = OnceLock::new();
    SIGNED.get_or_init(|| compile("signed", &["--sign", &key().0]))
}

fn run(path: &str, more: &[&str]) -> Ran {
    let args = ["run", path, "--operation", "word-count", "--params", HAMLET];
    airssys(&[&args[..], more].concat())
}

fn elsewhere() -> &'static str {
    if Target::host().triple().starts_with("aarch64") {
        "x86_64-unknown-linux-gnu"
    } else {
        "aarch64-unknown-linux-gnu"
    }
}

#[test]
fn what_is_compiled_and_signed_runs_for_those_who_trust() {
    let (secret, public) = key();
    let component = fixture("text-processor");
    for backend in Backend::available() {
        let path = scratch(&format!("{backend}.cwasm"));
        let args = ["compile", &component, "-o", text(&path), "--sign", secret];
        let ran = airssys(&[&args[..], &["--backend", backend.name(), "--json"]].concat()).ended(0);
        let said = ran.json();
        assert_eq!(ran.stderr, "", "nothing is drawn where there is no terminal");
        let bytes = std::fs::metadata(&path).expect("it is there").len();
        assert_eq!(
            (&said["backend"], &said["signer"], &said["bytes"]),
            (&json!(backend.name()), &json!(public), &json!(bytes))
        );
        assert_eq!(said["target"], Target::host().triple());
        for trust in [public.clone(), format!("{secret}.pub")] {
            let ran = run(text(&path), &["--trust", &trust]).ended(0);
            assert_eq!(ran.json(), json!({"count": 6, "unique": 4}));
        }
        let ran = run(text(&path), &["--allow-unsigned"]).ended(0);
        assert_eq!(ran.json(), json!({"count": 6, "unique": 4}));
    }
}

#[test]
fn any_function_of_an_artifact_is_called() {
    let path = scratch("types.cwasm");
    let unsigned = airssys(&["compile", &fixture("types"), "-o", text(&path)]).ended(0);
    assert!(unsigned.stdout.contains("not signed"), "{unsigned:?}");
    let call = r#"describe({name: "x", age: 3}, circle(1.5), ["a","b"])"#;
    let refused = airssys(&["invoke", text(&path), call]).ended(3);
    refused.says("not signed");
    refused.says("--allow-unsigned");
    let ran = airssys(&["invoke", text(&path), call, "--allow-unsigned"]).ended(0);
    assert!(ran.stdout.contains("circle of radius 1.5"), "{ran:?}");
    let trap = airssys(&["invoke", text(&path), "out-of-bounds()", "--allow-unsigned"]).ended(4);
    trap.says("out of bounds memory access");
}

#[cfg(unix)]
#[test]
fn a_component_comes_through_a_pipe_too() {
    let component = std::fs::read(fixture("bench")).expect("it is there");
    let args = ["invoke", "/dev/stdin", "add(1, 2)"];
    let ran = airssys_with_input(&args, &component).ended(0);
    assert_eq!(ran.stdout, "3\n");
}

#[test]
fn who_is_not_trusted_is_refused_with_what_to_do() {
    let unsigned = compile("unsigned", &[]);
    let refused = run(text(&unsigned), &[]).ended(3);
    refused.says("not signed");
    refused.says("help: sign it");
    run(text(&unsigned), &["--trust", &key().1])
        .ended(3)
        .says("not signed");

    let refused = run(text(signed()), &[]).ended(3);
    refused.says(&key().1);
    refused.says("pass it with --trust");
    let stranger = scratch("stranger");
    let stranger = airssys(&["keygen", "-o", text(&stranger)]).ended(0).stdout;
    let refused = run(text(signed()), &["--trust", stranger.trim()]).ended(3);
    refused.says("not a trusted key");
    let two = ["--trust", stranger.trim(), "--trust", &key().1];
    run(text(signed()), &two).ended(0);
    run(text(signed()), &["--trust", &key().1, "--allow-unsigned"]).ended(2);

    airssys(&["verify", text(&unsigned)]).ended(0);
    airssys(&["verify", text(&unsigned), "--trust", &key().1])
        .ended(3)
        .says("not signed");
    airssys(&["verify", text(signed()), "--trust", stranger.trim()])
        .ended(3)
        .says("not a trusted key");
}

#[test]
fn an_artifact_is_verified() {
    let (_, public) = key();
    let ran = airssys(&["verify", text(signed()), "--trust", public]).ended(0);
    assert!(ran.stdout.contains("signed by a trusted key"), "{ran:?}");
    assert!(ran.stdout.contains("runs here  yes"), "{ran:?}");
    let said = airssys(&["verify", text(signed()), "--json"]).ended(0).json();
    assert_eq!(
        (&said["trusted"], &said["runs-here"]),
        (&Value::Null, &json!(true))
    );
    assert_eq!(said["signer"], json!(public));
    let said = airssys(&["verify", text(signed()), "--trust", public, "--json"])
        .ended(0)
        .json();
    assert_eq!(said["trusted"], true);
}

#[test]
fn an_artifact_for_another_machine_is_whole_and_is_not_run() {
    let (secret, public) = key();
    for backend in Backend::available() {
        let backend = backend.name();
        let mut args = vec!["--target", elsewhere(), "--sign", secret, "--backend", backend];
        if elsewhere().starts_with("x86_64") {
            args.extend(["--cpu", "avx"]);
        }
        let path = compile(&format!("elsewhere-{backend}"), &args);
        let said = airssys(&["verify", text(&path), "--trust", public, "--json"])
            .ended(0)
            .json();
        assert_eq!(
            (&said["trusted"], &said["runs-here"]),
            (&json!(true), &json!(false))
        );
        let why = said["why-not"].as_str().expect("a reason");
        assert!(
            why.contains(elsewhere()) && why.contains(&Target::host().triple()),
            "{why}"
        );
        let refused = run(text(&path), &["--trust", public]).ended(3);
        refused.says(&format!("compiled for {}", elsewhere()));
        run(text(&path), &["--allow-unsigned"])
            .ended(3)
            .says("compiled for");
        let shown = airssys(&["inspect", text(&path), "--trust", public]).ended(0);
        assert!(shown.stdout.contains("runs here  no: "), "{shown:?}");
    }
}

#[test]
fn an_artifact_is_inspected() {
    let (_, public) = key();
    let shown = airssys(&["inspect", text(signed())]).ended(0);
    for words in ["an artifact", public, "runs here  yes", "opt-level="] {
        assert!(shown.stdout.contains(words), "{words}: {shown:?}");
    }
    assert!(
        !shown.stdout.contains("imports\n"),
        "it was not trusted: {shown:?}"
    );
    let shown = airssys(&["inspect", text(signed()), "--trust", public]).ended(0);
    for words in [
        public.as_str(),
        "runs here  yes",
        "operations   word-count, reverse, statistics",
    ] {
        assert!(shown.stdout.contains(words), "{words}: {shown:?}");
    }
    let json = airssys(&["inspect", text(signed()), "--json"]).ended(0).json();
    assert_eq!(json["artifact"]["signer"], json!(public));
    let trusted = airssys(&["inspect", text(signed()), "--trust", public, "--json"])
        .ended(0)
        .json();
    assert_eq!(trusted["artifact"]["signer"], json!(public));
    assert_eq!(trusted["contract"]["metadata"]["name"], "text-processor");
}

#[test]
fn damage_is_refused_by_every_command() {
    let whole = std::fs::read(signed()).expect("it is there");
    let mut cases: Vec<(String, Vec<u8>)> = [8, 15, 64, 500, whole.len() / 2, whole.len() - 1]
        .into_iter()
        .map(|length| (format!("cut-{length}"), whole[..length].to_vec()))
        .collect();
    for at in [9, 20, 300, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[at] ^= 4;
        // A change between sections is noticed, too.
        cases.push((format!("flip-{at}"), flipped));
    }
    cases.push(("longer".into(), [&whole[..], b"\0"].concat()));
    for (name, bytes) in cases {
        let path = scratch_file(&format!("{name}.cwasm"), &bytes);
        for trust in [&["--trust", &key().1][..], &["--allow-unsigned"]] {
            run(&path, trust).ended(3);
            airssys(&[&["invoke", &path, "execute()"], trust].concat()).ended(3);
            airssys(&[&["inspect", &path], trust].concat()).ended(3);
        }
        let ran = airssys(&["verify", &path]).ended(3);
        ran.says("artifact");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_others_make_is_told_apart() {
    let theirs = [&b"\x7fELF\x02\x01\x01"[..], &[0; 200], b".wasmtime.engine\0"].concat();
    let wasmtime = scratch_file("theirs.cwasm", &theirs);
    airssys(&["verify", &wasmtime]).ended(3).says("of wasmtime");
    let program = "/bin/true";
    airssys(&["verify", program]).ended(3).says("ELF");
    let component = fixture("types");
    airssys(&["verify", &component])
        .ended(3)
        .says("must be compiled first");
    airssys(&["verify", &scratch_file("empty.cwasm", b"")])
        .ended(3)
        .says("empty");
    airssys(&["verify", "no-such-file.cwasm"])
        .ended(3)
        .says("cannot be read");
    for path in [wasmtime.as_str(), program] {
        run(path, &["--allow-unsigned"]).ended(3);
    }
    let out = scratch("again.cwasm");
    airssys(&["compile", text(signed()), "-o", text(&out)])
        .ended(2)
        .says("already an artifact");
    airssys(&["compile", program, "-o", text(&out)])
        .ended(3)
        .says("not WebAssembly");
    airssys(&["compile", "no-such-file.wasm", "-o", text(&out)]).ended(3);
    assert!(!out.exists());
}

#[test]
fn keys_are_made_once_and_kept_from_others() {
    let path = scratch("own-key");
    let made = airssys(&["keygen", "-o", text(&path)]).ended(0);
    let public = format!("{}.pub", text(&path));
    assert_eq!(
        std::fs::read_to_string(&public).expect("it is there"),
        made.stdout
    );
    let before = std::fs::read(&path).expect("it is there");
    airssys(&["keygen", "-o", text(&path)])
        .ended(2)
        .says("never replaced");
    assert_eq!(std::fs::read(&path).expect("it is there"), before);
    // If the public key cannot be written, the secret key is removed as well.
    let other = scratch("other-key");
    std::fs::write(format!("{}.pub", text(&other)), "x").expect("written");
    airssys(&["keygen", "-o", text(&other)])
        .ended(2)
        .says("other-key.pub");
    assert!(!other.exists());
    let nowhere = scratch("no-folder").join("key");
    airssys(&["keygen", "-o", text(&nowhere)])
        .ended(5)
        .says("cannot be written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &str| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!(mode(text(&path)), 0o600);
        let out = scratch("by-others.cwasm");
        for open in [0o644, 0o640, 0o602] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(open)).expect("it is ours");
            let args = [
                "compile",
                &fixture("counter"),
                "-o",
                text(&out),
                "--sign",
                text(&path),
            ];
            airssys(&args).ended(2).says("chmod 600");
            assert!(!out.exists());
        }
    }
}

#[test]
fn what_is_no_key_is_refused() {
    let out = scratch("no-key.cwasm");
    for (name, bytes) in [
        ("no-key-text", &b"this is no key"[..]),
        ("no-key-empty", b""),
        ("no-key-binary", &[0xff; 100]),
        ("no-key-huge", &[b'a'; 100_000]),
    ] {
        let path = scratch_file(name, bytes);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
        }
        let signing = airssys(&["compile", &fixture("counter"), "-o", text(&out), "--sign", &path]);
        assert!([2, 5].contains(&signing.code), "{signing:?}");
        signing.says(name);
        let trusting = airssys(&["verify", text(signed()), "--trust", &path]).ended(2);
        trusting.says(name);
    }
    let missing = airssys(&[
        "compile",
        &fixture("counter"),
        "-o",
        text(&out),
        "--sign",
        "no-such-key",
    ]);
    missing.ended(3).says("no-such-key");
    assert!(!out.exists());
    airssys(&["verify", text(signed()), "--trust", "no-such-key"])
        .ended(3)
        .says("neither a public key nor a readable file");
    // Half of all numbers are not valid keys.
    let digits = (2u8..=255)
        .map(|byte| format!("{byte:02x}").repeat(32))
        .find(|digits| digits.parse::<PublicKey>().is_err())
        .expect("one of them is none");
    airssys(&["verify", text(signed()), "--trust", &digits])
        .ended(2)
        .says("not a valid public key");
    // The secret key is not a trusted key: it is not a point of the curve, or another one.
    let secret = airssys(&["verify", text(signed()), "--trust", &key().0]);
    assert!([2, 3].contains(&secret.code), "{secret:?}");
}

#[test]
fn what_cannot_be_compiled_for_is_refused() {
    let out = scratch("refused.cwasm");
    let compile = |more: &[&str]| {
        let args = ["compile", &fixture("counter"), "-o", text(&out)];
        airssys(&[&args[..], more].concat())
    };
    compile(&["--target", "pdp11"]).ended(2).says("target triple");
    compile(&["--target", "x86_64-pc-windows-msvc"])
        .ended(2)
        .says("x86_64 and aarch64");
    compile(&["--target", "aarch64-unknown-linux-gnu", "--cpu", "avx2"])
        .ended(2)
        .says("support neon");
    compile(&["--opt", "fast"]).ended(2).says("speed-and-size");
    compile(&["--backend", "gcc"]).ended(2).says("choose cranelift");
    for backend in Backend::available() {
        match backend {
            Backend::Singlepass => {
                let level = compile(&["--backend", "singlepass", "--opt", "speed"]).ended(2);
                level.says("omit the option");
                let old = ["--target", "x86_64-unknown-linux-gnu", "--backend", "singlepass"];
                compile(&old).ended(2).says("requires avx");
            }
            Backend::Llvm => {
                let level = compile(&["--backend", "llvm", "--opt", "speed-and-size"]).ended(2);
                level.says("choose none or speed");
            }
            _ => {}
        }
    }
    assert!(!out.exists());
    let nowhere = scratch("no-folder").join("x.cwasm");
    airssys(&["compile", &fixture("counter"), "-o", text(&nowhere)])
        .ended(5)
        .says("no-folder");
    airssys(&["compile", &fixture("counter"), "-o", env!("CARGO_TARGET_TMPDIR")])
        .ended(5)
        .says("it is a folder");
    let below_a_file = format!("{}/x.cwasm", fixture("counter"));
    airssys(&["compile", &fixture("counter"), "-o", &below_a_file]).ended(5);
}

#[test]
fn an_artifact_is_installed() {
    let (_, public) = key();
    let folder = scratch("installed");
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    let into = ["--into", text(&folder)];
    let name = signed().file_name().expect("a name");
    let place = folder.join(name);
    for _ in 0..2 {
        let args = [
            &["install", text(signed()), "--trust", public, "--json"],
            &into[..],
        ]
        .concat();
        let said = airssys(&args).ended(0).json();
        assert_eq!(said, json!({"installed": text(&place), "signer": public}));
        assert_eq!(std::fs::read(&place).ok(), std::fs::read(signed()).ok());
        run(text(&place), &["--trust", public]).ended(0);
    }
    // A file that was altered after its installation is verified again, and refused.
    let mut altered = std::fs::read(&place).expect("it is there");
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    std::fs::write(&place, &altered).expect("it is ours");
    run(text(&place), &["--trust", public]).ended(3).says("altered");
    // Installed in its place, without a copy.
    let own = compile("own-place", &[]);
    let args = ["install", text(&own), "--allow-unsigned"];
    let said = airssys(&args).ended(0);
    assert!(said.stdout.ends_with("installed, signed by nobody\n"), "{said:?}");

    let refused = folder.join("refused.cwasm");
    for (artifact, trust) in [(text(&own), "--trust"), (text(signed()), "--trust")] {
        let stranger = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        airssys(&[&["install", artifact, trust, stranger], &into[..]].concat()).ended(3);
    }
    assert!(!folder.join("own-place.cwasm").exists() && !refused.exists());
    let elsewhere = compile(
        "install-elsewhere",
        &["--target", elsewhere(), "--backend", "cranelift"],
    );
    airssys(&[&["install", text(&elsewhere), "--allow-unsigned"], &into[..]].concat())
        .ended(3)
        .says("does not run on this host");
    let damaged = scratch_file("install-damaged.cwasm", &altered);
    airssys(&[&["install", &damaged, "--allow-unsigned"], &into[..]].concat()).ended(3);
    let nowhere = scratch("no-folder");
    airssys(&[
        "install",
        text(signed()),
        "--trust",
        public,
        "--into",
        text(&nowhere),
    ])
    .ended(5);
    let mut left: Vec<_> = std::fs::read_dir(&folder)
        .expect("it is there")
        .map(|entry| entry.expect("readable").file_name())
        .collect();
    left.sort();
    assert_eq!(left, [name]);
}

#[test]
fn what_is_compiled_is_kept_from_run_to_run() {
    let cache = scratch("a-cache");
    let info = |code| {
        airssys(&["cache", "info", "--cache", text(&cache), "--json"])
            .ended(code)
            .json()
    };
    let component = fixture("counter");
    let increment = ["run", &component, "--operation", "increment"];
    let cached = [&increment[..], &["--cache", text(&cache)]].concat();
    for _ in 0..2 {
        assert_eq!(airssys(&cached).ended(0).json(), json!({"count": 1}));
        assert_eq!(info(0)["components"], 1);
    }
    let bench = fixture("bench");
    let call = ["invoke", &bench, "add(1, 2)", "--cache", text(&cache)];
    assert_eq!(airssys(&call).ended(0).stdout, "3\n");
    assert_eq!(info(0)["components"], 2);
    let uncached = [&increment[..], &["--cache", "off"]].concat();
    assert_eq!(airssys(&uncached).ended(0).json(), json!({"count": 1}));
    assert_eq!(info(0)["components"], 2);
    let pruned = airssys(&[
        "cache",
        "prune",
        "--cache",
        text(&cache),
        "--max-bytes",
        "0",
        "--json",
    ]);
    assert_eq!(pruned.ended(0).json()["components"], 2);
    assert_eq!(info(0)["bytes"], 0);
    airssys(&cached).ended(0);
    let cleared = airssys(&["cache", "clear", "--cache", text(&cache)]).ended(0);
    assert!(
        cleared.stdout.starts_with("components removed: 1 ("),
        "{cleared:?}"
    );
    assert_eq!(info(0)["components"], 0);
    // A file is not a folder: an explicitly named folder must be usable.
    let file = scratch_file("no-cache", b"");
    airssys(&[&increment[..], &["--cache", &file]].concat()).ended(5);
    airssys(&["cache", "info", "--cache", &file]).ended(5);
}

#[test]
fn an_artifact_is_replaced_whole() {
    let path = compile("replaced", &[]);
    let before = std::fs::read(&path).expect("it is there");
    airssys(&[
        "compile",
        &fixture("counter"),
        "-o",
        text(&path),
        "--opt",
        "none",
        "--backend",
        "cranelift",
    ])
    .ended(0);
    let after = std::fs::read(&path).expect("it is there");
    assert_ne!(before, after);
    let said = airssys(&["verify", text(&path), "--json"]).ended(0).json();
    assert!(
        said["options"]
            .as_str()
            .is_some_and(|options| options.contains("opt-level=none"))
    );
}
