//! Records of verified files, so that they need not be read again to be trusted.
//!
//! A record says: the file with this [`Identity`], which only this user or root can change, has the content of this
//! digest. Any change gives the file another identity, for which there is no record. `docs/artifact.md` has the form of
//! records.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use borsh::BorshSerialize;

use super::disk::{self, Disk, System};
use super::file_identity::{Exposed, Identity};
use super::user_dir::{self, Authenticator, PrivateError, Secret};

/// First bytes of a record.
const MAGIC: [u8; 8] = *b"\xa1airseen";
/// Format version that this build writes and reads.
const FORMAT: u32 = 1;
/// Purpose for which the key is derived.
const PURPOSE: &str = "airssys-wasm 2026 records of verified files";
/// Maximum bytes of a record that are read. Stops a file that was put in place of one.
const MOST: usize = 1024;
/// Records that are kept; when there are more, the older half is removed. Stops records of files that are long gone.
const RECORDS: usize = 8192;
/// Longest wait for a file that has just been written.
const PATIENCE: Duration = Duration::from_millis(50);

/// Reasons for which a file is not remembered. It is verified again the next time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordsError {
    /// The folder or its key cannot be used.
    #[error(transparent)]
    Private(#[from] PrivateError),
    /// Other users could change the file unnoticed.
    #[error("the file cannot be recorded as verified: {0}")]
    Exposed(#[from] Exposed),
    /// The file was changed while it was verified.
    #[error("the file was changed while it was verified")]
    Changed,
    /// The file changed so recently that another change might not show.
    #[error("the file changed too recently for another change to be detectable: verify it again later")]
    Fresh,
    /// The record cannot be written.
    #[error("cannot write the record {}: {source}", path.display())]
    Write {
        /// The record's path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// The records in a folder of this user alone.
#[derive(Clone, Debug)]
pub struct Records {
    folder: PathBuf,
    key: Arc<Authenticator>,
    disk: Arc<dyn Disk>,
}

/// Identity of a file before it was verified.
#[derive(Debug)]
pub struct Watched(Identity);

#[derive(BorshSerialize)]
struct Record {
    magic: [u8; 8],
    format: u32,
    identity: Identity,
    digest: [u8; 32],
}

impl Records {
    /// Opens a folder, or creates it with mode 0700.
    ///
    /// # Errors
    /// [`RecordsError::Private`], if the folder belongs to another user, others may write to it, others could have read its
    /// key, or the system does not let it be used.
    pub fn open(folder: &Path) -> Result<Records, RecordsError> {
        user_dir::folder(folder)?;
        let secret = Secret::open(&System, folder)?;
        Ok(Records::with(folder, &secret, Arc::new(System)))
    }

    /// Opens this user's records: `airssys-wasm/verified` in `$XDG_CACHE_HOME`, in `~/.cache`, or in the platform's
    /// folder of caches.
    ///
    /// # Errors
    /// As [`Records::open`].
    pub fn for_user() -> Result<Records, RecordsError> {
        Records::open(&user_dir::user_folder()?.join("verified"))
    }

    pub(super) fn with(folder: &Path, secret: &Secret, disk: Arc<dyn Disk>) -> Records {
        Records {
            folder: folder.to_owned(),
            key: Arc::new(secret.derive(PURPOSE)),
            disk,
        }
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Reports whether the open file has been verified to have the content of `digest`, and has not changed since.
    ///
    /// `digest` must come from data just read from the same open file, and determine all of its content.
    pub fn recalls(&self, file: &File, digest: &[u8; 32]) -> bool {
        let Ok(identity) = Identity::protected(file) else {
            return false;
        };
        let record = disk::open(&self.path(&identity)).and_then(|record| disk::read_small(&record, MOST));
        let (Ok(found), Ok(expected)) = (record, record_of(identity, digest)) else {
            return false;
        };
        self.key.unseal(&found) == Some(&expected)
    }

    /// Returns the identity of a file that is about to be read and verified. Waits up to 50 milliseconds if it has just
    /// been written, until the clock has ticked and any further change will show.
    ///
    /// # Errors
    /// [`RecordsError::Exposed`], [`RecordsError::Fresh`].
    pub fn watch(&self, file: &File) -> Result<Watched, RecordsError> {
        Identity::protected(file)?;
        // A write through a mapping changes the file's times when the page becomes dirty, and not again before it is clean.
        file.sync_data().map_err(Exposed::Unknown)?;
        let identity = Identity::protected(file)?;
        let wait = identity.unsettled(SystemTime::now());
        if wait > PATIENCE {
            return Err(RecordsError::Fresh);
        }
        // The wait comes before the file is read, so the reader sees every change during it.
        std::thread::sleep(wait);
        Ok(Watched(identity))
    }

    /// Remembers that the open file has the content of `digest`. `before` is the result of [`Records::watch`]
    /// from before it was verified.
    ///
    /// # Errors
    /// [`RecordsError::Changed`] if the file has changed since, [`RecordsError::Exposed`], [`RecordsError::Write`].
    pub fn remember(&self, file: &File, digest: &[u8; 32], before: &Watched) -> Result<(), RecordsError> {
        let identity = Identity::protected(file)?;
        if identity != before.0 {
            return Err(RecordsError::Changed);
        }
        let path = self.path(&identity);
        let written = record_of(identity, digest).and_then(|record| {
            self.sweep();
            disk::replace(
                &*self.disk,
                &self.folder,
                &name(&identity),
                &self.key.seal(record),
            )
        });
        written.map_err(|source| RecordsError::Write { path, source })
    }

    /// Verifies a file, unless it was verified before, with the other functions in their order. Returns whether it was.
    /// A failure to remember the file is logged, and is not an error.
    ///
    /// # Errors
    /// The errors of `verify`.
    pub fn verify_once<E>(
        &self,
        file: &File,
        digest: &[u8; 32],
        verify: impl FnOnce() -> Result<(), E>,
    ) -> Result<bool, E> {
        if self.recalls(file, digest) {
            return Ok(true);
        }
        let before = self.watch(file);
        verify()?;
        if let Err(error) = before.and_then(|before| self.remember(file, digest, &before)) {
            log::debug!("the verification of a file is not recorded: {error}");
        }
        Ok(false)
    }

    /// Forgets a file: it is verified again the next time.
    ///
    /// # Errors
    /// [`RecordsError::Exposed`] if the file has no identity, [`RecordsError::Write`].
    pub fn forget(&self, file: &File) -> Result<(), RecordsError> {
        let path = self.path(&Identity::of(file).map_err(Exposed::Unknown)?);
        match self.disk.remove(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(|source| RecordsError::Write { path, source }),
        }
    }

    /// Forgets every file, and returns their number.
    ///
    /// # Errors
    /// [`RecordsError::Write`] for the first record that cannot be removed.
    pub fn clear(&self) -> Result<usize, RecordsError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| RecordsError::Write { path, source }
        };
        let mut records = 0;
        for file in disk::list(&self.folder).map_err(failed(&self.folder))? {
            if is_record(&file.name) {
                self.disk.remove(&file.path).map_err(failed(&file.path))?;
                records += 1;
            }
        }
        Ok(records)
    }

    fn path(&self, identity: &Identity) -> PathBuf {
        self.folder.join(name(identity))
    }

    /// Removes abandoned files and the oldest records. Failures are ignored: a record more or less does no harm.
    fn sweep(&self) {
        let now = SystemTime::now();
        let Ok(files) = disk::list(&self.folder) else {
            return;
        };
        let (records, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| is_record(&file.name));
        let abandoned = others.into_iter().filter(|file| file.is_abandoned(now));
        let mut gone: Vec<_> = abandoned.collect();
        if records.len() > RECORDS {
            let mut records = records;
            records.sort_by_key(|record| record.modified);
            records.truncate(RECORDS / 2);
            gone.extend(records);
        }
        for file in gone {
            let _ = self.disk.remove(&file.path);
        }
    }
}

/// Returns a record's name: one for each file, whatever the file's path is.
fn name(identity: &Identity) -> String {
    format!("{:016x}-{:016x}", identity.device, identity.inode)
}

fn is_record(name: &str) -> bool {
    name.len() == 33 && name.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

fn record_of(identity: Identity, digest: &[u8; 32]) -> io::Result<Vec<u8>> {
    borsh::to_vec(&Record {
        magic: MAGIC,
        format: FORMAT,
        identity,
        digest: *digest,
    })
}

#[cfg(all(test, target_os = "linux"))]
pub(super) mod tests;
