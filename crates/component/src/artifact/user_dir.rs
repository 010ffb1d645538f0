//! Folders of this user alone, and the key that authenticates their content.

use std::fmt;
use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};

use super::disk::{self, Disk};

/// The permission of group or others to write.
#[cfg(unix)]
pub(super) const OTHERS_WRITE: u32 = 0o022;
/// Any permission of group or others.
#[cfg(unix)]
const OTHERS: u32 = 0o077;

/// Name of the key's file in its folder.
const KEY: &str = "key";

/// Reasons for which a folder or its key is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateError {
    /// The environment names no folder for this user.
    #[error("no folder for this user's files: set XDG_CACHE_HOME or HOME, or choose a folder")]
    NoFolder,
    /// An operation of the system failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The operation: "create", "read".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The path is not a folder.
    #[error("{} is not a folder: choose another path", .0.display())]
    NotFolder(PathBuf),
    /// The folder, or the key in it, belongs to another user.
    #[error("{} belongs to user {owner}: choose a folder of your own", path.display())]
    Foreign {
        /// The folder or the key's file.
        path: PathBuf,
        /// The owner's user id.
        owner: u32,
    },
    /// Other users could put their own files in the folder.
    #[error("{} is writable by other users (mode {mode:o}): run `chmod go-w` on it, or choose another folder", path.display())]
    Writable {
        /// The folder.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Other users could have read the key, and forged what it authenticates.
    #[error(
        "the key {} is readable by other users (mode {mode:o}): delete it to generate a new one; files that it authenticated \
         are verified again",
        path.display()
    )]
    KeyExposed {
        /// The key's file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The key's file is damaged.
    #[error("the key {} is damaged: delete it to generate a new one", .0.display())]
    KeyDamaged(PathBuf),
    /// The operating system has no random numbers.
    #[error("the operating system provides no random numbers: {0}")]
    Random(String),
}

impl PrivateError {
    /// Reports whether the system is the cause (a full disk, a read-only folder), not the setup of the folder.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, PrivateError::Io { .. } | PrivateError::Random(_))
    }
}

pub(super) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PrivateError {
    move |source| PrivateError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

/// Returns the user id that this process acts as.
#[cfg(unix)]
pub(super) fn user() -> u32 {
    uzers::get_effective_uid()
}

/// Returns `airssys-wasm` in this user's folder of caches, as the platform defines it.
pub(super) fn user_folder() -> Result<PathBuf, PrivateError> {
    let named = |variable| {
        let value = std::env::var_os(variable).map(PathBuf::from);
        // The base directory specification ignores relative paths.
        value.filter(|path| path.is_absolute())
    };
    let caches = if cfg!(windows) {
        named("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        named("HOME").map(|home| home.join("Library/Caches"))
    } else {
        named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")))
    };
    Ok(caches.ok_or(PrivateError::NoFolder)?.join("airssys-wasm"))
}

/// Creates a folder for this user alone if it does not exist, and checks that no other user may write to it.
pub(super) fn folder(path: &Path) -> Result<(), PrivateError> {
    let found = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut builder = DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(path).map_err(io_error("create", path))?;
            fs::metadata(path)
        }
        found => found,
    };
    let found = found.map_err(io_error("read", path))?;
    if !found.is_dir() {
        return Err(PrivateError::NotFolder(path.to_owned()));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        owned(path, found.uid())?;
        if found.mode() & OTHERS_WRITE != 0 {
            return Err(PrivateError::Writable {
                path: path.to_owned(),
                mode: found.mode() & 0o7777,
            });
        }
    }
    Ok(())
}

#[cfg(unix)]
fn owned(path: &Path, owner: u32) -> Result<(), PrivateError> {
    if owner == user() {
        return Ok(());
    }
    Err(PrivateError::Foreign {
        path: path.to_owned(),
        owner,
    })
}

/// A key that only this user can read. `{:?}` does not show it.
pub(super) struct Secret([u8; 32]);

impl Secret {
    /// Reads the key in a folder that [`folder`] has checked, or creates one. Processes that open the folder at once
    /// get the same.
    pub(super) fn open(disk: &dyn Disk, folder: &Path) -> Result<Secret, PrivateError> {
        if let Some(secret) = Secret::read(folder)? {
            return Ok(secret);
        }
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| PrivateError::Random(error.to_string()))?;
        let path = folder.join(KEY);
        disk::establish(disk, folder, KEY, &key).map_err(io_error("create", &path))?;
        let missing = || io_error("read", &path)(io::ErrorKind::NotFound.into());
        Secret::read(folder)?.ok_or_else(missing)
    }

    fn read(folder: &Path) -> Result<Option<Secret>, PrivateError> {
        let path = folder.join(KEY);
        let file = match disk::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(io_error("read", &path))?,
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let found = file.metadata().map_err(io_error("read", &path))?;
            owned(&path, found.uid())?;
            if found.mode() & OTHERS != 0 {
                let mode = found.mode() & 0o7777;
                return Err(PrivateError::KeyExposed { path, mode });
            }
        }
        let bytes = disk::read_small(&file, 32).map_err(io_error("read", &path))?;
        match <[u8; 32]>::try_from(bytes) {
            // A file system that lost the content may return zeros.
            Ok(key) if key != [0; 32] => Ok(Some(Secret(key))),
            _ => Err(PrivateError::KeyDamaged(path)),
        }
    }

    /// Derives a key for one purpose, which reveals no other key.
    pub(super) fn derive(&self, purpose: &'static str) -> Authenticator {
        Authenticator(blake3::derive_key(purpose, &self.0))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Authenticates bytes that this user wrote.
pub(super) struct Authenticator([u8; 32]);

impl Authenticator {
    /// Returns the bytes, followed by an authentication code of 32 bytes.
    pub(super) fn seal(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let code = blake3::keyed_hash(&self.0, &bytes);
        bytes.extend(code.as_bytes());
        bytes
    }

    /// Returns the bytes that were sealed, if their authentication code is right.
    pub(super) fn unseal<'a>(&self, sealed: &'a [u8]) -> Option<&'a [u8]> {
        let (bytes, code) = sealed.split_last_chunk::<32>()?;
        // Hashes are compared in constant time.
        (blake3::keyed_hash(&self.0, bytes) == blake3::Hash::from_bytes(*code)).then_some(bytes)
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticator")
    }
}
