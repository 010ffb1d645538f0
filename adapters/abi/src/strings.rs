//! Strings in the three encodings ([Loading] and [Storing]).
//!
//! Lowering measures first and then allocates exactly the bytes it needs, once. The specification's growing and
//! shrinking `realloc` calls exist for producers that read a string only once; the result in the guest is the same.
//!
//! [Loading]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#loading
//! [Storing]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#storing

use crate::error::{AbiError, ValuePath};
use crate::guest::{LiftGuest, LowerGuest, StringEncoding};
use crate::layout::{MAX_LOWERED_STRING_BYTE_LENGTH, MAX_STRING_BYTE_LENGTH, UTF16_TAG};
use crate::memory::{GuestPtr, allocate_bytes, string_with_room};

/// The encoding of one string's bytes.
#[derive(Clone, Copy)]
enum StringForm {
    Latin1,
    Utf16,
}

/// Lifts a string from its pointer and its length in (tagged) code units (`load_string_from_range`).
///
/// # Errors
/// [`AbiError::StringTooLong`], [`AbiError::Misaligned`], [`AbiError::PointerOutOfBounds`], [`AbiError::InvalidUtf8`],
/// [`AbiError::InvalidUtf16`], [`AbiError::HostAllocation`]; errors of the budget.
pub fn lift_string<G: LiftGuest>(
    guest: &mut G,
    ptr: GuestPtr,
    tagged_units: u32,
) -> Result<String, G::Error> {
    let (form, units) = match guest.string_encoding() {
        StringEncoding::Utf8 => return lift_utf8(guest, ptr, tagged_units),
        StringEncoding::Utf16 => (StringForm::Utf16, tagged_units),
        StringEncoding::CompactUtf16 if tagged_units & UTF16_TAG != 0 => {
            (StringForm::Utf16, tagged_units ^ UTF16_TAG)
        }
        StringEncoding::CompactUtf16 => (StringForm::Latin1, tagged_units),
    };
    let bytes = match form {
        StringForm::Latin1 => u64::from(units),
        StringForm::Utf16 => 2 * u64::from(units),
    };
    if bytes > u64::from(MAX_STRING_BYTE_LENGTH) {
        return Err(too_long(bytes).into());
    }
    ptr.check_aligned(2)?;
    // The length of the result is known before anything is allocated, so that the budget is charged exactly.
    let lifted_bytes = match form {
        StringForm::Latin1 => {
            let source = ptr.slice(bytes, guest.memory()?)?;
            source.iter().map(|byte| 1 + u64::from(byte >> 7)).sum()
        }
        StringForm::Utf16 => decode_utf16(ptr, ptr.slice(bytes, guest.memory()?)?)
            .try_fold(0, |sum, char| char.map(|char| sum + char.len_utf8() as u64))?,
    };
    guest.consume_lift_budget(lifted_bytes)?;
    let mut string = string_with_room(lifted_bytes)?;
    let source = ptr.slice(bytes, guest.memory()?)?;
    match form {
        StringForm::Latin1 => string.extend(source.iter().map(|&byte| char::from(byte))),
        StringForm::Utf16 => {
            for char in decode_utf16(ptr, source) {
                string.push(char?);
            }
        }
    }
    Ok(string)
}

/// Lifts UTF-8, as [`lift_string`] does. Most guests use the host's encoding, so that their strings are only checked
/// and copied.
#[inline]
fn lift_utf8<G: LiftGuest>(guest: &mut G, ptr: GuestPtr, bytes: u32) -> Result<String, G::Error> {
    if bytes > MAX_STRING_BYTE_LENGTH {
        return Err(too_long(u64::from(bytes)).into());
    }
    let bytes = u64::from(bytes);
    ptr.range(bytes, guest.memory()?)?;
    guest.consume_lift_budget(bytes)?;
    let mut string = string_with_room(bytes)?;
    match std::str::from_utf8(ptr.slice(bytes, guest.memory()?)?) {
        Ok(valid) => {
            string.push_str(valid);
            Ok(string)
        }
        Err(fault) => Err(AbiError::InvalidUtf8 {
            ptr: ptr.0,
            offset: fault.valid_up_to() as u64,
        }
        .into()),
    }
}

#[cold]
fn too_long(bytes: u64) -> AbiError {
    AbiError::StringTooLong {
        bytes,
        max: MAX_STRING_BYTE_LENGTH,
    }
}

/// Decodes little-endian UTF-16; each lone surrogate is an error.
fn decode_utf16(ptr: GuestPtr, source: &[u8]) -> impl Iterator<Item = Result<char, AbiError>> {
    let (pairs, _) = source.as_chunks::<2>();
    let mut offset = 0;
    char::decode_utf16(pairs.iter().map(|pair| u16::from_le_bytes(*pair))).map(move |char| match char {
        Ok(char) => {
            offset += char.len_utf16() as u64;
            Ok(char)
        }
        Err(fault) => Err(AbiError::InvalidUtf16 {
            ptr: ptr.0,
            offset,
            unit: fault.unpaired_surrogate(),
        }),
    })
}

/// Lowers a string into the guest's memory; returns pointer and (tagged) code units (`store_string_into_range`).
///
/// # Errors
/// [`AbiError::ValueTooLong`], [`AbiError::InvalidReallocResult`], and errors of `realloc`.
pub fn lower_string<G: LowerGuest>(guest: &mut G, string: &str) -> Result<(GuestPtr, u32), G::Error> {
    match guest.string_encoding() {
        StringEncoding::Utf8 => {
            let bytes = bounded(string.len() as u64)?;
            let (ptr, memory) = allocate_bytes(guest, 1, bytes)?;
            memory.copy_from_slice(string.as_bytes());
            Ok((ptr, bytes))
        }
        StringEncoding::Utf16 => lower_utf16(guest, string),
        StringEncoding::CompactUtf16 if string.chars().any(|char| u8::try_from(char).is_err()) => {
            let (ptr, units) = lower_utf16(guest, string)?;
            Ok((ptr, units | UTF16_TAG))
        }
        StringEncoding::CompactUtf16 => {
            let bytes = bounded(string.chars().count() as u64)?;
            let (ptr, target) = allocate_bytes(guest, 2, bytes)?;
            for (to, char) in target.iter_mut().zip(string.chars()) {
                // Every character was just found to fit.
                *to = u8::try_from(char).unwrap_or(b'?');
            }
            Ok((ptr, bytes))
        }
    }
}

fn lower_utf16<G: LowerGuest>(guest: &mut G, string: &str) -> Result<(GuestPtr, u32), G::Error> {
    let bytes = bounded(2 * string.encode_utf16().count() as u64)?;
    let (ptr, target) = allocate_bytes(guest, 2, bytes)?;
    let (pairs, _) = target.as_chunks_mut::<2>();
    for (to, unit) in pairs.iter_mut().zip(string.encode_utf16()) {
        *to = unit.to_le_bytes();
    }
    Ok((ptr, bytes / 2))
}

fn bounded(bytes: u64) -> Result<u32, AbiError> {
    match u32::try_from(bytes) {
        Ok(bytes) if bytes <= MAX_LOWERED_STRING_BYTE_LENGTH => Ok(bytes),
        _ => Err(AbiError::ValueTooLong {
            path: ValuePath::default(),
            bytes,
            max: MAX_LOWERED_STRING_BYTE_LENGTH,
        }),
    }
}
