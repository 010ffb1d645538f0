//! Files that are written whole or not at all: to a new file, synced, renamed. Each step goes through a trait, so that
//! tests can make each one fail.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Prefix of the names of files that are being written.
pub(super) const TEMPORARY: &str = "tmp-";

/// Age at which a file that is being written counts as abandoned: its process was killed.
pub(super) const ABANDONED: Duration = Duration::from_secs(600);

/// Operations that change files.
pub(super) trait Disk: fmt::Debug + Send + Sync {
    /// Creates a file that did not exist, for this user alone.
    fn create(&self, path: &Path) -> io::Result<File>;
    /// Writes some of the bytes, and returns how many.
    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<usize>;
    /// Waits until the content is on the disk.
    fn sync(&self, file: &File) -> io::Result<()>;
    /// Renames a file, and replaces what has the new name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Gives a file a second name, if that name is free.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Waits until the names in a folder are on the disk.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// The operating system's operations.
#[derive(Debug)]
pub(super) struct System;

impl Disk for System {
    fn create(&self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)
    }

    fn write(&self, mut file: &File, bytes: &[u8]) -> io::Result<usize> {
        io::Write::write(&mut file, bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    #[cfg(unix)]
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    #[cfg(not(unix))]
    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a file of this user, in place of the one with that name. A reader finds the old one or the new one, even
/// after a power failure. After an error it may be either.
pub(super) fn replace(disk: &dyn Disk, folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let path = folder.join(name);
    place(disk, folder, bytes, |temporary| disk.rename(temporary, &path))
}

/// Writes a file of this user, unless the name is used already. Returns whether it was free.
pub(super) fn establish(disk: &dyn Disk, folder: &Path, name: &str, bytes: &[u8]) -> io::Result<bool> {
    let path = folder.join(name);
    let mut first = true;
    place(disk, folder, bytes, |temporary| {
        match disk.link(temporary, &path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => first = false,
            linked => linked?,
        }
        disk.remove(temporary)
    })?;
    Ok(first)
}

fn place(
    disk: &dyn Disk,
    folder: &Path,
    bytes: &[u8],
    put: impl FnOnce(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let temporary = folder.join(format!("{TEMPORARY}{:016x}", u64::from_le_bytes(random)));
    let file = disk.create(&temporary)?;
    let done = write_all(disk, &file, bytes)
        .and_then(|()| disk.sync(&file))
        .and_then(|()| put(&temporary));
    if let Err(error) = done {
        // If it cannot be removed now, it is removed later, as abandoned.
        let _ = disk.remove(&temporary);
        return Err(error);
    }
    disk.sync_folder(folder)
}

fn write_all(disk: &dyn Disk, file: &File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match disk.write(file, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Opens a regular file for reading. A pipe or a link with that name neither blocks this nor leads elsewhere.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
        // All flags are in its lowest 31 bits.
        let flags = i32::try_from(flags).map_err(|_| io::Error::from(io::ErrorKind::Unsupported))?;
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags);
    }
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        ));
    }
    Ok(file)
}

/// Reads a small file: at most one byte beyond `most`.
pub(super) fn read_small(file: &File, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(most.saturating_add(1));
    file.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A file in one of our folders.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) modified: SystemTime,
}

impl Listed {
    /// Reports whether it is a temporary file that is no longer written.
    pub(super) fn is_abandoned(&self, now: SystemTime) -> bool {
        self.name.starts_with(TEMPORARY) && self.is_old(now)
    }

    /// Reports whether it is so old that no process still needs it.
    pub(super) fn is_old(&self, now: SystemTime) -> bool {
        // A time far ahead counts as old, too: the clock was set back.
        let distance = now.duration_since(self.modified);
        distance.unwrap_or_else(|ahead| ahead.duration()) >= ABANDONED
    }
}

/// Lists the files in a folder. Files that disappear meanwhile are omitted.
pub(super) fn list(folder: &Path) -> io::Result<Vec<Listed>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let Ok(found) = entry.metadata() else { continue };
        if found.is_file() {
            files.push(Listed {
                path: entry.path(),
                name,
                bytes: found.len(),
                modified: found.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            });
        }
    }
    Ok(files)
}
