//! An image in memory: mapped from its file where that is possible, copied otherwise; never writable and executable at once.
#![allow(
    unsafe_code,
    reason = "maps code, and writes the addresses that depend on where it is"
)]

use std::ffi::{c_int, c_void};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::ptr::{self, NonNull};

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap, mmap_anonymous, mprotect, munmap};
use wasmer::sys::vm::libcalls::function_pointer;
use wasmer_compiler::LIBCALLS_ELF;

use super::layout::{Access, Layout, Segment, Target};
use crate::engine::load::source::CodeSource;
use crate::engine::run::instance::Base;

unsafe extern "C" {
    safe fn getpagesize() -> c_int;
}

/// Returns the size of this system's pages, in bytes.
pub(super) fn page_size() -> u64 {
    // Every system has it; none has pages without bytes.
    u64::try_from(getpagesize()).unwrap_or(1 << 12)
}

/// A mapped image. Unmapped on drop.
#[derive(Debug)]
pub(super) struct Map {
    start: NonNull<u8>,
    size: usize,
}

// SAFETY: the memory is owned: nothing else unmaps or protects it, and it is bound to no thread.
unsafe impl Send for Map {}
// SAFETY: a shared reference only reveals an address and a length.
unsafe impl Sync for Map {}

impl Map {
    /// Maps an image. The layout was checked for this image and these pages.
    ///
    /// # Errors
    /// The system's; the name of a function that the engine does not have.
    pub(super) fn new(source: &CodeSource<'_>, layout: &Layout, page: u64) -> io::Result<Map> {
        let size = usize::try_from(layout.size(page)).map_err(|_| io::ErrorKind::OutOfMemory)?;
        if size == 0 {
            return Ok(Map {
                start: NonNull::dangling(),
                size,
            });
        }
        let mappable = |segment: &Segment| {
            let (file, begins) = source.file()?;
            let is_mappable = segment.access != Access::Relocate && segment.is_mappable(begins, page);
            is_mappable.then_some((file, begins))
        };
        // The first segment's mapping reserves the addresses of the others, too: each request takes time.
        let first = layout
            .segments
            .first()
            .filter(|first| first.pages(page).start == 0);
        let first = first.and_then(|first| Some((first, mappable(first)?)));
        let reserved = first.and_then(|(first, (file, begins))| {
            let offset = page_of(begins + first.offset, page);
            // SAFETY: a new mapping, at an address that the system chooses.
            unsafe {
                mmap(
                    ptr::null_mut(),
                    size,
                    rights(first.access),
                    MapFlags::PRIVATE,
                    file,
                    offset,
                )
            }
            .ok()
        });
        let mapped = usize::from(reserved.is_some());
        let start = match reserved {
            Some(start) => start,
            // SAFETY: as above.
            None => unsafe { mmap_anonymous(ptr::null_mut(), size, ProtFlags::empty(), MapFlags::PRIVATE) }?,
        };
        let start = NonNull::new(start.cast::<u8>()).ok_or(io::ErrorKind::OutOfMemory)?;
        let map = Map { start, size };
        for segment in layout.segments.iter().skip(mapped) {
            let is_mapped =
                mappable(segment).is_some_and(|(file, begins)| map.map(segment, page, file, begins).is_ok());
            // Some systems permit no code of files in some places.
            if !is_mapped {
                map.copy(segment, page, source)?;
            }
        }
        for relocation in &layout.relocations {
            let base = match &relocation.target {
                Target::Image => map.start.addr().get(),
                Target::Engine(name) => {
                    let known = LIBCALLS_ELF.get(name).map(|function| function_pointer(*function));
                    let unknown = || io::Error::other(format!("the engine has no function `{name}`"));
                    known.ok_or_else(unknown)?
                }
            };
            let value = base.wrapping_add_signed(relocation.addend as isize);
            // SAFETY: the layout was checked: the address is within a segment that was just copied, which is writable and refers to
            // nothing yet.
            unsafe { map.at(relocation.at).cast::<usize>().write_unaligned(value) };
        }
        for segment in &layout.segments {
            if segment.access == Access::Relocate {
                map.protect(segment, page, MprotectFlags::READ)?;
            }
        }
        Ok(map)
    }

    /// Returns the beginning of the image.
    pub(super) fn base(&self) -> Base {
        Base::new(self.start.as_ptr())
    }

    /// Returns the size of the image in memory.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Returns the address of a part, which is within the image.
    pub(super) fn at(&self, address: u32) -> *mut u8 {
        self.start.as_ptr().wrapping_add(address as usize)
    }

    fn pages(&self, segment: &Segment, page: u64) -> (*mut c_void, usize) {
        let Range { start, end } = segment.pages(page);
        let at = self.start.as_ptr().wrapping_add(start as usize);
        (at.cast(), (end - start) as usize)
    }

    fn map(&self, segment: &Segment, page: u64, file: &File, begins: u64) -> io::Result<()> {
        let (at, bytes) = self.pages(segment, page);
        let offset = page_of(begins + segment.offset, page);
        let rights = rights(segment.access);
        // SAFETY: the pages are within the reserved ones, which are this map's, and no other segment's.
        unsafe {
            mmap(
                at,
                bytes,
                rights,
                MapFlags::PRIVATE | MapFlags::FIXED,
                file,
                offset,
            )
        }?;
        Ok(())
    }

    fn copy(&self, segment: &Segment, page: u64, source: &CodeSource<'_>) -> io::Result<()> {
        let (at, bytes) = self.pages(segment, page);
        let both = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the pages are within the reserved ones, which are this map's, and no other segment's.
        unsafe { mmap_anonymous(at, bytes, both, MapFlags::PRIVATE | MapFlags::FIXED) }?;
        let at = self.at(segment.address);
        // SAFETY: the pages are this map's, readable, writable, zeros, and nothing refers to them.
        let bytes = unsafe { std::slice::from_raw_parts_mut(at, segment.bytes as usize) };
        source.read(segment.offset, bytes)?;
        match segment.access {
            Access::Read => self.protect(segment, page, MprotectFlags::READ),
            Access::Execute => self.protect(segment, page, MprotectFlags::READ | MprotectFlags::EXEC),
            // Read-only when its addresses are written.
            Access::Relocate => Ok(()),
        }
    }

    fn protect(&self, segment: &Segment, page: u64, rights: MprotectFlags) -> io::Result<()> {
        let (at, bytes) = self.pages(segment, page);
        // SAFETY: the pages are this map's, and no other segment's.
        unsafe { mprotect(at, bytes, rights) }?;
        Ok(())
    }
}

/// Returns the rights of a segment that is mapped from a file.
fn rights(access: Access) -> ProtFlags {
    match access {
        Access::Execute => ProtFlags::READ | ProtFlags::EXEC,
        Access::Read | Access::Relocate => ProtFlags::READ,
    }
}

/// Returns the beginning of the page of a file that an offset is in.
fn page_of(offset: u64, page: u64) -> u64 {
    offset - offset % page
}

impl Drop for Map {
    fn drop(&mut self) {
        if self.size > 0 {
            // SAFETY: the mapping is owned, and what refers to it is gone.
            let unmapped = unsafe { munmap(self.start.as_ptr().cast(), self.size) };
            debug_assert!(unmapped.is_ok(), "the image is mapped");
        }
    }
}
