//! Capabilities that are revoked at run time.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::domain::{Domains, KindId};
use super::index::{Index, Query};
use super::policy::Rule;

/// The revocations so far.
#[derive(Debug, Default)]
pub(super) struct Revocations {
    rules: Vec<Arc<Rule>>,
    /// Of all components.
    common: Index,
    own: HashMap<Box<str>, Index>,
}

impl Revocations {
    /// Adds a revocation, unless an earlier one covers it.
    pub(super) fn add(&mut self, domains: &Domains, component: Option<&str>, rule: Arc<Rule>) {
        if self.find(component, rule.kind, (&rule.scope).into()).is_some() {
            return;
        }
        let index = match component {
            None => &mut self.common,
            Some(component) => self.own.entry(component.into()).or_default(),
        };
        let slot = rule.slot(self.rules.len());
        index.add(domains, rule.kind, &rule.scope, rule.effect(), slot);
        self.rules.push(rule);
    }

    pub(super) fn find(&self, component: Option<&str>, kind: KindId, query: Query<'_>) -> Option<Arc<Rule>> {
        let own = component.and_then(|component| self.own.get(component));
        let found =
            (std::iter::once(&self.common).chain(own)).find_map(|index| index.find(kind, query, 0).deny)?;
        self.rules.get(found as usize).cloned()
    }

    /// Returns the revocations of an action that concern a component.
    pub(super) fn of(&self, component: &str, kind: KindId) -> impl Iterator<Item = &Rule> {
        let rules = self.rules.iter().map(|rule| &**rule);
        rules.filter(move |rule| {
            let mut components = rule.components().peekable();
            rule.kind == kind && (components.peek().is_none() || components.any(|id| id == component))
        })
    }
}

type Hook = Arc<dyn Fn(&Rule) + Send + Sync>;

/// Functions to call after a revocation.
#[derive(Default)]
pub(super) struct Hooks(Mutex<(u64, BTreeMap<u64, Hook>)>);

impl Hooks {
    pub(super) fn add(hooks: &Arc<Hooks>, hook: Hook) -> RevocationHook {
        let mut state = hooks.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += 1;
        let number = state.0;
        state.1.insert(number, hook);
        RevocationHook {
            hooks: Arc::downgrade(hooks),
            number,
        }
    }

    /// Calls all functions, without a lock: they may revoke, and add or remove functions.
    pub(super) fn run(&self, rule: &Rule) {
        let hooks: Vec<Hook> = {
            let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.1.values().cloned().collect()
        };
        for hook in hooks {
            hook(rule);
        }
    }
}

/// Keeps a function that is called after each revocation. Dropping it ends the calls.
#[must_use]
pub struct RevocationHook {
    hooks: Weak<Hooks>,
    number: u64,
}

impl Drop for RevocationHook {
    fn drop(&mut self) {
        if let Some(hooks) = self.hooks.upgrade() {
            // The function may have owners of other hooks, and is dropped without the lock.
            let _hook = {
                let mut state = hooks.0.lock().unwrap_or_else(PoisonError::into_inner);
                state.1.remove(&self.number)
            };
        }
    }
}

impl fmt::Debug for RevocationHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationHook").finish_non_exhaustive()
    }
}
