//! Identifies other file formats, for error messages.

/// Describes the format that the bytes begin like.
pub(super) fn other(file: &[u8]) -> &'static str {
    let marker = b".wasmtime.engine";
    match file {
        [] => "it is empty",
        _ if file.starts_with(b"\0asm") => "it is WebAssembly, which must be compiled first",
        _ if file.starts_with(b"\x7fELF") && file.windows(marker.len()).any(|window| window == marker) => {
            "it is an artifact of wasmtime"
        }
        _ if file.starts_with(b"\x7fELF") => "it is an ELF file",
        _ if file.starts_with(b"wasmer-universal") => "it is an artifact of wasmer",
        _ => "it does not end with an artifact's footer",
    }
}
