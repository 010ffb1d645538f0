//! Names of functions, components and topics, and keys of settings.

use super::{MAX_SCOPE_BYTES, is_deceptive};

/// Checks a name, which is compared as a whole.
pub(in crate::security) fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("is empty");
    }
    if name.len() > MAX_SCOPE_BYTES {
        return Err("is longer than 4096 bytes");
    }
    if !is_plain(name) && name.contains(is_deceptive) {
        return Err("has a control or invisible character");
    }
    let bytes = name.as_bytes();
    if bytes.first() == Some(&b' ') || bytes.last() == Some(&b' ') {
        return Err("begins or ends with a space");
    }
    Ok(())
}

/// Returns whether a text has only printable ASCII, as almost all have. Eight bytes are compared at a time.
pub(in crate::security) fn is_plain(text: &str) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * EACH;
    // The high bit of a byte is set if it is below a space, if it is DEL, and if it is not ASCII. A carry or borrow comes only
    // from a byte that is already found.
    let other = |bytes: [u8; 8]| {
        let bytes = u64::from_le_bytes(bytes);
        (bytes.wrapping_sub(0x20 * EACH) | bytes.wrapping_add(EACH) | bytes) & HIGH
    };
    let (chunks, rest) = text.as_bytes().as_chunks::<8>();
    let last = match text.as_bytes().last_chunk::<8>() {
        Some(last) => other(*last),
        None => rest.iter().fold(0, |found, byte| found | other([*byte; 8])),
    };
    chunks.iter().fold(last, |found, chunk| found | other(*chunk)) == 0
}

/// Checks the key of a setting.
pub(in crate::security) fn check_key(key: &str) -> Result<(), &'static str> {
    check_name(key)
}

/// Splits a key before each `.`, `/` and `:`, so that `db` covers `db.host`, but not `dbx`.
pub(in crate::security) fn key_segments(key: &str) -> impl Iterator<Item = &str> {
    let mut rest = key;
    std::iter::from_fn(move || {
        let mut inner = rest.char_indices().skip(1);
        let end = inner
            .find(|(_, character)| matches!(character, '.' | '/' | ':'))
            .map_or(rest.len(), |(at, _)| at);
        let (segment, behind) = rest.split_at(end);
        rest = behind;
        (!segment.is_empty()).then_some(segment)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_split_before_separators() {
        for (key, segments) in [
            ("", &[][..]),
            ("db", &["db"]),
            ("db.host/a:b", &["db", ".host", "/a", ":b"]),
            (".a", &[".a"]),
            ("a..b", &["a", ".", ".b"]),
            ("ü.ä", &["ü", ".ä"]),
        ] {
            assert_eq!(key_segments(key).collect::<Vec<_>>(), segments);
        }
    }

    #[test]
    fn plain_texts_have_printable_ascii_only() {
        for length in 0..20 {
            let text = "a".repeat(length);
            assert!(is_plain(&text));
            for at in 0..=length {
                for other in (0..=0x10ff_u32).chain([0x1_f600]).filter_map(char::from_u32) {
                    let mut text = text.clone();
                    text.insert(at, other);
                    assert_eq!(is_plain(&text), matches!(other, ' '..='~'), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn deceptive_names_are_refused() {
        for name in ["", " a", "a ", "a\0", "a\u{200d}b", "a\u{2066}b"] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        for name in ["a", "a b", "math.add", "größe", "*"] {
            assert_eq!(check_name(name), Ok(()));
        }
    }
}
