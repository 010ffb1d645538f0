//! Requests of a component, against what the policy allows; revocation and expiry.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use airssys_wasm::security::{
    Capability, DenialCause, FileAction, Grants, MemorySink, Policy, PolicyBuilder, Request, RequestInfo,
    RuleDraft, SecurityContext, Target,
};

use super::{capabilities, context, decide, policy};

fn verdict(grants: &Grants, sink: &MemorySink, request: &str) -> &'static str {
    decide(grants, sink, request).cause.unwrap_or("allowed")
}

#[test]
fn a_component_gets_what_it_requests_and_the_policy_allows() {
    let (context, sink) = context(policy(&[
        "allow filesystem:read:/data",
        "allow host-function:call",
    ]));
    let required = capabilities(&["filesystem:read:/data/models", "host-function:call:log"]);
    let grants = context.grants_for("worker", &required, &[]).unwrap();
    for (request, expected) in [
        ("filesystem:read:/data/models/a", "allowed"),
        ("filesystem:read:/data/other", "not-requested"),
        ("filesystem:read:/etc", "not-requested"),
        ("host-function:call:log", "allowed"),
        ("host-function:call:exit", "not-requested"),
        ("config:read:a", "not-requested"),
    ] {
        assert_eq!(verdict(&grants, &sink, request), expected, "{request}");
    }
    assert!(grants.withheld().is_empty());
}

#[test]
fn missing_capabilities_are_reported_as_a_whole() {
    let (context, sink) = context(policy(&[
        "allow filesystem:read:/data",
        "deny host-function:call:exit",
        "allow host-function:call:exit2",
        "allow network:outbound:api.test:443",
    ]));
    let required = capabilities(&[
        "filesystem:read:/data",
        "filesystem:read",
        "host-function:call:exit",
        "network:outbound:api.test",
        "messaging:send",
        "filsystem:read:/data",
        "filesystem:raed",
        "ai:model:load",
        "config:read:a.",
    ]);
    let words = |missing: &[airssys_wasm::security::Withheld]| {
        missing
            .iter()
            .map(|missing| (missing.capability.to_string(), missing.cause.word()))
            .collect::<Vec<_>>()
    };
    let expected = [
        ("filesystem:read", "partly"),
        ("host-function:call:exit", "rule"),
        ("network:outbound:api.test", "partly"),
        ("messaging:send", "no-rule"),
        ("filsystem:read:/data", "unknown-capability"),
        ("filesystem:raed", "unknown-capability"),
        ("ai:model:load", "unknown-capability"),
        ("config:read:a.", "unknown-capability"),
    ]
    .map(|(capability, word)| (capability.to_owned(), word));
    let error = context.validate_capabilities(&required).unwrap_err();
    assert_eq!(words(error.missing()), expected);
    let text = error.to_string();
    for part in [
        "8 required capabilities are not granted",
        "`filesystem:read`: the policy allows only a part of it: `allow filesystem:read:/data (builder)`",
        "did you mean `filesystem`?",
        "did you mean `read`?",
        "reserved for extensions",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(sink.records().is_empty(), "a validation decides nothing");

    let error = context.grants_for("worker", &required, &[]).unwrap_err();
    assert_eq!(words(error.missing()), expected);
    assert_eq!(sink.records().len(), expected.len());

    // Optional ones are reported, and granted as far as the policy allows.
    let grants = context.grants_for("worker", &[], &required).unwrap();
    assert_eq!(words(grants.withheld()), expected);
    assert_eq!(verdict(&grants, &sink, "filesystem:read:/data/x"), "allowed");
    assert_eq!(
        verdict(&grants, &sink, "network:outbound:https://api.test/"),
        "allowed"
    );
    assert_eq!(
        verdict(&grants, &sink, "network:outbound:http://api.test/"),
        "no-rule"
    );
}

#[test]
fn a_required_capability_may_have_exceptions() {
    let (context, sink) = context(policy(&[
        "allow filesystem:read:/data",
        "deny filesystem:read:/data/keys",
        "deny filesystem:read:/data/keys/old",
        "deny filesystem:read:/other",
    ]));
    let required = capabilities(&["filesystem:read:/data"]);
    let grants = context.grants_for("worker", &required, &[]).unwrap();
    assert_eq!(verdict(&grants, &sink, "filesystem:read:/data/keys/a"), "rule");
    let paths = grants.paths(FileAction::Read);
    assert_eq!(paths.len(), 1);
    assert_eq!(paths[0].path, "/data");
    assert_eq!(paths[0].except, ["/data/keys", "/data/keys/old"]);
    assert!(grants.paths(FileAction::Write).is_empty());
}

#[test]
fn granted_paths_and_hosts_are_the_common_ones() {
    let (context, _) = context(policy(&[
        "allow filesystem:read:/data",
        "allow filesystem:read:/data/a",
        "allow filesystem:read:/logs/today",
        "allow filesystem:read:/secret",
        "deny filesystem:read:/secret",
        "allow network:outbound:*.api.test:443",
        "allow network:outbound:10.0.0.0/8",
    ]));
    let required = capabilities(&["filesystem:read:/data", "network:outbound:10.1.0.0/16"]);
    let optional = capabilities(&[
        "filesystem:read:/logs",
        "filesystem:read:/secret",
        "network:outbound:https://a.api.test",
        "network:outbound:http://b.api.test",
    ]);
    let grants = context.grants_for("worker", &required, &optional).unwrap();
    let paths: Vec<_> = grants
        .paths(FileAction::Read)
        .into_iter()
        .map(|granted| granted.path)
        .collect();
    assert_eq!(paths, ["/data", "/logs/today"]);
    let hosts: Vec<_> = grants.hosts().iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["https://a.api.test", "10.1.0.0/16"]);

    let all = context.grants_undeclared("worker");
    assert_eq!(all.hosts().len(), 2);
    let (context, _) = super::context(policy(&["allow network:outbound", "allow filesystem:write"]));
    let all = context.grants_undeclared("worker");
    let hosts: Vec<_> = all.hosts().iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["*", "0.0.0.0/0", "[::]/0"]);
    assert_eq!(all.paths(FileAction::Write)[0].path, "/");
}

