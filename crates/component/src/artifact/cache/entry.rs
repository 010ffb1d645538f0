//! Cache entries: small files that name the content stored under a key.

use std::io;

use borsh::{BorshDeserialize, BorshSerialize};

use super::config::CacheKey;

/// First bytes of an entry.
const MAGIC: [u8; 8] = *b"\xa1aircach";
/// Format version that this build writes and reads.
const FORMAT: u32 = 1;
/// Bytes of an entry, its authentication code included.
pub(super) const ENTRY_BYTES: usize = 8 + 4 + 32 + 32 + 8 + 32;

/// Extension of the names of stored files.
pub(super) const EXTENSION: &str = ".cwasm";

/// Reference to the content stored under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: CacheKey,
    /// BLAKE3 digest of the content.
    pub(super) digest: [u8; 32],
    pub(super) bytes: u64,
}

#[derive(BorshSerialize, BorshDeserialize)]
struct Written {
    magic: [u8; 8],
    format: u32,
    key: [u8; 32],
    digest: [u8; 32],
    bytes: u64,
}

impl Entry {
    pub(super) fn of(key: CacheKey, content: &[u8]) -> Entry {
        Entry {
            key,
            digest: *blake3::hash(content).as_bytes(),
            bytes: content.len() as u64,
        }
    }

    pub(super) fn write(&self) -> io::Result<Vec<u8>> {
        borsh::to_vec(&Written {
            magic: MAGIC,
            format: FORMAT,
            key: self.key.0,
            digest: self.digest,
            bytes: self.bytes,
        })
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Entry> {
        let written: Written = borsh::from_slice(bytes).ok()?;
        (written.magic == MAGIC && written.format == FORMAT).then_some(Entry {
            key: CacheKey(written.key),
            digest: written.digest,
            bytes: written.bytes,
        })
    }

    /// Returns the name of the file with the content.
    pub(super) fn file_name(&self) -> String {
        format!("{}{EXTENSION}", blake3::Hash::from_bytes(self.digest).to_hex())
    }
}

/// Reports whether a file's name is that of an entry.
pub(super) fn is_entry(name: &str) -> bool {
    blake3::Hash::from_hex(name).is_ok()
}

/// Reports whether a file's name is that of stored content.
pub(super) fn is_content(name: &str) -> bool {
    name.strip_suffix(EXTENSION).is_some_and(is_entry)
}
