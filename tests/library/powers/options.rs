//! Grants of components of a runtime: by their options, and by a security context.

use std::sync::Arc;

use airssys_wasm::codec::{self, Codec};
use airssys_wasm::host::HostFunctionError;
use airssys_wasm::manifest::ComponentManifest;
use airssys_wasm::runtime::{InvalidConfig, InvalidOptions};
use airssys_wasm::security::{Capability, MemorySink, Policy, SecurityContext};
use airssys_wasm::{ComponentOptions, ComponentRuntime, ExecuteOptions, RuntimeConfig, RuntimeError};
use airssys_wasm_test_support::host::{Guest, id};
use serde_json::json;

/// Calls the host function `double` with the JSON text 21, and answers with the result.
fn guest() -> Vec<u8> {
    Guest {
        more: r#"
            (data (i32.const 2048) "double")
            (data (i32.const 2064) "\80\0421")"#,
        execute: "(call $call-host-function (i32.const 2048) (i32.const 6) (i32.const 2064) (i32.const 4)
              (i32.const 2080))
            (i32.store8 (i32.const 2112) (i32.load8_u (i32.const 2080)))
            (if (i32.load8_u (i32.const 2080))
              (then
                ;; `failed`, with the text of the error
                (i32.store8 (i32.const 2120) (i32.const 6))
                (i64.store (i32.const 2128) (i64.load (i32.const 2088))))
              (else (i64.store (i32.const 2120) (i64.load (i32.const 2084)))))
            (i32.const 2112)",
        ..Guest::default()
    }
    .build()
}

fn runtime() -> ComponentRuntime {
    let config = RuntimeConfig::builder()
        .with_typed_host_function("double", |info, number: u64| {
            assert_eq!(info.request_id, Some("request-1"));
            Ok::<_, String>(number * 2)
        })
        .build();
    ComponentRuntime::new(config.unwrap()).unwrap()
}

fn capability(text: &str) -> Capability {
    Capability::new(text).unwrap()
}

fn run(options: ComponentOptions) -> Result<Vec<u8>, RuntimeError> {
    let runtime = runtime();
    let id = runtime.load_component(&guest(), options)?;
    runtime.init(&id)?;
    runtime.execute(&id, b"")
}

fn context(rules: &[&str]) -> (SecurityContext, Arc<MemorySink>) {
    let policy = rules
        .iter()
        .fold(Policy::builder(), |policy, rule| policy.allow(*rule));
    let audit = Arc::new(MemorySink::default());
    let context = SecurityContext::builder().policy(policy.build().unwrap());
    (context.audit(audit.clone()).build(), audit)
}

fn answer() -> Vec<u8> {
    codec::from_json(Codec::Json, &json!(42)).unwrap()
}

#[test]
fn without_grants_everything_is_denied() {
    assert!(run(ComponentOptions::new()).is_err());
    let (nothing, audit) = context(&[]);
    assert!(run(ComponentOptions::new().with_security(nothing)).is_err());
    let last = audit.last().unwrap();
    assert_eq!(
        (last.verdict, last.capability.as_str(), last.request_id.as_str()),
        ("denied", "host-function:call:double", "request-1")
    );
}

#[test]
fn options_or_a_context_grant() {
    let call = || capability("host-function:call:double");
    assert_eq!(
        run(ComponentOptions::new().with_capability(call())).unwrap(),
        answer()
    );
    let (all, audit) = context(&["host-function:call"]);
    let options = || ComponentOptions::new().with_security(all.clone());
    assert_eq!(run(options()).unwrap(), answer());
    assert_eq!(audit.last().unwrap().verdict, "allowed");
    assert_eq!(run(options().with_required_capability(call())).unwrap(), answer());
    assert_eq!(run(options().with_optional_capability(call())).unwrap(), answer());
    // A component that declares what it requests gets no more.
    let other = options().with_required_capability(capability("host-function:call:other"));
    assert!(run(other).is_err());
    // Both are a contradiction.
    let both = run(options().with_capability(call()));
    assert!(
        matches!(both, Err(RuntimeError::Options(InvalidOptions::TwoGrants))),
        "{both:?}"
    );
}

#[test]
fn what_is_required_and_not_granted_prevents_loading() {
    let (some, _) = context(&["host-function:call:double"]);
    let options = ComponentOptions::new()
        .with_id(id("demanding"))
        .with_security(some)
        .with_required_capability(capability("host-function:call:double"))
        .with_required_capability(capability("filesystem:read:/etc"))
        .with_required_capability(capability("network:outbound:example.com"));
    let Err(RuntimeError::Capabilities { id, source }) = run(options) else {
        panic!("it was loaded");
    };
    assert_eq!(id.as_str(), "demanding");
    let missing: Vec<_> = source
        .missing()
        .iter()
        .map(|missing| missing.capability.as_str())
        .collect();
    assert_eq!(missing, ["filesystem:read:/etc", "network:outbound:example.com"]);
}

