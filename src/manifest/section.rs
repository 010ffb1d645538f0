//! The custom section `component.toml` of a component or core module.
//!
//! Only the outermost sections are walked, so neither the sections of nested components nor their contents matter:
//! `docs/manifest.md` has the layout.

use std::ops::Range;

use super::FILE_NAME;
use super::error::ManifestError;

/// Bytes of magic number, version and layer.
const PREAMBLE: usize = 8;

/// Identifies custom sections.
const CUSTOM: u8 = 0;

/// A manifest's section: the whole, and the manifest in it.
pub(super) struct Found {
    section: Range<usize>,
    pub(super) text: Range<usize>,
}

/// Returns the sections `component.toml` of a component or core module.
pub(super) fn find(bytes: &[u8]) -> Result<Vec<Found>, ManifestError> {
    if !bytes.starts_with(b"\0asm") || bytes.len() < PREAMBLE {
        return Err(ManifestError::Damaged("they are not WebAssembly"));
    }
    let mut found = Vec::new();
    let mut at = PREAMBLE;
    while let Some(id) = bytes.get(at) {
        let start = at;
        at += 1;
        let size = number(bytes, &mut at)?;
        let end = at.checked_add(size).filter(|end| *end <= bytes.len());
        let end = end.ok_or(ManifestError::Damaged("one ends behind the end of the file"))?;
        if *id == CUSTOM {
            let section = &bytes[..end];
            let name_size = number(section, &mut at)?;
            let name_end = at.checked_add(name_size).filter(|name_end| *name_end <= end);
            let name_end = name_end.ok_or(ManifestError::Damaged("a name ends behind its section"))?;
            if &bytes[at..name_end] == FILE_NAME.as_bytes() {
                let (section, text) = (start..end, name_end..end);
                found.push(Found { section, text });
            }
        }
        at = end;
    }
    Ok(found)
}

/// Returns the bytes with this manifest as their only one.
pub(super) fn embed(bytes: &[u8], text: &str) -> Result<Vec<u8>, ManifestError> {
    let mut out = Vec::with_capacity(bytes.len() + text.len() + 32);
    let mut kept = 0;
    for found in find(bytes)? {
        out.extend_from_slice(&bytes[kept..found.section.start]);
        kept = found.section.end;
    }
    out.extend_from_slice(&bytes[kept..]);
    let mut name = Vec::new();
    write(&mut name, FILE_NAME.len());
    name.extend_from_slice(FILE_NAME.as_bytes());
    out.push(CUSTOM);
    write(&mut out, name.len() + text.len());
    out.extend_from_slice(&name);
    out.extend_from_slice(text.as_bytes());
    Ok(out)
}

/// Reads an unsigned LEB128 number of at most 32 bits.
fn number(bytes: &[u8], at: &mut usize) -> Result<usize, ManifestError> {
    let mut value = 0u64;
    for shift in [0, 7, 14, 21, 28] {
        let byte = *bytes
            .get(*at)
            .ok_or(ManifestError::Damaged("the file ends within a size"))?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let value = u32::try_from(value).ok().and_then(|value| value.try_into().ok());
            return value.ok_or(ManifestError::Damaged("a size has more than 32 bits"));
        }
    }
    Err(ManifestError::Damaged("a size has more than 32 bits"))
}

fn write(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn embedding_again_replaces() {
        let with_name = [COMPONENT, b"\0\x05\x04name"].concat();
        for base in [COMPONENT, &with_name] {
            let once = embed(base, &"a".repeat(300)).expect("it embeds");
            let twice = embed(&once, "b").expect("it embeds");
            assert_eq!(twice, embed(base, "b").expect("it embeds"));
            let found = find(&twice).expect("it reads");
            assert_eq!(found.len(), 1);
            assert_eq!(&twice[found[0].text.clone()], b"b");
            assert!(twice.starts_with(base));
        }
    }

    #[test]
    fn damaged_sections_are_errors() {
        let whole = embed(COMPONENT, "text").expect("it embeds");
        for end in 0..whole.len() {
            let cut = find(&whole[..end]);
            assert!(cut.is_err() || end == COMPONENT.len(), "{end}");
        }
        for tail in [
            &b"\0\xff\xff\xff\xff\x7f"[..],
            b"\0\x80\x80\x80\x80\x80\x01",
            b"\0\x01\xff",
            b"\0\x02\x05a",
            b"\x01\x05",
        ] {
            let bytes = [COMPONENT, tail].concat();
            assert!(matches!(find(&bytes), Err(ManifestError::Damaged(_))), "{tail:?}");
        }
    }
}
