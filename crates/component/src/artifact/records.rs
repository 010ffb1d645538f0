//! What was verified whole is remembered, so that it need not be read again to be trusted.
//!
//! A record says: the file with this [`Identity`], which only this user or root can change, has the content that this
//! digest stands for. Any change gives the file another identity, for which there is no record. The form of records is in
//! `docs/artifact.md`.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use borsh::BorshSerialize;

use super::disk::{self, Disk, System};
use super::identity::{Exposed, Identity};
use super::private::{self, Authenticator, PrivateError, Secret};

/// How a record begins.
const MAGIC: [u8; 8] = *b"\xa1airseen";
/// The form that this build writes and reads.
const FORMAT: u32 = 1;
/// What the key is used for here.
const PURPOSE: &str = "airssys-wasm 2026 records of verified files";
/// Most bytes of a record that are read. Stops a file that was put in the place of one.
const MOST: usize = 1024;
/// Records that are kept; when there are more, the older half goes. Stops records of files that are long gone.
const RECORDS: usize = 8192;
/// Longest wait for a file that has just been written.
const PATIENCE: Duration = Duration::from_millis(50);

/// Why a file is not remembered. It is verified again the next time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordsError {
    /// The folder or its key cannot be used.
    #[error(transparent)]
    Private(#[from] PrivateError),
    /// Others could change the file without anybody noticing.
    #[error("the file cannot be remembered as verified: {0}")]
    Exposed(#[from] Exposed),
    /// The file was changed while it was verified.
    #[error("the file was changed while it was verified")]
    Changed,
    /// A change of the file might not show yet.
    #[error("the file was changed so recently that another change might not show: verify it again later")]
    Fresh,
    /// The record cannot be written.
    #[error("the record {} cannot be written: {source}", path.display())]
    Write {
        /// The record.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The records in a folder that is this user's alone.
#[derive(Clone, Debug)]
pub struct Records {
    folder: PathBuf,
    key: Arc<Authenticator>,
    disk: Arc<dyn Disk>,
}

/// A file as it was before it was verified.
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
    /// Opens a folder, or makes one with mode 0700.
    ///
    /// # Errors
    /// [`RecordsError::Private`], if it belongs to somebody else, others may write to it, others could have read its key, or
    /// the system does not let it be used.
    pub fn open(folder: &Path) -> Result<Records, RecordsError> {
        private::folder(folder)?;
        let secret = Secret::open(&System, folder)?;
        Ok(Records::with(folder, &secret, Arc::new(System)))
    }

    /// Opens this user's: `airssys-wasm/verified` in `$XDG_CACHE_HOME`, in `~/.cache`, or what the platform has for it.
    ///
    /// # Errors
    /// As [`Records::open`].
    pub fn for_user() -> Result<Records, RecordsError> {
        Records::open(&private::user_folder()?.join("verified"))
    }

    pub(super) fn with(folder: &Path, secret: &Secret, disk: Arc<dyn Disk>) -> Records {
        Records {
            folder: folder.to_owned(),
            key: Arc::new(secret.derive(PURPOSE)),
            disk,
        }
    }

    /// Where they are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether the open file has been verified to be what `digest` stands for, and has not been changed since.
    ///
    /// `digest` has to be of what the caller has just read from the same open file, and to determine all of its content.
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

    /// To be called before a file is read to be verified: what it is now. Waits up to 50 milliseconds if it has just been
    /// written, until the clock has ticked and any further change will show.
    ///
    /// # Errors
    /// [`RecordsError::Exposed`], [`RecordsError::Fresh`].
    pub fn watch(&self, file: &File) -> Result<Watched, RecordsError> {
        Identity::protected(file)?;
        // Who writes to a page through a mapping changes the file's times when the page becomes dirty, and not again before
        // it is clean.
        file.sync_data().map_err(Exposed::Unknown)?;
        let identity = Identity::protected(file)?;
        let wait = identity.unsettled(SystemTime::now());
        if wait > PATIENCE {
            return Err(RecordsError::Fresh);
        }
        // Since the wait comes before the file is read, whatever changes within it is seen by who reads.
        std::thread::sleep(wait);
        Ok(Watched(identity))
    }

    /// Remembers that the open file is what `digest` stands for. `before` is from before it was verified.
    ///
    /// # Errors
    /// [`RecordsError::Changed`] if it is another than before, [`RecordsError::Exposed`], [`RecordsError::Write`].
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

    /// Verifies a file, unless it has been: the other functions in their order. Whether it was known; what keeps it from
    /// being remembered is no error, and logged.
    ///
    /// # Errors
    /// Those of `verify`.
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
            log::debug!("a verified file will be verified again: {error}");
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

    /// Forgets every file; how many those were.
    ///
    /// # Errors
    /// [`RecordsError::Write`] for the first one that does not go.
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

    /// Removes what nobody will read: a record more or less does no harm.
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

/// A record's name: one for each file, whatever it is called.
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
