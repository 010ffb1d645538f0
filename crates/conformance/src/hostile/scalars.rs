//! Invalid characters, and discriminants without a case: flat, and in memory.

use std::fmt::Write;

use crate::TrapClass;
use airssys_wasm_abi::AbiError;

use super::case::Case;
use super::guest::{Core, Ty};
use super::places::{Given, PLACES, words};

/// Address of elements.
const AT: u32 = 256;

pub(super) fn cases() -> Vec<Case> {
    let chars = chars();
    let discriminants = discriminants();
    let chars = chars.iter().flat_map(|bad| bad.cases("characters", &PLACES));
    chars
        .chain(
            discriminants
                .iter()
                .flat_map(|bad| bad.cases("discriminants", &PLACES)),
        )
        .collect()
}

fn bad(name: String, ty: Ty, flat: Vec<Core>, stored: Vec<u8>) -> Given {
    Given {
        name,
        ty,
        encoding: "utf8",
        flat,
        in_memory: !stored.is_empty(),
        stored,
        data: Vec::new(),
        abi: AbiError::NotFlat,
        adapter: "",
        class: TrapClass::Other,
    }
}

/// Returns a list of one element with this memory.
fn list(name: String, ty: Ty, element: Vec<u8>) -> Given {
    Given {
        data: vec![(AT, element)],
        ..bad(name, ty, vec![Core::I32(AT), Core::I32(1)], words(&[AT, 1]))
    }
}

fn chars() -> Vec<Given> {
    let mut bads = Vec::new();
    for code in [
        0xd800,
        0xdbff,
        0xdc00,
        0xdfff,
        0x11_0000,
        0x7fff_ffff,
        0x8000_0041,
        u32::MAX,
    ] {
        let name = |of: &str| format!("{of} {code:#x}");
        let of = |bad: Given| Given {
            abi: AbiError::InvalidChar(code),
            adapter: "invalid `char` bit pattern",
            class: TrapClass::InvalidChar,
            ..bad
        };
        bads.push(of(bad(
            name("char"),
            Ty::new("char"),
            vec![Core::I32(code)],
            Vec::new(),
        )));
        bads.push(of(list(
            name("list of char"),
            Ty::new("(list char)"),
            words(&[code]),
        )));
        let some = vec![Core::I32(1), Core::I32(code)];
        bads.push(of(bad(
            name("option of char"),
            Ty::new("(option char)"),
            some,
            words(&[1, code]),
        )));
        let pair = vec![Core::I32(7), Core::I32(code)];
        bads.push(of(bad(
            name("tuple with char"),
            Ty::new("(tuple u8 char)"),
            pair,
            words(&[7, code]),
        )));
    }
    bads
}

/// Returns the labels of an enum, or the cases of a variant.
fn cases_of(kind: &str, count: u32, payload: &str) -> String {
    let mut text = format!("({kind}");
    for case in 0..count {
        if kind == "enum" {
            write!(text, " \"c{case}\"").unwrap();
        } else {
            write!(text, " (case \"c{case}\"{payload})").unwrap();
        }
    }
    text.push(')');
    text
}

/// A type with cases, and its layout as core values and in memory.
struct Cases {
    name: &'static str,
    ty: fn() -> Ty,
    cases: u32,
    /// Size of the discriminant, in bytes.
    width: usize,
    /// Core values after the discriminant.
    payload: &'static [Core],
    /// Size in memory, in bytes.
    size: usize,
}

const CASES: &[Cases] = &[
    Cases {
        name: "enum of 2",
        ty: || Ty::new(cases_of("enum", 2, "")),
        cases: 2,
        width: 1,
        payload: &[],
        size: 1,
    },
    Cases {
        name: "enum of 256",
        ty: || Ty::new(cases_of("enum", 256, "")),
        cases: 256,
        width: 1,
        payload: &[],
        size: 1,
    },
    Cases {
        name: "enum of 257",
        ty: || Ty::new(cases_of("enum", 257, "")),
        cases: 257,
        width: 2,
        payload: &[],
        size: 2,
    },
    Cases {
        name: "result without payloads",
        ty: || Ty::new("(result)"),
        cases: 2,
        width: 1,
        payload: &[],
        size: 1,
    },
    Cases {
        name: "option of u8",
        ty: || Ty::new("(option u8)"),
        cases: 2,
        width: 1,
        payload: &[Core::I32(0)],
        size: 2,
    },
    Cases {
        name: "result of u64 and u8",
        ty: || Ty::new("(result u64 (error u8))"),
        cases: 2,
        width: 1,
        payload: &[Core::I64(0)],
        size: 16,
    },
    Cases {
        name: "variant of 3",
        ty: || Ty::new("(variant (case \"a\") (case \"b\" float64) (case \"c\" u32))"),
        cases: 3,
        width: 1,
        payload: &[Core::I64(0)],
        size: 16,
    },
    Cases {
        name: "variant of 257",
        ty: || Ty::new(cases_of("variant", 257, " float64")),
        cases: 257,
        width: 2,
        payload: &[Core::F64(0.0)],
        size: 16,
    },
];

fn discriminants() -> Vec<Given> {
    let mut bads = Vec::new();
    for of in CASES {
        for got in [of.cases, of.cases + 1, 0xff, 0xffff, 0x1_0000, u32::MAX] {
            if got < of.cases {
                continue;
            }
            let refused = |bad: Given| Given {
                abi: AbiError::InvalidDiscriminant { got, cases: of.cases },
                adapter: "invalid variant discriminant",
                class: TrapClass::InvalidDiscriminant,
                ..bad
            };
            let fits = of.width == 4 || got >> (8 * of.width) == 0;
            let mut stored = got.to_le_bytes()[..of.width].to_vec();
            stored.resize(of.size, 0);
            let mut flat = vec![Core::I32(got)];
            flat.extend(of.payload);
            // Not every discriminant that can be passed flat can be stored.
            if fits || of.payload.is_empty() {
                let stored = if of.payload.is_empty() {
                    Vec::new()
                } else {
                    stored.clone()
                };
                bads.push(refused(bad(
                    format!("{} with {got}", of.name),
                    (of.ty)(),
                    flat,
                    stored,
                )));
            }
            if fits {
                let element = (of.ty)();
                let ty = element.element("(list $e)");
                bads.push(refused(list(
                    format!("list of {} with {got}", of.name),
                    ty,
                    stored,
                )));
            }
        }
    }
    // Some discriminants occur twice, next to each other: duplicates are dropped.
    bads.dedup_by(|a, b| a.name == b.name);
    bads
}
