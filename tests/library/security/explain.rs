//! Explanations name the rule that decides, and the exceptions.

use airssys_wasm::security::{Capability, Policy, RuleDraft};

use super::{context, policy};

#[test]
fn an_explanation_names_rule_and_exceptions() {
    let (context, sink) = context(policy(&[
        "allow filesystem:read:/data",
        "deny filesystem:read:/data/keys",
        "deny filesystem:read:/data2",
        "allow network:outbound:*.api.test:443",
    ]));
    let explain = |capability: &str| {
        let explanation = context
            .explain("worker", &Capability::new(capability).unwrap())
            .unwrap();
        let decision = match explanation.decision {
            Ok(rule) => rule.to_string(),
            Err(cause) => cause.word().to_owned(),
        };
        let exceptions = explanation
            .exceptions
            .iter()
            .map(|rule| rule.capability().to_string());
        (decision, exceptions.collect::<Vec<_>>())
    };
    let allow = "allow filesystem:read:/data (builder)".to_owned();
    let keys = "filesystem:read:/data/keys".to_owned();
    assert_eq!(explain("filesystem:read:/data"), (allow.clone(), vec![keys]));
    assert_eq!(explain("filesystem:read:/data/x"), (allow, vec![]));
    assert_eq!(
        explain("filesystem:read:/data/keys/a"),
        ("rule".to_owned(), vec![])
    );
    assert_eq!(explain("filesystem:read"), ("partly".to_owned(), vec![]));
    assert_eq!(
        explain("network:outbound:*.api.test"),
        ("partly".to_owned(), vec![])
    );
    assert_eq!(explain("messaging:send"), ("no-rule".to_owned(), vec![]));
    assert!(
        context
            .explain("worker", &Capability::new("ai:model").unwrap())
            .is_err()
    );
    assert!(sink.records().is_empty());
}

#[test]
fn rules_of_a_component_are_listed() {
    let policy = Policy::builder()
        .allow("config:read")
        .rule(RuleDraft::allow("config:write").for_component("writer"))
        .rule(RuleDraft::allow("messaging:send").until(std::time::UNIX_EPOCH))
        .build()
        .unwrap();
    let (context, _) = context(policy);
    assert_eq!(context.rules_for("reader").len(), 1);
    assert_eq!(context.rules_for("writer").len(), 2);
}
