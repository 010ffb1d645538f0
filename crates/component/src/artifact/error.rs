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
    #[error("this is not an artifact of airssys-wasm: {0}")]
    NotArtifact(&'static str),
    /// The artifact has another format version.
    #[error(
        "the artifact has format {found}, and this build reads format {expected}: {}",
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
        "the artifact is cut off, or more follows it: of {length} bytes, {what} is not where it should be"
    )]
    Truncated {
        /// The part that is missing or incomplete.
        what: &'static str,
        /// Length of the file, in bytes.
        length: u64,
    },
    /// The file cannot be read any more, or has changed since it was opened.
    #[error("the artifact has changed, or cannot be read any more: {0}")]
    Changed(std::io::Error),
    /// The header is malformed.
    #[error("the artifact's header is malformed: {0}")]
    Header(String),
    /// The header, or what follows it at the end of the file, has been altered.
    #[error(
        "the artifact's header has been altered: its digest is another; \
         make the artifact anew, with `airssys-wasm compile -o ARTIFACT COMPONENT`"
    )]
    HeaderDigest,
    /// The file has bytes that its header does not account for.
    #[error("the artifact has {0} bytes that its header does not know of")]
    Trailing(u64),
    /// A section has been altered since the header was written.
    #[error("the artifact's section `{section}` has been altered: its digest is another")]
    Digest {
        /// The section's name.
        section: String,
    },
    /// It was compiled by another version of this library or of its engine.
    #[error("the artifact was compiled by {found}, and this is {expected}: compile the component again")]
    Version {
        /// The artifact's versions.
        found: String,
        /// This build's versions.
        expected: String,
    },
    /// It was compiled for another kind of machine.
    #[error("the artifact is for {found}, and this host is {expected}")]
    Target {
        /// The artifact's target triple.
        found: String,
        /// The host's.
        expected: String,
    },
    /// The processor lacks features that the code uses.
    #[error("the artifact needs a processor with {}, which this one lacks", .0.join(", "))]
    Cpu(Vec<String>),
    /// The artifact was compiled with other engine settings.
    #[error(
        "the artifact was compiled with other engine settings ({found}; here {expected}): compile it again"
    )]
    Tunables {
        /// The artifact's settings.
        found: String,
        /// This build's settings.
        expected: String,
    },
    /// The artifact is not signed.
    #[error("the artifact is not signed: sign it, or allow what is unsigned")]
    Unsigned,
    /// Its signer is not trusted.
    #[error("the artifact is signed by {0}, which is not trusted here")]
    UnknownSigner(String),
    /// The signature does not match the header.
    #[error(
        "the artifact's signature does not fit: the header has been altered, or the signature is another's"
    )]
    Signature,
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
            "make the artifact anew, with `airssys-wasm compile -o ARTIFACT COMPONENT` \
             (with `--sign KEYFILE` if it was signed)"
        }
        false => "load it with a newer airssys-wasm, or compile the component with this one",
    }
}
