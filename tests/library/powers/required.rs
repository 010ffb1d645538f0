//! Capabilities that a component's own metadata requires, held against those that it is granted.

use std::sync::Arc;

use airssys_wasm::runtime::ComponentState;
use airssys_wasm::security::{Capability, DenialCause, MemorySink, Policy, SecurityContext};
use airssys_wasm::{ComponentOptions, RuntimeError};
use airssys_wasm_test_support::host::{Guest, id, runtime};

const FILES: &str = "filesystem:read:/etc";
const HOST: &str = "network:outbound:example.com";

/// Requires [`FILES`] and [`HOST`].
const DEMANDING: &str = r#"
    (data (i32.const 4136) "\00\11\00\00\02\00\00\00")
    (data (i32.const 4352) "\00\12\00\00\14\00\00\00\40\12\00\00\1c\00\00\00")
    (data (i32.const 4608) "filesystem:read:/etc")
    (data (i32.const 4672) "network:outbound:example.com")"#;

/// Requires a text without an action.
const MALFORMED: &str = r#"
    (data (i32.const 4136) "\00\11\00\00\01\00\00\00")
    (data (i32.const 4352) "\00\12\00\00\0a\00\00\00")
    (data (i32.const 4608) "filesystem")"#;

fn options(rules: &[&str]) -> (ComponentOptions, Arc<MemorySink>) {
    let policy = rules
        .iter()
        .fold(Policy::builder(), |policy, rule| policy.allow(*rule));
    let audit = Arc::new(MemorySink::default());
    let context = SecurityContext::builder()
        .policy(policy.build().unwrap())
        .audit(audit.clone());
    (ComponentOptions::new().with_security(context.build()), audit)
}

fn capability(text: &str) -> Capability {
    Capability::new(text).unwrap()
}

/// Loads and initializes a component with this metadata, and returns its state.
fn init(more: &'static str, options: ComponentOptions) -> (Result<(), RuntimeError>, ComponentState) {
    let guest = Guest {
        metadata: "i32.const 4096",
        more,
        ..Guest::default()
    };
    let (runtime, worker) = (runtime(), id("worker"));
    runtime
        .load_component(&guest.build(), options.with_id(worker.clone()))
        .unwrap();
    let result = runtime.init(&worker);
    (result, runtime.state(&worker).unwrap())
}

/// Returns the capabilities that `init` reports as missing, with their causes.
fn missing(options: ComponentOptions) -> Vec<(String, DenialCause)> {
    let (result, state) = init(DEMANDING, options);
    assert_eq!(state, ComponentState::Created, "`init` was not called");
    let Err(RuntimeError::Capabilities { id, source }) = result else {
        panic!("{result:?}");
    };
    assert_eq!(id.as_str(), "worker");
    let missing = source.missing().iter();
    missing
        .map(|missing| (missing.capability.as_str().to_owned(), missing.cause.clone()))
        .collect()
}

#[test]
fn a_component_with_all_that_it_requires_is_initialized() {
    let (all, audit) = options(&["filesystem:read", HOST]);
    assert!(init(DEMANDING, all).0.is_ok());
    assert!(audit.last().is_none(), "nothing was denied");
    // Its manifest declares the same.
    let (all, _) = options(&["filesystem:read", HOST]);
    let all = all.with_required_capability(capability("filesystem:read:/etc"));
    assert!(
        init(DEMANDING, all.with_required_capability(capability(HOST)))
            .0
            .is_ok()
    );
}

#[test]
fn all_that_is_missing_is_reported_and_audited() {
    let (none, audit) = options(&[]);
    assert_eq!(
        missing(none),
        [
            (FILES.to_owned(), DenialCause::NoRule),
            (HOST.to_owned(), DenialCause::NoRule)
        ]
    );
    let records = audit.records();
    let records = records
        .iter()
        .map(|record| (record.verdict, record.capability.as_str()));
    assert_eq!(records.collect::<Vec<_>>(), [("denied", FILES), ("denied", HOST)]);
    let (some, _) = options(&[FILES]);
    assert_eq!(missing(some), [(HOST.to_owned(), DenialCause::NoRule)]);
}

#[test]
fn metadata_that_requires_more_than_the_manifest_is_refused() {
    let (all, audit) = options(&[FILES, HOST]);
    let declared = all.with_required_capability(capability(FILES));
    assert_eq!(missing(declared), [(HOST.to_owned(), DenialCause::NotRequested)]);
    assert_eq!(audit.last().unwrap().cause, Some("not-requested"));
}

#[test]
fn what_the_manifest_calls_optional_may_be_missing() {
    let (some, _) = options(&[FILES]);
    let declared = some.with_required_capability(capability(FILES));
    let declared = declared.with_optional_capability(capability(HOST));
    assert!(init(DEMANDING, declared).0.is_ok());
}

#[test]
fn without_any_policy_a_component_runs_and_is_denied_each_use() {
    assert!(init(DEMANDING, ComponentOptions::new()).0.is_ok());
}

#[test]
fn a_malformed_requirement_is_an_error_of_the_metadata() {
    let (result, state) = init(MALFORMED, options(&[]).0);
    assert_eq!(state, ComponentState::Created);
    assert!(
        matches!(&result, Err(RuntimeError::Metadata { problem, .. }) if problem.contains("\"filesystem\" is not a capability")),
        "{result:?}"
    );
}
