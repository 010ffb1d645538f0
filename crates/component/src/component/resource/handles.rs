//! Resource handle tables: one for each component instance.
//!
//! Implements the specification's "Table State" and "Resource State": one index space for all resource types of an
//! instance, indices from 1, freed ones are reused.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::component::concurrent::state::{SetKey, WaitableKey};
use crate::error::{ResourceError, TrapKind};

/// Handles, and loans of them, that a store still has room for. A table keeps the room that it once took.
#[derive(Debug)]
pub(crate) struct HandleBudget {
    left: AtomicU32,
    limit: u32,
}

impl HandleBudget {
    pub(crate) fn new(limit: u32) -> HandleBudget {
        HandleBudget {
            left: AtomicU32::new(limit),
            limit,
        }
    }

    /// Takes room for one more; fails with the limit.
    pub(crate) fn take(&self) -> Result<(), u32> {
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        taken.map(drop).map_err(|_| self.limit)
    }

    pub(crate) fn give_back(&self, count: usize) {
        // No more is returned than was taken.
        self.left
            .fetch_add(u32::try_from(count).unwrap_or(0), Ordering::Relaxed);
    }
}

/// Room for one that is no handle: a task. It is given back at its end.
#[derive(Debug)]
pub(crate) struct Room(Arc<HandleBudget>);

impl Room {
    /// Takes room for one; fails with the limit.
    pub(crate) fn take(budget: &Arc<HandleBudget>) -> Result<Room, u32> {
        budget.take().map(|()| Room(Arc::clone(budget)))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.0.give_back(1);
    }
}

/// One entry: a resource that the instance owns or has borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handle {
    Own {
        resource: u32,
        rep: u32,
        /// Calls in flight that borrow it.
        lends: u32,
    },
    Borrow {
        resource: u32,
        rep: u32,
        /// The scope of the call that lent it.
        scope: usize,
    },
    /// A subtask, or the end of a stream or future.
    Waitable(WaitableKey),
    WaitableSet(SetKey),
}

/// The number of no resource: of handles that are of none.
const NO_RESOURCE: u32 = u32::MAX;

impl Handle {
    fn resource(self) -> u32 {
        match self {
            Handle::Own { resource, .. } | Handle::Borrow { resource, .. } => resource,
            Handle::Waitable(_) | Handle::WaitableSet(_) => NO_RESOURCE,
        }
    }

    pub(crate) fn rep(self) -> u32 {
        match self {
            Handle::Own { rep, .. } | Handle::Borrow { rep, .. } => rep,
            Handle::Waitable(_) | Handle::WaitableSet(_) => 0,
        }
    }
}

#[derive(Debug)]
enum TableEntry {
    Free { next: Option<usize> },
    Live(Handle),
}

/// The handles of one component instance.
#[derive(Debug)]
pub(crate) struct HandleTable {
    slots: Vec<TableEntry>,
    free: Option<usize>,
    live: u32,
    room: Arc<HandleBudget>,
}

/// The most handles of one table.
const MAX_HANDLES: usize = (1 << 28) - 1;

impl HandleTable {
    /// Creates a table that grows as long as its store has room, to 2^28 - 1 handles at most.
    pub(crate) fn new(room: Arc<HandleBudget>) -> HandleTable {
        HandleTable {
            slots: Vec::new(),
            free: None,
            live: 0,
            room,
        }
    }

    pub(crate) fn insert(&mut self, handle: Handle) -> Result<u32, TrapKind> {
        let position = match self.free {
            Some(position) => {
                if let TableEntry::Free { next } = self.slots[position] {
                    self.free = next;
                }
                self.slots[position] = TableEntry::Live(handle);
                position
            }
            None => {
                let full = |handles| TrapKind::Resource(ResourceError::TableFull(handles));
                if self.slots.len() >= MAX_HANDLES {
                    return Err(full(self.live));
                }
                self.room.take().map_err(full)?;
                self.slots.push(TableEntry::Live(handle));
                self.slots.len() - 1
            }
        };
        self.live += 1;
        // Below 2^28 by the limit.
        Ok(u32::try_from(position + 1).unwrap_or(u32::MAX))
    }

    /// Returns the handle at `index`, which must be of `resource`.
    pub(crate) fn get(&mut self, index: u32, resource: u32) -> Result<&mut Handle, TrapKind> {
        let slot = position(index).and_then(|position| self.slots.get_mut(position));
        match slot {
            Some(TableEntry::Live(handle)) if handle.resource() == resource => Ok(handle),
            Some(TableEntry::Live(_)) => Err(TrapKind::Resource(ResourceError::WrongType(index))),
            _ => Err(TrapKind::Resource(ResourceError::UnknownHandle(index))),
        }
    }

    /// Removes the handle at `index`. An own handle that is lent stays, and the removal traps.
    pub(crate) fn remove(&mut self, index: u32, resource: u32) -> Result<Handle, TrapKind> {
        let handle = *self.get(index, resource)?;
        if let Handle::Own { lends: 1.., .. } = handle {
            return Err(TrapKind::Resource(ResourceError::Lent(index)));
        }
        self.free(index);
        Ok(handle)
    }

    fn free(&mut self, index: u32) {
        if let Some(position) = position(index) {
            self.slots[position] = TableEntry::Free { next: self.free };
            self.free = Some(position);
            self.live -= 1;
        }
    }

