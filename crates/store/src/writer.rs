//! The thread that writes: what waits, in one commit.

use std::sync::{PoisonError, RwLock};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use redb::{Database, Durability};

use crate::change::Job;
use crate::error::{Failure, StoreError};
use crate::open::{self, Opened, contained};
use crate::options::StoreOptions;
use crate::pending::Pending;
use crate::tables::{BATCH, Limits, Tables};

/// Time for which changes that need room are refused after one found none, unless room is made. Stops senders from having
/// the file opened and verified for each of their messages.
const FULL_FOR: Duration = Duration::from_secs(1);

/// The part of a store that its threads share.
pub(crate) struct Shared {
    pub(crate) options: StoreOptions,
    pub(crate) limits: Limits,
    pub(crate) pending: Pending,
    /// `None` after a failure, until the file is opened again.
    pub(crate) database: RwLock<Option<Database>>,
    /// The thread that writes.
    pub(crate) writer: RwLock<Option<ThreadId>>,
}

impl Shared {
    /// Reports whether the calling thread is the one that writes.
    pub(crate) fn is_writer(&self) -> bool {
        let writer = self.writer.read().unwrap_or_else(PoisonError::into_inner);
        *writer == Some(thread::current().id())
    }
}

type Batch = Vec<Box<dyn Job>>;

/// State of the thread that writes.
pub(crate) struct Writer<'s> {
    shared: &'s Shared,
    /// Number of the last commit.
    batch: u64,
    /// End of the time for which there is no room, and the error.
    full: Option<(Instant, StoreError)>,
}

