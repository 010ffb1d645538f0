//! Audit: a record of each decision.

mod json_lines;
mod log;
mod memory;

use std::fmt::Debug;
use std::sync::Arc;

use super::capability::Capability;
use super::domain::CapabilityError;
use super::policy::Rule;
use super::request::{Request, RequestInfo};
pub use json_lines::{JsonLines, JsonLinesError, JsonLinesOptions, SyncPolicy};
pub use log::{AUDIT_TARGET, LogSink};
pub use memory::{AuditRecord, MemorySink};

/// Destination of decisions.
pub trait AuditSink: Debug + Send + Sync {
    /// Records a decision. Called on the path of each request: must not wait for long. A panic does not stop the request, and
    /// counts as lost ([`SecurityContext::lost_audit`](super::SecurityContext::lost_audit)).
    fn record(&self, event: &AuditEvent<'_>);

    /// Returns the number of decisions that could not be recorded.
    fn lost(&self) -> u64 {
        0
    }
}

/// A decision. Has no values of settings, no headers and no contents.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AuditEvent<'a> {
    /// Milliseconds since 1970.
    pub time: u64,
    /// The component.
    pub component: &'a Arc<str>,
    /// The principal on whose behalf it runs; empty if there is none.
    pub principal: &'a Arc<str>,
    /// The object of the decision.
    pub subject: Subject<'a>,
    /// The decision.
    pub decision: Decision<'a>,
    /// The call that the component is in.
    pub info: RequestInfo<'a>,
}

/// The object of a decision.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// A request of the running component.
    Request(Request<'a>),
    /// A capability that the component required when it was loaded, or that was revoked.
    Capability(&'a Capability),
}

impl Subject<'_> {
    /// Appends the capability, escaped and limited in size.
    pub(super) fn write_to(&self, out: &mut String) {
        match self {
            Subject::Request(request) => request.write_to(out),
            Subject::Capability(capability) => out.push_str(capability.as_str()),
        }
    }

    /// As [`Subject::write_to`], but returns a beginning that is not appended.
    pub(super) fn write_object_to(&self, out: &mut String) -> &'static str {
        match self {
            Subject::Request(request) => request.write_object_to(out),
            Subject::Capability(capability) => {
                out.push_str(capability.as_str());
                ""
            }
        }
    }
}

/// A decision, with its reason.
#[derive(Clone, Copy, Debug)]
pub enum Decision<'a> {
    /// Allowed by a rule.
    Allowed(&'a Arc<Rule>),
    /// Denied.
    Denied(&'a DenialCause),
    /// Revoked at run time.
    Revoked(&'a Arc<Rule>),
}

impl<'a> Decision<'a> {
    /// Returns `allowed`, `denied` or `revoked`.
    pub fn verdict(&self) -> &'static str {
        match self {
            Decision::Allowed(_) => "allowed",
            Decision::Denied(_) => "denied",
            Decision::Revoked(_) => "revoked",
        }
    }

    /// Returns the reason of a denial in one word.
    pub fn cause(&self) -> Option<&'static str> {
        match self {
            Decision::Denied(cause) => Some(cause.word()),
            _ => None,
        }
    }

    /// Returns the rule that decided.
    pub fn rule(&self) -> Option<&'a Arc<Rule>> {
        match self {
            Decision::Allowed(rule) | Decision::Revoked(rule) => Some(rule),
            Decision::Denied(cause) => cause.rule(),
        }
    }
}

/// The reason of a denial.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DenialCause {
    /// The request's text is not a valid path, name or key; the text completes the sentence "it …".
    Invalid(String),
    /// The component requires a capability with an unknown domain or action, or an invalid scope.
    Unknown(Box<CapabilityError>),
    /// A rule denies it.
    Rule(Arc<Rule>),
    /// It was revoked at run time.
    Revoked(Arc<Rule>),
    /// The rule that allowed it has expired.
    Expired(Arc<Rule>),
    /// The rule, the first of several, allows only a part of the capability that the component requires.
    Partly(Arc<Rule>),
    /// The component did not ask for it.
    NotRequested,
    /// No rule allows it.
    NoRule,
    /// There is no policy.
    NoPolicy,
}

impl DenialCause {
    /// Returns the reason in one word.
    pub fn word(&self) -> &'static str {
        match self {
            DenialCause::Invalid(_) => "invalid-request",
            DenialCause::Unknown(_) => "unknown-capability",
            DenialCause::Rule(_) => "rule",
            DenialCause::Revoked(_) => "revoked",
            DenialCause::Expired(_) => "expired",
            DenialCause::Partly(_) => "partly",
            DenialCause::NotRequested => "not-requested",
            DenialCause::NoRule => "no-rule",
            DenialCause::NoPolicy => "no-policy",
        }
    }

    /// Returns the rule that decided; `None` if there was none.
    pub fn rule(&self) -> Option<&Arc<Rule>> {
        match self {
            DenialCause::Rule(rule)
            | DenialCause::Revoked(rule)
            | DenialCause::Expired(rule)
            | DenialCause::Partly(rule) => Some(rule),
            _ => None,
        }
    }
}

impl std::fmt::Display for DenialCause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DenialCause::Invalid(problem) => write!(f, "it {problem}"),
            DenialCause::Unknown(error) => write!(f, "{error}"),
            DenialCause::Rule(rule) => write!(f, "`{rule}` denies it"),
            DenialCause::Revoked(rule) => write!(f, "it was revoked by `{rule}`"),
            DenialCause::Expired(rule) => write!(f, "`{rule}` has expired"),
            DenialCause::Partly(rule) => write!(f, "the policy allows only a part of it: `{rule}`"),
            DenialCause::NotRequested => f.write_str(
                "the component does not request it; add it to its required or optional capabilities",
            ),
            DenialCause::NoRule => f.write_str("no rule of the policy allows it"),
            DenialCause::NoPolicy => f.write_str("the component runs without a policy"),
        }
    }
}
