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
    let plain = |byte: u8| byte.is_ascii() && !byte.is_ascii_control();
    if !name.bytes().all(plain) && name.contains(is_deceptive) {
        return Err("has a control or invisible character");
    }
    if name.starts_with(' ') || name.ends_with(' ') {
        return Err("begins or ends with a space");
    }
    Ok(())
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
    fn deceptive_names_are_refused() {
        for name in ["", " a", "a ", "a\0", "a\u{200d}b", "a\u{2066}b"] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        for name in ["a", "a b", "math.add", "größe", "*"] {
            assert_eq!(check_name(name), Ok(()));
        }
    }
}
