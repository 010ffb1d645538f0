//! Memory images: the initial content of a core module's memory, laid out once, not by every instance.
//!
//! An instance gets the image as part of its memory, and the active data segments in it are removed from the module.
//! Segments that instructions name stay, empty: an active segment is empty once the instance has begun.

use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{ConstExpr, DataSection};
use wasmparser::{Data, DataKind, Operator, Parser, Payload, TypeRef};

use crate::engine::compile::instructions::Instructions;
use crate::engine::compile::sections::{leb, start_of};
use crate::engine::memory::image::{ALIGN, Image, LENGTH_ALIGN};

const DATA_SECTION: u8 = 11;
const DATA_COUNT_SECTION: u8 = 12;

/// Maximum bytes of an image. Stops a module whose two bytes of data are far apart from filling the disk and memory.
const MAX_IMAGE: u64 = 256 << 20;

/// Bytes that an image may have, however few of them are data.
const SMALL_IMAGE: u64 = 1 << 20;

/// Factor by which a larger image may exceed its data.
const MAX_SPREAD: u64 = 8;

/// A module without its data, and the data as an image.
#[derive(Debug)]
pub(in crate::engine) struct Split {
    /// The module without the data that is in the image.
    pub(in crate::engine) module: Vec<u8>,
    pub(in crate::engine) image: Image,
}

/// Moves the data of a module that defines its only memory to an image, if all of it has a known offset.
///
/// The bytes are valid already. A module that cannot be read, or whose data does not fit, stays as it is, to fail
/// as it would have.
pub(in crate::engine) fn split(module: &[u8], instructions: Instructions) -> Option<Split> {
    let found = Found::read(module, instructions)?;
    if found.imported_memories > 0 || found.memories.len() != 1 {
        return None;
    }
    let image = found.image()?;
    Some(Split {
        module: found.without_data(module)?,
        image,
    })
}

#[derive(Default)]
struct Found<'a> {
    imported_memories: u32,
    /// Minimum size of each memory that is defined, in bytes.
    memories: Vec<u64>,
    segments: Vec<Data<'a>>,
    data: Option<std::ops::Range<usize>>,
    count: Option<std::ops::Range<usize>>,
    /// True if instructions name segments.
    named: bool,
}

impl<'a> Found<'a> {
    fn read(module: &'a [u8], instructions: Instructions) -> Option<Found<'a>> {
        let mut found = Found {
            named: instructions.name_data,
            ..Found::default()
        };
        for payload in Parser::new(0).parse_all(module) {
            match payload.ok()? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let memory = matches!(import.ok()?.ty, TypeRef::Memory(_));
                        found.imported_memories += u32::from(memory);
                    }
                }
                Payload::MemorySection(section) => {
                    for memory in section {
                        found.memories.push(memory.ok()?.initial.checked_mul(65_536)?);
                    }
                }
                Payload::DataCountSection { range, .. } => found.count = Some(range),
                Payload::DataSection(section) => {
                    found.data = Some(section.range());
                    found.segments = section.into_iter().collect::<Result<_, _>>().ok()?;
                }
                _ => {}
            }
        }
        Some(found)
    }

    /// Lays out the image, if every active segment has a constant offset within the memory.
    fn image(&self) -> Option<Image> {
        let size = *self.memories.first()?;
        let mut placed = Vec::new();
        let (mut low, mut high, mut amount) = (u64::MAX, 0, 0);
        for segment in &self.segments {
            let DataKind::Active { offset_expr, .. } = &segment.kind else {
                continue;
            };
            let start = constant(offset_expr)?;
            let length = u64::try_from(segment.data.len()).ok()?;
            let end = start.checked_add(length).filter(|end| *end <= size)?;
            if length > 0 {
                (low, high, amount) = (low.min(start), high.max(end), amount + length);
                placed.push((start, segment.data));
            }
        }
        if placed.is_empty() {
            return None;
        }
        let low = low - low % ALIGN;
        let high = high.next_multiple_of(LENGTH_ALIGN);
        let length = high - low;
        if length > MAX_IMAGE || (length > SMALL_IMAGE && length / MAX_SPREAD > amount) {
            return None;
        }
        let mut bytes = vec![0; usize::try_from(length).ok()?];
        // Later segments overwrite earlier ones, as they do in an instance.
        for (start, data) in placed {
            let at = usize::try_from(start - low).ok()?;
            bytes.get_mut(at..at + data.len())?.copy_from_slice(data);
        }
        Some(Image { start: low, bytes })
    }

    /// Returns the module without the data that the image holds.
    fn without_data(&self, module: &[u8]) -> Option<Vec<u8>> {
        let data = self.data.clone()?;
        let data = start_of(module, DATA_SECTION, &data)?..data.end;
        let mut out = Vec::with_capacity(module.len() - data.len());
        if self.named {
            out.extend_from_slice(module.get(..data.start)?);
            let section = self.emptied()?;
            out.push(DATA_SECTION);
            leb(&mut out, u64::try_from(section.len()).ok()?);
            out.extend(section);
        } else {
            let mut at = 0;
            if let Some(count) = self.count.clone() {
                out.extend_from_slice(module.get(..start_of(module, DATA_COUNT_SECTION, &count)?)?);
                at = count.end;
            }
            out.extend_from_slice(module.get(at..data.start)?);
        }
        out.extend_from_slice(module.get(data.end..)?);
        Some(out)
    }

    /// Encodes the content of a data section with as many segments, of which the active ones are empty.
    fn emptied(&self) -> Option<Vec<u8>> {
        let mut section = DataSection::new();
        for segment in &self.segments {
            match segment.kind {
                DataKind::Active { .. } => {
                    section.active(0, &ConstExpr::i32_const(0), []);
                }
                DataKind::Passive => RoundtripReencoder
                    .parse_data(&mut section, segment.clone())
                    .ok()?,
            }
        }
        let mut encoded = Vec::new();
        wasm_encoder::Encode::encode(&section, &mut encoded);
        // The section encodes itself with the length of its content in front.
        let length = encoded.iter().position(|byte| byte & 0x80 == 0)? + 1;
        Some(encoded.split_off(length))
    }
}

