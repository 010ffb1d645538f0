//! File format of artifacts: the layout, and the header.

use borsh::{BorshDeserialize, BorshSerialize};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use super::error::ArtifactError;
use super::key::{PublicKey, Signature};
use super::sniff::other;

/// Last bytes of the file.
pub(super) const MAGIC: [u8; 8] = *b"\xa1airwasm";

/// The form that this build writes and reads.
pub(super) const FORMAT: u32 = 6;

/// Bytes of the digest of everything behind the sections.
const DIGEST: usize = 32;

/// Bytes of the footer: the digest, the length of the header, the format, the magic.
const FOOTER: usize = DIGEST + 16;

/// Bytes of the signature: a flag, a public key, the signature itself.
const SIGNATURE: usize = 1 + 32 + 64;

/// Maximum bytes of a header. Stops a forged length.
const MAX_HEADER: usize = 1 << 20;

/// Bytes that are read from a file's end at first: enough for all but the largest headers.
pub(super) const TAIL: usize = 8 << 10;

/// Bytes from the end that hold everything but the sections, whatever the header's length.
pub(super) const MAX_TAIL: usize = MAX_HEADER + SIGNATURE + FOOTER;

/// Bytes of an ELF file's identification that have no meaning: they hold our mark.
const MARK: Range<usize> = 9..16;

/// First bytes of a file that does not begin with an ELF image.
const LEAD: [u8; 64] = {
    let mut lead = [0; 64];
    let mut at = 0;
    while at < MAGIC.len() {
        lead[at] = MAGIC[at];
        at += 1;
    }
    lead
};

/// Returns the first bytes of a file with this first section; none if the section itself has the mark.
pub(super) fn lead(first: Option<Kind>) -> &'static [u8] {
    match first {
        Some(Kind::Code { elf: true, .. }) => &[],
        _ => &LEAD,
    }
}

/// Header of an artifact: the origin of its code, what the code needs of a host, and the sections.
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

