//! `wasi:filesystem/types`.

use std::sync::Arc;

use cap_std::fs::Metadata;
use fs_set_times::SetTimes;
use system_interface::fs::FileIoExt;

use super::descriptor::{Descriptor, Folder, OpenFile, Place};
use super::entries::Entries;
use super::error::FileError;
use super::find::{Found, Need};
use super::guard::Guard;
use super::open;
use super::path;
use super::stat::{self, Stat};
use super::stream::{self, Reading, Writing};
use crate::WasiCtx;
use crate::access::FileAction;
use crate::bindings::wasi::filesystem::types::{
    Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, Filesize, Host,
    HostDescriptor, HostDirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use crate::io::{InputStream, IoError, OutputStream};
use airssys_wasm_component::component::{HostResult, Resource};

type Result<T> = std::result::Result<T, FileError>;

impl Host for WasiCtx {
    fn filesystem_error_code(&mut self, error: Resource<IoError>) -> HostResult<Option<ErrorCode>> {
        let error = self.table.get(&error)?.downcast_ref::<std::io::Error>();
        Ok(error.map(super::error::code))
    }

    fn convert_error_code(&mut self, error: FileError) -> HostResult<ErrorCode> {
        error.code()
    }
}

impl WasiCtx {
    fn file(&self, descriptor: &Resource<Descriptor>) -> Result<Arc<OpenFile>> {
        self.table.get(descriptor)?.file().cloned()
    }

    fn folder(&self, descriptor: &Resource<Descriptor>) -> Result<Arc<Folder>> {
        self.table.get(descriptor)?.folder().cloned()
    }

    /// Returns a directory, after checking that its contents may be changed.
    fn changeable(&self, descriptor: &Resource<Descriptor>) -> Result<Arc<Folder>> {
        let folder = self.folder(descriptor)?;
        folder.access.changeable()?;
        Ok(folder)
    }

    /// Reserves one more of the host's descriptors.
    fn place(&self) -> Result<Place> {
        self.files.places.take(self.limits.descriptors)
    }

    /// Returns the bytes of a file from an offset on.
    pub(crate) fn reading(&self, descriptor: &Resource<Descriptor>, offset: Filesize) -> Result<Reading> {
        let file = match self.table.get(descriptor)? {
            Descriptor::File(file) => file.clone(),
            Descriptor::Folder(_) => return Err(ErrorCode::IsDirectory.into()),
        };
        file.readable()?;
        Ok(Reading::new(file, offset))
    }

    /// Returns the place of writes to a file; without an offset, they append.
    pub(crate) fn writing(
        &self,
        descriptor: &Resource<Descriptor>,
        offset: Option<Filesize>,
    ) -> Result<Writing> {
        let file = self.file(descriptor)?;
        file.writable()?;
        Ok(Writing::new(file, offset))
    }

    /// Starts reading the entries of a directory.
    pub(crate) fn entries(&self, descriptor: &Resource<Descriptor>) -> Result<Entries> {
        let folder = self.folder(descriptor)?;
        Entries::of(&folder, self.place()?)
    }

    fn metadata_at(
        &self,
        descriptor: &Resource<Descriptor>,
        flags: PathFlags,
        path: &str,
    ) -> Result<Metadata> {
        let folder = self.folder(descriptor)?;
        let found = Found::object(&folder, path, open::follows(flags), Need::Look)?;
        Ok(path::metadata(found.dir(), found.path(), found.follow)?)
    }

    /// Returns the metadata of an open object.
    pub(crate) fn stat_of(&self, descriptor: &Resource<Descriptor>) -> Result<Stat> {
        let metadata = self.table.get(descriptor)?.metadata()?;
        Ok(Stat::of(&metadata))
    }

    /// Returns the metadata of the object at a path.
    pub(crate) fn stat_of_path(
        &self,
        descriptor: &Resource<Descriptor>,
        flags: PathFlags,
        path: &str,
    ) -> Result<Stat> {
        Ok(Stat::of(&self.metadata_at(descriptor, flags, path)?))
    }
}

const WRITE: Need = Need::Each(&[FileAction::Write]);
const DELETE: Need = Need::Each(&[FileAction::Delete]);

/// Returns the guards of two objects; `None` if there is no policy.
fn both<'a>(one: &'a Found<'_>, other: &'a Found<'_>) -> Option<(&'a Guard, &'a Guard)> {
    one.guard.as_ref().zip(other.guard.as_ref())
}

/// Reopens a directory for reading. Its first descriptor only serves to resolve paths.
fn reopened(folder: &Folder) -> std::io::Result<cap_std::fs::File> {
    folder.dir.open(".")
}

impl HostDescriptor for WasiCtx {
    fn read_via_stream(
        &mut self,
        descriptor: Resource<Descriptor>,
        offset: Filesize,
    ) -> Result<Resource<InputStream>> {
        let reading = self.reading(&descriptor, offset)?;
        Ok(self.table.push(InputStream::new(reading))?)
    }

