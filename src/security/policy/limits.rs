//! Limits of resources in a policy.

use std::fmt;
use std::sync::Arc;

use super::rule::Origin;
use crate::limits::{Resource, ResourceLimits};

/// Limits of a policy, to be added to a [`PolicyBuilder`](super::PolicyBuilder).
///
/// ```
/// use airssys_wasm::limits::ResourceLimits;
/// use airssys_wasm::security::{LimitsDraft, Policy};
///
/// let policy = Policy::builder()
///     .limits(LimitsDraft::new(ResourceLimits::new().with_memory_bytes(64 << 20)).for_component("reader"))
///     .build()?;
/// assert_eq!(policy.limits().len(), 1);
/// # Ok::<(), airssys_wasm::security::PolicyError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct LimitsDraft {
    pub(super) limits: ResourceLimits,
    pub(super) components: Vec<String>,
    pub(super) principals: Vec<String>,
    pub(super) origin: Origin,
}

impl LimitsDraft {
    /// Limits all components, unless they are named.
    pub fn new(limits: ResourceLimits) -> LimitsDraft {
        LimitsDraft {
            limits,
            components: Vec::new(),
            principals: Vec::new(),
            origin: Origin::Builder,
        }
    }

    /// Restricts the limits to a component; can be repeated. Without, they apply to all.
    pub fn for_component(mut self, id: impl Into<String>) -> Self {
        self.components.push(id.into());
        self
    }

    /// Restricts the limits to a principal; can be repeated. Without, they apply to all.
    pub fn for_principal(mut self, principal: impl Into<String>) -> Self {
        self.principals.push(principal.into());
        self
    }

    /// Sets the place that the limits come from: by default [`Origin::Builder`].
    pub fn from_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }
}

/// A checked limit of a policy: one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitRule {
    pub(super) resource: Resource,
    pub(super) value: u64,
    pub(super) components: Box<[Box<str>]>,
    pub(super) principals: Box<[Box<str>]>,
    pub(super) origin: Origin,
}

impl LimitRule {
    /// Returns the resource.
    pub fn resource(&self) -> Resource {
        self.resource
    }

    /// Returns the limit, in the unit of the resource.
    pub fn value(&self) -> u64 {
        self.value
    }

    /// Returns the components that the limit is restricted to; none if it applies to all.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.components.iter().map(|id| &**id)
    }

    /// Returns the principals that the limit is restricted to; none if it applies to all.
    pub fn principals(&self) -> impl Iterator<Item = &str> {
        self.principals.iter().map(|principal| &**principal)
    }

    /// Returns the place that the limit comes from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Returns the text of the place, for the source of an effective limit.
    pub(in crate::security) fn place(&self) -> Arc<str> {
        match &self.origin {
            Origin::Flag(flag) => flag.clone(),
            origin => origin.to_string().into(),
        }
    }

    /// Reports whether the limit applies to a component on behalf of a principal.
    pub(in crate::security) fn applies(&self, component: &str, principal: &str) -> bool {
        let includes =
            |names: &[Box<str>], name: &str| names.is_empty() || names.iter().any(|other| **other == *name);
        includes(&self.components, component) && includes(&self.principals, principal)
    }
}

/// Writes name, value and origin: `memory = 64MiB (policy.toml:7)`.
impl fmt::Display for LimitRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.resource.show(self.value);
        write!(f, "{} = {value} ({})", self.resource, self.origin)
    }
}
