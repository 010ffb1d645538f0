//! `wasi:filesystem` 0.3, by the functions of 0.2. Files are always ready: they are read and written on the store's thread.

mod convert;
mod directory;

use airssys_wasm_component::component::{Access, Accessor, FutureReader, HostResult, Resource, StreamReader};

use self::convert::{Answer, answer, stream_code};
use super::bindings::wasi::filesystem::preopens;
use super::bindings::wasi::filesystem::types::{
    self, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, HostDescriptorWithStore, NewTimestamp,
};
use super::streams::{self, Ended, Made};
use crate::WasiCtx;
use crate::bindings::wasi::filesystem::types::{
    Advice, DescriptorFlags, HostDescriptor, MetadataHashValue, OpenFlags, PathFlags,
};
use crate::files::{Descriptor, FileError};
use crate::view::HasWasi;

/// Calls a function of the context.
fn with<T: Send + 'static, R>(
    accessor: &Accessor<T, HasWasi>,
    call: impl FnOnce(&mut WasiCtx) -> Result<R, FileError>,
) -> Answer<R> {
    answer(accessor.with(|mut store| call(&mut store.get())))
}

impl preopens::Host for WasiCtx {
    fn get_directories(&mut self) -> HostResult<Vec<(Resource<Descriptor>, String)>> {
        crate::bindings::wasi::filesystem::preopens::Host::get_directories(self)
    }
}

impl types::Host for WasiCtx {}

impl types::HostDescriptor for WasiCtx {
    fn drop(&mut self, descriptor: Resource<Descriptor>) -> HostResult<()> {
        HostDescriptor::drop(self, descriptor)
    }
}

/// Returns the flags that a descriptor is opened with, as wasi-testsuite requires: creating implies writing, and reading is implied
/// unless the guest asks for writing alone. A directory reports whether the guest asked to change it; 0.2 has no such rule.
fn opened_for(open: OpenFlags, mut flags: DescriptorFlags) -> DescriptorFlags {
    if !flags.contains(DescriptorFlags::WRITE) {
        flags |= DescriptorFlags::READ;
    }
    if open.contains(OpenFlags::CREATE) {
        flags |= DescriptorFlags::WRITE;
    }
    flags
}

/// Writes a stream to a file.
fn write<T: Send + 'static>(
    mut store: Access<'_, T, HasWasi>,
    fd: &Resource<Descriptor>,
    data: StreamReader<u8>,
    offset: Option<u64>,
) -> HostResult<FutureReader<Ended<ErrorCode>>> {
    let writing = answer(store.get().writing(fd, offset))?;
    let output = writing.map(|mut writing| move |bytes: &[u8]| writing.write_bytes(bytes));
    streams::write(store, data, output, stream_code)
}

