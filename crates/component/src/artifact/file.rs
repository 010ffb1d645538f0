//! Artifacts in files.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::ArtifactError;
use super::file_identity::Identity;
use super::format::{Header, MAX_TAIL, Parts, TAIL, parts, unfinished};
use super::key::Trust;
use super::open::{Artifact, check_contents, check_signature};
use super::private_copy;
use super::records::Records;
use super::source::{Source, read_exact_at};
use crate::component::Component;

/// An artifact in a file, of which only the header has been read.
///
/// ```no_run
/// # extern crate airssys_wasm_component as airssys_wasm;
/// use airssys_wasm::artifact::{ArtifactFile, Trust};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let trust = Trust::new(["9f2c…".parse()?]);
/// let component = ArtifactFile::open("guest.cwasm")?.verify()?.load(&trust)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ArtifactFile {
    path: PathBuf,
    file: Arc<File>,
    parts: Parts,
    length: u64,
}

impl ArtifactFile {
    /// Opens a file and reads its header. Checks the header's form and digest; the sections and the signature are not
    /// checked yet.
    ///
    /// # Errors
    /// [`ArtifactError::Read`]; [`ArtifactError::NotArtifact`], [`ArtifactError::Format`], [`ArtifactError::Truncated`],
    /// [`ArtifactError::HeaderDigest`], [`ArtifactError::Header`], [`ArtifactError::Trailing`].
    pub fn open(path: impl AsRef<Path>) -> Result<ArtifactFile, ArtifactError> {
        let path = path.as_ref();
        let unreadable = |source| ArtifactError::Read {
            path: path.to_owned(),
            source,
        };
        ArtifactFile::with(path, File::open(path).map_err(unreadable)?)
    }

    /// As [`ArtifactFile::open`], with a file that is already open; `path` is for error messages.
    ///
    /// # Errors
    /// As [`ArtifactFile::open`].
    pub fn with(path: &Path, file: File) -> Result<ArtifactFile, ArtifactError> {
        let unreadable = |source| ArtifactError::Read {
            path: path.to_owned(),
            source,
        };
        let about = file.metadata().map_err(unreadable)?;
        if !about.is_file() {
            return Err(unreadable(std::io::Error::other("it is not a regular file")));
        }
        let length = about.len();
        let tail = |most: usize| {
            let size = usize::try_from(length).map_or(most, |length| length.min(most));
            let mut tail = vec![0; size];
            read_exact_at(&file, &mut tail, length - size as u64)?;
            Ok(tail)
        };
        let found = match parts(&tail(TAIL).map_err(unreadable)?, length) {
            Err(ArtifactError::Truncated { .. }) if length > TAIL as u64 => {
                parts(&tail(MAX_TAIL).map_err(unreadable)?, length)
            }
            found => found,
        };
        let found = match found {
            // The beginning of the file identifies its format.
            Err(ArtifactError::NotArtifact(_)) => {
                let mut head = vec![0; usize::try_from(length).map_or(TAIL, |length| length.min(TAIL))];
                read_exact_at(&file, &mut head, 0).map_err(unreadable)?;
                return Err(unfinished(&head, length));
            }
            found => found?,
        };
        Ok(ArtifactFile {
            path: path.to_owned(),
            file: Arc::new(file),
            parts: found,
            length,
        })
    }

    /// Returns the file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the open file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Returns the header. Its digest is checked; the signature is not yet.
    pub fn header(&self) -> &Header {
        &self.parts.header
    }

    /// Returns the BLAKE3 digest of the header and its signature. The header has a digest of every section, so two
    /// verified files with the same digest are the same.
    pub fn digest(&self) -> &[u8; 32] {
        &self.parts.digest
    }

    /// Reads the whole file, and checks that it matches its header.
    ///
    /// Code is mapped from the file, so a process that may write the file could change it afterwards. A file that users
    /// other than this one and root could change is copied first, to where they cannot, and the copy is used.
    ///
    /// # Errors
    /// [`ArtifactError::Digest`], [`ArtifactError::Signature`], [`ArtifactError::Header`]; [`ArtifactError::Changed`] if it
    /// cannot be read any more.
    pub fn verify(&self) -> Result<Artifact<'static>, ArtifactError> {
        let source = match Identity::protected(&self.file) {
            Ok(_) => Source::File(self.file.clone()),
            Err(_) => private_copy::copy(&self.file, self.length).map_err(ArtifactError::Changed)?,
        };
        self.check(&source)?;
        Ok(self.artifact(source))
    }

    /// As [`ArtifactFile::verify`], unless `records` show that the file was verified before; otherwise records it. Also
    /// returns whether it was verified before.
    ///
    /// # Errors
    /// As [`ArtifactFile::verify`].
    pub fn verify_once(&self, records: &Records) -> Result<(Artifact<'static>, bool), ArtifactError> {
        if Identity::protected(&self.file).is_err() {
            return Ok((self.verify()?, false));
        }
        let source = Source::File(self.file.clone());
        let known = records.verify_once(&self.file, &self.parts.digest, || self.check(&source))?;
        Ok((self.artifact(source), known))
    }

    /// Returns the artifact without a check, for a file that is verified already and has not changed since.
    pub(super) fn is_verified(&self) -> Artifact<'static> {
        self.artifact(Source::File(self.file.clone()))
    }

    fn check(&self, source: &Source<'_>) -> Result<(), ArtifactError> {
        check_contents(source, &self.parts)?;
        check_signature(&self.parts)
    }

    fn artifact(&self, source: Source<'static>) -> Artifact<'static> {
        Artifact::verified(source, self.parts.clone())
    }

    /// Verifies the file, and loads the component if a trusted key has signed it and its code runs here.
    ///
    /// # Errors
    /// [`ArtifactError`], before any of its code is loaded.
    pub fn load(&self, trust: &Trust) -> Result<Component, ArtifactError> {
        self.verify()?.load(trust)
    }
}
