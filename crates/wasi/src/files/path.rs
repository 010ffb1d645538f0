//! The end of a path: a slash, `.` or `..` there, for every function that takes a path.
//!
//! There are two kinds of functions, as in POSIX ("Pathname Resolution"). Those of *objects* (`open-at`, `stat-at`,
//! `set-times-at`, `metadata-hash-at`, `readlink-at`, the old path of `link-at`) resolve a path with a slash at its end to
//! the directory, through a link if there is one, whatever the flags say of links: [`resolves_last`]. Those of *entries*
//! (which make, remove and rename) never follow a link at the end: [`Entry`].
//!
//! `cap-std` drops the slash in some of its calls and opens what is before it in others, so it gets paths without one here,
//! or paths that it resolves with a link followed. It resolves the directory of an entry, and the entry's name below that:
//! nothing here makes a path that it does not check.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

use cap_fs_ext::{DirExt, SystemTimeSpec};
use cap_std::fs::{Dir, Metadata};

use super::error::FileError;
use crate::bindings::wasi::filesystem::types::ErrorCode;

type Result<T> = std::result::Result<T, FileError>;

/// Links that are followed at the end of one path, as on Linux. Stops paths that go in a circle.
const MAX_LINKS: usize = 40;

/// Bytes of a path, with the NUL that the system wants after it, as on Linux. Paths that are resolved in two steps, the
/// directory and the name, have the limit of those that are resolved in one.
const MAX_PATH: usize = 4096;

/// A path of an entry in a directory, of which all but the last name is resolved.
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
    /// A name, and whether slashes follow it.
    Name(&'a str, bool),
    /// `.`, the directory itself.
    Dot,
    /// `..`, the directory above it.
    DotDot,
}

/// True for a path that ends in the name of a directory, rather than of anything: with a slash, `.` or `..`.
fn names_a_directory(path: &OsStr) -> bool {
    let last = path.as_encoded_bytes().rsplit(|byte| *byte == b'/').next();
    !path.is_empty() && matches!(last, Some(b"" | b"." | b".."))
}

/// True if a link at the end of a path is followed: the guest asks for it, or names a directory.
pub(super) fn resolves_last(path: &str, follow: bool) -> bool {
    follow || names_a_directory(path.as_ref())
}

/// Finds out about the object at a path, of which a link at the end is followed or not, as [`resolves_last`] says.
pub(super) fn metadata(dir: &Dir, path: &str, follow: bool) -> io::Result<Metadata> {
    match follow {
        true => dir.metadata(path),
        false => dir.symlink_metadata(path),
    }
}

/// Refuses a path of [`MAX_PATH`] bytes and more.
fn bounded(path: &str) -> Result<()> {
    match path.len() < MAX_PATH {
        true => Ok(()),
        false => Err(ErrorCode::NameTooLong.into()),
    }
}

/// Reads what is in the link at a path.
pub(super) fn read_link(dir: &Dir, path: &str) -> Result<PathBuf> {
    bounded(path)?;
    Ok(dir.read_link(path)?)
}

/// The directory of the last part of a path, and that part; both without the slashes between and after them.
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
                // It may be above the folder, or below something that is no directory.
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

    /// Looks for an entry of this name in the directory.
    fn has(&self, name: &str) -> Result<bool> {
        match self.dir().symlink_metadata(name) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The name of an entry that is to be made, if one that is no directory can have it.
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

    /// Removes what is not a directory, which a path with a slash at its end never is.
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

    /// Moves this entry to another. One with a slash after its name, on either side, has to be a directory.
    pub(super) fn rename(&self, new: &Entry<'_>) -> Result<()> {
        let (Last::Name(old_name, old_slash), Last::Name(new_name, new_slash)) = (self.last, new.last) else {
            return Err(ErrorCode::Busy.into());
        };
        if old_slash || new_slash {
            // Between here and the call it may become something else, which is moved then, within the folders as ever.
            let old = self.dir().symlink_metadata(old_name)?;
            if !old.is_dir() {
                new.has(new_name)?;
                return Err(ErrorCode::NotDirectory.into());
            }
        }
        Ok(self.dir().rename(old_name, new.dir(), new_name)?)
    }
}

/// Gives the object at `old_path` another name. A directory gets none.
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
/// Links at the end are followed one by one: `cap-std` opens what they lead to, which for a pipe waits until another program
/// opens its other end.
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
        // The directory at the end of such a path is opened, as a place alone.
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
