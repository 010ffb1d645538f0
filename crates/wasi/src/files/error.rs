//! Conversion of the host's errors to the error codes of `wasi:filesystem`.

use std::io;

use crate::bindings::wasi::filesystem::types::ErrorCode;
use airssys_wasm_component::component::{HostResult, ResourceTableError};

/// The failure of a function of `wasi:filesystem`.
#[derive(Debug)]
pub(crate) enum FileError {
    /// Returned to the guest as this code.
    Code(ErrorCode),
    /// Ends the guest with a trap.
    Trap(Box<dyn std::error::Error + Send + Sync>),
}

impl FileError {
    /// Returns the code for the guest, or the cause of its trap.
    pub(crate) fn code(self) -> HostResult<ErrorCode> {
        match self {
            FileError::Code(code) => Ok(code),
            FileError::Trap(cause) => Err(cause),
        }
    }
}

impl From<ErrorCode> for FileError {
    fn from(code: ErrorCode) -> FileError {
        FileError::Code(code)
    }
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> FileError {
        FileError::Code(code(&error))
    }
}

impl From<ResourceTableError> for FileError {
    fn from(error: ResourceTableError) -> FileError {
        FileError::Trap(error.into())
    }
}

/// Returns the code of a host error: by its number if it has one, since numbers distinguish more errors than kinds do.
pub(crate) fn code(error: &io::Error) -> ErrorCode {
    #[cfg(unix)]
    if let Some(code) = rustix::io::Errno::from_io_error(error).and_then(by_number) {
        return code;
    }
    by_kind(error.kind())
}

/// Returns the code of a system error number; `None` if it has no code of its own.
#[cfg(unix)]
fn by_number(number: rustix::io::Errno) -> Option<ErrorCode> {
    use rustix::io::Errno;

    // On some systems these are two names of one number, which a `match` could not list twice.
    if number == Errno::AGAIN || number == Errno::WOULDBLOCK {
        return Some(ErrorCode::WouldBlock);
    }
    if number == Errno::NOTSUP || number == Errno::OPNOTSUPP {
        return Some(ErrorCode::Unsupported);
    }
    Some(match number {
        Errno::ACCESS => ErrorCode::Access,
        Errno::ALREADY => ErrorCode::Already,
        Errno::BADF => ErrorCode::BadDescriptor,
        Errno::BUSY => ErrorCode::Busy,
        Errno::DEADLK => ErrorCode::Deadlock,
        Errno::DQUOT => ErrorCode::Quota,
        Errno::EXIST => ErrorCode::Exist,
        Errno::FBIG => ErrorCode::FileTooLarge,
        Errno::ILSEQ => ErrorCode::IllegalByteSequence,
        Errno::INPROGRESS => ErrorCode::InProgress,
        Errno::INTR => ErrorCode::Interrupted,
        Errno::INVAL => ErrorCode::Invalid,
        Errno::IO => ErrorCode::Io,
        Errno::ISDIR => ErrorCode::IsDirectory,
        Errno::LOOP => ErrorCode::Loop,
        Errno::MLINK => ErrorCode::TooManyLinks,
        Errno::MSGSIZE => ErrorCode::MessageSize,
        Errno::NAMETOOLONG => ErrorCode::NameTooLong,
        Errno::NODEV => ErrorCode::NoDevice,
        Errno::NOENT => ErrorCode::NoEntry,
        Errno::NOLCK => ErrorCode::NoLock,
        // Running out of descriptors is running out of the host's memory for them: no code fits better.
        Errno::NOMEM | Errno::MFILE | Errno::NFILE => ErrorCode::InsufficientMemory,
        Errno::NOSPC => ErrorCode::InsufficientSpace,
        Errno::NOTDIR => ErrorCode::NotDirectory,
        Errno::NOTEMPTY => ErrorCode::NotEmpty,
        Errno::NOTRECOVERABLE => ErrorCode::NotRecoverable,
        Errno::NOSYS => ErrorCode::Unsupported,
        Errno::NOTTY => ErrorCode::NoTty,
        Errno::NXIO => ErrorCode::NoSuchDevice,
        Errno::OVERFLOW => ErrorCode::Overflow,
        Errno::PERM => ErrorCode::NotPermitted,
        Errno::PIPE => ErrorCode::Pipe,
        Errno::ROFS => ErrorCode::ReadOnly,
        Errno::SPIPE => ErrorCode::InvalidSeek,
        Errno::TXTBSY => ErrorCode::TextFileBusy,
        Errno::XDEV => ErrorCode::CrossDevice,
        _ => return None,
    })
}

