//! Sources of components: a file or bytes, of which the format is determined once.

use std::borrow::Cow;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::artifact::{self, ArtifactError, ArtifactFile};
use crate::component;
use crate::load::LoadError;

/// A file or bytes that a component is loaded from. A file is opened and read once.
///
/// ```no_run
/// use airssys_wasm::load::{Format, Source};
///
/// # fn main() -> Result<(), airssys_wasm::load::LoadError> {
/// let source = Source::open("counter.wasm")?;
/// assert_eq!(source.format(), Format::Component);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Source<'a> {
    path: Option<PathBuf>,
    format: Format,
    content: Content<'a>,
}

#[derive(Debug)]
enum Content<'a> {
    /// An artifact in a file, whose code is mapped from there.
    File(Box<ArtifactFile>),
    Bytes(Cow<'a, [u8]>),
}

/// Formats of sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// A component that was compiled ahead of time.
    Artifact,
    /// A component. Also bytes of no known format, which are refused when they are compiled.
    Component,
    /// A core module.
    CoreModule,
    /// A core module that was built with the WAI tools. Without the feature `wai` it is a [`Format::CoreModule`].
    Wai,
}

impl Source<'static> {
    /// Opens a file, and determines its format. Reads the header of an artifact, and all of any other file that begins like
    /// WebAssembly, up to the size that a component may have. The file may be a pipe, except for an artifact.
    ///
    /// # Errors
    /// [`LoadError::Read`]; [`LoadError::Artifact`] for an artifact whose header is damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<Source<'static>, LoadError> {
        let path = path.as_ref();
        let unreadable = |source| LoadError::Read {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(unreadable)?;
        if artifact::is_artifact_file(&file).map_err(unreadable)? {
            return Source::artifact(path, ArtifactFile::with(path, file));
        }
        let source = Source::from(component::read_from(file).map_err(unreadable)?);
        Ok(Source {
            path: Some(path.to_owned()),
            ..source
        })
    }

    /// Opens a file that must be an artifact.
    ///
    /// # Errors
    /// [`LoadError::Artifact`] for a file that cannot be read, is not an artifact, or has a damaged header.
    pub fn open_artifact(path: impl AsRef<Path>) -> Result<Source<'static>, LoadError> {
        let path = path.as_ref();
        Source::artifact(path, ArtifactFile::open(path))
    }

    fn artifact(
        path: &Path,
        opened: Result<ArtifactFile, ArtifactError>,
    ) -> Result<Source<'static>, LoadError> {
        let path = path.to_owned();
        match opened {
            Ok(file) => Ok(Source {
                path: Some(path),
                format: Format::Artifact,
                content: Content::File(Box::new(file)),
            }),
            Err(source) => Err(LoadError::Artifact { path, source }),
        }
    }
}

impl<'a> Source<'a> {
    /// Returns the file's path; `None` for bytes.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Returns the format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Returns the bytes; `None` for an artifact in a file, which is not read as a whole.
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.content {
            Content::File(_) => None,
            Content::Bytes(bytes) => Some(bytes),
        }
    }

    /// Returns the artifact in a file; `None` for every other source.
    pub fn artifact_file(&self) -> Option<&ArtifactFile> {
        match &self.content {
            Content::File(file) => Some(file),
            Content::Bytes(_) => None,
        }
    }
}

impl<'a> From<Cow<'a, [u8]>> for Source<'a> {
    fn from(bytes: Cow<'a, [u8]>) -> Source<'a> {
        Source {
            path: None,
            format: Format::of(&bytes),
            content: Content::Bytes(bytes),
        }
    }
}

impl<'a> From<&'a [u8]> for Source<'a> {
    fn from(bytes: &'a [u8]) -> Source<'a> {
        Cow::Borrowed(bytes).into()
    }
}

impl From<Vec<u8>> for Source<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Cow::<[u8]>::Owned(bytes).into()
    }
}

impl Format {
    /// Determines the format of a whole file.
    fn of(bytes: &[u8]) -> Format {
        if artifact::is_artifact(bytes) {
            return Format::Artifact;
        }
        #[cfg(feature = "wai")]
        if crate::wai::is_wai_module(bytes) {
            return Format::Wai;
        }
        match bytes.starts_with(b"\0asm\x01\0\0\0") {
            true => Format::CoreModule,
            false => Format::Component,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_determined_by_the_first_bytes() {
        let check = |bytes: &[u8], format| assert_eq!(Source::from(bytes).format(), format, "{bytes:?}");
        check(b"\0asm\x0d\0\x01\0", Format::Component);
        check(b"\0asm\x01\0\0\0", Format::CoreModule);
        check(b"\xa1airwasm", Format::Artifact);
        check(b"", Format::Component);
        check(b"(component)", Format::Component);
    }

    #[test]
    fn a_missing_file_is_named() {
        let missing = Source::open("no-such.wasm");
        assert!(
            matches!(&missing, Err(LoadError::Read { path, .. }) if path == Path::new("no-such.wasm")),
            "{missing:?}"
        );
        let folder = Source::open(env!("CARGO_MANIFEST_DIR"));
        assert!(matches!(folder, Err(LoadError::Read { .. })), "{folder:?}");
    }
}
