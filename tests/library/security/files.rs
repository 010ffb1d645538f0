//! Policy files: what they mean, and the places and texts of their errors.

use std::time::{Duration, UNIX_EPOCH};

use airssys_wasm::security::{Effect, MAX_POLICY_BYTES, MAX_REASON_BYTES, Origin, Policy, PolicyError};

const EXAMPLE: &str = r#"# Reports.
[[deny]]
capabilities = ["filesystem:read:/data/keys"]
reason = "keys stay with the host"

[[allow]]
capabilities = [
    "filesystem:read:/data",
    "network:outbound:https://api.example.com",
]
components = ["reader"]
principals = ["alice", "bob"]
expires = 2030-01-01T01:00:00+01:00
"#;

#[test]
fn rules_know_their_lines() {
    let policy = Policy::from_toml("p.toml", EXAMPLE).unwrap();
    let rules: Vec<_> = policy.rules().iter().map(ToString::to_string).collect();
    assert_eq!(
        rules,
        [
            "deny filesystem:read:/data/keys (p.toml:3: keys stay with the host)",
            "allow filesystem:read:/data (p.toml:8)",
            "allow network:outbound:https://api.example.com (p.toml:9)",
        ]
    );
    let rule = &policy.rules()[1];
    assert_eq!(rule.components().collect::<Vec<_>>(), ["reader"]);
    assert_eq!(rule.principals().collect::<Vec<_>>(), ["alice", "bob"]);
    assert_eq!(
        rule.until(),
        Some(UNIX_EPOCH + Duration::from_secs(1_893_456_000))
    );
    assert!(Policy::from_toml("p.toml", "").unwrap().rules().is_empty());
}

#[test]
fn layers_come_in_the_documented_order() {
    let policy = Policy::builder()
        .toml("p.toml", "[[allow]]\ncapabilities = [\"config:read\"]")
        .flags("--grant", Effect::Allow, ["config:write"])
        .flags("--deny", Effect::Deny, ["config:read:keys", "config:read"])
        .build()
        .unwrap();
    let origins: Vec<_> = policy
        .rules()
        .iter()
        .map(|rule| rule.origin().to_string())
        .collect();
    assert_eq!(origins, ["p.toml:2", "--grant", "--deny", "--deny"]);
    assert!(matches!(policy.rules()[0].origin(), Origin::File { line: 2, .. }));
    // A contradiction between layers is no error: the later layer restricts the earlier one.
    let conflicts = policy.conflicts();
    assert_eq!(conflicts.len(), 1);
    assert_eq!(
        conflicts[0].to_string(),
        "the policy contradicts itself: `allow config:read (p.toml:2)` has no effect, since `deny config:read \
         (--deny)` denies all of it; remove one of them"
    );
}

