//! The layout of an ELF image in memory, as artifacts have it beside the image.

use std::ops::Range;

use borsh::{BorshDeserialize, BorshSerialize};

/// Maximum bytes of an image in memory: 4 GiB, less a page of any size. Addresses in it are 32 bits.
const MAX_SIZE: u64 = (1 << 32) - (1 << 16);

/// The layout of an image. Addresses are relative to its beginning, in bytes.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Layout {
    /// By address.
    pub(super) segments: Vec<Segment>,
    pub(super) relocations: Vec<Relocation>,
    /// Beginnings of the lists in `.eh_frame`, each of which ends with a zero.
    pub(super) unwind: Vec<u32>,
    /// Addresses from the first of the module's functions to the end of the last; empty if there are none.
    pub(super) functions: Range<u32>,
    /// Offset in the file of the functions' addresses, each of 64 bits, and of one more, where the last function ends.
    pub(super) addresses: u64,
    /// Number of the module's functions.
    pub(super) count: u32,
}

/// A part of the image that is mapped.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Segment {
    pub(super) address: u32,
    /// Bytes in memory: those of the file, and zeros.
    pub(super) size: u32,
    pub(super) offset: u64,
    /// Bytes in the file.
    pub(super) bytes: u32,
    pub(super) access: Access,
}

/// Use of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) enum Access {
    Read,
    Execute,
    /// Written while the image is mapped, and read afterwards.
    Relocate,
}

/// An address that depends on where the image is.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Relocation {
    /// Place of the address.
    pub(super) at: u32,
    pub(super) target: Target,
    pub(super) addend: i64,
}

/// The beginning of an address.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) enum Target {
    /// The beginning of the image.
    Image,
    /// A function of the engine, by its name in images.
    Engine(String),
}

impl Segment {
    pub(super) fn range(&self) -> Range<u64> {
        let start = u64::from(self.address);
        start..start + u64::from(self.size)
    }

    /// Returns the pages that it is in.
    pub(super) fn pages(&self, page: u64) -> Range<u64> {
        let Range { start, end } = self.range();
        start - start % page..end.next_multiple_of(page)
    }

    /// Reports whether its pages can be those of a file whose image begins at `start`.
    pub(super) fn is_mappable(&self, start: u64, page: u64) -> bool {
        self.size == self.bytes && start.wrapping_add(self.offset) % page == u64::from(self.address) % page
    }
}

impl Layout {
    /// Returns the size of the image in memory.
    pub(super) fn size(&self, page: u64) -> u64 {
        self.segments.last().map_or(0, |last| last.pages(page).end)
    }

