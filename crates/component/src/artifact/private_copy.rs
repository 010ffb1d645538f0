//! Private copies of files.

use std::fs::File;
use std::io::{self, Read};

use super::source::Source;

/// Copies a file's first `length` bytes to where no other user can change them.
#[cfg(target_os = "linux")]
pub(super) fn copy(file: &File, length: u64) -> io::Result<Source<'static>> {
    use rustix::fs::{MemfdFlags, memfd_create};
    use std::sync::Arc;
    let mut copy = File::from(memfd_create("artifact", MemfdFlags::CLOEXEC)?);
    io::copy(&mut from_start(file)?.take(length), &mut copy)?;
    Ok(Source::File(Arc::new(copy)))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn copy(file: &File, length: u64) -> io::Result<Source<'static>> {
    let mut bytes = Vec::new();
    from_start(file)?.take(length).read_to_end(&mut bytes)?;
    Ok(Source::Memory(bytes.into()))
}

/// Returns a reader of the file from its beginning that does not move the position of other readers.
fn from_start(file: &File) -> io::Result<FromStart<'_>> {
    Ok(FromStart { file, at: 0 })
}

struct FromStart<'a> {
    file: &'a File,
    at: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = self.file.metadata()?.len().saturating_sub(self.at);
        let length = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let bytes = bytes.get_mut(..length).unwrap_or_default();
        super::source::read_exact_at(self.file, bytes, self.at)?;
        self.at += length as u64;
        Ok(length)
    }
}
