//! The file below redb, with a largest size.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::Bound;

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

/// Bytes that are written at once where blocks cannot be reserved.
const CHUNK: u64 = 64 << 10;

/// A file that does not grow beyond a size, and has blocks for all of it. A file with holes would fail on a full disk
/// at its next change, even at a removal.
#[derive(Debug)]
pub(crate) struct Bounded {
    pub(crate) file: FileBackend,
    /// The same file.
    pub(crate) handle: File,
    /// In bytes. A file that is larger already stays as it is.
    pub(crate) largest: u64,
    #[cfg(test)]
    pub(crate) faults: Faults,
}

impl Bounded {
    /// Extends the file by zeros that have blocks.
    fn reserve(&self, old: u64, len: u64) -> io::Result<()> {
        #[cfg(test)]
        self.faults.write(old, len - old)?;
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{FallocateFlags, fallocate};
            use rustix::io::Errno;
            match fallocate(&self.handle, FallocateFlags::empty(), old, len - old) {
                Ok(()) => return Ok(()),
                Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let zeros = vec![0; usize::try_from(CHUNK).unwrap_or_default()];
        let mut at = old;
        while at < len {
            let count = usize::try_from((len - at).min(CHUNK)).unwrap_or(zeros.len());
            self.file.write(at, &zeros[..count])?;
            at += (len - at).min(CHUNK);
        }
        self.handle.sync_data()
    }
}

impl StorageBackend for Bounded {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let old = self.file.len()?;
        if len <= old {
            return self.file.set_len(len);
        }
        if len > self.largest {
            let problem = format!("the file may have at most {} bytes", self.largest);
            return Err(io::Error::new(ErrorKind::StorageFull, problem));
        }
        let reserved = self.reserve(old, len);
        if reserved.is_err() {
            self.file.set_len(old)?;
        }
        reserved
    }

    fn sync_data(&self) -> io::Result<()> {
        #[cfg(test)]
        self.faults.sync()?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        #[cfg(test)]
        self.faults
            .write(offset, u64::try_from(data.len()).unwrap_or(u64::MAX))?;
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}

#[cfg(test)]
pub(crate) use faults::Faults;

#[cfg(test)]
mod faults {
    use std::io::{self, ErrorKind};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    /// Faults of a disk, for tests: it becomes full, or fails to write back.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Faults(Arc<Disk>);

    #[derive(Debug, Default)]
    struct Disk {
        /// There are no blocks from this offset on, though the file can have this size; 0 if there are.
        full_from: AtomicU64,
        sync_fails: AtomicBool,
    }

    impl Faults {
        pub(crate) fn set_full_from(&self, offset: u64) {
            self.0.full_from.store(offset, Ordering::SeqCst);
        }

        pub(crate) fn set_sync_fails(&self, fails: bool) {
            self.0.sync_fails.store(fails, Ordering::SeqCst);
        }

        pub(super) fn write(&self, offset: u64, bytes: u64) -> io::Result<()> {
            let from = self.0.full_from.load(Ordering::SeqCst);
            let end = offset.saturating_add(bytes);
            if from != 0 && end > from {
                return Err(io::Error::from(ErrorKind::StorageFull));
            }
            Ok(())
        }

        pub(super) fn sync(&self) -> io::Result<()> {
            if self.0.sync_fails.load(Ordering::SeqCst) {
                return Err(io::Error::other("the disk cannot be written to"));
            }
            Ok(())
        }
    }
}
