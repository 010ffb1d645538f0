//! The file: what is where, and what it says about itself.

use borsh::{BorshDeserialize, BorshSerialize};
use std::ops::Range;

use super::error::ArtifactError;
use super::key::{PublicKey, Signature};
use crate::engine::{Backend, CORE_FEATURES, Engine, Machine, tunables};

/// How the file begins.
pub(super) const MAGIC: [u8; 8] = *b"\xa1airwasm";

/// The form that this build writes and reads.
pub(super) const FORMAT: u32 = 1;

/// Magic, format, length of the header.
const PREFIX: usize = 16;

/// A flag, a public key, a signature.
const SIGNATURE: usize = 1 + 32 + 64;

/// Bytes that a header may have. Stops a length that is made up.
const MAX_HEADER: usize = 1 << 20;

/// Bytes that the content of sections is aligned to.
const ALIGN: usize = 64;

/// What an artifact says about itself.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[non_exhaustive]
pub struct Header {
    /// The version of this library that wrote it.
    pub version: String,
    /// The version of the engine.
    pub engine: String,
    /// The compiler: `cranelift`, `llvm`, `singlepass`.
    pub backend: String,
    /// The target triple that it is compiled for.
    pub target: String,
    /// The processor's features that the code may use, sorted.
    pub cpu: Vec<String>,
    /// Engine settings that the code depends on.
    pub tunables: String,
    /// The compiler's options. They decide what the code is, not where it runs.
    pub options: String,
    /// The features of core WebAssembly that it was compiled with.
    pub features: String,
    /// The BLAKE3 digest of the component.
    pub component: [u8; 32],
    /// Bytes of the component.
    pub component_bytes: u64,
    pub(super) sections: Vec<Section>,
}

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) enum Kind {
    /// Types, initializers, trampolines.
    Translated,
    /// The native code of a core module; they come in order.
    Code,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Translated => "translated",
            Kind::Code => "code",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Section {
    pub(super) kind: Kind,
    pub(super) bytes: u64,
    pub(super) digest: [u8; 32],
}

/// Whether bytes begin as an artifact does.
pub fn is_artifact(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

impl Header {
    /// Of a component that `engine` compiled.
    pub(super) fn new(engine: &Engine, component: &[u8], sections: Vec<Section>) -> Header {
        let target = engine.target();
        Header {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            engine: Backend::wasmer_version().to_owned(),
            backend: engine.backend().name().to_owned(),
            target: target.triple(),
            cpu: target.features().map(str::to_owned).collect(),
            tunables: tunables(engine.backend()),
            options: engine.options(),
            features: CORE_FEATURES.to_owned(),
            component: *blake3::hash(component).as_bytes(),
            component_bytes: component.len() as u64,
            sections,
        }
    }

    /// Whether the code would run here.
    ///
    /// # Errors
    /// The first thing that stands against it.
    pub fn check_host(&self) -> Result<Backend, ArtifactError> {
        let versions = |library: &str, engine: &str| format!("airssys-wasm {library} with wasmer {engine}");
        let (version, engine) = (env!("CARGO_PKG_VERSION"), Backend::wasmer_version());
        if self.version != version || self.engine != engine {
            return Err(ArtifactError::Version {
                found: versions(&self.version, &self.engine),
                expected: versions(version, engine),
            });
        }
        let backend: Backend = self
            .backend
            .parse()
            .map_err(|error| ArtifactError::Header(format!("{error}")))?;
        let host = Machine::host();
        if self.target != host.triple {
            return Err(ArtifactError::Target {
                found: self.target.clone(),
                expected: host.triple,
            });
        }
        let lacking: Vec<String> = self
            .cpu
            .iter()
            .filter(|feature| !host.features.contains(feature))
            .cloned()
            .collect();
        if !lacking.is_empty() {
            return Err(ArtifactError::Cpu(lacking));
        }
        let expected = tunables(backend);
        if self.tunables != expected {
            return Err(ArtifactError::Tunables {
                found: self.tunables.clone(),
                expected,
            });
        }
        Ok(backend)
    }
}

fn aligned(at: usize) -> usize {
    at.next_multiple_of(ALIGN)
}

/// The file.
pub(super) fn assemble(
    header: &[u8],
    signature: Option<(PublicKey, Signature)>,
    sections: &[&[u8]],
) -> Vec<u8> {
    let mut file = MAGIC.to_vec();
    file.extend(FORMAT.to_le_bytes());
    file.extend(u32::try_from(header.len()).unwrap_or(u32::MAX).to_le_bytes());
    file.extend(header);
    match signature {
        Some((key, signature)) => {
            file.push(1);
            file.extend(key.to_bytes());
            file.extend(signature.to_bytes());
        }
        None => file.extend([0; SIGNATURE]),
    }
    for section in sections {
        file.resize(aligned(file.len()), 0);
        file.extend(*section);
    }
    file
}

/// A file whose parts are found and nothing more.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) header: Header,
    pub(super) header_bytes: &'a [u8],
    pub(super) signature: Option<(PublicKey, Signature)>,
    pub(super) sections: Vec<(Kind, Range<usize>)>,
}

/// Finds the parts of a file: every byte of it is one of theirs, or a zero between them.
pub(super) fn parts(file: &[u8]) -> Result<Parts<'_>, ArtifactError> {
    if !is_artifact(file) {
        return Err(ArtifactError::NotArtifact(other(file)));
    }
    let truncated = |what, end: usize| ArtifactError::Truncated {
        what,
        end: end as u64,
        length: file.len() as u64,
    };
    let number = |at: usize| -> Result<u32, ArtifactError> {
        let bytes = file.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes
            .map(u32::from_le_bytes)
            .ok_or_else(|| truncated("the header", PREFIX))
    };
    let found = number(8)?;
    if found != FORMAT {
        return Err(ArtifactError::Format {
            found,
            expected: FORMAT,
        });
    }
    let length = number(12)? as usize;
    if length > MAX_HEADER {
        return Err(ArtifactError::Header(format!(
            "it has {length} bytes, of {MAX_HEADER} at most"
        )));
    }
    let signed = PREFIX + length;
    let header_bytes = file
        .get(PREFIX..signed)
        .ok_or_else(|| truncated("the header", signed))?;
    let header: Header =
        borsh::from_slice(header_bytes).map_err(|error| ArtifactError::Header(error.to_string()))?;
    let mut at = signed + SIGNATURE;
    let signature = file
        .get(signed..at)
        .ok_or_else(|| truncated("the signature", at))?;
    let signature = read_signature(signature)?;

    let mut sections = Vec::new();
    for section in &header.sections {
        let start = aligned(at);
        let end = usize::try_from(section.bytes)
            .ok()
            .and_then(|bytes| start.checked_add(bytes));
        let end = end.ok_or_else(|| ArtifactError::Header("a section is longer than memory".into()))?;
        let between = file.get(at..start).ok_or_else(|| truncated("a section", end))?;
        if between.iter().any(|byte| *byte != 0) {
            return Err(ArtifactError::Header(
                "there is something between two sections".into(),
            ));
        }
        if file.len() < end {
            return Err(truncated("a section", end));
        }
        sections.push((section.kind, start..end));
        at = end;
    }
    if file.len() > at {
        return Err(ArtifactError::Trailing((file.len() - at) as u64));
    }
    Ok(Parts {
        header,
        header_bytes,
        signature,
        sections,
    })
}

