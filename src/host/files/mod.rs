//! Files of components: whole files below granted paths.
//!
//! A component's paths are those of the host, as far as they are granted. A granted folder is opened by its path, and from
//! there on one component at a time, through `cap-std`, without following links. A symbolic link is resolved here: the path
//! that it leads to must be granted, too, before anything of it is looked at.

mod locate;
mod replace;

use std::io::{self, Read};
use std::time::Instant;

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::fs::{FileType, OpenOptions};

use super::bindings::airssys::host_core::host_capabilities::FileError;
use crate::security::Capability;
use locate::locate;

/// Bytes that are read or written between two looks at the clock.
const PART: usize = 1 << 20;

/// The policy for one access to a file.
pub(super) trait Access {
    /// Checks a path in normal form, and returns the granted path that it is or is below.
    fn check(&self, path: &str) -> Result<String, Capability>;

    /// Returns the capability that a path needs.
    fn required(&self, path: &str) -> Capability;
}

/// Limits of one access.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) bytes: u64,
    pub(super) deadline: Option<Instant>,
}

impl Bounds {
    fn check_time(&self) -> Result<(), FileError> {
        match self.deadline {
            Some(deadline) if deadline <= Instant::now() => Err(io("the call's time is over")),
            _ => Ok(()),
        }
    }
}

/// Reads a whole file.
pub(super) fn read(path: &str, access: &impl Access, bounds: Bounds) -> Result<Vec<u8>, FileError> {
    let place = locate(path, access)?;
    let told = |error: io::Error| told(path, &error);
    let metadata = place.folder.symlink_metadata(&place.name).map_err(told)?;
    regular(metadata.file_type())?;
    let mut options = OpenOptions::new();
    // In place of the file that was looked at, there may be a pipe or a link by now.
    options.read(true).follow(FollowSymlinks::No).nonblock(true);
    let file = place.folder.open_with(&place.name, &options).map_err(told)?;
    let metadata = file.metadata().map_err(told)?;
    regular(metadata.file_type())?;
    if metadata.len() > bounds.bytes {
        return Err(FileError::TooLarge(bounds.bytes));
    }
    // Sizes of files can be wrong, as in `/proc`, and can change.
    let mut rest = file.take(bounds.bytes.saturating_add(1));
    let mut data = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    loop {
        bounds.check_time()?;
        let part = u64::try_from(PART).unwrap_or(u64::MAX);
        if rest.by_ref().take(part).read_to_end(&mut data).map_err(told)? == 0 {
            break;
        }
    }
    match u64::try_from(data.len()) {
        Ok(bytes) if bytes <= bounds.bytes => Ok(data),
        _ => Err(FileError::TooLarge(bounds.bytes)),
    }
}

/// Writes a whole file: readers see the old content or the new one, never a part.
pub(super) fn write(path: &str, data: &[u8], access: &impl Access, bounds: Bounds) -> Result<(), FileError> {
    let place = locate(path, access)?;
    if u64::try_from(data.len()).map_or(true, |bytes| bytes > bounds.bytes) {
        return Err(FileError::TooLarge(bounds.bytes));
    }
    replace::replace(&place, path, data, bounds)
}

/// Checks that a file is neither a folder nor special.
fn regular(kind: FileType) -> Result<(), FileError> {
    if kind.is_file() {
        Ok(())
    } else if kind.is_dir() {
        Err(io("it is a folder"))
    } else if kind.is_symlink() {
        Err(io("it became a link"))
    } else {
        Err(io("it is not a regular file, but a device, pipe or socket"))
    }
}

fn io(text: &str) -> FileError {
    FileError::Io(text.to_owned())
}

/// Converts an error of the operating system for the file at `path`.
fn told(path: &str, error: &io::Error) -> FileError {
    match error.kind() {
        io::ErrorKind::NotFound => FileError::NotFound(path.to_owned()),
        _ => FileError::Io(error.to_string()),
    }
}
