//! Reading what is committed.

use std::fmt;

use redb::{Database, ReadableDatabase};

use crate::change::DeadEntry;
use crate::error::Failure;
use crate::tables::{CONFIGURATION, DEAD, DEAD_LETTERS, DEAD_LOST, META, QUEUES};

/// An entry of a queue. `Debug` shows the number of its bytes: they may be secret.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueEntry {
    /// Its number: larger than those of all entries before it.
    pub number: u64,
    /// The value, unchanged.
    pub value: Vec<u8>,
}

impl fmt::Debug for QueueEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueEntry")
            .field("number", &self.number)
            .field("value_bytes", &self.value.len())
            .finish()
    }
}

pub(crate) fn value(database: &Database, component: &str, key: &str) -> Result<Option<Vec<u8>>, Failure> {
    let table = database.begin_read()?.open_table(CONFIGURATION)?;
    Ok(table.get((component, key))?.map(|value| value.value().to_vec()))
}

pub(crate) fn configuration(database: &Database, component: &str) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let table = database.begin_read()?.open_table(CONFIGURATION)?;
    let mut values = Vec::new();
    for entry in table.range((component, "")..)? {
        let (key, value) = entry?;
        let (of, key) = key.value();
        if of != component {
            break;
        }
        values.push((key.to_owned(), value.value().to_vec()));
    }
    Ok(values)
}

/// Returns entries with numbers above `after`, until they have `most_bytes` or more.
pub(crate) fn queue(
    database: &Database,
    component: &str,
    after: Option<u64>,
    most_bytes: usize,
) -> Result<Vec<QueueEntry>, Failure> {
    let Some(first) = after.map_or(Some(0), |after| after.checked_add(1)) else {
        return Ok(Vec::new());
    };
    let table = database.begin_read()?.open_table(QUEUES)?;
    let (mut entries, mut bytes) = (Vec::new(), 0_usize);
    for entry in table.range((component, first)..=(component, u64::MAX))? {
        let (key, value) = entry?;
        if bytes >= most_bytes {
            break;
        }
        bytes = bytes.saturating_add(value.value().len().max(1));
        entries.push(QueueEntry {
            number: key.value().1,
            value: value.value().to_vec(),
        });
    }
    Ok(entries)
}

/// Returns the names of components that have entries, in order.
pub(crate) fn queues(database: &Database) -> Result<Vec<String>, Failure> {
    let table = database.begin_read()?.open_table(QUEUES)?;
    let mut names: Vec<String> = Vec::new();
    loop {
        let next = match names.last() {
            None => table.range::<(&str, u64)>(..)?.next(),
            Some(last) => {
                // The last entry of a component has a number below this: numbers are not used up.
                table.range((last.as_str(), u64::MAX)..)?.next()
            }
        };
        let Some(entry) = next else { return Ok(names) };
        let name = entry?.0.value().0.to_owned();
        names.push(name);
    }
}

/// Returns the oldest dead letters with numbers above `after`, at most `most`.
pub(crate) fn dead_letters(
    database: &Database,
    after: Option<u64>,
    most: usize,
) -> Result<Vec<DeadEntry>, Failure> {
    let Some(first) = after.map_or(Some(0), |after| after.checked_add(1)) else {
        return Ok(Vec::new());
    };
    let table = database.begin_read()?.open_table(DEAD)?;
    let mut letters = Vec::new();
    for entry in table.range(first..)?.take(most) {
        let (number, entry) = entry?;
        let (component, reason, value) = entry.value();
        letters.push(DeadEntry {
            number: number.value(),
            component: component.to_owned(),
            reason: reason.to_vec(),
            value: value.to_vec(),
        });
    }
    Ok(letters)
}

/// Returns the numbers of dead letters: kept, and dropped for newer ones.
pub(crate) fn dead_letter_counts(database: &Database) -> Result<(u64, u64), Failure> {
    let table = database.begin_read()?.open_table(META)?;
    let number = |name| -> Result<u64, Failure> { Ok(table.get(name)?.map_or(0, |value| value.value())) };
    Ok((number(DEAD_LETTERS)?, number(DEAD_LOST)?))
}
