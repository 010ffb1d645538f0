//! What is this user's alone: folders, and the key that says who wrote what is in them.

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

/// The key's file in its folder.
const KEY: &str = "key";

/// Why a folder or the key in it is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateError {
    /// The environment names no folder for this user.
    #[error("there is no folder for this user's files: set XDG_CACHE_HOME or HOME, or name a folder")]
    NoFolder,
    /// The system did not do something.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried: "create", "read".
        action: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something else has the folder's name.
    #[error("{} is not a folder: name another", .0.display())]
    NotFolder(PathBuf),
    /// The folder, or the key in it, belongs to somebody else.
    #[error("{} belongs to the user {owner}: name a folder of your own", path.display())]
    Foreign {
        /// The folder or the key's file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// Others could put their own files in the folder.
    #[error("others may write to {} (mode {mode:o}): `chmod go-w` it, or name another folder", path.display())]
    Writable {
        /// The folder.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Others could have read the key, and written what only this user could.
    #[error(
        "others may read the key {} (mode {mode:o}): delete it, and a new one is made; what it vouched for is then verified \
         again",
        path.display()
    )]
    KeyExposed {
        /// The key's file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The key's file is not what was written.
    #[error("the key {} is damaged: delete it, and a new one is made", .0.display())]
    KeyDamaged(PathBuf),
    /// The operating system has no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

impl PrivateError {
    /// Whether the system is in the way (a full disk, a read-only folder), rather than whoever set the folder up.
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

/// The user that this process acts as.
#[cfg(unix)]
pub(super) fn user() -> u32 {
    uzers::get_effective_uid()
}

/// Where this user's caches are, as the platform has it: `airssys-wasm` in there.
pub(super) fn user_folder() -> Result<PathBuf, PrivateError> {
    let named = |variable| {
        let value = std::env::var_os(variable).map(PathBuf::from);
        // The base directory specification has relative ones ignored.
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

/// Makes a folder for this user alone if it is not there, and checks that nobody else writes to it.
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

/// A key that only this user can read. It is not shown by `{:?}`.
pub(super) struct Secret([u8; 32]);

impl Secret {
    /// The key in a folder that [`folder`] has checked; a new one if there is none. Processes that open the folder at
    /// once get the same.
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
            // A file system that lost the content may give zeros.
            Ok(key) if key != [0; 32] => Ok(Some(Secret(key))),
            _ => Err(PrivateError::KeyDamaged(path)),
        }
    }

    /// A key for one purpose, from which no other can be told.
    pub(super) fn derive(&self, purpose: &'static str) -> Authenticator {
        Authenticator(blake3::derive_key(purpose, &self.0))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Says which bytes this user wrote.
pub(super) struct Authenticator([u8; 32]);

impl Authenticator {
    /// The bytes, and what proves whose they are: 32 bytes more.
    pub(super) fn seal(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let code = blake3::keyed_hash(&self.0, &bytes);
        bytes.extend(code.as_bytes());
        bytes
    }

    /// The bytes that were sealed, if these are what came of it.
    pub(super) fn unseal<'a>(&self, sealed: &'a [u8]) -> Option<&'a [u8]> {
        let (bytes, code) = sealed.split_last_chunk::<32>()?;
        // The comparison of hashes takes as long for any difference.
        (blake3::keyed_hash(&self.0, bytes) == blake3::Hash::from_bytes(*code)).then_some(bytes)
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticator")
    }
}
