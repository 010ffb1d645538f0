//! The names of all core modules that this process has loaded, for the frames of traps.
//!
//! The engine describes a frame by its module's name and its function's index. So modules are compiled with a key as
//! their name: the beginning of their table's digest, by which the table is found here. Keys are short, since debugging
//! information repeats them for every function.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use crate::engine::names::table::Table;

/// BLAKE3 digest of a table.
type Digest = [u8; 32];

/// The name that code is compiled with: `#`, and 48 bits of the digest in base64url.
type Key = [u8; 9];

fn key_of(digest: &Digest) -> Key {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = digest
        .iter()
        .take(6)
        .fold(0, |bits, byte| bits << 8 | u64::from(*byte));
    let mut key = [b'#'; 9];
    for (place, digit) in key.iter_mut().rev().take(8).enumerate() {
        let value = bits >> (6 * place) & 63;
        *digit = DIGITS.get(value as usize).copied().unwrap_or_default();
    }
    key
}

/// Returns the name that the code of a module with this table is compiled with.
#[cfg(feature = "compile")]
pub(in crate::engine) fn key(table: &[u8]) -> String {
    let key = key_of(blake3::hash(table).as_bytes());
    key.iter().copied().map(char::from).collect()
}

/// Reads a table of names.
pub(crate) type ReadNames = Box<dyn Fn() -> io::Result<Vec<u8>> + Send + Sync>;

/// A module's table of names, here or elsewhere.
pub(crate) enum SavedNames {
    Bytes(Vec<u8>),
    /// Read for the first trap; ignored if it no longer has this BLAKE3 digest.
    Later {
        digest: Digest,
        read: ReadNames,
    },
}

/// A module's table of names, which is found as long as this exists. Modules with the same names share it.
pub(crate) struct Names {
    digest: Digest,
    /// Once the table was needed: the table, or `None` if it has changed or cannot be read.
    table: OnceLock<Option<Table>>,
    /// `None` if the table has been here from the beginning.
    read: Option<ReadNames>,
}

type All = BTreeMap<(Key, Digest), Weak<Names>>;

static ALL: Mutex<All> = Mutex::new(BTreeMap::new());

/// Locks the tables, even after a panic: they are consistent at any time. No table may be dropped meanwhile.
fn all() -> MutexGuard<'static, All> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Names {
    /// Makes a table known.
    pub(crate) fn register(saved: SavedNames) -> Arc<Names> {
        let names = Arc::new(match saved {
            SavedNames::Bytes(bytes) => Names {
                digest: *blake3::hash(&bytes).as_bytes(),
                table: OnceLock::from(Some(Table(bytes))),
                read: None,
            },
            SavedNames::Later { digest, read } => Names {
                digest,
                table: OnceLock::new(),
                read: Some(read),
            },
        });
        let (known, share) = {
            let mut all = all();
            let known = all.get(&names.place()).and_then(Weak::upgrade);
            let share = known.as_ref().is_some_and(|known| !known.is_lost());
            if !share {
                all.insert(names.place(), Arc::downgrade(&names));
            }
            (known, share)
        };
        known.filter(|_| share).unwrap_or(names)
    }

    /// Reports whether code that is compiled with the name `key` has this table.
    pub(in crate::engine) fn are_of(&self, key: Option<&str>) -> bool {
        key.map(str::as_bytes) == Some(&key_of(&self.digest))
    }

    fn place(&self) -> (Key, Digest) {
        (key_of(&self.digest), self.digest)
    }

    fn table(&self) -> Option<&Table> {
        let read = || {
            let problem = match self.read.as_ref()?() {
                Ok(bytes) if *blake3::hash(&bytes).as_bytes() == self.digest => return Some(Table(bytes)),
                Ok(_) => "they have changed".to_owned(),
                Err(error) => error.to_string(),
            };
            log::warn!("cannot read the names of an artifact's functions, traps show numbers: {problem}");
            None
        };
        self.table.get_or_init(read).as_ref()
    }

    /// Returns true if the table was needed, and could not be read.
    fn is_lost(&self) -> bool {
        self.table.get().is_some_and(Option::is_none)
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        let mut all = all();
        let is_self = |known: &Weak<Names>| std::ptr::eq(known.as_ptr(), self);
        if all.get(&self.place()).is_some_and(is_self) {
            all.remove(&self.place());
        }
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names")
            .field("digest", &blake3::Hash::from_bytes(self.digest))
            .finish_non_exhaustive()
    }
}

/// The names of the module that a frame belongs to; none if tables with different names have its key.
pub(crate) struct FrameNames(Option<Arc<Names>>);

impl FrameNames {
    /// Finds the names of a module by the name that its code has; `None` if that is no key, but the name itself.
    pub(crate) fn of(module: &str) -> Option<FrameNames> {
        let key: Key = module.as_bytes().try_into().ok()?;
        let all = all();
        let mut found = all.range((key, [0; 32])..=(key, [0xff; 32]));
        let first = found.next()?.1;
        Some(FrameNames(match found.next() {
            None => first.upgrade(),
            Some(_) => None,
        }))
    }

