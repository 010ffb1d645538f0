//! Sections of core modules: their offsets and lengths.

use std::ops::Range;

/// Returns the offset of the section `id` whose content is `content`. A section begins with its id and, in up to
/// five bytes, the content's length.
pub(crate) fn start_of(module: &[u8], id: u8, content: &Range<usize>) -> Option<usize> {
    (1..=5).find_map(|length| {
        let at = content.start.checked_sub(length + 1)?;
        let size = read_leb(module.get(at + 1..content.start)?)?;
        (*module.get(at)? == id && size == content.len()).then_some(at)
    })
}

/// Appends a number, in LEB128.
pub(in crate::engine) fn leb(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

/// Decodes the number in LEB128 that is all of `bytes`.
fn read_leb(bytes: &[u8]) -> Option<usize> {
    let (last, rest) = bytes.split_last()?;
    if last & 0x80 != 0 || rest.iter().any(|byte| byte & 0x80 == 0) {
        return None;
    }
    let value = bytes
        .iter()
        .rev()
        .fold(0u64, |value, byte| (value << 7) | u64::from(byte & 0x7f));
    usize::try_from(value).ok()
}
