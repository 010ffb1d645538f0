//! Checked access to linear memory. All arithmetic on a guest's numbers happens here, in 64 bits.

use std::ops::Range;

use crate::error::AbiError;
use crate::guest::{Guest, LowerGuest};

/// An address in a guest's linear memory, in bytes. It is unchecked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GuestPtr(pub u32);

impl GuestPtr {
    /// Returns the address `bytes` further on.
    pub(crate) fn offset(self, bytes: u64) -> Result<GuestPtr, AbiError> {
        let address = u64::from(self.0).saturating_add(bytes);
        match u32::try_from(address) {
            Ok(address) => Ok(GuestPtr(address)),
            // Only past the end of a full 4 GiB memory.
            Err(_) => Err(AbiError::PointerOutOfBounds {
                ptr: self.0,
                len: bytes,
                memory: 1 << 32,
            }),
        }
    }

    /// Returns the address of a member that lies `offset` bytes into a value whose whole range has been checked, so
    /// that no member lies past the end of memory.
    #[inline]
    pub fn member(self, offset: u32) -> GuestPtr {
        GuestPtr(self.0.wrapping_add(offset))
    }

    #[inline]
    pub(crate) fn is_aligned(self, align: u32) -> bool {
        self.0.is_multiple_of(align)
    }

    /// Checks that the address is a multiple of `align`, a power of two.
    ///
    /// # Errors
    /// [`AbiError::Misaligned`].
    #[inline]
    pub fn check_aligned(self, align: u32) -> Result<(), AbiError> {
        if self.is_aligned(align) {
            Ok(())
        } else {
            Err(AbiError::Misaligned { ptr: self.0, align })
        }
    }

    /// Returns the `len` bytes from here as indices into memory.
    ///
    /// # Errors
    /// [`AbiError::PointerOutOfBounds`].
    #[inline]
    pub fn range(self, len: u64, memory: &[u8]) -> Result<Range<usize>, AbiError> {
        let out_of_bounds = || AbiError::PointerOutOfBounds {
            ptr: self.0,
            len,
            memory: memory.len() as u64,
        };
        let end = u64::from(self.0).checked_add(len).ok_or_else(out_of_bounds)?;
        if end > memory.len() as u64 {
            return Err(out_of_bounds());
        }
        match (usize::try_from(self.0), usize::try_from(end)) {
            (Ok(start), Ok(end)) => Ok(start..end),
            _ => Err(out_of_bounds()),
        }
    }

    /// Returns the `len` bytes from here.
    ///
    /// # Errors
    /// [`AbiError::PointerOutOfBounds`].
    #[inline]
    pub fn slice(self, len: u64, memory: &[u8]) -> Result<&[u8], AbiError> {
        let range = self.range(len, memory)?;
        Ok(&memory[range])
    }

    /// Returns the `len` bytes from here, for writing.
    ///
    /// # Errors
    /// [`AbiError::PointerOutOfBounds`].
    #[inline]
    pub fn slice_mut(self, len: u64, memory: &mut [u8]) -> Result<&mut [u8], AbiError> {
        let range = self.range(len, memory)?;
        Ok(&mut memory[range])
    }
}

/// Decodes at most 8 little-endian bytes, zero-extended.
pub(crate) fn int_from_le(bytes: &[u8]) -> u64 {
    let mut wide = [0; 8];
    for (to, from) in wide.iter_mut().zip(bytes) {
        *to = *from;
    }
    u64::from_le_bytes(wide)
}

/// Encodes the low bytes of `int`, little-endian, as many as `bytes` has (at most 8).
pub(crate) fn int_to_le(int: u64, bytes: &mut [u8]) {
    for (to, from) in bytes.iter_mut().zip(int.to_le_bytes()) {
        *to = from;
    }
}

/// Reads an integer of `size` bytes, at most 8 ("Loading", `load_int`).
pub(crate) fn load_int<G: Guest>(guest: &G, ptr: GuestPtr, size: u32) -> Result<u64, G::Error> {
    Ok(int_from_le(ptr.slice(u64::from(size), guest.memory()?)?))
}

/// Writes the low `size` bytes of an integer, at most 8 ("Storing", `store_int`).
pub(crate) fn store_int<G: LowerGuest>(
    guest: &mut G,
    ptr: GuestPtr,
    size: u32,
    int: u64,
) -> Result<(), G::Error> {
    int_to_le(int, ptr.slice_mut(u64::from(size), guest.memory_mut()?)?);
    Ok(())
}

/// Has the guest allocate, and checks the returned pointer ([Lifting and Lowering Context], `allocate`). Address 0 is
/// valid, as in the specification.
///
/// # Errors
/// [`AbiError::InvalidReallocResult`], and errors of `realloc`.
///
/// [Lifting and Lowering Context]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#lifting-and-lowering-context
pub fn allocate<G: LowerGuest>(guest: &mut G, align: u32, size: u32) -> Result<GuestPtr, G::Error> {
    Ok(allocate_bytes(guest, align, size)?.0)
}

/// As [`allocate`], but also returns the allocated memory.
#[inline]
pub(crate) fn allocate_bytes<G: LowerGuest>(
    guest: &mut G,
    align: u32,
    size: u32,
) -> Result<(GuestPtr, &mut [u8]), G::Error> {
    let ptr = GuestPtr(guest.realloc(0, 0, align, size)?);
    let memory = guest.memory_mut()?;
    match ptr.range(u64::from(size), memory) {
        Ok(range) if ptr.is_aligned(align) => Ok((ptr, &mut memory[range])),
        _ => {
            let memory = memory.len() as u64;
            Err(AbiError::InvalidReallocResult {
                ptr: ptr.0,
                size,
                align,
                memory,
            }
            .into())
        }
    }
}

/// Checks a guest's pointer to a value in memory: aligned, and all of the value within bounds.
///
/// # Errors
/// [`AbiError::Misaligned`], [`AbiError::PointerOutOfBounds`].
pub fn check_value<G: Guest>(guest: &G, ptr: GuestPtr, size: u64, align: u32) -> Result<GuestPtr, G::Error> {
    ptr.check_aligned(align)?;
    ptr.range(size, guest.memory()?)?;
    Ok(ptr)
}

/// Creates an empty vector with room for `count` elements, for which the guest's budget has been charged.
#[inline]
pub(crate) fn vec_with_room<T>(count: u64) -> Result<Vec<T>, AbiError> {
    let bytes = count.saturating_mul(size_of::<T>() as u64);
    let failed = || AbiError::HostAllocation { bytes };
    let count = usize::try_from(count).map_err(|_| failed())?;
    let mut vec = Vec::new();
    vec.try_reserve_exact(count).map_err(|_| failed())?;
    Ok(vec)
}

/// Creates an empty string with room for `bytes` bytes, for which the guest's budget has been charged.
#[inline]
pub(crate) fn string_with_room(bytes: u64) -> Result<String, AbiError> {
    let failed = || AbiError::HostAllocation { bytes };
    let mut string = String::new();
    string
        .try_reserve_exact(usize::try_from(bytes).map_err(|_| failed())?)
        .map_err(|_| failed())?;
    Ok(string)
}
