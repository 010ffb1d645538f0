//! Counts of what a store's concurrency holds, for tests: all are as before once tasks have ended.

use crate::component::concurrent::state::Tasks;
use crate::component::store::{AsContext, Store};

/// Numbers of what exists in a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(hidden)]
pub struct ConcurrencyCounts {
    pub tasks: usize,
    pub threads: usize,
    /// Subtasks, and ends of streams and futures.
    pub waitables: usize,
    pub sets: usize,
    /// Streams and futures.
    pub shared: usize,
    /// Futures, producers and consumers of the host that the store polls.
    pub activities: usize,
    /// Scopes of calls, of those that lend nothing too.
    pub scopes: usize,
    /// Stacks in use.
    pub stacks: usize,
    /// Stacks that were given up while code was suspended on them: their memory is gone for good.
    pub lost_stacks: usize,
}

impl Tasks {
    /// Returns whether all is as in a new store.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.tasks.is_empty()
            && self.threads.is_empty()
            && self.waitables.is_empty()
            && self.sets.is_empty()
            && self.shared.is_empty()
            && self.activities.is_empty()
            && self.instances.values().all(|instance| instance.backpressure == 0)
    }
}

impl<T: Send + 'static> Store<T> {
    /// Counts what the store's concurrency holds.
    #[doc(hidden)]
    pub fn concurrency_counts(&self) -> ConcurrencyCounts {
        let core = self.as_context().core;
        core.close_dropped();
        let scopes = core.state().scopes.len();
        let tasks = core.tasks();
        ConcurrencyCounts {
            tasks: tasks.tasks.len(),
            threads: tasks.threads.len(),
            waitables: tasks.waitables.len(),
            sets: tasks.sets.len(),
            shared: tasks.shared.len(),
            activities: tasks.activities.len(),
            scopes,
            stacks: tasks.stacks.live(),
            lost_stacks: tasks.stacks.lost(),
        }
    }
}
