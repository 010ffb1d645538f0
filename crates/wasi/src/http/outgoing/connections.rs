//! Count of one component's open connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The connections of one component.
#[derive(Clone, Debug, Default)]
pub(in crate::http) struct Connections(Arc<AtomicUsize>);

/// One open connection; dropping it makes room for another.
#[derive(Debug)]
pub(super) struct Open(Connections);

impl Connections {
    /// Counts one more connection; `None` if `most` are open.
    pub(super) fn open(&self, most: usize) -> Option<Open> {
        let more = |open: usize| (open < most).then_some(open + 1);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .ok()?;
        Some(Open(self.clone()))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_ends_makes_room_for_another() {
        let connections = Connections::default();
        let first = connections.open(2).unwrap();
        let _second = connections.open(2).unwrap();
        assert!(connections.open(2).is_none());
        drop(first);
        assert!(connections.open(2).is_some());
        assert!(connections.open(1).is_none());
    }
}
