//! The store, for its users.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use crate::blocking::Blocking;
use crate::change::{Appended, Change, DeadEntry, Taken, WithCallback};
use crate::changes::{AddDead, Append, Bury, Flush, Forget, Remove, Set, TakeDead, Unset};
use crate::error::{Failure, OpenError, StoreError};
use crate::open::{self, Opened, contained};
use crate::options::{ConfigurationBounds, StoreOptions};
use crate::pending::Pending;
use crate::read::{self, QueueEntry};
use crate::tables::Limits;
use crate::writer::{Shared, Writer};

/// The durable state of one host. Cheap to clone.
///
/// Each change has a callback, which gets its result once it is on the disk, on the thread of the store: it must return soon.
/// A change that is refused is completed on the calling thread. Changes of one thread are made in the order in which it
/// hands them over. [`Store::blocking`] waits instead. Reading returns what was reported as done, and possibly more.
///
/// Dropping the last clone closes it as [`Store::close`] does.
#[derive(Clone)]
pub struct Store {
    handle: Arc<Handle>,
}

struct Handle {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// Opens the file, or creates it; verifies its content, for which all of it is read; and starts the thread that writes.
    ///
    /// # Errors
    /// [`OpenError`]. The file stays as it is.
    pub fn open(options: StoreOptions) -> Result<Store, OpenError> {
        options.check()?;
        let limits = Limits {
            dead_letters: options.dead_letters,
            dead_bytes: options.dead_letter_bytes,
            seen: options.seen_ids,
            seen_millis: u64::try_from(options.seen_time.as_millis()).unwrap_or(u64::MAX),
        };
        let Opened { database, batch } = open::open_or_create(&options, &limits)?;
        let shared = Arc::new(Shared {
            pending: Pending::new(options.waiting, options.waiting_bytes),
            options,
            limits,
            database: RwLock::new(Some(database)),
            writer: RwLock::default(),
        });
        let of_thread = shared.clone();
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || Writer::new(&of_thread, batch).run())
            .map_err(|source| OpenError::Io {
                path: shared.options.path.clone(),
                source,
            })?;
        let writer = Some(thread.thread().id());
        *shared.writer.write().unwrap_or_else(PoisonError::into_inner) = writer;
        Ok(Store {
            handle: Arc::new(Handle {
                shared,
                thread: Mutex::new(Some(thread)),
            }),
        })
    }

    /// Returns the file.
    pub fn path(&self) -> &Path {
        &self.handle.shared.options.path
    }

    /// Returns the same changes, which wait for their results.
    pub fn blocking(&self) -> Blocking<'_> {
        Blocking(self)
    }

    /// Appends a value to a component's queue. With an id, only if no value with it was appended within
    /// [`StoreOptions::seen_time`] ([`Appended::Seen`]); the value and the id are in the same commit.
    ///
    /// # Errors
    /// Those of [`StoreError`], for the callback.
    pub fn append(
        &self,
        component: &str,
        value: Vec<u8>,
        id: Option<Vec<u8>>,
        done: impl FnOnce(Result<Appended, StoreError>) + Send + 'static,
    ) {
        let component = component.to_owned();
        let change = Append { component, value, id };
        self.submit(change, false, done);
    }

    /// Removes an entry of a component's queue; returns whether it was there. Removals are never refused as
    /// [`StoreError::Busy`].
    ///
    /// # Errors
    /// As for [`Store::append`].
    pub fn remove(
        &self,
        component: &str,
        number: u64,
        done: impl FnOnce(Result<bool, StoreError>) + Send + 'static,
    ) {
        let component = component.to_owned();
        self.submit(Remove { component, number }, false, done);
    }

    /// Moves an entry of a component's queue to the dead letters, with a reason; returns whether it was there. The oldest dead
    /// letters are dropped and counted if there are too many.
    ///
    /// # Errors
    /// As for [`Store::append`].
    pub fn bury(
        &self,
        component: &str,
        number: u64,
        reason: Vec<u8>,
        done: impl FnOnce(Result<bool, StoreError>) + Send + 'static,
    ) {
        let component = component.to_owned();
        let change = Bury {
            component,
            number,
            reason,
        };
        self.submit(change, false, done);
    }

    /// Adds a dead letter that was in no queue.
    ///
    /// # Errors
    /// As for [`Store::append`].
    pub fn add_dead_letter(
        &self,
        component: &str,
        reason: Vec<u8>,
        value: Vec<u8>,
        done: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) {
        let component = component.to_owned();
        let change = AddDead {
            component,
            reason,
            value,
        };
        self.submit(change, false, done);
    }

    /// Removes and returns the oldest dead letters: at most `most`, and none after the first with which they have `most_bytes`.
    /// If the process ends before the callback is called, they are gone; [`Store::dead_letters`] reads them without removing.
    ///
    /// # Errors
    /// As for [`Store::append`].
    pub fn take_dead_letters(
        &self,
        most: usize,
        most_bytes: usize,
        done: impl FnOnce(Result<Taken, StoreError>) + Send + 'static,
    ) {
        self.submit(TakeDead { most, most_bytes }, false, done);
    }

    /// Sets a configuration value of a component, within bounds.
    ///
    /// # Errors
    /// As for [`Store::append`]; [`StoreError::TooLarge`] if the component's configuration would exceed the bounds.
    pub fn set(
        &self,
        component: &str,
        key: &str,
        value: Vec<u8>,
        bounds: ConfigurationBounds,
        done: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) {
        let change = Set {
            component: component.to_owned(),
            key: key.to_owned(),
            value,
            bounds,
        };
        self.submit(change, false, done);
    }

    /// Removes a configuration value; returns whether it was there.
    ///
    /// # Errors
    /// As for [`Store::append`].
    pub fn unset(
        &self,
        component: &str,
        key: &str,
        done: impl FnOnce(Result<bool, StoreError>) + Send + 'static,
    ) {
        let (component, key) = (component.to_owned(), key.to_owned());
        self.submit(Unset { component, key }, false, done);
    }

    /// Removes a component's queue, configuration and ids. Its dead letters stay.
    ///
    /// # Errors
    /// As for [`Store::append`].
    pub fn forget(&self, component: &str, done: impl FnOnce(Result<(), StoreError>) + Send + 'static) {
        let component = component.to_owned();
        self.submit(Forget { component }, false, done);
    }

    /// Has a result when all changes that were handed over before are completed.
    ///
    /// # Errors
    /// As for [`Store::append`].
    pub fn flush(&self, done: impl FnOnce(Result<(), StoreError>) + Send + 'static) {
        self.submit(Flush, false, done);
    }

    pub(crate) fn submit<C: Change>(
        &self,
        change: C,
        wait: bool,
        done: impl FnOnce(Result<C::Output, StoreError>) + Send + 'static,
    ) {
        match change.check() {
            Ok(()) => {
                let job = Box::new(WithCallback::new(change, done));
                self.handle.shared.pending.add(job, wait);
            }
            Err(error) => done(Err(error)),
        }
    }

    /// Reports whether the calling thread is the one that writes.
    pub(crate) fn is_writer(&self) -> bool {
        self.handle.shared.is_writer()
    }

    /// Writes what waits, and closes the file, which can be opened again when this returns; in a callback of the store, soon
    /// after. Other clones, which threads that end may still have, get [`StoreError::Closed`] from then on.
    pub fn close(&self) {
        self.handle.close();
    }

    /// Returns a configuration value of a component.
    ///
    /// # Errors
    /// [`StoreError::Failed`], [`StoreError::Closed`].
    pub fn value(&self, component: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|database| read::value(database, component, key))
    }

    /// Returns all configuration values of a component, in the order of their keys.
    ///
    /// # Errors
    /// [`StoreError::Failed`], [`StoreError::Closed`].
    pub fn configuration(&self, component: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.read(|database| read::configuration(database, component))
    }

    /// Returns the entries of a component's queue with numbers above `after`, the oldest first; none after the first with which
    /// they have `most_bytes`.
    ///
    /// # Errors
    /// [`StoreError::Failed`], [`StoreError::Closed`].
    pub fn queue(
        &self,
        component: &str,
        after: Option<u64>,
        most_bytes: usize,
    ) -> Result<Vec<QueueEntry>, StoreError> {
        self.read(|database| read::queue(database, component, after, most_bytes))
    }

    /// Returns the names of the components whose queues have entries, in order.
    ///
    /// # Errors
    /// [`StoreError::Failed`], [`StoreError::Closed`].
    pub fn queues(&self) -> Result<Vec<String>, StoreError> {
        self.read(read::queues)
    }

    /// Returns the oldest dead letters with numbers above `after`, at most `most`. They stay.
    ///
    /// # Errors
    /// [`StoreError::Failed`], [`StoreError::Closed`].
    pub fn dead_letters(&self, after: Option<u64>, most: usize) -> Result<Vec<DeadEntry>, StoreError> {
        self.read(|database| read::dead_letters(database, after, most))
    }

    /// Returns the number of dead letters that are kept, and of those that were dropped for newer ones.
    ///
    /// # Errors
    /// [`StoreError::Failed`], [`StoreError::Closed`].
    pub fn dead_letter_counts(&self) -> Result<(u64, u64), StoreError> {
        self.read(read::dead_letter_counts)
    }

    fn read<R>(&self, read: impl FnOnce(&redb::Database) -> Result<R, Failure>) -> Result<R, StoreError> {
        let shared = &self.handle.shared;
        let database = shared.database.read().unwrap_or_else(PoisonError::into_inner);
        let closed = || Failure::Damaged("the file could not be opened again after a failure".to_owned());
        let result = match database.as_ref() {
            Some(database) => contained(|| read(database)).unwrap_or_else(Err),
            None if shared.pending.is_closed() => return Err(StoreError::Closed),
            None => Err(closed()),
        };
        result.map_err(|failure| failure.not_made(&shared.options.path))
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}

impl Handle {
    fn close(&self) {
        self.shared.pending.close();
        if self.shared.is_writer() {
            return;
        }
        // Locked meanwhile, so that another that closes it waits too.
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            // It contains the panics of its steps.
            let _ = thread.join();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}
