//! The tables of the file.

use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};

use crate::error::Failure;

/// Version of the file's format that this library writes. It reads no newer one.
pub const FORMAT_VERSION: u64 = 1;

pub(crate) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
pub(crate) const CONFIGURATION: TableDefinition<'_, (&str, &str), &[u8]> =
    TableDefinition::new("configuration");
pub(crate) const QUEUES: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("queues");
pub(crate) const DEAD: TableDefinition<'_, u64, (&str, &[u8], &[u8])> = TableDefinition::new("dead");
/// By id: its number, and its time in milliseconds.
pub(crate) const SEEN: TableDefinition<'_, (&str, &[u8]), (u64, u64)> = TableDefinition::new("seen");
/// The ids in the order of their numbers.
pub(crate) const SEEN_ORDER: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("seen-order");
pub(crate) const SEEN_COUNT: TableDefinition<'_, &str, u64> = TableDefinition::new("seen-count");

/// Empty between changes.
pub(crate) const ROOM: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("room");

pub(crate) const FORMAT: &str = "format";
/// Number of commits. Tells after a failure whether the last is in the file.
pub(crate) const BATCH: &str = "batch";
/// The last number that an entry of a queue, a dead letter or an id got. Numbers are never used again.
pub(crate) const SEQUENCE: &str = "sequence";
pub(crate) const DEAD_LETTERS: &str = "dead";
pub(crate) const DEAD_BYTES: &str = "dead-bytes";
/// Dead letters that were dropped for newer ones.
pub(crate) const DEAD_LOST: &str = "dead-lost";

/// All tables, for writing.
pub(crate) struct Tables<'t> {
    pub(crate) meta: Table<'t, &'static str, u64>,
    pub(crate) configuration: Table<'t, (&'static str, &'static str), &'static [u8]>,
    pub(crate) queues: Table<'t, (&'static str, u64), &'static [u8]>,
    pub(crate) dead: Table<'t, u64, (&'static str, &'static [u8], &'static [u8])>,
    pub(crate) seen: Table<'t, (&'static str, &'static [u8]), (u64, u64)>,
    pub(crate) seen_order: Table<'t, (&'static str, u64), &'static [u8]>,
    pub(crate) seen_count: Table<'t, &'static str, u64>,
    pub(crate) limits: &'t Limits,
}

/// Bytes that are free after each commit that adds something: 16 pages with their header. A removal on a full disk needs about
/// ten.
const ROOM_BYTES: usize = 60 << 10;

/// Bounds that changes keep.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) dead_letters: u64,
    pub(crate) dead_bytes: u64,
    pub(crate) seen: u64,
    pub(crate) seen_millis: u64,
}

impl<'t> Tables<'t> {
    pub(crate) fn open(transaction: &'t WriteTransaction, limits: &'t Limits) -> Result<Tables<'t>, Failure> {
        Ok(Tables {
            meta: transaction.open_table(META)?,
            configuration: transaction.open_table(CONFIGURATION)?,
            queues: transaction.open_table(QUEUES)?,
            dead: transaction.open_table(DEAD)?,
            seen: transaction.open_table(SEEN)?,
            seen_order: transaction.open_table(SEEN_ORDER)?,
            seen_count: transaction.open_table(SEEN_COUNT)?,
            limits,
        })
    }

    /// Returns a number of `meta`; 0 if it was never set.
    pub(crate) fn number(&self, name: &str) -> Result<u64, Failure> {
        Ok(self.meta.get(name)?.map_or(0, |value| value.value()))
    }

    pub(crate) fn set_number(&mut self, name: &str, value: u64) -> Result<(), Failure> {
        self.meta.insert(name, value)?;
        Ok(())
    }

    /// Checks that the file has room for a removal beside all changes of this commit, or grows it.
    pub(crate) fn leave_room(transaction: &WriteTransaction) -> Result<(), Failure> {
        let mut room = transaction.open_table(ROOM)?;
        let reserved = vec![0; ROOM_BYTES];
        room.insert(0, reserved.as_slice())?;
        // Its pages are free again, since they were never committed.
        room.remove(0)?;
        Ok(())
    }

    /// Returns a number that was never used.
    pub(crate) fn next(&mut self) -> Result<u64, Failure> {
        let next = self.number(SEQUENCE)?.checked_add(1);
        let next = next.ok_or_else(|| Failure::Damaged("the numbers of entries are used up".to_owned()))?;
        self.set_number(SEQUENCE, next)?;
        Ok(next)
    }
}