/// Kind of a section's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) enum Kind {
    /// Types, initializers, trampolines.
    Translated,
    /// The native code of a core module: an ELF image, or the engine's own form.
    Code { module: u32, elf: bool },
    /// Initial content of a core module's memory, from `start` on.
    Image { module: u32, start: u64 },
    /// The component's metadata, in JSON.
    Metadata,
    /// The component's manifest.
    Manifest,
    /// Names of a core module and its functions, for the frames of traps.
    Names { module: u32 },
    /// Layout of a core module's ELF image, and what its instances need.
    Description { module: u32 },
    /// Record of a snapshot, which is in the images and descriptions.
    Snapshot,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Translated => "translated",
            Kind::Code { .. } => "code",
            Kind::Image { .. } => "image",
            Kind::Metadata => "metadata",
            Kind::Manifest => "manifest",
            Kind::Names { .. } => "names",
            Kind::Description { .. } => "description",
            Kind::Snapshot => "snapshot",
        }
    }

    /// Returns the alignment of the section, in bytes. Both kinds of images are mapped. Those of memories fit the pages of every host; those
    /// of code are many and small, and are copied where pages are larger.
    fn align(self) -> u64 {
        match self {
            Kind::Image { .. } => 64 << 10,
            Kind::Code { .. } => 4 << 10,
            _ => 64,
        }
    }

    /// Returns the alignment of the section that follows, in bytes. The gap is zeros, which are mapped too where a host's
    /// page extends beyond the section.
    fn align_behind(self) -> u64 {
        match self {
            Kind::Image { .. } => 64 << 10,
            _ => 1,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Section {
    pub(super) kind: Kind,
    pub(super) bytes: u64,
    pub(super) digest: [u8; 32],
}

/// Reports whether bytes are an artifact, or begin or end as one.
pub fn is_artifact(bytes: &[u8]) -> bool {
    bytes.ends_with(&MAGIC) || has_mark(bytes)
}

/// Reports whether a file is an artifact, or begins or ends as one. Reads its ends alone, and leaves it at its beginning.
/// False for what is not a regular file: bytes that are read from a pipe are gone from it.
///
/// # Errors
/// The error of reading the file.
pub fn is_artifact_file(mut file: &File) -> io::Result<bool> {
    const ENDS: u64 = 64;
    let about = file.metadata()?;
    if !about.is_file() {
        return Ok(false);
    }
    let mut ends = Vec::new();
    file.take(ENDS).read_to_end(&mut ends)?;
    if about.len() > ENDS {
        file.seek(SeekFrom::Start((about.len() - ENDS).max(ENDS)))?;
        file.take(ENDS).read_to_end(&mut ends)?;
    }
    file.rewind()?;
    Ok(is_artifact(&ends))
}

fn has_mark(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC) || (bytes.starts_with(b"\x7fELF") && bytes.get(MARK) == Some(&MAGIC[1..]))
}

/// Marks an ELF image as the beginning of an artifact, so that the file can be identified.
pub(super) fn mark(image: &mut [u8]) {
    if image.starts_with(b"\x7fELF")
        && let Some(place) = image.get_mut(MARK)
    {
        place.copy_from_slice(&MAGIC[1..]);
    }
}

/// Assembles the file.
pub(super) fn assemble(
    header: &[u8],
    signature: Option<(PublicKey, Signature)>,
    sections: &[(Kind, &[u8])],
) -> Vec<u8> {
    let mut file = lead(sections.first().map(|(kind, _)| *kind)).to_vec();
    let mut behind = 1;
    for (kind, section) in sections {
        let align = usize::try_from(kind.align()).unwrap_or(1);
        let align = align.max(usize::try_from(behind).unwrap_or(1));
        file.resize(file.len().next_multiple_of(align), 0);
        behind = kind.align_behind();
        file.extend(*section);
    }
    let behind = file.len();
    file.extend(header);
    match signature {
        Some((key, signature)) => {
            file.push(1);
            file.extend(key.to_bytes());
            file.extend(signature.to_bytes());
        }
        None => file.extend([0; SIGNATURE]),
    }
    let mut last = u32::try_from(header.len())
        .unwrap_or(u32::MAX)
        .to_le_bytes()
        .to_vec();
    last.extend(FORMAT.to_le_bytes());
    last.extend(MAGIC);
    let digest = digest_around(file.get(behind..).unwrap_or_default(), &last);
    file.extend(digest.as_bytes());
    file.extend(last);
    file
}

/// Returns the digest of `before`, which begins with the header, and `last`, the last bytes of the file. It stands
/// between them.
fn digest_around(before: &[u8], last: &[u8]) -> blake3::Hash {
    blake3::Hasher::new().update(before).update(last).finalize()
}

/// Parts of a file. The digest of everything behind the sections is checked; the sections' digests and the
/// signature are not yet.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) header: Header,
    pub(super) header_bytes: Vec<u8>,
    pub(super) signature: Option<(PublicKey, Signature)>,
    /// Range of each section in the file.
    pub(super) sections: Vec<(Kind, Range<u64>)>,
    /// BLAKE3 digest of everything behind the sections. The header has the sections' digests, so this one identifies the
    /// whole file.
    pub(super) digest: [u8; 32],
}

