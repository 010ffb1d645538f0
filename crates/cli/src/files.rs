//! Reading and writing of files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

#[cfg(feature = "adapt")]
use airssys_wasm::component;

use crate::exit::{Exit, Failure, Outcome};

/// Most bytes of a text file: 64 MiB. Stops a file that fills the host's memory.
#[cfg(feature = "conformance")]
const MAX_TEXT_BYTES: u64 = 64 << 20;

/// Most bytes of the data for one operation: a list of bytes that crosses into a guest has at most 2^28 - 1, and the
/// payload's codec comes before the data. Stops a file that fills the host's memory.
const MAX_DATA_BYTES: u64 = (1 << 28) - 16;

/// Reads the data for an operation: the file's bytes; those of standard input for `-`.
///
/// # Errors
/// More than [`MAX_DATA_BYTES`] are a limit that is hit.
pub(crate) fn data(path: &Path) -> Outcome<Vec<u8>> {
    let bytes = match path == Path::new("-") {
        true => bounded(io::stdin().lock(), MAX_DATA_BYTES),
        false => File::open(path).and_then(|file| bounded(file, MAX_DATA_BYTES)),
    };
    bytes.map_err(|error| {
        let exit = match error.kind() {
            io::ErrorKind::FileTooLarge => Exit::Trap,
            _ => Exit::Load,
        };
        Failure::new(exit, error).context(format!("`{}` cannot be read", path.display()))
    })
}

/// Reads a component's or a core module's bytes. Of another kind of file it reads only the first ones, enough to
/// identify the kind.
#[cfg(feature = "adapt")]
pub(crate) fn wasm(path: &Path) -> Outcome<Vec<u8>> {
    component::read_file(path).map_err(|error| unreadable(path, error))
}

/// As [`wasm`]; reads standard input for `-`.
#[cfg(feature = "adapt")]
pub(crate) fn wasm_or_stdin(path: &Path) -> Outcome<Vec<u8>> {
    match path == Path::new("-") {
        true => component::read_from(io::stdin().lock()).map_err(|error| unreadable(path, error)),
        false => wasm(path),
    }
}

/// Reads a text file.
#[cfg(feature = "conformance")]
pub(crate) fn text(path: &Path) -> Outcome<String> {
    let text = || {
        let bytes = bounded(File::open(path)?, MAX_TEXT_BYTES)?;
        String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    };
    text().map_err(|error| unreadable(path, error))
}

/// Reads a component's bytes or text, both of which test tools accept.
#[cfg(feature = "conformance")]
pub(crate) fn wasm_or_text(path: &Path) -> Outcome<Vec<u8>> {
    let bytes = wasm(path)?;
    match bytes.starts_with(b"\0asm") {
        true => Ok(bytes),
        false => text(path).map(String::into_bytes),
    }
}

/// Reads to the end; fails for more than `limit` bytes.
fn bounded(from: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(limit + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > limit {
        true => Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than {limit} bytes, the limit for this input"),
        )),
        false => Ok(bytes),
    }
}

/// Returns the failure of an input that cannot be read, the same for every command and option.
pub(crate) fn unreadable(path: &Path, error: io::Error) -> Failure {
    Failure::new(Exit::Load, error).context(format!("`{}` cannot be read", path.display()))
}

/// Writes a file whole or not at all: writes a new file beside it, and renames it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Outcome<()> {
    replace(path, bytes).map_err(|error| {
        Failure::new(Exit::Host, error).context(format!("`{}` cannot be written", path.display()))
    })
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A link's target is replaced, not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let old = fs::metadata(&path).ok();
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        // A device or a pipe must remain one.
        return OpenOptions::new().write(true).open(&path)?.write_all(bytes);
    }
    let (new, mut file) = create_beside(&path)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| old.map_or(Ok(()), |old| file.set_permissions(old.permissions())))
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&new, &path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&new);
    }
    written
}

fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it does not name a file"))?;
    let mut number = 0u32;
    loop {
        let mut new = std::ffi::OsString::from(".");
        new.push(name);
        new.push(format!(".{}-{number}.new", std::process::id()));
        let new = path.with_file_name(new);
        match OpenOptions::new().write(true).create_new(true).open(&new) {
            Ok(file) => return Ok((new, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 100 => number += 1,
            Err(error) => return Err(error),
        }
    }
}
