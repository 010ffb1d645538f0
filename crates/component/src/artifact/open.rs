//! Reader of artifacts: everything is checked before any of the code is loaded.
#![allow(unsafe_code, reason = "verified native code becomes trusted code here")]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use super::error::ArtifactError;
use super::file::ArtifactFile;
use super::format::{Header, Kind, Parts, lead, parts};
use super::key::{PublicKey, Trust};
use super::source::Source;
use crate::component::{Component, Precompiled, SavedModule};
use crate::engine::{CodeSource, Engine, SNAPSHOTS, SavedDescription, SavedImage, SavedNames, TrustedCode};

/// An artifact whose bytes match its header.
#[derive(Debug)]
pub struct Artifact<'a> {
    source: Source<'a>,
    header: Header,
    signer: Option<PublicKey>,
    digest: [u8; 32],
    sections: Vec<(Kind, Range<u64>)>,
}

impl<'a> Artifact<'a> {
    /// Reads a whole file: its form, the digest of each section, and the signature if there is one.
    ///
    /// # Errors
    /// [`ArtifactError`], for anything that is not as it was written.
    pub fn open(file: &'a [u8]) -> Result<Artifact<'a>, ArtifactError> {
        let parts = parts(file, file.len() as u64)?;
        let source = Source::Memory(Cow::Borrowed(file));
        check_contents(&source, &parts)?;
        check_signature(&parts)?;
        Ok(Artifact::verified(source, parts))
    }

    /// Creates an artifact from parts that are verified already.
    pub(super) fn verified(source: Source<'a>, parts: Parts) -> Artifact<'a> {
        Artifact {
            source,
            header: parts.header,
            signer: parts.signature.map(|(key, _)| key),
            digest: parts.digest,
            sections: parts.sections,
        }
    }

    /// Returns the header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the key that signed it, if it is signed.
    pub fn signer(&self) -> Option<PublicKey> {
        self.signer
    }

    /// Returns the component's metadata, in JSON, if the artifact has it.
    ///
    /// # Errors
    /// [`ArtifactError::Changed`] if the file has changed, or cannot be read any more.
    pub fn metadata(&self) -> Result<Option<Vec<u8>>, ArtifactError> {
        self.section(Kind::Metadata)
    }

    /// Returns the component's manifest, if the artifact has it.
    ///
    /// # Errors
    /// [`ArtifactError::Changed`] if the file has changed, or cannot be read any more.
    pub fn manifest(&self) -> Result<Option<Vec<u8>>, ArtifactError> {
        self.section(Kind::Manifest)
    }

    /// Returns the record of a [snapshot](Artifact::snapshot); `None` if it is not one.
    ///
    /// # Errors
    /// [`ArtifactError::Changed`] if the file has changed, or cannot be read any more.
    pub fn snapshot_record(&self) -> Result<Option<Vec<u8>>, ArtifactError> {
        self.section(Kind::Snapshot)
    }

    /// Returns the BLAKE3 digest of the header and its signature.
    pub(super) fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Returns the sections, with their places.
    pub(super) fn sections(&self) -> &[(Kind, Range<u64>)] {
        &self.sections
    }

    fn section(&self, kind: Kind) -> Result<Option<Vec<u8>>, ArtifactError> {
        let section = self.sections.iter().find(|(found, _)| *found == kind);
        let bytes = section.map(|(_, range)| self.read(range.clone())).transpose()?;
        Ok(bytes.map(Cow::into_owned))
    }

    pub(super) fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>, ArtifactError> {
        self.source.read(range).map_err(ArtifactError::Changed)
    }

    /// Checks that a trusted key has signed it, unless `trust` is [`Trust::unsigned`].
    ///
    /// # Errors
    /// [`ArtifactError::Unsigned`], [`ArtifactError::UnknownSigner`].
    pub fn check_signer(&self, trust: &Trust) -> Result<(), ArtifactError> {
        match &self.signer {
            _ if trust.accepts_unsigned() => Ok(()),
            None => Err(ArtifactError::Unsigned),
            Some(signer) if trust.contains(signer) => Ok(()),
            Some(signer) => Err(ArtifactError::UnknownSigner(signer.to_string())),
        }
    }

    /// Loads the component, if a trusted key has signed it and its code runs here.
    ///
    /// # Errors
    /// [`ArtifactError`], before any of its code is loaded.
    pub fn load(&self, trust: &Trust) -> Result<Component, ArtifactError> {
        self.check_signer(trust)?;
        // SAFETY: the signer vouches for the code: that is what trusting a key means. For `Trust::unsigned` its caller does.
        unsafe { self.load_unsigned() }
    }

    /// Loads the component, signed or not.
    ///
    /// # Errors
    /// [`ArtifactError`], before any of its code is loaded, if the code would not run here.
    ///
    /// # Safety
    /// The artifact comes from [`compile`](super::compile): its native code runs with all privileges of this process.
    pub unsafe fn load_unsigned(&self) -> Result<Component, ArtifactError> {
        let backend = self.header.check_host()?;
        let malformed = |what: String| ArtifactError::Contents(what);
        let (mut translated, mut snapshot) = (None, None);
        let (mut code, mut images) = (BTreeMap::new(), BTreeMap::new());
        let (mut names, mut descriptions) = (BTreeMap::new(), BTreeMap::new());
        for ((kind, range), section) in self.sections.iter().zip(&self.header.sections) {
            let twice = match *kind {
                Kind::Translated => translated.replace(range).is_some(),
                Kind::Snapshot => snapshot.replace(range).is_some(),
                Kind::Code { module, elf } => code.insert(module, (elf, section.digest, range)).is_some(),
                Kind::Image { module, start } => images.insert(module, (start, range)).is_some(),
                Kind::Names { module } => names.insert(module, (section.digest, range)).is_some(),
                Kind::Description { module } => descriptions.insert(module, range).is_some(),
                Kind::Metadata | Kind::Manifest => false,
            };
            if twice {
                return Err(malformed(format!("a second section `{}`", kind.name())));
            }
        }
        let translated = translated.ok_or_else(|| malformed("it has no translated component".into()))?;
        let translated = self.read(translated.clone())?;
        let snapshot = snapshot.map(|range| self.read(range.clone())).transpose()?;
        if snapshot.is_some() && !SNAPSHOTS {
            return Err(ArtifactError::NoSnapshots);
        }
        let mut modules = Vec::new();
        for (index, (module, (elf, digest, range))) in (0u32..).zip(code) {
            if module != index {
                return Err(malformed(format!("the code of core module {index} is missing")));
            }
            let source = match &self.source {
                Source::File(file) if elf && cfg!(unix) => CodeSource::File {
                    file: file.clone(),
                    begins: range.start,
                    length: range.end.saturating_sub(range.start),
                },
                _ => CodeSource::Bytes(self.read(range.clone())?),
            };
            let description = match descriptions.remove(&index) {
                Some(_) if !elf => {
                    return Err(malformed(format!(
                        "it has a description of core module {index}, whose code is no image"
                    )));
                }
                Some(range) => Some(SavedDescription {
                    bytes: self.read(range.clone())?,
                    image: digest,
                }),
                None => None,
            };
            let image = match images.remove(&index) {
                Some((start, range)) => Some(self.image(start, range)?),
                None => None,
            };
            modules.push(SavedModule {
                // SAFETY: the caller vouches for it.
                code: unsafe { TrustedCode::new(source, description) },
                image,
                names: match names.remove(&index) {
                    Some((digest, range)) => Some(self.names(digest, range)?),
                    None => None,
                },
            });
        }
        if let Some(module) = images.keys().next() {
            return Err(malformed(format!(
                "it has a memory image for core module {module}, which is missing"
            )));
        }
        if let Some(module) = descriptions.keys().next() {
            return Err(malformed(format!(
                "it has a description of core module {module}, which is missing"
            )));
        }
        if let Some(module) = names.keys().next() {
            return Err(malformed(format!(
                "it has names for core module {module}, which is missing"
            )));
        }
        let component = Precompiled::load(&translated, modules, backend, self.header.component_bytes);
        let component = component.map_err(malformed)?;
        if !component.begins_with_state(snapshot.is_some()) {
            let what = "it has the state of a snapshot without a record, or a record without the state";
            return Err(malformed(what.into()));
        }
        Ok(component.of_artifact(self.digest, snapshot.map(Cow::into_owned)))
    }

    fn image(&self, start: u64, range: &Range<u64>) -> Result<SavedImage, ArtifactError> {
        Ok(match &self.source {
            Source::File(file) => SavedImage::File {
                start,
                length: range.end - range.start,
                file: file.clone(),
                offset: range.start,
            },
            Source::Memory(_) => SavedImage::Bytes {
                start,
                bytes: self.read(range.clone())?.into_owned(),
            },
        })
    }

    /// Names in a file are read when they are needed.
    fn names(&self, digest: [u8; 32], range: &Range<u64>) -> Result<SavedNames, ArtifactError> {
        Ok(match &self.source {
            Source::File(file) => {
                let (source, range) = (Source::File(file.clone()), range.clone());
                let read = move || source.read(range.clone()).map(Cow::into_owned);
                SavedNames::Later {
                    digest,
                    read: Box::new(read),
                }
            }
            Source::Memory(_) => SavedNames::Bytes(self.read(range.clone())?.into_owned()),
        })
    }
}

impl Trust {
    /// Accepts every artifact, signed or not.
    ///
    /// # Safety
    /// Every artifact that is loaded with it comes from [`compile`](super::compile): its native code runs with all privileges
    /// of this process.
    pub unsafe fn unsigned() -> Trust {
        Trust::of_any()
    }
}

impl Component {
    /// Loads an artifact from memory without asking for a signature. [`Artifact::load`] is the safe way, which asks for a trusted
    /// signature. The artifact names the engine that it needs, which need not be `engine`.
    ///
    /// # Errors
    /// [`ArtifactError`], before any of its code is loaded, if it is damaged or its code would not run here.
    ///
    /// # Safety
    /// As [`Artifact::load_unsigned`].
    pub unsafe fn deserialize(_engine: &Engine, bytes: impl AsRef<[u8]>) -> Result<Component, ArtifactError> {
        let artifact = Artifact::open(bytes.as_ref())?;
        // SAFETY: the caller's promise.
        unsafe { artifact.load_unsigned() }
    }

    /// As [`Component::deserialize`], out of a file. [`ArtifactFile::load`] is the safe way.
    ///
    /// # Errors
    /// As [`Component::deserialize`]; [`ArtifactError::Read`].
    ///
    /// # Safety
    /// As [`Artifact::load_unsigned`].
    pub unsafe fn deserialize_file(
        _engine: &Engine,
        path: impl AsRef<Path>,
    ) -> Result<Component, ArtifactError> {
        let artifact = ArtifactFile::open(path.as_ref())?.verify()?;
        // SAFETY: the caller's promise.
        unsafe { artifact.load_unsigned() }
    }
}

/// Checks that the signature, if there is one, matches the header.
pub(super) fn check_signature(parts: &Parts) -> Result<(), ArtifactError> {
    match &parts.signature {
        Some((key, signature)) if !key.has_signed(&parts.header_bytes, signature) => {
            Err(ArtifactError::Signature)
        }
        _ => Ok(()),
    }
}

/// Checks every byte before the header: each is in a section whose digest matches, or a zero between two sections.
pub(super) fn check_contents(source: &Source<'_>, parts: &Parts) -> Result<(), ArtifactError> {
    let lead = lead(parts.sections.first().map(|(kind, _)| *kind));
    let mut end = lead.len() as u64;
    if *source.read(0..end).map_err(ArtifactError::Changed)? != *lead {
        return Err(ArtifactError::Header(
            "the file does not begin with an artifact's magic bytes".into(),
        ));
    }
    for ((kind, range), section) in parts.sections.iter().zip(&parts.header.sections) {
        let mut zeros = true;
        let between = source.pieces(end..range.start, |piece| {
            zeros = zeros && piece.iter().all(|byte| *byte == 0);
            zeros
        });
        between.map_err(ArtifactError::Changed)?;
        if !zeros {
            return Err(ArtifactError::Header(
                "the padding between two sections is not zero".into(),
            ));
        }
        let mut hasher = blake3::Hasher::new();
        let hashed = source.pieces(range.clone(), |piece| {
            hasher.update(piece);
            true
        });
        hashed.map_err(ArtifactError::Changed)?;
        // Hashes are compared in constant time.
        if hasher.finalize() != blake3::Hash::from_bytes(section.digest) {
            return Err(ArtifactError::Digest {
                section: kind.name().to_owned(),
            });
        }
        end = range.end;
    }
    Ok(())
}

/// Loads the component of an artifact that this process compiled.
///
/// # Errors
/// [`ArtifactError`], before any of its code is loaded.
pub(super) fn load_own(file: &[u8]) -> Result<Component, ArtifactError> {
    // Nothing can have changed the bytes, so their digests are not computed again.
    let parts = parts(file, file.len() as u64)?;
    let artifact = Artifact::verified(Source::Memory(Cow::Borrowed(file)), parts);
    // SAFETY: this process made it with `compile`.
    unsafe { artifact.load_unsigned() }
}

/// Loads the component of an artifact from this user's cache, which has verified the file.
///
/// # Errors
/// [`ArtifactError`], before any of its code is loaded.
pub(super) fn load_cached(file: ArtifactFile) -> Result<Component, ArtifactError> {
    let artifact = file.is_verified();
    // SAFETY: this user's processes made it with `compile` and put it in the cache, which returns only what was
    // authenticated with a key that only this user can read. A holder of that key acts as this user anyway.
    unsafe { artifact.load_unsigned() }
}
