//! Core values in transit: their bits, without their types.

use airssys_wasm_abi::MAX_FLAT_PARAMS;

/// The most core values of one call: all parameters flat, and the pointer for a result in memory.
pub(crate) const MAX_CORE_VALUES: usize = MAX_FLAT_PARAMS + 1;

/// A writer of core values, each as its bits, zero-extended to 64.
///
/// A variant's joined core values need no more than bits: reinterpreting keeps them, and an `i64` that stands for a
/// narrower type has it in its low half ([Flat Lowering], `lower_flat_variant`).
///
/// [Flat Lowering]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#flat-lowering
#[derive(Debug)]
pub struct FlatValues<'a> {
    bits: &'a mut [u64],
    len: usize,
}

impl<'a> FlatValues<'a> {
    /// Returns a buffer for the core values of any call.
    #[inline(always)]
    pub(crate) fn room() -> [u64; MAX_CORE_VALUES] {
        [0; MAX_CORE_VALUES]
    }

    #[inline(always)]
    pub(crate) fn new(bits: &'a mut [u64]) -> FlatValues<'a> {
        FlatValues { bits, len: 0 }
    }

    /// Appends a core value. Functions with more values than fit have them in memory, so none is ever lost.
    #[inline]
    pub fn push(&mut self, bits: u64) {
        if let Some(slot) = self.bits.get_mut(self.len) {
            *slot = bits;
            self.len += 1;
        }
    }

    /// Returns the number of values so far.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there are no values.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends zeros until there are `len` values: those that only other cases of a variant use.
    #[inline]
    pub fn pad_to(&mut self, len: usize) {
        while self.len < len.min(self.bits.len()) {
            self.push(0);
        }
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u64] {
        &self.bits[..self.len]
    }
}

/// A reader of core values in the form of [`FlatValues`].
#[derive(Clone, Copy, Debug)]
pub struct FlatReader<'a> {
    rest: &'a [u64],
}

impl<'a> FlatReader<'a> {
    #[inline]
    pub(crate) fn new(bits: &'a [u64]) -> FlatReader<'a> {
        FlatReader { rest: bits }
    }

    /// Returns the next value's bits; zero past the end, since the number of values is part of the function's type,
    /// which has been checked.
    #[inline]
    pub fn next_bits(&mut self) -> u64 {
        match self.rest.split_first() {
            Some((bits, rest)) => {
                self.rest = rest;
                *bits
            }
            None => 0,
        }
    }

    /// Returns the next value as an unsigned 32-bit integer: a pointer, a length, a discriminant or a handle.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        (self.next_bits() & u64::from(u32::MAX)) as u32
    }

    /// Returns the last value as an unsigned 32-bit integer: the pointer for a result in memory.
    #[inline]
    pub(crate) fn last_u32(&self) -> u32 {
        let last = self.rest.last().copied().unwrap_or_default();
        (last & u64::from(u32::MAX)) as u32
    }

    /// Splits off the next `count` values: those of a variant's payload.
    #[inline]
    pub fn split(&mut self, count: usize) -> FlatReader<'a> {
        let (first, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        FlatReader { rest: first }
    }
}