/// Returns the code of a kind. The sandbox reports a path that leads out of its folder as `PermissionDenied`, without a
/// number.
fn by_kind(kind: io::ErrorKind) -> ErrorCode {
    use io::ErrorKind;

    match kind {
        ErrorKind::AlreadyExists => ErrorCode::Exist,
        ErrorKind::BrokenPipe => ErrorCode::Pipe,
        ErrorKind::CrossesDevices => ErrorCode::CrossDevice,
        ErrorKind::Deadlock => ErrorCode::Deadlock,
        ErrorKind::DirectoryNotEmpty => ErrorCode::NotEmpty,
        ErrorKind::ExecutableFileBusy => ErrorCode::TextFileBusy,
        ErrorKind::FileTooLarge => ErrorCode::FileTooLarge,
        ErrorKind::Interrupted => ErrorCode::Interrupted,
        ErrorKind::InvalidFilename => ErrorCode::NameTooLong,
        ErrorKind::InvalidInput => ErrorCode::Invalid,
        ErrorKind::IsADirectory => ErrorCode::IsDirectory,
        ErrorKind::NotADirectory => ErrorCode::NotDirectory,
        ErrorKind::NotFound => ErrorCode::NoEntry,
        ErrorKind::NotSeekable => ErrorCode::InvalidSeek,
        ErrorKind::OutOfMemory => ErrorCode::InsufficientMemory,
        ErrorKind::PermissionDenied => ErrorCode::NotPermitted,
        ErrorKind::QuotaExceeded => ErrorCode::Quota,
        ErrorKind::ReadOnlyFilesystem => ErrorCode::ReadOnly,
        ErrorKind::ResourceBusy => ErrorCode::Busy,
        ErrorKind::StorageFull => ErrorCode::InsufficientSpace,
        ErrorKind::TooManyLinks => ErrorCode::TooManyLinks,
        ErrorKind::Unsupported => ErrorCode::Unsupported,
        ErrorKind::WouldBlock => ErrorCode::WouldBlock,
        _ => ErrorCode::Io,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn numbers_have_their_own_codes() {
        use rustix::io::Errno;

        for (number, expected) in [
            (Errno::ROFS, ErrorCode::ReadOnly),
            (Errno::XDEV, ErrorCode::CrossDevice),
            (Errno::ACCESS, ErrorCode::Access),
            (Errno::PERM, ErrorCode::NotPermitted),
            (Errno::MFILE, ErrorCode::InsufficientMemory),
            (Errno::WOULDBLOCK, ErrorCode::WouldBlock),
            (Errno::OPNOTSUPP, ErrorCode::Unsupported),
            // One without a code, and one that does not exist on any system.
            (Errno::CHILD, ErrorCode::Io),
        ] {
            assert_eq!(code(&number.into()), expected, "{number:?}");
        }
        assert_eq!(code(&io::Error::from_raw_os_error(i32::MAX)), ErrorCode::Io);
        assert_eq!(code(&io::Error::from_raw_os_error(-1)), ErrorCode::Io);
    }

    #[test]
    fn errors_without_a_number_go_by_their_kind() {
        let escape = io::Error::new(io::ErrorKind::PermissionDenied, "out of the folder");
        assert_eq!(code(&escape), ErrorCode::NotPermitted);
        assert_eq!(code(&io::Error::other("?")), ErrorCode::Io);
    }
}