    fn write_via_stream(
        &mut self,
        descriptor: Resource<Descriptor>,
        offset: Filesize,
    ) -> Result<Resource<OutputStream>> {
        let writing = self.writing(&descriptor, Some(offset))?;
        Ok(self.table.push(OutputStream::new(writing))?)
    }

    fn append_via_stream(&mut self, descriptor: Resource<Descriptor>) -> Result<Resource<OutputStream>> {
        let writing = self.writing(&descriptor, None)?;
        Ok(self.table.push(OutputStream::new(writing))?)
    }

    fn advise(
        &mut self,
        descriptor: Resource<Descriptor>,
        offset: Filesize,
        length: Filesize,
        advice: Advice,
    ) -> Result<()> {
        use system_interface::fs::Advice as System;

        let file = self.file(&descriptor)?;
        let advice = match advice {
            Advice::Normal => System::Normal,
            Advice::Sequential => System::Sequential,
            Advice::Random => System::Random,
            Advice::WillNeed => System::WillNeed,
            Advice::DontNeed => System::DontNeed,
            Advice::NoReuse => System::NoReuse,
        };
        Ok(file.file.advise(offset, length, advice)?)
    }

    fn sync_data(&mut self, descriptor: Resource<Descriptor>) -> Result<()> {
        match self.table.get(&descriptor)? {
            Descriptor::File(file) => file.file.sync_data()?,
            Descriptor::Folder(folder) => reopened(folder)?.sync_data()?,
        }
        Ok(())
    }

    fn get_flags(&mut self, descriptor: Resource<Descriptor>) -> Result<DescriptorFlags> {
        Ok(self.table.get(&descriptor)?.flags())
    }

    fn get_type(&mut self, descriptor: Resource<Descriptor>) -> Result<DescriptorType> {
        let metadata = self.table.get(&descriptor)?.metadata()?;
        Ok(stat::kind(metadata.file_type()))
    }

    fn set_size(&mut self, descriptor: Resource<Descriptor>, size: Filesize) -> Result<()> {
        self.table.get(&descriptor)?.changeable()?;
        let file = self.file(&descriptor)?;
        // As `ftruncate` of POSIX for a descriptor that is not open for writing.
        if !file.flags.contains(DescriptorFlags::WRITE) {
            return Err(ErrorCode::Invalid.into());
        }
        Ok(file.file.set_len(size)?)
    }

    fn set_times(
        &mut self,
        descriptor: Resource<Descriptor>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> Result<()> {
        let descriptor = self.table.get(&descriptor)?;
        descriptor.changeable()?;
        let (accessed, modified) = (stat::new_time(accessed)?, stat::new_time(modified)?);
        match descriptor {
            Descriptor::File(file) => file.file.set_times(
                accessed.map(stat::NewTime::of_file),
                modified.map(stat::NewTime::of_file),
            )?,
            Descriptor::Folder(folder) => path::set_times(
                &folder.dir,
                ".",
                false,
                accessed.map(stat::NewTime::of_path),
                modified.map(stat::NewTime::of_path),
            )?,
        }
        Ok(())
    }

    fn read(
        &mut self,
        descriptor: Resource<Descriptor>,
        length: Filesize,
        offset: Filesize,
    ) -> Result<(Vec<u8>, bool)> {
        let file = self.file(&descriptor)?;
        file.readable()?;
        let most = self.limits.read_bytes;
        let length = usize::try_from(length).map_or(most, |length| length.min(most));
        let bytes = stream::read_at(&file, length, offset)?;
        // Reading no bytes does not show whether this is the end.
        let ended = bytes.is_empty() && length > 0;
        Ok((bytes, ended))
    }

    fn write(
        &mut self,
        descriptor: Resource<Descriptor>,
        buffer: Vec<u8>,
        offset: Filesize,
    ) -> Result<Filesize> {
        let file = self.file(&descriptor)?;
        file.writable()?;
        let written = file.file.write_at(&buffer, offset)?;
        Ok(Filesize::try_from(written).unwrap_or(Filesize::MAX))
    }

    fn read_directory(&mut self, descriptor: Resource<Descriptor>) -> Result<Resource<Entries>> {
        let entries = self.entries(&descriptor)?;
        Ok(self.table.push(entries)?)
    }

    fn sync(&mut self, descriptor: Resource<Descriptor>) -> Result<()> {
        match self.table.get(&descriptor)? {
            Descriptor::File(file) => file.file.sync_all()?,
            Descriptor::Folder(folder) => reopened(folder)?.sync_all()?,
        }
        Ok(())
    }

    fn create_directory_at(&mut self, descriptor: Resource<Descriptor>, path: String) -> Result<()> {
        let folder = self.changeable(&descriptor)?;
        Found::entry(&folder, &path, WRITE)?.as_entry()?.make_directory()
    }

    fn stat(&mut self, descriptor: Resource<Descriptor>) -> Result<DescriptorStat> {
        Ok(self.stat_of(&descriptor)?.into())
    }

    fn stat_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> Result<DescriptorStat> {
        Ok(self.stat_of_path(&descriptor, flags, &path)?.into())
    }

    fn set_times_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> Result<()> {
        let folder = self.changeable(&descriptor)?;
        let accessed = stat::new_time(accessed)?.map(stat::NewTime::of_path);
        let modified = stat::new_time(modified)?.map(stat::NewTime::of_path);
        let follow = open::follows(flags);
        let found = match &folder.guard {
            None => return path::set_times(&folder.dir, &path, follow, accessed, modified),
            Some(_) => Found::object(&folder, &path, follow, WRITE)?,
        };
        path::set_times(found.dir(), found.path(), false, accessed, modified)
    }

    /// Checks both folders for changes, since a new name gives its folder's access to the object.
    fn link_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        flags: PathFlags,
        old_path: String,
        new_descriptor: Resource<Descriptor>,
        new_path: String,
    ) -> Result<()> {
        let (old, new) = (self.changeable(&descriptor)?, self.changeable(&new_descriptor)?);
        if open::follows(flags) {
            return Err(ErrorCode::Invalid.into());
        }
        let old = match path::names_a_directory(old_path.as_ref()) {
            true => Found::object(&old, &old_path, false, Need::Look)?,
            false => Found::entry(&old, &old_path, Need::Look)?,
        };
        let new = Found::entry(&new, &new_path, WRITE)?;
        if let Some((old, new)) = both(&old, &new) {
            new.covers_no_more(old)?;
        }
        path::link(old.dir(), old.path(), new.dir(), new.path())
    }

