//! Destinations of the audit.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use airssys_wasm::security::{
    AuditEvent, AuditSink, Grants, JsonLines, JsonLinesError, JsonLinesOptions, MemorySink, Policy, Request,
    RequestInfo, RuleDraft, Secret, SecurityContext, SyncPolicy, Target,
};
use serde_json::{Value, json};

use super::{INFO, folder, policy};

fn grants(policy: Policy, sink: Arc<dyn AuditSink>) -> Grants {
    SecurityContext::builder()
        .principal("alice")
        .policy(policy)
        .audit(sink)
        .clock(|| UNIX_EPOCH + Duration::from_millis(1_700_000_000_123))
        .build()
        .grants_undeclared("worker")
}

fn lines(path: &std::path::Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn each_decision_is_one_line_of_json() {
    let file = folder("audit-lines").join("audit.jsonl");
    let rules = Policy::builder()
        .allow("filesystem:read:/data")
        .rule(RuleDraft::deny("filesystem:read:/data/keys").because("keys stay"))
        .build()
        .unwrap();
    let sink = Arc::new(JsonLines::open(&file).unwrap());
    let grants = grants(rules, sink.clone());
    let _ = grants.check(&Request::ReadFile("/data/a"), INFO);
    let _ = grants.check(&Request::ReadFile("/data/keys/b"), INFO);
    let _ = grants.check(&Request::ReadFile("/x\n{}"), RequestInfo::default());
    assert_eq!(sink.lost(), 0);
    assert_eq!(
        lines(&file),
        [
            json!({
                "time": "2023-11-14T22:13:20.123Z",
                "component": "worker",
                "principal": "alice",
                "capability": "filesystem:read:/data/a",
                "verdict": "allowed",
                "rule": {"effect": "allow", "capability": "filesystem:read:/data", "origin": "builder"},
                "request_id": "call-7",
                "trace": INFO.trace,
            }),
            json!({
                "time": "2023-11-14T22:13:20.123Z",
                "component": "worker",
                "principal": "alice",
                "capability": "filesystem:read:/data/keys/b",
                "verdict": "denied",
                "cause": "rule",
                "rule": {
                    "effect": "deny",
                    "capability": "filesystem:read:/data/keys",
                    "origin": "builder",
                    "reason": "keys stay",
                },
                "request_id": "call-7",
                "trace": INFO.trace,
            }),
            json!({
                "time": "2023-11-14T22:13:20.123Z",
                "component": "worker",
                "principal": "alice",
                "capability": "filesystem:read:/x\\n{}",
                "verdict": "denied",
                "cause": "invalid-request",
            }),
        ]
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_full_file_is_rotated_and_old_ones_are_dropped() {
    let folder = folder("audit-rotation");
    let file = folder.join("audit.jsonl");
    let options = JsonLinesOptions {
        max_bytes: 1000,
        keep: 2,
        sync: SyncPolicy::Always,
    };
    let sink = Arc::new(JsonLines::with_options(&file, options).unwrap());
    let grants = grants(policy(&["allow config:read"]), sink.clone());
    let mut written = Vec::new();
    for number in 0..40 {
        let key = format!("key.{number}");
        grants.check(&Request::ReadConfig(&key), INFO).unwrap();
        written.push(format!("config:read:{key}"));
    }
    assert_eq!(sink.lost(), 0);
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]);
    let mut kept = Vec::new();
    for name in names.iter().rev() {
        assert!(fs::metadata(folder.join(name)).unwrap().len() <= 1000);
        kept.extend(lines(&folder.join(name)));
    }
    let kept: Vec<_> = kept
        .iter()
        .map(|line| line["capability"].as_str().unwrap())
        .collect();
    assert!(kept.len() > 6 && written.ends_with(&kept.iter().map(ToString::to_string).collect::<Vec<_>>()));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_stops_no_call_and_is_counted() {
    let sink = Arc::new(JsonLines::open("/dev/full").unwrap());
    let grants = grants(policy(&["allow config:read"]), sink.clone());
    for _ in 0..3 {
        grants.check(&Request::ReadConfig("a"), INFO).unwrap();
    }
    assert_eq!(sink.lost(), 3);
    assert_eq!(grants.context().unwrap().lost_audit(), 3);
}

/// A sink that panics on each decision.
#[derive(Debug)]
struct Failing;

impl AuditSink for Failing {
    fn record(&self, _: &AuditEvent<'_>) {
        panic!("the database is gone");
    }
}

#[test]
fn a_sink_that_panics_stops_no_call_and_keeps_nothing_from_the_others() {
    let memory = Arc::new(MemorySink::default());
    let context = SecurityContext::builder()
        .policy(policy(&["allow config:read"]))
        .audit(Arc::new(Failing))
        .audit(memory.clone())
        .audit(Arc::new(Failing))
        .build();
    let grants = context.grants_undeclared("worker");
    assert!(grants.check(&Request::ReadConfig("a"), INFO).is_ok());
    assert!(grants.check(&Request::WriteConfig("a"), INFO).is_err());
    context.revoke_all("worker", None);
    assert!(grants.check(&Request::ReadConfig("a"), INFO).is_err());
    let verdicts: Vec<_> = memory.records().iter().map(|record| record.verdict).collect();
    assert_eq!(verdicts[..2], ["allowed", "denied"]);
    assert_eq!(verdicts.last(), Some(&"denied"));
    assert_eq!(context.lost_audit(), 2 * verdicts.len() as u64);
}

#[test]
#[cfg(target_os = "linux")]
fn a_failed_rotation_is_counted_and_made_up_for() {
    let folder = folder("audit-blocked");
    let file = folder.join("audit.jsonl");
    // A folder that is not empty cannot be replaced by a file.
    fs::create_dir_all(folder.join("audit.jsonl.1/x")).unwrap();
    let options = JsonLinesOptions {
        max_bytes: 1,
        keep: 1,
        sync: SyncPolicy::Every(Duration::ZERO),
    };
    let sink = Arc::new(JsonLines::with_options(&file, options).unwrap());
    let grants = grants(policy(&["allow config:read"]), sink.clone());
    for _ in 0..3 {
        grants.check(&Request::ReadConfig("a"), INFO).unwrap();
    }
    assert_eq!((sink.lost(), lines(&file).len()), (2, 1));
    fs::remove_dir_all(folder.join("audit.jsonl.1")).unwrap();
    grants.check(&Request::ReadConfig("b"), INFO).unwrap();
    assert_eq!(sink.lost(), 2);
    assert_eq!(lines(&file)[0]["capability"], "config:read:b");
}

#[test]
#[cfg(unix)]
fn a_pipe_and_a_folder_are_refused() {
    let folder = folder("audit-pipe");
    let socket = folder.join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert!(matches!(JsonLines::open(&socket), Err(JsonLinesError::Pipe(_))));
    assert!(matches!(
        JsonLines::open(&folder),
        Err(JsonLinesError::Open { .. })
    ));
}

#[test]
fn the_memory_keeps_the_latest_decisions() {
    let sink = Arc::new(MemorySink::new(2));
    let grants = grants(policy(&["allow config:read"]), sink.clone());
    for key in ["a", "b", "c"] {
        grants.check(&Request::ReadConfig(key), INFO).unwrap();
    }
    let kept: Vec<_> = sink
        .records()
        .into_iter()
        .map(|record| record.capability)
        .collect();
    assert_eq!(kept, ["config:read:b", "config:read:c"]);
    assert_eq!(sink.lost(), 1);
}

#[test]
fn enormous_requests_take_little_room_in_the_audit() {
    let file = folder("audit-enormous").join("audit.jsonl");
    let json_lines = Arc::new(JsonLines::open(&file).unwrap());
    let grants = grants(policy(&["allow config:read"]), json_lines);
    let key = "k".repeat(10 << 20);
    let info = RequestInfo {
        request_id: Some(&key),
        trace: Some(&key),
    };
    let denied = grants.check(&Request::ReadConfig(&key), info).unwrap_err();
    assert!(denied.to_string().len() < 2000 && fs::metadata(&file).unwrap().len() < 2500);
}

/// A canary must not appear in the audit, in errors or in `Debug`.
#[test]
fn secrets_do_not_appear() {
    const CANARY: &str = "hunter2-canary";
    let file = folder("audit-canary").join("audit.jsonl");
    let json_lines = Arc::new(JsonLines::open(&file).unwrap());
    let grants = grants(policy(&["allow network:outbound:a.test"]), json_lines);
    let secret = Secret::new(CANARY.to_owned());
    let mut shown = format!("{secret} {secret:?} {grants:?}");
    for url in [
        format!("https://a.test/?token={CANARY}#{CANARY}"),
        format!("https://b.test/{CANARY}"),
        format!("https://user:{CANARY}@a.test/"),
        format!("https://{CANARY}@a.test/"),
        format!("ftp://a.test/{CANARY}"),
        format!("https://a.test:x/{CANARY}"),
    ] {
        match Target::from_url(&url) {
            Ok(target) => {
                shown += &format!("{target} {target:?}");
                let decision = grants.check(&Request::Connect(&target), INFO);
                shown += &match decision {
                    Ok(allowed) => format!("{allowed:?}"),
                    Err(denied) => format!("{denied} {denied:?}"),
                };
            }
            Err(error) => shown += &format!("{error} {error:?}"),
        }
    }
    shown += &fs::read_to_string(&file).unwrap();
    assert!(shown.contains("network:outbound:https://b.test"));
    assert!(!shown.contains(CANARY), "{shown}");
}
