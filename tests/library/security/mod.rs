//! Policies, grants, revocation and the audit.

mod context;
mod denials;
mod explain;
mod files;
mod matching;
mod sinks;
mod wasi;

use std::sync::Arc;

use airssys_wasm::security::{
    AuditRecord, Capability, Grants, InvalidTarget, MemorySink, Policy, PolicyBuilder, Request, RequestInfo,
    RuleDraft, SecurityContext, Target,
};

pub(crate) const INFO: RequestInfo<'_> = RequestInfo {
    request_id: Some("call-7"),
    trace: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
};

/// Returns the policy of lines such as `allow filesystem:read:/data`.
pub(crate) fn policy(rules: &[&str]) -> Policy {
    rules
        .iter()
        .fold(Policy::builder(), with_rule)
        .build()
        .unwrap_or_else(|error| panic!("{error}"))
}

fn with_rule(builder: PolicyBuilder, rule: &&str) -> PolicyBuilder {
    builder.rule(match rule.split_once(' ') {
        Some(("allow", capability)) => RuleDraft::allow(capability),
        Some(("deny", capability)) => RuleDraft::deny(capability),
        _ => panic!("{rule} is no rule"),
    })
}

pub(crate) fn capabilities(texts: &[&str]) -> Vec<Capability> {
    texts
        .iter()
        .map(|text| Capability::new(text).expect("a capability"))
        .collect()
}

/// Creates an empty folder of this name for one test.
pub(crate) fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("airssys-wasm-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A context with this policy, and its audit.
pub(crate) fn context(policy: Policy) -> (SecurityContext, Arc<MemorySink>) {
    let sink = Arc::new(MemorySink::default());
    let context = SecurityContext::builder()
        .principal("alice")
        .policy(policy)
        .audit(sink.clone())
        .build();
    (context, sink)
}

/// Decides on a request, written as the capability that it needs; a target is written as a URL, or as `HOST PORT`.
/// Returns the audit's record, once it is sure that it agrees with the decision.
pub(crate) fn decide(grants: &Grants, sink: &MemorySink, request: &str) -> AuditRecord {
    let mut parts = request.splitn(3, ':');
    let (domain, action) = (parts.next().expect("a domain"), parts.next().expect("an action"));
    let object = parts.next().expect("an object");
    let target;
    let request = match (domain, action) {
        ("filesystem", "read") => Request::ReadFile(object),
        ("filesystem", "write") => Request::WriteFile(object),
        ("filesystem", "list") => Request::ListFolder(object),
        ("filesystem", "delete") => Request::DeleteFile(object),
        ("host-function", "call") => Request::CallFunction(object),
        ("messaging", "send") => Request::SendMessage(object),
        ("messaging", "receive") => Request::ReceiveMessage(object),
        ("config", "read") => Request::ReadConfig(object),
        ("config", "write") => Request::WriteConfig(object),
        ("network", "outbound") => {
            target = match object.split_once(' ') {
                Some((host, port)) => Target::from_host(host, port.parse().expect("a port")),
                None => Target::from_url(object),
            };
            match &target {
                Ok(target) => Request::Connect(target),
                Err(error) => return deny_invalid(grants, sink, error),
            }
        }
        (domain, action) => Request::Other {
            domain,
            action,
            object,
        },
    };
    let before = sink.records().len();
    let decision = grants.check(&request, INFO);
    assert_eq!(sink.records().len(), before + 1, "{request} is audited once");
    let record = sink.last().expect("a record");
    assert_eq!(grants.permits(&request), decision.is_ok(), "{request}");
    assert_eq!(&*record.component, grants.component().expect("a component"));
    assert_eq!(&*record.principal, "alice");
    assert_eq!(record.capability, request.capability().as_str());
    assert_eq!(record.request_id, INFO.request_id.expect("one"));
    assert_eq!(record.trace, INFO.trace.expect("one"));
    match decision {
        Ok(allowed) => {
            assert_eq!((record.verdict, record.cause), ("allowed", None), "{request}");
            assert_eq!(record.rule.as_ref(), Some(allowed.rule()));
        }
        Err(denied) => {
            assert_eq!(record.verdict, "denied", "{request}");
            assert_eq!(record.cause, Some(denied.cause().word()));
            assert_eq!(record.rule.as_ref(), denied.cause().rule());
            assert_eq!(denied.capability(), &request.capability());
        }
    }
    record
}

/// Denies a target that is not valid. Returns the audit's record, once it is sure that it has nothing of the target.
fn deny_invalid(grants: &Grants, sink: &MemorySink, target: &InvalidTarget) -> AuditRecord {
    let before = sink.records().len();
    let denied = grants.deny_invalid(target, INFO);
    assert_eq!(sink.records().len(), before + 1, "{target} is audited once");
    let record = sink.last().expect("a record");
    assert_eq!(record.capability, "network:outbound");
    assert_eq!(denied.capability().as_str(), record.capability);
    assert_eq!(
        (record.verdict, record.cause),
        ("denied", Some(denied.cause().word()))
    );
    assert_eq!((&*record.component, &*record.principal), ("worker", "alice"));
    assert_eq!(record.request_id, INFO.request_id.expect("one"));
    record
}
