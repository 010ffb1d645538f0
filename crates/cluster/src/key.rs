//! The secret that the hosts of a cluster share.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::{ClusterError, InvalidClusterOptions};

/// Fewest bytes of a secret: the strength of the authentication.
pub const MIN_SECRET_BYTES: usize = 32;
/// Most bytes of a secret. Stops a wrong path, such as that of a device, from being read without end.
pub const MAX_SECRET_BYTES: usize = 4096;

/// Domain of the derivation, so that the same secret gives other keys elsewhere.
const CONTEXT: &str = "airssys-wasm-cluster envelope v1";

/// Authenticates the messages between the hosts of a cluster: all hosts have the same secret, and hosts without it can
/// neither send a message that is accepted nor change one. It does not encrypt: use TLS to the servers.
///
/// `Debug` hides it.
#[derive(Clone)]
pub struct ClusterKey([u8; 32]);

impl ClusterKey {
    /// Derives the key from [`MIN_SECRET_BYTES`] to [`MAX_SECRET_BYTES`] bytes, which should be random: a password that can be
    /// remembered can be guessed from one message.
    ///
    /// # Errors
    /// [`InvalidClusterOptions::Secret`] for another length.
    pub fn new(secret: &[u8]) -> Result<ClusterKey, InvalidClusterOptions> {
        if !(MIN_SECRET_BYTES..=MAX_SECRET_BYTES).contains(&secret.len()) {
            return Err(InvalidClusterOptions::Secret(secret.len()));
        }
        Ok(ClusterKey(blake3::derive_key(CONTEXT, secret)))
    }

    /// Reads the secret from a file, all of whose bytes count, a newline at its end too.
    ///
    /// # Errors
    /// [`ClusterError::Read`]; [`ClusterError::Options`] for a file of another length than [`ClusterKey::new`] takes.
    pub fn from_file(path: impl AsRef<Path>) -> Result<ClusterKey, ClusterError> {
        let path = path.as_ref();
        let read = || {
            let mut secret = Vec::new();
            let limit = u64::try_from(MAX_SECRET_BYTES + 1).unwrap_or(u64::MAX);
            File::open(path)?.take(limit).read_to_end(&mut secret)?;
            Ok(secret)
        };
        let secret = read().map_err(|source| ClusterError::Read {
            path: path.to_owned(),
            source,
        })?;
        Ok(ClusterKey::new(&secret)?)
    }

    /// Returns the code that authenticates `bytes` under a subject.
    pub(crate) fn authenticate(&self, subject: &str, bytes: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        // The length first, so that a part of the subject cannot pass for a part of the bytes.
        let length = u64::try_from(subject.len()).unwrap_or(u64::MAX);
        hasher.update(&length.to_le_bytes());
        hasher.update(subject.as_bytes());
        hasher.update(bytes);
        hasher.finalize()
    }
}

impl fmt::Debug for ClusterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClusterKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_and_hidden() {
        assert!(matches!(
            ClusterKey::new(&[1; 31]),
            Err(InvalidClusterOptions::Secret(31))
        ));
        assert!(matches!(
            ClusterKey::new(&[1; MAX_SECRET_BYTES + 1]),
            Err(InvalidClusterOptions::Secret(_))
        ));
        let key = ClusterKey::new(&[77; 32]).unwrap();
        assert_eq!(format!("{key:?}"), "ClusterKey(..)");
    }

    #[test]
    fn the_subject_and_the_bytes_cannot_be_shifted() {
        let key = ClusterKey::new(&[77; 32]).unwrap();
        assert_eq!(key.authenticate("a", b"bc"), key.authenticate("a", b"bc"));
        assert_ne!(key.authenticate("a", b"bc"), key.authenticate("ab", b"c"));
        let other = ClusterKey::new(&[78; 32]).unwrap();
        assert_ne!(key.authenticate("a", b"bc"), other.authenticate("a", b"bc"));
    }

    #[test]
    fn an_endless_file_is_no_secret() {
        let missing = ClusterKey::from_file("/no/such/file");
        assert!(matches!(missing, Err(ClusterError::Read { .. })), "{missing:?}");
        #[cfg(unix)]
        {
            let endless = ClusterKey::from_file("/dev/zero");
            assert!(matches!(endless, Err(ClusterError::Options(_))), "{endless:?}");
        }
    }
}
