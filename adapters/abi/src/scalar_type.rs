//! Rust types whose values are one integer or float, and their conversions: the rules of every scalar, shared by
//! dynamic values and typed ones.

use crate::core_value::low_half;
use crate::error::AbiError;

/// The one bit pattern that NaNs are lifted and lowered as ("Loading", `canonicalize_nan32`), as in the specification's
/// deterministic profile.
const CANONICAL_NAN_32: u32 = 0x7fc0_0000;
const CANONICAL_NAN_64: u64 = 0x7ff8_0000_0000_0000;

/// A Rust type for a scalar of the component model.
///
/// A scalar is passed as 64 bits, of which memory holds the low [`SIZE`](Scalar::SIZE) bytes, little-endian, and a core
/// value as many as its type has. Lifting ignores the bits above the type's own, which is the effect of both `load_int`
/// and `lift_flat_unsigned`.
pub trait Scalar: Copy {
    /// Bytes in memory, which is also the alignment.
    const SIZE: u32;

    /// Returns the value of the low bits.
    ///
    /// # Errors
    /// [`AbiError::InvalidChar`].
    fn lift(bits: u64) -> Result<Self, AbiError>;

    /// Returns the value's bits, signed integers sign-extended to 32.
    fn lower(self) -> u64;

    /// Loads the value from the first [`SIZE`](Scalar::SIZE) bytes; missing bytes count as zero.
    ///
    /// # Errors
    /// As [`Scalar::lift`].
    fn load(bytes: &[u8]) -> Result<Self, AbiError>;

    /// Writes the value to the first [`SIZE`](Scalar::SIZE) bytes, if there are as many.
    fn store(self, bytes: &mut [u8]);

    /// Appends the values at consecutive addresses, [`SIZE`](Scalar::SIZE) bytes apart.
    ///
    /// # Errors
    /// As [`Scalar::lift`].
    fn load_all(bytes: &[u8], values: &mut Vec<Self>) -> Result<(), AbiError>;

    /// Writes the values to consecutive addresses.
    fn store_all(values: &[Self], bytes: &mut [u8]);
}

/// Implements [`Scalar`]. `$raw` is the unsigned integer of the scalar's size in memory.
macro_rules! scalars {
    ($($ty:ty as $raw:ty: |$bits:ident| $lift:expr, |$value:ident| $lower:expr;)*) => {$(
        impl Scalar for $ty {
            const SIZE: u32 = size_of::<$raw>() as u32;

            #[inline]
            fn lift($bits: u64) -> Result<$ty, AbiError> {
                $lift
            }

            #[inline]
            fn lower(self) -> u64 {
                let $value = self;
                $lower
            }

            #[inline]
            fn load(bytes: &[u8]) -> Result<$ty, AbiError> {
                let raw = bytes.first_chunk().copied().unwrap_or_default();
                <$ty>::lift(u64::from(<$raw>::from_le_bytes(raw)))
            }

            #[inline]
            fn store(self, bytes: &mut [u8]) {
                if let Some(bytes) = bytes.first_chunk_mut() {
                    *bytes = ((self.lower() & u64::from(<$raw>::MAX)) as $raw).to_le_bytes();
                }
            }

            #[inline]
            fn load_all(bytes: &[u8], values: &mut Vec<$ty>) -> Result<(), AbiError> {
                let (places, _) = bytes.as_chunks();
                values.reserve(places.len());
                for place in places {
                    values.push(<$ty>::lift(u64::from(<$raw>::from_le_bytes(*place)))?);
                }
                Ok(())
            }

            #[inline]
            fn store_all(values: &[$ty], bytes: &mut [u8]) {
                let (places, _) = bytes.as_chunks_mut();
                for (place, value) in places.iter_mut().zip(values) {
                    *place = ((value.lower() & u64::from(<$raw>::MAX)) as $raw).to_le_bytes();
                }
            }
        }
    )*};
}

scalars! {
    // In memory a bool is one byte and the rest is zero; as a core value all 32 bits count.
    bool as u8: |bits| Ok(low_half(bits) != 0), |value| u64::from(value);
    i8 as u8: |bits| Ok((bits & 0xff) as i8), |value| u64::from(i32::from(value).cast_unsigned());
    i16 as u16: |bits| Ok((bits & 0xffff) as i16), |value| u64::from(i32::from(value).cast_unsigned());
    char as u32:
        |bits| char::from_u32(low_half(bits)).ok_or(AbiError::InvalidChar(low_half(bits))),
        |value| u64::from(u32::from(value));
    f32 as u32:
        |bits| Ok(f32::from_bits(canonical_32(low_half(bits)))),
        |value| u64::from(canonical_32(value.to_bits()));
    f64 as u64: |bits| Ok(f64::from_bits(canonical_64(bits))), |value| canonical_64(value.to_bits());
}

#[inline]
fn canonical_32(bits: u32) -> u32 {
    if f32::from_bits(bits).is_nan() {
        CANONICAL_NAN_32
    } else {
        bits
    }
}

#[inline]
fn canonical_64(bits: u64) -> u64 {
    if f64::from_bits(bits).is_nan() {
        CANONICAL_NAN_64
    } else {
        bits
    }
}

/// Implements [`Scalar`] for integers, whose bits are the same in memory: lists of them are copied as a whole.
macro_rules! integers {
    ($($ty:ty: |$bits:ident| $lift:expr, |$value:ident| $lower:expr;)*) => {$(
        impl Scalar for $ty {
            const SIZE: u32 = size_of::<$ty>() as u32;

            #[inline]
            fn lift($bits: u64) -> Result<$ty, AbiError> {
                Ok($lift)
            }

            #[inline]
            fn lower(self) -> u64 {
                let $value = self;
                $lower
            }

            #[inline]
            fn load(bytes: &[u8]) -> Result<$ty, AbiError> {
                Ok(<$ty>::from_le_bytes(bytes.first_chunk().copied().unwrap_or_default()))
            }

            #[inline]
            fn store(self, bytes: &mut [u8]) {
                if let Some(bytes) = bytes.first_chunk_mut() {
                    *bytes = self.to_le_bytes();
                }
            }

            #[inline]
            fn load_all(bytes: &[u8], values: &mut Vec<$ty>) -> Result<(), AbiError> {
                let (places, _) = bytes.as_chunks();
                values.extend(places.iter().map(|place| <$ty>::from_le_bytes(*place)));
                Ok(())
            }

            #[inline]
            fn store_all(values: &[$ty], bytes: &mut [u8]) {
                let (places, _) = bytes.as_chunks_mut();
                for (place, value) in places.iter_mut().zip(values) {
                    *place = value.to_le_bytes();
                }
            }
        }
    )*};
}

integers! {
    u8: |bits| (bits & 0xff) as u8, |value| u64::from(value);
    u16: |bits| (bits & 0xffff) as u16, |value| u64::from(value);
    u32: |bits| low_half(bits), |value| u64::from(value);
    i32: |bits| low_half(bits).cast_signed(), |value| u64::from(value.cast_unsigned());
    u64: |bits| bits, |value| value;
    i64: |bits| bits.cast_signed(), |value| value.cast_unsigned();
}