fn error(text: &str) -> String {
    match Policy::from_toml("p", text) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn errors_name_place_and_remedy() {
    for (text, expected) in [
        ("x", "p:1:2: "),
        ("[[allow]\n", "p:1:"),
        (
            "[[allow]]\ncapabilities = [\"config:read\"]\n[[alow]]\n",
            "p:3:3: there is no key `alow`; did you mean `allow`?",
        ),
        (
            "[[grant]]\n",
            "p:1:3: there is no key `grant`; the keys are allow, deny",
        ),
        ("version = 1\n", "p:1:1: there is no key `version`"),
        ("allow = 1\n", "p:1:9: `allow` must be tables"),
        ("allow = [1]\n", "p:1:10: `allow` must be tables"),
        (
            "[allow]\ncapabilities = [\"config:read\"]\n",
            "p:1:1: `allow` must be tables",
        ),
        ("[[allow]]\n", "p:1:1: the rule has no `capabilities`"),
        (
            "[[allow]]\ncapabilities = []\n",
            "p:2:16: `capabilities` must be a list of strings that is not empty",
        ),
        (
            "[[allow]]\ncapabilities = \"config:read\"\n",
            "p:2:16: `capabilities` must be a list",
        ),
        (
            "[[allow]]\ncapabilities = [\"config:read\", 1]\n",
            "p:2:32: `capabilities` must be a list",
        ),
        (
            "[[allow]]\ncapability = [\"config:read\"]\n",
            "p:2:1: there is no key `capability`; did you mean `capabilities`?",
        ),
        ("[[allow]]\ncapabilities = [\"config:read\"]\nüx = 1\n", "p:3:1: "),
        (
            "[[allow]]\ncapabilities = [\"config:read\"]\nreasn = \"x\"\n",
            "p:3:1: there is no key `reasn`; did you mean `reason`?",
        ),
        (
            "[[allow]]\ncapabilities = [\"config:read\"]\nreason = 1\n",
            "p:3:10: `reason` must be a string",
        ),
        (
            "[[allow]]\ncapabilities = [\"config:read\"]\nreason = \"\"\n",
            "p:2:17: the reason must have 1 to 1024 bytes",
        ),
        (
            "[[allow]]\ncapabilities = [\"config:read\"]\nreason = \"a\\u0007\"\n",
            "p:2:17: the reason must have 1 to 1024 bytes",
        ),
        (
            "[[allow]]\ncapabilities = [\"config:read\"]\ncomponents = []\n",
            "p:3:14: `components` must be a list",
        ),
        (
            "[[allow]]\ncapabilities = [\"config:read\"]\ncomponents = [\"\"]\n",
            "p:2:17: the component must have 1 to 256 bytes",
        ),
        (
            "[[allow]]\ncapabilities = [\"config:read\"]\nprincipals = [\"a\\u202eb\"]\n",
            "p:2:17: the principal must",
        ),
        (
            "[[allow]]\ncapabilities = [\"config:read\"]\nexpires = \"2030\"\n",
            "p:3:11: `expires` must be a time with its offset",
        ),
        (
            "[[allow]]\ncapabilities = [\"config:read\"]\nexpires = 2030-01-01\n",
            "p:3:11: `expires` must be a time",
        ),
        (
            "[[allow]]\ncapabilities = [\"config:read\"]\nexpires = 2030-01-01T00:00:00\n",
            "p:3:11: `expires` must be a time",
        ),
        (
            "[[allow]]\ncapabilities = [\"config:read\"]\nexpires = 1960-01-01T00:00:00Z\n",
            "p:3:11: `expires` must be a time",
        ),
        (
            "[[allow]]\ncapabilities = [\"config:read\"]\ncapabilities = [\"config:read\"]\n",
            "p:3:1: ",
        ),
        (
            "[[allow]]\ncapabilities = [\"config\"]\n",
            "p:2:17: \"config\" is not a capability: it has no action",
        ),
        (
            "[[allow]]\ncapabilities = [\"Config:read\"]\n",
            "p:2:17: \"Config:read\" is not a capability",
        ),
        (
            "[[allow]]\ncapabilities = [\"config:read:\"]\n",
            "p:2:17: \"config:read:\" is not a capability: its scope is empty",
        ),
        (
            "[[allow]]\ncapabilities = [\"file-system:read:/\"]\n",
            "there is no domain `file-system`; did you mean `filesystem`?",
        ),
        (
            "[[allow]]\ncapabilities = [\"zzz:read\"]\n",
            "p:2:17: `zzz:read`: there is no domain `zzz`",
        ),
        (
            "[[allow]]\ncapabilities = [\"filesystem:reed:/\"]\n",
            "no action `reed`; did you mean `read`?; it has read, write, list, delete",
        ),
        (
            "[[allow]]\ncapabilities = [\"ai:model:load\"]\n",
            "the domain `ai` is reserved for extensions",
        ),
        (
            "[[allow]]\ncapabilities = [\"filesystem:read:data\"]\n",
            "the scope is not an absolute path; begin it with `/`",
        ),
        (
            "[[allow]]\ncapabilities = [\"filesystem:read:/a/../b\"]\n",
            "the scope has a component `..`",
        ),
        (
            "[[allow]]\ncapabilities = [\"filesystem:read:/a%2fb\"]\n",
            "the scope has a percent-encoded separator",
        ),
        (
            "[[allow]]\ncapabilities = [\"network:outbound:https://u:p@a.test\"]\n",
            "the scope has a user name",
        ),
        (
            "[[allow]]\ncapabilities = [\"network:outbound:127.1\"]\n",
            "not written as four decimal numbers",
        ),
        (
            "[[allow]]\ncapabilities = [\"network:outbound:a.test/x\"]\n",
            "the scope has a path",
        ),
        (
            "[[allow]]\ncapabilities = [\"host-function:call:math.*\"]\n",
            "the scope may not contain `*`",
        ),
        (
            "[[allow]]\ncapabilities = [\"config:read:db.\"]\n",
            "the scope ends with a separator",
        ),
        (
            "[[allow]]\ncapabilities = [\"messaging:send:a\\u200bb\"]\n",
            "the scope has a control or invisible character",
        ),
        (
            "[[allow]]\ncapabilities = [\"config:read:a\"]\n[[deny]]\ncapabilities = [\"config:read\"]\n",
            "`allow config:read:a (p:2)` has no effect, since `deny config:read (p:4)` denies all of it",
        ),
    ] {
        let found = error(text);
        assert!(found.contains(expected), "{text}\n{found}\n{expected}");
    }
    let long = "x".repeat(MAX_REASON_BYTES + 1);
    let text = format!("[[allow]]\ncapabilities = [\"config:read\"]\nreason = \"{long}\"\n");
    assert!(error(&text).contains("the reason must have"));
}

#[test]
fn rules_that_deny_a_part_are_no_contradiction() {
    for deny in [
        "capabilities = [\"config:read:a.b\"]",
        "capabilities = [\"config:read\"]\ncomponents = [\"x\"]",
        "capabilities = [\"config:read\"]\nprincipals = [\"x\"]",
        "capabilities = [\"config:read\"]\nexpires = 2030-01-01T00:00:00Z",
        "capabilities = [\"config:write\"]",
    ] {
        let text = format!("[[allow]]\ncapabilities = [\"config:read:a\"]\n[[deny]]\n{deny}\n");
        assert_eq!(error(&text), "accepted", "{deny}");
    }
    let narrower = "[[allow]]\ncapabilities = [\"config:read\"]\ncomponents = [\"x\"]\nexpires = 2030-01-01T00:00:00Z\n\
                    [[deny]]\ncapabilities = [\"config:read\"]\ncomponents = [\"y\", \"x\"]\nexpires = 2030-01-01T00:00:00Z\n";
    assert!(error(narrower).contains("has no effect"));
}

#[test]
fn hostile_files_are_refused() {
    let deep = format!("x = {}", "[".repeat(100_000));
    assert!(matches!(
        Policy::from_toml("p", &deep),
        Err(PolicyError::Syntax { .. })
    ));
    let large = "#".repeat(MAX_POLICY_BYTES + 1);
    assert!(matches!(
        Policy::from_toml("p", &large),
        Err(PolicyError::TooLarge { .. })
    ));
    assert!(matches!(
        Policy::from_toml("p", "a\0b"),
        Err(PolicyError::Syntax { .. })
    ));
    let scope = "x".repeat(100_000);
    let enormous = format!("[[allow]]\ncapabilities = [\"config:read:{scope}\"]");
    let found = error(&enormous);
    assert!(found.contains("it is too long") && found.len() < 1000, "{found}");
    let key = format!("{scope} = 1");
    assert!(error(&key).len() < 1000);
    let folder = super::folder("policy-files");
    let file = folder.join("policy.toml");
    std::fs::write(&file, b"# ok\n\xff").unwrap();
    let found = Policy::from_file(&file).unwrap_err().to_string();
    assert!(found.contains(":2:1: the text is not UTF-8"), "{found}");
    assert!(matches!(
        Policy::from_file(folder.join("absent")),
        Err(PolicyError::Read { .. })
    ));
    assert!(matches!(
        Policy::from_file(&folder),
        Err(PolicyError::Read { .. })
    ));
}
