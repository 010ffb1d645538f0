//! Capabilities of components, the policy that grants them, and the audit of each decision.
//!
//! A component gets what it requests and the policy allows. [`SecurityContext`] holds the policy; [`Grants`] are those of
//! one component, which host functions check for each [`Request`]. Everything is denied by default, and a rule that
//! denies has precedence.

mod audit;
mod capability;
mod context;
mod decided;
mod domain;
mod explain;
mod grants;
mod index;
mod policy;
mod request;
mod revocation;
mod secret;
mod time;

pub use audit::{
    AUDIT_TARGET, AuditEvent, AuditRecord, AuditSink, Decision, DenialCause, JsonLines, JsonLinesError,
    JsonLinesOptions, LogSink, MemorySink, Subject, SyncPolicy,
};
pub use capability::{Capability, InvalidCapability, MAX_CAPABILITY_BYTES};
pub use context::{MissingCapabilities, SecurityContext, SecurityContextBuilder, Withheld};
pub use domain::{
    CapabilityError, DomainError, Domains, ExactScope, HostPattern, HostScope, InvalidTarget,
    MAX_SCOPE_BYTES, Scheme, ScopeMatcher, Target,
};
pub use explain::Explanation;
pub use grants::{Allowed, Denied, FileAction, GrantedPath, Grants};
pub use index::Effect;
pub use policy::{
    Conflict, LimitRule, LimitsDraft, MAX_POLICY_BYTES, MAX_REASON_BYTES, MAX_RULES, Origin, Place, Policy,
    PolicyBuilder, PolicyError, Rule, RuleDraft,
};
pub use request::{Request, RequestInfo};
pub use revocation::RevocationHook;
pub use secret::{Secret, is_secret_header};
pub use time::rfc3339;
