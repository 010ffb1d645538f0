//! `wasi:filesystem`: files below the folders that the host grants, and no others.
//!
//! Paths are resolved by `cap-std`, which lets none lead out of the folder that it begins in, whatever is renamed or
//! linked meanwhile. What may be changed is decided here, for every function, by the [`FsPerms`] of the folder.

#[cfg(all(test, target_os = "linux"))]
mod beside_linux;
mod descriptor;
mod entries;
mod error;
mod open;
mod path;
mod plain;
mod stat;
mod stream;
mod types;

use std::io;
use std::path::Path;
use std::sync::Arc;

use cap_std::fs::Dir;

pub(crate) use descriptor::Descriptor;
pub use descriptor::FsPerms;
pub(crate) use entries::Entries;
pub(crate) use error::{FileError, code};

use crate::WasiCtx;
use crate::bindings::wasi::filesystem::preopens;
use airssys_wasm_component::component::{HostResult, Resource};
use descriptor::{Folder, Places};

/// The folders that components are granted, each with the path that components see. A folder is opened once, and shared
/// by all components that are granted it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folders(Vec<(Arc<Folder>, String)>);

impl Folders {
    /// Opens the folder at `host`, to be granted under the path `guest`.
    ///
    /// # Errors
    /// The system's error for the folder; [`io::ErrorKind::InvalidInput`] for a guest path that is empty, contains a
    /// NUL byte, or is granted already.
    pub(crate) fn add(&mut self, host: &Path, guest: &str, access: FsPerms) -> io::Result<()> {
        let problem = if guest.is_empty() {
            "the guest path of a folder is empty"
        } else if guest.contains('\0') {
            "the guest path of a folder contains a NUL byte"
        } else if self.0.iter().any(|(_, taken)| taken == guest) {
            "two folders have the same guest path"
        } else {
            let dir = Dir::open_ambient_dir(host, cap_std::ambient_authority())?;
            let folder = Folder {
                dir,
                access,
                flags: open::directory_flags(access),
                _place: None,
            };
            self.0.push((Arc::new(folder), guest.to_owned()));
            return Ok(());
        };
        Err(io::Error::new(io::ErrorKind::InvalidInput, problem))
    }
}

/// A component's files.
#[derive(Debug, Default)]
pub(crate) struct FilesCtx {
    folders: Folders,
    places: Places,
}

impl FilesCtx {
    pub(crate) fn new(folders: Folders) -> FilesCtx {
        FilesCtx {
            folders,
            places: Places::default(),
        }
    }
}

impl preopens::Host for WasiCtx {
    fn get_directories(&mut self) -> HostResult<Vec<(Resource<Descriptor>, String)>> {
        let folders = self.files.folders.0.iter();
        folders
            .map(|(folder, path)| {
                let descriptor = self.table.push(Descriptor::Folder(folder.clone()))?;
                Ok((descriptor, path.clone()))
            })
            .collect()
    }
}
