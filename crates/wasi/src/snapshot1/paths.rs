//! `path_…`: functions of paths below a directory.

use super::descriptors::{File, Folder, Open, lent};
use super::errno::{Errno, Result};
use super::files::{APPEND, DSYNC, FD_READ, FD_WRITE, NONBLOCK, RSYNC, SYNC};
use super::guest::{Caller, int, long, size};
use super::stat::{self, write_stat};
use crate::bindings::wasi::filesystem::types::{
    DescriptorFlags, DescriptorType, HostDescriptor, OpenFlags, PathFlags,
};
use crate::files::Descriptor;
use airssys_wasm_component::component::Resource;

/// Returns a directory and a path below it: argument `index` is the directory's descriptor, argument `text` is the
/// path's address, and the next one its length.
fn place(
    guest: &mut dyn Caller,
    args: &[u64],
    index: usize,
    text: usize,
) -> Result<(Resource<Descriptor>, String)> {
    let folder = guest.wasi().directory(int(args, index))?;
    let path = guest.text(int(args, text), int(args, text + 1))?;
    Ok((folder, path))
}

/// Converts `lookupflags`.
fn lookup(flags: u32) -> Result<PathFlags> {
    match flags {
        0 => Ok(PathFlags::empty()),
        1 => Ok(PathFlags::SYMLINK_FOLLOW),
        _ => Err(Errno::INVAL.into()),
    }
}

pub(super) fn create_directory(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let (folder, path) = place(guest, args, 0, 1)?;
    Ok(guest.wasi().create_directory_at(folder, path)?)
}

pub(super) fn filestat_get(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let flags = lookup(int(args, 1))?;
    let (folder, path) = place(guest, args, 0, 2)?;
    let wasi = guest.wasi();
    let stat = wasi.stat_at(lent(&folder), flags, path.clone())?;
    let hash = wasi.metadata_hash_at(folder, flags, path)?;
    write_stat(guest, int(args, 4), &stat, hash.lower)
}

pub(super) fn filestat_set_times(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let flags = lookup(int(args, 1))?;
    let (accessed, modified) = stat::new_times(long(args, 4), long(args, 5), int(args, 6))?;
    let (folder, path) = place(guest, args, 0, 2)?;
    Ok(guest
        .wasi()
        .set_times_at(folder, flags, path, accessed, modified)?)
}

pub(super) fn link(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let flags = lookup(int(args, 1))?;
    let (old, old_path) = place(guest, args, 0, 2)?;
    let (new, new_path) = place(guest, args, 4, 5)?;
    Ok(guest.wasi().link_at(old, flags, old_path, new, new_path)?)
}

pub(super) fn open(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let path_flags = lookup(int(args, 1))?;
    let (folder, path) = place(guest, args, 0, 2)?;
    let (ways, rights, state) = (int(args, 4), long(args, 5), int(args, 7));
    let open_flags = OpenFlags::from_bits(ways).ok_or(Errno::INVAL)?;
    if state & !(APPEND | DSYNC | NONBLOCK | RSYNC | SYNC) != 0 {
        return Err(Errno::INVAL.into());
    }
    let mut flags = DescriptorFlags::empty();
    for (given, flag) in [
        (rights & FD_READ != 0, DescriptorFlags::READ),
        (rights & FD_WRITE != 0, DescriptorFlags::WRITE),
        (state & DSYNC != 0, DescriptorFlags::DATA_INTEGRITY_SYNC),
        (state & RSYNC != 0, DescriptorFlags::REQUESTED_WRITE_SYNC),
        (state & SYNC != 0, DescriptorFlags::FILE_INTEGRITY_SYNC),
    ] {
        if given {
            flags |= flag;
        }
    }
    let wasi = guest.wasi();
    let descriptor = wasi.open_at(folder, path_flags, path, open_flags, flags)?;
    let open = match wasi.get_type(lent(&descriptor))? {
        DescriptorType::Directory => Open::Folder(Folder {
            descriptor,
            granted: None,
            listing: None,
        }),
        _ => Open::File(File {
            descriptor,
            at: 0,
            append: state & APPEND != 0,
            nonblocking: state & NONBLOCK != 0,
        }),
    };
    let fd = wasi.open()?.add(open)?;
    guest.write_u32(int(args, 8), fd)
}

pub(super) fn readlink(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let (folder, path) = place(guest, args, 0, 1)?;
    let target = guest.wasi().readlink_at(folder, path)?;
    // As on Linux: the part that does not fit is omitted.
    let len = target
        .len()
        .min(usize::try_from(int(args, 4)).unwrap_or(usize::MAX));
    let part = target.as_bytes().get(..len).unwrap_or_default();
    guest.write(int(args, 3), part)?;
    guest.write_u32(int(args, 5), size(len))
}

pub(super) fn remove_directory(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let (folder, path) = place(guest, args, 0, 1)?;
    Ok(guest.wasi().remove_directory_at(folder, path)?)
}

pub(super) fn rename(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let (old, old_path) = place(guest, args, 0, 1)?;
    let (new, new_path) = place(guest, args, 3, 4)?;
    Ok(guest.wasi().rename_at(old, old_path, new, new_path)?)
}

pub(super) fn symlink(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let target = guest.text(int(args, 0), int(args, 1))?;
    let (folder, path) = place(guest, args, 2, 3)?;
    Ok(guest.wasi().symlink_at(folder, target, path)?)
}

pub(super) fn unlink_file(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let (folder, path) = place(guest, args, 0, 1)?;
    Ok(guest.wasi().unlink_file_at(folder, path)?)
}
