//! A call from a module, with its memory and its WASI.

use super::errno::{Errno, Result};
use crate::{WasiCtx, WasiView};
use airssys_wasm_component::component::CoreCaller;

/// Buffers of one call, at most. Stops a list of half a billion empty buffers, which no deadline ends.
const MAX_BUFFERS: u32 = 1024;

/// The calling module.
pub(super) trait Caller {
    fn wasi(&mut self) -> &mut WasiCtx;
    fn memory(&self) -> &[u8];
    fn memory_mut(&mut self) -> &mut [u8];
}

/// The module that calls, with the store's table in its context until the call ends.
pub(super) struct Attached<'a, 'b, 'c, T: WasiView> {
    caller: &'a mut CoreCaller<'b, 'c, T>,
}

impl<'a, 'b, 'c, T: WasiView> Attached<'a, 'b, 'c, T> {
    pub(super) fn new(caller: &'a mut CoreCaller<'b, 'c, T>) -> Attached<'a, 'b, 'c, T> {
        caller.data_mut().ctx().attach();
        Attached { caller }
    }
}

impl<T: WasiView> Drop for Attached<'_, '_, '_, T> {
    fn drop(&mut self) {
        self.caller.data_mut().ctx().detach();
    }
}

impl<T: WasiView> Caller for Attached<'_, '_, '_, T> {
    fn wasi(&mut self) -> &mut WasiCtx {
        self.caller.data_mut().ctx().ctx
    }

    fn memory(&self) -> &[u8] {
        CoreCaller::memory(self.caller)
    }

    fn memory_mut(&mut self) -> &mut [u8] {
        CoreCaller::memory_mut(self.caller)
    }
}

/// A range of the module's memory: one of its buffers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) at: u32,
    pub(super) len: u32,
}

impl Stretch {
    fn range(self) -> Option<std::ops::Range<usize>> {
        let start = usize::try_from(self.at).ok()?;
        let end = start.checked_add(usize::try_from(self.len).ok()?)?;
        Some(start..end)
    }
}

impl dyn Caller + '_ {
    /// Returns the bytes of a range.
    pub(super) fn bytes(&self, stretch: Stretch) -> Result<&[u8]> {
        let range = stretch.range().ok_or(Errno::FAULT)?;
        Ok(self.memory().get(range).ok_or(Errno::FAULT)?)
    }

    /// Writes bytes at an address.
    pub(super) fn write(&mut self, at: u32, bytes: &[u8]) -> Result {
        let len = u32::try_from(bytes.len()).map_err(|_| Errno::FAULT)?;
        let range = Stretch { at, len }.range().ok_or(Errno::FAULT)?;
        self.memory_mut()
            .get_mut(range)
            .ok_or(Errno::FAULT)?
            .copy_from_slice(bytes);
        Ok(())
    }

    pub(super) fn write_u32(&mut self, at: u32, value: u32) -> Result {
        self.write(at, &value.to_le_bytes())
    }

    pub(super) fn write_u64(&mut self, at: u32, value: u64) -> Result {
        self.write(at, &value.to_le_bytes())
    }

    /// Reads a path, or another text.
    pub(super) fn text(&self, at: u32, len: u32) -> Result<String> {
        let bytes = self.bytes(Stretch { at, len })?;
        let text = std::str::from_utf8(bytes).map_err(|_| Errno::ILSEQ)?;
        Ok(text.to_owned())
    }

    /// Reads a list of buffers (`iovec_array`), which all must be within the memory. Their total is cut to `most`
    /// bytes.
    pub(super) fn buffers(&self, at: u32, count: u32, most: usize) -> Result<Vec<Stretch>> {
        if count > MAX_BUFFERS {
            return Err(Errno::INVAL.into());
        }
        let mut left = u32::try_from(most).unwrap_or(u32::MAX);
        let list = self.bytes(Stretch { at, len: count * 8 })?;
        let mut buffers = Vec::new();
        for entry in list.chunks_exact(8) {
            let mut buffer = Stretch {
                at: u32_at(entry, 0),
                len: u32_at(entry, 4),
            };
            self.bytes(buffer)?;
            buffer.len = buffer.len.min(left);
            left -= buffer.len;
            buffers.push(buffer);
        }
        Ok(buffers)
    }

    /// Returns the contents of buffers, one after the other.
    pub(super) fn gather(&self, buffers: &[Stretch]) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        for buffer in buffers {
            all.extend_from_slice(self.bytes(*buffer)?);
        }
        Ok(all)
    }

    /// Writes bytes to buffers, one after the other.
    pub(super) fn scatter(&mut self, buffers: &[Stretch], mut bytes: &[u8]) -> Result {
        for buffer in buffers {
            let len = bytes.len().min(usize::try_from(buffer.len).unwrap_or(usize::MAX));
            let (now, later) = bytes.split_at(len);
            self.write(buffer.at, now)?;
            bytes = later;
        }
        Ok(())
    }
}

/// Returns the total length of buffers.
pub(super) fn room(buffers: &[Stretch]) -> u64 {
    buffers.iter().map(|buffer| u64::from(buffer.len)).sum()
}

/// Reads a `u32` at an offset; 0 if it is out of bounds.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    found.map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// As [`u32_at`], for a `u64`.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let found = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    found.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Converts a length to the module's type; the module cannot have a longer one.
pub(super) fn size(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Returns an argument that is an `i32`.
pub(super) fn int(args: &[u64], index: usize) -> u32 {
    // The upper half of such an argument is undefined.
    args.get(index)
        .map_or(0, |bits| (bits & u64::from(u32::MAX)) as u32)
}

/// Returns an argument that is an `i64`.
pub(super) fn long(args: &[u64], index: usize) -> u64 {
    args.get(index).copied().unwrap_or(0)
}
