//! Rules without effect.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::rule::{Rule, millis};
use crate::security::domain::Domains;
use crate::security::index::{Effect, Index, NEVER};

/// A permission that has no effect, since a denial covers all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The rule without effect.
    pub allow: Arc<Rule>,
    /// The rule that denies all that the other allows.
    pub deny: Arc<Rule>,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the policy contradicts itself: `{}` has no effect, since `{}` denies all of it; remove one of them",
            self.allow, self.deny
        )
    }
}

impl std::error::Error for Conflict {}

/// Components and principals of a rule.
type Selectors<'a> = (&'a [Box<str>], &'a [Box<str>]);

/// Returns the permissions without effect. A rule that ends earlier, or is for fewer components or principals, denies only a
/// part.
pub(super) fn find(domains: &Domains, rules: &[Arc<Rule>]) -> Vec<Conflict> {
    let mut denials: HashMap<Selectors<'_>, Index> = HashMap::new();
    for (at, rule) in rules.iter().enumerate() {
        if rule.effect == Effect::Deny {
            let selectors = (&*rule.components, &*rule.principals);
            let index = denials.entry(selectors).or_default();
            index.add(domains, rule.kind, &rule.scope, Effect::Deny, rule.slot(at));
        }
    }
    let includes = |broad: &[Box<str>], narrow: &[Box<str>]| {
        broad.is_empty() || !narrow.is_empty() && narrow.iter().all(|name| broad.contains(name))
    };
    let mut conflicts = Vec::new();
    for allow in rules.iter().filter(|rule| rule.effect == Effect::Allow) {
        // A denial that lasts until the permission's last moment covers it.
        let end = allow.until.map_or(NEVER, millis).saturating_sub(1);
        let denial = (denials.iter())
            .filter(|((components, principals), _)| {
                includes(components, &allow.components) && includes(principals, &allow.principals)
            })
            .filter_map(|(_, index)| index.find(allow.kind, (&allow.scope).into(), end).deny)
            .min();
        if let Some(deny) = denial.and_then(|at| rules.get(at as usize)) {
            conflicts.push(Conflict {
                allow: allow.clone(),
                deny: deny.clone(),
            });
        }
    }
    conflicts
}
