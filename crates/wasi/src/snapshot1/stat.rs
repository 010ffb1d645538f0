//! Metadata of files, as preview 1 represents it (`filestat`).

use super::errno::{Errno, Result};
use super::guest::Caller;
use crate::bindings::wasi::clocks::wall_clock::Datetime;
use crate::bindings::wasi::filesystem::types::{DescriptorStat, DescriptorType, NewTimestamp};

pub(super) const CHARACTER_DEVICE: u8 = 2;
pub(super) const DIRECTORY: u8 = 3;
pub(super) const REGULAR_FILE: u8 = 4;

/// Returns the `filetype`.
pub(super) fn kind(ty: DescriptorType) -> u8 {
    match ty {
        DescriptorType::BlockDevice => 1,
        DescriptorType::CharacterDevice => CHARACTER_DEVICE,
        DescriptorType::Directory => DIRECTORY,
        DescriptorType::RegularFile => REGULAR_FILE,
        DescriptorType::Socket => 6,
        DescriptorType::SymbolicLink => 7,
        _ => 0,
    }
}

/// The device of every file: an inode number is already unique on the host.
const DEVICE: u64 = 1;

pub(super) fn write_stat(guest: &mut dyn Caller, at: u32, stat: &DescriptorStat, inode: u64) -> Result {
    let time = |time: &Option<Datetime>| {
        let nanos = time.as_ref().and_then(|time| {
            time.seconds
                .checked_mul(1_000_000_000)?
                .checked_add(time.nanoseconds.into())
        });
        nanos.unwrap_or(0)
    };
    let record = [
        DEVICE,
        inode,
        kind(stat.type_).into(),
        stat.link_count,
        stat.size,
        time(&stat.data_access_timestamp),
        time(&stat.data_modification_timestamp),
        time(&stat.status_change_timestamp),
    ];
    guest.write(at, record.map(u64::to_le_bytes).as_flattened())
}

/// Writes the metadata of a standard stream.
pub(super) fn write_stream(guest: &mut dyn Caller, at: u32) -> Result {
    let mut record = [0; 64];
    record[16] = CHARACTER_DEVICE;
    guest.write(at, &record)
}

/// Returns the timestamps that `fstflags` selects.
pub(super) fn new_times(accessed: u64, modified: u64, flags: u32) -> Result<(NewTimestamp, NewTimestamp)> {
    if flags & !0xf != 0 {
        return Err(Errno::INVAL.into());
    }
    let time = |at: u64, set: u32, now: u32| match (flags & set != 0, flags & now != 0) {
        (true, true) => Err(Errno::INVAL),
        (true, false) => Ok(NewTimestamp::Timestamp(Datetime {
            seconds: at / 1_000_000_000,
            nanoseconds: u32::try_from(at % 1_000_000_000).unwrap_or(0),
        })),
        (false, true) => Ok(NewTimestamp::Now),
        (false, false) => Ok(NewTimestamp::NoChange),
    };
    Ok((time(accessed, 1, 2)?, time(modified, 4, 8)?))
}
