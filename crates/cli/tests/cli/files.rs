//! Components of the contract, in Rust and in Python, that read files by a policy: through the contract and through WASI.

use serde_json::{Value, json};

use crate::process::{airssys, fixture, scratch, scratch_file};

/// Runs a guest of both languages by a policy: it reads one granted file and is refused another, the audit shows both, and
/// `policy explain` names the line.
fn check(name: &str, guest: &str) {
    let folder = scratch(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    for file in ["granted.txt", "refused.txt"] {
        std::fs::write(folder.join(file), b"four").expect("a file");
    }
    let path = |name: &str| folder.join(name).display().to_string();
    let (granted, refused) = (path("granted.txt"), path("refused.txt"));
    let text = format!(
        "[[allow]]\ncapabilities = ['filesystem:read:{}']\n\n[[deny]]\ncapabilities = ['filesystem:read:{refused}']\n",
        folder.display()
    );
    let policy = scratch_file(&format!("{name}.toml"), text.as_bytes());
    let audit = scratch(&format!("{name}.jsonl")).display().to_string();
    let _ = std::fs::remove_file(&audit);
    for operation in ["read-file", "open-file"] {
        let run = |path: &str| {
            let params = json!({ "path": path }).to_string();
            airssys(&[
                "run",
                guest,
                "--operation",
                operation,
                "--params",
                &params,
                "--policy",
                &policy,
                "--audit",
                &audit,
            ])
        };
        assert_eq!(run(&granted).ended(0).json(), json!({"bytes": 4}), "{operation}");
        run(&refused).ended(1).says(&format!("filesystem:read:{refused}"));
    }
    let lines = std::fs::read_to_string(&audit).expect("an audit");
    let of = |path: &str| {
        let capability = format!("filesystem:read:{path}");
        let lines = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
        let lines = lines.filter(|line| line["capability"] == *capability);
        let shown = lines.map(|line| format!("{} {}", line["verdict"], line["rule"]["origin"]));
        shown.collect::<Vec<_>>()
    };
    let allowed = format!("\"allowed\" \"{policy}:2\"");
    let denied = format!("\"denied\" \"{policy}:5\"");
    assert_eq!(of(&granted), [allowed.clone(), allowed]);
    assert_eq!(of(&refused), [denied.clone(), denied]);
    for (path, code, line) in [(&granted, 0, ":2"), (&refused, 1, ":5")] {
        let capability = format!("filesystem:read:{path}");
        let explained =
            airssys(&["policy", "explain", "files", "--policy", &policy, &capability]).ended(code);
        assert!(
            explained.stdout.contains(&format!("{policy}{line}")),
            "{explained:?}"
        );
    }
}

#[test]
fn a_guest_in_rust_reads_files_by_the_policy() {
    check("files-rust", &fixture("files"));
}

#[test]
fn a_guest_in_python_reads_files_by_the_policy() {
    if let Some(guest) = airssys_wasm_test_support::built("files-py") {
        check("files-python", &guest.display().to_string());
    }
}
