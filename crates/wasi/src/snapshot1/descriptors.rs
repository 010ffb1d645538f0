//! The file descriptors of a module.

use super::errno::{Errno, Result};
use crate::WasiCtx;
use crate::bindings::wasi::cli::{stderr, stdin, stdout};
use crate::bindings::wasi::filesystem::preopens;
use crate::bindings::wasi::filesystem::types::{HostDescriptor, HostDirectoryEntryStream};
use crate::bindings::wasi::io::streams::{HostInputStream, HostOutputStream};
use crate::files::{Descriptor, Entries};
use crate::io::{InputStream, OutputStream};
use airssys_wasm_component::component::Resource;

/// The object of a descriptor.
#[derive(Debug)]
pub(super) enum Open {
    /// Standard input.
    Input {
        stream: Resource<InputStream>,
        nonblocking: bool,
    },
    /// Standard output or error.
    Output {
        stream: Resource<OutputStream>,
        nonblocking: bool,
    },
    /// A file.
    File(File),
    /// A directory.
    Folder(Folder),
}

#[derive(Debug)]
pub(super) struct File {
    pub(super) descriptor: Resource<Descriptor>,
    /// Offset of the next read or write.
    pub(super) at: u64,
    pub(super) append: bool,
    pub(super) nonblocking: bool,
}

#[derive(Debug)]
pub(super) struct Folder {
    pub(super) descriptor: Resource<Descriptor>,
    /// The module's path for it, if it is a granted folder.
    pub(super) granted: Option<String>,
    /// State of `fd_readdir`.
    pub(super) listing: Option<Listing>,
}

/// A directory that is being read.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) entries: Resource<Entries>,
    /// Index of the next entry, counting `.` and `..`.
    pub(super) next: u64,
    /// An entry that was read, but did not fit into the buffer.
    pub(super) left: Option<Entry>,
}

/// An entry of a directory, as preview 1 represents it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) inode: u64,
    pub(super) kind: u8,
    pub(super) name: String,
}

/// All open descriptors of a module.
#[derive(Debug)]
pub(crate) struct Descriptors(Vec<Option<Open>>);

/// Borrows a resource, for one call of a function that takes a handle.
pub(super) fn lent<R: 'static>(resource: &Resource<R>) -> Resource<R> {
    Resource::new_borrow(resource.rep())
}

impl WasiCtx {
    /// Returns the module's descriptors: at first, the standard streams and the granted folders.
    pub(super) fn open(&mut self) -> Result<&mut Descriptors> {
        if self.snapshot1.is_none() {
            let mut all = vec![
                Some(Open::Input {
                    stream: stdin::Host::get_stdin(self)?,
                    nonblocking: false,
                }),
                Some(Open::Output {
                    stream: stdout::Host::get_stdout(self)?,
                    nonblocking: false,
                }),
                Some(Open::Output {
                    stream: stderr::Host::get_stderr(self)?,
                    nonblocking: false,
                }),
            ];
            for (descriptor, path) in preopens::Host::get_directories(self)? {
                all.push(Some(Open::Folder(Folder {
                    descriptor,
                    granted: Some(path),
                    listing: None,
                })));
            }
            self.snapshot1 = Some(Descriptors(all));
        }
        // It exists by now.
        Ok(self.snapshot1.get_or_insert_with(|| Descriptors(Vec::new())))
    }

    /// Returns the descriptor of a file or directory; standard streams have none.
    pub(super) fn descriptor(&mut self, fd: u32) -> Result<Resource<Descriptor>> {
        match self.open()?.get(fd)? {
            Open::File(file) => Ok(lent(&file.descriptor)),
            Open::Folder(folder) => Ok(lent(&folder.descriptor)),
            _ => Err(Errno::BADF.into()),
        }
    }

    /// Returns the descriptor of a directory.
    pub(super) fn directory(&mut self, fd: u32) -> Result<Resource<Descriptor>> {
        match self.open()?.get(fd)? {
            Open::Folder(folder) => Ok(lent(&folder.descriptor)),
            _ => Err(Errno::NOTDIR.into()),
        }
    }

