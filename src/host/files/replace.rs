//! Replacing a file as a whole.

use std::io::{self, Write};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt};
use cap_std::fs::{Dir, File, OpenOptions, Permissions};

use super::locate::Place;
use super::{Bounds, PART, io as failure, regular, told};
use crate::host::bindings::airssys::host_core::host_capabilities::FileError;

/// Names that are tried for a temporary file. Stops a loop in a folder full of leftovers.
const MAX_NAMES: usize = 100;

/// Writes a temporary file in the same folder, and renames it. The file keeps its permissions; a new one gets those that
/// the process gives new files. After a failure the temporary file is removed.
pub(super) fn replace(place: &Place, path: &str, data: &[u8], bounds: Bounds) -> Result<(), FileError> {
    let told = |error: io::Error| told(path, &error);
    let before = match place.folder.symlink_metadata(&place.name) {
        Ok(before) => {
            regular(before.file_type())?;
            if before.permissions().readonly() {
                return Err(failure("the file is read-only"));
            }
            Some(before)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(told(error)),
    };
    let (mut file, temporary) = Temporary::create(&place.folder).map_err(told)?;
    for part in data.chunks(PART) {
        bounds.check_time()?;
        file.write_all(part).map_err(told)?;
    }
    if let Some(before) = before {
        file.set_permissions(kept(before.permissions())).map_err(told)?;
    }
    // After a crash of the system, the name must not lead to a file without its content.
    file.sync_all().map_err(told)?;
    drop(file);
    bounds.check_time()?;
    temporary.rename(&place.name).map_err(told)
}

/// Returns the permissions that outlast new content: not those to run as the file's owner.
#[cfg(unix)]
fn kept(permissions: Permissions) -> Permissions {
    use cap_std::fs::PermissionsExt;
    Permissions::from_mode(permissions.mode() & 0o777)
}

#[cfg(not(unix))]
fn kept(permissions: Permissions) -> Permissions {
    permissions
}

/// A temporary file, removed on drop.
struct Temporary<'a> {
    folder: &'a Dir,
    name: String,
    renamed: bool,
}

impl<'a> Temporary<'a> {
    fn create(folder: &'a Dir) -> io::Result<(File, Temporary<'a>)> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).follow(FollowSymlinks::No);
        for _ in 0..MAX_NAMES {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name = format!(".airssys-wasm-{}-{number}.tmp", process::id());
            match folder.open_with(&name, &options) {
                Ok(file) => {
                    let renamed = false;
                    return Ok((
                        file,
                        Temporary {
                            folder,
                            name,
                            renamed,
                        },
                    ));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("the folder is full of temporary files"))
    }

    fn rename(mut self, name: &str) -> io::Result<()> {
        self.folder.rename(&self.name, self.folder, name)?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.renamed
            && let Err(error) = self.folder.remove_file(&self.name)
        {
            log::warn!("the temporary file `{}` cannot be removed: {error}", self.name);
        }
    }
}
