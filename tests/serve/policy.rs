//! Requests that components send under a policy: it decides on scheme, host and port, and each decision is in the audit.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use airssys_wasm::host::WasiAccess;
use airssys_wasm::security::{Capability, MemorySink, Policy, SecurityContext};
use airssys_wasm::wasi::WasiCtxBuilder;

use crate::client::get;
use crate::origin::Origin;
use crate::server::{Running, limits};

const DENIED: &str = "ErrorCode::HttpRequestDenied";
/// A denied address, for a component that may connect somewhere else.
const PROHIBITED: &str = "ErrorCode::DestinationIpProhibited";

/// A server whose component has what a policy grants.
struct Guarded {
    server: Running,
    context: SecurityContext,
    audit: Arc<MemorySink>,
}

impl Guarded {
    /// Starts a server by rules, in which `@` is a port.
    fn new(rules: &[&str], port: u16) -> Guarded {
        let mut policy = Policy::builder();
        for rule in rules {
            let rule = rule.replace('@', &port.to_string());
            policy = match rule.split_once(' ') {
                Some(("allow", scope)) => policy.allow(format!("network:outbound:{scope}")),
                Some(("deny", scope)) => policy.deny(format!("network:outbound:{scope}")),
                _ => panic!("{rule} is no rule"),
            };
        }
        let audit = Arc::new(MemorySink::default());
        let context = SecurityContext::builder()
            .policy(policy.build().expect("the rules are valid"))
            .audit(audit.clone())
            .build();
        let mut wasi = WasiCtxBuilder::new();
        WasiAccess::new(context.grants_undeclared("served")).add_to(&mut wasi, false);
        Guarded {
            server: Running::with(&wasi, limits()),
            context,
            audit,
        }
    }

    fn ask(&self, url: &str) -> String {
        get(self.server.addr, &format!("/get?{url}")).text()
    }

    /// Returns the decisions: the capability without its domain, and the cause or the verdict.
    fn decisions(&self) -> Vec<(String, String)> {
        let records = self.audit.records();
        let decisions = records.iter().map(|record| {
            assert_eq!(&*record.component, "served");
            let capability = record.capability.replace("network:outbound:", "");
            (capability, record.cause.unwrap_or(record.verdict).to_owned())
        });
        decisions.collect()
    }
}

fn origin() -> Origin {
    Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
}