    /// Returns the handle at `index`, of any kind.
    pub(crate) fn get_any(&self, index: u32) -> Result<Handle, TrapKind> {
        match position(index).and_then(|position| self.slots.get(position)) {
            Some(TableEntry::Live(handle)) => Ok(*handle),
            _ => Err(TrapKind::Resource(ResourceError::UnknownHandle(index))),
        }
    }

    /// Removes the handle at `index`, which is not a resource's.
    pub(crate) fn remove_any(&mut self, index: u32) -> Result<Handle, TrapKind> {
        let handle = self.get_any(index)?;
        self.free(index);
        Ok(handle)
    }

    /// Ends one loan of the own handle at `index`.
    pub(crate) fn end_lend(&mut self, index: u32) {
        let slot = position(index).and_then(|position| self.slots.get_mut(position));
        if let Some(TableEntry::Live(Handle::Own { lends, .. })) = slot {
            *lends = lends.saturating_sub(1);
        }
    }

    /// Removes all handles and resets the table to its initial state.
    pub(crate) fn clear(&mut self) {
        self.room.give_back(self.slots.len());
        (self.slots, self.free, self.live) = (Vec::new(), None, 0);
    }

    /// Returns the resources of the live handles.
    pub(crate) fn resources(&self) -> impl Iterator<Item = u32> {
        self.slots.iter().filter_map(|slot| match slot {
            TableEntry::Live(handle) => Some(handle.resource()).filter(|resource| *resource != NO_RESOURCE),
            TableEntry::Free { .. } => None,
        })
    }

    /// Returns whether there are waitables or waitable sets.
    pub(crate) fn has_waitables(&self) -> bool {
        self.slots.iter().any(|slot| {
            matches!(
                slot,
                TableEntry::Live(Handle::Waitable(_) | Handle::WaitableSet(_))
            )
        })
    }

    /// Returns the number of live handles.
    pub(crate) fn live(&self) -> u32 {
        self.live
    }
}

impl Drop for HandleTable {
    fn drop(&mut self) {
        self.room.give_back(self.slots.len());
    }
}

fn position(index: u32) -> Option<usize> {
    usize::try_from(index.checked_sub(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Handle = Handle::Own {
        resource: 3,
        rep: 7,
        lends: 0,
    };

    fn table(room: u32) -> HandleTable {
        HandleTable::new(Arc::new(HandleBudget::new(room)))
    }

    fn error(result: Result<Handle, TrapKind>) -> ResourceError {
        match result {
            Err(TrapKind::Resource(error)) => error,
            other => panic!("expected a resource error, got {other:?}"),
        }
    }

    #[test]
    fn indices_start_at_one_and_are_used_again() {
        let mut table = table(10);
        assert_eq!(table.insert(OWN), Ok(1));
        assert_eq!(table.insert(OWN), Ok(2));
        assert_eq!(table.remove(1, 3), Ok(OWN));
        assert_eq!(table.insert(OWN), Ok(1));
        assert_eq!(table.insert(OWN), Ok(3));
        assert_eq!(table.live(), 3);
    }

    #[test]
    fn forged_stale_and_wrong_handles_are_told_apart() {
        let mut table = table(10);
        assert_eq!(error(table.remove(0, 3)), ResourceError::UnknownHandle(0));
        assert_eq!(error(table.remove(1, 3)), ResourceError::UnknownHandle(1));
        assert_eq!(
            error(table.remove(u32::MAX, 3)),
            ResourceError::UnknownHandle(u32::MAX)
        );
        assert_eq!(table.insert(OWN), Ok(1));
        assert_eq!(error(table.remove(1, 4)), ResourceError::WrongType(1));
        assert_eq!(table.remove(1, 3), Ok(OWN));
        assert_eq!(error(table.remove(1, 3)), ResourceError::UnknownHandle(1));
    }

    #[test]
    fn a_lent_own_stays() {
        let mut table = table(10);
        assert_eq!(
            table.insert(Handle::Own {
                resource: 3,
                rep: 7,
                lends: 1
            }),
            Ok(1)
        );
        assert_eq!(error(table.remove(1, 3)), ResourceError::Lent(1));
        table.end_lend(1);
        assert_eq!(table.remove(1, 3), Ok(OWN));
    }

    #[test]
    fn the_table_is_bounded() {
        let mut table = table(1);
        assert_eq!(table.insert(OWN), Ok(1));
        assert_eq!(
            table.insert(OWN),
            Err(TrapKind::Resource(ResourceError::TableFull(1)))
        );
    }

    #[test]
    fn tables_share_the_room_of_their_store() {
        let room = Arc::new(HandleBudget::new(3));
        let mut first = HandleTable::new(Arc::clone(&room));
        let mut second = HandleTable::new(Arc::clone(&room));
        let full = Err(TrapKind::Resource(ResourceError::TableFull(3)));
        assert_eq!(
            (first.insert(OWN), first.insert(OWN), second.insert(OWN)),
            (Ok(1), Ok(2), Ok(1))
        );
        assert_eq!(
            (first.insert(OWN), second.insert(OWN)),
            (full.clone(), full.clone())
        );
        // Freed room is available to this table, not to another.
        assert_eq!(first.remove(1, 3), Ok(OWN));
        assert_eq!(second.insert(OWN), full);
        assert_eq!(first.insert(OWN), Ok(1));
        drop(first);
        assert_eq!(
            (second.insert(OWN), second.insert(OWN), second.insert(OWN)),
            (Ok(2), Ok(3), full)
        );
    }
}
