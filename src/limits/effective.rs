//! Limits that apply, and the places that they come from.

use std::fmt;
use std::sync::Arc;

use super::{Resource, ResourceLimits};

/// The place that a limit comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitSource {
    /// The library's default.
    Default,
    /// The configuration of the runtime.
    Runtime,
    /// The options of the component.
    Options,
    /// The component's manifest.
    Manifest,
    /// A policy; the text is the origin of its rule, as in `policy.toml:7`.
    Policy(Arc<str>),
    /// The component's own metadata.
    Metadata,
}

impl fmt::Display for LimitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LimitSource::Default => f.write_str("the default"),
            LimitSource::Runtime => f.write_str("the runtime's configuration"),
            LimitSource::Options => f.write_str("the component's options"),
            LimitSource::Manifest => f.write_str("the component's manifest"),
            LimitSource::Policy(origin) => write!(f, "the policy, {origin}"),
            LimitSource::Metadata => f.write_str("the component's own metadata"),
        }
    }
}

/// A limit that applies.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EffectiveLimit {
    /// The resource.
    pub resource: Resource,
    /// The value, in the resource's [unit](Resource::unit).
    pub value: u64,
    /// The place that it comes from.
    pub source: LimitSource,
}

/// Writes name, value and source: `memory = 64MiB, by the policy, policy.toml:7`.
impl fmt::Display for EffectiveLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.resource.show(self.value);
        write!(f, "{} = {value}, by {}", self.resource, self.source)
    }
}

/// The limits of a component: of each resource the smallest value that any place sets, with that place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EffectiveLimits([Option<EffectiveLimit>; Resource::ALL.len()]);

impl EffectiveLimits {
    /// Returns the limit of a resource; `None` if it is not limited.
    pub fn get(&self, resource: Resource) -> Option<&EffectiveLimit> {
        self.0[resource as usize].as_ref()
    }

    /// Iterates over the limits, in the order of [`Resource::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = &EffectiveLimit> {
        self.0.iter().flatten()
    }

    /// Returns the value of a limit; the largest number if the resource is not limited.
    pub(crate) fn value(&self, resource: Resource) -> u64 {
        self.get(resource).map_or(u64::MAX, |limit| limit.value)
    }

    /// Sets a limit, in place of another one.
    pub(crate) fn set(&mut self, resource: Resource, value: u64, source: LimitSource) {
        self.0[resource as usize] = Some(EffectiveLimit {
            resource,
            value,
            source,
        });
    }

    /// Applies a limit if it is smaller than the present one. Of equal ones, the first stays.
    pub(crate) fn lower(&mut self, resource: Resource, value: u64, source: LimitSource) {
        if self.get(resource).is_none_or(|present| value < present.value) {
            self.set(resource, value, source);
        }
    }

    /// Applies the limits of one place.
    pub(crate) fn lower_all(&mut self, limits: &ResourceLimits, source: &LimitSource) {
        for (resource, value) in limits.iter() {
            self.lower(resource, value, source.clone());
        }
    }

    /// Applies limits that have sources.
    pub(crate) fn lower_to(&mut self, others: &EffectiveLimits) {
        for limit in others.iter() {
            self.lower(limit.resource, limit.value, limit.source.clone());
        }
    }
}
