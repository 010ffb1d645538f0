//! Ed25519 keys that sign artifacts, and the keys that a host trusts.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};

pub(super) use ed25519_dalek::Signature;

/// Errors of reading or generating a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It is not 64 hexadecimal digits.
    #[error("a key is 64 hexadecimal digits")]
    Form,
    /// It is not a point on the curve.
    #[error("these digits are not a valid public key")]
    NoKey,
    /// The operating system has no random numbers.
    #[error("the operating system provides no random numbers: {0}")]
    Random(String),
}

/// A key to sign with. `{:?}` does not show it, and it is erased from memory on drop.
pub struct SecretKey(SigningKey);

/// A key to trust. Written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl SecretKey {
    /// Generates a key.
    ///
    /// # Errors
    /// [`KeyError::Random`].
    pub fn generate() -> Result<SecretKey, KeyError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| KeyError::Random(error.to_string()))?;
        Ok(SecretKey(SigningKey::from_bytes(&bytes)))
    }

    /// Returns the public key that belongs to it.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    // `blake3::Hash` reads and writes 32 bytes in hexadecimal.
    /// Returns the key as 64 hexadecimal digits, to be kept secret.
    pub fn to_text(&self) -> String {
        blake3::Hash::from_bytes(self.0.to_bytes()).to_hex().to_string()
    }

    pub(super) fn sign(&self, message: &[u8]) -> (PublicKey, Signature) {
        (self.public(), self.0.sign(message))
    }
}

impl FromStr for SecretKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<SecretKey, KeyError> {
        Ok(SecretKey(SigningKey::from_bytes(&digits(text)?)))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey")
    }
}

fn digits(text: &str) -> Result<[u8; 32], KeyError> {
    let hash = blake3::Hash::from_hex(text.trim()).map_err(|_| KeyError::Form)?;
    Ok(*hash.as_bytes())
}

impl PublicKey {
    /// Creates a key without checking that it is a point on the curve: verification checks that.
    pub(super) fn from_bytes(bytes: [u8; 32]) -> PublicKey {
        PublicKey(bytes)
    }

    pub(super) fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    pub(super) fn has_signed(&self, message: &[u8], signature: &Signature) -> bool {
        // The strict form refuses keys of small order, with which a signature fits many messages.
        VerifyingKey::from_bytes(&self.0).is_ok_and(|key| key.verify_strict(message, signature).is_ok())
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<PublicKey, KeyError> {
        let bytes = digits(text)?;
        VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::NoKey)?;
        Ok(PublicKey(bytes))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", blake3::Hash::from_bytes(self.to_bytes()).to_hex())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// The keys whose artifacts a host runs. Empty by default.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    keys: Vec<PublicKey>,
    unsigned: bool,
}

impl Trust {
    /// Trusts these keys.
    pub fn new(keys: impl IntoIterator<Item = PublicKey>) -> Trust {
        Trust {
            keys: keys.into_iter().collect(),
            unsigned: false,
        }
    }

    pub(super) fn of_any() -> Trust {
        Trust {
            keys: Vec::new(),
            unsigned: true,
        }
    }

    pub(super) fn accepts_unsigned(&self) -> bool {
        self.unsigned
    }

    pub(super) fn contains(&self, key: &PublicKey) -> bool {
        self.keys.contains(key)
    }
}
