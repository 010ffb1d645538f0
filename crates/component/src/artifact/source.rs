//! Bytes of an artifact, in memory or in a file.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;

pub(super) use crate::engine::read_exact_at;

/// Bytes that are read from a file at a time for hashing.
const CHUNK: usize = 1 << 20;

/// The bytes of an artifact.
#[derive(Clone, Debug)]
pub(super) enum Source<'a> {
    Memory(Cow<'a, [u8]>),
    File(Arc<File>),
}

impl Source<'_> {
    /// Returns the bytes of a range.
    ///
    /// # Errors
    /// The error of reading the file, which may have become shorter.
    pub(super) fn read(&self, range: Range<u64>) -> io::Result<Cow<'_, [u8]>> {
        let length =
            usize::try_from(range.end.saturating_sub(range.start)).map_err(|_| io::ErrorKind::OutOfMemory)?;
        match self {
            Source::Memory(bytes) => {
                let start = usize::try_from(range.start).ok();
                let found = start.and_then(|start| bytes.get(start..start.checked_add(length)?));
                found
                    .map(Cow::Borrowed)
                    .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
            }
            Source::File(file) => {
                let mut bytes = vec![0; length];
                read_exact_at(file, &mut bytes, range.start)?;
                Ok(Cow::Owned(bytes))
            }
        }
    }

    /// Passes the bytes of a range to `take`, piece by piece, until it returns false.
    ///
    /// # Errors
    /// As [`Source::read`].
    pub(super) fn pieces(&self, range: Range<u64>, mut take: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
        let mut buffer = Vec::new();
        let mut at = range.start;
        while at < range.end {
            match self {
                Source::Memory(_) => {
                    take(&self.read(range)?);
                    return Ok(());
                }
                Source::File(file) => {
                    let length = usize::try_from(range.end - at).map_or(CHUNK, |left| left.min(CHUNK));
                    buffer.resize(length, 0);
                    read_exact_at(file, &mut buffer, at)?;
                    if !take(&buffer) {
                        return Ok(());
                    }
                    at += length as u64;
                }
            }
        }
        Ok(())
    }
}
