//! Strings in the three encodings, valid and invalid.

use airssys_wasm_abi::{AbiError, MAX_STRING_BYTE_LENGTH, StringEncoding, Type, UTF16_TAG};

use crate::guest::TestGuest;
use crate::shorthand::{Val, i32, lift, lower, string};

use StringEncoding::{CompactUtf16, Utf8, Utf16};

const ENCODINGS: [StringEncoding; 3] = [Utf8, Utf16, CompactUtf16];

const TEXTS: [&str; 20] = [
    "",
    "a",
    "hi",
    "\0",
    "a\0b",
    "\u{7f}",
    "\u{80}",
    "\u{80}b",
    "ab\u{ef}c",
    "\u{ff}",
    "\u{100}",
    "\u{1ff}y",
    "xy\u{1ff}",
    "a\u{d7ff}b",
    "a\u{2ff}\u{3ff}\u{4ff}bc",
    "\u{f123}",
    "\u{f123}\u{f123}abc",
    "abcdef\u{ffff}",
    "\u{10000}",
    "x\u{10ffff}y\u{1f600}",
];

fn utf16(text: &str) -> (Vec<u8>, u32) {
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let units = u32::try_from(bytes.len() / 2).unwrap();
    (bytes, units)
}

fn latin1(text: &str) -> Option<(Vec<u8>, u32)> {
    let bytes = text
        .chars()
        .map(|char| u8::try_from(char).ok())
        .collect::<Option<Vec<u8>>>()?;
    let units = u32::try_from(bytes.len()).unwrap();
    Some((bytes, units))
}

/// Returns all forms of a text in a guest of this encoding.
fn forms(encoding: StringEncoding, text: &str) -> Vec<(Vec<u8>, u32)> {
    match encoding {
        Utf8 => vec![(text.as_bytes().to_vec(), u32::try_from(text.len()).unwrap())],
        Utf16 => vec![utf16(text)],
        CompactUtf16 => {
            let (bytes, units) = utf16(text);
            latin1(text)
                .into_iter()
                .chain([(bytes, units | UTF16_TAG)])
                .collect()
        }
    }
}

fn lift_at(encoding: StringEncoding, memory: &[u8], ptr: u32, units: u32) -> Result<Val, AbiError> {
    lift(
        &mut TestGuest::with_memory(memory).encoding(encoding),
        &Type::String,
        &[i32(ptr), i32(units)],
    )
}

