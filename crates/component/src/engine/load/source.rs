//! The bytes of native code.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::sync::Arc;

/// Location of a module's native code, which does not change.
#[derive(Clone, Debug)]
pub(crate) enum CodeSource<'a> {
    /// A part of a file.
    File {
        file: Arc<File>,
        /// Offset in the file, in bytes.
        begins: u64,
        /// Its length, in bytes.
        length: u64,
    },
    Bytes(Cow<'a, [u8]>),
    /// Bytes that outlive what they came from.
    Shared(Arc<[u8]>),
}

impl CodeSource<'_> {
    /// Returns the length, in bytes.
    pub(super) fn length(&self) -> u64 {
        match self {
            CodeSource::File { length, .. } => *length,
            CodeSource::Bytes(bytes) => bytes.len() as u64,
            CodeSource::Shared(bytes) => bytes.len() as u64,
        }
    }

    /// Returns the file, and where the code begins in it.
    pub(super) fn file(&self) -> Option<(&File, u64)> {
        match self {
            CodeSource::File { file, begins, .. } => Some((file, *begins)),
            CodeSource::Bytes(_) | CodeSource::Shared(_) => None,
        }
    }

    /// Fills `to` with the bytes from an offset on.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] beyond the end, and those of the file.
    pub(super) fn read(&self, offset: u64, to: &mut [u8]) -> io::Result<()> {
        let beyond = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let end = u64::try_from(to.len())
            .ok()
            .and_then(|bytes| offset.checked_add(bytes));
        let is_within = end.is_some_and(|end| end <= self.length());
        let bytes: &[u8] = match self {
            _ if !is_within => return Err(beyond()),
            CodeSource::File { file, begins, .. } => {
                return read_exact_at(file, to, begins.checked_add(offset).ok_or_else(beyond)?);
            }
            CodeSource::Bytes(bytes) => bytes,
            CodeSource::Shared(bytes) => bytes,
        };
        let from = usize::try_from(offset).ok().and_then(|start| bytes.get(start..));
        let from = from.and_then(|from| from.get(..to.len()));
        to.copy_from_slice(from.ok_or_else(beyond)?);
        Ok(())
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// As [`CodeSource::read`].
    pub(super) fn whole(&self) -> io::Result<Arc<[u8]>> {
        if let CodeSource::Shared(bytes) = self {
            return Ok(bytes.clone());
        }
        let length = usize::try_from(self.length()).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, length).collect();
        if let Some(bytes) = Arc::get_mut(&mut bytes) {
            self.read(0, bytes)?;
        }
        Ok(bytes)
    }

    /// Returns the same code, with a copy of bytes that are not shared.
    pub(super) fn into_shared(self) -> CodeSource<'static> {
        match self {
            CodeSource::File { file, begins, length } => CodeSource::File { file, begins, length },
            CodeSource::Bytes(bytes) => CodeSource::Shared(bytes.into()),
            CodeSource::Shared(bytes) => CodeSource::Shared(bytes),
        }
    }
}

#[cfg(unix)]
pub(crate) fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(not(unix))]
pub(crate) fn read_exact_at(mut file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    use std::sync::{Mutex, PoisonError};
    // The position in the file is shared by all readers.
    static PLACE: Mutex<()> = Mutex::new(());
    let _place = PLACE.lock().unwrap_or_else(PoisonError::into_inner);
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_files_and_bytes_are_read_within_their_ends() {
        let path = std::env::temp_dir().join(format!("airssys-source-{}", std::process::id()));
        std::fs::write(&path, b"0123456789").expect("a file");
        let file = Arc::new(File::open(&path).expect("it was just written"));
        std::fs::remove_file(&path).expect("it is there");
        let part = CodeSource::File {
            file: file.clone(),
            begins: 3,
            length: 4,
        };
        let bytes = CodeSource::Bytes(Cow::Borrowed(b"3456"));
        for source in [part, bytes.clone(), bytes.into_shared()] {
            assert_eq!(
                (source.length(), &*source.whole().expect("it is there")),
                (4, &b"3456"[..])
            );
            let read = |offset, bytes: usize| {
                let mut to = vec![0; bytes];
                source
                    .read(offset, &mut to)
                    .map(|()| to)
                    .map_err(|error| error.kind())
            };
            assert_eq!(read(1, 2), Ok(b"45".to_vec()));
            assert_eq!(read(4, 0), Ok(vec![]));
            for (offset, bytes) in [(0, 5), (3, 2), (4, 1), (u64::MAX, 1), (u64::MAX - 3, 2)] {
                assert_eq!(
                    read(offset, bytes),
                    Err(io::ErrorKind::UnexpectedEof),
                    "{offset} {bytes}"
                );
            }
        }
        let cut = CodeSource::File {
            file,
            begins: 8,
            length: 4,
        };
        assert_eq!(
            cut.whole().map_err(|error| error.kind()),
            Err(io::ErrorKind::UnexpectedEof)
        );
    }
}
