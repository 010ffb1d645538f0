//! Reading an artifact: everything is checked before any of its code is loaded.
#![allow(
    unsafe_code,
    reason = "here native code that was verified becomes code that is trusted"
)]

use std::ops::Range;

use super::error::ArtifactError;
use super::format::{Header, Kind, Parts, parts};
use super::key::{PublicKey, Trust};
use crate::component::{Component, Precompiled};
use crate::engine::TrustedCode;

/// An artifact whose bytes are what its header says.
#[derive(Debug)]
pub struct Artifact<'a> {
    file: &'a [u8],
    header: Header,
    signer: Option<PublicKey>,
    sections: Vec<(Kind, Range<usize>)>,
}

impl<'a> Artifact<'a> {
    /// Reads a whole file: its form, the digest of each section, and the signature if there is one.
    ///
    /// # Errors
    /// [`ArtifactError`], for whatever is not as it was written.
    pub fn open(file: &'a [u8]) -> Result<Artifact<'a>, ArtifactError> {
        let Parts {
            header,
            header_bytes,
            signature,
            sections,
        } = parts(file)?;
        let signer = match &signature {
            Some((key, signature)) if key.has_signed(header_bytes, signature) => Some(*key),
            Some(_) => return Err(ArtifactError::Signature),
            None => None,
        };
        for ((kind, range), section) in sections.iter().zip(&header.sections) {
            let bytes = file.get(range.clone()).unwrap_or_default();
            // The comparison of hashes takes as long for any difference.
            if blake3::hash(bytes) != blake3::Hash::from_bytes(section.digest) {
                return Err(ArtifactError::Digest {
                    section: kind.name().to_owned(),
                });
            }
        }
        Ok(Artifact {
            file,
            header,
            signer,
            sections,
        })
    }

    /// The digest of all that comes before the sections.
    pub(super) fn digest(&self) -> [u8; 32] {
        let end = self
            .sections
            .first()
            .map_or(self.file.len(), |(_, range)| range.start);
        *blake3::hash(self.file.get(..end).unwrap_or_default()).as_bytes()
    }

    /// What it says about itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Who signed it.
    pub fn signer(&self) -> Option<PublicKey> {
        self.signer
    }

    /// Checks that it is signed by somebody who is trusted.
    ///
    /// # Errors
    /// [`ArtifactError::Unsigned`], [`ArtifactError::UnknownSigner`].
    pub fn check_signer(&self, trust: &Trust) -> Result<(), ArtifactError> {
        match &self.signer {
            None => Err(ArtifactError::Unsigned),
            Some(signer) if trust.contains(signer) => Ok(()),
            Some(signer) => Err(ArtifactError::UnknownSigner(signer.to_string())),
        }
    }

    /// The component, if somebody who is trusted has signed it and its code runs here.
    ///
    /// # Errors
    /// [`ArtifactError`], before any of its code is loaded.
    pub fn load(&self, trust: &Trust) -> Result<Component, ArtifactError> {
        self.check_signer(trust)?;
        // SAFETY: whoever signed it vouches for the code: that is what trusting a key means.
        unsafe { self.load_unsigned() }
    }

    /// The component, whoever made the artifact.
    ///
    /// # Errors
    /// [`ArtifactError`], before any of its code is loaded, if the code would not run here.
    ///
    /// # Safety
    /// The artifact comes from [`compile`](super::compile): its native code runs with all that this process may do.
    pub unsafe fn load_unsigned(&self) -> Result<Component, ArtifactError> {
        let backend = self.header.check_host()?;
        let mut sections = self.sections.iter();
        let translated = match sections.next() {
            Some((Kind::Translated, range)) => self.file.get(range.clone()).unwrap_or_default(),
            _ => {
                return Err(ArtifactError::Contents(
                    "it does not begin with a translated component".into(),
                ));
            }
        };
        let mut code = Vec::new();
        for (kind, range) in sections {
            if *kind != Kind::Code {
                return Err(ArtifactError::Contents(format!(
                    "a second section `{}`",
                    kind.name()
                )));
            }
            // SAFETY: the caller vouches for it.
            code.push(unsafe { TrustedCode::new(self.file.get(range.clone()).unwrap_or_default()) });
        }
        Precompiled::load(translated, &code, backend, self.header.component_bytes)
            .map_err(ArtifactError::Contents)
    }
}

/// The component of an artifact that this process compiled, or that comes from this user's cache.
///
/// # Errors
/// [`ArtifactError`], before any of its code is loaded.
pub(super) fn load_own(file: &[u8]) -> Result<Component, ArtifactError> {
    let artifact = Artifact::open(file)?;
    // SAFETY: this user's processes made it with `compile`: this one, or one that put it in the cache, which gives nothing
    // but what was authenticated with a key that only this user can read. Who has that key acts as this user anyway.
    unsafe { artifact.load_unsigned() }
}
