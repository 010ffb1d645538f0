//! Artifacts in files.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::ArtifactError;
use super::format::Header;
use super::key::{PublicKey, Trust};
use super::open::Artifact;
use crate::component::Component;

/// An artifact in a file.
#[derive(Debug)]
pub struct ArtifactFile {
    path: PathBuf,
    file: File,
    bytes: Vec<u8>,
    digest: [u8; 32],
}

impl ArtifactFile {
    /// Opens a file and reads what it says about itself.
    ///
    /// # Errors
    /// [`ArtifactError::Read`], and those of its form.
    pub fn open(path: impl AsRef<Path>) -> Result<ArtifactFile, ArtifactError> {
        let path = path.as_ref();
        let unreadable = |source| ArtifactError::Read {
            path: path.to_owned(),
            source,
        };
        let mut file = File::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(unreadable)?;
        let digest = Artifact::open(&bytes)?.digest();
        Ok(ArtifactFile {
            digest,
            path: path.to_owned(),
            file,
            bytes,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The BLAKE3 digest of the header and its signature. As the header has a digest of every section, two files with
    /// the same one are the same, once they are verified.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Reads the whole file, and checks that it is what its header says.
    ///
    /// # Errors
    /// As [`Artifact::open`].
    pub fn verify(&self) -> Result<Artifact<'_>, ArtifactError> {
        Artifact::open(&self.bytes)
    }

    /// What it says about itself.
    ///
    /// # Errors
    /// As [`Artifact::open`].
    pub fn header(&self) -> Result<Header, ArtifactError> {
        Ok(Artifact::open(&self.bytes)?.header().clone())
    }

    /// Who signed it.
    ///
    /// # Errors
    /// As [`Artifact::open`].
    pub fn signer(&self) -> Result<Option<PublicKey>, ArtifactError> {
        Ok(Artifact::open(&self.bytes)?.signer())
    }

    /// The component, if somebody who is trusted has signed it and its code runs here.
    ///
    /// # Errors
    /// [`ArtifactError`], before any of its code is loaded.
    pub fn load(&self, trust: &Trust) -> Result<Component, ArtifactError> {
        Artifact::open(&self.bytes)?.load(trust)
    }
}