impl<T: Send + 'static> HostDescriptorWithStore<T> for HasWasi {
    fn read_via_stream(
        mut store: Access<'_, T, Self>,
        fd: Resource<Descriptor>,
        offset: u64,
    ) -> HostResult<Made<ErrorCode>> {
        let reading = answer(store.get().reading(&fd, offset))?;
        Ok(streams::read(store, reading, stream_code))
    }

    fn write_via_stream(
        store: Access<'_, T, Self>,
        fd: Resource<Descriptor>,
        data: StreamReader<u8>,
        offset: u64,
    ) -> HostResult<FutureReader<Ended<ErrorCode>>> {
        write(store, &fd, data, Some(offset))
    }

    fn append_via_stream(
        store: Access<'_, T, Self>,
        fd: Resource<Descriptor>,
        data: StreamReader<u8>,
    ) -> HostResult<FutureReader<Ended<ErrorCode>>> {
        write(store, &fd, data, None)
    }

    fn read_directory(
        mut store: Access<'_, T, Self>,
        fd: Resource<Descriptor>,
    ) -> HostResult<(StreamReader<DirectoryEntry>, FutureReader<Ended<ErrorCode>>)> {
        let entries = answer(store.get().entries(&fd))?;
        Ok(directory::read(store, entries))
    }

    async fn advise(
        accessor: &Accessor<T, Self>,
        fd: Resource<Descriptor>,
        offset: u64,
        length: u64,
        advice: Advice,
    ) -> Answer<()> {
        with(accessor, |ctx| ctx.advise(fd, offset, length, advice))
    }

    async fn sync_data(accessor: &Accessor<T, Self>, fd: Resource<Descriptor>) -> Answer<()> {
        with(accessor, |ctx| ctx.sync_data(fd))
    }

    async fn get_flags(accessor: &Accessor<T, Self>, fd: Resource<Descriptor>) -> Answer<DescriptorFlags> {
        with(accessor, |ctx| ctx.get_flags(fd))
    }

    async fn get_type(accessor: &Accessor<T, Self>, fd: Resource<Descriptor>) -> Answer<DescriptorType> {
        with(accessor, |ctx| ctx.get_type(fd).map(convert::kind))
    }

    async fn set_size(accessor: &Accessor<T, Self>, fd: Resource<Descriptor>, size: u64) -> Answer<()> {
        with(accessor, |ctx| ctx.set_size(fd, size))
    }

    async fn set_times(
        accessor: &Accessor<T, Self>,
        fd: Resource<Descriptor>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> Answer<()> {
        with(accessor, |ctx| {
            ctx.set_times(fd, convert::new_time(accessed)?, convert::new_time(modified)?)
        })
    }

    async fn sync(accessor: &Accessor<T, Self>, fd: Resource<Descriptor>) -> Answer<()> {
        with(accessor, |ctx| ctx.sync(fd))
    }

    async fn create_directory_at(
        accessor: &Accessor<T, Self>,
        fd: Resource<Descriptor>,
        path: String,
    ) -> Answer<()> {
        with(accessor, |ctx| ctx.create_directory_at(fd, path))
    }

    async fn stat(accessor: &Accessor<T, Self>, fd: Resource<Descriptor>) -> Answer<DescriptorStat> {
        with(accessor, |ctx| ctx.stat_of(&fd).map(convert::stat))
    }

    async fn stat_at(
        accessor: &Accessor<T, Self>,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> Answer<DescriptorStat> {
        with(accessor, |ctx| {
            ctx.stat_of_path(&fd, flags, &path).map(convert::stat)
        })
    }

    async fn set_times_at(
        accessor: &Accessor<T, Self>,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> Answer<()> {
        with(accessor, |ctx| {
            let (accessed, modified) = (convert::new_time(accessed)?, convert::new_time(modified)?);
            ctx.set_times_at(fd, flags, path, accessed, modified)
        })
    }

    async fn link_at(
        accessor: &Accessor<T, Self>,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        old_path: String,
        new: Resource<Descriptor>,
        new_path: String,
    ) -> Answer<()> {
        with(accessor, |ctx| ctx.link_at(fd, flags, old_path, new, new_path))
    }

    async fn open_at(
        accessor: &Accessor<T, Self>,
        fd: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> Answer<Resource<Descriptor>> {
        let flags = opened_for(open_flags, flags);
        with(accessor, |ctx| {
            let opened = ctx.open_at(fd, path_flags, path, open_flags, flags)?;
            ctx.table.get_mut(&opened)?.keep_flags(flags);
            Ok(opened)
        })
    }

    async fn readlink_at(
        accessor: &Accessor<T, Self>,
        fd: Resource<Descriptor>,
        path: String,
    ) -> Answer<String> {
        with(accessor, |ctx| ctx.readlink_at(fd, path))
    }

    async fn remove_directory_at(
        accessor: &Accessor<T, Self>,
        fd: Resource<Descriptor>,
        path: String,
    ) -> Answer<()> {
        with(accessor, |ctx| ctx.remove_directory_at(fd, path))
    }

    async fn rename_at(
        accessor: &Accessor<T, Self>,
        fd: Resource<Descriptor>,
        old_path: String,
        new: Resource<Descriptor>,
        new_path: String,
    ) -> Answer<()> {
        with(accessor, |ctx| ctx.rename_at(fd, old_path, new, new_path))
    }

    async fn symlink_at(
        accessor: &Accessor<T, Self>,
        fd: Resource<Descriptor>,
        old_path: String,
        new_path: String,
    ) -> Answer<()> {
        with(accessor, |ctx| ctx.symlink_at(fd, old_path, new_path))
    }

    async fn unlink_file_at(
        accessor: &Accessor<T, Self>,
        fd: Resource<Descriptor>,
        path: String,
    ) -> Answer<()> {
        with(accessor, |ctx| ctx.unlink_file_at(fd, path))
    }

    async fn metadata_hash(
        accessor: &Accessor<T, Self>,
        fd: Resource<Descriptor>,
    ) -> Answer<MetadataHashValue> {
        with(accessor, |ctx| ctx.metadata_hash(fd))
    }

    async fn metadata_hash_at(
        accessor: &Accessor<T, Self>,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> Answer<MetadataHashValue> {
        with(accessor, |ctx| ctx.metadata_hash_at(fd, flags, path))
    }

    async fn is_same_object(
        accessor: &Accessor<T, Self>,
        fd: Resource<Descriptor>,
        other: Resource<Descriptor>,
    ) -> HostResult<bool> {
        accessor.with(|mut store| store.get().is_same_object(fd, other))
    }
}