#[test]
fn a_policy_decides_on_scheme_host_and_port_and_each_decision_is_audited() {
    let (granted, other) = (origin(), origin());
    let port = granted.addr.port();
    for (rules, url, answer, capability, decision) in [
        (
            &["allow 127.0.0.1:@"][..],
            "http://127.0.0.1:@/",
            "200 ok",
            "http://127.0.0.1:@",
            "allowed",
        ),
        (
            &["allow http://127.0.0.1:@"],
            "http://127.0.0.1:@/x?y",
            "200 ok",
            "http://127.0.0.1:@",
            "allowed",
        ),
        (
            &["allow 127.0.0.0/8"],
            "http://127.0.0.1:@/",
            "200 ok",
            "http://127.0.0.1:@",
            "allowed",
        ),
        (
            &["allow localhost", "allow 127.0.0.1"],
            "http://localhost:@/",
            "200 ok",
            "http://localhost:@",
            "allowed",
        ),
        (
            &["allow 127.0.0.1:1"],
            "http://127.0.0.1:@/",
            PROHIBITED,
            "http://127.0.0.1:@",
            "no-rule",
        ),
        (
            &["allow 127.0.0.2"],
            "http://127.0.0.1:@/",
            PROHIBITED,
            "http://127.0.0.1:@",
            "no-rule",
        ),
        (
            &["allow https://127.0.0.1:@"],
            "http://127.0.0.1:@/",
            PROHIBITED,
            "http://127.0.0.1:@",
            "no-rule",
        ),
        (
            &["allow localhost"],
            "http://127.0.0.1:@/",
            PROHIBITED,
            "http://127.0.0.1:@",
            "no-rule",
        ),
        (
            &["allow *"],
            "http://127.0.0.1:@/",
            PROHIBITED,
            "http://127.0.0.1:@",
            "no-rule",
        ),
        (
            &["allow 127.0.0.1"],
            "http://localhost:@/",
            DENIED,
            "http://localhost:@",
            "no-rule",
        ),
        (
            &["allow *.localhost"],
            "http://localhost:@/",
            DENIED,
            "http://localhost:@",
            "no-rule",
        ),
        (
            &["allow 127.0.0.1", "deny 127.0.0.1:@"],
            "http://127.0.0.1:@/",
            PROHIBITED,
            "http://127.0.0.1:@",
            "rule",
        ),
        (
            &["allow *", "deny localhost"],
            "http://localhost:@/",
            DENIED,
            "http://localhost:@",
            "rule",
        ),
        (
            &["deny *"],
            "http://127.0.0.1:@/",
            DENIED,
            "http://127.0.0.1:@",
            "no-rule",
        ),
    ] {
        let asked = granted.asked.load(Ordering::SeqCst);
        let at = |text: &str| text.replace('@', &port.to_string());
        let guarded = Guarded::new(rules, port);
        assert_eq!(guarded.ask(&at(url)), answer, "{rules:?}");
        assert_eq!(
            guarded.decisions(),
            [(at(capability), decision.to_owned())],
            "{rules:?}"
        );
        let reached = granted.asked.load(Ordering::SeqCst) - asked;
        assert_eq!(reached, usize::from(decision == "allowed"), "{rules:?}");
        // Another port of the same host.
        let elsewhere = guarded.ask(&other.url());
        if decision == "allowed" && rules[0].contains('@') {
            assert_eq!(elsewhere, PROHIBITED, "{rules:?}");
        }
    }
}

#[test]
fn rules_that_deny_hold_for_the_addresses_of_a_granted_name() {
    let inside = origin();
    let url = format!("http://localhost:{}/", inside.addr.port());
    // This name leads to this host without a grant of the address.
    let guarded = Guarded::new(&["allow localhost"], 1);
    assert_eq!(guarded.ask(&url), "200 ok");
    let guarded = Guarded::new(
        &[
            "allow localhost",
            "allow 127.0.0.1",
            "allow [::1]",
            "deny 127.0.0.0/8",
            "deny [::1]",
        ],
        1,
    );
    assert_eq!(guarded.ask(&url), PROHIBITED);
    let last = guarded.decisions().pop().expect("a decision");
    assert_eq!(last.1, "rule", "{last:?}");
    assert_eq!(inside.asked.load(Ordering::SeqCst), 1);
}

#[test]
fn a_redirection_is_not_followed_and_its_target_is_decided_on_when_it_is_requested() {
    let inside = origin();
    let outside = Origin::answering(format!(
        "HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 5\r\n\r\nmoved",
        inside.url()
    ));
    let guarded = Guarded::new(&["allow 127.0.0.1:@"], outside.addr.port());
    assert_eq!(guarded.ask(&outside.url()), "302 moved");
    assert_eq!(guarded.decisions().len(), 1, "only the first request");
    assert_eq!(guarded.ask(&inside.url()), PROHIBITED);
    let denied = (format!("http://{}", inside.addr), "no-rule".to_owned());
    assert_eq!(guarded.decisions()[1..], [denied]);
    assert_eq!(inside.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn a_revocation_takes_effect_on_the_next_request() {
    let origin = origin();
    let guarded = Guarded::new(&["allow 127.0.0.1:@"], origin.addr.port());
    assert_eq!(guarded.ask(&origin.url()), "200 ok");
    let all = Capability::new("network:outbound").expect("a capability");
    guarded
        .context
        .revoke(Some("served"), &all, None)
        .expect("it is known");
    let refused = guarded.ask(&origin.url());
    assert!([DENIED, PROHIBITED].contains(&&*refused), "{refused}");
    let last = guarded.decisions().pop().expect("a decision");
    assert_eq!(last.1, "revoked");
    assert_eq!(origin.asked.load(Ordering::SeqCst), 1);
}
