//! Strips name sections that make wasmer fail.
//!
//! wasmer names the unit of its debugging information after the module, and panics if that name is empty or has a NUL
//! in it. Such a name is of no use, so the whole section is removed.

use std::borrow::Cow;
use std::ops::Range;

use wasmparser::{KnownCustom, Name, Parser, Payload};

use crate::engine::compile::sections::start_of;

const CUSTOM_SECTION: u8 = 0;

/// Returns the module without the name sections whose module name is empty or has a NUL. The bytes are valid
/// already; the compiler refuses what cannot be read.
pub(in crate::engine) fn without_bad(module: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let bad = bad_sections(&module);
    if bad.is_empty() {
        return module;
    }
    let mut out = Vec::with_capacity(module.len());
    let mut at = 0;
    for section in bad {
        out.extend_from_slice(module.get(at..section.start).unwrap_or_default());
        at = section.end;
    }
    out.extend_from_slice(module.get(at..).unwrap_or_default());
    Cow::Owned(out)
}

/// Reports whether the engine fails on this name of a module.
pub(super) fn is_bad(name: &str) -> bool {
    name.is_empty() || name.contains('\0')
}

fn bad_sections(module: &[u8]) -> Vec<Range<usize>> {
    let mut bad = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        let Ok(Payload::CustomSection(section)) = payload else {
            continue;
        };
        let KnownCustom::Name(names) = section.as_known() else {
            continue;
        };
        let is_bad = names.into_iter().any(|name| match name {
            Ok(Name::Module { name, .. }) => is_bad(name),
            _ => false,
        });
        if is_bad && let Some(start) = start_of(module, CUSTOM_SECTION, &section.range()) {
            bad.push(start..section.range().end);
        }
    }
    bad
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(name: &[u8]) -> Vec<u8> {
        let mut names = vec![
            0,
            u8::try_from(name.len() + 1).expect("short"),
            u8::try_from(name.len()).expect("short"),
        ];
        names.extend(name);
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        module.extend([0, u8::try_from(5 + names.len()).expect("short"), 4]);
        module.extend(b"name");
        module.extend(names);
        // A section behind it.
        module.extend([1, 1, 0]);
        module
    }

    #[test]
    fn a_section_with_a_bad_name_goes_and_others_stay() {
        for bad in [&b""[..], b"\0", b"a\0b"] {
            let rest = without_bad(Cow::Owned(module(bad)));
            assert_eq!(&*rest, b"\0asm\x01\0\0\0\x01\x01\0", "{bad:?}");
        }
        let good = module(b"good");
        assert_eq!(&*without_bad(Cow::Borrowed(&good)), &good[..]);
    }
}
