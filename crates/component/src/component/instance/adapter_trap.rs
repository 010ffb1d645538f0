//! Trap codes of the adapters between components. The numbers are part of the adapters' code, and so of artifacts; the
//! translator assigns them, and its tests compare this list with its own.

use crate::error::TrapKind;

/// The numbers that have a name here: all that the adapters of this version use.
#[cfg(all(test, feature = "compile"))]
pub(in crate::component) const NAMED: &[u32] = &[1, 17, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33];

/// Converts an adapter's trap code to the kind of trap.
pub(crate) fn adapter_trap(code: u32) -> TrapKind {
    let text = match code {
        1 => "out of bounds memory access",
        17 => return TrapKind::Reentrance,
        23 => return TrapKind::CannotLeave,
        24 => "cannot block a synchronous task before returning",
        25 => "invalid `char` bit pattern",
        26 => "should have finished string encoding",
        27 => "code units should be equal",
        28 => "pointer should be aligned",
        29 => "upper bits should be unset",
        30 => "string content out-of-bounds",
        31 => "list content out-of-bounds",
        32 => "invalid variant discriminant",
        33 => "unaligned pointer",
        _ => return TrapKind::Adapter(format!("unknown trap code {code}")),
    };
    TrapKind::Adapter(text.to_owned())
}
