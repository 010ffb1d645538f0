//! Core WebAssembly values, and the coercions between them that a flattened variant needs.

use std::fmt;

use crate::error::AbiError;

/// A core value type that the canonical ABI passes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CoreType {
    I32,
    I64,
    F32,
    F64,
}

impl fmt::Display for CoreType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CoreType::I32 => "i32",
            CoreType::I64 => "i64",
            CoreType::F32 => "f32",
            CoreType::F64 => "f64",
        })
    }
}

/// A core value. Floats are bit patterns, so that a NaN's payload is never touched by accident.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CoreValue {
    I32(i32),
    I64(i64),
    /// The bits of an `f32`.
    F32(u32),
    /// The bits of an `f64`.
    F64(u64),
}

/// The core signature of a lifted or lowered function.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CoreSignature {
    pub params: Vec<CoreType>,
    pub results: Vec<CoreType>,
}

impl CoreValue {
    /// Returns the value's core type.
    pub fn ty(self) -> CoreType {
        match self {
            CoreValue::I32(_) => CoreType::I32,
            CoreValue::I64(_) => CoreType::I64,
            CoreValue::F32(_) => CoreType::F32,
            CoreValue::F64(_) => CoreType::F64,
        }
    }

    /// Creates a value from its low bits; a 32-bit type ignores the upper half.
    pub fn from_bits(ty: CoreType, bits: u64) -> CoreValue {
        match ty {
            CoreType::I32 => CoreValue::I32(low_half(bits).cast_signed()),
            CoreType::I64 => CoreValue::I64(bits.cast_signed()),
            CoreType::F32 => CoreValue::F32(low_half(bits)),
            CoreType::F64 => CoreValue::F64(bits),
        }
    }

    /// Returns the value's bits, zero-extended to 64.
    pub fn bits(self) -> u64 {
        match self {
            CoreValue::I32(value) => u64::from(value.cast_unsigned()),
            CoreValue::I64(value) => value.cast_unsigned(),
            CoreValue::F32(bits) => u64::from(bits),
            CoreValue::F64(bits) => bits,
        }
    }

    /// Returns an `i32` as an unsigned integer: a pointer, a length, a discriminant or a handle.
    pub(crate) fn u32(self) -> Result<u32, AbiError> {
        match self {
            CoreValue::I32(value) => Ok(value.cast_unsigned()),
            other => Err(AbiError::CoreValueMismatch {
                expected: CoreType::I32,
                got: other.ty(),
            }),
        }
    }

    /// Converts a variant's joined value to the type of its payload ("Flat Lifting", `lift_flat_variant`): bits
    /// reinterpreted, `i64` wrapped to 32 bits.
    pub(crate) fn unjoin(self, want: CoreType) -> Result<CoreValue, AbiError> {
        let allowed = match (self.ty(), want) {
            (have, want) if have == want => true,
            (CoreType::I32, CoreType::F32) | (CoreType::I64, _) => true,
            _ => false,
        };
        if allowed {
            Ok(CoreValue::from_bits(want, self.bits()))
        } else {
            Err(AbiError::CoreValueMismatch {
                expected: want,
                got: self.ty(),
            })
        }
    }

    /// Converts a payload's value to the joined type ("Flat Lowering", `lower_flat_variant`): bits reinterpreted, 32
    /// bits zero-extended to `i64`.
    pub(crate) fn join(self, joined: CoreType) -> Result<CoreValue, AbiError> {
        let allowed = match (self.ty(), joined) {
            (have, joined) if have == joined => true,
            (CoreType::F32, CoreType::I32) | (_, CoreType::I64) => true,
            _ => false,
        };
        if allowed {
            Ok(CoreValue::from_bits(joined, self.bits()))
        } else {
            Err(AbiError::CoreValueMismatch {
                expected: joined,
                got: self.ty(),
            })
        }
    }
}

/// Returns the low 32 bits.
pub(crate) fn low_half(bits: u64) -> u32 {
    (bits & u64::from(u32::MAX)) as u32
}

/// Checks a list of core values against the types of a signature.
pub(crate) fn check_core_values(types: &[CoreType], values: &[CoreValue]) -> Result<(), AbiError> {
    if types.len() != values.len() {
        return Err(AbiError::WrongCoreValueCount {
            expected: types.len(),
            got: values.len(),
        });
    }
    for (expected, value) in types.iter().zip(values) {
        if *expected != value.ty() {
            return Err(AbiError::CoreValueMismatch {
                expected: *expected,
                got: value.ty(),
            });
        }
    }
    Ok(())
}
