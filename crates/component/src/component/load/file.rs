//! Reads component files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Most bytes of a component's or a core module's file: 1 GiB. Stops a file that fills the host's memory.
pub const MAX_FILE_BYTES: u64 = 1 << 30;

/// Bytes that identify a file's kind.
const HEAD_BYTES: u64 = 64;

/// Reads a component or a core module. Of a file of another kind it reads the first 64 bytes only, enough for
/// [`Component::from_binary`](crate::component::Component::from_binary) to say what it is.
///
/// # Errors
/// Those of the file; [`io::ErrorKind::FileTooLarge`] for more than [`MAX_FILE_BYTES`].
pub fn read_file(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    read_from(File::open(path)?)
}

/// As [`read_file`], from an open file or a pipe.
///
/// # Errors
/// As [`read_file`].
pub fn read_from(from: impl Read) -> io::Result<Vec<u8>> {
    read_up_to(from, MAX_FILE_BYTES)
}

fn read_up_to(mut from: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.by_ref().take(HEAD_BYTES).read_to_end(&mut bytes)?;
    if bytes.starts_with(b"\0asm") {
        from.take(limit - HEAD_BYTES + 1).read_to_end(&mut bytes)?;
    }
    match bytes.len() as u64 > limit {
        true => Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than {limit} bytes, the size limit for components"),
        )),
        false => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts the bytes that are read.
    struct Endless {
        head: &'static [u8],
        given: u64,
    }

    impl Read for Endless {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            to.fill(0);
            for (to, byte) in to
                .iter_mut()
                .zip(self.head.get(self.given as usize..).unwrap_or_default())
            {
                *to = *byte;
            }
            self.given += to.len() as u64;
            Ok(to.len())
        }
    }

    #[test]
    fn a_file_of_another_kind_is_not_read_whole() {
        let mut file = Endless {
            head: b"\x7fELF",
            given: 0,
        };
        let bytes = read_from(&mut file).unwrap();
        assert!(bytes.starts_with(b"\x7fELF"));
        assert_eq!((bytes.len() as u64, file.given), (HEAD_BYTES, HEAD_BYTES));
    }

    #[test]
    fn a_file_without_end_is_refused() {
        let mut file = Endless {
            head: b"\0asm",
            given: 0,
        };
        let refused = read_up_to(&mut file, 1000).map_err(|error| error.kind());
        assert_eq!(refused, Err(io::ErrorKind::FileTooLarge));
        assert_eq!(file.given, 1001);
    }

    #[test]
    fn short_files_are_read_whole() {
        for bytes in [&b""[..], b"\0", b"\0asm", b"\0asm\x0d\0\x01\0"] {
            assert_eq!(read_from(bytes).unwrap(), bytes);
        }
    }
}
