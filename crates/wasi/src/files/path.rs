//! The end of a path: a slash, `.` or `..`, for every function that takes a path.
//!
//! There are two kinds of functions, as in POSIX ("Pathname Resolution"). Functions of *objects* (`open-at`, `stat-at`,
//! `set-times-at`, `metadata-hash-at`, `readlink-at`, the old path of `link-at`) resolve a path with a slash at its end
//! to the directory, through a link if there is one, even if the flags do not ask to follow links: [`resolves_last`].
//! Functions of *entries* (which create, remove and rename) never follow a link at the end: [`Entry`].
//!
//! `cap-std` drops the slash in some of its calls and opens the part before it in others. It therefore receives paths
//! without a slash at the end, or paths in which it follows the link. It resolves the directory of an entry, and then
//! the entry's name below that: no path bypasses its checks.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

use cap_fs_ext::{DirExt, SystemTimeSpec};
use cap_std::fs::{Dir, Metadata};

use super::error::FileError;
use crate::bindings::wasi::filesystem::types::ErrorCode;

type Result<T> = std::result::Result<T, FileError>;

/// Links that are followed at the end of one path, as on Linux. Stops paths that form a cycle.
pub(super) const MAX_LINKS: usize = 40;

/// Bytes of a path, including the NUL that the system expects at its end, as on Linux. Paths that are resolved in two
/// steps, the directory and the name, have the same limit as paths that are resolved in one.
const MAX_PATH: usize = 4096;

/// The path of an entry, with everything but the last name resolved.
pub(super) struct Entry<'a> {
    parent: Parent<'a>,
    last: Last<'a>,
}

enum Parent<'a> {
    Given(&'a Dir),
    Opened(Dir),
}

/// The last part of a path.
#[derive(Clone, Copy)]
enum Last<'a> {
    /// A name, with true if slashes follow it.
    Name(&'a str, bool),
    /// `.`, the directory itself.
    Dot,
    /// `..`, the directory above it.
    DotDot,
}

/// Returns whether a path can name only a directory: it ends with a slash, `.` or `..`.
pub(super) fn names_a_directory(path: &OsStr) -> bool {
    let last = path.as_encoded_bytes().rsplit(|byte| *byte == b'/').next();
    !path.is_empty() && matches!(last, Some(b"" | b"." | b".."))
}

/// Returns whether a link at the end of a path is followed: the guest asks for it, or the path names a directory.
pub(super) fn resolves_last(path: &str, follow: bool) -> bool {
    follow || names_a_directory(path.as_ref())
}

/// Returns the metadata of the object at a path. `follow` decides about a link at its end; see [`resolves_last`].
pub(super) fn metadata(dir: &Dir, path: &str, follow: bool) -> io::Result<Metadata> {
    match follow {
        true => dir.metadata(path),
        false => dir.symlink_metadata(path),
    }
}

/// Refuses a path of [`MAX_PATH`] bytes and more.
pub(super) fn bounded(path: &str) -> Result<()> {
    match path.len() < MAX_PATH {
        true => Ok(()),
        false => Err(ErrorCode::NameTooLong.into()),
    }
}

/// Returns the contents of the link at a path.
pub(super) fn read_link(dir: &Dir, path: &str) -> Result<PathBuf> {
    bounded(path)?;
    Ok(dir.read_link(path)?)
}

/// Splits a path into its directory and its last part, both without the slashes between and after them.
fn split(path: &str) -> (&str, &str) {
    let path = path.trim_end_matches('/');
    match path.rsplit_once('/') {
        Some((parent, name)) => (parent, name),
        None => ("", path),
    }
}

