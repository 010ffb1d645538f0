//! Grants of a component: what its options and the security context give it.

use super::ComponentId;
use super::error::{InvalidOptions, RuntimeError};
use crate::host::ComponentMetadata;
use crate::security::{Capability, Effect, Grants, Policy, SecurityContext};

/// The source of a component's grants.
#[derive(Clone, Debug, Default)]
pub(super) struct Security {
    pub(super) context: Option<SecurityContext>,
    /// Capabilities that the host grants itself, without a context.
    pub(super) granted: Vec<Capability>,
    /// The component's requests are known, even if there are none.
    pub(super) declared: bool,
    pub(super) required: Vec<Capability>,
    pub(super) optional: Vec<Capability>,
}

impl Security {
    /// Returns all capabilities that are passed on, for their size.
    pub(super) fn capabilities(&self) -> impl Iterator<Item = &Capability> {
        self.granted.iter().chain(&self.required).chain(&self.optional)
    }

    /// Checks the options for contradictions.
    pub(super) fn check(&self) -> Result<(), InvalidOptions> {
        match (&self.context, self.granted.is_empty()) {
            (Some(_), false) => Err(InvalidOptions::TwoGrants),
            _ => Ok(()),
        }
    }

    /// Returns the grants of the component called `id`, and the capabilities that are passed to its `init`.
    pub(super) fn grants(&self, id: &ComponentId) -> Result<(Grants, Vec<String>), RuntimeError> {
        let missing = |source| RuntimeError::Capabilities {
            id: id.clone(),
            source,
        };
        let (required, optional) = (&self.required, &self.optional);
        let Some(context) = &self.context else {
            if self.capabilities().next().is_none() {
                return Ok((Grants::default(), Vec::new()));
            }
            let allow = |policy: crate::security::PolicyBuilder, capability: &Capability| {
                policy.allow(capability.as_str())
            };
            let policy = self.granted.iter().fold(Policy::builder(), allow).build();
            let context = SecurityContext::builder().policy(policy.map_err(InvalidOptions::Policy)?);
            let context = context.build();
            context.validate_for(id.as_str(), required).map_err(missing)?;
            let grants = context.grants_undeclared(id.as_str());
            return Ok((grants, texts(&self.granted)));
        };
        if !self.declared && required.is_empty() && optional.is_empty() {
            return Ok((
                context.grants_undeclared(id.as_str()),
                allowed(context, id.as_str()),
            ));
        }
        let grants = context
            .grants_for(id.as_str(), required, optional)
            .map_err(missing)?;
        let withheld = grants.withheld();
        let granted = optional.iter().filter(|capability| {
            let mut withheld = withheld.iter();
            !withheld.any(|withheld| withheld.capability == **capability)
        });
        let texts = texts(required.iter().chain(granted));
        Ok((grants, texts))
    }
}

/// Checks that a component is granted what its metadata requires, except for what it has been refused as optional.
/// A component without any policy is not checked: it is denied each use.
pub(super) fn check_required(
    id: &ComponentId,
    grants: &Grants,
    metadata: &ComponentMetadata,
) -> Result<(), RuntimeError> {
    if grants.context().is_none() {
        return Ok(());
    }
    let required = metadata.required_capabilities.iter();
    let required = required
        .map(|text| Capability::new(text))
        .collect::<Result<Vec<_>, _>>();
    let required = required.map_err(|error| RuntimeError::Metadata {
        id: id.clone(),
        problem: format!("of its `required-capabilities`, {error}"),
    })?;
    grants
        .validate(&required)
        .map_err(|source| RuntimeError::Capabilities {
            id: id.clone(),
            source,
        })
}

/// Returns the capabilities that a policy allows a component.
fn allowed(context: &SecurityContext, id: &str) -> Vec<String> {
    let rules = context.policy().rules().iter();
    let applies = |mut names: Box<dyn Iterator<Item = &str> + '_>, name: &str| {
        let mut none = true;
        let found = names.any(|other| {
            none = false;
            other == name
        });
        found || none
    };
    let rules = rules.filter(|rule| {
        rule.effect() == Effect::Allow
            && applies(Box::new(rule.components()), id)
            && applies(Box::new(rule.principals()), context.principal())
    });
    texts(rules.map(|rule| rule.capability()))
}

fn texts<'a>(capabilities: impl IntoIterator<Item = &'a Capability>) -> Vec<String> {
    let texts = capabilities.into_iter();
    texts.map(|capability| capability.as_str().to_owned()).collect()
}
