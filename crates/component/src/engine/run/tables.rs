//! Limits of tables at instantiation.

/// Returns the maximum that a table had before it was compiled: `compile/growable_tables.rs` has added room above it.
pub(in crate::engine) fn true_maximum(minimum: u32, maximum: Option<u32>) -> Option<u32> {
    match maximum {
        Some(maximum) if maximum > minimum => Some(maximum - 1),
        other => other,
    }
}