impl<'a> Entry<'a> {
    /// Resolves the directory of `path` below `dir`. The entry itself need not exist.
    pub(super) fn find(dir: &'a Dir, path: &'a str) -> Result<Entry<'a>> {
        if path.is_empty() {
            return Err(ErrorCode::NoEntry.into());
        }
        bounded(path)?;
        if path.starts_with('/') {
            return Err(ErrorCode::NotPermitted.into());
        }
        let (parent, name) = split(path);
        let last = match name {
            "." => Last::Dot,
            ".." => {
                // It may lead above the folder, or be below something that is not a directory.
                dir.open_dir(path)?;
                Last::DotDot
            }
            name => Last::Name(name, path.ends_with('/')),
        };
        let parent = match parent {
            "" => Parent::Given(dir),
            parent => Parent::Opened(dir.open_dir(parent)?),
        };
        Ok(Entry { parent, last })
    }

    fn dir(&self) -> &Dir {
        match &self.parent {
            Parent::Given(dir) => dir,
            Parent::Opened(dir) => dir,
        }
    }

    /// Returns whether the directory has an entry of this name.
    fn has(&self, name: &str) -> Result<bool> {
        match self.dir().symlink_metadata(name) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the name of an entry to create.
    ///
    /// # Errors
    /// [`ErrorCode::Exist`] if the name exists, or is `.` or `..`; the system's error if a slash follows a name that
    /// does not exist: only a directory can be created under such a path.
    fn fresh(&self) -> Result<&'a str> {
        match self.last {
            Last::Name(name, false) => Ok(name),
            Last::Name(name, true) => {
                self.dir().symlink_metadata(name)?;
                Err(ErrorCode::Exist.into())
            }
            Last::Dot | Last::DotDot => Err(ErrorCode::Exist.into()),
        }
    }

    pub(super) fn make_directory(&self) -> Result<()> {
        match self.last {
            Last::Name(name, _) => Ok(self.dir().create_dir(name)?),
            Last::Dot | Last::DotDot => Err(ErrorCode::Exist.into()),
        }
    }

    pub(super) fn remove_directory(&self) -> Result<()> {
        match self.last {
            Last::Name(name, _) => Ok(self.dir().remove_dir(name)?),
            Last::Dot => Err(ErrorCode::Invalid.into()),
            Last::DotDot => Err(ErrorCode::NotEmpty.into()),
        }
    }

    /// Removes anything but a directory. A path with a slash at its end names a directory, and is refused.
    pub(super) fn unlink(&self) -> Result<()> {
        match self.last {
            Last::Name(name, false) => Ok(self.dir().remove_file_or_symlink(name)?),
            Last::Name(name, true) if !self.dir().symlink_metadata(name)?.is_dir() => {
                Err(ErrorCode::NotDirectory.into())
            }
            Last::Name(..) | Last::Dot | Last::DotDot => Err(ErrorCode::IsDirectory.into()),
        }
    }

    pub(super) fn symlink(&self, contents: &str) -> Result<()> {
        Ok(DirExt::symlink(self.dir(), contents, self.fresh()?)?)
    }

    /// Moves this entry to another. If a slash follows either name, this entry must be a directory.
    pub(super) fn rename(&self, new: &Entry<'_>) -> Result<()> {
        let (Last::Name(old_name, old_slash), Last::Name(new_name, new_slash)) = (self.last, new.last) else {
            return Err(ErrorCode::Busy.into());
        };
        if old_slash || new_slash {
            // Another object may replace it before the call, and is moved then; both names stay below the granted
            // folders.
            let old = self.dir().symlink_metadata(old_name)?;
            if !old.is_dir() {
                new.has(new_name)?;
                return Err(ErrorCode::NotDirectory.into());
            }
        }
        Ok(self.dir().rename(old_name, new.dir(), new_name)?)
    }
}

/// Creates a hard link to the object at `old_path`. Directories are refused.
pub(super) fn link(old: &Dir, old_path: &str, new: &Dir, new_path: &str) -> Result<()> {
    if names_a_directory(old_path.as_ref()) {
        old.open_dir(old_path)?;
        let new = Entry::find(new, new_path)?;
        return match new.has(new.fresh()?)? {
            true => Err(ErrorCode::Exist.into()),
            false => Err(ErrorCode::NotPermitted.into()),
        };
    }
    let old = Entry::find(old, old_path)?;
    let Last::Name(name, _) = old.last else {
        return Err(ErrorCode::NotPermitted.into());
    };
    old.dir().symlink_metadata(name)?;
    let new = Entry::find(new, new_path)?;
    Ok(old.dir().hard_link(name, new.dir(), new.fresh()?)?)
}

/// Changes the timestamps of the object at `path`.
///
/// Follows links at the end one by one: `cap-std` would open their target, and opening a pipe waits until another
/// program opens its other end.
///
/// # Errors
/// [`ErrorCode::Loop`] after [`MAX_LINKS`] links.
pub(super) fn set_times(
    dir: &Dir,
    path: &str,
    follow: bool,
    accessed: Option<SystemTimeSpec>,
    modified: Option<SystemTimeSpec>,
) -> Result<()> {
    bounded(path)?;
    let mut path = PathBuf::from(path);
    for _ in 0..=MAX_LINKS {
        // `cap-std` opens the directory at the end of such a path as a location only.
        let ends = names_a_directory(path.as_os_str()) || !follow;
        if ends || !dir.symlink_metadata(&path)?.is_symlink() {
            return Ok(dir.set_symlink_times(path, accessed, modified)?);
        }
        let contents = dir.read_link_contents(&path)?;
        path.pop();
        path.push(contents);
    }
    Err(ErrorCode::Loop.into())
}