/// Returns the value of an expression that is a single constant.
fn constant(expression: &wasmparser::ConstExpr<'_>) -> Option<u64> {
    let mut operators = expression.get_operators_reader().into_iter();
    match (operators.next()?.ok()?, operators.next()?.ok()?, operators.next()) {
        (Operator::I32Const { value }, Operator::End, None) => Some(u64::from(value.cast_unsigned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(module: &[u8]) -> Option<Split> {
        super::split(module, Instructions::of(module).expect("it can be read"))
    }

    fn parsed(text: &str) -> Vec<u8> {
        wat::parse_str(text).expect("the text parses")
    }

    fn valid(module: &[u8]) {
        wasmparser::validate(module).expect("it is valid");
    }

    #[test]
    fn data_moves_to_the_image_and_later_data_wins() {
        let module = parsed(
            r#"(module (memory 3)
                (data (i32.const 65540) "abcdef") (data (i32.const 65542) "XY") (data (i32.const 131071) "z"))"#,
        );
        let Split { module: rest, image } = split(&module).expect("there is data");
        assert_eq!((image.start, image.bytes.len()), (65_536, 65_536));
        let short =
            split(&parsed(r#"(module (memory 3) (data (i32.const 65540) "abc"))"#)).expect("there is data");
        assert_eq!((short.image.start, short.image.bytes.len()), (65_536, 4096));
        assert_eq!(&image.bytes[4..10], b"abXYef");
        assert_eq!(image.bytes[65_535], b'z');
        assert_eq!(image.bytes.iter().filter(|byte| **byte != 0).count(), 7);
        valid(&rest);
        assert_eq!(rest, parsed("(module (memory 3))"));
    }

    #[test]
    fn segments_that_instructions_name_stay_and_are_empty() {
        let module = parsed(
            r#"(module (memory 1) (func (memory.init 1 (i32.const 0) (i32.const 0) (i32.const 3)) (data.drop 0))
                (data (i32.const 9) "abc") (data "xyz"))"#,
        );
        let Split { module: rest, image } = split(&module).expect("there is data");
        assert_eq!(&image.bytes[9..12], b"abc");
        valid(&rest);
        let expected = parsed(
            r#"(module (memory 1) (func (memory.init 1 (i32.const 0) (i32.const 0) (i32.const 3)) (data.drop 0))
                (data (i32.const 0) "") (data "xyz"))"#,
        );
        assert_eq!(rest, expected);
    }

    #[test]
    fn what_has_no_known_place_stays() {
        let left_alone = [
            // Out of bounds: the instance must fail.
            r#"(module (memory 1) (data (i32.const 65535) "ab"))"#,
            r#"(module (memory 1) (data (i32.const -1) "a"))"#,
            // Another instance's memory.
            r#"(module (import "" "" (memory 1)) (data (i32.const 0) "a"))"#,
            r#"(module (memory 1) (memory 1) (data (i32.const 0) "a"))"#,
            r#"(module (import "" "" (global i32)) (memory 1) (data (global.get 0) "a"))"#,
            r#"(module (memory 1) (data (i32.add (i32.const 1) (i32.const 2)) "a"))"#,
            // Two bytes a gigabyte apart.
            r#"(module (memory 20000) (data (i32.const 0) "a") (data (i32.const 1000000000) "b"))"#,
            r#"(module (memory 1))"#,
            r#"(module (memory 1) (data (i32.const 0) ""))"#,
            r#"(module)"#,
        ];
        for text in left_alone {
            assert!(split(&parsed(text)).is_none(), "{text}");
        }
    }
}
