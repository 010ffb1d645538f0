//! Explanations of a policy.

use std::sync::Arc;

use super::audit::DenialCause;
use super::capability::Capability;
use super::context::SecurityContext;
use super::domain::CapabilityError;
use super::index::{Effect, Index, NEVER, Slot};
use super::policy::Rule;
use crate::limits::{EffectiveLimits, LimitSource};

/// The decision of a policy on a capability as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The rule that allows it, or the reason why it is not allowed as a whole.
    pub decision: Result<Arc<Rule>, DenialCause>,
    /// The rules that deny a part of it.
    pub exceptions: Vec<Arc<Rule>>,
}

impl SecurityContext {
    /// Returns what the policy decides on a capability of a component. Nothing is recorded.
    ///
    /// # Errors
    /// [`CapabilityError`] if the capability's domain, action or scope is unknown.
    pub fn explain(&self, component: &str, capability: &Capability) -> Result<Explanation, CapabilityError> {
        let shared = &*self.0;
        let domains = shared.policy.domains();
        let parsed = domains.parse(capability)?;
        let own = shared.rules_of(component);
        let decision = shared.decide(&own, Some(component), &parsed);
        let (kind, scope) = &parsed;
        let slot = Slot {
            rule: 0,
            until: NEVER,
        };
        let whole = Index::new(domains, [(*kind, scope, Effect::Allow, slot)]);
        let now = shared.now();
        let exceptions = match &decision {
            Ok(_) => self.rules_for(component),
            Err(_) => Vec::new(),
        };
        let exceptions = exceptions
            .into_iter()
            .filter(|rule| rule.effect() == Effect::Deny)
            .filter(|rule| whole.find(rule.kind, (&rule.scope).into(), now).allow.is_some())
            .collect();
        Ok(Explanation { decision, exceptions })
    }

    /// Returns the rules that apply to a component at this moment, in the order of their layers.
    pub fn rules_for(&self, component: &str) -> Vec<Arc<Rule>> {
        let now = self.0.now();
        let rules = self.policy().rules().iter().enumerate();
        rules
            .filter(|(at, rule)| rule.slot(*at).until > now && self.0.applies(rule, Some(component)))
            .map(|(_, rule)| rule.clone())
            .collect()
    }

    /// Returns the limits that the policy sets for a component: of each resource the smallest.
    pub fn limits_for(&self, component: &str) -> EffectiveLimits {
        let mut limits = EffectiveLimits::default();
        for rule in self.policy().limits() {
            if rule.applies(component, self.principal()) {
                let source = LimitSource::Policy(rule.place());
                limits.lower(rule.resource(), rule.value(), source);
            }
        }
        limits
    }
}
