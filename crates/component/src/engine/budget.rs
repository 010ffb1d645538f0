//! Memory budgets: a limit on the memory of many stores together.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::LimitExceeded;

/// Name and unit of the budget in errors.
const BUDGET: (&str, &str) = ("memory_budget", "bytes");

/// A limit on the memory of many stores together: the bytes of their linear memories, and 16 bytes for each element of
/// their tables. Stops many components, each within its own [`StoreLimits`](crate::engine::StoreLimits), from
/// exhausting the host's memory.
///
/// A store takes part in the budget of its [`StoreLimits::memory_budget`](crate::engine::StoreLimits::memory_budget).
/// When the budget is used up, `memory.grow` returns -1, a table does not grow beyond its minimum, and instantiation
/// ends in [`Error::LimitExceeded`](crate::Error::LimitExceeded). Neighbors go on: only the request that does not fit is refused. Bytes are
/// returned when a memory is dropped with its store, and when an [`InstancePool`](crate::component::InstancePool) resets it.
///
/// # Fairness
/// [`MemoryBudget::reserve`] sets bytes aside for a component. Whatever the others request, it can use its reserve.
/// The remainder is given to requests in the order in which they are made, and no component gets more of it than its own limit allows.
///
/// Cheap to clone; clones are the same budget, and the same reserve.
///
/// ```
/// # extern crate airssys_wasm_component as airssys_wasm;
/// use airssys_wasm::engine::{MemoryBudget, StoreLimits};
///
/// let budget = MemoryBudget::new(1 << 30);
/// let mut limits = StoreLimits::default();
/// limits.memory_budget = Some(budget.reserve(64 << 20)?);
/// assert_eq!((budget.used(), budget.reserved()), (0, 64 << 20));
/// # Ok::<(), airssys_wasm::error::LimitExceeded>(())
/// ```
#[derive(Clone)]
pub struct MemoryBudget(Arc<Share>);

/// The part of a budget that one component uses.
struct Share {
    pool: Arc<Pool>,
    /// Bytes that nothing else gets.
    reserve: u64,
    /// Bytes in use. Written only while the pool is locked.
    used: Mutex<u64>,
}

