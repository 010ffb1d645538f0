//! Policies: rules that allow and deny, from a builder, a file and flags.
//!
//! A denial has precedence over any number of permissions, from whatever layer; without a rule, everything is denied.
//! Layers are added in a fixed order, the file before the flags: it matters only for which of two equal rules is
//! named in the audit.

mod conflict;
mod error;
mod file;
mod limits;
mod rule;

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use super::capability::Capability;
use super::domain::{CapabilityError, Domains, is_deceptive};
use super::index::Effect;
pub use conflict::Conflict;
pub use error::{Place, PolicyError};
pub use limits::{LimitRule, LimitsDraft};
pub(super) use rule::millis;
pub use rule::{Origin, Rule, RuleDraft};

/// Maximum bytes of a policy file. Stops a file that fills the host's memory.
pub const MAX_POLICY_BYTES: usize = 8 << 20;
/// Maximum number of rules of a policy. Stops a policy that fills the host's memory.
pub const MAX_RULES: usize = 100_000;
/// Maximum bytes of a rule's reason. Stops rules that fill the audit with text.
pub const MAX_REASON_BYTES: usize = 1024;
/// Maximum bytes of the name of a component or principal in a rule.
const MAX_SELECTOR_BYTES: usize = 256;

/// Rules that allow and deny. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Policy(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    domains: Domains,
    rules: Vec<Arc<Rule>>,
    limits: Vec<LimitRule>,
}

impl Policy {
    /// Creates a policy without rules, which denies everything.
    pub fn empty() -> Policy {
        Policy::default()
    }

    /// Starts a policy without rules, of the built-in domains.
    pub fn builder() -> PolicyBuilder {
        PolicyBuilder {
            domains: Domains::built_in(),
            rules: Vec::new(),
            limits: Vec::new(),
            failed: None,
        }
    }

    /// Reads a policy file.
    ///
    /// # Errors
    /// Each case of [`PolicyError`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Policy, PolicyError> {
        Policy::builder().file(path).build()
    }

    /// Parses the text of a policy file; `name` is its name in errors and in the audit.
    ///
    /// # Errors
    /// Each case of [`PolicyError`], except [`PolicyError::Read`].
    pub fn from_toml(name: &str, text: &str) -> Result<Policy, PolicyError> {
        Policy::builder().toml(name, text).build()
    }

    /// Returns the rules, in the order of their layers.
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.0.rules
    }

    /// Returns the limits on resources, in the order of their layers.
    pub fn limits(&self) -> &[LimitRule] {
        &self.0.limits
    }

    /// Returns the domains that the rules may name.
    pub fn domains(&self) -> &Domains {
        &self.0.domains
    }

    /// Returns the rules that have no effect: permissions that are denied as a whole.
    pub fn conflicts(&self) -> Vec<Conflict> {
        conflict::find(&self.0.domains, &self.0.rules)
    }
}

/// Collects the rules of a [`Policy`]. The first failure is kept, and returned by [`PolicyBuilder::build`].
#[derive(Debug)]
#[must_use]
pub struct PolicyBuilder {
    domains: Domains,
    rules: Vec<Arc<Rule>>,
    limits: Vec<LimitRule>,
    failed: Option<PolicyError>,
}

impl PolicyBuilder {
    /// Sets the domains that later rules may name.
    pub fn domains(mut self, domains: Domains) -> Self {
        // Rules refer to domains by position, which registering does not change.
        let keeps = (self.domains.iter().zip(domains.iter())).all(|(old, new)| old == new);
        match keeps && self.domains.len() <= domains.len() {
            true => self.domains = domains,
            false => self.fail(PolicyError::Domains),
        }
        self
    }

    /// Adds a rule that allows what a capability covers.
    pub fn allow(self, capability: impl Into<String>) -> Self {
        self.rule(RuleDraft::allow(capability))
    }

    /// Adds a rule that denies what a capability covers.
    pub fn deny(self, capability: impl Into<String>) -> Self {
        self.rule(RuleDraft::deny(capability))
    }

    /// Adds a rule.
    pub fn rule(mut self, draft: RuleDraft) -> Self {
        if self.failed.is_none() {
            let origin = draft.origin.clone();
            if let Err(error) = self.add(draft, &origin) {
                self.fail(error);
            }
        }
        self
    }

    /// Adds limits on resources. Of several limits that apply to a component, the smallest has effect.
    pub fn limits(mut self, draft: LimitsDraft) -> Self {
        if self.failed.is_none() {
            let origin = draft.origin.clone();
            if let Err(error) = self.add_limits(draft, &origin) {
                self.fail(error);
            }
        }
        self
    }