/// Finds the parts of a file of `length` bytes, of which `tail` are the last ones, and checks the digest of everything
/// behind the sections.
///
/// # Errors
/// [`ArtifactError`]; [`ArtifactError::Truncated`] too if `tail` has too little of the file, with fewer than
/// [`MAX_TAIL`] bytes.
pub(super) fn parts(tail: &[u8], length: u64) -> Result<Parts, ArtifactError> {
    let truncated = |what| ArtifactError::Truncated { what, length };
    let Some(footer) = tail.len().checked_sub(FOOTER).and_then(|at| tail.get(at..)) else {
        return Err(ArtifactError::NotArtifact(other(tail)));
    };
    if !footer.ends_with(&MAGIC) {
        // The beginning of the file identifies its format.
        let whole = u64::try_from(tail.len()) == Ok(length);
        return Err(match whole {
            true => unfinished(tail, length),
            false => ArtifactError::NotArtifact("it does not end with an artifact's footer"),
        });
    }
    let (digest, last) = footer
        .split_first_chunk::<DIGEST>()
        .ok_or_else(|| truncated("its end"))?;
    let number = |at: usize| {
        let bytes = last.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u32::from_le_bytes).ok_or_else(|| truncated("its end"))
    };
    let found = number(4)?;
    if found != FORMAT {
        return Err(ArtifactError::Format {
            found,
            expected: FORMAT,
        });
    }
    let header_length = number(0)? as usize;
    if header_length > MAX_HEADER {
        return Err(ArtifactError::Header(format!(
            "it has {header_length} bytes, more than the limit of {MAX_HEADER}"
        )));
    }
    let behind = header_length + SIGNATURE + FOOTER;
    let start = tail
        .len()
        .checked_sub(behind)
        .ok_or_else(|| truncated("its header"))?;
    let behind = tail.get(start..).unwrap_or_default();
    let (before, _) = behind
        .split_at_checked(header_length + SIGNATURE)
        .ok_or_else(|| truncated("its header"))?;
    // Hashes are compared in constant time.
    if digest_around(before, last) != blake3::Hash::from_bytes(*digest) {
        return Err(ArtifactError::HeaderDigest);
    }
    let (header_bytes, signature) = before
        .split_at_checked(header_length)
        .ok_or_else(|| truncated("its header"))?;
    let header: Header =
        borsh::from_slice(header_bytes).map_err(|error| ArtifactError::Header(error.to_string()))?;
    let signature = read_signature(signature)?;

    let mut sections = Vec::new();
    let mut at = lead(header.sections.first().map(|section| section.kind)).len() as u64;
    let mut apart = 1;
    for section in &header.sections {
        let too_long = || ArtifactError::Header(format!("its section `{}` is too long", section.kind.name()));
        let start = at
            .checked_next_multiple_of(section.kind.align().max(apart))
            .ok_or_else(too_long)?;
        at = start.checked_add(section.bytes).ok_or_else(too_long)?;
        sections.push((section.kind, start..at));
        apart = section.kind.align_behind();
    }
    if apart > 1 {
        return Err(ArtifactError::Header("the last section is a memory image".into()));
    }
    let end = length.saturating_sub(u64::try_from(behind.len()).unwrap_or(u64::MAX));
    if at > end {
        return Err(truncated("a section"));
    }
    if at < end {
        return Err(ArtifactError::Trailing(end - at));
    }
    Ok(Parts {
        digest: *blake3::hash(behind).as_bytes(),
        header,
        header_bytes: header_bytes.to_vec(),
        signature,
        sections,
    })
}

/// Returns the error for a file that does not end as an artifact, from its first bytes.
pub(super) fn unfinished(head: &[u8], length: u64) -> ArtifactError {
    match has_mark(head) {
        true => ArtifactError::Truncated {
            what: "its end",
            length,
        },
        false => ArtifactError::NotArtifact(other(head)),
    }
}

fn read_signature(bytes: &[u8]) -> Result<Option<(PublicKey, Signature)>, ArtifactError> {
    let malformed = || ArtifactError::Header("the signature is malformed".into());
    match bytes.split_first() {
        Some((0, rest)) if rest.iter().all(|byte| *byte == 0) => Ok(None),
        Some((1, rest)) => {
            let (key, signature) = rest.split_first_chunk::<32>().ok_or_else(malformed)?;
            let key = PublicKey::from_bytes(*key);
            let signature = Signature::from_slice(signature).map_err(|_| malformed())?;
            Ok(Some((key, signature)))
        }
        _ => Err(malformed()),
    }
}
