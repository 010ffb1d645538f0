//! The entries of a directory.

use cap_std::fs::ReadDir;

use super::descriptor::{Folder, Place};
use super::error::FileError;
use super::stat;
use crate::bindings::wasi::filesystem::types::{DescriptorType, DirectoryEntry, ErrorCode};

/// A directory that is being read. Entries are read when they are asked for: none are held, however many there are.
#[derive(Debug)]
pub(crate) struct Entries {
    entries: ReadDir,
    ended: bool,
    _place: Place,
}

impl Entries {
    /// Starts at the first entry.
    pub(super) fn of(folder: &Folder, place: Place) -> Result<Entries, FileError> {
        Ok(Entries {
            entries: folder.dir.entries()?,
            ended: false,
            _place: place,
        })
    }

    /// The next entry; `None` after the last. One whose name is not Unicode is an error, and the next one follows it.
    pub(super) fn next(&mut self) -> Result<Option<DirectoryEntry>, FileError> {
        if self.ended {
            return Ok(None);
        }
        let Some(entry) = self.entries.next() else {
            self.ended = true;
            return Ok(None);
        };
        let entry = entry?;
        let name = entry.file_name().into_string();
        let name = name.map_err(|_| ErrorCode::IllegalByteSequence)?;
        let type_ = match stat::kind(entry.file_type()?) {
            // Some file systems do not keep it in the directory.
            DescriptorType::Unknown => stat::kind(entry.metadata()?.file_type()),
            known => known,
        };
        Ok(Some(DirectoryEntry { type_, name }))
    }
}