    /// Adds the rules and limits of a file.
    pub fn file(mut self, path: impl AsRef<Path>) -> Self {
        if self.failed.is_none() {
            match file::read(path.as_ref()) {
                Ok(text) => return self.toml(&path.as_ref().display().to_string(), &text),
                Err(error) => self.fail(error),
            }
        }
        self
    }

    /// Adds the rules of the text of a policy file; `name` is its name in errors and in the audit.
    pub fn toml(mut self, name: &str, text: &str) -> Self {
        if self.failed.is_none()
            && let Err(error) = self.add_toml(name, text)
        {
            self.fail(error);
        }
        self
    }

    /// Checks the policy.
    ///
    /// # Errors
    /// The first failure: each case of [`PolicyError`].
    pub fn build(self) -> Result<Policy, PolicyError> {
        let PolicyBuilder {
            domains,
            rules,
            limits,
            failed,
        } = self;
        match failed {
            Some(error) => Err(error),
            None => Ok(Policy(Arc::new(Inner {
                domains,
                rules,
                limits,
            }))),
        }
    }

    fn fail(&mut self, error: PolicyError) {
        self.failed.get_or_insert(error);
    }

    fn add_toml(&mut self, name: &str, text: &str) -> Result<(), PolicyError> {
        let first = self.rules.len();
        let (rules, limits) = file::parse(name, text)?;
        for (place, draft) in rules {
            self.add(draft, &place)?;
        }
        for (place, draft) in limits {
            self.add_limits(draft, &place)?;
        }
        match conflict::find(&self.domains, &self.rules[first..])
            .into_iter()
            .next()
        {
            Some(conflict) => Err(PolicyError::Conflict(Box::new(conflict))),
            None => Ok(()),
        }
    }

    fn add(&mut self, draft: RuleDraft, place: &dyn Display) -> Result<(), PolicyError> {
        self.room()?;
        let refuse = |error: CapabilityError| PolicyError::Capability {
            place: place.to_string(),
            error: Box::new(error),
        };
        let capability = Capability::new(&draft.capability).map_err(|error| refuse(error.into()))?;
        let (kind, scope) = self.domains.parse(&capability).map_err(refuse)?;
        let reason = draft.reason.as_deref();
        let reason = reason
            .map(|reason| checked("reason", reason, MAX_REASON_BYTES, place))
            .transpose()?;
        let components = names("component", &draft.components, place)?;
        let principals = names("principal", &draft.principals, place)?;
        self.rules.push(Arc::new(Rule {
            effect: draft.effect,
            capability,
            kind,
            scope,
            reason,
            components,
            principals,
            until: draft.until,
            origin: draft.origin,
        }));
        Ok(())
    }

    fn add_limits(&mut self, draft: LimitsDraft, place: &dyn Display) -> Result<(), PolicyError> {
        let components = names("component", &draft.components, place)?;
        let principals = names("principal", &draft.principals, place)?;
        draft.limits.check().map_err(|error| PolicyError::Limit {
            place: place.to_string(),
            error,
        })?;
        for (resource, value) in draft.limits.iter() {
            self.room()?;
            self.limits.push(LimitRule {
                resource,
                value,
                components: components.clone(),
                principals: principals.clone(),
                origin: draft.origin.clone(),
            });
        }
        Ok(())
    }

    /// Checks that another rule may be added.
    fn room(&self) -> Result<(), PolicyError> {
        match self.rules.len() + self.limits.len() < MAX_RULES {
            true => Ok(()),
            false => Err(PolicyError::TooManyRules),
        }
    }

    /// Adds the rules of command-line options, which audit and errors name by `option`.
    pub fn flags<'a>(
        mut self,
        option: &str,
        effect: Effect,
        capabilities: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let origin = Origin::Flag(option.into());
        for capability in capabilities {
            self = self.rule(RuleDraft::new(effect, capability).from_origin(origin.clone()));
        }
        self
    }
}

/// Checks a text of a rule.
fn checked(
    what: &'static str,
    text: &str,
    most: usize,
    place: &dyn Display,
) -> Result<Box<str>, PolicyError> {
    if text.is_empty() || text.len() > most || text.contains(is_deceptive) {
        return Err(PolicyError::Text {
            place: place.to_string(),
            what,
            most,
        });
    }
    Ok(Box::from(text))
}

/// Checks the names of components or principals.
fn names(what: &'static str, names: &[String], place: &dyn Display) -> Result<Box<[Box<str>]>, PolicyError> {
    let names = names.iter();
    names
        .map(|name| checked(what, name, MAX_SELECTOR_BYTES, place))
        .collect()
}
