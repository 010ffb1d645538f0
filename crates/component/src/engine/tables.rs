//! Limits of tables at instantiation.

/// Returns the maximum that a table had before it was compiled: `table_room.rs` has added room above it.
pub(super) fn true_maximum(minimum: u32, maximum: Option<u32>) -> Option<u32> {
    match maximum {
        Some(maximum) if maximum > minimum => Some(maximum - 1),
        other => other,
    }
}
