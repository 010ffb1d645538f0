//! The memory image: the initial content of a core module's memory. `image.rs` extracts it from the module.

/// Alignment of an image's start, in bytes: a page of WebAssembly, which is a multiple of every host's.
pub(in crate::engine) const ALIGN: u64 = 65_536;

/// Alignment of an image's length, in bytes: the smallest page that hosts have. Mapped pages of a file count as memory of
/// each instance, so zeros at the end are left to the host where possible.
pub(in crate::engine) const LENGTH_ALIGN: u64 = 4096;

/// Initial content of a linear memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    /// Offset in the memory, in bytes.
    pub(crate) start: u64,
    /// The content, with zeros where there is no data.
    pub(crate) bytes: Vec<u8>,
}

#[cfg(not(unix))]
impl Image {
    /// Returns the offset of its end in the memory, in bytes.
    pub(crate) fn end(&self) -> Option<u64> {
        self.start.checked_add(u64::try_from(self.bytes.len()).ok()?)
    }
}
