//! Cases of `wasi:filesystem`.

pub mod data;
pub mod facts;
pub mod fixed;
pub mod folders;
pub mod names;
pub mod paths;

pub use crate::bindings::wasi::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, ErrorCode, OpenFlags, PathFlags,
};
use crate::bindings::wasi::filesystem::preopens;
use crate::text::need;

pub const FOLLOW: PathFlags = PathFlags::SYMLINK_FOLLOW;
pub const STAY: PathFlags = PathFlags::empty();
pub const READ: DescriptorFlags = DescriptorFlags::READ;
pub const WRITE: DescriptorFlags = DescriptorFlags::WRITE;

/// The folder that the host calls `path`.
pub fn folder(path: &str) -> Result<Descriptor, String> {
    let mut folders = preopens::get_directories().into_iter();
    let found = folders.find(|(_, name)| name == path);
    Ok(found.ok_or_else(|| format!("{path} is not granted"))?.0)
}

/// The folder that may be changed.
pub fn data() -> Result<Descriptor, String> {
    folder("/data")
}

/// Opens a file to read it.
pub fn open(dir: &Descriptor, path: &str) -> Result<Descriptor, String> {
    need(path, dir.open_at(FOLLOW, path, OpenFlags::empty(), READ))
}

/// Opens a file to read and write it.
pub fn edit(dir: &Descriptor, path: &str) -> Result<Descriptor, String> {
    need(path, dir.open_at(FOLLOW, path, OpenFlags::empty(), READ | WRITE))
}

/// Makes a file with these bytes.
pub fn make(dir: &Descriptor, path: &str, bytes: &[u8]) -> Result<Descriptor, String> {
    let flags = OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let file = need(path, dir.open_at(FOLLOW, path, flags, READ | WRITE))?;
    let mut at = 0;
    while at < bytes.len() {
        at += need(path, file.write(&bytes[at..], at as u64))? as usize;
    }
    Ok(file)
}

/// All bytes of a file.
pub fn all(file: &Descriptor) -> Result<Vec<u8>, ErrorCode> {
    let mut bytes = Vec::new();
    loop {
        let (more, end) = file.read(65_536, bytes.len() as u64)?;
        bytes.extend(&more);
        if end {
            return Ok(bytes);
        }
    }
}

/// The bytes of the file at a path, as text.
pub fn contents(dir: &Descriptor, path: &str) -> String {
    let bytes = dir.open_at(STAY, path, OpenFlags::empty(), READ).and_then(|file| all(&file));
    match bytes {
        Ok(bytes) => crate::text::bytes(&bytes),
        Err(code) => code.name().to_string(),
    }
}

/// The entries of a directory, sorted.
pub fn entries(dir: &Descriptor) -> String {
    let stream = match dir.read_directory() {
        Ok(stream) => stream,
        Err(code) => return code.name().to_string(),
    };
    let mut entries = Vec::new();
    loop {
        match stream.read_directory_entry() {
            Ok(Some(entry)) => entries.push(format!("{} {}", entry.name, kind(entry.type_))),
            Ok(None) => break,
            Err(code) => entries.push(code.name().to_string()),
        }
    }
    entries.sort();
    entries.join(", ")
}

pub fn kind(kind: DescriptorType) -> &'static str {
    match kind {
        DescriptorType::Unknown => "unknown",
        DescriptorType::BlockDevice => "block-device",
        DescriptorType::CharacterDevice => "character-device",
        DescriptorType::Directory => "directory",
        DescriptorType::Fifo => "fifo",
        DescriptorType::SymbolicLink => "symbolic-link",
        DescriptorType::RegularFile => "regular-file",
        DescriptorType::Socket => "socket",
    }
}
