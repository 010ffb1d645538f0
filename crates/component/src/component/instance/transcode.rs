//! String transcoding between two components: the intrinsics that fused adapters call.
//!
//! Pointers are in bytes, lengths in code units. The adapter has checked alignment and bounds; both are
//! checked again here, since the numbers come from guest code.

use wasmer::StoreMut;

use crate::component::ir::Transcode;
use crate::engine::GuestMemory;
use crate::error::{Error, Result, TrapKind};

/// Marks a length as UTF-16 in the encoding latin1+utf16.
const UTF16_TAG: u32 = 1 << 31;

/// Returns the numbers of parameters and results, all of them 32-bit integers.
pub(crate) fn signature(op: Transcode) -> (usize, usize) {
    match op {
        Transcode::CopyUtf8 | Transcode::CopyUtf16 | Transcode::CopyLatin1 | Transcode::Latin1ToUtf16 => {
            (3, 0)
        }
        Transcode::Utf8ToUtf16 | Transcode::Utf16ToCompactProbablyUtf16 => (3, 1),
        Transcode::Utf16ToUtf8 | Transcode::Latin1ToUtf8 => (5, 2),
        Transcode::Utf8ToLatin1 | Transcode::Utf16ToLatin1 => (3, 2),
        Transcode::Utf8ToCompactUtf16 | Transcode::Utf16ToCompactUtf16 => (5, 1),
    }
}

/// Runs one transcoding.
pub(crate) fn run(
    op: Transcode,
    from: &GuestMemory,
    to: &GuestMemory,
    store: &mut StoreMut<'_>,
    args: &[u32],
) -> Result<Vec<u32>> {
    let &[src, len, dst, ref rest @ ..] = args else {
        return Err(Error::bug("a transcoder called with too few arguments"));
    };
    let wide_source = matches!(
        op,
        Transcode::CopyUtf16
            | Transcode::Utf16ToUtf8
            | Transcode::Utf16ToLatin1
            | Transcode::Utf16ToCompactUtf16
            | Transcode::Utf16ToCompactProbablyUtf16
    );
    let source = region(from.data(store), src, len, if wide_source { 2 } else { 1 })?.to_vec();
    let memory = to.data_mut(store);
    match op {
        Transcode::CopyLatin1 => {
            region_mut(memory, dst, len, 1)?.copy_from_slice(&source);
            Ok(vec![])
        }
        Transcode::CopyUtf8 => {
            utf8(&source)?;
            region_mut(memory, dst, len, 1)?.copy_from_slice(&source);
            Ok(vec![])
        }
        Transcode::CopyUtf16 => {
            utf16(&source)?;
            region_mut(memory, dst, len, 2)?.copy_from_slice(&source);
            Ok(vec![])
        }
        Transcode::Latin1ToUtf16 => {
            write_units(
                region_mut(memory, dst, len, 2)?,
                source.iter().map(|byte| u16::from(*byte)),
            );
            Ok(vec![])
        }
        Transcode::Utf8ToUtf16 => {
            let text = utf8(&source)?;
            Ok(vec![write_units(
                region_mut(memory, dst, len, 2)?,
                text.encode_utf16(),
            )])
        }
        Transcode::Utf16ToCompactProbablyUtf16 => {
            let text = utf16(&source)?;
            let target = region_mut(memory, dst, len, 2)?;
            if text.chars().all(|c| u32::from(c) < 0x100) {
                for (byte, c) in target.iter_mut().zip(text.chars()) {
                    *byte = latin1(c);
                }
                Ok(vec![len])
            } else {
                target.copy_from_slice(&source);
                Ok(vec![len | UTF16_TAG])
            }
        }
        Transcode::Utf16ToUtf8 | Transcode::Latin1ToUtf8 => {
            let &[dst_len, first_pass] = rest else {
                return Err(Error::bug("a transcoder called with too few arguments"));
            };
            let text = if wide_source {
                utf16(&source)?
            } else {
                source.iter().map(|b| char::from(*b)).collect()
            };
            let target = region_mut(memory, dst, dst_len, 1)?;
            let (read, written) = to_utf8(&text, target, first_pass != 0, wide_source);
            Ok(vec![read, written])
        }
        Transcode::Utf8ToLatin1 => {
            let text = utf8(&source)?;
            let target = region_mut(memory, dst, len, 1)?;
            let (mut read, mut written) = (0, 0);
            for (byte, c) in target
                .iter_mut()
                .zip(text.chars())
                .take_while(|(_, c)| u32::from(*c) < 0x100)
            {
                *byte = latin1(c);
                read += c.len_utf8() as u32;
                written += 1;
            }
            Ok(vec![read, written])
        }
        Transcode::Utf16ToLatin1 => {
            let target = region_mut(memory, dst, len, 1)?;
            let mut written = 0;
            for (byte, unit) in target.iter_mut().zip(units(&source)) {
                let Ok(value) = u8::try_from(unit) else { break };
                *byte = value;
                written += 1;
            }
            Ok(vec![written, written])
        }
        Transcode::Utf8ToCompactUtf16 | Transcode::Utf16ToCompactUtf16 => {
            let &[dst_len, so_far] = rest else {
                return Err(Error::bug("a transcoder called with too few arguments"));
            };
            let text = if wide_source {
                utf16(&source)?
            } else {
                utf8(&source)?.to_owned()
            };
            let target = region_mut(memory, dst, dst_len, 2)?;
            let inflated = target
                .get(..so_far as usize)
                .ok_or_else(|| out_of_bounds(dst, so_far))?
                .iter()
                .map(|byte| u16::from(*byte))
                .collect::<Vec<_>>();
            Ok(vec![write_units(
                target,
                inflated.into_iter().chain(text.encode_utf16()),
            )])
        }
    }
}

