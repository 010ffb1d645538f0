//! Manifests in files, components and artifacts.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::read::MAX_MANIFEST_BYTES;
use super::{ComponentManifest, ManifestError, section};
use crate::artifact::{Artifact, ArtifactFile};
use crate::load::{Loader, Source};

/// The name of a manifest's file, and of the custom section that holds a manifest.
pub const FILE_NAME: &str = "component.toml";

impl ComponentManifest {
    /// Reads a manifest from a file of any name.
    ///
    /// # Errors
    /// [`ManifestError::Read`], [`ManifestError::TooLarge`], [`ManifestError::NotText`], [`ManifestError::Invalid`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<ComponentManifest, ManifestError> {
        let path = path.as_ref();
        let unreadable = |source| ManifestError::Read {
            path: path.to_owned(),
            source,
        };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        let limit = MAX_MANIFEST_BYTES as u64 + 1;
        file.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
        from_bytes(&bytes).map_err(|error| error.of(path.to_owned()))
    }

    /// Reads the manifest of a component, core module or artifact: the one inside, or [`FILE_NAME`] in the same folder.
    ///
    /// If there are both, they must have the same meaning; comments and layout may differ. An artifact is verified, but
    /// need not be trusted, as with [`Loader::verify`](crate::load::Loader::verify).
    ///
    /// # Errors
    /// [`ManifestError`]; [`ManifestError::Missing`] if there is none, [`ManifestError::Differs`] if the two differ.
    pub fn from_wasm_file(path: impl AsRef<Path>) -> Result<ComponentManifest, ManifestError> {
        let path = path.as_ref();
        let unreadable = |error| ManifestError::Load(Box::new(error));
        let source = Source::open(path).map_err(unreadable)?;
        ComponentManifest::from_source(&source)?.ok_or_else(|| ManifestError::Missing(path.to_owned()))
    }

    /// Reads the manifest of a source, as [`ComponentManifest::from_wasm_file`] does; `None` if there is none. A source
    /// of bytes has no folder.
    ///
    /// # Errors
    /// [`ManifestError`]; [`ManifestError::Differs`] if the manifest inside and the one beside it differ.
    pub fn from_source(source: &Source<'_>) -> Result<Option<ComponentManifest>, ManifestError> {
        ComponentManifest::of(source, |file| {
            let verified = file.verify();
            verified.map_err(|error| ManifestError::Artifact(Box::new(error)))
        })
    }

    /// Reads the manifest of a source as [`ComponentManifest::from_source`] does, and verifies an artifact by the records of
    /// `loader`.
    ///
    /// # Errors
    /// The errors of [`ComponentManifest::from_source`].
    pub fn from_loader(
        loader: &Loader,
        source: &Source<'_>,
    ) -> Result<Option<ComponentManifest>, ManifestError> {
        ComponentManifest::of(source, |_| {
            let verified = loader.verify(source);
            verified.map_err(|error| ManifestError::Load(Box::new(error)))
        })
    }

    fn of<'a>(
        source: &'a Source<'_>,
        verify: impl FnOnce(&'a ArtifactFile) -> Result<Artifact<'a>, ManifestError>,
    ) -> Result<Option<ComponentManifest>, ManifestError> {
        let damaged = |error| ManifestError::Artifact(Box::new(error));
        let inside = match (source.artifact_file(), source.bytes()) {
            (Some(file), _) => ComponentManifest::from_artifact(&verify(file)?),
            (None, Some(bytes)) if crate::artifact::is_artifact(bytes) => {
                ComponentManifest::from_artifact(&Artifact::open(bytes).map_err(damaged)?)
            }
            (None, bytes) => ComponentManifest::from_component(bytes.unwrap_or_default()),
        };
        let Some(path) = source.path() else {
            return inside;
        };
        let inside = inside.map_err(|error| error.of(path.to_owned()))?;
        let Some(beside) = beside(path)? else {
            return Ok(inside);
        };
        let other = ComponentManifest::from_file(&beside)?;
        match inside {
            None => Ok(Some(other)),
            Some(inside) => inside.agreed(path, &other, &beside).map(Some),
        }
    }

    /// Reads the manifest inside a component or core module: its custom section [`FILE_NAME`]. `None` if it has none.
    ///
    /// # Errors
    /// [`ManifestError::Damaged`], [`ManifestError::Twice`], and the errors of [`ComponentManifest::from_toml`].
    pub fn from_component(bytes: &[u8]) -> Result<Option<ComponentManifest>, ManifestError> {
        match section::find(bytes)?.as_slice() {
            [] => Ok(None),
            [found] => from_bytes(&bytes[found.text.clone()]).map(Some),
            _ => Err(ManifestError::Twice),
        }
    }

    /// Reads the manifest in the signed part of an artifact. `None` if it has none.
    ///
    /// # Errors
    /// [`ManifestError::Artifact`], and the errors of [`ComponentManifest::from_toml`].
    pub fn from_artifact(artifact: &Artifact<'_>) -> Result<Option<ComponentManifest>, ManifestError> {
        let bytes = artifact.manifest();
        let bytes = bytes.map_err(|error| ManifestError::Artifact(Box::new(error)))?;
        bytes.map(|bytes| from_bytes(&bytes)).transpose()
    }

    /// Returns a component or core module with this manifest inside, in the form of [`ComponentManifest::to_toml`]. A
    /// manifest that is already there is replaced; the rest does not change.
    ///
    /// # Errors
    /// [`ManifestError::Damaged`] for other bytes; [`ManifestError::TooLarge`].
    pub fn embed(&self, component: &[u8]) -> Result<Vec<u8>, ManifestError> {
        let text = self.to_toml();
        match text.len() > MAX_MANIFEST_BYTES {
            true => Err(ManifestError::TooLarge(None)),
            false => section::embed(component, &text),
        }
    }

    /// Returns the manifest as TOML, with the same meaning and without comments.
    pub fn to_toml(&self) -> String {
        // Every value is a string, a list of strings or a table.
        toml::to_string(self).unwrap_or_default()
    }

    /// Returns this manifest, from inside `component`, if `other` has the same meaning.
    ///
    /// # Errors
    /// [`ManifestError::Differs`], with the sections.
    pub fn agreed(
        self,
        component: &Path,
        other: &ComponentManifest,
        from: &Path,
    ) -> Result<ComponentManifest, ManifestError> {
        let same = [
            ("[component]", self.component == other.component),
            (
                "[wit-dependencies]",
                self.wit_dependencies == other.wit_dependencies,
            ),
            ("[multicodec]", self.multicodec == other.multicodec),
            ("[capabilities]", self.capabilities == other.capabilities),
            ("[metadata]", self.metadata == other.metadata),
            // As text, since no NaN equals itself.
            (
                "[extensions]",
                toml::to_string(&self.extensions) == toml::to_string(&other.extensions),
            ),
        ];
        let sections: Vec<_> = same
            .iter()
            .filter(|(_, same)| !same)
            .map(|(name, _)| *name)
            .collect();
        match sections.is_empty() {
            true => Ok(self),
            false => Err(ManifestError::Differs {
                component: component.to_owned(),
                other: from.to_owned(),
                sections,
            }),
        }
    }
}

impl FromStr for ComponentManifest {
    type Err = ManifestError;

    fn from_str(text: &str) -> Result<ComponentManifest, ManifestError> {
        ComponentManifest::from_toml(text)
    }
}

/// Returns the manifest in the folder of `path`, if there is one.
fn beside(path: &Path) -> Result<Option<PathBuf>, ManifestError> {
    let beside = path.with_file_name(FILE_NAME);
    let unreadable = |source| ManifestError::Read {
        path: beside.clone(),
        source,
    };
    match fs::metadata(&beside) {
        Ok(found) if found.is_file() => Ok(Some(beside)),
        // A pipe could block for ever.
        Ok(_) => Err(unreadable(std::io::Error::other("it is not a regular file"))),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(unreadable(error)),
    }
}

fn from_bytes(bytes: &[u8]) -> Result<ComponentManifest, ManifestError> {
    if bytes.len() > MAX_MANIFEST_BYTES {
        return Err(ManifestError::TooLarge(None));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => ComponentManifest::from_toml(text),
        Err(error) => Err(ManifestError::NotText {
            origin: None,
            valid_up_to: error.valid_up_to(),
        }),
    }
}
