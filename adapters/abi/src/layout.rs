//! Sizes, alignments and flat types ([Alignment], [Element Size], [Flattening]), and the limits that go with them.
//!
//! [Alignment]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#alignment
//! [Element Size]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#element-size
//! [Flattening]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#flattening

use crate::core_value::CoreType;
use crate::error::AbiError;

/// The most core parameters a call passes flat; beyond it, one pointer to a tuple in memory ([Flattening]).
///
/// [Flattening]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#flattening
pub const MAX_FLAT_PARAMS: usize = 16;

/// The same of an asynchronously lowered call.
pub const MAX_FLAT_ASYNC_PARAMS: usize = 4;

/// The most core results a call returns flat; beyond it, they go through memory ([Flattening]).
///
/// [Flattening]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#flattening
pub const MAX_FLAT_RESULTS: usize = 1;

/// The most bytes a list may take in linear memory ([Loading]). Stops a guest from describing a list that no 32-bit
/// memory could take in once its elements are stored again.
///
/// [Loading]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#loading
pub const MAX_LIST_BYTE_LENGTH: u32 = (1 << 28) - 1;

/// The most bytes a string may take in a guest's memory when it is lifted, in that guest's encoding ([Loading]). Stops a
/// guest from describing a string that no 32-bit memory could hold in another encoding.
///
/// [Loading]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#loading
pub const MAX_STRING_BYTE_LENGTH: u32 = (1 << 28) - 1;

/// The most bytes a string may take when it is lowered. Changing the encoding of a string that could be lifted at
/// most doubles it, so whatever came out of one guest fits into another; a host's own string must keep to it too. Stops a
/// string that would exhaust a guest's memory.
pub const MAX_LOWERED_STRING_BYTE_LENGTH: u32 = 2 * MAX_STRING_BYTE_LENGTH;

/// The size that every value type must stay below, in bytes ([Element Size]). Stops size arithmetic from overflowing.
/// (The specification measures with 64-bit pointers, which a validator enforces; here pointers take 4 bytes.)
///
/// [Element Size]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#element-size
pub const MAX_TYPE_SIZE: u32 = 1 << 28;

/// The deepest nesting of a type that has a plan. Stops a type from exhausting the host's stack, since lifting, lowering and
/// checking recurse once a level. Validators allow 100.
pub const MAX_TYPE_DEPTH: u32 = 128;

/// The most labels of a `flags` type ([Element Size]). Stops bit vectors of more than 32 bits.
///
/// [Element Size]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#element-size
pub const MAX_FLAGS: usize = 32;

/// Set in a `latin1+utf16` string's length when it holds UTF-16 code units.
pub const UTF16_TAG: u32 = 1 << 31;

/// Bytes of a `string` or `list` in memory: pointer, then length.
pub(crate) const PAIR_SIZE: u32 = 8;

/// The offset of the length in such a pair.
pub(crate) const PAIR_LENGTH_OFFSET: u32 = 4;

/// The width of a discriminant or of a bit vector in memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum IntWidth {
    One,
    Two,
    Four,
}

impl IntWidth {
    /// Returns the size in memory, in bytes, which is also the alignment.
    pub const fn bytes(self) -> u32 {
        match self {
            IntWidth::One => 1,
            IntWidth::Two => 2,
            IntWidth::Four => 4,
        }
    }

    /// Returns the narrowest discriminant for `cases` cases, numbered from 0.
    pub const fn of_discriminant(cases: u32) -> IntWidth {
        match cases {
            0..=0x100 => IntWidth::One,
            0x101..=0x1_0000 => IntWidth::Two,
            _ => IntWidth::Four,
        }
    }

    /// Returns the width of the bit vector for `labels` flags, at most [`MAX_FLAGS`].
    pub const fn of_flags(labels: usize) -> IntWidth {
        match labels {
            0..=8 => IntWidth::One,
            9..=16 => IntWidth::Two,
            _ => IntWidth::Four,
        }
    }
}

/// Rounds up to a multiple of `align` (a power of two, at least 1).
pub(crate) const fn align_to(offset: u64, align: u32) -> u64 {
    let mask = align as u64 - 1;
    (offset + mask) & !mask
}

/// Lays members out one after the other ("Element Size", `elem_size_record`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sequence {
    end: u64,
    align: u32,
}

impl Sequence {
    pub(crate) const fn new() -> Sequence {
        Sequence { end: 0, align: 1 }
    }

