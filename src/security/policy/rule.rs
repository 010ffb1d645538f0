//! Rules, and the places that they come from.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::MAX_REASON_BYTES;
use crate::security::capability::Capability;
use crate::security::domain::{KindId, Scope};
use crate::security::index::{Effect, NEVER, Slot};
use airssys_wasm_component::internal::text::sanitize;

/// The place that a rule comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// A builder in the host application.
    Builder,
    /// A command-line option, as in `--grant`.
    Flag(Arc<str>),
    /// A policy file.
    File {
        /// Its path, or another name of it.
        file: Arc<str>,
        /// The line of the capability, from 1.
        line: usize,
    },
    /// A revocation at run time.
    Revocation,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Builder => f.write_str("builder"),
            Origin::Flag(flag) => f.write_str(flag),
            Origin::File { file, line } => write!(f, "{file}:{line}"),
            Origin::Revocation => f.write_str("revocation"),
        }
    }
}

/// A rule of a policy, to be added to a [`PolicyBuilder`](super::PolicyBuilder).
///
/// ```
/// use airssys_wasm::security::{Policy, RuleDraft};
///
/// let policy = Policy::builder()
///     .rule(RuleDraft::allow("filesystem:read:/data").for_component("reader"))
///     .rule(RuleDraft::deny("filesystem:read:/data/keys").because("keys stay with the host"))
///     .build()?;
/// assert_eq!(policy.rules().len(), 2);
/// # Ok::<(), airssys_wasm::security::PolicyError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RuleDraft {
    pub(super) effect: Effect,
    pub(super) capability: String,
    pub(super) reason: Option<String>,
    pub(super) components: Vec<String>,
    pub(super) principals: Vec<String>,
    pub(super) until: Option<SystemTime>,
    pub(super) origin: Origin,
}

impl RuleDraft {
    /// Allows what a capability covers.
    pub fn allow(capability: impl Into<String>) -> RuleDraft {
        RuleDraft::new(Effect::Allow, capability)
    }

    /// Denies what a capability covers.
    pub fn deny(capability: impl Into<String>) -> RuleDraft {
        RuleDraft::new(Effect::Deny, capability)
    }

    pub(super) fn new(effect: Effect, capability: impl Into<String>) -> RuleDraft {
        RuleDraft {
            effect,
            capability: capability.into(),
            reason: None,
            components: Vec::new(),
            principals: Vec::new(),
            until: None,
            origin: Origin::Builder,
        }
    }

    /// Sets the reason, which audit and errors repeat.
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Limits the rule to a component; can be repeated. Without, it applies to all.
    pub fn for_component(mut self, id: impl Into<String>) -> Self {
        self.components.push(id.into());
        self
    }

    /// Limits the rule to a principal; can be repeated. Without, it applies to all.
    pub fn for_principal(mut self, principal: impl Into<String>) -> Self {
        self.principals.push(principal.into());
        self
    }

    /// Sets the time at which the rule ends.
    pub fn until(mut self, time: SystemTime) -> Self {
        self.until = Some(time);
        self
    }

    /// Sets the place that the rule comes from: by default [`Origin::Builder`].
    pub fn from_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }
}

/// A checked rule of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub(super) effect: Effect,
    pub(super) capability: Capability,
    pub(in crate::security) kind: KindId,
    pub(in crate::security) scope: Scope,
    pub(super) reason: Option<Box<str>>,
    pub(super) components: Box<[Box<str>]>,
    pub(super) principals: Box<[Box<str>]>,
    pub(super) until: Option<SystemTime>,
    pub(super) origin: Origin,
}

impl Rule {
    /// Creates the rule of a revocation.
    pub(in crate::security) fn revocation(
        capability: Capability,
        kind: KindId,
        scope: Scope,
        component: Option<&str>,
        reason: Option<&str>,
    ) -> Rule {
        Rule {
            effect: Effect::Deny,
            capability,
            kind,
            scope,
            reason: reason.map(|reason| sanitize(reason, MAX_REASON_BYTES).into()),
            components: component.into_iter().map(Box::from).collect(),
            principals: Box::default(),
            until: None,
            origin: Origin::Revocation,
        }
    }

    /// Returns whether the rule allows or denies.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// Returns the capability, as it was written.
    pub fn capability(&self) -> &Capability {
        &self.capability
    }

    /// Returns the reason, if one was given.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Returns the components that the rule is limited to; none if it applies to all.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.components.iter().map(|id| &**id)
    }

    /// Returns the principals that the rule is limited to; none if it applies to all.
    pub fn principals(&self) -> impl Iterator<Item = &str> {
        self.principals.iter().map(|principal| &**principal)
    }

    /// Returns the time at which the rule ends, if it ends.
    pub fn until(&self) -> Option<SystemTime> {
        self.until
    }

    /// Returns the place that the rule comes from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Returns whether the rule is for this principal and, unless it names components, for every one.
    pub(in crate::security) fn is_for_all(&self, principal: &str) -> bool {
        self.components.is_empty() && self.is_for_principal(principal)
    }

    /// Returns whether the rule names this component and is for this principal.
    pub(in crate::security) fn names(&self, component: &str, principal: &str) -> bool {
        self.components.iter().any(|id| **id == *component) && self.is_for_principal(principal)
    }

    fn is_for_principal(&self, principal: &str) -> bool {
        self.principals.is_empty() || self.principals.iter().any(|name| **name == *principal)
    }

    pub(in crate::security) fn slot(&self, at: usize) -> Slot {
        Slot {
            // The number of rules is limited.
            rule: u32::try_from(at).unwrap_or(u32::MAX),
            until: self.until.map_or(NEVER, millis),
        }
    }
}

/// Writes effect, capability, origin and reason: `deny filesystem:read:/data/keys (policy.toml:7: keys stay here)`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effect = match self.effect {
            Effect::Allow => "allow",
            Effect::Deny => "deny",
        };
        write!(f, "{effect} {} ({}", self.capability, self.origin)?;
        match &self.reason {
            Some(reason) => write!(f, ": {reason})"),
            None => f.write_str(")"),
        }
    }
}

/// Returns milliseconds since 1970; zero for an earlier time.
pub(in crate::security) fn millis(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(NEVER - 1))
}
