//! The entries of a directory.

use cap_std::fs::ReadDir;

use super::descriptor::{Folder, Place};
use super::error::FileError;
use super::guard::Guard;
use super::stat;
use crate::access::FileAction;
use crate::bindings::wasi::filesystem::types::{DescriptorType, DirectoryEntry, ErrorCode};

/// A directory that is being read. Each entry is read on request: none are buffered, however many there are.
#[derive(Debug)]
pub(crate) struct Entries {
    entries: ReadDir,
    ended: bool,
    guard: Option<Guard>,
    _place: Place,
}

impl Entries {
    /// Starts reading at the first entry.
    pub(super) fn of(folder: &Folder, place: Place) -> Result<Entries, FileError> {
        if let Some(guard) = &folder.guard {
            guard.check(FileAction::List)?;
        }
        Ok(Entries {
            entries: folder.dir.entries()?,
            ended: false,
            guard: folder.guard.clone(),
            _place: place,
        })
    }

    /// Returns the next entry; `None` after the last. A name that is not Unicode is an error; the next call continues
    /// after it.
    pub(crate) fn next(&mut self) -> Result<Option<DirectoryEntry>, FileError> {
        if self.ended {
            return Ok(None);
        }
        if let Some(guard) = &self.guard {
            guard.still(FileAction::List)?;
        }
        let Some(entry) = self.entries.next() else {
            self.ended = true;
            return Ok(None);
        };
        let entry = entry?;
        let name = entry.file_name().into_string();
        let name = name.map_err(|_| ErrorCode::IllegalByteSequence)?;
        let type_ = match stat::kind(entry.file_type()?) {
            // Some file systems do not store the type in the directory.
            DescriptorType::Unknown => stat::kind(entry.metadata()?.file_type()),
            known => known,
        };
        Ok(Some(DirectoryEntry { type_, name }))
    }
}
