//! Limits in policy files.

use airssys_wasm::limits::{LimitSource, Resource};
use airssys_wasm::security::{LimitsDraft, Origin, Policy, SecurityContext};

const POLICY: &str = r#"
[[limits]]
memory = "64MiB"
open-files = 16

[[limits]]
components = ["reader"]
principals = ["alice"]
memory = "1MiB"
call-time = "1m30s"
log-bytes = "100kB"

[[limits]]
components = ["reader"]
memory = "2MiB"
"#;

#[test]
fn limits_of_a_file_apply_to_whom_they_name() {
    let policy = Policy::from_toml("policy.toml", POLICY).expect("a policy");
    assert_eq!(policy.limits().len(), 6);
    for (component, principal, expected) in [
        (
            "writer",
            "alice",
            vec![
                "memory = 64MiB, by the policy, policy.toml:3",
                "open-files = 16, by the policy, policy.toml:4",
            ],
        ),
        (
            "reader",
            "bob",
            vec![
                "memory = 2MiB, by the policy, policy.toml:15",
                "open-files = 16, by the policy, policy.toml:4",
            ],
        ),
        (
            "reader",
            "alice",
            vec![
                "memory = 1MiB, by the policy, policy.toml:9",
                "call-time = 1m30s, by the policy, policy.toml:10",
                "open-files = 16, by the policy, policy.toml:4",
                "log-bytes = 100kB, by the policy, policy.toml:11",
            ],
        ),
    ] {
        let context = SecurityContext::builder()
            .principal(principal)
            .policy(policy.clone())
            .build();
        let limits = context.limits_for(component);
        let shown: Vec<_> = limits.iter().map(ToString::to_string).collect();
        assert_eq!(shown, expected, "{component} for {principal}");
    }
}

#[test]
fn one_table_of_limits_needs_single_brackets_only() {
    let policy = Policy::from_toml("p", "[limits]\nsockets = 0\n").expect("a policy");
    let context = SecurityContext::builder().policy(policy).build();
    let limit = context
        .limits_for("x")
        .get(Resource::Sockets)
        .cloned()
        .expect("a limit");
    assert_eq!(
        (limit.value, limit.source),
        (0, LimitSource::Policy("p:2".into()))
    );
}

#[test]
fn flags_and_builders_are_named_as_sources() {
    use airssys_wasm::limits::ResourceLimits;
    let draft = LimitsDraft::new(ResourceLimits::new().with_handles(3)).for_component("x");
    let policy = Policy::builder()
        .limits(draft.clone())
        .limits(
            draft
                .for_component("y")
                .from_origin(Origin::Flag("--limit".into())),
        )
        .build()
        .expect("a policy");
    let shown: Vec<_> = policy.limits().iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["handles = 3 (builder)", "handles = 3 (--limit)"]);
}

#[test]
fn faults_of_limits_name_place_and_remedy() {
    for (text, error) in [
        (
            "[limits]\nmemroy = '1MB'",
            "p:2:1: there is no key `memroy`; did you mean `memory`?",
        ),
        (
            "[limit]\nmemory = '1MB'",
            "p:1:2: there is no key `limit`; did you mean `limits`?",
        ),
        ("limits = 3", "p:1:10: `limits` must be a table `[limits]`"),
        ("limits = [3]", "p:1:11: `limits` must be a table `[limits]`"),
        ("[limits]", "the table has no limits"),
        ("[[limits]]\ncomponents = ['a']", "p:1:1: the table has no limits"),
        (
            "[limits]\ncomponents = []\nsockets = 1",
            "p:2:14: `components` must be a list",
        ),
        (
            "[limits]\nmemory = 64",
            "p:2:10: `memory` must be a string with a unit",
        ),
        (
            "[limits]\nmemory = '64'",
            "p:2:10: `memory` is wrong: `64` is not a size: the unit is missing",
        ),
        ("[limits]\nmemory = '-1MB'", "a number is missing"),
        ("[limits]\nmemory = '99999999999GiB'", "it has more than 64 bits"),
        (
            "[limits]\nmemory = '1kB'",
            "`memory` is 1kB, and must be at least 64KiB",
        ),
        ("[limits]\ncall-time = '0s'", "`0s` is not a time: it is zero"),
        ("[limits]\ncall-time = '50000h'", "more than 49 days"),
        (
            "[limits]\ncpu-time = 5",
            "`cpu-time` must be a string with a unit",
        ),
        (
            "[limits]\nfuel = '5s'",
            "`fuel` must be a whole number, without quotes",
        ),
        ("[limits]\nfuel = 0", "`fuel` is 0, and must be at least 1"),
        (
            "[limits]\nsockets = '1'",
            "p:2:11: `sockets` must be a whole number, without quotes",
        ),
        (
            "[limits]\nsockets = -1",
            "p:2:11: `sockets` must be a whole number from 0 to",
        ),
        (
            "[limits]\nsockets = 99999999999999999999999",
            "`sockets` must be a whole number from 0 to",
        ),
        (
            "[limits]\nsockets = 1.5",
            "`sockets` must be a whole number, without quotes",
        ),
        (
            "[limits]\ncore-instances = 0",
            "`core-instances` is 0, and must be at least 1",
        ),
        (
            "[limits]\npayload-bytes = '0B'",
            "`payload-bytes` is 0B, and must be at least 1B",
        ),
        (
            "[limits]\nexpires = 2030-01-01T00:00:00Z",
            "there is no key `expires`",
        ),
    ] {
        let refused = Policy::from_toml("p", text).expect_err(text).to_string();
        assert!(refused.contains(error), "{text}: {refused}");
        assert!(refused.starts_with("p:"), "{text}: {refused}");
    }
}

#[test]
fn every_limit_can_be_written_and_read() {
    for resource in Resource::ALL {
        for value in [65_536, 100_000_000, 1 << 31] {
            let shown = resource.show(value);
            assert_eq!(resource.parse(&shown), Ok(value), "{resource} = {shown}");
        }
        assert_eq!(Resource::from_name(resource.name()), Some(resource));
    }
}
