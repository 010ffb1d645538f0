//! `fd_…`: functions of open descriptors.

use bytes::Bytes;

use super::descriptors::{Open, lent};
use super::errno::{Errno, Result};
use super::guest::{Caller, Stretch, int, long, room, size};
use super::stat::{self, write_stat};
use crate::bindings::wasi::filesystem::types::{Advice, DescriptorFlags, HostDescriptor};
use crate::bindings::wasi::io::streams::HostInputStream;
use crate::io::StreamError;

/// Bytes of one write, at most; a longer one is a short write. Stops buffers that all refer to the same memory from
/// filling the host's.
const MAX_WRITE: usize = 1 << 20;

pub(super) const APPEND: u32 = 1;
pub(super) const DSYNC: u32 = 2;
pub(super) const NONBLOCK: u32 = 4;
pub(super) const RSYNC: u32 = 8;
pub(super) const SYNC: u32 = 16;

/// `fd_read`, `fd_write`, `fd_seek` and `fd_tell`.
pub(super) const FD_READ: u64 = 1 << 1;
pub(super) const FD_WRITE: u64 = 1 << 6;
const FD_SEEK: u64 = 1 << 2;
const FD_TELL: u64 = 1 << 5;
/// Rights of files: `fd_datasync` to `fd_allocate`, `fd_filestat_…`, `poll_fd_readwrite`.
const FILE: u64 = 0x1ff | 1 << 21 | 1 << 22 | 1 << 23 | 1 << 27;
/// Rights of directories: `fd_fdstat_set_flags`, `fd_sync`, `fd_advise`, `path_…`, `fd_readdir`, `fd_filestat_get` and
/// `…_set_times`. Setting sizes is not included, since a module could not give that right up.
const DIRECTORY: u64 = 1 << 3 | 1 << 4 | 1 << 7 | 0x1ff << 9 | 0x5 << 18 | 1 << 21 | 1 << 23 | 0x7 << 24;

pub(super) fn advise(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let advice = match int(args, 3) {
        0 => Advice::Normal,
        1 => Advice::Sequential,
        2 => Advice::Random,
        3 => Advice::WillNeed,
        4 => Advice::DontNeed,
        5 => Advice::NoReuse,
        _ => return Err(Errno::INVAL.into()),
    };
    let wasi = guest.wasi();
    let descriptor = wasi.descriptor(int(args, 0))?;
    Ok(wasi.advise(descriptor, long(args, 1), long(args, 2), advice)?)
}

pub(super) fn allocate(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let wasi = guest.wasi();
    let descriptor = wasi.descriptor(int(args, 0))?;
    Ok(wasi.allocate(&descriptor, long(args, 1), long(args, 2))?)
}

pub(super) fn close(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let wasi = guest.wasi();
    let open = wasi.open()?.remove(int(args, 0))?;
    wasi.close(open)
}

pub(super) fn datasync(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let wasi = guest.wasi();
    let descriptor = wasi.descriptor(int(args, 0))?;
    Ok(wasi.sync_data(descriptor)?)
}

pub(super) fn sync(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let wasi = guest.wasi();
    let descriptor = wasi.descriptor(int(args, 0))?;
    Ok(HostDescriptor::sync(wasi, descriptor)?)
}

pub(super) fn fdstat_get(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let wasi = guest.wasi();
    let flag = |set: bool, flag: u32| if set { flag } else { 0 };
    let (kind, flags, base, inheriting) = match wasi.open()?.get(int(args, 0))? {
        Open::Input { nonblocking, .. } => (stat::CHARACTER_DEVICE, flag(*nonblocking, NONBLOCK), FD_READ, 0),
        Open::Output { nonblocking, .. } => {
            (stat::CHARACTER_DEVICE, flag(*nonblocking, NONBLOCK), FD_WRITE, 0)
        }
        Open::Folder(_) => (stat::DIRECTORY, 0, DIRECTORY, DIRECTORY | FILE),
        Open::File(file) => {
            let mut flags = flag(file.append, APPEND) | flag(file.nonblocking, NONBLOCK);
            let (descriptor, again) = (lent(&file.descriptor), lent(&file.descriptor));
            let opened = wasi.get_flags(descriptor)?;
            let kind = stat::kind(wasi.get_type(again)?);
            let has = |flag| opened.contains(flag);
            flags |= flag(has(DescriptorFlags::DATA_INTEGRITY_SYNC), DSYNC)
                | flag(has(DescriptorFlags::REQUESTED_WRITE_SYNC), RSYNC)
                | flag(has(DescriptorFlags::FILE_INTEGRITY_SYNC), SYNC);
            let mut rights = FILE;
            if !has(DescriptorFlags::READ) {
                rights &= !FD_READ;
            }
            if !has(DescriptorFlags::WRITE) {
                rights &= !FD_WRITE;
            }
            if kind != stat::REGULAR_FILE {
                rights &= !(FD_SEEK | FD_TELL);
            }
            (kind, flags, rights, 0)
        }
    };
    let mut record = [0; 24];
    record[0] = kind;
    record[2] = flags.to_le_bytes()[0];
    record[8..16].copy_from_slice(&base.to_le_bytes());
    record[16..24].copy_from_slice(&inheriting.to_le_bytes());
    guest.write(int(args, 1), &record)
}

