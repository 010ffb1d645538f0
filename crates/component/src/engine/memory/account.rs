//! Counts of a store's memory and table elements, over all of its instances.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::{MemoryBudget, StoreLimits};
use crate::error::LimitExceeded;

/// Bytes that an element of a table counts in a [`MemoryBudget`]: the reference, and as much again for the room that
/// a table has ahead of its growth.
const ELEMENT: u64 = 16;

/// The counts of one store.
#[derive(Debug)]
pub(in crate::engine) struct Account {
    memory: Count,
    tables: Count,
    budget: Option<MemoryBudget>,
}

/// A number that stays within its limit.
#[derive(Debug)]
struct Count {
    name: (&'static str, &'static str),
    /// Lowered at most, and no further than to what is in use.
    limit: AtomicU64,
    used: AtomicU64,
}

/// A resource that an account counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Counted {
    /// Linear memory, in bytes.
    Memory,
    /// Elements of tables.
    Elements,
}

impl Account {
    pub(in crate::engine) fn new(limits: &StoreLimits) -> Arc<Account> {
        let count = |name, limit| Count {
            name,
            limit: AtomicU64::new(limit),
            used: AtomicU64::new(0),
        };
        Arc::new(Account {
            memory: count(("total_memory_bytes", "bytes"), limits.total_memory_bytes),
            tables: count(
                ("total_table_elements", "table elements"),
                limits.total_table_elements,
            ),
            budget: limits.memory_budget.clone(),
        })
    }

    fn count(&self, what: Counted) -> (&Count, u64) {
        match what {
            Counted::Memory => (&self.memory, 1),
            Counted::Elements => (&self.tables, ELEMENT),
        }
    }

    /// Returns the amount that the store may use in addition, as far as its own limit goes.
    pub(in crate::engine) fn left(&self, what: Counted) -> u64 {
        let (count, _) = self.count(what);
        count.limit().saturating_sub(count.used.load(Ordering::Relaxed))
    }

    /// Lowers the limit on memory to `bytes`; a higher number changes nothing.
    ///
    /// # Errors
    /// [`LimitExceeded`] if more is in use; then nothing is changed.
    pub(in crate::engine) fn lower_memory(&self, bytes: u64) -> Result<(), LimitExceeded> {
        self.memory.lower(bytes)
    }

    fn take(&self, what: Counted, amount: u64) -> Result<(), LimitExceeded> {
        let (count, bytes) = self.count(what);
        count.take(amount)?;
        let taken = match &self.budget {
            Some(budget) => budget.take(amount.saturating_mul(bytes)),
            None => Ok(()),
        };
        if taken.is_err() {
            count.give_back(amount);
        }
        taken
    }

    fn give_back(&self, what: Counted, amount: u64) {
        let (count, bytes) = self.count(what);
        count.give_back(amount);
        if let Some(budget) = &self.budget {
            budget.give_back(amount.saturating_mul(bytes));
        }
    }
}

impl Count {
    fn limit(&self) -> u64 {
        self.limit.load(Ordering::Relaxed)
    }

    fn lower(&self, limit: u64) -> Result<(), LimitExceeded> {
        match self.used.load(Ordering::Relaxed) {
            used if used > limit => Err(LimitExceeded::new(self.name, limit, 0, used)),
            _ => {
                self.limit.fetch_min(limit, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    fn take(&self, amount: u64) -> Result<(), LimitExceeded> {
        let limit = self.limit();
        let within = |used: u64| used.checked_add(amount).filter(|used| *used <= limit);
        let taken = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, within);
        match taken {
            Ok(_) => Ok(()),
            Err(used) => Err(LimitExceeded::new(self.name, limit, used, amount)),
        }
    }

    fn give_back(&self, amount: u64) {
        self.used.fetch_sub(amount, Ordering::Relaxed);
    }
}

/// An amount that is counted until this value is dropped.
#[derive(Debug)]
pub(in crate::engine) struct Charge {
    account: Arc<Account>,
    what: Counted,
    amount: u64,
}

impl Charge {
    /// Counts `amount`.
    ///
    /// # Errors
    /// [`LimitExceeded`] with the name of the limit; then nothing is counted.
    pub(in crate::engine) fn new(
        account: &Arc<Account>,
        what: Counted,
        amount: u64,
    ) -> Result<Charge, LimitExceeded> {
        account.take(what, amount)?;
        Ok(Charge {
            account: Arc::clone(account),
            what,
            amount,
        })
    }

    /// Counts `amount` from now on.
    ///
    /// # Errors
    /// As [`Charge::new`]; then the count is as before.
    pub(in crate::engine) fn set(&mut self, amount: u64) -> Result<(), LimitExceeded> {
        match amount.checked_sub(self.amount) {
            Some(more) => self.account.take(self.what, more)?,
            None => self.account.give_back(self.what, self.amount - amount),
        }
        self.amount = amount;
        Ok(())
    }

    /// Counts the same amount once more.
    ///
    /// # Errors
    /// As [`Charge::new`].
    pub(in crate::engine) fn again(&self) -> Result<Charge, LimitExceeded> {
        Charge::new(&self.account, self.what, self.amount)
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.account.give_back(self.what, self.amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_memories_and_tables_of_a_store_share_its_limits_and_its_budget() {
        let budget = MemoryBudget::new(1000);
        let limits = StoreLimits {
            total_memory_bytes: 500,
            total_table_elements: 50,
            memory_budget: Some(budget.clone()),
            ..StoreLimits::default()
        };
        let [one, other] = [&limits, &limits].map(Account::new);
        let mut first = Charge::new(&one, Counted::Memory, 300).expect("it fits");
        let refused = Charge::new(&one, Counted::Memory, 201).expect_err("300 are in use");
        assert_eq!(refused.limit, "total_memory_bytes");
        assert_eq!(
            (refused.allowed, refused.used, refused.requested),
            (500, 300, 201)
        );
        let tables = Charge::new(&one, Counted::Elements, 25).expect("it fits");
        assert_eq!((one.left(Counted::Elements), budget.used()), (25, 300 + 25 * 16));
        // The budget refuses what the store's own limit allows.
        let refused = Charge::new(&other, Counted::Memory, 301).expect_err("700 are in use");
        assert_eq!((refused.limit, refused.used), ("memory_budget", 700));
        assert_eq!(other.left(Counted::Memory), 500, "nothing is left of the refusal");
        let refused = first.set(601).expect_err("it does not fit");
        assert_eq!(refused.requested, 301);
        first.set(100).expect("it shrinks");
        let copy = first.again().expect("it fits");
        assert_eq!((one.left(Counted::Memory), budget.used()), (300, 600));
        drop((first, copy, tables));
        assert_eq!(
            (one.left(Counted::Memory), one.left(Counted::Elements)),
            (500, 50)
        );
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_limit_is_lowered_no_further_than_to_what_is_in_use() {
        let limits = StoreLimits {
            total_memory_bytes: 500,
            ..StoreLimits::default()
        };
        let account = Account::new(&limits);
        let mut charge = Charge::new(&account, Counted::Memory, 300).expect("it fits");
        account.lower_memory(1000).expect("it changes nothing");
        assert_eq!(account.left(Counted::Memory), 200);
        let refused = account.lower_memory(299).expect_err("300 are in use");
        assert_eq!((refused.allowed, refused.requested), (299, 300));
        assert_eq!(account.left(Counted::Memory), 200, "nothing is changed");
        account.lower_memory(300).expect("it fits");
        assert!(charge.set(301).is_err());
        charge.set(100).expect("it shrinks");
        charge.set(300).expect("it fits");
    }
}