#[test]
fn a_capability_of_an_unknown_domain_is_an_invalid_option() {
    let unknown = run(ComponentOptions::new().with_capability(capability("filesystm:read:/a")));
    assert!(
        matches!(unknown, Err(RuntimeError::Options(InvalidOptions::Policy(_)))),
        "{unknown:?}"
    );
}

#[test]
fn a_revocation_takes_effect_on_the_next_call() {
    let (context, _) = context(&["host-function:call"]);
    let runtime = ComponentRuntime::new(
        RuntimeConfig::builder()
            .with_host_function("double", |_, args| Ok(args.to_vec()))
            .build()
            .unwrap(),
    )
    .unwrap();
    let options = ComponentOptions::new().with_security(context.clone());
    let id = runtime.load_component(&guest(), options).unwrap();
    runtime.init(&id).unwrap();
    runtime.execute(&id, b"").unwrap();
    context
        .revoke(None, &capability("host-function:call:double"), None)
        .unwrap();
    assert!(runtime.execute(&id, b"").is_err());
}

#[test]
fn names_of_functions_are_checked_when_the_configuration_is_built() {
    let function = |_: &airssys_wasm::host::CallInfo<'_>, _: &[u8]| {
        Err::<Vec<u8>, _>(HostFunctionError::Failed(String::new()))
    };
    for (first, second) in [("", "b"), ("a", "a"), ("a", " b")] {
        let config = RuntimeConfig::builder()
            .with_host_function(first, function)
            .with_host_function(second, function)
            .build();
        assert!(
            matches!(config, Err(InvalidConfig::Function(_))),
            "{first:?} {second:?}"
        );
    }
}

#[test]
fn with_the_integration_each_component_needs_a_security_context() {
    let config = RuntimeConfig::builder().with_osl_security_integration().build();
    let runtime = ComponentRuntime::new(config.unwrap()).unwrap();
    let guest = Guest::default().build();
    let call = || capability("host-function:call:double");
    for options in [
        ComponentOptions::new(),
        ComponentOptions::new().with_capability(call()),
        ComponentOptions::new().with_required_capability(call()),
    ] {
        let refused = runtime.load_component(&guest, options);
        assert!(
            matches!(refused, Err(RuntimeError::Options(InvalidOptions::NoSecurity))),
            "{refused:?}"
        );
    }
    assert_eq!(runtime.list_components(), []);
    let denied = ComponentOptions::new().with_security(SecurityContext::new());
    runtime.load_component(&guest, denied).unwrap();
}

#[test]
fn a_manifest_gives_the_identity_and_what_is_requested() {
    let manifest = |required: &str, optional: &str| {
        let text = format!(
            r#"
            [component]
            name = "words"
            version = "1.0.0"
            [wit-dependencies]
            airssys-component-core = "1.0.0"
            airssys-host-core = "1.0.0"
            airssys-multicodec-core = "1.0.0"
            [capabilities]
            required = [{required}]
            optional = [{optional}]
            "#
        );
        ComponentManifest::from_toml(&text).unwrap_or_else(|error| panic!("{error}"))
    };
    let (security, audit) = context(&["host-function:call"]);
    let runtime = runtime();
    let load = |manifest: &ComponentManifest, options: ComponentOptions| {
        let options = options.with_security(security.clone()).with_manifest(manifest);
        runtime.load_component(&guest(), options)
    };
    let double = r#""host-function:call:double""#;
    for (manifest, name) in [
        (manifest(double, ""), "words"),
        (manifest("", double), "words-2"),
        (manifest(double, r#""filesystem:read:/etc""#), "words-3"),
    ] {
        let id = load(&manifest, ComponentOptions::new()).unwrap();
        assert_eq!(id.as_str(), name);
        runtime.init(&id).unwrap();
        assert_eq!(
            runtime.execute_with(&id, b"", request()).unwrap(),
            answer(),
            "{name}"
        );
    }
    // An identity that the host chooses stays.
    let chosen = load(&manifest("", ""), ComponentOptions::new().with_id(id("chosen")));
    assert_eq!(chosen.unwrap().as_str(), "chosen");
    // A manifest without capabilities requests none.
    let nothing = load(&manifest("", ""), ComponentOptions::new()).unwrap();
    runtime.init(&nothing).unwrap();
    assert!(runtime.execute_with(&nothing, b"", request()).is_err());
    assert_eq!(audit.last().unwrap().cause, Some("not-requested"));
    // What the manifest does not have is not granted, and what it requires must be.
    let other = load(
        &manifest(r#""host-function:call:other""#, ""),
        ComponentOptions::new(),
    );
    let other = other.unwrap();
    runtime.init(&other).unwrap();
    assert!(runtime.execute_with(&other, b"", request()).is_err());
    assert_eq!(audit.last().unwrap().cause, Some("not-requested"));
    let refused = load(
        &manifest(r#""filesystem:read:/etc""#, ""),
        ComponentOptions::new(),
    );
    assert!(
        matches!(refused, Err(RuntimeError::Capabilities { .. })),
        "{refused:?}"
    );
}

/// The request that the function `double` expects.
fn request() -> ExecuteOptions {
    ExecuteOptions::new().with_request_id("request-1")
}
