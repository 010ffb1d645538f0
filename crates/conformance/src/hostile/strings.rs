//! Invalid strings, and strings with invalid pointers or lengths.

use crate::TrapClass;
use airssys_wasm_abi::{AbiError, MAX_STRING_BYTE_LENGTH};

use super::case::Case;
use super::guest::{Core, MEMORY, Ty};
use super::places::{Given, Place, words};

/// Bit in the length of a `latin1+utf16` string that is in UTF-16.
const TAG: u32 = 1 << 31;
/// Address of the characters.
const AT: u32 = 256;

const ENCODINGS: [&str; 3] = ["utf8", "utf16", "latin1+utf16"];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (index, bad) in malformed().iter().chain(&misplaced()).enumerate() {
        let mut places = vec![Place::Result, Place::Argument];
        places.extend(ENCODINGS.map(Place::AdapterArgument));
        // The caller's encodings in turn.
        places.push(Place::AdapterResult(ENCODINGS[index % ENCODINGS.len()]));
        cases.extend(bad.cases("strings", &places));
    }
    cases
}

fn string(name: String, encoding: &'static str, ptr: u32, units: u32, abi: AbiError) -> Given {
    Given {
        name: format!("{encoding} string: {name}"),
        ty: Ty::new("string"),
        encoding,
        flat: vec![Core::I32(ptr), Core::I32(units)],
        in_memory: true,
        stored: words(&[ptr, units]),
        data: Vec::new(),
        abi,
        adapter: "",
        class: TrapClass::InvalidString,
    }
}

/// Bytes that are not UTF-8, and the length of their valid prefix.
const UTF8: &[(&str, &[u8], u64)] = &[
    ("NUL in two bytes", &[0xc0, 0x80], 0),
    ("DEL in two bytes", &[b'a', 0xc1, 0xbf], 1),
    ("NUL in three bytes", &[0xe0, 0x80, 0x80], 0),
    ("U+7FF in three bytes", &[0xe0, 0x9f, 0xbf], 0),
    ("NUL in four bytes", &[0xf0, 0x80, 0x80, 0x80], 0),
    ("U+FFFF in four bytes", &[0xf0, 0x8f, 0xbf, 0xbf], 0),
    ("the first surrogate", &[b'a', b'b', 0xed, 0xa0, 0x80], 2),
    ("the last surrogate", &[0xed, 0xbf, 0xbf], 0),
    ("a pair of surrogates", &[0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80], 0),
    ("U+110000", &[0xf4, 0x90, 0x80, 0x80], 0),
    ("five bytes", &[0xf8, 0x88, 0x80, 0x80, 0x80], 0),
    ("six bytes", &[0xfc, 0x84, 0x80, 0x80, 0x80, 0x80], 0),
    ("the byte 0xfe", &[0xfe], 0),
    ("the byte 0xff", &[0xc3, 0xa9, 0xff], 2),
    ("a continuation alone", &[0x80], 0),
    ("cut after one byte of two", &[b'a', 0xc3], 1),
    ("cut after two bytes of three", &[b'a', 0xe2, 0x82], 1),
    ("cut after three bytes of four", &[b'a', 0xf0, 0x9f, 0x98], 1),
    ("a bad continuation", &[0xe2, 0x28, 0xa1], 0),
];

/// Code units that are not UTF-16: the position and the value of the lone surrogate.
const UTF16: &[(&str, &[u16], u64, u16)] = &[
    ("a high surrogate alone", &[0xd800], 0, 0xd800),
    ("a low surrogate alone", &[0x61, 0xdc00], 1, 0xdc00),
    ("surrogates in the wrong order", &[0xdc00, 0xd800], 0, 0xdc00),
    ("a high surrogate at the end", &[0x61, 0x62, 0xdbff], 2, 0xdbff),
    ("a high surrogate before a letter", &[0xd83d, 0x61], 0, 0xd83d),
    ("two high surrogates", &[0xd83d, 0xd83d, 0xde00], 0, 0xd83d),
    ("a pair and half of one", &[0xd83d, 0xde00, 0xdfff], 2, 0xdfff),
];

fn malformed() -> Vec<Given> {
    let mut bads = Vec::new();
    for (name, bytes, offset) in UTF8 {
        let abi = AbiError::InvalidUtf8 {
            ptr: AT,
            offset: *offset,
        };
        bads.push(Given {
            data: vec![(AT, bytes.to_vec())],
            adapter: "invalid utf-8",
            ..string((*name).into(), "utf8", AT, bytes.len() as u32, abi)
        });
    }
    // Beyond the part that is decoded several bytes at a time.
    let mut long = vec![b'a'; 100];
    long.push(0xff);
    bads.push(Given {
        data: vec![(AT, long)],
        adapter: "invalid utf-8",
        ..string(
            "behind 100 letters".into(),
            "utf8",
            AT,
            101,
            AbiError::InvalidUtf8 { ptr: AT, offset: 100 },
        )
    });
    for (encoding, tag) in [("utf16", 0), ("latin1+utf16", TAG)] {
        for (name, units, offset, unit) in UTF16 {
            let abi = AbiError::InvalidUtf16 {
                ptr: AT,
                offset: *offset,
                unit: *unit,
            };
            bads.push(Given {
                data: vec![(AT, units.iter().flat_map(|unit| unit.to_le_bytes()).collect())],
                adapter: "invalid utf-16",
                ..string((*name).into(), encoding, AT, units.len() as u32 | tag, abi)
            });
        }
    }
    bads
}