#[test]
fn rules_can_be_limited_to_components_and_principals() {
    let rules = Policy::builder()
        .rule(
            RuleDraft::allow("config:read")
                .for_component("reader")
                .for_component("writer"),
        )
        .rule(RuleDraft::deny("config:read:keys").for_component("writer"))
        .rule(RuleDraft::allow("config:write").for_principal("alice"))
        .rule(RuleDraft::allow("messaging:send").for_principal("bob"))
        .build()
        .unwrap();
    let (context, sink) = context(rules);
    for (component, request, expected) in [
        ("reader", "config:read:keys", "allowed"),
        ("writer", "config:read:keys", "rule"),
        ("writer", "config:read:a", "allowed"),
        ("reader2", "config:read:a", "no-rule"),
        ("other", "config:write:a", "allowed"),
        ("other", "messaging:send:a", "no-rule"),
    ] {
        let grants = context.grants_undeclared(component);
        assert_eq!(
            verdict(&grants, &sink, request),
            expected,
            "{component}: {request}"
        );
    }
    let required = capabilities(&["config:read"]);
    assert!(context.validate_capabilities(&required).is_err());
    assert!(context.validate_for("reader", &required).is_ok());
}

#[test]
fn a_grant_ends_at_its_time() {
    let now = Arc::new(AtomicU64::new(1000));
    let clock = now.clone();
    let ends = UNIX_EPOCH + Duration::from_secs(2000);
    let rules = Policy::builder()
        .rule(RuleDraft::allow("config:read").until(ends))
        .rule(RuleDraft::deny("config:read:keys").until(ends))
        .rule(RuleDraft::allow("config:read:keys"))
        .build()
        .unwrap();
    let sink = Arc::new(MemorySink::default());
    let context = SecurityContext::builder()
        .principal("alice")
        .policy(rules)
        .audit(sink.clone())
        .clock(move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::Relaxed)))
        .build();
    let grants = context.grants_undeclared("worker");
    assert_eq!(verdict(&grants, &sink, "config:read:a"), "allowed");
    assert_eq!(verdict(&grants, &sink, "config:read:keys"), "rule");
    now.store(2000, Ordering::Relaxed);
    assert_eq!(verdict(&grants, &sink, "config:read:a"), "expired");
    assert_eq!(verdict(&grants, &sink, "config:read:keys"), "allowed");
    assert_eq!(sink.last().unwrap().time, 2_000_000);
    let cause = &context
        .validate_capabilities(&capabilities(&["config:read"]))
        .unwrap_err();
    assert!(matches!(cause.missing()[0].cause, DenialCause::Expired(_)));
}

