//! Decisions on connections through WASI.

use airssys_wasm::host::WasiAccess;
use airssys_wasm::wasi::{AccessPolicy, Basis, Destination};

use super::{context, policy};

/// A destination on which no rule can decide is denied, whatever the policy says, and the audit has it once.
#[test]
fn invalid_destinations_are_denied_and_audited() {
    let (context, sink) = context(policy(&["allow network:outbound"]));
    let access = WasiAccess::new(context.grants_undeclared("a"));
    let mut expected = 0;
    for host in ["", "a b", "a/b", "user@a", "a..b", "[::1", "a\u{0}"] {
        for secure in [None, Some(true), Some(false)] {
            let to = Destination {
                host,
                port: 80,
                secure,
            };
            assert!(!access.permits_connect(&to, Basis::Policy), "{to:?}");
            assert_eq!(sink.records().len(), expected, "a question is not audited");
            assert!(access.connect(&to, Basis::Policy).is_err(), "{to:?}");
            expected += 1;
            let records = sink.records();
            assert_eq!(records.len(), expected, "{to:?}");
            let last = records.last().expect("a record");
            assert_eq!(
                (last.capability.as_str(), last.verdict, last.cause),
                ("network:outbound", "denied", Some("invalid-request")),
                "{to:?}"
            );
        }
    }
    let valid = Destination {
        host: "a.test",
        port: 80,
        secure: None,
    };
    assert!(access.connect(&valid, Basis::Policy).is_ok());
}
