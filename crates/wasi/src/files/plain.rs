//! Work on files that preview 1 has and `wasi:filesystem` has not.

use cap_std::fs::File;
use system_interface::fs::FileIoExt;

use super::descriptor::Descriptor;
use super::error::FileError;
use crate::WasiCtx;
use airssys_wasm_component::component::Resource;

impl WasiCtx {
    /// Writes at the end of a file: how many bytes, and where the file ended then.
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

    /// Gives a file room for this many bytes from an offset on, and that length if it is shorter (`posix_fallocate`).
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
