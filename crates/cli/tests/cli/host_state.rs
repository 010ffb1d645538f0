//! `host run`: the store of durable components, groups, and health.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::host::{declared, folder, start};
use crate::process::airssys;

#[test]
fn a_durable_component_goes_on_with_its_store_and_no_other_host_has_it() {
    let folder = folder("durable");
    let text = "[host]\nstore = 'state.redb'\n[[component]]\nid = 'a'\npath = 'COUNTER'\ndurable = true\n";
    let file = declared(&folder, text);
    let host = start(&file);
    assert_eq!(host.send("a", "increment", "null"), json!({"count": 1}));
    let store = folder.join("state.redb");
    assert!(store.exists());
    let other = folder.join("other.toml");
    fs::copy(&file, &other).expect("it is ours");
    let second = airssys(&["host", "run", other.to_str().expect("text")]);
    second.code_is(5);
    assert!(second.stderr.contains("state.redb"), "{second:?}");
    // Killed, without an end of its own.
    drop(host);
    let host = start(&file);
    assert_eq!(
        host.send("a", "get", "null"),
        json!({"count": 0}),
        "a new instance"
    );
    assert_eq!(host.end("-TERM").0, Some(0));

    fs::write(&store, "").expect("it is ours");
    let damaged = airssys(&["host", "run", &file]);
    damaged.code_is(5);
    assert!(damaged.stderr.contains("state.redb"), "{damaged:?}");
    assert_eq!(
        fs::metadata(&store).expect("it is there").len(),
        0,
        "it is left as it is"
    );
    fs::remove_dir_all(&folder).expect("it is ours");
}

/// A member that is stopped by its memory limit is restarted, and with it the others of its group, but no other component.
#[test]
fn a_group_restarts_together() {
    let folder = folder("group");
    let text = "
[[group]]
name = 'all'
strategy = 'one-for-all'

[[component]]
id = 'small'
path = 'TEXT'
group = 'all'
limits = { memory = '1MiB' }

[[component]]
id = 'beside'
path = 'COUNTER'
group = 'all'
health = { interval = '10ms', timeout = '5s' }

[[component]]
id = 'alone'
path = 'COUNTER'
";
    let host = start(&declared(&folder, text));
    for id in ["beside", "alone"] {
        assert_eq!(host.send(id, "increment", "null"), json!({"count": 1}));
    }
    let large = format!("{{\"text\":\"{}\"}}", "x ".repeat(60_000));
    let until = Instant::now() + Duration::from_secs(60);
    while host.row("small")["restarts"] == 0 {
        let sent = host.ask(&["send", "small", "reverse", &large]);
        assert!(Instant::now() < until, "{sent:?}");
    }
    while host.row("beside")["restarts"] == 0 || host.row("beside")["state"] != "ready" {
        assert!(Instant::now() < until, "{}", host.row("beside"));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(host.send("beside", "get", "null"), json!({"count": 0}));
    assert_eq!(host.send("alone", "get", "null"), json!({"count": 1}));
    assert_eq!(host.row("alone")["restarts"], 0);
    assert_eq!(host.end("-TERM").0, Some(0));
    fs::remove_dir_all(&folder).expect("it is ours");
}

#[test]
fn a_component_without_state_has_the_declared_instances_and_one_with_state_is_refused() {
    let folder = folder("instances");
    let text = "[[component]]\nid = 'text'\npath = 'TEXT'\ninstances = 3\n";
    let host = start(&declared(&folder, text));
    let counted = host.send("text", "word-count", r#"{"text":"a b"}"#);
    assert!(counted.is_object(), "{counted}");
    let row = host.row("text");
    assert_eq!((&row["state"], &row["instances"]), (&json!("ready"), &json!(3)));
    assert_eq!(host.end("-TERM").0, Some(0));
    let text = "[[component]]\nid = 'a'\npath = 'COUNTER'\ninstances = 2\n";
    let refused = airssys(&["host", "run", &declared(&folder, text)]);
    refused.code_is(2);
    assert!(
        refused.stderr.contains("`a` cannot have 2 instances"),
        "{refused:?}"
    );
    fs::remove_dir_all(&folder).expect("it is ours");
}

#[test]
fn what_needs_a_cluster_is_refused_without_one() {
    let folder = folder("alone");
    let host = start(&declared(&folder, "[[component]]\nid = 'a'\npath = 'COUNTER'\n"));
    for asked in [
        &["send", "a", "get", "--durable"][..],
        &["publish", "none.artifact"],
        &["undeclare", "a"],
    ] {
        host.ask(asked).ended(2).says("the host is in no cluster");
    }
    host.ask(&["send", "two/a", "get"])
        .ended(2)
        .says("no component `two/a`; it has a");
    let told = host.ask(&["send", "a", "get", "--message-id", "x"]).ended(2);
    told.says("--durable");
    assert_eq!(host.end("-TERM").0, Some(0));
    fs::remove_dir_all(&folder).expect("it is ours");
}
