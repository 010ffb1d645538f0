//! What a case is, and what has to come of it.

use crate::{Failure, FailureKind, TrapClass};
use airssys_wasm_component::component::Val;
use airssys_wasm_component::engine::StoreLimits;
use airssys_wasm_component::error::TrapKind;

/// The function that a case calls.
pub const RUN: &str = "run";

/// The name under which a case's provider is imported.
pub const HOST: &str = "host";

/// A guest that breaks a rule, or comes near to it.
#[derive(Debug)]
pub struct Case {
    /// Like no other's.
    pub name: String,
    /// What it is about.
    pub group: &'static str,
    /// The component whose exported functions are the instance `host` that the guest imports: calls of them go
    /// through the engine's host functions.
    pub provider: Option<String>,
    /// Whether the instance `host` is the one that test suites expect instead, with resources of the host's.
    pub host_resources: bool,
    /// The guest, which exports [`RUN`].
    pub component: String,
    /// What [`RUN`] is called with.
    pub arguments: Vec<Val>,
    /// What has to come of it.
    pub expected: Expected,
    /// Whether the reference engine has to do the same.
    pub reference: Reference,
    /// The limits of the store.
    pub limits: StoreLimits,
    /// Whether it rests on these limits, which the sessions of subjects do not take: then it is not compared.
    pub limited: bool,
}

/// What comes of a case.
#[derive(Clone, Debug)]
pub enum Expected {
    /// The bytes are no component; a part of what is said.
    Invalid(&'static str),
    /// The component is not supported; a part of what is said.
    Unsupported(&'static str),
    /// An import is missing.
    Missing,
    /// There is no instance, by a limit of the host's; a part of what is said.
    Instantiate(&'static str),
    /// The guest is stopped by exactly this, and its instance is not entered again.
    /// [`TrapKind::Adapter`] holds the beginning of the text.
    Trap(TrapKind, TrapClass),
    /// The host's mistake: a part of what is said. The instance is as it was.
    Wrong(&'static str),
    /// Nothing is broken: this is returned.
    Value(Option<Val>),
}

/// Whether the reference engine is comparable.
#[derive(Clone, Debug)]
pub enum Reference {
    /// It fails in the same category, or returns the same.
    Same,
    /// It ends in this category, for a reason.
    Differs(FailureKind, &'static str),
    /// It returns, for a reason.
    Returns(&'static str),
    /// It cannot be asked, for a reason.
    Not(&'static str),
}

impl Case {
    pub(super) fn new(
        group: &'static str,
        name: impl Into<String>,
        component: String,
        expected: Expected,
    ) -> Case {
        Case {
            name: name.into(),
            group,
            provider: None,
            host_resources: false,
            component,
            arguments: Vec::new(),
            expected,
            reference: Reference::Same,
            limits: limits(),
            limited: false,
        }
    }

    pub(super) fn provider(mut self, provider: String) -> Case {
        self.provider = Some(provider);
        self
    }

    pub(super) fn host_resources(mut self) -> Case {
        self.host_resources = true;
        self
    }

    pub(super) fn limited(mut self) -> Case {
        self.limited = true;
        self.reference(Reference::Not("the limits are the library's own"))
    }

    pub(super) fn limits(mut self, limits: StoreLimits) -> Case {
        self.limits = limits;
        self
    }

    pub(super) fn arguments(mut self, arguments: Vec<Val>) -> Case {
        self.arguments = arguments;
        self
    }

    pub(super) fn reference(mut self, reference: Reference) -> Case {
        self.reference = reference;
        self
    }

    /// The category in which every engine has to fail.
    pub fn category(&self) -> Option<FailureKind> {
        Some(match &self.expected {
            Expected::Invalid(_) => FailureKind::Invalid,
            Expected::Unsupported(what) => FailureKind::Unsupported((*what).to_owned()),
            Expected::Missing => FailureKind::Unlinkable,
            Expected::Instantiate(_) => FailureKind::Trap(TrapClass::Limit),
            Expected::Trap(_, class) => FailureKind::Trap(*class),
            Expected::Wrong(_) => FailureKind::Host,
            Expected::Value(_) => return None,
        })
    }

    /// Whether an outcome on a backend of this library is of the right category.
    ///
    /// # Errors
    /// What was expected and what came.
    pub fn agrees(&self, outcome: &Result<Option<Val>, Failure>) -> Result<(), String> {
        match (&self.expected, outcome) {
            _ if self.limited => Ok(()),
            (Expected::Value(expected), Ok(value)) if expected == value => Ok(()),
            (Expected::Value(expected), outcome) => Err(format!("expected {expected:?}, got {outcome:?}")),
            (_, outcome) => self.fails_as(self.category(), outcome),
        }
    }

    /// Whether the reference engine's outcome is the one that is known.
    ///
    /// # Errors
    /// What was expected and what came.
    pub fn reference_agrees(&self, outcome: &Result<Option<Val>, Failure>) -> Result<(), String> {
        match &self.reference {
            Reference::Same => self.agrees(outcome),
            Reference::Differs(kind, _) => self.fails_as(Some(kind.clone()), outcome),
            Reference::Returns(_) if outcome.is_ok() => Ok(()),
            Reference::Returns(reason) => Err(format!("expected a value ({reason}), got {outcome:?}")),
            Reference::Not(_) => Ok(()),
        }
    }

    fn fails_as(
        &self,
        kind: Option<FailureKind>,
        outcome: &Result<Option<Val>, Failure>,
    ) -> Result<(), String> {
        match (kind, outcome) {
            (Some(FailureKind::Unsupported(what)), Err(failure)) if matches!(&failure.kind, FailureKind::Unsupported(got) if got.contains(&what)) => {
                Ok(())
            }
            (Some(kind), Err(failure)) if failure.kind == kind => Ok(()),
            (kind, outcome) => Err(format!("expected {kind:?}, got {outcome:?}")),
        }
    }
}

/// Far less than the defaults: what a case takes of the host is seen.
pub(super) fn limits() -> StoreLimits {
    StoreLimits {
        memory_bytes: 16 << 20,
        memories: 20,
        table_elements: 10_000,
        tables: 50,
        core_instances: 100,
        handles: 1_000,
        lift_bytes: 4 << 20,
    }
}
