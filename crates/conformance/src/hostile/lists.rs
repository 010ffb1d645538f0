//! Lists and values in memory with invalid pointers or lengths.

use crate::TrapClass;
use airssys_wasm_abi::{AbiError, MAX_LIST_BYTE_LENGTH};

use super::case::Case;
use super::guest::{Core, MEMORY, Ty};
use super::places::{Given, PLACES, Place, words};

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = lists()
        .iter()
        .flat_map(|bad| bad.cases("lists", &PLACES))
        .collect();
    cases.extend(nested().iter().flat_map(|bad| bad.cases("lists", &PLACES)));
    cases
}

/// Element types, with size and alignment.
const ELEMENTS: &[(&str, u32, u32)] = &[
    ("u8", 1, 1),
    ("s16", 2, 2),
    ("float32", 4, 4),
    ("u64", 8, 8),
    ("(tuple u8 u64)", 16, 8),
    ("(tuple u8 u16 u8)", 6, 2),
    ("(option u16)", 4, 2),
    ("string", 8, 4),
    ("(list u8)", 8, 4),
];

fn lists() -> Vec<Given> {
    let memory = u64::from(MEMORY);
    let mut bads = Vec::new();
    for (element, size, align) in ELEMENTS.iter().copied() {
        let list = |what: &str, ptr: u32, count: u32, abi: AbiError| {
            let (adapter, class) = match abi {
                AbiError::Misaligned { .. } => ("unaligned pointer", TrapClass::Unaligned),
                _ => ("list content out-of-bounds", TrapClass::PointerOutOfBounds),
            };
            Given {
                name: format!("list of {element}: {what}"),
                ty: Ty::new(format!("(list {element})")),
                encoding: "utf8",
                flat: vec![Core::I32(ptr), Core::I32(count)],
                in_memory: true,
                stored: words(&[ptr, count]),
                data: Vec::new(),
                abi,
                adapter,
                class,
            }
        };
        let outside = |ptr: u32, count: u32| AbiError::PointerOutOfBounds {
            ptr,
            len: u64::from(count) * u64::from(size),
            memory,
        };
        let overflow = |count: u32| AbiError::LengthOverflow {
            count,
            element_size: size,
            max: MAX_LIST_BYTE_LENGTH,
        };
        let last = MEMORY - size.next_multiple_of(align);
        bads.push(list("one too many", last, 2, outside(last, 2)));
        let wide = (1u32 << 28).div_ceil(size);
        bads.push(list("of 2^28 bytes", 0, wide, overflow(wide)));
        bads.push(list("of most elements", 0, u32::MAX, overflow(u32::MAX)));
        // Their size in bytes wraps around 32 bits to zero, or nearly so.
        let wrapped = u32::try_from((1u64 << 32).div_ceil(u64::from(size))).unwrap_or(u32::MAX - 1);
        bads.push(list("of elements that overflow", 0, wrapped, overflow(wrapped)));
        let far = !(align - 1);
        bads.push(list("at the last address", far, 1, outside(far, 1)));
        if align > 1 {
            let ptr = 64 + align / 2;
            bads.push(list("misaligned", ptr, 1, AbiError::Misaligned { ptr, align }));
            bads.push(list(
                "empty and misaligned",
                ptr,
                0,
                AbiError::Misaligned { ptr, align },
            ));
        }
    }
    bads
}

/// Lists with one bad element.
fn nested() -> Vec<Given> {
    let memory = u64::from(MEMORY);
    let inner = |what: &str,
                 element: &str,
                 pair: [u32; 2],
                 abi: AbiError,
                 adapter: &'static str,
                 class: TrapClass| Given {
        name: format!("list of {element}: {what} within"),
        ty: Ty::new(format!("(list {element})")),
        encoding: "utf8",
        flat: vec![Core::I32(256), Core::I32(1)],
        in_memory: true,
        stored: words(&[256, 1]),
        data: vec![(256, words(&pair))],
        abi,
        adapter,
        class,
    };
    let outside = |ptr: u32, len: u64| AbiError::PointerOutOfBounds { ptr, len, memory };
    vec![
        inner(
            "a string beyond memory",
            "string",
            [MEMORY, 1],
            outside(MEMORY, 1),
            "string content out-of-bounds",
            TrapClass::PointerOutOfBounds,
        ),
        inner(
            "a list beyond memory",
            "(list u32)",
            [MEMORY - 4, 2],
            outside(MEMORY - 4, 8),
            "list content out-of-bounds",
            TrapClass::PointerOutOfBounds,
        ),
        inner(
            "a misaligned list",
            "(list u32)",
            [2, 1],
            AbiError::Misaligned { ptr: 2, align: 4 },
            "unaligned pointer",
            TrapClass::Unaligned,
        ),
        inner(
            "a list that overflows",
            "(list u32)",
            [0, 1 << 30],
            AbiError::LengthOverflow {
                count: 1 << 30,
                element_size: 4,
                max: MAX_LIST_BYTE_LENGTH,
            },
            "list content out-of-bounds",
            TrapClass::PointerOutOfBounds,
        ),
    ]
}

/// Pointers to values in memory: results that do not fit core values, arguments likewise.
pub(super) fn pointers() -> Vec<Case> {
    let mut cases = Vec::new();
    let wide = format!("(tuple{})", " u32".repeat(17));
    let types = [
        (
            "(tuple u32 u32)",
            8,
            4,
            &[Place::Result, Place::AdapterResult("utf8")][..],
        ),
        (
            "(tuple u8 u64)",
            16,
            8,
            &[Place::Result, Place::AdapterResult("utf8")][..],
        ),
        (&wide, 68, 4, &PLACES[..]),
    ];
    for (ty, size, align, places) in types {
        let last = MEMORY - align;
        for (what, ptr) in [
            ("partly outside", last),
            ("outside", MEMORY),
            ("at the last address", !(align - 1)),
            ("misaligned", 64 + align / 2),
            ("misaligned and outside", u32::MAX),
        ] {
            let (abi, adapter, class) = if ptr % align == 0 {
                let abi = AbiError::PointerOutOfBounds {
                    ptr,
                    len: size,
                    memory: u64::from(MEMORY),
                };
                (abi, "out of bounds memory access", TrapClass::PointerOutOfBounds)
            } else {
                (
                    AbiError::Misaligned { ptr, align },
                    "unaligned pointer",
                    TrapClass::Unaligned,
                )
            };
            let bad = Given {
                name: format!("pointer to {} bytes: {what}", size),
                ty: Ty::new(ty),
                encoding: "utf8",
                flat: vec![Core::I32(ptr)],
                in_memory: true,
                stored: Vec::new(),
                data: Vec::new(),
                abi,
                adapter,
                class,
            };
            for place in places.iter().copied() {
                // An adapter reports such a pointer as a load from there would.
                let by_adapter = matches!(place, Place::AdapterArgument(_) | Place::AdapterResult(_));
                let class = match class {
                    TrapClass::PointerOutOfBounds if by_adapter => TrapClass::MemoryOutOfBounds,
                    class => class,
                };
                cases.push(Given { class, ..bad.clone() }.case("pointers", place));
            }
        }
    }
    cases
}
