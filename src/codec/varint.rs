//! Unsigned varints, as multiformats `unsigned-varint` defines them.
//!
//! Seven bits a byte, the least significant group first; the top bit is set on every byte but the last.
//!
//! | value           | bytes                        |
//! |-----------------|------------------------------|
//! | `0`             | `00`                         |
//! | `127`           | `7f`                         |
//! | `128`           | `80 01`                      |
//! | `0x0200` (json) | `80 04`                      |
//! | `2⁶³ − 1`       | `ff ff ff ff ff ff ff ff 7f` |
//!
//! Two rules go beyond plain LEB128: at most [`MAX_LEN`] bytes, and no byte that the value does not need. So each value has
//! one encoding only, and prefixes can be compared as bytes.

/// Most bytes of a varint, so a value has at most 63 bits. Stops a run of `80` bytes that would make a reader scan to the
/// end of the input.
pub const MAX_LEN: usize = 9;

/// The largest value that a varint can represent, 2⁶³ − 1: larger numbers need more than [`MAX_LEN`] bytes.
pub const MAX_VALUE: u64 = (1 << (7 * MAX_LEN)) - 1;

/// Reasons for which bytes do not begin with a varint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VarintError {
    /// There are no bytes.
    #[error("there are no bytes to read a number from")]
    Empty,
    /// The bytes end before the number does.
    #[error("the bytes end within a number")]
    Truncated,
    /// The number has more than [`MAX_LEN`] bytes, or a last byte that adds nothing to it.
    #[error("the number has more bytes than it needs, or more than {MAX_LEN}")]
    Overlong,
}

/// Appends `value` to `out`.
///
/// A value above [`MAX_VALUE`] takes ten bytes, which [`read`] refuses.
pub fn write(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads the varint at the start of `bytes`; returns its value and the bytes behind it.
///
/// # Errors
///
/// Each [`VarintError`]. `Truncated` means that more bytes could complete the varint, `Overlong` that none could.
pub fn read(bytes: &[u8]) -> Result<(u64, &[u8]), VarintError> {
    if bytes.is_empty() {
        return Err(VarintError::Empty);
    }
    let mut value = 0;
    for (index, &byte) in bytes.iter().take(MAX_LEN).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return if byte == 0 && index > 0 {
                Err(VarintError::Overlong)
            } else {
                Ok((value, &bytes[index + 1..]))
            };
        }
    }
    if bytes.len() < MAX_LEN {
        Err(VarintError::Truncated)
    } else {
        Err(VarintError::Overlong)
    }
}
