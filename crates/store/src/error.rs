//! Errors of stores.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::options::InvalidStoreOptions;

/// Reasons for which a file cannot be opened as a store. The file is not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Options that cannot be used.
    #[error("{0}")]
    Options(#[from] InvalidStoreOptions),
    /// There is no file, and none is to be created ([`StoreOptions::create`](crate::StoreOptions::create)).
    #[error("{} does not exist: restore it from a copy, or allow that an empty store is created", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Another process has it open, or another [`Store`](crate::Store) of this one.
    #[error("{} is in use by another process, or is open twice in this one: stop it, or use another file", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file has no bytes. A store never leaves such a file, so its content was lost.
    #[error(
        "{} is empty, though a store never is: its content was lost; restore it from a copy, or delete it to start with \
         an empty store", path.display()
    )]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not a store of this library ({problem}): use another file", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// The difference.
        problem: String,
    },
    /// The file was written by a newer version of this library.
    #[error(
        "{} has format version {found}, and this version of airssys-wasm reads versions up to {supported}: use a newer one", path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The newest version that is supported.
        supported: u64,
    },
    /// The file was cut or changed, and its last two commits cannot be read.
    #[error("{} is damaged ({problem}): restore it from a copy, or move it away to start with an empty store", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The damage.
        problem: String,
    },
    /// The operating system refuses access to the file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
}

/// Reasons for which a change was not made, or the content cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Too many changes wait for the next commit. Nothing was changed.
    #[error("{changes} changes with {bytes} bytes wait for the disk: try again later")]
    Busy {
        /// Changes that wait.
        changes: usize,
        /// Their bytes.
        bytes: usize,
    },
    /// A name, a value or a configuration is too large. Nothing was changed.
    #[error("{bound} would be {value}, more than the limit of {limit}")]
    TooLarge {
        /// The bound.
        bound: Bound,
        /// The size or number.
        value: usize,
        /// Its limit.
        limit: usize,
    },
    /// There is no room on the disk, or below the largest size of the file. Nothing was changed. Removals are still
    /// made.
    #[error("there is no room for {}: {problem}; remove entries, or give it more room", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        problem: String,
    },
    /// The change failed, and nothing was changed; or the content could not be read. The next change opens the file again.
    #[error("{} failed, and the change was not made: {problem}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// The failure.
        problem: String,
    },
    /// The commit failed, and it is not known whether it is on the disk. The change is there as a whole or not at all once
    /// the file can be opened again.
    #[error("{} failed, and it is not known whether the change was made: {problem}", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The failure.
        problem: String,
    },
    /// The store is closed. Nothing was changed.
    #[error("the store is closed")]
    Closed,
    /// A blocking change was requested in a callback of the store, which would wait for itself. Nothing was changed.
    #[error("a callback of the store must not wait for the store")]
    InCallback,
}

/// Sizes and numbers that are bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Bound {
    /// Bytes of a name of a component.
    Name,
    /// Bytes of the key of a configuration value.
    Key,
    /// Bytes of a configuration value.
    Value,
    /// Number of configuration values of a component.
    Values,
    /// Bytes of all keys and configuration values of a component.
    Configuration,
    /// Bytes of a message's id.
    Id,
    /// Bytes of a change.
    Change,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Bound::Name => "the bytes of the component's name",
            Bound::Key => "the bytes of the key",
            Bound::Value => "the bytes of the value",
            Bound::Values => "the number of the component's values",
            Bound::Configuration => "the bytes of the component's keys and values",
            Bound::Id => "the bytes of the message's id",
            Bound::Change => "the bytes of the change",
        })
    }
}

/// A failure of redb, of the file or of a commit.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no room.
    Full(String),
    Io(io::Error),
    /// The content is not what a store has.
    Damaged(String),
    /// A panic of redb.
    Panicked(String),
}

impl Failure {
    pub(crate) fn of_io(error: io::Error) -> Failure {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match error.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => Failure::Full(error.to_string()),
            _ => Failure::Io(error),
        }
    }

    pub(crate) fn not_made(&self, path: &Path) -> StoreError {
        let path = path.to_owned();
        match self {
            Failure::Full(problem) => StoreError::Full {
                path,
                problem: problem.clone(),
            },
            other => StoreError::Failed {
                path,
                problem: other.to_string(),
            },
        }
    }

    pub(crate) fn unknown(&self, path: &Path) -> StoreError {
        StoreError::Unknown {
            path: path.to_owned(),
            problem: self.to_string(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Full(problem) | Failure::Damaged(problem) => f.write_str(problem),
            Failure::Io(error) => error.fmt(f),
            Failure::Panicked(text) => write!(f, "redb panicked: {text}"),
        }
    }
}

impl From<redb::StorageError> for Failure {
    fn from(error: redb::StorageError) -> Failure {
        match error {
            redb::StorageError::Io(error) => Failure::of_io(error),
            redb::StorageError::Corrupted(problem) => Failure::Damaged(problem),
            other => Failure::Io(io::Error::other(other.to_string())),
        }
    }
}

impl From<redb::TableError> for Failure {
    fn from(error: redb::TableError) -> Failure {
        match error {
            redb::TableError::Storage(error) => error.into(),
            other => Failure::Damaged(other.to_string()),
        }
    }
}

impl From<redb::TransactionError> for Failure {
    fn from(error: redb::TransactionError) -> Failure {
        match error {
            redb::TransactionError::Storage(error) => error.into(),
            other => Failure::Io(io::Error::other(other.to_string())),
        }
    }
}

impl From<redb::CommitError> for Failure {
    fn from(error: redb::CommitError) -> Failure {
        match error {
            redb::CommitError::Storage(error) => error.into(),
            other => Failure::Io(io::Error::other(other.to_string())),
        }
    }
}
