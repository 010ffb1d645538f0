//! Open files and directories, and the access that a component has to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cap_std::fs::{Dir, File, Metadata};

use super::error::FileError;
use super::guard::{Guard, LOOK};
use crate::access::FileAction;
use crate::bindings::wasi::filesystem::types::{DescriptorFlags, ErrorCode};

/// A component's access to a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FsPerms {
    /// Reads everything and changes nothing: neither files nor names nor timestamps.
    ReadOnly,
    /// Allows everything that the folder's own permissions allow the host.
    ReadWrite,
}

/// A file or directory that a component has open.
#[derive(Clone, Debug)]
pub(crate) enum Descriptor {
    /// Anything that is not a directory.
    File(Arc<OpenFile>),
    /// A directory.
    Folder(Arc<Folder>),
}

/// An open file, shared by its descriptor and the streams created from that.
#[derive(Debug)]
pub(crate) struct OpenFile {
    pub(super) file: File,
    pub(super) access: FsPerms,
    /// The flags that it was opened with.
    pub(super) flags: DescriptorFlags,
    /// The policy on the file, if there is one. It is asked on each use.
    pub(super) guard: Option<Guard>,
    pub(super) _place: Place,
}

/// An open directory. Everything that is opened below it has its access.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(super) dir: Arc<Dir>,
    pub(super) access: FsPerms,
    pub(super) flags: DescriptorFlags,
    /// The policy on the directory and everything below, if there is one.
    pub(super) guard: Option<Guard>,
    /// `None` for directories that the host opened.
    pub(super) _place: Option<Place>,
}

impl Descriptor {
    /// Returns the file.
    ///
    /// # Errors
    /// [`ErrorCode::BadDescriptor`] for a directory.
    pub(super) fn file(&self) -> Result<&Arc<OpenFile>, FileError> {
        match self {
            Descriptor::File(file) => Ok(file),
            Descriptor::Folder(_) => Err(ErrorCode::BadDescriptor.into()),
        }
    }

    /// Returns the directory.
    ///
    /// # Errors
    /// [`ErrorCode::NotDirectory`] for anything else.
    pub(super) fn folder(&self) -> Result<&Arc<Folder>, FileError> {
        match self {
            Descriptor::Folder(folder) => Ok(folder),
            Descriptor::File(_) => Err(ErrorCode::NotDirectory.into()),
        }
    }

    pub(super) fn metadata(&self) -> Result<Metadata, FileError> {
        if let Some(guard) = self.guard() {
            guard.still_any(LOOK)?;
        }
        Ok(match self {
            Descriptor::File(file) => file.file.metadata()?,
            Descriptor::Folder(folder) => folder.dir.dir_metadata()?,
        })
    }

    fn guard(&self) -> Option<&Guard> {
        match self {
            Descriptor::File(file) => file.guard.as_ref(),
            Descriptor::Folder(folder) => folder.guard.as_ref(),
        }
    }

    /// Makes a directory that was just opened report only the flags in `kept`.
    pub(crate) fn keep_flags(&mut self, kept: DescriptorFlags) {
        if let Descriptor::Folder(folder) = self
            && let Some(folder) = Arc::get_mut(folder)
        {
            folder.flags &= kept;
        }
    }

    pub(super) fn flags(&self) -> DescriptorFlags {
        match self {
            Descriptor::File(file) => file.flags,
            Descriptor::Folder(folder) => folder.flags,
        }
    }

    /// Checks that the metadata may be changed.
    pub(super) fn changeable(&self) -> Result<(), FileError> {
        match self {
            Descriptor::File(file) => file.access.changeable()?,
            Descriptor::Folder(folder) => folder.access.changeable()?,
        }
        still(self.guard(), FileAction::Write)
    }
}

impl FsPerms {
    /// Checks that this access allows changes.
    pub(super) fn changeable(self) -> Result<(), FileError> {
        match self {
            FsPerms::ReadWrite => Ok(()),
            FsPerms::ReadOnly => Err(ErrorCode::ReadOnly.into()),
        }
    }
}

/// Asks the policy, if there is one, about an action on what is open.
fn still(guard: Option<&Guard>, action: FileAction) -> Result<(), FileError> {
    guard.map_or(Ok(()), |guard| guard.still(action))
}

impl OpenFile {
    /// Checks that the data may be read.
    pub(super) fn readable(&self) -> Result<(), FileError> {
        if self.flags.contains(DescriptorFlags::READ) {
            still(self.guard.as_ref(), FileAction::Read)
        } else {
            Err(ErrorCode::BadDescriptor.into())
        }
    }

    /// Checks that the data may be written.
    pub(super) fn writable(&self) -> Result<(), FileError> {
        self.access.changeable()?;
        if self.flags.contains(DescriptorFlags::WRITE) {
            still(self.guard.as_ref(), FileAction::Write)
        } else {
            Err(ErrorCode::BadDescriptor.into())
        }
    }
}

/// Count of the host's descriptors that a component holds.
#[derive(Debug, Default)]
pub(super) struct Places(Arc<AtomicUsize>);

/// One counted descriptor. Dropping it, with the host's descriptor beside it, frees its place.
#[derive(Debug)]
pub(super) struct Place(Arc<AtomicUsize>);

impl Places {
    /// Takes one more place.
    ///
    /// # Errors
    /// [`ErrorCode::InsufficientMemory`] if `max` places are in use.
    pub(super) fn take(&self, max: usize) -> Result<Place, FileError> {
        let one_more = |taken: usize| (taken < max).then(|| taken + 1);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .map_err(|_| ErrorCode::InsufficientMemory)?;
        Ok(Place(self.0.clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_come_back() {
        let places = Places::default();
        let first = places.take(2).unwrap();
        let second = places.take(2).unwrap();
        let refused = places.take(2).unwrap_err();
        assert!(matches!(refused, FileError::Code(ErrorCode::InsufficientMemory)));
        drop(first);
        let third = places.take(2).unwrap();
        assert!(places.take(2).is_err());
        drop((second, third));
        assert!(places.take(1).is_ok());
    }
}
