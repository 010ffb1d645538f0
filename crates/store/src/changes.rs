//! All kinds of changes.

use std::time::{SystemTime, UNIX_EPOCH};

use redb::ReadableTable;

use crate::MAX_NAME_BYTES;
use crate::change::{Appended, Change, DeadEntry, Taken, name, within};
use crate::error::{Bound, Failure, StoreError};
use crate::options::ConfigurationBounds;
use crate::tables::{DEAD_BYTES, DEAD_LETTERS, DEAD_LOST, Tables};

/// Largest number of ids that one append forgets beside its own. Spreads the removal of many that expired at once.
const FORGET: usize = 16;

pub(crate) struct Append {
    pub(crate) component: String,
    pub(crate) value: Vec<u8>,
    pub(crate) id: Option<Vec<u8>>,
}

impl Change for Append {
    type Output = Appended;
    const FREES: bool = false;

    fn bytes(&self) -> usize {
        self.component.len() + self.value.len() + self.id.as_ref().map_or(0, Vec::len)
    }

    fn check(&self) -> Result<(), StoreError> {
        name(&self.component)?;
        within(Bound::Id, self.id.as_ref().map_or(0, Vec::len), MAX_NAME_BYTES)
    }

    fn apply(&self, tables: &mut Tables<'_>) -> Result<Result<Appended, StoreError>, Failure> {
        let component = self.component.as_str();
        if let Some(id) = &self.id {
            let now = now_millis();
            let seen = tables
                .seen
                .get((component, id.as_slice()))?
                .map(|seen| seen.value());
            if let Some((number, at)) = seen
                && !is_old(at, now, tables.limits.seen_millis)
            {
                return Ok(Ok(Appended::Seen { number }));
            }
            let number = tables.next()?;
            remember(tables, component, id, number, now)?;
            tables.queues.insert((component, number), self.value.as_slice())?;
            return Ok(Ok(Appended::New { number }));
        }
        let number = tables.next()?;
        tables.queues.insert((component, number), self.value.as_slice())?;
        Ok(Ok(Appended::New { number }))
    }
}

fn is_old(at: u64, now: u64, longest: u64) -> bool {
    now.saturating_sub(at) > longest
}

/// Adds an id, and forgets old ones.
fn remember(
    tables: &mut Tables<'_>,
    component: &str,
    id: &[u8],
    number: u64,
    now: u64,
) -> Result<(), Failure> {
    let mut count = tables.seen_count.get(component)?.map_or(0, |count| count.value());
    let before = tables
        .seen
        .insert((component, id), (number, now))?
        .map(|seen| seen.value());
    match before {
        Some((old, _)) => drop(tables.seen_order.remove((component, old))?),
        None => count += 1,
    }
    tables.seen_order.insert((component, number), id)?;
    for _ in 0..=FORGET {
        let oldest = {
            let mut ids = tables.seen_order.range((component, 0)..=(component, u64::MAX))?;
            match ids.next() {
                Some(oldest) => {
                    let (key, id) = oldest?;
                    (key.value().1, id.value().to_vec())
                }
                None => break,
            }
        };
        let at = tables
            .seen
            .get((component, oldest.1.as_slice()))?
            .map_or(0, |seen| seen.value().1);
        if count <= tables.limits.seen && !is_old(at, now, tables.limits.seen_millis) {
            break;
        }
        tables.seen_order.remove((component, oldest.0))?;
        tables.seen.remove((component, oldest.1.as_slice()))?;
        count = count.saturating_sub(1);
    }
    tables.seen_count.insert(component, count)?;
    Ok(())
}

fn now_millis() -> u64 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) struct Remove {
    pub(crate) component: String,
    pub(crate) number: u64,
}

impl Change for Remove {
    type Output = bool;
    const FREES: bool = true;

    fn bytes(&self) -> usize {
        self.component.len()
    }

    fn check(&self) -> Result<(), StoreError> {
        name(&self.component)
    }

    fn apply(&self, tables: &mut Tables<'_>) -> Result<Result<bool, StoreError>, Failure> {
        let removed = tables.queues.remove((self.component.as_str(), self.number))?;
        Ok(Ok(removed.is_some()))
    }
}

