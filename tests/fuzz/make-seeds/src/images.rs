//! Images of a guest's memory.

use std::collections::BTreeMap;

/// How many types `guests/values.wit` has.
const TYPES: u8 = 41;
/// Where results lie in the guests of `tests/support/src/echo.rs`, and where arguments do.
const RESULT: u32 = 0x1100;
const DUMP: u32 = 0x1000;

pub(crate) fn all() -> BTreeMap<String, Vec<u8>> {
    let mut seeds = BTreeMap::new();
    for index in 0..TYPES {
        let encoding = index % 3;
        for (direction, name, base) in [(0, "result", RESULT), (1, "arguments", DUMP)] {
            let mut seed = vec![1, encoding, index, direction];
            seed.extend(words(base));
            seeds.insert(format!("{name}-t{index}"), seed);
        }
    }
    // The ABI by itself: an encoding, a function of one parameter of each kind, small numbers after it.
    for encoding in 0..3 {
        for kind in 0..32 {
            let mut seed = vec![0, encoding, 1, 1, kind];
            seed.extend((0..96).map(|n: u8| if n % 4 == 0 { n / 8 } else { n % 3 }));
            seed.extend(words(0));
            seeds.insert(format!("abi-{encoding}-{kind}"), seed);
        }
    }
    seeds
}

/// Pointers that lead further on in the image with small lengths between them, then text.
fn words(base: u32) -> Vec<u8> {
    let mut image = Vec::new();
    for n in 0..16 {
        let word = if n % 2 == 0 { base + 64 + n } else { n / 2 };
        image.extend(word.to_le_bytes());
    }
    image.extend("a\0b\0é漢😀".bytes());
    image.resize(96, 1);
    image
}
