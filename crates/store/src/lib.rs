//! The durable state of one host, in one file: configuration values, queues of messages, and dead letters.
//!
//! A [`Store`] is a file that one process has open. Threads hand changes to it; one thread of the store writes all that wait
//! in one commit, which is on the disk before any of them is reported as done. So a change that was reported is there after
//! the process is killed, and one that was not is there as a whole or not at all. Names and values are strings and bytes:
//! the store knows nothing of components.
//!
//! ```
//! use airssys_wasm_store::{Store, StoreOptions};
//!
//! # fn run(folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
//! let store = Store::open(StoreOptions::new(folder.join("host.redb")))?;
//! let changes = store.blocking();
//! let first = changes.append("counter", b"increment".to_vec(), None)?.number();
//! assert_eq!(store.queue("counter", None, usize::MAX)?.len(), 1);
//! assert!(changes.remove("counter", first)?);
//! # Ok(())
//! # }
//! # let folder = std::env::temp_dir().join(format!("airssys-store-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).unwrap();
//! # run(&folder).unwrap();
//! # std::fs::remove_dir_all(&folder).unwrap();
//! ```
//!
//! # The file
//!
//! A redb database of format version [`FORMAT_VERSION`]:
//!
//! | table | key | value |
//! |---|---|---|
//! | `meta` | name | number: `format`, `batch` (commits), `sequence` (last number given to an entry), `dead`, `dead-bytes`, `dead-lost` |
//! | `configuration` | component, key | value |
//! | `queues` | component, number | value |
//! | `dead` | number | component, reason, value |
//! | `seen` | component, id | number, milliseconds since 1970 |
//! | `seen-order` | component, number | id |
//! | `seen-count` | component | ids |
//! | `room` | | empty: keeps pages free for removals |
//!
//! A new file is written under another name and then renamed, so no crash leaves an empty or a partial file in its place:
//! such a file was damaged later, and is an error ([`OpenError::Empty`], [`OpenError::Damaged`]), never a store with nothing
//! in it. All checksums are verified when the file is opened. If only the pages of the last commit are damaged, the file
//! opens with the commit before it.
//!
//! # Failures
//!
//! A commit that fails (disk full, I/O error) changes nothing that was reported. The store then opens the file again and
//! compares the number of the commit, so that each change is reported as done or as not done; it is
//! [`StoreError::Unknown`] only if the file cannot be opened again, or the disk failed while it was written. While there is
//! no room, changes that free some are still made.

mod backend;
mod blocking;
mod change;
mod changes;
mod error;
mod open;
mod options;
mod pending;
mod read;
mod store;
mod tables;
mod writer;

pub use blocking::Blocking;
pub use change::{Appended, DeadEntry, Taken};
pub use error::{Bound, OpenError, StoreError};
pub use options::{ConfigurationBounds, InvalidStoreOptions, StoreOptions};
pub use read::QueueEntry;
pub use store::Store;
pub use tables::FORMAT_VERSION;

/// Largest number of bytes in a name of a component, a key of a configuration value, or an id of a message. Stops payloads
/// disguised as names.
pub const MAX_NAME_BYTES: usize = 1024;