    /// Checks that all parts are within an image of `length` bytes, that no segment shares a page of memory with another, and that
    /// `places` are places of code.
    ///
    /// # Errors
    /// The part that is wrong.
    pub(super) fn check(
        &self,
        length: u64,
        page: u64,
        mut places: impl Iterator<Item = u32>,
    ) -> Result<(), &'static str> {
        let mut end = 0;
        for segment in &self.segments {
            let pages = segment.pages(page);
            let in_file = segment.offset.checked_add(u64::from(segment.bytes));
            let is_fit = pages.start >= end && in_file.is_some_and(|end| end <= length);
            if !is_fit || segment.bytes > segment.size || segment.size == 0 {
                return Err("a segment of its image is out of place");
            }
            end = pages.end;
        }
        if end > MAX_SIZE {
            return Err("its image is too large");
        }
        if self
            .relocations
            .iter()
            .any(|relocation| !self.has(Access::Relocate, relocation.at, 8))
        {
            return Err("a relocation of its image is out of place");
        }
        // Each list has at least its end, and is registered once.
        let mut unwind = self.unwind.iter();
        let are_lists = unwind.all(|start| self.has(Access::Read, *start, 4));
        if !are_lists || !self.unwind.is_sorted_by(|one, next| one < next) {
            return Err("the unwind tables of its image are out of place");
        }
        let functions = self.functions.clone();
        let is_code = match functions.end.checked_sub(functions.start) {
            Some(0) => self.count == 0,
            Some(bytes) => self.count > 0 && self.has(Access::Execute, functions.start, bytes),
            None => false,
        };
        let addresses = (u64::from(self.count) + 1).saturating_mul(8);
        let in_file = self.count == 0
            || self
                .addresses
                .checked_add(addresses)
                .is_some_and(|end| end <= length);
        if !is_code || !in_file || !places.all(|place| self.has(Access::Execute, place, 1)) {
            return Err("a function of its image is out of place");
        }
        Ok(())
    }

    /// Reports whether bytes at an address are in one segment of this use.
    fn has(&self, access: Access, address: u32, bytes: u32) -> bool {
        let start = u64::from(address);
        let end = start + u64::from(bytes);
        let place = self
            .segments
            .partition_point(|segment| u64::from(segment.address) <= start);
        let segment = place.checked_sub(1).and_then(|place| self.segments.get(place));
        segment.is_some_and(|segment| segment.access == access && end <= segment.range().end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: u64 = 0x9000;

    fn layout() -> Layout {
        let segment = |address, size, offset, bytes, access| Segment {
            address,
            size,
            offset,
            bytes,
            access,
        };
        Layout {
            segments: vec![
                segment(0, 0x1800, 0, 0x1800, Access::Read),
                segment(0x2800, 0x3000, 0x1800, 0x3000, Access::Execute),
                segment(0x6800, 0x400, 0x4800, 0x300, Access::Relocate),
            ],
            relocations: vec![Relocation {
                at: 0x6808,
                target: Target::Image,
                addend: 8,
            }],
            unwind: vec![0x700],
            functions: 0x2800..0x5800,
            addresses: 0x8000,
            count: 3,
        }
    }

    fn checked(change: impl FnOnce(&mut Layout)) -> Result<(), &'static str> {
        let mut layout = layout();
        change(&mut layout);
        layout.check(LENGTH, 4096, [0x2800, 0x57ff].into_iter())
    }

    #[test]
    fn parts_are_within_their_segments() {
        assert_eq!(checked(|_| ()), Ok(()));
        assert_eq!(layout().size(4096), 0x7000);
        assert_eq!(layout().size(65_536), 0x10000);
        let none = checked(|layout| (layout.functions, layout.count, layout.addresses) = (0..0, 0, u64::MAX));
        assert_eq!(none, Ok(()));
        for place in [0, 0x27ff, 0x5800, 0x6808, u32::MAX] {
            let found = layout().check(LENGTH, 4096, std::iter::once(place));
            assert_eq!(
                found,
                Err("a function of its image is out of place"),
                "{place:#x}"
            );
        }
    }

    #[test]
    fn segments_share_no_page_and_end_with_the_file() {
        const WRONG: Result<(), &str> = Err("a segment of its image is out of place");
        assert_eq!(checked(|layout| layout.segments[1].address = 0x1fff), WRONG);
        assert_eq!(checked(|layout| layout.segments.swap(0, 1)), WRONG);
        assert_eq!(
            checked(|layout| layout.segments[2].address = u32::MAX),
            Err("its image is too large")
        );
        assert_eq!(checked(|layout| layout.segments[0].bytes += 1), WRONG);
        assert_eq!(checked(|layout| layout.segments[2].size = 0), WRONG);
        assert_eq!(
            checked(|layout| layout.segments[2].offset = LENGTH - 0x2ff),
            WRONG
        );
        assert_eq!(checked(|layout| layout.segments[2].offset = u64::MAX), WRONG);
        // On a machine with larger pages.
        assert_eq!(layout().check(LENGTH, 65_536, std::iter::empty()), WRONG);
    }

    #[test]
    fn each_part_is_in_a_segment_of_its_use() {
        for at in [0x700, 0x2800, 0x6bf9, 0x67ff, u32::MAX] {
            let found = checked(|layout| layout.relocations[0].at = at);
            assert_eq!(found, Err("a relocation of its image is out of place"), "{at:#x}");
        }
        for start in [0x17fd, 0x2800, 0x6800, u32::MAX] {
            let found = checked(|layout| layout.unwind = vec![start]);
            assert_eq!(
                found,
                Err("the unwind tables of its image are out of place"),
                "{start:#x}"
            );
        }
        assert!(checked(|layout| layout.unwind = vec![0, 0x700]).is_ok());
        assert!(checked(|layout| layout.unwind = vec![0x700, 0x700]).is_err());
        assert!(checked(|layout| layout.unwind = vec![0x700, 0]).is_err());
        for functions in [
            0x27ff..0x5800,
            0x2800..0x5801,
            Range { start: 9, end: 8 },
            0..u32::MAX,
            0..0,
        ] {
            let found = checked(|layout| layout.functions = functions.clone());
            assert_eq!(
                found,
                Err("a function of its image is out of place"),
                "{functions:?}"
            );
        }
        for (addresses, count) in [(LENGTH - 31, 3), (u64::MAX, 3), (0, u32::MAX), (0x8000, 0)] {
            let found = checked(|layout| (layout.addresses, layout.count) = (addresses, count));
            assert_eq!(
                found,
                Err("a function of its image is out of place"),
                "{addresses:#x} {count}"
            );
        }
    }

    #[test]
    fn pages_of_a_file_fit_where_their_offsets_do() {
        let code = &layout().segments[1];
        assert!(code.is_mappable(0, 4096) && code.is_mappable(0x3000, 4096));
        assert!(!code.is_mappable(64, 4096) && !code.is_mappable(0, 16_384));
        assert!(
            !layout().segments[2].is_mappable(0, 4096),
            "it is longer than in the file"
        );
    }
}