#[test]
fn what_is_decided_at_the_grant_is_what_the_rules_say_at_any_time() {
    let ends = UNIX_EPOCH + Duration::from_secs(2000);
    let allow = |capability: &str| RuleDraft::allow(capability);
    let deny = |capability: &str| RuleDraft::deny(capability);
    let (all, one) = ("host-function:call", "host-function:call:one");
    let policies = [
        vec![allow(one)],
        vec![allow(all), allow(one)],
        vec![allow(all), allow(one).until(ends)],
        vec![allow(all).until(ends), allow(one)],
        vec![allow(one).until(ends)],
        vec![allow(one), deny(one).until(ends)],
        vec![allow(one), deny(all)],
        vec![allow(one), allow(one).for_component("worker")],
        vec![allow(one), deny(one).for_component("worker")],
        vec![allow("messaging:send:one")],
    ];
    for (number, rules) in policies.into_iter().enumerate() {
        let now = Arc::new(AtomicU64::new(1000));
        let clock = now.clone();
        let policy = rules.into_iter().fold(Policy::builder(), PolicyBuilder::rule);
        let context = SecurityContext::builder()
            .policy(policy.build().unwrap())
            .clock(move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::Relaxed)))
            .build();
        let declared = capabilities(&[one, "host-function:call:other"]);
        let decided = context.grants_for("worker", &[], &declared).unwrap();
        let undecided = context.grants_undeclared("worker");
        let same = |when: &str| {
            let asked = |grants: &Grants| {
                let allowed = grants.check(&Request::CallFunction("one"), RequestInfo::default());
                let allowed = allowed.map(|allowed| allowed.rule().capability().to_string());
                allowed.map_err(|denied| denied.cause().clone())
            };
            assert_eq!(asked(&decided), asked(&undecided), "policy {number}, {when}");
        };
        same("before the end");
        now.store(2000, Ordering::Relaxed);
        same("after the end");
        now.store(1000, Ordering::Relaxed);
        context
            .revoke(Some("worker"), &Capability::new(one).unwrap(), None)
            .unwrap();
        same("after the revocation");
    }
}

#[test]
fn a_revocation_takes_effect_on_the_next_check_and_runs_the_hooks() {
    let (context, sink) = context(policy(&["allow filesystem:read", "allow config:read"]));
    let one = context.grants_undeclared("one");
    let two = context.grants_undeclared("two");
    let open = Arc::new(AtomicU64::new(1));
    let closed = open.clone();
    let held = one.clone();
    let hook = context.on_revoke(move |_| {
        if !held.permits(&Request::ReadFile("/data/x")) {
            closed.store(0, Ordering::Relaxed);
        }
    });

    let capability = Capability::new("filesystem:read:/data").unwrap();
    context.revoke(Some("two"), &capability, None).unwrap();
    assert_eq!(open.load(Ordering::Relaxed), 1);
    assert_eq!(verdict(&two, &sink, "filesystem:read:/data/x"), "revoked");
    assert_eq!(verdict(&two, &sink, "filesystem:read:/database"), "allowed");
    assert_eq!(verdict(&one, &sink, "filesystem:read:/data/x"), "allowed");

    context.revoke(None, &capability, Some("leak")).unwrap();
    let revoked = sink.last().unwrap();
    assert_eq!((revoked.verdict, &*revoked.component), ("revoked", "*"));
    assert_eq!(open.load(Ordering::Relaxed), 0);
    assert_eq!(verdict(&one, &sink, "filesystem:read:/data/x"), "revoked");
    let rule = sink.last().unwrap().rule.unwrap().to_string();
    assert_eq!(rule, "deny filesystem:read:/data (revocation: leak)");
    assert!(context.validate_capabilities([&capability]).is_err());
    assert!(
        one.paths(FileAction::Read)
            .iter()
            .any(|granted| granted.path == "/")
    );

    drop(hook);
    context.revoke_all("one", None);
    for request in ["filesystem:read:/x", "config:read:a"] {
        assert_eq!(verdict(&one, &sink, request), "revoked");
        assert_eq!(verdict(&two, &sink, request), "allowed");
    }
    assert!(one.paths(FileAction::Read).is_empty());
    let unknown = Capability::new("fs:read").unwrap();
    assert!(context.revoke(None, &unknown, None).is_err());
}

#[test]
fn addresses_of_a_name_are_checked_on_their_own() {
    let (context, sink) = context(policy(&[
        "allow network:outbound:db.test",
        "allow network:outbound:10.0.0.5:80",
        "deny network:outbound:169.254.0.0/16",
    ]));
    let grants = context.grants_undeclared("worker");
    let target = Target::from_url("http://db.test/").unwrap();
    let check = |address: &str| {
        let address = address.parse().unwrap();
        grants.check_address(&target, address, RequestInfo::default())
    };
    assert_eq!(check("10.0.0.5"), Ok(true));
    assert_eq!(check("10.0.0.6"), Ok(false));
    assert_eq!(check("::ffff:10.0.0.5"), Ok(true));
    assert!(
        sink.records().is_empty(),
        "an address that is not denied is part of the request"
    );
    for address in ["169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"] {
        let denied = check(address).unwrap_err();
        assert_eq!(denied.cause().word(), "rule");
        assert_eq!(sink.last().unwrap().verdict, "denied");
    }
}

#[test]
fn without_a_policy_everything_is_denied() {
    let request = Request::ReadFile("/data");
    let denied = Grants::default()
        .check(&request, RequestInfo::default())
        .unwrap_err();
    assert_eq!(denied.cause(), &DenialCause::NoPolicy);
    assert_eq!(denied.capability().as_str(), "filesystem:read:/data");
    let grants = SecurityContext::new().grants_undeclared("worker");
    let denied = grants.check(&request, RequestInfo::default()).unwrap_err();
    assert_eq!(denied.cause(), &DenialCause::NoRule);
}
