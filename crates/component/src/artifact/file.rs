//! Artifacts in files.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::ArtifactError;
use super::format::{Header, MAX_TAIL, Parts, TAIL, parts, unfinished};
use super::identity::Identity;
use super::key::Trust;
use super::open::{Artifact, check_contents, check_signature};
use super::own_copy;
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
    /// Opens a file and reads its header. Of that the form and the digest are checked; the sections and the signature
    /// are not yet.
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

    /// As [`ArtifactFile::open`], with a file that is open already; `path` is for error messages.
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
            return Err(unreadable(std::io::Error::other("it is no regular file")));
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
            // What the file begins with says more.
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

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The header. Its digest is right; the signature is not checked yet.
    pub fn header(&self) -> &Header {
        &self.parts.header
    }

    /// The BLAKE3 digest of the header and its signature. As the header has a digest of every section, two files with
    /// the same one are the same, once they are verified.
    pub fn digest(&self) -> &[u8; 32] {
        &self.parts.digest
    }

    /// Reads the whole file, and checks that it is what its header says.
    ///
    /// Code is mapped out of the file, so that whoever may write the file could change it afterwards. A file that others
    /// than this user and root could change is copied first, to where nobody can, and the copy is what counts.
    ///
    /// # Errors
    /// [`ArtifactError::Digest`], [`ArtifactError::Signature`], [`ArtifactError::Header`]; [`ArtifactError::Changed`] if it
    /// cannot be read any more.
    pub fn verify(&self) -> Result<Artifact<'static>, ArtifactError> {
        let source = match Identity::protected(&self.file) {
            Ok(_) => Source::File(self.file.clone()),
            Err(_) => own_copy::copy(&self.file, self.length).map_err(ArtifactError::Changed)?,
        };
        self.check(&source)?;
        Ok(self.artifact(source))
    }

    /// As [`ArtifactFile::verify`], unless `records` remember that it was done before; if not, they do afterwards. Also
    /// whether it had been done before.
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

    /// For one that somebody else has verified, and that nobody has changed since.
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

    /// The component, if the file is what its header says, somebody who is trusted has signed it, and its code runs here.
    ///
    /// # Errors
    /// [`ArtifactError`], before any of its code is loaded.
    pub fn load(&self, trust: &Trust) -> Result<Component, ArtifactError> {
        self.verify()?.load(trust)
    }
}
