//! Errors of loading an artifact.

use crate::error::Error;

/// Reasons for which an artifact is not loaded. All of them are found before any of its code is loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// The file cannot be read.
    #[error("`{}` cannot be read: {source}", path.display())]
    Read {
        /// The file's path.
        path: std::path::PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The bytes are not an artifact.
    #[error("not an airssys-wasm artifact: {0}")]
    NotArtifact(&'static str),
    /// The artifact has another format version.
    #[error(
        "the artifact has format {found}, but this build reads format {expected}: {}",
        another_format(*.found, *.expected)
    )]
    Format {
        /// The artifact's format version.
        found: u32,
        /// This build's format version.
        expected: u32,
    },
    /// Bytes are missing.
    #[error(
        "the artifact is truncated or has trailing bytes: {what} is misplaced in a file of {length} bytes"
    )]
    Truncated {
        /// The part that is missing or incomplete.
        what: &'static str,
        /// Length of the file, in bytes.
        length: u64,
    },
    /// The file cannot be read any more, or has changed since it was opened.
    #[error("the artifact changed while in use, or became unreadable: {0}")]
    Changed(std::io::Error),
    /// The header is malformed.
    #[error("the artifact's header is malformed: {0}")]
    Header(String),
    /// The header, or what follows it at the end of the file, has been altered.
    #[error(
        "the artifact's header has been altered: its digest does not match; \
         recreate the artifact with `airssys-wasm compile -o ARTIFACT COMPONENT`"
    )]
    HeaderDigest,
    /// The file has bytes that its header does not account for.
    #[error("the artifact has {0} bytes that its header does not list")]
    Trailing(u64),
    /// A section has been altered since the header was written.
    #[error("the artifact's section `{section}` has been altered: its digest does not match")]
    Digest {
        /// The section's name.
        section: String,
    },
    /// It was compiled by another version of this library or of its engine.
    #[error("the artifact was compiled by {found}, but this is {expected}: recompile the component")]
    Version {
        /// The artifact's versions.
        found: String,
        /// This build's versions.
        expected: String,
    },
    /// It was compiled for another kind of machine.
    #[error("the artifact was compiled for {found}, but this host is {expected}")]
    Target {
        /// The artifact's target triple.
        found: String,
        /// The host's.
        expected: String,
    },
    /// The processor lacks features that the code uses.
    #[error("the artifact needs a processor with {}, which this host lacks", .0.join(", "))]
    Cpu(Vec<String>),
    /// The artifact was compiled with other engine settings.
    #[error(
        "the artifact was compiled with different engine settings ({found}; this engine has {expected}): recompile the component"
    )]
    Tunables {
        /// The artifact's settings.
        found: String,
        /// This build's settings.
        expected: String,
    },
    /// The artifact is not signed.
    #[error("the artifact is not signed: sign it, or allow unsigned artifacts")]
    Unsigned,
    /// Its signer is not trusted.
    #[error("the artifact is signed by {0}, which is not a trusted key")]
    UnknownSigner(String),
    /// The signature does not match the header.
    #[error(
        "the artifact's signature does not verify: the header has been altered, or the signature was made for another artifact"
    )]
    Signature,
    /// It is a snapshot, whose state instances cannot begin with on this system.
    #[error(
        "the artifact is a snapshot, which this system does not load: use the artifact that it was made from"
    )]
    NoSnapshots,
    /// The contents cannot be read although their digests match.
    #[error("the artifact cannot be loaded: {0}")]
    Contents(String),
    /// The component cannot be compiled.
    #[error(transparent)]
    Compile(#[from] Error),
}

fn another_format(found: u32, expected: u32) -> &'static str {
    match found < expected {
        true => {
            "recreate the artifact with `airssys-wasm compile -o ARTIFACT COMPONENT` \
             (with `--sign KEYFILE` if it was signed)"
        }
        false => "load it with a newer airssys-wasm, or compile the component with this one",
    }
}