/// The pointer and length of a string.
struct Span {
    name: &'static str,
    encoding: &'static str,
    ptr: u32,
    units: u32,
    refused: Refused,
}

enum Refused {
    /// With this many bytes, it leaves memory.
    Outside(u64),
    /// With this many bytes, it exceeds the limit of strings.
    TooLong(u64),
    Odd,
}

const fn span(name: &'static str, encoding: &'static str, ptr: u32, units: u32, refused: Refused) -> Span {
    Span {
        name,
        encoding,
        ptr,
        units,
        refused,
    }
}

const SPANS: &[Span] = &[
    span(
        "the last byte and one more",
        "utf8",
        MEMORY - 1,
        2,
        Refused::Outside(2),
    ),
    span("at the last address", "utf8", u32::MAX, 2, Refused::Outside(2)),
    span(
        "longer than memory",
        "utf8",
        0,
        MEMORY + 1,
        Refused::Outside(MEMORY as u64 + 1),
    ),
    span(
        "around the address space",
        "utf8",
        16,
        u32::MAX - 7,
        Refused::TooLong(u32::MAX as u64 - 7),
    ),
    span("of 2^28 bytes", "utf8", 0, 1 << 28, Refused::TooLong(1 << 28)),
    span(
        "of 2^28 - 1 bytes",
        "utf8",
        0,
        (1 << 28) - 1,
        Refused::Outside((1 << 28) - 1),
    ),
    span("at an odd address", "utf16", AT + 1, 1, Refused::Odd),
    span("empty at an odd address", "utf16", AT + 1, 0, Refused::Odd),
    span(
        "the last unit and one more",
        "utf16",
        MEMORY - 2,
        2,
        Refused::Outside(4),
    ),
    span(
        "half inside",
        "utf16",
        0,
        MEMORY / 2 + 1,
        Refused::Outside(MEMORY as u64 + 2),
    ),
    span(
        "of units that overflow",
        "utf16",
        0,
        1 << 31,
        Refused::TooLong(1 << 32),
    ),
    span(
        "of units that overflow to one",
        "utf16",
        0,
        (1 << 31) + 1,
        Refused::TooLong((1 << 32) + 2),
    ),
    span(
        "of most units",
        "utf16",
        0,
        u32::MAX,
        Refused::TooLong(2 * u32::MAX as u64),
    ),
    span(
        "latin1 at an odd address",
        "latin1+utf16",
        AT + 1,
        1,
        Refused::Odd,
    ),
    span(
        "empty latin1 at an odd address",
        "latin1+utf16",
        AT + 1,
        0,
        Refused::Odd,
    ),
    span(
        "latin1 beyond the end",
        "latin1+utf16",
        MEMORY - 2,
        3,
        Refused::Outside(3),
    ),
    span(
        "latin1 of most bytes",
        "latin1+utf16",
        0,
        TAG - 1,
        Refused::TooLong(TAG as u64 - 1),
    ),
    span(
        "utf16 at an odd address",
        "latin1+utf16",
        AT + 1,
        TAG | 1,
        Refused::Odd,
    ),
    span(
        "empty utf16 at an odd address",
        "latin1+utf16",
        AT + 1,
        TAG,
        Refused::Odd,
    ),
    span(
        "utf16 beyond the end",
        "latin1+utf16",
        MEMORY - 2,
        TAG | 2,
        Refused::Outside(4),
    ),
    span(
        "utf16 of most units",
        "latin1+utf16",
        0,
        u32::MAX,
        Refused::TooLong(2 * (TAG as u64 - 1)),
    ),
];

fn misplaced() -> Vec<Given> {
    let memory = u64::from(MEMORY);
    let bads = SPANS.iter().map(|span| {
        let ptr = span.ptr;
        let (abi, adapter, class) = match span.refused {
            Refused::Outside(len) => (
                AbiError::PointerOutOfBounds { ptr, len, memory },
                "string content out-of-bounds",
                TrapClass::PointerOutOfBounds,
            ),
            Refused::TooLong(bytes) => (
                AbiError::StringTooLong {
                    bytes,
                    max: MAX_STRING_BYTE_LENGTH,
                },
                "string content out-of-bounds",
                TrapClass::PointerOutOfBounds,
            ),
            Refused::Odd => (
                AbiError::Misaligned { ptr, align: 2 },
                "unaligned pointer",
                TrapClass::Unaligned,
            ),
        };
        Given {
            adapter,
            class,
            ..string(span.name.into(), span.encoding, ptr, span.units, abi)
        }
    });
    bads.collect()
}
