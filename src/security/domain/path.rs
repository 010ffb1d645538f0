//! Paths of `filesystem` scopes and requests.
//!
//! Paths are absolute in the component's view, with the separator `/`. They are compared by components: `/data` covers
//! `/data/x`, but not `/database`. Empty components and `.` are skipped, so that `//data/./x/` is `/data/x`.

use super::{MAX_SCOPE_BYTES, is_deceptive};

/// Checks a path. A path with a component `..` is refused even if it stays within its folder, since the meaning of `..`
/// depends on symbolic links.
pub(in crate::security) fn check_path(path: &str) -> Result<(), &'static str> {
    if path.len() > MAX_SCOPE_BYTES {
        return Err("is longer than 4096 bytes");
    }
    if !path.starts_with('/') {
        return Err("is not an absolute path; begin it with `/`");
    }
    // Plain ASCII passes in one scan.
    let special = |byte: u8| !byte.is_ascii() || byte.is_ascii_control() || byte == b'\\' || byte == b'%';
    if path.bytes().any(special) {
        check_special(path)?;
    }
    if path.split('/').any(|component| component == "..") {
        return Err("has a component `..`; write the path that it leads to");
    }
    Ok(())
}

#[cold]
fn check_special(path: &str) -> Result<(), &'static str> {
    if path.contains('\0') {
        return Err("contains NUL");
    }
    if path.contains(is_deceptive) {
        return Err("has a control or invisible character");
    }
    if path.contains('\\') {
        return Err("contains `\\`; the separator is `/`");
    }
    let encoded = |code: &[u8]| {
        matches!(
            code,
            [b'%', b'2', b'f' | b'F' | b'e' | b'E'] | [b'%', b'5', b'c' | b'C'] | [b'%', b'0', b'0']
        )
    };
    if path.as_bytes().windows(3).any(encoded) {
        return Err("has a percent-encoded separator, dot or NUL; write the character itself");
    }
    Ok(())
}

/// Returns the components of a checked path, without empty ones and `.`.
pub(in crate::security) fn path_segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter(|component| !component.is_empty() && *component != ".")
}

/// Returns the normal form of a checked path.
pub(in crate::security) fn normal_path(path: &str) -> Box<str> {
    let mut out = String::with_capacity(path.len());
    for component in path_segments(path) {
        out.push('/');
        out.push_str(component);
    }
    if out.is_empty() {
        out.push('/');
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_a_normal_form() {
        for (path, normal) in [
            ("/", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/a", "/a"),
            ("/a/", "/a"),
            ("//a//b/./c/", "/a/b/c"),
            ("/a b/ü", "/a b/ü"),
            ("/a%20b", "/a%20b"),
            ("/..a/b..", "/..a/b.."),
            ("/...", "/..."),
        ] {
            assert_eq!(check_path(path), Ok(()), "{path}");
            assert_eq!(&*normal_path(path), normal);
        }
    }

    #[test]
    fn misleading_paths_are_refused() {
        let long = format!("/{}", "a".repeat(MAX_SCOPE_BYTES));
        for path in [
            "",
            "a",
            "./a",
            "~/a",
            "C:/a",
            "/..",
            "/a/..",
            "/a/../b",
            "/a/./../b",
            "/a\0b",
            "/a\nb",
            "/a\u{7f}",
            "/a\u{85}",
            "/a\u{202e}txt",
            "/a\u{200b}b",
            "/a\\b",
            "\\a",
            "/a%2fb",
            "/a%2Fb",
            "/%2e%2e/b",
            "/%2E./b",
            "/a%5cb",
            "/a%00",
            &long,
        ] {
            assert!(check_path(path).is_err(), "{path:?}");
        }
    }
}