/// Moves an entry of a queue to the dead letters.
pub(crate) struct Bury {
    pub(crate) component: String,
    pub(crate) number: u64,
    pub(crate) reason: Vec<u8>,
}

impl Change for Bury {
    type Output = bool;
    const FREES: bool = true;

    fn bytes(&self) -> usize {
        self.component.len() + self.reason.len()
    }

    fn check(&self) -> Result<(), StoreError> {
        name(&self.component)
    }

    fn apply(&self, tables: &mut Tables<'_>) -> Result<Result<bool, StoreError>, Failure> {
        let removed = tables
            .queues
            .remove((self.component.as_str(), self.number))?
            .map(|value| value.value().to_vec());
        let Some(value) = removed else {
            return Ok(Ok(false));
        };
        add_dead(tables, &self.component, &self.reason, &value)?;
        Ok(Ok(true))
    }
}

/// Adds a dead letter that was in no queue.
pub(crate) struct AddDead {
    pub(crate) component: String,
    pub(crate) reason: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

impl Change for AddDead {
    type Output = ();
    const FREES: bool = false;

    fn bytes(&self) -> usize {
        self.component.len() + self.reason.len() + self.value.len()
    }

    fn check(&self) -> Result<(), StoreError> {
        name(&self.component)
    }

    fn apply(&self, tables: &mut Tables<'_>) -> Result<Result<(), StoreError>, Failure> {
        add_dead(tables, &self.component, &self.reason, &self.value)?;
        Ok(Ok(()))
    }
}

fn bytes_of(reason: &[u8], value: &[u8]) -> u64 {
    u64::try_from(reason.len() + value.len()).unwrap_or(u64::MAX)
}

fn add_dead(tables: &mut Tables<'_>, component: &str, reason: &[u8], value: &[u8]) -> Result<(), Failure> {
    let mut bytes = tables.number(DEAD_BYTES)?;
    let mut letters = tables.number(DEAD_LETTERS)?;
    let mut lost = tables.number(DEAD_LOST)?;
    let (most, most_bytes) = (tables.limits.dead_letters, tables.limits.dead_bytes);
    let own = bytes_of(reason, value);
    if most == 0 || own > most_bytes {
        // It would take the place of all others, and then be dropped itself.
        return tables.set_number(DEAD_LOST, lost + 1);
    }
    while letters >= most || bytes.saturating_add(own) > most_bytes {
        let Some((_, dropped)) = tables.dead.pop_first()? else {
            break;
        };
        let (_, reason, value) = dropped.value();
        bytes = bytes.saturating_sub(bytes_of(reason, value));
        letters = letters.saturating_sub(1);
        lost += 1;
    }
    let number = tables.next()?;
    tables.dead.insert(number, (component, reason, value))?;
    tables.set_number(DEAD_BYTES, bytes + own)?;
    tables.set_number(DEAD_LETTERS, letters + 1)?;
    tables.set_number(DEAD_LOST, lost)
}

/// Removes and returns dead letters, the oldest first.
pub(crate) struct TakeDead {
    pub(crate) most: usize,
    /// Bytes after which no more are taken.
    pub(crate) most_bytes: usize,
}

impl Change for TakeDead {
    type Output = Taken;
    const FREES: bool = true;

    fn bytes(&self) -> usize {
        0
    }

    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn apply(&self, tables: &mut Tables<'_>) -> Result<Result<Taken, StoreError>, Failure> {
        let mut taken = Taken::default();
        let mut bytes = 0;
        while taken.letters.len() < self.most && bytes < self.most_bytes {
            let Some((number, entry)) = tables.dead.pop_first()? else {
                break;
            };
            let (component, reason, value) = entry.value();
            bytes += reason.len() + value.len();
            taken.letters.push(DeadEntry {
                number: number.value(),
                component: component.to_owned(),
                reason: reason.to_vec(),
                value: value.to_vec(),
            });
        }
        let count = u64::try_from(taken.letters.len()).unwrap_or(u64::MAX);
        let letters = tables.number(DEAD_LETTERS)?.saturating_sub(count);
        let left = tables
            .number(DEAD_BYTES)?
            .saturating_sub(u64::try_from(bytes).unwrap_or(u64::MAX));
        tables.set_number(DEAD_LETTERS, letters)?;
        tables.set_number(DEAD_BYTES, left)?;
        taken.lost = tables.number(DEAD_LOST)?;
        Ok(Ok(taken))
    }
}

pub(crate) struct Set {
    pub(crate) component: String,
    pub(crate) key: String,
    pub(crate) value: Vec<u8>,
    pub(crate) bounds: ConfigurationBounds,
}

impl Change for Set {
    type Output = ();
    const FREES: bool = false;

