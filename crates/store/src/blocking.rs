//! Changes that wait for their results.

use std::sync::mpsc;

use crate::change::{Appended, Change, Taken};
use crate::changes::{AddDead, Append, Bury, Flush, Forget, Remove, Set, TakeDead, Unset};
use crate::error::StoreError;
use crate::options::ConfigurationBounds;
use crate::store::Store;

/// The changes of a [`Store`], for threads that can wait: for the result, and before that for room among the changes that
/// wait. Not for callbacks of the store ([`StoreError::InCallback`]).
#[derive(Clone, Copy, Debug)]
pub struct Blocking<'s>(pub(crate) &'s Store);

impl Blocking<'_> {
    fn make<C: Change>(&self, change: C) -> Result<C::Output, StoreError> {
        if self.0.is_writer() {
            return Err(StoreError::InCallback);
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        let done = move |result| {
            // The receiver waits for it.
            let _ = sender.send(result);
        };
        self.0.submit(change, true, done);
        receiver.recv().unwrap_or(Err(StoreError::Closed))
    }

    /// Makes the change of [`Store::append`].
    ///
    /// # Errors
    /// Those of [`StoreError`], without [`StoreError::Busy`].
    pub fn append(
        &self,
        component: &str,
        value: Vec<u8>,
        id: Option<Vec<u8>>,
    ) -> Result<Appended, StoreError> {
        let component = component.to_owned();
        self.make(Append { component, value, id })
    }

    /// Makes the change of [`Store::remove`].
    ///
    /// # Errors
    /// As for [`Blocking::append`].
    pub fn remove(&self, component: &str, number: u64) -> Result<bool, StoreError> {
        let component = component.to_owned();
        self.make(Remove { component, number })
    }

    /// Makes the change of [`Store::bury`].
    ///
    /// # Errors
    /// As for [`Blocking::append`].
    pub fn bury(&self, component: &str, number: u64, reason: Vec<u8>) -> Result<bool, StoreError> {
        let component = component.to_owned();
        self.make(Bury {
            component,
            number,
            reason,
        })
    }

    /// Makes the change of [`Store::add_dead_letter`].
    ///
    /// # Errors
    /// As for [`Blocking::append`].
    pub fn add_dead_letter(
        &self,
        component: &str,
        reason: Vec<u8>,
        value: Vec<u8>,
    ) -> Result<(), StoreError> {
        let component = component.to_owned();
        self.make(AddDead {
            component,
            reason,
            value,
        })
    }

    /// Makes the change of [`Store::take_dead_letters`].
    ///
    /// # Errors
    /// As for [`Blocking::append`].
    pub fn take_dead_letters(&self, most: usize, most_bytes: usize) -> Result<Taken, StoreError> {
        self.make(TakeDead { most, most_bytes })
    }

    /// Makes the change of [`Store::set`].
    ///
    /// # Errors
    /// As for [`Store::set`], without [`StoreError::Busy`].
    pub fn set(
        &self,
        component: &str,
        key: &str,
        value: Vec<u8>,
        bounds: ConfigurationBounds,
    ) -> Result<(), StoreError> {
        let (component, key) = (component.to_owned(), key.to_owned());
        self.make(Set {
            component,
            key,
            value,
            bounds,
        })
    }

    /// Makes the change of [`Store::unset`].
    ///
    /// # Errors
    /// As for [`Blocking::append`].
    pub fn unset(&self, component: &str, key: &str) -> Result<bool, StoreError> {
        let (component, key) = (component.to_owned(), key.to_owned());
        self.make(Unset { component, key })
    }

    /// Makes the change of [`Store::forget`].
    ///
    /// # Errors
    /// As for [`Blocking::append`].
    pub fn forget(&self, component: &str) -> Result<(), StoreError> {
        let component = component.to_owned();
        self.make(Forget { component })
    }

    /// Waits until all changes that were handed over before are completed.
    ///
    /// # Errors
    /// As for [`Blocking::append`].
    pub fn flush(&self) -> Result<(), StoreError> {
        self.make(Flush)
    }
}
