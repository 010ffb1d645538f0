//! Cases, and their expected results.

use crate::{Failure, FailureKind, TrapClass};
use airssys_wasm_component::component::Val;
use airssys_wasm_component::engine::StoreLimits;
use airssys_wasm_component::error::TrapKind;

/// The function that a case calls.
pub const RUN: &str = "run";

/// The import name of a case's provider.
pub const HOST: &str = "host";

/// A guest that breaks a rule, or almost does.
#[derive(Debug)]
pub struct Case {
    /// A unique name.
    pub name: String,
    /// The rule that it concerns.
    pub group: &'static str,
    /// A component whose exported functions form the instance `host` that the guest imports: calls of them go through the
    /// engine's host functions.
    pub provider: Option<String>,
    /// Provides the instance `host` that test suites expect instead, with host resources.
    pub host_resources: bool,
    /// The guest, which exports [`RUN`].
    pub component: String,
    /// Arguments of [`RUN`].
    pub arguments: Vec<Val>,
    /// The expected result.
    pub expected: Expected,
    /// The expected result of the reference engine.
    pub reference: Reference,
    /// The limits of the store.
    pub limits: StoreLimits,
    /// Set if the case depends on these limits, which sessions of subjects do not use: then it is not compared.
    pub limited: bool,
}

/// The expected result of a case.
#[derive(Clone, Debug)]
pub enum Expected {
    /// The bytes are not a component; a part of the message.
    Invalid(&'static str),
    /// The component is not supported; a part of the message.
    Unsupported(&'static str),
    /// An import is missing.
    Missing,
    /// Instantiation fails at a limit of the host; a part of the message.
    Instantiate(&'static str),
    /// The guest is stopped by exactly this trap, and its instance is not entered again. [`TrapKind::Adapter`] holds the
    /// beginning of the message.
    Trap(TrapKind, TrapClass),
    /// The host's mistake: a part of the message. The instance is unchanged.
    Wrong(&'static str),
    /// No rule is broken: this value is returned.
    Value(Option<Val>),
}

/// The result of the reference engine, if comparable.
#[derive(Clone, Debug)]
pub enum Reference {
    /// It fails in the same category, or returns the same value.
    Same,
    /// It fails in this category, for a reason.
    Differs(FailureKind, &'static str),
    /// It returns, for a reason.
    Returns(&'static str),
    /// It cannot run the case, for a reason.
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
        self.reference(Reference::Not("the limits are specific to this library"))
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

    /// Returns the category in which every engine must fail.
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

    /// Checks that an outcome on a backend of this library has the right category.
    ///
    /// # Errors
    /// The expected and the actual outcome.
    pub fn agrees(&self, outcome: &Result<Option<Val>, Failure>) -> Result<(), String> {
        match (&self.expected, outcome) {
            _ if self.limited => Ok(()),
            (Expected::Value(expected), Ok(value)) if expected == value => Ok(()),
            (Expected::Value(expected), outcome) => Err(format!("expected {expected:?}, got {outcome:?}")),
            (_, outcome) => self.fails_as(self.category(), outcome),
        }
    }

    /// Checks that the reference engine's outcome is the known one.
    ///
    /// # Errors
    /// The expected and the actual outcome.
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

/// Returns limits far below the defaults, so that a case's use of host resources is noticed.
pub(super) fn limits() -> StoreLimits {
    let mut limits = StoreLimits::default();
    limits.memory_bytes = 16 << 20;
    limits.memories = 20;
    limits.table_elements = 10_000;
    limits.tables = 50;
    limits.core_instances = 100;
    limits.handles = 1_000;
    limits.lift_bytes = 4 << 20;
    limits
}