/// Encodes as much of `text` as fits. Returns the code units read and the bytes written; the first pass stops at the
/// first character outside ASCII.
fn to_utf8(text: &str, target: &mut [u8], first_pass: bool, wide: bool) -> (u32, u32) {
    let (mut read, mut written) = (0, 0);
    for c in text.chars() {
        if first_pass && !c.is_ascii() {
            break;
        }
        let Some(place) = target.get_mut(written..written + c.len_utf8()) else {
            break;
        };
        c.encode_utf8(place);
        written += c.len_utf8();
        read += if wide { c.len_utf16() as u32 } else { 1 };
    }
    (read, written as u32)
}

fn region(memory: &[u8], ptr: u32, len: u32, width: u64) -> Result<&[u8]> {
    let range = range(ptr, len, width)?;
    memory.get(range).ok_or_else(|| out_of_bounds(ptr, len))
}

fn region_mut(memory: &mut [u8], ptr: u32, len: u32, width: u64) -> Result<&mut [u8]> {
    let range = range(ptr, len, width)?;
    memory.get_mut(range).ok_or_else(|| out_of_bounds(ptr, len))
}

fn range(ptr: u32, len: u32, width: u64) -> Result<std::ops::Range<usize>> {
    let start = u64::from(ptr);
    // At most 2^32 + 2 * 2^32.
    let end = start + u64::from(len) * width;
    match (usize::try_from(start), usize::try_from(end)) {
        (Ok(start), Ok(end)) => Ok(start..end),
        _ => Err(out_of_bounds(ptr, len)),
    }
}

fn out_of_bounds(ptr: u32, len: u32) -> Error {
    TrapKind::Adapter(format!(
        "a string of {len} code units at {ptr:#x} is out of bounds of linear memory"
    ))
    .into()
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|error| TrapKind::Adapter(format!("invalid utf-8: {error}")).into())
}

fn units(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes
        .as_chunks::<2>()
        .0
        .iter()
        .map(|unit| u16::from_le_bytes(*unit))
}

fn utf16(bytes: &[u8]) -> Result<String> {
    char::decode_utf16(units(bytes))
        .collect::<Result<String, _>>()
        .map_err(|error| TrapKind::Adapter(format!("invalid utf-16: {error}")).into())
}

/// Converts a character below U+0100 to its byte.
fn latin1(c: char) -> u8 {
    u8::try_from(u32::from(c)).unwrap_or(b'?')
}

/// Writes as many units as fit; returns their number.
fn write_units(target: &mut [u8], units: impl Iterator<Item = u16>) -> u32 {
    let mut written = 0;
    for (place, unit) in target.as_chunks_mut::<2>().0.iter_mut().zip(units) {
        *place = unit.to_le_bytes();
        written += 1;
    }
    written
}
