//! `policy check` and `policy explain`.

#[cfg(feature = "wai")]
use serde_json::{Value, json};

#[cfg(feature = "wai")]
use crate::process::scratch;
use crate::process::{airssys, fixture, scratch_file};

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

#[cfg(feature = "wai")]
#[test]
fn a_component_that_runs_has_what_the_policy_grants_and_the_audit_shows_it() {
    let guest = fixture("counter-wai");
    let granted = scratch_file("granted.txt", b"four");
    let refused = scratch_file("refused.txt", b"secret");
    let text = format!(
        "[[allow]]\ncapabilities = ['filesystem:read:{granted}']\ncomponents = ['counter-wai']\nreason = 'a test'\n"
    );
    let policy = scratch_file("run-policy.toml", text.as_bytes());
    let audit = scratch("audit.jsonl").display().to_string();
    let read = |path: &str, more: &[&str]| {
        let params = json!({ "path": path }).to_string();
        let args = ["run", &guest, "--operation", "read", "--params", &params];
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
    read(&granted, &["--deny", "filesystem:read"]).ended(1);

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
            ("counter-wai", &*one, "allowed", &*line),
            ("counter-wai", other, "denied", ""),
            ("counter-wai", other, "allowed", "--grant"),
            ("counter-wai", &*one, "denied", "--deny"),
        ]
    );
    let explained = airssys(&["policy", "explain", "counter-wai", "--policy", &policy, &one]).ended(0);
    assert!(explained.stdout.contains(&line), "{explained:?}");
}

#[cfg(feature = "wai")]
#[test]
fn a_component_gets_no_more_than_its_manifest_declares() {
    let folder = scratch("declared");
    std::fs::create_dir_all(&folder).unwrap();
    let guest = folder.join("counter-wai.wasm").display().to_string();
    std::fs::copy(fixture("counter-wai"), &guest).unwrap();
    let file = folder.join("data.txt").display().to_string();
    std::fs::write(&file, b"four").unwrap();
    let declare = |capabilities: &str| {
        let text = format!(
            r#"[component]
name = "counter-wai"
version = "1.0.0"
description = "A counter"
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
expected-operations = ["read"]
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
            "read",
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
fn a_program_has_no_capabilities() {
    let guest = fixture("wasi-program");
    airssys(&["run", &guest, "--grant", "filesystem:read:/data"])
        .ended(2)
        .says("--dir");
}
