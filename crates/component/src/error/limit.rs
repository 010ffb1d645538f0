//! Limits that a request exceeds.

use std::fmt;

use crate::error::Error;

/// A request that exceeds a limit, with its figures.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitExceeded {
    /// The limit: the name of a field of [`StoreLimits`](crate::engine::StoreLimits).
    pub limit: &'static str,
    /// Unit of the figures: `bytes`, `table elements`.
    pub unit: &'static str,
    /// The limit's value.
    pub allowed: u64,
    /// The part of it that is in use, or reserved for others.
    pub used: u64,
    /// The amount that was requested in addition.
    pub requested: u64,
}

impl LimitExceeded {
    pub(crate) fn new(
        (limit, unit): (&'static str, &'static str),
        allowed: u64,
        used: u64,
        requested: u64,
    ) -> LimitExceeded {
        LimitExceeded {
            limit,
            unit,
            allowed,
            used,
            requested,
        }
    }
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LimitExceeded {
            limit,
            unit,
            allowed,
            used,
            requested,
        } = self;
        match used {
            0 => write!(f, "{requested} {unit} exceed the limit of {allowed} ({limit})"),
            used => write!(
                f,
                "{requested} {unit}, beside the {used} in use or reserved, exceed the limit of {allowed} ({limit})"
            ),
        }
    }
}

impl std::error::Error for LimitExceeded {}

impl From<LimitExceeded> for Error {
    fn from(exceeded: LimitExceeded) -> Error {
        Error::LimitExceeded(exceeded)
    }
}