#[test]
fn every_encoding_to_every_encoding() {
    for text in TEXTS {
        for from in ENCODINGS {
            for (bytes, units) in forms(from, text) {
                let lifted = lift_at(from, &bytes, 0, units);
                assert_eq!(lifted, Ok(string(text)), "{from:?}");
                for to in ENCODINGS {
                    let mut guest = TestGuest::with_memory(&[0xee]).encoding(to);
                    let flat = lower(&mut guest, &Type::String, lifted.as_ref().unwrap()).unwrap();
                    assert_eq!(
                        lift(&mut guest, &Type::String, &flat),
                        lifted,
                        "{from:?} to {to:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn lowering_asks_once_for_exactly_what_it_needs() {
    for text in TEXTS {
        for encoding in ENCODINGS {
            // The tightest form comes first.
            let (bytes, units) = forms(encoding, text).swap_remove(0);
            let align = if encoding == Utf8 { 1 } else { 2 };
            let mut guest = TestGuest::with_memory(&[0xee]).encoding(encoding);
            assert_eq!(
                lower(&mut guest, &Type::String, &string(text)),
                Ok(vec![i32(align), i32(units)])
            );
            assert_eq!(
                guest.allocations,
                [(align, u32::try_from(bytes.len()).unwrap())],
                "{text:?} {encoding:?}"
            );
            assert_eq!(guest.memory[align as usize..], bytes);
        }
    }
}

#[test]
fn broken_utf8() {
    let table: [(&[u8], u64); 7] = [
        (&[0x80], 0),
        (&[b'a', 0xc3], 1),
        (&[b'a', b'b', 0xc0, 0x80], 2),
        (&[0xed, 0xa0, 0x80], 0),
        (&[0xf4, 0x90, 0x80, 0x80], 0),
        (&[0xff], 0),
        (&[0xe2, 0x82, b'x'], 0),
    ];
    for (bytes, offset) in table {
        let units = u32::try_from(bytes.len()).unwrap();
        assert_eq!(
            lift_at(Utf8, bytes, 0, units),
            Err(AbiError::InvalidUtf8 { ptr: 0, offset }),
            "{bytes:x?}"
        );
    }
}

#[test]
fn lone_surrogates() {
    let table: [(&[u16], u64, u16); 6] = [
        (&[0xd800], 0, 0xd800),
        (&[0xdfff], 0, 0xdfff),
        (&[0x61, 0xdbff], 1, 0xdbff),
        (&[0xdc00, 0xd800], 0, 0xdc00),
        (&[0xd83d, 0xde00, 0xd800, 0x61], 2, 0xd800),
        (&[0xd800, 0xd800, 0xdc00], 0, 0xd800),
    ];
    for (units, offset, unit) in table {
        let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let count = u32::try_from(units.len()).unwrap();
        let error = AbiError::InvalidUtf16 { ptr: 0, offset, unit };
        assert_eq!(lift_at(Utf16, &bytes, 0, count), Err(error.clone()), "{units:x?}");
        assert_eq!(
            lift_at(CompactUtf16, &bytes, 0, count | UTF16_TAG),
            Err(error),
            "{units:x?}"
        );
        assert!(
            lift_at(CompactUtf16, &bytes, 0, 2 * count).is_ok(),
            "latin1 cannot fail"
        );
    }
}

#[test]
fn utf16_and_compact_strings_are_aligned_even_when_empty() {
    let memory = [0; 16];
    let misaligned = || Err(AbiError::Misaligned { ptr: 3, align: 2 });
    for units in [0, 1, 4] {
        assert_eq!(lift_at(Utf16, &memory, 3, units), misaligned());
        assert_eq!(lift_at(CompactUtf16, &memory, 3, units), misaligned());
        assert_eq!(lift_at(CompactUtf16, &memory, 3, units | UTF16_TAG), misaligned());
        assert!(lift_at(Utf8, &memory, 3, units).is_ok());
    }
}

#[test]
fn bounds() {
    let memory = [b'x'; 16];
    for encoding in ENCODINGS {
        let width = if encoding == Utf16 { 2 } else { 1 };
        let out = |ptr, len| Err(AbiError::PointerOutOfBounds { ptr, len, memory: 16 });
        assert!(lift_at(encoding, &memory, 14, 2 / width).is_ok());
        assert_eq!(lift_at(encoding, &memory, 14, 4 / width), out(14, 4));
        assert_eq!(lift_at(encoding, &memory, 16, 0), Ok(string("")));
        assert_eq!(lift_at(encoding, &memory, 18, 0), out(18, 0));
        assert_eq!(
            lift_at(encoding, &memory, u32::MAX - 1, 2 / width),
            out(u32::MAX - 1, 2)
        );
        let max = MAX_STRING_BYTE_LENGTH & !1;
        assert_eq!(lift_at(encoding, &memory, 0, max / width), out(0, u64::from(max)));
    }
    assert_eq!(
        lift_at(Utf8, &memory, u32::MAX, 1),
        Err(AbiError::PointerOutOfBounds {
            ptr: u32::MAX,
            len: 1,
            memory: 16
        })
    );
}

/// The length is checked before pointer and memory, whatever they are.
#[test]
fn overlong() {
    let too_long = |bytes| {
        Err(AbiError::StringTooLong {
            bytes,
            max: MAX_STRING_BYTE_LENGTH,
        })
    };
    let max = MAX_STRING_BYTE_LENGTH;
    assert_eq!(lift_at(Utf8, &[], 1, max + 1), too_long(1 << 28));
    assert_eq!(lift_at(Utf8, &[], 1, u32::MAX), too_long(u64::from(u32::MAX)));
    assert_eq!(lift_at(Utf16, &[], 1, 1 << 27), too_long(1 << 28));
    assert_eq!(
        lift_at(Utf16, &[], 1, u32::MAX),
        too_long(2 * u64::from(u32::MAX))
    );
    assert_eq!(lift_at(CompactUtf16, &[], 1, max + 1), too_long(1 << 28));
    assert_eq!(
        lift_at(CompactUtf16, &[], 1, u32::MAX),
        too_long(2 * u64::from(u32::MAX ^ UTF16_TAG))
    );
}