    fn open_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> Result<Resource<Descriptor>> {
        let folder = self.folder(&descriptor)?;
        let opened = open::open(&folder, path_flags, &path, open_flags, flags, self.place()?)?;
        Ok(self.table.push(opened)?)
    }

    fn readlink_at(&mut self, descriptor: Resource<Descriptor>, path: String) -> Result<String> {
        let folder = self.folder(&descriptor)?;
        let found = Found::object(&folder, &path, false, Need::Look)?;
        let target = path::read_link(found.dir(), found.path())?;
        let target = target.into_os_string().into_string();
        Ok(target.map_err(|_| ErrorCode::IllegalByteSequence)?)
    }

    fn remove_directory_at(&mut self, descriptor: Resource<Descriptor>, path: String) -> Result<()> {
        let folder = self.changeable(&descriptor)?;
        Found::entry(&folder, &path, DELETE)?
            .as_entry()?
            .remove_directory()
    }

    fn rename_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        old_path: String,
        new_descriptor: Resource<Descriptor>,
        new_path: String,
    ) -> Result<()> {
        let (old, new) = (self.changeable(&descriptor)?, self.changeable(&new_descriptor)?);
        let old = Found::entry(&old, &old_path, DELETE)?;
        let new = Found::entry(&new, &new_path, WRITE)?;
        if let Some((old, new)) = both(&old, &new) {
            old.check_move(new)?;
        }
        old.as_entry()?.rename(&new.as_entry()?)
    }

    fn symlink_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        old_path: String,
        new_path: String,
    ) -> Result<()> {
        let folder = self.changeable(&descriptor)?;
        if old_path.is_empty() {
            return Err(ErrorCode::NoEntry.into());
        }
        Found::entry(&folder, &new_path, WRITE)?
            .as_entry()?
            .symlink(&old_path)
    }

    fn unlink_file_at(&mut self, descriptor: Resource<Descriptor>, path: String) -> Result<()> {
        let folder = self.changeable(&descriptor)?;
        Found::entry(&folder, &path, DELETE)?.as_entry()?.unlink()
    }

    fn is_same_object(
        &mut self,
        descriptor: Resource<Descriptor>,
        other: Resource<Descriptor>,
    ) -> HostResult<bool> {
        let identity = |descriptor: &Resource<Descriptor>| -> Result<(u64, u64)> {
            stat::identity(&self.table.get(descriptor)?.metadata()?)
        };
        match (identity(&descriptor), identity(&other)) {
            (Ok(one), Ok(other)) => Ok(one == other),
            (Err(FileError::Trap(cause)), _) | (_, Err(FileError::Trap(cause))) => Err(cause),
            // The function cannot return an error: objects that cannot be identified count as different.
            _ => Ok(false),
        }
    }

    fn metadata_hash(&mut self, descriptor: Resource<Descriptor>) -> Result<MetadataHashValue> {
        stat::hash(&self.table.get(&descriptor)?.metadata()?)
    }

    fn metadata_hash_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> Result<MetadataHashValue> {
        stat::hash(&self.metadata_at(&descriptor, flags, &path)?)
    }

    fn drop(&mut self, descriptor: Resource<Descriptor>) -> HostResult<()> {
        self.table.delete(descriptor)?;
        Ok(())
    }
}

impl HostDirectoryEntryStream for WasiCtx {
    fn read_directory_entry(&mut self, stream: Resource<Entries>) -> Result<Option<DirectoryEntry>> {
        self.table.get_mut(&stream)?.next()
    }

    fn drop(&mut self, stream: Resource<Entries>) -> HostResult<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}