impl<'s> Writer<'s> {
    pub(crate) fn new(shared: &'s Shared, batch: u64) -> Writer<'s> {
        Writer {
            shared,
            batch,
            full: None,
        }
    }

    /// Writes until the queue is closed and empty; then closes the file.
    pub(crate) fn run(mut self) {
        while let Some(batch) = self.shared.pending.take() {
            self.write(batch);
        }
        self.close();
    }

    fn write(&mut self, batch: Batch) {
        let batch = match &self.full {
            Some((until, error)) if Instant::now() < *until => {
                let (frees, needs): (Batch, Batch) = batch.into_iter().partition(|job| job.frees());
                fail(needs, error);
                frees
            }
            _ => batch,
        };
        self.full = self.full.take().filter(|(until, _)| Instant::now() < *until);
        self.commit(batch);
    }

    /// Makes changes in one commit, and completes them.
    fn commit(&mut self, mut batch: Batch) {
        if batch.is_empty() {
            return;
        }
        if let Err(failure) = self.reopen_if_closed() {
            return fail(batch, &failure.not_made(&self.shared.options.path));
        }
        let Err(failure) = self.attempt(&mut batch) else {
            if self.full.is_some() && batch.iter().any(|job| job.frees()) {
                self.full = None;
            }
            for job in batch {
                job.complete(Ok(()));
            }
            return;
        };
        log::warn!(
            "a commit of {} failed, and the file is opened again: {failure}",
            self.shared.options.path.display()
        );
        self.recover(batch, &failure);
    }

    /// Writes a batch as one commit.
    fn attempt(&mut self, batch: &mut Batch) -> Result<(), Failure> {
        let number = self.batch + 1;
        let limits = &self.shared.limits;
        let adds = batch.iter().any(|job| !job.frees());
        let database = self
            .shared
            .database
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(database) = database.as_ref() else {
            return Err(Failure::Damaged("the file is closed".to_owned()));
        };
        contained(|| -> Result<(), Failure> {
            let mut transaction = database.begin_write()?;
            let durable = transaction.set_durability(Durability::Immediate);
            durable.map_err(|error| Failure::Damaged(error.to_string()))?;
            let mut tables = Tables::open(&transaction, limits)?;
            for job in batch.iter_mut() {
                job.apply(&mut tables)?;
            }
            tables.set_number(BATCH, number)?;
            drop(tables);
            if adds {
                Tables::leave_room(&transaction)?;
            }
            transaction.commit()?;
            Ok(())
        })??;
        self.batch = number;
        Ok(())
    }

    /// Opens the file again after a failed commit, finds out whether the commit is in it, and completes its changes.
    fn recover(&mut self, batch: Batch, failure: &Failure) {
        let path = &self.shared.options.path;
        let failed = self.batch + 1;
        self.close();
        if self.reopen_if_closed().is_err() {
            return fail(batch, &failure.unknown(path));
        }
        let is_full = matches!(failure, Failure::Full(_));
        if self.batch >= failed {
            // A disk that fails to write back may show what it does not hold.
            let result = if is_full {
                Ok(())
            } else {
                Err(failure.unknown(path))
            };
            for job in batch {
                job.complete(result.clone());
            }
            return;
        }
        if !is_full {
            return fail(batch, &failure.not_made(path));
        }
        let error = failure.not_made(path);
        self.full = Some((Instant::now() + FULL_FOR, error.clone()));
        let all = batch.len();
        let (mut frees, needs): (Batch, Batch) = batch.into_iter().partition(|job| job.frees());
        fail(needs, &error);
        if frees.len() < all {
            self.commit(frees);
        } else if all > 1 {
            // Fewer changes need fewer pages at once.
            let rest = frees.split_off(all / 2);
            self.commit(frees);
            self.commit(rest);
        } else {
            fail(frees, &error);
        }
    }

    fn close(&mut self) {
        let database = self
            .shared
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // It writes, and releases the file.
        if contained(|| drop(database)).is_err() {
            log::error!(
                "redb panicked as {} was closed",
                self.shared.options.path.display()
            );
        }
    }

    fn reopen_if_closed(&mut self) -> Result<(), Failure> {
        let mut database = self
            .shared
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if database.is_some() {
            return Ok(());
        }
        let opened = open::open(&self.shared.options);
        let Opened { database: new, batch } = opened.map_err(|error| Failure::Damaged(error.to_string()))?;
        *database = Some(new);
        self.batch = batch;
        Ok(())
    }
}

fn fail(batch: Batch, error: &StoreError) {
    for job in batch {
        job.complete(Err(error.clone()));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use crate::backend::Faults;
    use crate::{Store, StoreError, StoreOptions};

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let name = format!("airssys-store-{name}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        fn open(&self) -> (Store, Faults) {
            let options = StoreOptions::new(self.0.join("host.redb"));
            let faults = options.faults.clone();
            (Store::open(options).unwrap(), faults)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn length(store: &Store) -> usize {
        store.queue("a", None, usize::MAX).unwrap().len()
    }

    #[test]
    fn a_full_disk_refuses_appends_makes_removals_and_loses_nothing() {
        let folder = Folder::new("full");
        let (store, faults) = folder.open();
        let changes = store.blocking();
        let append = || changes.append("a", vec![1; 3000], None);
        let mut numbers: Vec<_> = (0..10).map(|_| append().unwrap().number()).collect();
        faults.set_full_from(fs::metadata(store.path()).unwrap().len());
        let error = loop {
            match append() {
                Ok(appended) => numbers.push(appended.number()),
                Err(error) => break error,
            }
            assert!(numbers.len() < 1000, "the disk never becomes full");
        };
        assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
        assert_eq!(length(&store), numbers.len());
        for number in numbers.drain(..5) {
            assert_eq!(changes.remove("a", number), Ok(true));
        }
        assert_eq!(length(&store), numbers.len());
        // What was removed is room.
        numbers.push(append().unwrap().number());
        faults.set_full_from(0);
        drop(store);
        let (store, _) = folder.open();
        let found: Vec<_> = store.queue("a", None, usize::MAX).unwrap();
        assert!(found.iter().map(|entry| entry.number).eq(numbers));
    }

    #[test]
    fn changes_in_one_commit_on_a_full_disk_are_told_apart() {
        let folder = Folder::new("mixed");
        let (store, faults) = folder.open();
        let changes = store.blocking();
        let number = changes.append("a", vec![1; 100], None).unwrap().number();
        faults.set_full_from(fs::metadata(store.path()).unwrap().len());
        let (results, received) = std::sync::mpsc::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        // All that follows waits for this callback, and is in one commit.
        store.flush(move |_| {
            let _ = released.recv();
        });
        let large = results.clone();
        store.append("a", vec![2; 1 << 20], None, move |result| {
            large.send(result.map(|_| true)).unwrap();
        });
        store.remove("a", number, move |result| results.send(result).unwrap());
        drop(release);
        let all: Vec<_> = received.iter().collect();
        assert_eq!(all.len(), 2);
        assert!(all.contains(&Ok(true)), "{all:?}");
        assert!(
            all.iter()
                .any(|result| matches!(result, Err(StoreError::Full { .. })))
        );
        assert_eq!(length(&store), 0);
    }

    #[test]
    fn a_disk_that_fails_to_write_back_is_an_error_until_it_works_again() {
        let folder = Folder::new("sync");
        let (store, faults) = folder.open();
        let changes = store.blocking();
        changes.append("a", b"1".to_vec(), None).unwrap();
        faults.set_sync_fails(true);
        let error = changes.append("a", b"2".to_vec(), None).unwrap_err();
        // The file cannot be opened again, for which it is written to.
        assert!(matches!(error, StoreError::Unknown { .. }), "{error:?}");
        let error = changes.append("a", b"3".to_vec(), None).unwrap_err();
        assert!(matches!(error, StoreError::Failed { .. }), "{error:?}");
        assert!(store.queue("a", None, 1).is_err());
        faults.set_sync_fails(false);
        changes.append("a", b"4".to_vec(), None).unwrap();
        let found = store.queue("a", None, usize::MAX).unwrap();
        let values: Vec<_> = found.iter().map(|entry| &entry.value[..]).collect();
        assert!(
            values == [b"1", b"4"] || values == [b"1", b"2", b"4"],
            "{found:?}"
        );
    }
}