pub(super) fn fdstat_set_flags(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let flags = int(args, 1);
    let open = guest.wasi().open()?.get(int(args, 0))?;
    // The sync flags are fixed when a file is opened.
    if flags & !(APPEND | NONBLOCK) != 0 {
        return Err(Errno::INVAL.into());
    }
    let (appends, waits_not) = (flags & APPEND != 0, flags & NONBLOCK != 0);
    match open {
        Open::Input { nonblocking, .. } | Open::Output { nonblocking, .. } => *nonblocking = waits_not,
        Open::File(file) => (file.append, file.nonblocking) = (appends, waits_not),
        Open::Folder(_) => return Err(Errno::BADF.into()),
    }
    Ok(())
}

/// Refuses every change: rights follow from the descriptor, so they cannot grow, and giving one up is not supported.
pub(super) fn fdstat_set_rights(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let (base, inheriting) = match guest.wasi().open()?.get(int(args, 0))? {
        Open::Folder(_) => (DIRECTORY, DIRECTORY | FILE),
        Open::File(_) => (FILE, 0),
        Open::Input { .. } => (FD_READ, 0),
        Open::Output { .. } => (FD_WRITE, 0),
    };
    match long(args, 1) & !base == 0 && long(args, 2) & !inheriting == 0 {
        true => Err(Errno::NOTSUP.into()),
        false => Err(Errno::NOTCAPABLE.into()),
    }
}

pub(super) fn filestat_get(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let (fd, at) = (int(args, 0), int(args, 1));
    let wasi = guest.wasi();
    let descriptor = match wasi.open()?.get(fd)? {
        Open::Input { .. } | Open::Output { .. } => return stat::write_stream(guest, at),
        Open::File(file) => lent(&file.descriptor),
        Open::Folder(folder) => lent(&folder.descriptor),
    };
    let hash = wasi.metadata_hash(lent(&descriptor))?;
    let stat = HostDescriptor::stat(wasi, descriptor)?;
    write_stat(guest, at, &stat, hash.lower)
}

pub(super) fn filestat_set_size(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let wasi = guest.wasi();
    let descriptor = wasi.descriptor(int(args, 0))?;
    Ok(wasi.set_size(descriptor, long(args, 1))?)
}

pub(super) fn filestat_set_times(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let (accessed, modified) = stat::new_times(long(args, 1), long(args, 2), int(args, 3))?;
    let wasi = guest.wasi();
    let descriptor = wasi.descriptor(int(args, 0))?;
    Ok(wasi.set_times(descriptor, accessed, modified)?)
}

pub(super) fn prestat_get(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let path = granted(guest, int(args, 0))?;
    // The only tag, and the path's length.
    guest.write_u32(int(args, 1), 0)?;
    let second = int(args, 1).checked_add(4).ok_or(Errno::FAULT)?;
    guest.write_u32(second, size(path.len()))
}

pub(super) fn prestat_dir_name(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let path = granted(guest, int(args, 0))?;
    match size(path.len()) <= int(args, 2) {
        true => guest.write(int(args, 1), path.as_bytes()),
        false => Err(Errno::NAMETOOLONG.into()),
    }
}

/// Returns the module's path for a granted folder.
fn granted(guest: &mut dyn Caller, fd: u32) -> Result<String> {
    match guest.wasi().open()?.get(fd)? {
        Open::Folder(folder) => Ok(folder.granted.clone().ok_or(Errno::BADF)?),
        _ => Err(Errno::BADF.into()),
    }
}

pub(super) fn pread(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let most = guest.wasi().limits.read_bytes;
    let buffers = guest.buffers(int(args, 1), int(args, 2), most)?;
    let descriptor = lent(&guest.wasi().open()?.file(int(args, 0))?.descriptor);
    let (bytes, _) = HostDescriptor::read(guest.wasi(), descriptor, room(&buffers), long(args, 3))?;
    guest.scatter(&buffers, &bytes)?;
    guest.write_u32(int(args, 4), size(bytes.len()))
}

