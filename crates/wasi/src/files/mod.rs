//! `wasi:filesystem`: files below the folders that the host grants, and no others.
//!
//! Paths are resolved by `cap-std`, which lets none lead out of the folder that it begins in, whatever is renamed or
//! linked meanwhile. What may be changed is decided here, for every function, by the [`FsPerms`] of the folder, and by the
//! [`AccessPolicy`], if there is one (`guard`).

#[cfg(all(test, target_os = "linux"))]
mod beside_linux;
mod descriptor;
mod entries;
mod error;
mod find;
mod guard;
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
pub(crate) use stat::Stat;

use crate::WasiCtx;
use crate::access::{AccessPolicy, Basis};
use crate::bindings::wasi::filesystem::preopens;
use airssys_wasm_component::component::{HostResult, Resource};
use descriptor::{Folder, Places};
use guard::Guard;

/// The folders that components are granted, each with the path that components see. A folder is opened once, and shared
/// by all components that are granted it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folders(Vec<Grant>);

/// A granted folder.
#[derive(Clone, Debug)]
struct Grant {
    dir: Arc<Dir>,
    guest: String,
    access: FsPerms,
    basis: Basis,
    /// The folder's paths for a policy; see [`guard::host_paths`].
    paths: Vec<String>,
}

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
        } else if self.has(guest) {
            "two folders have the same guest path"
        } else {
            let dir = Dir::open_ambient_dir(host, cap_std::ambient_authority())?;
            self.0.push(Grant {
                dir: Arc::new(dir),
                guest: guest.to_owned(),
                access,
                basis: Basis::Host,
                paths: guard::host_paths(host)?,
            });
            return Ok(());
        };
        Err(io::Error::new(io::ErrorKind::InvalidInput, problem))
    }

    /// Opens the folder at `path`, for a policy that decides on each access below it. Components see it under the same path.
    /// `access` is that of the folder itself, for its flags.
    ///
    /// # Errors
    /// The system's error for the folder.
    pub(crate) fn add_by_policy(&mut self, path: &str, access: FsPerms) -> io::Result<()> {
        let dir = Dir::open_ambient_dir(path, cap_std::ambient_authority())?;
        self.0.push(Grant {
            dir: Arc::new(dir),
            guest: path.to_owned(),
            access,
            basis: Basis::Policy,
            paths: vec![path.to_owned()],
        });
        Ok(())
    }

    /// Returns whether a folder is granted under this guest path.
    pub(crate) fn has(&self, guest: &str) -> bool {
        self.0.iter().any(|grant| grant.guest == guest)
    }

    /// Returns the open folders of one component.
    fn open(&self, policy: Option<&Arc<dyn AccessPolicy>>) -> Vec<(Arc<Folder>, String)> {
        let folders = self.0.iter().filter_map(|grant| {
            let guard = match policy {
                Some(policy) => Some(Guard::new(policy.clone(), grant.basis, grant.paths.clone())),
                // A folder for a policy is no grant without one.
                None if grant.basis == Basis::Policy => return None,
                None => None,
            };
            let access = match grant.basis {
                Basis::Host => grant.access,
                // The policy decides on each change, so that a denial is recorded.
                Basis::Policy => FsPerms::ReadWrite,
            };
            let folder = Folder {
                dir: grant.dir.clone(),
                access,
                flags: open::directory_flags(grant.access),
                guard,
                _place: None,
            };
            Some((Arc::new(folder), grant.guest.clone()))
        });
        folders.collect()
    }
}

/// A component's files.
#[derive(Debug, Default)]
pub(crate) struct FilesCtx {
    folders: Vec<(Arc<Folder>, String)>,
    places: Places,
}

impl FilesCtx {
    pub(crate) fn new(folders: &Folders, policy: Option<&Arc<dyn AccessPolicy>>) -> FilesCtx {
        FilesCtx {
            folders: folders.open(policy),
            places: Places::default(),
        }
    }
}

impl preopens::Host for WasiCtx {
    fn get_directories(&mut self) -> HostResult<Vec<(Resource<Descriptor>, String)>> {
        let folders = self.files.folders.iter();
        folders
            .map(|(folder, path)| {
                let descriptor = self.table.push(Descriptor::Folder(folder.clone()))?;
                Ok((descriptor, path.clone()))
            })
            .collect()
    }
}
