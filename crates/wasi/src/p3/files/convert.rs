//! Conversion between the types of `wasi:filesystem` 0.2 and 0.3.

use airssys_wasm_component::component::HostResult;

use crate::bindings::wasi::clocks::wall_clock::Datetime;
use crate::bindings::wasi::filesystem::types as p2;
use crate::files::{FileError, Stat, code};
use crate::io::IoError;
use crate::p3::bindings::wasi::filesystem::types::{
    DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, NewTimestamp,
};
use crate::p3::clocks::instant;

/// The result of a function: its value, or an error code; a trap otherwise.
pub(super) type Answer<R> = HostResult<Result<R, ErrorCode>>;

/// Converts a result.
pub(super) fn answer<R>(result: Result<R, FileError>) -> Answer<R> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => Ok(Err(error_code(error.code()?))),
    }
}

/// Converts the failure of a stream.
pub(super) fn stream_code(error: &IoError) -> ErrorCode {
    match error.downcast_ref() {
        Some(error) => error_code(code(error)),
        None => ErrorCode::Io,
    }
}

pub(super) fn error_code(code: p2::ErrorCode) -> ErrorCode {
    match code {
        p2::ErrorCode::Access => ErrorCode::Access,
        p2::ErrorCode::WouldBlock => ErrorCode::Other(Some("the operation would block".into())),
        p2::ErrorCode::Already => ErrorCode::Already,
        p2::ErrorCode::BadDescriptor => ErrorCode::BadDescriptor,
        p2::ErrorCode::Busy => ErrorCode::Busy,
        p2::ErrorCode::Deadlock => ErrorCode::Deadlock,
        p2::ErrorCode::Quota => ErrorCode::Quota,
        p2::ErrorCode::Exist => ErrorCode::Exist,
        p2::ErrorCode::FileTooLarge => ErrorCode::FileTooLarge,
        p2::ErrorCode::IllegalByteSequence => ErrorCode::IllegalByteSequence,
        p2::ErrorCode::InProgress => ErrorCode::InProgress,
        p2::ErrorCode::Interrupted => ErrorCode::Interrupted,
        p2::ErrorCode::Invalid => ErrorCode::Invalid,
        p2::ErrorCode::Io => ErrorCode::Io,
        p2::ErrorCode::IsDirectory => ErrorCode::IsDirectory,
        p2::ErrorCode::Loop => ErrorCode::Loop,
        p2::ErrorCode::TooManyLinks => ErrorCode::TooManyLinks,
        p2::ErrorCode::MessageSize => ErrorCode::MessageSize,
        p2::ErrorCode::NameTooLong => ErrorCode::NameTooLong,
        p2::ErrorCode::NoDevice => ErrorCode::NoDevice,
        p2::ErrorCode::NoEntry => ErrorCode::NoEntry,
        p2::ErrorCode::NoLock => ErrorCode::NoLock,
        p2::ErrorCode::InsufficientMemory => ErrorCode::InsufficientMemory,
        p2::ErrorCode::InsufficientSpace => ErrorCode::InsufficientSpace,
        p2::ErrorCode::NotDirectory => ErrorCode::NotDirectory,
        p2::ErrorCode::NotEmpty => ErrorCode::NotEmpty,
        p2::ErrorCode::NotRecoverable => ErrorCode::NotRecoverable,
        p2::ErrorCode::Unsupported => ErrorCode::Unsupported,
        p2::ErrorCode::NoTty => ErrorCode::NoTty,
        p2::ErrorCode::NoSuchDevice => ErrorCode::NoSuchDevice,
        p2::ErrorCode::Overflow => ErrorCode::Overflow,
        p2::ErrorCode::NotPermitted => ErrorCode::NotPermitted,
        p2::ErrorCode::Pipe => ErrorCode::Pipe,
        p2::ErrorCode::ReadOnly => ErrorCode::ReadOnly,
        p2::ErrorCode::InvalidSeek => ErrorCode::InvalidSeek,
        p2::ErrorCode::TextFileBusy => ErrorCode::TextFileBusy,
        p2::ErrorCode::CrossDevice => ErrorCode::CrossDevice,
    }
}

pub(super) fn kind(kind: p2::DescriptorType) -> DescriptorType {
    match kind {
        p2::DescriptorType::Unknown => DescriptorType::Other(None),
        p2::DescriptorType::BlockDevice => DescriptorType::BlockDevice,
        p2::DescriptorType::CharacterDevice => DescriptorType::CharacterDevice,
        p2::DescriptorType::Directory => DescriptorType::Directory,
        p2::DescriptorType::Fifo => DescriptorType::Fifo,
        p2::DescriptorType::SymbolicLink => DescriptorType::SymbolicLink,
        p2::DescriptorType::RegularFile => DescriptorType::RegularFile,
        p2::DescriptorType::Socket => DescriptorType::Socket,
    }
}

pub(super) fn stat(stat: Stat) -> DescriptorStat {
    DescriptorStat {
        type_: kind(stat.kind),
        link_count: stat.link_count,
        size: stat.size,
        data_access_timestamp: stat.accessed.map(instant),
        data_modification_timestamp: stat.modified.map(instant),
        status_change_timestamp: stat.changed.map(instant),
    }
}

/// Converts a new timestamp.
///
/// # Errors
/// [`p2::ErrorCode::Unsupported`] for a time before 1970: the libraries that set times panic for it.
pub(super) fn new_time(new: NewTimestamp) -> Result<p2::NewTimestamp, FileError> {
    Ok(match new {
        NewTimestamp::NoChange => p2::NewTimestamp::NoChange,
        NewTimestamp::Now => p2::NewTimestamp::Now,
        NewTimestamp::Timestamp(time) => p2::NewTimestamp::Timestamp(Datetime {
            seconds: time.seconds.try_into().map_err(|_| p2::ErrorCode::Unsupported)?,
            nanoseconds: time.nanoseconds,
        }),
    })
}

pub(super) fn entry(entry: p2::DirectoryEntry) -> DirectoryEntry {
    DirectoryEntry {
        type_: kind(entry.type_),
        name: entry.name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn times_before_1970_are_kept() {
        let before = UNIX_EPOCH.checked_sub(Duration::from_millis(1500)).unwrap();
        let times = || Stat {
            kind: p2::DescriptorType::RegularFile,
            link_count: 1,
            size: 0,
            accessed: Some(UNIX_EPOCH),
            modified: Some(before),
            changed: None,
        };
        let parts = |time: Option<crate::p3::bindings::wasi::clocks::system_clock::Instant>| {
            time.map(|time| (time.seconds, time.nanoseconds))
        };
        let stat = stat(times());
        assert_eq!(parts(stat.data_access_timestamp), Some((0, 0)));
        assert_eq!(parts(stat.data_modification_timestamp), Some((-2, 500_000_000)));
        assert_eq!(parts(stat.status_change_timestamp), None);
        // 0.2 cannot represent it.
        let stat = p2::DescriptorStat::from(times());
        assert!(stat.data_access_timestamp.is_some() && stat.data_modification_timestamp.is_none());
    }
}
