//! Why an artifact does not load.

use crate::error::Error;

/// Why an artifact is not loaded. All of these are found before any of its code is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// The file cannot be read.
    #[error("`{}` cannot be read: {source}", path.display())]
    Read {
        /// Which file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The bytes begin like something else.
    #[error("this is not an artifact of airssys-wasm: {0}")]
    NotArtifact(&'static str),
    /// The file's form is another.
    #[error(
        "the artifact has format {found}, and this build reads format {expected}: {}",
        another_format(*.found, *.expected)
    )]
    Format {
        /// The file's.
        found: u32,
        /// This build's.
        expected: u32,
    },
    /// Bytes are missing.
    #[error(
        "the artifact is cut off, or more follows it: of {length} bytes, {what} is not where it should be"
    )]
    Truncated {
        /// What is not all there.
        what: &'static str,
        /// What there is.
        length: u64,
    },
    /// The file cannot be read any more, or is not what it was when it was opened.
    #[error("the artifact has changed, or cannot be read any more: {0}")]
    Changed(std::io::Error),
    /// The header is not as it should be.
    #[error("the artifact's header is malformed: {0}")]
    Header(String),
    /// The header, or what stands beside it at the end of the file, is not what was written.
    #[error(
        "the artifact's header has been altered: its digest is another; \
         make the artifact anew, with `airssys-wasm compile -o ARTIFACT COMPONENT`"
    )]
    HeaderDigest,
    /// There is more than the header says.
    #[error("the artifact has {0} bytes that its header does not know of")]
    Trailing(u64),
    /// A section is not what it was when the header was written.
    #[error("the artifact's section `{section}` has been altered: its digest is another")]
    Digest {
        /// Its name.
        section: String,
    },
    /// It was compiled by another version of this library or of its engine.
    #[error("the artifact was compiled by {found}, and this is {expected}: compile the component again")]
    Version {
        /// Its versions.
        found: String,
        /// Ours.
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
    /// The processor lacks what the code uses.
    #[error("the artifact needs a processor with {}, which this one lacks", .0.join(", "))]
    Cpu(Vec<String>),
    /// The engine was set up otherwise.
    #[error(
        "the artifact was compiled with other engine settings ({found}; here {expected}): compile it again"
    )]
    Tunables {
        /// The artifact's.
        found: String,
        /// This build's.
        expected: String,
    },
    /// Nobody has signed it.
    #[error("the artifact is not signed: sign it, or allow what is unsigned")]
    Unsigned,
    /// Its signer is not trusted.
    #[error("the artifact is signed by {0}, which is not trusted here")]
    UnknownSigner(String),
    /// The signature is not that of the header.
    #[error(
        "the artifact's signature does not fit: the header has been altered, or the signature is another's"
    )]
    Signature,
    /// The contents cannot be read although their digests are right.
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