    fn bytes(&self) -> usize {
        self.component.len() + self.key.len() + self.value.len()
    }

    fn check(&self) -> Result<(), StoreError> {
        name(&self.component)?;
        within(
            Bound::Key,
            self.key.len(),
            self.bounds.key_bytes.min(MAX_NAME_BYTES),
        )?;
        within(Bound::Value, self.value.len(), self.bounds.value_bytes)
    }

    fn apply(&self, tables: &mut Tables<'_>) -> Result<Result<(), StoreError>, Failure> {
        let component = self.component.as_str();
        let (mut values, mut bytes) = (1, self.key.len() + self.value.len());
        for entry in tables.configuration.range((component, "")..)? {
            let (key, value) = entry?;
            let (of, key) = key.value();
            if of != component {
                break;
            }
            if key != self.key {
                values += 1;
                bytes += key.len() + value.value().len();
            }
        }
        let checked = within(Bound::Values, values, self.bounds.values)
            .and_then(|()| within(Bound::Configuration, bytes, self.bounds.bytes));
        if checked.is_ok() {
            tables
                .configuration
                .insert((component, self.key.as_str()), self.value.as_slice())?;
        }
        Ok(checked)
    }
}

pub(crate) struct Unset {
    pub(crate) component: String,
    pub(crate) key: String,
}

impl Change for Unset {
    type Output = bool;
    const FREES: bool = true;

    fn bytes(&self) -> usize {
        self.component.len() + self.key.len()
    }

    fn check(&self) -> Result<(), StoreError> {
        name(&self.component)?;
        within(Bound::Key, self.key.len(), MAX_NAME_BYTES)
    }

    fn apply(&self, tables: &mut Tables<'_>) -> Result<Result<bool, StoreError>, Failure> {
        let removed = tables
            .configuration
            .remove((self.component.as_str(), self.key.as_str()))?;
        Ok(Ok(removed.is_some()))
    }
}

/// Removes everything of a component but its dead letters.
pub(crate) struct Forget {
    pub(crate) component: String,
}

impl Change for Forget {
    type Output = ();
    const FREES: bool = true;

    fn bytes(&self) -> usize {
        self.component.len()
    }

    fn check(&self) -> Result<(), StoreError> {
        name(&self.component)
    }

    fn apply(&self, tables: &mut Tables<'_>) -> Result<Result<(), StoreError>, Failure> {
        let component = self.component.as_str();
        let all = (component, 0)..=(component, u64::MAX);
        tables.queues.retain_in(all.clone(), |_, _| false)?;
        let mut ids = Vec::new();
        for entry in tables.seen_order.range(all.clone())? {
            ids.push(entry?.1.value().to_vec());
        }
        for id in ids {
            tables.seen.remove((component, id.as_slice()))?;
        }
        tables.seen_order.retain_in(all, |_, _| false)?;
        tables.seen_count.remove(component)?;
        let mut keys = Vec::new();
        for entry in tables.configuration.range((component, "")..)? {
            let key = entry?.0;
            let (of, key) = key.value();
            if of != component {
                break;
            }
            keys.push(key.to_owned());
        }
        for key in keys {
            tables.configuration.remove((component, key.as_str()))?;
        }
        Ok(Ok(()))
    }
}

/// Nothing: its result is there when all changes before it are in the file.
pub(crate) struct Flush;

impl Change for Flush {
    type Output = ();
    const FREES: bool = true;

    fn bytes(&self) -> usize {
        0
    }

    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn apply(&self, _: &mut Tables<'_>) -> Result<Result<(), StoreError>, Failure> {
        Ok(Ok(()))
    }
}
