//! `policy check` and `policy explain`.

#[cfg(feature = "wai")]
use serde_json::{Value, json};

use crate::process::{airssys, fixture, scratch, scratch_file};

const POLICY: &str = r#"[[allow]]
capabilities = ["filesystem:read:/data"]
components = ["files"]
reason = "reports"

[[deny]]
capabilities = ["filesystem:read:/data/keys"]
"#;

#[test]
fn a_policy_is_checked() {
    let good = scratch_file("policy-good.toml", POLICY.as_bytes());
    let ran = airssys(&["policy", "check", &good]).ended(0);
    assert_eq!(ran.stdout, format!("{good}: 1 allow, 1 deny\n"));
    let bad = scratch_file("policy-bad.toml", b"[[alow]]\n");
    airssys(&["policy", "check", &bad])
        .ended(3)
        .says(":1:3: there is no key `alow`; did you mean `allow`?");
}

#[test]
fn an_explanation_names_the_line() {
    let policy = scratch_file("policy-explain.toml", POLICY.as_bytes());
    let explain = |more: &[&str]| {
        let mut args = vec!["policy", "explain", "files", "--policy", &policy];
        args.extend(more);
        airssys(&args)
    };
    let ran = explain(&["filesystem:read:/data"]).ended(0);
    assert_eq!(
        ran.stdout,
        format!(
            "filesystem:read:/data: allowed by `allow filesystem:read:/data ({policy}:2: reports)`\n  \
             except filesystem:read:/data/keys: `deny filesystem:read:/data/keys ({policy}:7)`\n"
        )
    );
    let ran = explain(&["--json", "--deny", "filesystem:read", "filesystem:read:/data"]).ended(1);
    assert_eq!(ran.json()[0]["rule"]["origin"], "--deny");
    explain(&["--grant", "filesystem:raed"])
        .ended(2)
        .says("did you mean `read`?");
}

#[test]
fn limits_are_explained_with_their_sources() {
    let policy = "[limits]\nmemory = \"8MiB\"\n\n[[allow]]\ncapabilities = [\"config:read\"]\n";
    let policy = scratch_file("policy-limits.toml", policy.as_bytes());
    let ran = airssys(&["policy", "check", &policy]).ended(0);
    assert_eq!(ran.stdout, format!("{policy}: 1 allow, 0 deny, 1 limits\n"));
    let ran = airssys(&["policy", "explain", "files", "--policy", &policy]).ended(0);
    assert!(
        ran.stdout.starts_with(&format!(
            "allow config:read ({policy}:5)\nlimits:\n  memory = 8MiB, by the policy, {policy}:2\n"
        )),
        "{ran:?}"
    );
    assert!(
        ran.stdout.contains("\n  sockets = 128, by the default\n"),
        "{ran:?}"
    );
    let ran = airssys(&["policy", "explain", "files", "--policy", &policy, "--json"]).ended(0);
    assert_eq!(ran.json()["limits"][0]["value"], 8 << 20);
    assert_eq!(ran.json()["rules"][0]["capability"], "config:read");
}

#[test]
fn a_component_that_runs_has_what_the_policy_grants_and_the_audit_shows_it() {
    runs_by_a_policy("files", "read-file");
}

#[cfg(feature = "wai")]
#[test]
fn a_core_module_of_wai_has_what_the_policy_grants() {
    runs_by_a_policy("counter-wai", "read");
}

