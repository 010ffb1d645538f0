//! Metadata of files: sizes, timestamps, identities.

use std::io;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cap_fs_ext::FileTypeExt;
use cap_std::fs::{FileType, Metadata};

use super::error::FileError;
use crate::bindings::wasi::clocks::wall_clock::Datetime;
use crate::bindings::wasi::filesystem::types::{
    DescriptorStat, DescriptorType, ErrorCode, MetadataHashValue, NewTimestamp,
};

/// Metadata, with times that only some interfaces can represent.
#[derive(Debug)]
pub(crate) struct Stat {
    pub(crate) kind: DescriptorType,
    pub(crate) link_count: u64,
    pub(crate) size: u64,
    pub(crate) accessed: Option<SystemTime>,
    pub(crate) modified: Option<SystemTime>,
    pub(crate) changed: Option<SystemTime>,
}

impl Stat {
    pub(super) fn of(metadata: &Metadata) -> Stat {
        let time = |time: io::Result<cap_std::time::SystemTime>| Some(time.ok()?.into_std());
        Stat {
            kind: kind(metadata.file_type()),
            link_count: link_count(metadata),
            size: metadata.len(),
            accessed: time(metadata.accessed()),
            modified: time(metadata.modified()),
            changed: status_change(metadata),
        }
    }
}

impl From<Stat> for DescriptorStat {
    fn from(stat: Stat) -> DescriptorStat {
        DescriptorStat {
            type_: stat.kind,
            link_count: stat.link_count,
            size: stat.size,
            data_access_timestamp: stat.accessed.and_then(datetime),
            data_modification_timestamp: stat.modified.and_then(datetime),
            status_change_timestamp: stat.changed.and_then(datetime),
        }
    }
}

/// Returns the type of an object.
pub(super) fn kind(file_type: FileType) -> DescriptorType {
    if file_type.is_dir() {
        DescriptorType::Directory
    } else if file_type.is_file() {
        DescriptorType::RegularFile
    } else if file_type.is_symlink() {
        DescriptorType::SymbolicLink
    } else if file_type.is_block_device() {
        DescriptorType::BlockDevice
    } else if file_type.is_char_device() {
        DescriptorType::CharacterDevice
    } else if file_type.is_fifo() {
        DescriptorType::Fifo
    } else if file_type.is_socket() {
        DescriptorType::Socket
    } else {
        DescriptorType::Unknown
    }
}

/// Converts a time; `None` before 1970, which the interface cannot represent.
fn datetime(time: SystemTime) -> Option<Datetime> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    Some(Datetime {
        seconds: since.as_secs(),
        nanoseconds: since.subsec_nanos(),
    })
}

/// A new value of a timestamp.
pub(super) enum NewTime {
    Now,
    At(SystemTime),
}

/// Checks a timestamp from a guest; `None` leaves it unchanged.
///
/// # Errors
/// [`ErrorCode::Invalid`] for a billion nanoseconds or more; [`ErrorCode::Overflow`] for a time that the host cannot
/// represent.
pub(super) fn new_time(new: NewTimestamp) -> Result<Option<NewTime>, FileError> {
    match new {
        NewTimestamp::NoChange => Ok(None),
        NewTimestamp::Now => Ok(Some(NewTime::Now)),
        NewTimestamp::Timestamp(time) if time.nanoseconds >= 1_000_000_000 => Err(ErrorCode::Invalid.into()),
        NewTimestamp::Timestamp(time) => {
            let at = UNIX_EPOCH.checked_add(Duration::new(time.seconds, time.nanoseconds));
            Ok(Some(NewTime::At(at.ok_or(ErrorCode::Overflow)?)))
        }
    }
}

impl NewTime {
    /// Converts to the type for an open file.
    pub(super) fn of_file(self) -> fs_set_times::SystemTimeSpec {
        match self {
            NewTime::Now => fs_set_times::SystemTimeSpec::SymbolicNow,
            NewTime::At(time) => fs_set_times::SystemTimeSpec::Absolute(time),
        }
    }

    /// Converts to the type for a path below a directory.
    pub(super) fn of_path(self) -> cap_fs_ext::SystemTimeSpec {
        match self {
            NewTime::Now => cap_fs_ext::SystemTimeSpec::SymbolicNow,
            NewTime::At(time) => {
                cap_fs_ext::SystemTimeSpec::Absolute(cap_std::time::SystemTime::from_std(time))
            }
        }
    }
}

/// Returns a number that identifies the object: the same for all its names and for as long as it exists, whatever is
/// written to it, since programs over preview 1 use it as the inode number. It is keyed with a secret of this process,
/// so that guests cannot compute the host's own numbers from it.
pub(super) fn hash(metadata: &Metadata) -> Result<MetadataHashValue, FileError> {
    static KEY: OnceLock<[u8; blake3::KEY_LEN]> = OnceLock::new();
    let key = match KEY.get() {
        Some(key) => key,
        None => {
            let mut key = [0; blake3::KEY_LEN];
            getrandom::fill(&mut key).map_err(|_| ErrorCode::Io)?;
            KEY.get_or_init(|| key)
        }
    };
    let (device, inode) = identity(metadata)?;
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(&device.to_le_bytes()).update(&inode.to_le_bytes());
    let hash = *hasher.finalize().as_bytes();
    let half = |from: usize| {
        let bytes = hash.get(from..).and_then(|bytes| bytes.first_chunk());
        bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
    };
    Ok(MetadataHashValue {
        lower: half(0),
        upper: half(8),
    })
}

/// Returns the device and the inode number, which together identify an object of the host.
#[cfg(unix)]
pub(super) fn identity(metadata: &Metadata) -> Result<(u64, u64), FileError> {
    use cap_fs_ext::MetadataExt;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
pub(super) fn identity(_: &Metadata) -> Result<(u64, u64), FileError> {
    Err(ErrorCode::Unsupported.into())
}

#[cfg(unix)]
fn link_count(metadata: &Metadata) -> u64 {
    use cap_fs_ext::MetadataExt;
    metadata.nlink()
}

#[cfg(not(unix))]
fn link_count(_: &Metadata) -> u64 {
    1
}

#[cfg(unix)]
fn status_change(metadata: &Metadata) -> Option<SystemTime> {
    use cap_std::fs::MetadataExt;
    let seconds = Duration::from_secs(metadata.ctime().unsigned_abs());
    let time = match metadata.ctime() < 0 {
        true => UNIX_EPOCH.checked_sub(seconds),
        false => UNIX_EPOCH.checked_add(seconds),
    };
    time?.checked_add(Duration::from_nanos(metadata.ctime_nsec().try_into().ok()?))
}

#[cfg(not(unix))]
fn status_change(_: &Metadata) -> Option<SystemTime> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn times_of_files_may_be_before_1970() {
        let path = std::env::temp_dir().join(format!("airssys-wasi-time-{}", std::process::id()));
        let file = std::fs::File::create(&path).unwrap();
        let _ = std::fs::remove_file(&path);
        let before = UNIX_EPOCH.checked_sub(Duration::from_millis(1500)).unwrap();
        file.set_times(std::fs::FileTimes::new().set_modified(before))
            .unwrap();
        let stat = Stat::of(&Metadata::from_file(&file).unwrap());
        assert_eq!(stat.modified, Some(before));
        assert!(stat.changed > Some(UNIX_EPOCH));
    }
}
