//! Dynamic values that are one integer or float, with the same bits in memory and as a core value; see [`Scalar`].

use std::sync::Arc;

use crate::core_value::low_half;
use crate::error::AbiError;
use crate::plan::{Plan, PlanKind};
use crate::scalar_type::Scalar;
use crate::val::Val;

impl Plan {
    /// Returns whether the value is one scalar. Handles are not: they need the guest.
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
            | K::Borrow(_)
            | K::Stream(_)
            | K::Future(_)
            | K::ErrorContext => false,
        }
    }

    /// Returns the bytes that the host allocates, beside the value itself, to lift a scalar.
    pub(crate) fn scalar_lift_cost(&self) -> u64 {
        match self.kind() {
            PlanKind::Flags(flags) => (flags.names.len() * size_of::<Arc<str>>()) as u64,
            _ => 0,
        }
    }
}

/// Lifts a scalar.
pub(crate) fn lift_scalar<R, S, F>(plan: &Plan, bits: u64) -> Result<Val<R, S, F>, AbiError> {
    let word = low_half(bits);
    Ok(match plan.kind() {
        PlanKind::Bool => Val::Bool(bool::lift(bits)?),
        PlanKind::S8 => Val::S8(i8::lift(bits)?),
        PlanKind::U8 => Val::U8(u8::lift(bits)?),
        PlanKind::S16 => Val::S16(i16::lift(bits)?),
        PlanKind::U16 => Val::U16(u16::lift(bits)?),
        PlanKind::S32 => Val::S32(i32::lift(bits)?),
        PlanKind::U32 => Val::U32(u32::lift(bits)?),
        PlanKind::S64 => Val::S64(i64::lift(bits)?),
        PlanKind::U64 => Val::U64(u64::lift(bits)?),
        PlanKind::Float32 => Val::Float32(f32::lift(bits)?),
        PlanKind::Float64 => Val::Float64(f64::lift(bits)?),
        PlanKind::Char => Val::Char(char::lift(bits)?),
        PlanKind::Enum(plan) => Val::Enum(Arc::clone(case(&plan.names, word)?)),
        // Bits beyond the labels are ignored (`unpack_flags_from_int`).
        PlanKind::Flags(plan) => {
            let is_set = |bit: usize| bit < 32 && word & (1 << bit) != 0;
            let names = plan.names.iter().enumerate().filter(|(bit, _)| is_set(*bit));
            // No more room than the budget was charged for: collecting would allocate it for four labels at least.
            let mut flags = Vec::with_capacity(names.clone().count());
            flags.extend(names.map(|(_, name)| Arc::clone(name)));
            Val::Flags(flags)
        }
        _ => return Err(AbiError::NotFlat),
    })
}

/// Returns the case of a discriminant.
pub(crate) fn case<T>(cases: &[T], discriminant: u32) -> Result<&T, AbiError> {
    let count = u32::try_from(cases.len()).unwrap_or(u32::MAX);
    check_case(discriminant, count)?;
    let found = usize::try_from(discriminant)
        .ok()
        .and_then(|index| cases.get(index));
    found.ok_or_else(|| no_case(discriminant, count))
}

/// Checks that a discriminant is less than the number of cases.
///
/// # Errors
/// [`AbiError::InvalidDiscriminant`].
#[inline]
pub fn check_case(discriminant: u32, cases: u32) -> Result<(), AbiError> {
    if discriminant < cases {
        Ok(())
    } else {
        Err(no_case(discriminant, cases))
    }
}

fn no_case(got: u32, cases: u32) -> AbiError {
    AbiError::InvalidDiscriminant { got, cases }
}

/// Returns the position of a name among cases or labels.
pub(crate) fn position<T>(items: &[T], name_of: impl Fn(&T) -> &str, name: &str) -> Option<u32> {
    items
        .iter()
        .position(|item| name_of(item) == name)
        .and_then(|index| u32::try_from(index).ok())
}

/// Lowers a scalar to its bits, signed integers sign-extended to 32 bits; `None` if the value does not fit the type.
pub(crate) fn lower_scalar<R, S, F>(plan: &Plan, val: &Val<R, S, F>) -> Option<u64> {
    Some(match (plan.kind(), val) {
        (PlanKind::Bool, Val::Bool(value)) => value.lower(),
        (PlanKind::S8, Val::S8(value)) => value.lower(),
        (PlanKind::U8, Val::U8(value)) => value.lower(),
        (PlanKind::S16, Val::S16(value)) => value.lower(),
        (PlanKind::U16, Val::U16(value)) => value.lower(),
        (PlanKind::S32, Val::S32(value)) => value.lower(),
        (PlanKind::U32, Val::U32(value)) => value.lower(),
        (PlanKind::S64, Val::S64(value)) => value.lower(),
        (PlanKind::U64, Val::U64(value)) => value.lower(),
        (PlanKind::Float32, Val::Float32(value)) => value.lower(),
        (PlanKind::Float64, Val::Float64(value)) => value.lower(),
        (PlanKind::Char, Val::Char(value)) => value.lower(),
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

/// Loads a list of numbers from consecutive addresses; returns `false` if the elements are not numbers.
pub(crate) fn load_numbers<R, S, F>(element: &Plan, bytes: &[u8], vals: &mut Vec<Val<R, S, F>>) -> bool {
    macro_rules! numbers {
        ($($kind:ident: $ty:ty,)*) => {
            match element.kind() {
                $(PlanKind::$kind => {
                    let (places, _) = bytes.as_chunks();
                    vals.extend(places.iter().map(|place| Val::$kind(<$ty>::from_le_bytes(*place))));
                    true
                })*
                _ => false,
            }
        };
    }
    numbers! { S8: i8, U8: u8, S16: i16, U16: u16, S32: i32, U32: u32, S64: i64, U64: u64, }
}