pub(super) fn pwrite(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let buffers = guest.buffers(int(args, 1), int(args, 2), MAX_WRITE)?;
    let bytes = guest.gather(&buffers)?;
    let descriptor = lent(&guest.wasi().open()?.file(int(args, 0))?.descriptor);
    let written = HostDescriptor::write(guest.wasi(), descriptor, bytes, long(args, 3))?;
    guest.write_u32(int(args, 4), short(written))
}

pub(super) fn read(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let most = guest.wasi().limits.read_bytes;
    let buffers = guest.buffers(int(args, 1), int(args, 2), most)?;
    let wasi = guest.wasi();
    let fd = int(args, 0);
    let bytes = match wasi.open()?.get(fd)? {
        Open::Output { .. } => return Err(Errno::BADF.into()),
        Open::Folder(_) => return Err(Errno::ISDIR.into()),
        Open::Input { stream, nonblocking } => {
            let (stream, nonblocking) = (lent(stream), *nonblocking);
            let read = match nonblocking {
                true => HostInputStream::read(wasi, stream, room(&buffers)),
                false => wasi.blocking_read(stream, room(&buffers)),
            };
            match read {
                Ok(bytes) if bytes.is_empty() && room(&buffers) > 0 => return Err(Errno::AGAIN.into()),
                Ok(bytes) => bytes,
                // The end of the input.
                Err(StreamError::Closed) => Vec::new(),
                Err(error) => return Err(error.into()),
            }
        }
        Open::File(file) => {
            let (descriptor, at) = (lent(&file.descriptor), file.at);
            let (bytes, _) = HostDescriptor::read(wasi, descriptor, room(&buffers), at)?;
            let file = wasi.open()?.file(fd)?;
            file.at = file.at.saturating_add(u64::from(size(bytes.len())));
            bytes
        }
    };
    guest.scatter(&buffers, &bytes)?;
    guest.write_u32(int(args, 3), size(bytes.len()))
}

pub(super) fn write(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let fd = int(args, 0);
    guest.wasi().open()?.get(fd)?;
    let buffers = guest.buffers(int(args, 1), int(args, 2), MAX_WRITE)?;
    let bytes = guest.gather(&buffers)?;
    let wasi = guest.wasi();
    let written = match wasi.open()?.get(fd)? {
        Open::Input { .. } => return Err(Errno::BADF.into()),
        Open::Folder(_) => return Err(Errno::ISDIR.into()),
        Open::Output { stream, .. } => {
            let (stream, len) = (lent(stream), bytes.len());
            wasi.write_all(&stream, Bytes::from(bytes))?;
            size(len)
        }
        Open::File(file) if file.append => {
            let descriptor = lent(&file.descriptor);
            let (written, end) = wasi.append(&descriptor, &bytes)?;
            wasi.open()?.file(fd)?.at = end;
            short(written)
        }
        Open::File(file) => {
            let (descriptor, at) = (lent(&file.descriptor), file.at);
            let written = HostDescriptor::write(wasi, descriptor, bytes, at)?;
            wasi.open()?.file(fd)?.at = at.saturating_add(written);
            short(written)
        }
    };
    guest.write_u32(int(args, 3), written)
}

/// Converts the number of written bytes, which one call bounds.
fn short(written: u64) -> u32 {
    u32::try_from(written).unwrap_or(u32::MAX)
}

pub(super) fn renumber(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let wasi = guest.wasi();
    match wasi.open()?.renumber(int(args, 0), int(args, 1))? {
        Some(replaced) => wasi.close(replaced),
        None => Ok(()),
    }
}

pub(super) fn seek(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let (fd, offset) = (int(args, 0), long(args, 1).cast_signed());
    let wasi = guest.wasi();
    let file = wasi.open()?.file(fd)?;
    let from = match int(args, 2) {
        0 => 0,
        1 => file.at,
        2 => {
            let descriptor = lent(&file.descriptor);
            HostDescriptor::stat(wasi, descriptor)?.size
        }
        _ => return Err(Errno::INVAL.into()),
    };
    // The largest offset of any system: 2^63 - 1.
    let last = u64::from(u32::MAX) << 31 | 0x7fff_ffff;
    let at = from.checked_add_signed(offset).filter(|at| *at <= last);
    let at = at.ok_or(Errno::INVAL)?;
    wasi.open()?.file(fd)?.at = at;
    guest.write_u64(int(args, 3), at)
}

pub(super) fn tell(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let at = guest.wasi().open()?.file(int(args, 0))?.at;
    guest.write_u64(int(args, 1), at)
}

/// Reads entries from an index on, as many as the buffer has room for; the last one is cut off at the buffer's end.
pub(super) fn readdir(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let buffer = Stretch {
        at: int(args, 1),
        len: int(args, 2),
    };
    guest.bytes(buffer)?;
    let used = super::listing::read(guest, int(args, 0), buffer, long(args, 3))?;
    guest.write_u32(int(args, 4), used)
}
