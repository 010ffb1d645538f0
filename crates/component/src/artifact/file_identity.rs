//! Identity of a file, and protection from changes by other users.

use std::fs::File;
use std::io;
use std::time::{Duration, SystemTime};

use borsh::BorshSerialize;

/// Longest time for which a file system may give changes the same time: twice the longest tick of a kernel's clock.
const TICK: Duration = Duration::from_millis(20);
/// As [`TICK`], where times are whole seconds, or two of them.
const COARSE_TICK: Duration = Duration::from_secs(3);

/// Properties that distinguish a file from every other, and from itself before a change.
///
/// A change of the content changes `changed`, which no user can set: [`std::fs::File::set_times`] sets `modified` alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize)]
pub struct Identity {
    /// Device that the file is on.
    pub device: u64,
    /// Number of the file on the device.
    pub inode: u64,
    /// Size, in bytes.
    pub bytes: u64,
    /// Time of the last change of the content, unless the owner has set it: seconds since 1970, and nanoseconds.
    pub modified: (i64, i64),
    /// Time of the last change of the content or the metadata, in the same form.
    pub changed: (i64, i64),
    /// User id of the owner.
    pub owner: u32,
    /// Type and permissions, as `st_mode` has them.
    pub mode: u32,
}

/// Reasons for which a file's content may change unnoticed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Exposed {
    /// The system does not provide the file's identity.
    #[error("its identity is not available: {0}")]
    Unknown(#[from] io::Error),
    /// The file is a folder, a device or a pipe.
    #[error("it is not a regular file")]
    NotRegular,
    /// Its owner can change it.
    #[error("it belongs to user {0}, who can change it")]
    Owner(u32),
    /// Others than its owner can change it.
    #[error("it is writable by its group or others (mode {:o}): run `chmod go-w` on it", .0 & 0o7777)]
    Writable(u32),
    /// The file system relies on another party for the content of files, or does not notice all changes.
    #[error("its file system does not reliably report changes (type {0:#x})")]
    FileSystem(u64),
    /// This library cannot check that on this operating system.
    #[error("this cannot be checked on this operating system")]
    System,
}

impl Identity {
    /// Returns the identity of an open file. Systems other than Unix have none.
    ///
    /// # Errors
    /// The system's error.
    #[cfg(unix)]
    pub fn of(file: &File) -> io::Result<Identity> {
        use std::os::unix::fs::MetadataExt;
        let found = file.metadata()?;
        Ok(Identity {
            device: found.dev(),
            inode: found.ino(),
            bytes: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
            owner: found.uid(),
            mode: found.mode(),
        })
    }

    /// Returns the identity of an open file. Systems other than Unix have none.
    ///
    /// # Errors
    /// The system's error.
    #[cfg(not(unix))]
    pub fn of(_: &File) -> io::Result<Identity> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Returns the identity of a file that only this user or root can change as long as it keeps that identity: a
    /// regular file on a local file system, which one of them owns and no other user may write to.
    ///
    /// # Errors
    /// The property that the file lacks.
    pub fn protected(file: &File) -> Result<Identity, Exposed> {
        let identity = Identity::of(file)?;
        identity.check()?;
        local(file)?;
        Ok(identity)
    }

    /// Checks that only this user or root can change the file, if the file system is trustworthy.
    #[cfg(unix)]
    pub(super) fn check(&self) -> Result<(), Exposed> {
        const TYPE: u32 = 0o170_000;
        const REGULAR: u32 = 0o100_000;
        if self.mode & TYPE != REGULAR {
            return Err(Exposed::NotRegular);
        }
        if self.owner != 0 && self.owner != super::user_dir::user() {
            return Err(Exposed::Owner(self.owner));
        }
        // Access control lists with other writers show in the group's bits.
        if self.mode & super::user_dir::OTHERS_WRITE != 0 {
            return Err(Exposed::Writable(self.mode));
        }
        Ok(())
    }

    #[cfg(not(unix))]
    fn check(&self) -> Result<(), Exposed> {
        Err(Exposed::System)
    }

