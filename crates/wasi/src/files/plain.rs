//! File operations of preview 1 that `wasi:filesystem` does not have.

use cap_std::fs::File;
use system_interface::fs::FileIoExt;

use super::descriptor::Descriptor;
use super::error::FileError;
use crate::WasiCtx;
use airssys_wasm_component::component::Resource;

impl WasiCtx {
    /// Appends to a file. Returns the number of bytes written, and the file's length after that.
    pub(crate) fn append(
        &mut self,
        descriptor: &Resource<Descriptor>,
        bytes: &[u8],
    ) -> Result<(u64, u64), FileError> {
        let file = self.table.get(descriptor)?.file()?.clone();
        file.writable()?;
        let written = file.file.append(bytes)?;
        Ok((u64::try_from(written).unwrap_or(u64::MAX), length(&file.file)?))
    }

    /// Reserves space for `len` bytes from `offset` on, and extends the file if it is shorter (`posix_fallocate`).
    pub(crate) fn allocate(
        &mut self,
        descriptor: &Resource<Descriptor>,
        offset: u64,
        len: u64,
    ) -> Result<(), FileError> {
        let file = self.table.get(descriptor)?.file()?.clone();
        file.writable()?;
        Ok(file.file.allocate(offset, len)?)
    }
}

fn length(file: &File) -> std::io::Result<u64> {
    Ok(file.metadata()?.len())
}
