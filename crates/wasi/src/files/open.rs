//! `open-at`.

use std::sync::Arc;

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt, OpenOptionsMaybeDirExt, OpenOptionsSyncExt};
use cap_std::fs::{Dir, OpenOptions};

use super::descriptor::{Descriptor, Folder, FsPerms, OpenFile, Place};
use super::error::FileError;
use super::find::{Found, Need};
use super::path::{metadata, names_a_directory};
use crate::access::FileAction;
use crate::bindings::wasi::filesystem::types::{DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

/// Opens `path` below `folder`.
///
/// If a directory can be changed at all, it can be changed through every descriptor of it, whether or not the guest
/// asked for that: preview 1 has no flag to ask with. The descriptor's flags show this.
pub(super) fn open(
    folder: &Folder,
    path_flags: PathFlags,
    path: &str,
    open_flags: OpenFlags,
    flags: DescriptorFlags,
    place: Place,
) -> Result<Descriptor, FileError> {
    let makes = OpenFlags::CREATE | OpenFlags::EXCLUSIVE | OpenFlags::TRUNCATE;
    let must_be_directory = open_flags.contains(OpenFlags::DIRECTORY);
    if must_be_directory && open_flags.intersects(makes) {
        return Err(ErrorCode::Invalid.into());
    }
    let writes = flags.contains(DescriptorFlags::WRITE);
    let changes = open_flags.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE);
    if writes || changes || flags.contains(DescriptorFlags::MUTATE_DIRECTORY) {
        folder.access.changeable()?;
    }

    let reads = flags.contains(DescriptorFlags::READ) || !writes;
    let create = open_flags.contains(OpenFlags::CREATE);
    let exclusive = create && open_flags.contains(OpenFlags::EXCLUSIVE);
    let need = match (writes || changes, reads) {
        (true, true) => Need::Each(&[FileAction::Write, FileAction::Read]),
        (true, false) => Need::Each(&[FileAction::Write]),
        // A directory can be opened with any permission.
        (false, _) => Need::Look,
    };
    // A link is not followed to a file that must not exist.
    let unfollowed = exclusive && folder.guard.is_some();
    let found = Found::object(folder, path, follows(path_flags) && !unfollowed, need)?;
    let follows = found.follow;
    if found.guard.is_some() && create && names_a_directory(path.as_ref()) {
        return Err(ErrorCode::IsDirectory.into());
    }
    let mut options = OpenOptions::new();
    options
        .read(reads)
        // Creating or truncating a file opens it for writing. The flags of the descriptor say whether the guest may
        // write.
        .write(writes || changes)
        .create(create && !exclusive)
        .create_new(exclusive)
        .truncate(open_flags.contains(OpenFlags::TRUNCATE))
        .follow(if follows {
            FollowSymlinks::Yes
        } else {
            FollowSymlinks::No
        })
        .maybe_dir(true)
        .sync(flags.contains(DescriptorFlags::FILE_INTEGRITY_SYNC))
        .dsync(flags.contains(DescriptorFlags::DATA_INTEGRITY_SYNC))
        .rsync(flags.contains(DescriptorFlags::REQUESTED_WRITE_SYNC))
        // Opening a pipe that has no other end would block the thread.
        .nonblock(true);
    // Checked before opening, since other programs notice the opening of a pipe or a device.
    let guard = found.guard.as_ref();
    let unreadable = guard.filter(|guard| reads && !guard.permits(FileAction::Read));
    if must_be_directory || unreadable.is_some() {
        let is_directory = metadata(found.dir(), found.path(), follows).map(|found| found.is_dir());
        match (is_directory, unreadable) {
            (Ok(true), _) => {}
            (_, Some(guard)) => guard.check(FileAction::Read)?,
            (is_directory, None) => {
                is_directory?;
                return Err(ErrorCode::NotDirectory.into());
            }
        }
    }
    let file = found.dir().open_with(found.path(), &options)?;

    let mut kept = DescriptorFlags::FILE_INTEGRITY_SYNC
        | DescriptorFlags::DATA_INTEGRITY_SYNC
        | DescriptorFlags::REQUESTED_WRITE_SYNC;
    kept &= flags;
    if file.metadata()?.is_dir() {
        if writes {
            return Err(ErrorCode::IsDirectory.into());
        }
        return Ok(Descriptor::Folder(Arc::new(Folder {
            dir: Arc::new(Dir::from_std_file(file.into_std())),
            access: folder.access,
            flags: kept | directory_flags(folder.access),
            guard: found.guard.clone(),
            _place: Some(place),
        })));
    }
    if must_be_directory {
        return Err(ErrorCode::NotDirectory.into());
    }
    // Something else may have taken the place of the directory that was looked at.
    if let Some(guard) = unreadable {
        guard.check(FileAction::Read)?;
    }
    if reads {
        kept |= DescriptorFlags::READ;
    }
    if writes {
        kept |= DescriptorFlags::WRITE;
    }
    Ok(Descriptor::File(Arc::new(OpenFile {
        file,
        access: folder.access,
        flags: kept,
        guard: found.guard.clone(),
        _place: place,
    })))
}

/// Returns the flags of a directory with this access.
pub(super) fn directory_flags(access: FsPerms) -> DescriptorFlags {
    match access {
        FsPerms::ReadOnly => DescriptorFlags::READ,
        FsPerms::ReadWrite => DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY,
    }
}

pub(super) fn follows(flags: PathFlags) -> bool {
    flags.contains(PathFlags::SYMLINK_FOLLOW)
}
