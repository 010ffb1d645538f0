//! The image that a core module's memory begins as. `image.rs` takes it out of the module.

/// Bytes that an image begins at a multiple of: a page of WebAssembly, which is a multiple of every host's.
#[cfg(feature = "compile")]
pub(super) const ALIGN: u64 = 65_536;

/// Bytes that an image's length is a multiple of: the smallest page that hosts have. Whatever is mapped of a file counts as
/// memory of each instance, so that zeros at the end are left to the host where they can be.
#[cfg(feature = "compile")]
pub(super) const LENGTH_ALIGN: u64 = 4096;

/// The beginning of a linear memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    /// Where in the memory, in bytes.
    pub(crate) start: u64,
    /// Zeros where there is no data.
    pub(crate) bytes: Vec<u8>,
}

#[cfg(not(unix))]
impl Image {
    /// Where it ends in the memory.
    pub(crate) fn end(&self) -> Option<u64> {
        self.start.checked_add(u64::try_from(self.bytes.len()).ok()?)
    }
}
