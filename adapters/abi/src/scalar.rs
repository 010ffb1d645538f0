//! Values that are one integer or float: the same bits in memory and as a core value.
//!
//! A scalar is carried as 64 bits, of which memory holds the low [`Plan::size`] bytes and a core value as many as its
//! type has. Lifting ignores the bits above the type's own, as `load_int` and `lift_flat_unsigned` both come to.

use std::sync::Arc;

use crate::core_value::low_half;
use crate::error::AbiError;
use crate::plan::{Plan, PlanKind};
use crate::val::Val;

/// The one bit pattern that NaNs are lifted and lowered as ("Loading", `canonicalize_nan32`): what the
/// specification's deterministic profile asks for.
const CANONICAL_NAN_32: u32 = 0x7fc0_0000;
const CANONICAL_NAN_64: u64 = 0x7ff8_0000_0000_0000;

impl Plan {
    /// Whether the value is one scalar. Handles are not: they need the guest.
    pub(crate) fn is_scalar(&self) -> bool {
        use PlanKind as K;
        match self.kind() {
            K::Bool
            | K::S8
            | K::U8
            | K::S16
            | K::U16
            | K::S32
            | K::U32
            | K::S64
            | K::U64
            | K::Float32
            | K::Float64
            | K::Char
            | K::Enum(_)
            | K::Flags(_) => true,
            K::String
            | K::Bytes
            | K::List(_)
            | K::FixedLengthList { .. }
            | K::Record(_)
            | K::Tuple(_)
            | K::Variant(_)
            | K::Option { .. }
            | K::Result { .. }
            | K::Own(_)
            | K::Borrow(_) => false,
        }
    }

    /// Bytes the host allocates, beside the value itself, to lift a scalar.
    pub(crate) fn scalar_lift_cost(&self) -> u64 {
        match self.kind() {
            PlanKind::Flags(flags) => (flags.names.len() * size_of::<Arc<str>>()) as u64,
            _ => 0,
        }
    }
}

/// Lifts a scalar.
pub(crate) fn lift_scalar<R>(plan: &Plan, bits: u64) -> Result<Val<R>, AbiError> {
    let [b0, b1, ..] = bits.to_le_bytes();
    let short = u16::from_le_bytes([b0, b1]);
    let word = low_half(bits);
    Ok(match plan.kind() {
        // In memory a bool is one byte and the rest is zero; as a core value all 32 bits count.
        PlanKind::Bool => Val::Bool(word != 0),
        PlanKind::S8 => Val::S8(b0.cast_signed()),
        PlanKind::U8 => Val::U8(b0),
        PlanKind::S16 => Val::S16(short.cast_signed()),
        PlanKind::U16 => Val::U16(short),
        PlanKind::S32 => Val::S32(word.cast_signed()),
        PlanKind::U32 => Val::U32(word),
        PlanKind::S64 => Val::S64(bits.cast_signed()),
        PlanKind::U64 => Val::U64(bits),
        PlanKind::Float32 => {
            let float = f32::from_bits(word);
            Val::Float32(if float.is_nan() {
                f32::from_bits(CANONICAL_NAN_32)
            } else {
                float
            })
        }
        PlanKind::Float64 => {
            let float = f64::from_bits(bits);
            Val::Float64(if float.is_nan() {
                f64::from_bits(CANONICAL_NAN_64)
            } else {
                float
            })
        }
        PlanKind::Char => Val::Char(char::from_u32(word).ok_or(AbiError::InvalidChar(word))?),
        PlanKind::Enum(plan) => Val::Enum(Arc::clone(case(&plan.names, word)?)),
        // Bits beyond the labels are ignored (`unpack_flags_from_int`).
        PlanKind::Flags(plan) => {
            let is_set = |bit: usize| bit < 32 && word & (1 << bit) != 0;
            let names = plan.names.iter().enumerate().filter(|(bit, _)| is_set(*bit));
            Val::Flags(names.map(|(_, name)| Arc::clone(name)).collect())
        }
        _ => return Err(AbiError::NotFlat),
    })
}

/// The case that a discriminant names.
pub(crate) fn case<T>(cases: &[T], discriminant: u32) -> Result<&T, AbiError> {
    let found = usize::try_from(discriminant)
        .ok()
        .and_then(|index| cases.get(index));
    found.ok_or_else(|| AbiError::InvalidDiscriminant {
        got: discriminant,
        cases: u32::try_from(cases.len()).unwrap_or(u32::MAX),
    })
}

/// The position of a name among cases or labels.
pub(crate) fn position<T>(items: &[T], name_of: impl Fn(&T) -> &str, name: &str) -> Option<u32> {
    items
        .iter()
        .position(|item| name_of(item) == name)
        .and_then(|index| u32::try_from(index).ok())
}

/// Lowers a scalar to its bits, signed integers sign-extended to 32 bits; `None` if the value does not fit the type.
pub(crate) fn lower_scalar<R>(plan: &Plan, val: &Val<R>) -> Option<u64> {
    let signed = |value: i32| u64::from(value.cast_unsigned());
    Some(match (plan.kind(), val) {
        (PlanKind::Bool, Val::Bool(value)) => u64::from(*value),
        (PlanKind::S8, Val::S8(value)) => signed(i32::from(*value)),
        (PlanKind::U8, Val::U8(value)) => u64::from(*value),
        (PlanKind::S16, Val::S16(value)) => signed(i32::from(*value)),
        (PlanKind::U16, Val::U16(value)) => u64::from(*value),
        (PlanKind::S32, Val::S32(value)) => signed(*value),
        (PlanKind::U32, Val::U32(value)) => u64::from(*value),
        (PlanKind::S64, Val::S64(value)) => value.cast_unsigned(),
        (PlanKind::U64, Val::U64(value)) => *value,
        (PlanKind::Float32, Val::Float32(value)) => u64::from(if value.is_nan() {
            CANONICAL_NAN_32
        } else {
            value.to_bits()
        }),
        (PlanKind::Float64, Val::Float64(value)) => {
            if value.is_nan() {
                CANONICAL_NAN_64
            } else {
                value.to_bits()
            }
        }
        (PlanKind::Char, Val::Char(value)) => u64::from(u32::from(*value)),
        (PlanKind::Enum(plan), Val::Enum(name)) => u64::from(position(&plan.names, |name| &**name, name)?),
        (PlanKind::Flags(plan), Val::Flags(names)) => {
            let mut bits = 0;
            for name in names {
                bits |= 1u64.checked_shl(position(&plan.names, |name| &**name, name)?)?;
            }
            bits
        }
        _ => return None,
    })
}