    /// Returns the time until a change would show in the identity for certain; zero if it would now.
    pub(super) fn unsettled(&self, now: SystemTime) -> Duration {
        let (seconds, nanoseconds) = self.changed;
        let tick = if nanoseconds == 0 { COARSE_TICK } else { TICK };
        let (Ok(seconds), Ok(nanoseconds)) = (u64::try_from(seconds), u32::try_from(nanoseconds)) else {
            // Before 1970: the clock is not to be relied on.
            return Duration::MAX;
        };
        let changed = SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, 0));
        let Some(changed) =
            changed.and_then(|time| time.checked_add(Duration::from_nanos(nanoseconds.into())))
        else {
            return Duration::MAX;
        };
        match now.duration_since(changed) {
            Ok(age) => tick.saturating_sub(age),
            Err(ahead) => tick.saturating_add(ahead.duration()),
        }
    }
}

/// File systems of Linux whose content the kernel alone determines, and which notice each change. Those that ask a server
/// or a user's program are not among them; nor is tmpfs, where writing through a mapping leaves no trace.
#[cfg(any(target_os = "linux", target_os = "android"))]
const LOCAL: [u64; 14] = [
    0xef53,      // ext2, ext3, ext4
    0x5846_5342, // XFS
    0x9123_683e, // Btrfs
    0xf2f5_2010, // F2FS
    0xca45_1a4e, // bcachefs
    0x2fc1_2fc1, // ZFS
    0x794c_7630, // overlayfs
    0x7371_7368, // SquashFS
    0xe0f5_e1e2, // EROFS
    0x9660,      // ISO 9660
    0x3153_464a, // JFS
    0x3434,      // NILFS
    0x2405_1905, // UBIFS
    0x7275,      // romfs
];

#[cfg(any(target_os = "linux", target_os = "android"))]
fn local(file: &File) -> Result<(), Exposed> {
    let found = rustix::fs::fstatfs(file).map_err(io::Error::from)?.f_type;
    // The type is signed on some machines; magic numbers have 32 bits.
    #[allow(clippy::unnecessary_cast, reason = "its type depends on the platform")]
    let found = u64::from(found as u32);
    if LOCAL.contains(&found) {
        Ok(())
    } else {
        Err(Exposed::FileSystem(found))
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn local(_: &File) -> Result<(), Exposed> {
    Err(Exposed::System)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed_at(seconds: i64, nanoseconds: i64) -> Identity {
        Identity {
            device: 1,
            inode: 2,
            bytes: 3,
            modified: (0, 0),
            changed: (seconds, nanoseconds),
            owner: 0,
            mode: 0o100_600,
        }
    }

    #[test]
    fn a_change_shows_once_the_clock_has_ticked() {
        let at = |seconds, milliseconds| {
            SystemTime::UNIX_EPOCH + Duration::new(seconds, 0) + Duration::from_millis(milliseconds)
        };
        let fine = changed_at(1000, 1_000_000);
        assert_eq!(fine.unsettled(at(1000, 1)), TICK);
        assert_eq!(fine.unsettled(at(1000, 11)), TICK / 2);
        assert_eq!(fine.unsettled(at(1000, 21)), Duration::ZERO);
        assert_eq!(fine.unsettled(at(2000, 0)), Duration::ZERO);
        let ahead = fine.unsettled(at(999, 1));
        assert_eq!(ahead, TICK + Duration::from_secs(1), "the clock was set back");

        let coarse = changed_at(1000, 0);
        assert_eq!(coarse.unsettled(at(1000, 500)), Duration::from_millis(2500));
        assert_eq!(coarse.unsettled(at(1003, 0)), Duration::ZERO);

        for broken in [changed_at(-1, 0), changed_at(0, -1), changed_at(i64::MAX, 1)] {
            assert!(broken.unsettled(at(1000, 0)) > Duration::from_secs(1 << 40));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_others_say_is_not_believed() {
        let process = File::open("/proc/self/status").expect("readable");
        assert!(matches!(
            Identity::protected(&process),
            Err(Exposed::FileSystem(0x9fa0))
        ));
        let folder = File::open("/").expect("readable");
        assert!(matches!(Identity::protected(&folder), Err(Exposed::NotRegular)));
    }
}
