//! The layout of Rust types for component types, computed at compile time by the same steps as plans.

use crate::layout::{IntWidth, MAX_FLAGS, MAX_FLAT_PARAMS, MAX_FLAT_RESULTS, Overlay, PAIR_SIZE, Sequence};
use crate::scalar_type::Scalar;

/// The layout of a type's values in memory and among core values.
///
/// A type that is too large for any component (2^32 bytes and more) does not compile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Bytes in memory.
    pub size: u32,
    /// Alignment in bytes: 1, 2, 4 or 8.
    pub align: u32,
    /// Number of core values of the flattened value.
    pub flat: u32,
    /// True if the type contains handles of resources.
    pub handles: bool,
    /// True if the type contains strings or lists, which the guest must allocate.
    pub memory: bool,
}

impl Layout {
    /// No value at all: the payload of a `result` that has none.
    pub const NONE: Layout = Layout {
        size: 0,
        align: 1,
        flat: 0,
        handles: false,
        memory: false,
    };

    /// A string or a list: pointer and length.
    pub const PAIR: Layout = Layout {
        size: PAIR_SIZE,
        align: 4,
        flat: 2,
        handles: false,
        memory: true,
    };

    /// A handle.
    pub const HANDLE: Layout = Layout {
        handles: true,
        ..Layout::scalar::<u32>()
    };

    /// The layout of a list with elements of layout `element`.
    pub const fn list(element: Layout) -> Layout {
        Layout {
            handles: element.handles,
            ..Layout::PAIR
        }
    }

    /// The layout of a scalar.
    pub const fn scalar<S: Scalar>() -> Layout {
        Layout {
            size: S::SIZE,
            align: S::SIZE,
            flat: 1,
            handles: false,
            memory: false,
        }
    }

    /// The layout of a record or tuple.
    pub const fn record(members: &[Layout]) -> Layout {
        let (mut sequence, mut flat) = (Sequence::new(), 0);
        let (mut handles, mut memory) = (false, false);
        let mut index = 0;
        while index < members.len() {
            let member = members[index];
            (_, sequence) = sequence.with(member.size, member.align);
            flat += member.flat;
            handles |= member.handles;
            memory |= member.memory;
            index += 1;
        }
        let (size, align) = (sequence.size(), sequence.align());
        Layout {
            size: fits(size),
            align,
            flat,
            handles,
            memory,
        }
    }

    /// Returns whether parameters of these values go through memory ([Flattening]).
    ///
    /// [Flattening]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#flattening
    pub const fn params_in_memory(&self) -> bool {
        self.flat as usize > MAX_FLAT_PARAMS
    }

    /// Returns whether a result of this value goes through memory ([Flattening]).
    ///
    /// [Flattening]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#flattening
    pub const fn result_in_memory(&self) -> bool {
        self.flat as usize > MAX_FLAT_RESULTS
    }

    /// Returns the offset of the member at `index` of a record or tuple, in bytes.
    pub const fn offset(members: &[Layout], index: usize) -> u32 {
        let (mut sequence, mut offset, mut at) = (Sequence::new(), 0, 0);
        while at <= index {
            (offset, sequence) = sequence.with(members[at].size, members[at].align);
            at += 1;
        }
        fits(offset)
    }

    /// Returns the offsets of the members of a record or tuple, in bytes.
    pub const fn offsets<const N: usize>(members: &[Layout; N]) -> [u32; N] {
        let (mut offsets, mut index) = ([0; N], 0);
        while index < N {
            offsets[index] = Layout::offset(members, index);
            index += 1;
        }
        offsets
    }

    /// The layout of a `list<element, length>`.
    pub const fn fixed_length_list(element: Layout, length: u32) -> Layout {
        Layout {
            size: fits(element.size as u64 * length as u64),
            align: element.align,
            flat: element.flat.saturating_mul(length),
            handles: element.handles,
            memory: element.memory,
        }
    }

    /// The layout of a variant, option or result, with one payload per case.
    pub const fn variant(payloads: &[Layout]) -> Layout {
        let (overlay, flat, handles, memory) = overlay(payloads);
        let (_, size, align) = overlay.behind(Layout::discriminant(payloads.len()));
        Layout {
            size: fits(size),
            align,
            flat: 1 + flat,
            handles,
            memory,
        }
    }

    /// Returns the offset of the payloads of a variant, option or result, in bytes.
    pub const fn payload_offset(payloads: &[Layout]) -> u32 {
        let (offset, _, _) = overlay(payloads).0.behind(Layout::discriminant(payloads.len()));
        fits(offset)
    }

    /// Returns the width of the discriminant for a number of cases, at least 1 and less than 2^32.
    pub const fn discriminant(cases: usize) -> IntWidth {
        assert!(cases > 0, "a variant or enum needs a case");
        IntWidth::of_discriminant(fits(cases as u64))
    }

    /// The layout of an enum.
    pub const fn enumeration(cases: usize) -> Layout {
        Layout::word(Layout::discriminant(cases))
    }

    /// The layout of flags, 1 to 32 of them.
    pub const fn flags(labels: usize) -> Layout {
        assert!(labels > 0 && labels <= MAX_FLAGS, "flags have 1 to 32 labels");
        Layout::word(IntWidth::of_flags(labels))
    }

    const fn word(width: IntWidth) -> Layout {
        let size = width.bytes();
        Layout {
            size,
            align: size,
            flat: 1,
            handles: false,
            memory: false,
        }
    }
}

const fn overlay(payloads: &[Layout]) -> (Overlay, u32, bool, bool) {
    let (mut overlay, mut flat) = (Overlay::new(), 0);
    let (mut handles, mut memory) = (false, false);
    let mut index = 0;
    while index < payloads.len() {
        let payload = payloads[index];
        overlay = overlay.with(payload.size, payload.align);
        if payload.flat > flat {
            flat = payload.flat;
        }
        handles |= payload.handles;
        memory |= payload.memory;
        index += 1;
    }
    (overlay, flat, handles, memory)
}

const fn fits(size: u64) -> u32 {
    assert!(size <= u32::MAX as u64, "the type is too large");
    size as u32
}