    /// Closes an object that was removed from the table.
    pub(super) fn close(&mut self, open: Open) -> Result {
        match open {
            Open::Input { stream, .. } => HostInputStream::drop(self, stream)?,
            Open::Output { stream, .. } => HostOutputStream::drop(self, stream)?,
            Open::File(file) => HostDescriptor::drop(self, file.descriptor)?,
            Open::Folder(folder) => {
                if let Some(listing) = folder.listing {
                    HostDirectoryEntryStream::drop(self, listing.entries)?;
                }
                HostDescriptor::drop(self, folder.descriptor)?;
            }
        }
        Ok(())
    }
}

impl Descriptors {
    /// Returns the number of open descriptors, without standard streams that are in their places, and as they were at first. One that was
    /// closed counts.
    pub(crate) fn beyond_standard_streams(&self) -> usize {
        let at_first = |(place, open): (usize, &Option<Open>)| match open {
            Some(Open::Input { nonblocking, .. }) => place == 0 && !nonblocking,
            Some(Open::Output { nonblocking, .. }) => (place == 1 || place == 2) && !nonblocking,
            Some(Open::File(_) | Open::Folder(_)) => false,
            None => place > 2,
        };
        self.0.iter().enumerate().filter(|open| !at_first(*open)).count()
    }

    fn place(&mut self, fd: u32) -> Option<&mut Option<Open>> {
        self.0.get_mut(usize::try_from(fd).ok()?)
    }

    pub(super) fn get(&mut self, fd: u32) -> Result<&mut Open> {
        let open = self.place(fd).and_then(Option::as_mut);
        Ok(open.ok_or(Errno::BADF)?)
    }

    /// Returns a file's state; directories and streams have none.
    pub(super) fn file(&mut self, fd: u32) -> Result<&mut File> {
        match self.get(fd)? {
            Open::File(file) => Ok(file),
            Open::Folder(_) => Err(Errno::ISDIR.into()),
            _ => Err(Errno::SPIPE.into()),
        }
    }

    /// Returns a directory's state.
    pub(super) fn folder(&mut self, fd: u32) -> Result<&mut Folder> {
        match self.get(fd)? {
            Open::Folder(folder) => Ok(folder),
            _ => Err(Errno::NOTDIR.into()),
        }
    }

    pub(super) fn remove(&mut self, fd: u32) -> Result<Open> {
        let open = self.place(fd).and_then(Option::take);
        Ok(open.ok_or(Errno::BADF)?)
    }

    /// Adds an object under the lowest free number.
    pub(super) fn add(&mut self, open: Open) -> Result<u32> {
        let free = self.0.iter().position(Option::is_none);
        let index = free.unwrap_or(self.0.len());
        let fd = u32::try_from(index).map_err(|_| Errno::MFILE)?;
        match self.0.get_mut(index) {
            Some(place) => *place = Some(open),
            None => self.0.push(Some(open)),
        }
        Ok(fd)
    }

    /// Moves the object of `from` to the number `to`, and returns the object that `to` had.
    pub(super) fn renumber(&mut self, from: u32, to: u32) -> Result<Option<Open>> {
        self.get(to)?;
        self.get(from)?;
        if from == to {
            return Ok(None);
        }
        let moved = self.remove(from)?;
        Ok(self.place(to).and_then(|place| place.replace(moved)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WasiCtxBuilder;

    #[test]
    fn standard_streams_are_as_they_were_at_first_until_they_are_changed() {
        let mut ctx = WasiCtxBuilder::new().build();
        assert_eq!(ctx.open_descriptors(), 0, "none was used");
        ctx.open().expect("streams are open");
        assert_eq!(ctx.open_descriptors(), 0);
        let open = ctx.open().expect("streams are open");
        if let Ok(Open::Output { nonblocking, .. }) = open.get(2) {
            *nonblocking = true;
        }
        assert_eq!(ctx.open_descriptors(), 1, "its flags are not the first");
        let open = ctx.open().expect("streams are open");
        drop(open.remove(0));
        assert_eq!(ctx.open_descriptors(), 2, "one is closed");
        let open = ctx.open().expect("streams are open");
        assert!(open.renumber(1, 2).is_ok());
        assert_eq!(
            ctx.open_descriptors(),
            2,
            "one is closed, and one moved to where it was"
        );
    }
}
