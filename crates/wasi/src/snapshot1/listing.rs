//! `fd_readdir`.

use super::descriptors::{Entry, Listing, lent};
use super::errno::Result;
use super::guest::{Caller, Stretch, size};
use super::stat;
use crate::WasiCtx;
use crate::bindings::wasi::filesystem::types::{
    ErrorCode, HostDescriptor, HostDirectoryEntryStream, PathFlags,
};
use crate::files::{Descriptor, FileError};
use airssys_wasm_component::component::Resource;

/// Writes entries from the index `from` on. Returns the number of bytes written.
///
/// If `from` is where the last call stopped, the directory is read on from there, so that a long one is not read again
/// for each buffer. Otherwise reading restarts.
pub(super) fn read(guest: &mut dyn Caller, fd: u32, buffer: Stretch, from: u64) -> Result<u32> {
    let wasi = guest.wasi();
    let folder = wasi.directory(fd)?;
    let mut listing = match wasi.open()?.folder(fd)?.listing.take() {
        Some(listing) if listing.next == from => listing,
        other => {
            if let Some(other) = other {
                HostDirectoryEntryStream::drop(wasi, other.entries)?;
            }
            Listing {
                entries: wasi.read_directory(lent(&folder))?,
                next: 0,
                left: None,
            }
        }
    };
    let filled = fill(guest, &folder, &mut listing, buffer, from);
    // A failure keeps the listing.
    guest.wasi().open()?.folder(fd)?.listing = Some(listing);
    filled
}

fn fill(
    guest: &mut dyn Caller,
    folder: &Resource<Descriptor>,
    listing: &mut Listing,
    buffer: Stretch,
    from: u64,
) -> Result<u32> {
    let mut used = 0;
    while used < buffer.len {
        let Some(entry) = next(guest.wasi(), folder, listing)? else {
            break;
        };
        if listing.next < from {
            listing.next += 1;
            continue;
        }
        let bytes = encode(&entry, listing.next.saturating_add(1));
        let len = size(bytes.len()).min(buffer.len - used);
        let part = bytes.get(..usize::try_from(len).unwrap_or(0)).unwrap_or_default();
        guest.write(buffer.at + used, part)?;
        used += len;
        if size(bytes.len()) > len {
            listing.left = Some(entry);
            break;
        }
        listing.next = listing.next.saturating_add(1);
    }
    Ok(used)
}

/// Returns the entry at the listing's index.
fn next(wasi: &mut WasiCtx, folder: &Resource<Descriptor>, listing: &mut Listing) -> Result<Option<Entry>> {
    if let Some(entry) = listing.left.take() {
        return Ok(Some(entry));
    }
    let directory = |name: &str, inode| Entry {
        inode,
        kind: stat::DIRECTORY,
        name: name.to_owned(),
    };
    match listing.next {
        0 => return Ok(Some(directory(".", wasi.metadata_hash(lent(folder))?.lower))),
        // The module learns nothing about the directory above a folder.
        1 => return Ok(Some(directory("..", 0))),
        _ => {}
    }
    let Some(entry) = wasi.read_directory_entry(lent(&listing.entries))? else {
        return Ok(None);
    };
    let inode = match wasi.metadata_hash_at(lent(folder), PathFlags::empty(), entry.name.clone()) {
        Ok(hash) => hash.lower,
        // The entry was removed in the meantime.
        Err(FileError::Code(ErrorCode::NoEntry)) => 0,
        Err(error) => return Err(error.into()),
    };
    Ok(Some(Entry {
        inode,
        kind: stat::kind(entry.type_),
        name: entry.name,
    }))
}

fn encode(entry: &Entry, next: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entry.name.len() + 24);
    bytes.extend_from_slice(&next.to_le_bytes());
    bytes.extend_from_slice(&entry.inode.to_le_bytes());
    bytes.extend_from_slice(&size(entry.name.len()).to_le_bytes());
    bytes.extend_from_slice(&[entry.kind, 0, 0, 0]);
    bytes.extend_from_slice(entry.name.as_bytes());
    bytes
}
