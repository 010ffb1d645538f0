//! The socket of a host: where it is, who may open it, and that one host at a time has it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::exit::{Exit, Failure, Outcome};

/// A listening socket. Dropping it removes its file.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) listener: UnixListener,
    path: PathBuf,
    /// Locked while the host runs: two hosts cannot both find the same old socket, and replace it.
    _lock: File,
}

impl Socket {
    /// Listens at `path`. A socket that another host left behind is replaced.
    ///
    /// # Errors
    /// Its folder is accessible to others, another host listens, or it cannot be created.
    pub(super) fn listen(path: &Path) -> Outcome<Socket> {
        if !can_tell_users() {
            return Err(refused("this system does not tell who connects to a socket"));
        }
        let failed = |error: io::Error| {
            let failure = Failure::new(Exit::Host, error);
            failure.context(format!("cannot listen on the socket `{}`", path.display()))
        };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        own_folder(folder)?;
        let lock = lock(path).map_err(failed)?.ok_or_else(|| in_use(path))?;
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
            Ok(about) if !about.file_type().is_socket() => {
                return Err(refused(format!(
                    "`{}` is not a socket: remove it, or choose another path",
                    path.display()
                )));
            }
            // Nobody locks a socket that is not a host's.
            Ok(_) if UnixStream::connect(path).is_ok() => return Err(in_use(path)),
            Ok(_) => fs::remove_file(path).map_err(failed)?,
        }
        let listener = UnixListener::bind(path).map_err(|error| match error.kind() {
            ErrorKind::InvalidInput => refused(format!(
                "the path of the socket `{}` has {} bytes, more than the system allows: choose a shorter one with \
                 `socket` or --socket",
                path.display(),
                path.as_os_str().len()
            )),
            _ => failed(error),
        })?;
        // Until now, its folder has kept others away.
        fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Socket {
            listener,
            path: path.to_owned(),
            _lock: lock,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // The next host replaces it otherwise.
        let _ = fs::remove_file(&self.path);
    }
}

/// Creates the folder if it is not there, and checks that only its owner, this user, has access.
fn own_folder(folder: &Path) -> Outcome<()> {
    let created = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    let about = created.and_then(|()| fs::metadata(folder)).map_err(|error| {
        Failure::new(Exit::Host, error).context(format!(
            "the folder of the socket, `{}`, cannot be used: choose another path with `socket` or --socket",
            folder.display()
        ))
    })?;
    let mode = about.permissions().mode();
    if about.uid() != user() || mode & 0o077 != 0 {
        return Err(refused(format!(
            "the folder of the socket, `{0}`, is accessible to other users (owner {1}, mode {2:03o}): run `chmod 700` on it if \
             nothing else is in it, or choose a path in another with `socket` or --socket",
            folder.display(),
            about.uid(),
            mode & 0o777
        )));
    }
    Ok(())
}

/// Locks the file beside the socket; `None` if another process has.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let mut options = OpenOptions::new();
    let file = options
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(name)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn in_use(path: &Path) -> Failure {
    refused(format!(
        "another host listens on `{}`: stop it, or choose another path with `socket` or --socket",
        path.display()
    ))
}

fn refused(message: impl Into<String>) -> Failure {
    Failure::new(Exit::Host, anyhow::Error::msg(message.into()))
}

/// Connects to the host that listens at `path`.
///
/// # Errors
/// No host listens there, or it belongs to another user.
pub(super) fn connect(path: &Path) -> Outcome<UnixStream> {
    UnixStream::connect(path).map_err(|error| {
        let path = path.display();
        let what = match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
                format!("no host listens on `{path}`: start one with `airssys-wasm host run`")
            }
            ErrorKind::PermissionDenied => format!("the host on `{path}` belongs to another user"),
            _ => format!("cannot connect to the host on `{path}`"),
        };
        Failure::new(Exit::Host, error).context(what)
    })
}

/// Returns whether the other side of a connection is this user or root.
pub(super) fn is_own(stream: &UnixStream) -> bool {
    peer(stream).is_some_and(|uid| uid == 0 || uid == user())
}

fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(any(target_os = "android", target_os = "linux"))]
fn peer(stream: &UnixStream) -> Option<u32> {
    let credentials = rustix::net::sockopt::socket_peercred(stream).ok()?;
    Some(credentials.uid.as_raw())
}

#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn peer(_: &UnixStream) -> Option<u32> {
    None
}

fn can_tell_users() -> bool {
    cfg!(any(target_os = "android", target_os = "linux"))
}

/// Returns whether the other side has closed the connection, in both directions.
pub(super) fn is_closed(stream: &UnixStream) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut polled = [PollFd::new(stream, PollFlags::empty())];
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    match poll(&mut polled, Some(&now)) {
        Ok(_) => polled[0].revents().intersects(PollFlags::HUP | PollFlags::ERR),
        Err(error) => error != rustix::io::Errno::INTR,
    }
}