struct Pool {
    limit: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    used: u64,
    reserved: u64,
    /// Sum over all shares of what they use or have reserved, whichever is more.
    committed: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while it was held left at worst a step undone; the figures stay within the limit.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryBudget {
    /// Creates a budget of `limit` bytes.
    pub fn new(limit: u64) -> MemoryBudget {
        MemoryBudget(Arc::new(Share {
            pool: Arc::new(Pool {
                limit,
                state: Mutex::default(),
            }),
            reserve: 0,
            used: Mutex::default(),
        }))
    }

    /// Sets `bytes` of this budget aside for the stores that get the returned budget, until its last clone and the last
    /// of these stores are dropped. They may use more, as far as the remainder allows.
    ///
    /// # Errors
    /// [`LimitExceeded`] if fewer bytes are left.
    pub fn reserve(&self, bytes: u64) -> Result<MemoryBudget, LimitExceeded> {
        let pool = &self.0.pool;
        let mut state = lock(&pool.state);
        let committed = pool.fits(state.committed, 0, bytes)?;
        state.committed = committed;
        state.reserved += bytes;
        Ok(MemoryBudget(Arc::new(Share {
            pool: Arc::clone(pool),
            reserve: bytes,
            used: Mutex::default(),
        })))
    }

    /// Returns the budget's limit, in bytes.
    pub fn limit(&self) -> u64 {
        self.0.pool.limit
    }

    /// Returns the number of bytes in use, by all stores of the budget.
    pub fn used(&self) -> u64 {
        lock(&self.0.pool.state).used
    }

    /// Returns the number of bytes that are set aside by [`MemoryBudget::reserve`], used or not, in the whole budget.
    pub fn reserved(&self) -> u64 {
        lock(&self.0.pool.state).reserved
    }

    /// Returns the number of bytes in use by the stores that have this reserve, or by those without one.
    pub fn used_here(&self) -> u64 {
        *lock(&self.0.used)
    }

    pub(in crate::engine) fn take(&self, bytes: u64) -> Result<(), LimitExceeded> {
        let Share { pool, reserve, used } = &*self.0;
        let mut state = lock(&pool.state);
        let mut used = lock(used);
        let after = used.saturating_add(bytes);
        let unused = reserve.saturating_sub(*used);
        let committed = pool.fits(state.committed, unused, bytes)?;
        state.committed = committed;
        state.used += bytes;
        *used = after;
        Ok(())
    }

    pub(in crate::engine) fn give_back(&self, bytes: u64) {
        let Share { pool, reserve, used } = &*self.0;
        let mut state = lock(&pool.state);
        let mut used = lock(used);
        let after = used.saturating_sub(bytes);
        let freed = (*used).max(*reserve) - after.max(*reserve);
        state.committed = state.committed.saturating_sub(freed);
        state.used = state.used.saturating_sub(bytes);
        *used = after;
    }
}

impl Pool {
    /// Returns the sum of what is committed once `bytes` more are in use, of which `unused` are committed already.
    fn fits(&self, committed: u64, unused: u64, bytes: u64) -> Result<u64, LimitExceeded> {
        let more = bytes.saturating_sub(unused);
        let after = committed.checked_add(more).filter(|after| *after <= self.limit);
        after.ok_or_else(|| LimitExceeded::new(BUDGET, self.limit, committed.saturating_sub(unused), bytes))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut state = lock(&self.pool.state);
        state.committed = state.committed.saturating_sub(self.reserve);
        state.reserved = state.reserved.saturating_sub(self.reserve);
    }
}

/// Equal if they are the same budget, and the same reserve.
impl PartialEq for MemoryBudget {
    fn eq(&self, other: &MemoryBudget) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for MemoryBudget {}

impl fmt::Debug for MemoryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBudget")
            .field("limit", &self.limit())
            .field("used", &self.used())
            .field("reserve", &self.0.reserve)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_stays_for_its_component_whatever_the_others_request() {
        let budget = MemoryBudget::new(100);
        let careful = budget.reserve(30).expect("it fits");
        assert_eq!(
            budget.take(71).expect_err("30 are reserved").to_string(),
            "71 bytes, beside the 30 in use or reserved, exceed the limit of 100 (memory_budget)"
        );
        budget.take(70).expect("it fits");
        careful.take(30).expect("it is reserved");
        let refused = careful.take(1).expect_err("the rest is in use");
        assert_eq!((refused.allowed, refused.used, refused.requested), (100, 100, 1));
        budget.give_back(70);
        careful.take(70).expect("the rest is free again");
        assert_eq!(
            (budget.used(), careful.used_here(), budget.used_here()),
            (100, 100, 0)
        );
        careful.give_back(90);
        assert!(budget.take(71).is_err(), "unused reserve is not given away");
        budget.take(70).expect("it fits");
        assert!(budget.reserve(1).is_err(), "nothing is left to reserve");
        budget.give_back(70);
        careful.give_back(10);
        drop(careful);
        assert_eq!((budget.used(), budget.reserved()), (0, 0));
        budget.take(100).expect("everything is free");
    }

    #[test]
    fn figures_that_overflow_are_refused() {
        let budget = MemoryBudget::new(u64::MAX);
        budget.take(1).expect("it fits");
        assert!(budget.take(u64::MAX).is_err());
        assert!(budget.reserve(u64::MAX).is_err());
        assert_eq!(budget.used(), 1);
    }

    #[test]
    fn requests_of_many_threads_leave_nothing_behind() {
        let budget = MemoryBudget::new(1000);
        std::thread::scope(|scope| {
            for reserve in [0, 10, 100, 200] {
                let share = budget.reserve(reserve).expect("it fits");
                scope.spawn(move || {
                    for bytes in (0..10_000).map(|n| n % 300) {
                        if share.take(bytes).is_ok() {
                            assert!(share.used() <= 1000);
                            share.give_back(bytes);
                        } else {
                            assert!(bytes > reserve, "{bytes} of {reserve} are refused");
                        }
                    }
                });
            }
        });
        let state = lock(&budget.0.pool.state);
        assert_eq!((state.used, state.reserved, state.committed), (0, 0, 0));
    }
}
