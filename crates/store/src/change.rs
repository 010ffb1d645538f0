//! Changes of the content, as parts of a commit.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::MAX_NAME_BYTES;
use crate::error::{Bound, Failure, StoreError};
use crate::tables::Tables;

/// Result of appending to a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Appended {
    /// The entry is in the queue.
    New {
        /// Its number: larger than those of all entries before, in any queue.
        number: u64,
    },
    /// An entry with the same id was appended before. Nothing was changed.
    Seen {
        /// The number of that id, which its entry need not have any more.
        number: u64,
    },
}

impl Appended {
    /// Returns the number.
    pub fn number(self) -> u64 {
        match self {
            Appended::New { number } | Appended::Seen { number } => number,
        }
    }
}

/// A dead letter. `Debug` shows the number of its bytes: they may be secret.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadEntry {
    /// Its number: larger than those of all before it.
    pub number: u64,
    /// The component whose queue it was in.
    pub component: String,
    /// The reason, as it was given.
    pub reason: Vec<u8>,
    /// The value, unchanged.
    pub value: Vec<u8>,
}

impl fmt::Debug for DeadEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadEntry")
            .field("number", &self.number)
            .field("component", &self.component)
            .field("reason_bytes", &self.reason.len())
            .field("value_bytes", &self.value.len())
            .finish()
    }
}

/// Dead letters that were removed, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Taken {
    /// The dead letters.
    pub letters: Vec<DeadEntry>,
    /// Number of those that were dropped for newer ones since the store was created.
    pub lost: u64,
}

/// A change of the content.
pub(crate) trait Change: Send + 'static {
    type Output: Send + 'static;

    /// It needs little room or none, and is made although others fail for lack of room. Always accepted.
    const FREES: bool;

    /// Bytes that it keeps in memory while it waits.
    fn bytes(&self) -> usize;

    /// Checks the sizes of names.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`].
    fn check(&self) -> Result<(), StoreError>;

    /// Makes the change. It changes nothing if it returns an error of the store.
    ///
    /// # Errors
    /// A failure, with which the whole commit fails.
    fn apply(&self, tables: &mut Tables<'_>) -> Result<Result<Self::Output, StoreError>, Failure>;
}

/// A change, and the callback that gets its result.
pub(crate) trait Job: Send {
    fn frees(&self) -> bool;
    fn bytes(&self) -> usize;
    fn apply(&mut self, tables: &mut Tables<'_>) -> Result<(), Failure>;
    /// Passes on the result of the last [`Job::apply`], or an error.
    fn complete(self: Box<Self>, result: Result<(), StoreError>);
}

pub(crate) struct WithCallback<C: Change, F> {
    change: C,
    output: Option<Result<C::Output, StoreError>>,
    done: F,
}

impl<C: Change, F> WithCallback<C, F>
where
    F: FnOnce(Result<C::Output, StoreError>) + Send + 'static,
{
    pub(crate) fn new(change: C, done: F) -> Self {
        WithCallback {
            change,
            output: None,
            done,
        }
    }
}

impl<C: Change, F> Job for WithCallback<C, F>
where
    F: FnOnce(Result<C::Output, StoreError>) + Send + 'static,
{
    fn frees(&self) -> bool {
        C::FREES
    }

    fn bytes(&self) -> usize {
        self.change.bytes()
    }

    fn apply(&mut self, tables: &mut Tables<'_>) -> Result<(), Failure> {
        self.output = Some(self.change.apply(tables)?);
        Ok(())
    }

    fn complete(self: Box<Self>, result: Result<(), StoreError>) {
        let WithCallback { output, done, .. } = *self;
        let result = match (result, output) {
            (Ok(()), Some(output)) => output,
            (Ok(()), None) => Err(StoreError::Closed),
            (Err(error), _) => Err(error),
        };
        // The thread of the store goes on.
        if catch_unwind(AssertUnwindSafe(|| done(result))).is_err() {
            log::error!("a callback of the store panicked");
        }
    }
}

pub(crate) fn within(bound: Bound, value: usize, limit: usize) -> Result<(), StoreError> {
    if value > limit {
        return Err(StoreError::TooLarge { bound, value, limit });
    }
    Ok(())
}

pub(crate) fn name(name: &str) -> Result<(), StoreError> {
    within(Bound::Name, name.len(), MAX_NAME_BYTES)
}