/// Runs a guest that reads a file in `operation`. The policy also grants what the metadata of `counter-wai` requires.
fn runs_by_a_policy(name: &str, operation: &str) {
    let guest = fixture(name);
    let granted = scratch_file(&format!("{name}-granted.txt"), b"four");
    let refused = scratch_file(&format!("{name}-refused.txt"), b"secret");
    let text = format!(
        "[[allow]]\ncapabilities = ['filesystem:read:{granted}', 'filesystem:read:/etc']\ncomponents = ['{name}']\nreason = 'a test'\n"
    );
    let policy = scratch_file(&format!("{name}-policy.toml"), text.as_bytes());
    let audit = scratch(&format!("{name}-audit.jsonl")).display().to_string();
    let _ = std::fs::remove_file(&audit);
    let read = |path: &str, more: &[&str]| {
        let params = json!({ "path": path }).to_string();
        let args = ["run", &guest, "--operation", operation, "--params", &params];
        airssys(&[&args[..], &["--policy", &policy, "--audit", &audit], more].concat())
    };
    assert_eq!(read(&granted, &[]).ended(0).json(), json!({"bytes": 4}));
    read(&refused, &[])
        .ended(1)
        .says(&format!("filesystem:read:{refused}"));
    let grant = format!("filesystem:read:{refused}");
    assert_eq!(
        read(&refused, &["--grant", &grant]).ended(0).json(),
        json!({"bytes": 6})
    );
    let deny = format!("filesystem:read:{granted}");
    read(&granted, &["--deny", &deny]).ended(1);

    let lines = std::fs::read_to_string(&audit).unwrap();
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let shown: Vec<_> = lines
        .iter()
        .map(|line| {
            (
                line["component"].as_str().unwrap(),
                line["capability"].as_str().unwrap(),
                line["verdict"].as_str().unwrap(),
                line["rule"]["origin"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    let (one, other) = (format!("filesystem:read:{granted}"), grant.as_str());
    let line = format!("{policy}:2");
    assert_eq!(
        shown,
        [
            (name, &*one, "allowed", &*line),
            (name, other, "denied", ""),
            (name, other, "allowed", "--grant"),
            (name, &*one, "denied", "--deny"),
        ]
    );
    let explained = airssys(&["policy", "explain", name, "--policy", &policy, &one]).ended(0);
    assert!(explained.stdout.contains(&line), "{explained:?}");
}

#[test]
fn a_component_gets_no_more_than_its_manifest_declares() {
    let folder = scratch("declared");
    std::fs::create_dir_all(&folder).unwrap();
    let guest = folder.join("files.wasm").display().to_string();
    std::fs::copy(fixture("files"), &guest).unwrap();
    let file = folder.join("data.txt").display().to_string();
    std::fs::write(&file, b"four").unwrap();
    let declare = |capabilities: &str| {
        let text = format!(
            r#"[component]
name = "files"
version = "1.0.0"
description = "Reads files"
authors = ["engineer@example.com"]
license = "MIT"
language = "rust"

[wit-dependencies]
airssys-component-core = "1.0.0"
airssys-host-core = "1.0.0"
airssys-multicodec-core = "1.0.0"

[multicodec]
primary-format = "json"
supported-formats = ["json"]

[capabilities]
{capabilities}

[metadata]
entrypoint = "execute"
memory-limit = "16MiB"
execution-timeout = "10s"
expected-operations = ["read-file"]
"#
        );
        std::fs::write(folder.join("component.toml"), text).unwrap();
    };
    let params = json!({ "path": &file }).to_string();
    let run = |grant: &str| {
        airssys(&[
            "run",
            &guest,
            "--operation",
            "read-file",
            "--params",
            &params,
            "--grant",
            grant,
        ])
    };
    declare(&format!("required = ['filesystem:read:{file}']"));
    assert_eq!(run("filesystem:read").ended(0).json(), json!({"bytes": 4}));
    run("filesystem:read:/elsewhere")
        .ended(3)
        .says(&format!("filesystem:read:{file}"));
    declare("required = []\noptional = ['filesystem:read:/elsewhere']");
    run("filesystem:read").ended(1);
}

#[test]
fn a_policy_limits_the_fuel_of_a_component_that_runs() {
    let guest = fixture("text-processor");
    let params = json!({ "text": "to be or not to be" }).to_string();
    let run = |guest: &str, fuel: u64, more: &[&str]| {
        let text = format!("[limits]\nfuel = {fuel}\n");
        let policy = scratch_file(&format!("fuel-{fuel}.toml"), text.as_bytes());
        let args = ["run", guest, "--operation", "word-count", "--params", &params];
        airssys(&[&args[..], &["--policy", &policy], more].concat())
    };
    assert_eq!(run(&guest, 100_000_000, &[]).ended(0).json()["count"], 6);
    run(&guest, 1000, &[]).ended(4).says("fuel = 1000");
    // An artifact that was compiled without counting.
    let artifact = scratch("no-fuel.cwasm").display().to_string();
    airssys(&["compile", &guest, "-o", &artifact]).ended(0);
    run(&artifact, 1000, &["--allow-unsigned"])
        .ended(3)
        .says("does not count fuel");
}

/// A call of the guest `wasi-cases`, in WAVE.
fn step(call: &str, path: &str, flags: &str) -> String {
    format!(
        "fixtures:wasi-cases/steps#take({{call: \"{call}\", descriptor: 0, path: \"{path}\", other: 0, new-path: \"\", \
         flags: [{flags}], at: 0, length: 100, bytes: []}})"
    )
}

/// Returns component, capability, verdict and rule of each line of an audit.
pub(crate) fn decisions(audit: &str) -> Vec<[String; 4]> {
    let lines = std::fs::read_to_string(audit).expect("an audit");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let lines = lines.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        [
            text(&line["component"]),
            text(&line["capability"]),
            text(&line["verdict"]),
            text(&line["rule"]["capability"]),
        ]
    });
    lines.collect()
}

#[test]
fn invoked_functions_use_files_by_the_policy() {
    let folder = scratch("invoked");
    std::fs::create_dir_all(folder.join("keys")).expect("a folder");
    std::fs::write(folder.join("data.txt"), b"four").expect("a file");
    std::fs::write(folder.join("keys/key.txt"), b"secret").expect("a file");
    let folder = folder.display().to_string();
    let audit = scratch("invoked.jsonl").display().to_string();
    let guest = fixture("wasi-cases");
    let grant = format!("filesystem:read:{folder}");
    let deny = format!("{grant}/keys");
    let invoke = |path: &str| {
        let call = step("open-at", path, "\"read\"");
        airssys(&[
            "invoke", &guest, &call, "--grant", &grant, "--deny", &deny, "--audit", &audit,
        ])
        .ended(0)
    };
    assert_eq!(invoke("data.txt").stdout, "\"ok 1\"\n");
    assert_eq!(invoke("keys/key.txt").stdout, "\"access\"\n");
    let file = |path: &str| format!("filesystem:read:{folder}/{path}");
    let line = |path: &str, verdict: &str, rule: &str| {
        [
            "wasi-cases".to_owned(),
            file(path),
            verdict.to_owned(),
            rule.to_owned(),
        ]
    };
    assert_eq!(
        decisions(&audit),
        [
            line("data.txt", "allowed", &grant),
            line("keys/key.txt", "denied", &deny),
        ]
    );
}

/// A core module with `_start`, which opens a path below its first folder and exits with the error number.
fn opener(path: &str) -> String {
    let text = format!(
        r#"(module
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (import "wasi_snapshot_preview1" "path_open"
            (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
          (memory (export "memory") 1) (data (i32.const 64) "{path}")
          (func (export "_start")
            (call $exit (call $open (i32.const 3) (i32.const 1) (i32.const 64) (i32.const {})
              (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 0)))))"#,
        path.len()
    );
    let name = format!("opener-{}.wasm", path.replace('/', "-"));
    scratch_file(&name, &wat::parse_str(text).expect("the text parses"))
}

#[test]
fn programs_use_files_by_the_policy() {
    let folder = scratch("opened");
    std::fs::create_dir_all(&folder).expect("a folder");
    for file in ["granted.txt", "refused.txt"] {
        std::fs::write(folder.join(file), b"text").expect("a file");
    }
    let folder = folder.display().to_string();
    let granted = format!("filesystem:read:{folder}/granted.txt");
    let audit = scratch("opened.jsonl").display().to_string();
    let (one, other) = (opener("granted.txt"), opener("refused.txt"));
    let with_policy = ["--grant", &granted, "--audit", &audit];
    airssys(&[&["run", &one][..], &with_policy].concat()).ended(0);
    // `acces` of preview 1.
    let code = |args: &[&str]| airssys(&[&["run"], args].concat()).code;
    assert_eq!(code(&[&[&*other][..], &with_policy].concat()), 2);
    // Nothing is granted: there is no folder, `badf`.
    assert_eq!(code(&[&one, "--grant", "filesystem:read:/absent/file"]), 8);
    // A folder of the host itself, without and with a rule that denies.
    let dir = format!("{folder}::/data:ro");
    assert_eq!(code(&[&other, "--dir", &dir]), 0);
    let deny = format!("filesystem:read:{folder}/refused.txt");
    assert_eq!(code(&[&other, "--dir", &dir, "--deny", &deny]), 2);
    assert_eq!(code(&[&one, "--dir", &dir, "--deny", &deny]), 0);
    let verdicts: Vec<_> = decisions(&audit)
        .into_iter()
        .map(|[component, capability, verdict, _]| {
            let is_granted = capability.ends_with("/granted.txt");
            (component.ends_with("opener-granted.txt"), is_granted, verdict)
        })
        .collect();
    let expected = [
        (true, true, "allowed".to_owned()),
        (false, false, "denied".to_owned()),
    ];
    assert_eq!(verdicts, expected);
    #[cfg(feature = "wasix")]
    airssys(&["run", &one, "--preview1", "host", "--grant", &granted])
        .ended(2)
        .says("--preview1 own");
}