fn read_signature(bytes: &[u8]) -> Result<Option<(PublicKey, Signature)>, ArtifactError> {
    let malformed = || ArtifactError::Header("the signature is malformed".into());
    match bytes.split_first() {
        Some((0, rest)) if rest.iter().all(|byte| *byte == 0) => Ok(None),
        Some((1, rest)) => {
            let (key, signature) = rest.split_at_checked(32).ok_or_else(malformed)?;
            let key = PublicKey::from_bytes(key).map_err(|_| malformed())?;
            let signature = Signature::from_slice(signature).map_err(|_| malformed())?;
            Ok(Some((key, signature)))
        }
        _ => Err(malformed()),
    }
}

/// What bytes that are no artifact begin like.
fn other(file: &[u8]) -> &'static str {
    let marker = b".wasmtime.engine";
    match file {
        [] => "it is empty",
        _ if file.starts_with(b"\0asm") => "it is WebAssembly, which has to be compiled first",
        _ if file.starts_with(b"\x7fELF") && file.windows(marker.len()).any(|window| window == marker) => {
            "it is an artifact of wasmtime"
        }
        _ if file.starts_with(b"\x7fELF") => "it is an ELF file",
        _ if file.starts_with(b"wasmer-universal") => "it is an artifact of wasmer",
        _ => "it does not begin as one",
    }
}
