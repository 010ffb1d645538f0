//! Core values on their way: their bits, without their types.

use airssys_wasm_abi::MAX_FLAT_PARAMS;

/// The most core values of one call: all parameters flat, and the pointer that a result in memory takes.
pub(crate) const MAX_CORE_VALUES: usize = MAX_FLAT_PARAMS + 1;

/// Core values that are being written, each as its bits, zero-extended to 64.
///
/// Bits are all that a variant's joined core values need: reinterpreting keeps them, and an `i64` that stands for
/// something narrower has it in its low half ("Flat Lowering", `lower_flat_variant`).
#[derive(Debug)]
pub struct FlatValues<'a> {
    bits: &'a mut [u64],
    len: usize,
}

impl<'a> FlatValues<'a> {
    /// Room for the core values of any call.
    #[inline(always)]
    pub(crate) fn room() -> [u64; MAX_CORE_VALUES] {
        [0; MAX_CORE_VALUES]
    }

    #[inline(always)]
    pub(crate) fn new(bits: &'a mut [u64]) -> FlatValues<'a> {
        FlatValues { bits, len: 0 }
    }

    /// Appends a core value. Functions whose values are more than fit have them in memory, so none is ever lost.
    #[inline]
    pub fn push(&mut self, bits: u64) {
        if let Some(slot) = self.bits.get_mut(self.len) {
            *slot = bits;
            self.len += 1;
        }
    }

    /// Values so far.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends zeros until there are `len` values: what a variant's other cases would need on top.
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

/// Core values that are being read, as [`FlatValues`] has them.
#[derive(Clone, Copy, Debug)]
pub struct FlatReader<'a> {
    rest: &'a [u64],
}

impl<'a> FlatReader<'a> {
    #[inline]
    pub(crate) fn new(bits: &'a [u64]) -> FlatReader<'a> {
        FlatReader { rest: bits }
    }

    /// The next value's bits. Past the end, zero: the number of values is part of the function's type, which has
    /// been checked.
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

    /// The next value as an `i32` read as unsigned: a pointer, a length, a discriminant or a handle.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        (self.next_bits() & u64::from(u32::MAX)) as u32
    }

    /// The last value as an `i32` read as unsigned: where a result in memory goes.
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