    /// Places one more member; returns its offset, and the sequence with it.
    pub(crate) const fn with(self, size: u32, align: u32) -> (u64, Sequence) {
        let offset = align_to(self.end, align);
        let align = if align > self.align { align } else { self.align };
        let end = offset + size as u64;
        (offset, Sequence { end, align })
    }

    pub(crate) fn push(&mut self, size: u32, align: u32) -> Result<u32, AbiError> {
        let (offset, longer) = self.with(size, align);
        *self = longer;
        // Checked at every step, so the sum never exceeds 64 bits.
        bounded(self.end, u32::MAX)?;
        bounded(offset, u32::MAX)
    }

    pub(crate) const fn align(self) -> u32 {
        self.align
    }

    /// Returns the total size, padded to the alignment.
    pub(crate) const fn size(self) -> u64 {
        align_to(self.end, self.align)
    }

    /// Returns the total size, padded to the alignment, and the alignment.
    pub(crate) fn finish(self) -> Result<(u32, u32), AbiError> {
        Ok((bounded(self.size(), u32::MAX)?, self.align))
    }
}

/// The payloads of a variant, all at the same place ("Element Size", `elem_size_variant`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overlay {
    size: u32,
    align: u32,
}

impl Overlay {
    pub(crate) const fn new() -> Overlay {
        Overlay { size: 0, align: 1 }
    }

    /// Adds one more payload.
    pub(crate) const fn with(self, size: u32, align: u32) -> Overlay {
        Overlay {
            size: if size > self.size { size } else { self.size },
            align: if align > self.align { align } else { self.align },
        }
    }

    /// Puts the discriminant in front; returns the payloads' offset, the total size, and the alignment.
    pub(crate) const fn behind(self, discriminant: IntWidth) -> (u64, u64, u32) {
        let tag = discriminant.bytes();
        let align = if self.align > tag { self.align } else { tag };
        let offset = align_to(tag as u64, self.align);
        (offset, align_to(offset + self.size as u64, align), align)
    }
}

/// Converts `size` to 32 bits, if it is at most `max`.
pub(crate) fn bounded(size: u64, max: u32) -> Result<u32, AbiError> {
    match u32::try_from(size) {
        Ok(size) if size <= max => Ok(size),
        _ => Err(AbiError::TypeTooLarge { size, max }),
    }
}

/// Flat core types, discarded once there are more than [`MAX_FLAT_PARAMS`]: such a type is only passed through memory,
/// and a fixed-length list could have 2^28 of them.
#[derive(Debug)]
pub(crate) struct Flat {
    types: Option<Vec<CoreType>>,
}

impl Flat {
    pub(crate) fn new(types: &[CoreType]) -> Flat {
        Flat {
            types: Some(types.to_vec()),
        }
    }

    /// Appends another type's flat types.
    pub(crate) fn append(&mut self, more: Option<&[CoreType]>) {
        let (Some(types), Some(more)) = (&mut self.types, more) else {
            self.types = None;
            return;
        };
        if types.len() + more.len() > MAX_FLAT_PARAMS {
            self.types = None;
        } else {
            types.extend_from_slice(more);
        }
    }

    /// Appends them `count` times.
    pub(crate) fn append_times(&mut self, more: Option<&[CoreType]>, count: u32) {
        for _ in 0..count {
            if self.types.is_none() {
                return;
            }
            self.append(more);
        }
    }

    /// Lays one case's payload over those of the other cases, after the discriminant (`flatten_variant`).
    pub(crate) fn overlay(&mut self, payload: Option<&[CoreType]>) {
        let (Some(types), Some(payload)) = (&mut self.types, payload) else {
            self.types = None;
            return;
        };
        for (index, &ty) in payload.iter().enumerate() {
            match types.get_mut(1 + index) {
                Some(joined) => *joined = join(*joined, ty),
                None => types.push(ty),
            }
        }
        if types.len() > MAX_FLAT_PARAMS {
            self.types = None;
        }
    }

    pub(crate) fn finish(self) -> Option<Box<[CoreType]>> {
        self.types.map(Vec::into_boxed_slice)
    }
}

/// Returns the narrowest core type that holds the bits of either (`join`).
fn join(a: CoreType, b: CoreType) -> CoreType {
    match (a, b) {
        (a, b) if a == b => a,
        (CoreType::I32, CoreType::F32) | (CoreType::F32, CoreType::I32) => CoreType::I32,
        _ => CoreType::I64,
    }
}