    /// Returns the module's name, if it has one.
    pub(crate) fn module(&self) -> Option<&str> {
        self.0.as_ref()?.table()?.module()
    }

    /// Returns the name of a function, if it has one.
    pub(crate) fn function(&self, index: u32) -> Option<&str> {
        self.0.as_ref()?.table()?.function(index)
    }
}

#[cfg(all(test, feature = "compile"))]
mod tests {
    use std::borrow::Cow;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::engine::names::write;

    /// Returns a table of one function, and its digest.
    fn table(name: &str) -> (Vec<u8>, [u8; 32]) {
        let functions = [(3, Cow::Borrowed(name))];
        let bytes = write(Some("m"), &functions.into()).expect("there are names");
        let digest = *blake3::hash(&bytes).as_bytes();
        (bytes, digest)
    }

    fn found(key: &str) -> Option<String> {
        FrameNames::of(key)?.function(3).map(str::to_owned)
    }

    #[test]
    fn a_table_is_found_until_the_last_module_that_has_it_is_dropped() {
        let (bytes, digest) = table("of the drop");
        let key = key(&bytes);
        assert_eq!(found(&key), None);
        let first = Names::register(SavedNames::Bytes(bytes.clone()));
        let second = Names::register(SavedNames::Bytes(bytes.clone()));
        let later = Names::register(SavedNames::Later {
            digest,
            read: Box::new(|| panic!("it is here")),
        });
        assert!(Arc::ptr_eq(&first, &second) && Arc::ptr_eq(&first, &later));
        drop((first, second));
        assert_eq!(found(&key).as_deref(), Some("of the drop"));
        drop(later);
        assert_eq!(found(&key), None);
        assert!(
            !all().contains_key(&(key_of(&digest), digest)),
            "an entry is left"
        );
    }

    #[test]
    fn a_table_is_read_once_and_not_before_it_is_needed() {
        let (bytes, digest) = table("of the read");
        let key = key(&bytes);
        let reads = Arc::new(AtomicUsize::new(0));
        let counted = reads.clone();
        let _names = Names::register(SavedNames::Later {
            digest,
            read: Box::new(move || {
                counted.fetch_add(1, Ordering::Relaxed);
                Ok(bytes.clone())
            }),
        });
        assert_eq!(reads.load(Ordering::Relaxed), 0);
        for _ in 0..3 {
            assert_eq!(found(&key).as_deref(), Some("of the read"));
        }
        assert_eq!(reads.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_table_that_has_changed_is_ignored_until_it_is_loaded_anew() {
        let (bytes, digest) = table("of the change");
        let key = key(&bytes);
        let changed = || Ok(table("of another").0);
        let gone = || Err(io::ErrorKind::UnexpectedEof.into());
        let reads: [ReadNames; 2] = [Box::new(changed), Box::new(gone)];
        for read in reads {
            let lost = Names::register(SavedNames::Later { digest, read });
            assert_eq!(found(&key), None);
            let anew = Names::register(SavedNames::Bytes(bytes.clone()));
            assert_eq!(found(&key).as_deref(), Some("of the change"));
            drop(lost);
            assert_eq!(found(&key).as_deref(), Some("of the change"));
            drop(anew);
            assert_eq!(found(&key), None);
        }
    }

    // The key is only the beginning of a digest: tables can be made that have the same.
    #[test]
    fn two_tables_with_one_key_hide_each_other() {
        let (bytes, digest) = table("of the first");
        let key = key(&bytes);
        let first = Names::register(SavedNames::Bytes(bytes));
        let mut other = digest;
        other[31] ^= 1;
        let second = Names::register(SavedNames::Later {
            digest: other,
            read: Box::new(|| panic!("it is not needed")),
        });
        let hidden = FrameNames::of(&key).expect("it is a key");
        assert_eq!((hidden.module(), hidden.function(3)), (None, None));
        drop(second);
        assert_eq!(found(&key).as_deref(), Some("of the first"));
        drop(first);
        assert!(FrameNames::of(&key).is_none());
    }

    #[test]
    fn names_of_modules_are_no_keys() {
        for name in ["<module>", "", "#", "#AAAAAAAA", "#AAAAAAAAA", "a module's name"] {
            assert!(FrameNames::of(name).is_none(), "{name}");
        }
    }

    #[test]
    fn keys_are_in_base64url() {
        let mut digest = [0; 32];
        assert_eq!(&key_of(&digest), b"#AAAAAAAA");
        digest[6] = 1;
        assert_eq!(&key_of(&digest), b"#AAAAAAAA");
        // The first bytes of RFC 4648's example, and of its last digits.
        digest[..6].copy_from_slice(b"foobar");
        assert_eq!(&key_of(&digest), b"#Zm9vYmFy");
        digest[..6].copy_from_slice(&[0xfb, 0xff, 0xbf, 0xff, 0xff, 0xff]);
        assert_eq!(&key_of(&digest), b"#-_-_____");
    }
}
