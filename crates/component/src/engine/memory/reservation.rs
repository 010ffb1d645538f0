//! Address space of one linear memory: reserved whole, accessible from its start as far as the memory has grown.
#![allow(unsafe_code, reason = "the only module that maps, protects and unmaps memory")]

use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap, mmap_anonymous, mprotect, munmap};
use wasmer::sys::vm::MemoryStyle;

use crate::engine::memory::image::Image;

/// Bytes of address space for one memory. Compiled code that relies on this size checks no bounds: an index and an offset
/// of 32 bits each, with the widest access, end within it.
const RESERVED: usize =
    MemoryStyle::static_bound().0 as usize * 65_536 + MemoryStyle::static_offset_guard_size() as usize;

/// Maximum bytes of a memory that are kept for its resets. Stops a component whose memory is filled as it begins.
const MAX_KEPT: usize = 256 << 20;

/// Initial content of a memory, at one offset.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Contents {
    /// Offset in the memory, in bytes: a multiple of 64 KiB.
    pub(in crate::engine) start: usize,
    /// Length, in bytes. Up to the next multiple of 64 KiB, the file continues with zeros or ends.
    pub(in crate::engine) length: usize,
    pub(in crate::engine) source: Source,
}

/// Source of a memory's content.
#[derive(Clone, Debug)]
pub(in crate::engine) enum Source {
    /// A file that does not change: mapped, so that pages which are only read are shared.
    File {
        file: Arc<File>,
        /// Offset in the file: a multiple of 64 KiB.
        offset: u64,
    },
    /// Bytes that are copied, where no file without a name is available.
    Bytes(Arc<[u8]>),
}

impl Contents {
    /// Stores an image where every region can map it.
    pub(in crate::engine) fn keep(image: Image) -> io::Result<Contents> {
        let too_large = |_| io::Error::new(io::ErrorKind::InvalidInput, "beyond a 32-bit memory");
        Ok(Contents {
            start: usize::try_from(image.start).map_err(too_large)?,
            length: image.bytes.len(),
            source: Source::keep(image.bytes),
        })
    }

    /// Refers to a part of a file that does not change. `None` if it cannot be mapped from that offset.
    pub(in crate::engine) fn mapped(
        start: u64,
        length: u64,
        file: Arc<File>,
        offset: u64,
    ) -> Option<Contents> {
        Some(Contents {
            start: usize::try_from(start).ok()?,
            length: usize::try_from(length).ok()?,
            source: offset
                .is_multiple_of(65_536)
                .then_some(Source::File { file, offset })?,
        })
    }

    /// Reports whether the content fits a memory of `size` bytes.
    pub(in crate::engine) fn fits(&self, size: usize) -> bool {
        self.start.is_multiple_of(65_536)
            && self.start.checked_add(self.length).is_some_and(|end| end <= size)
    }
}

impl Source {
    /// Stores bytes in a file without a name. Where none is available, because the process has too many open for
    /// example, each memory gets a copy.
    fn keep(bytes: Vec<u8>) -> Source {
        match nameless(&bytes) {
            Ok(file) => Source::File {
                file: Arc::new(file),
                offset: 0,
            },
            Err(_) => Source::Bytes(bytes.into()),
        }
    }
}

#[cfg(target_os = "linux")]
fn nameless(bytes: &[u8]) -> io::Result<File> {
    use rustix::fs::{MemfdFlags, memfd_create};
    use std::io::Write;
    let mut file = File::from(memfd_create("memory-image", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    Ok(file)
}

#[cfg(not(target_os = "linux"))]
fn nameless(_: &[u8]) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Result of keeping the content of a region.
#[derive(Debug)]
pub(in crate::engine) enum Keeping {
    Contents(Contents),
    Zeros,
    /// More than [`MAX_KEPT`] bytes; the region is unchanged.
    TooMuch,
}

/// Reserved address space, freed on drop.
#[derive(Debug)]
pub(in crate::engine) struct Region {
    base: NonNull<u8>,
    /// Bytes from the start that can be read and written.
    accessible: usize,
}

// SAFETY: the region is owned: nothing else unmaps or protects it, and it is bound to no thread.
unsafe impl Send for Region {}
// SAFETY: a shared reference only reveals an address and a length.
unsafe impl Sync for Region {}

/// Address space that is reserved for several regions at once, since each request takes the system as long as a start of a small guest.
mod space {
    use super::*;
    use rustix::process::{Resource, getrlimit};
    use std::sync::{Mutex, PoisonError};

    /// Regions that are requested at once, at most: 128 GiB of the 128 TiB that a process has.
    const MOST: usize = 16;

    /// Address space for the next regions: its start, as a number, and how many fit.
    struct Reserved {
        start: usize,
        left: usize,
        /// Regions to request next: as many as there were before, so that a host with one component requests one.
        next: usize,
    }

    static RESERVE: Mutex<Reserved> = Mutex::new(Reserved {
        start: 0,
        left: 0,
        next: 1,
    });

    /// Returns the start of address space for one region, which its owner unmaps.
    pub(super) fn take() -> io::Result<NonNull<u8>> {
        // A panic while it was held left at worst address space unused.
        let mut reserve = RESERVE.lock().unwrap_or_else(PoisonError::into_inner);
        if reserve.left == 0 {
            if reserve.next > 1 && is_limited() {
                return request(1);
            }
            let start = match request(reserve.next) {
                Ok(start) => start,
                // In little address space, one may still fit.
                Err(_) => return request(1),
            };
            reserve.start = start.as_ptr().expose_provenance();
            reserve.left = reserve.next;
            reserve.next = (reserve.next * 2).min(MOST);
        }
        reserve.left -= 1;
        let base = ptr::with_exposed_provenance_mut(reserve.start + reserve.left * RESERVED);
        NonNull::new(base).ok_or(io::ErrorKind::OutOfMemory.into())
    }

    /// Reports whether the process has a limit on address space, of which it then leaves all that it can to others.
    fn is_limited() -> bool {
        getrlimit(Resource::As).current.is_some()
    }

    fn request(regions: usize) -> io::Result<NonNull<u8>> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        let length = regions * RESERVED;
        // SAFETY: a new mapping, at an address of the system's choice, touches nothing that exists.
        let base = unsafe { mmap_anonymous(ptr::null_mut(), length, ProtFlags::empty(), flags) }?;
        NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory.into())
    }
}

fn is_within(range: usize) -> io::Result<()> {
    // Half of what is reserved is the guard behind the largest memory.
    if range > MemoryStyle::static_bound().0 as usize * 65_536 {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "beyond a 32-bit memory",
        ));
    }
    Ok(())
}

impl Region {
    /// Creates a region whose first `size` bytes are accessible, with `contents` in them and zeros elsewhere. `size` is a
    /// multiple of 64 KiB and at most 4 GiB.
    pub(in crate::engine) fn new(size: usize, contents: Option<&Contents>) -> io::Result<Region> {
        is_within(size)?;
        let mut region = Region {
            base: space::take()?,
            accessible: 0,
        };
        region.grow(size)?;
        if let Some(contents) = contents {
            region.fill(contents)?;
        }
        Ok(region)
    }

    /// Returns the address of its start.
    pub(in crate::engine) fn base(&self) -> NonNull<u8> {
        self.base
    }

    fn at(&self, offset: usize) -> *mut c_void {
        // Within the region or at its end: the callers have checked that.
        self.base.as_ptr().wrapping_add(offset).cast()
    }

    /// Makes the first `size` bytes accessible; new ones are zeros. Never shrinks.
    pub(in crate::engine) fn grow(&mut self, size: usize) -> io::Result<()> {
        is_within(size)?;
        if size > self.accessible {
            let more = size - self.accessible;
            // SAFETY: the range is part of this region, which is private and owned.
            unsafe {
                mprotect(
                    self.at(self.accessible),
                    more,
                    MprotectFlags::READ | MprotectFlags::WRITE,
                )
            }?;
            self.accessible = size;
        }
        Ok(())
    }

    /// Places contents in the region, over what is there.
    pub(in crate::engine) fn fill(&mut self, contents: &Contents) -> io::Result<()> {
        let end = contents.start.checked_add(contents.length);
        if end.is_none_or(|end| end > self.accessible) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "contents beyond the memory",
            ));
        }
        match &contents.source {
            Source::File { file, offset } => {
                // SAFETY: the range is part of this region, nothing refers to it yet, and what is mapped there instead
                // is private too.
                unsafe {
                    mmap(
                        self.at(contents.start),
                        contents.length,
                        ProtFlags::READ | ProtFlags::WRITE,
                        MapFlags::PRIVATE | MapFlags::FIXED,
                        file,
                        *offset,
                    )
                }?;
            }
            Source::Bytes(bytes) => {
                let length = contents.length.min(bytes.len());
                // SAFETY: the range is accessible, and nothing refers to it yet.
                unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.at(contents.start).cast(), length) };
            }
        }
        Ok(())
    }

    /// Keeps the content of the first `size` bytes for [`Region::reset`]. From here on the region maps that content, and
    /// nothing of `before`, which it was created with. After an error its content is unknown.
    pub(in crate::engine) fn keep(&mut self, size: usize, before: Option<&Contents>) -> io::Result<Keeping> {
        is_within(size)?;
        if size > self.accessible {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "beyond the memory"));
        }
        // SAFETY: so many bytes are accessible, and nothing writes them meanwhile.
        let all = unsafe { std::slice::from_raw_parts(self.base.as_ptr(), size) };
        let used = all
            .rchunks(4096)
            .position(|page| page.iter().any(|byte| *byte != 0));
        let used = used.map_or(0, |zeros| size - zeros * 4096);
        let covered = before.map_or(0, |before| before.start + before.length);
        let length = used.max(covered).min(size);
        if length > MAX_KEPT {
            return Ok(Keeping::TooMuch);
        }
        let contents = Contents {
            start: 0,
            length,
            source: Source::keep(all[..length].to_vec()),
        };
        self.reset(size, None)?;
        if length == 0 {
            return Ok(Keeping::Zeros);
        }
        self.fill(&contents)?;
        Ok(Keeping::Contents(contents))
    }

    /// Resets the region to what [`Region::new`] returned for the same arguments. Nothing that was written stays.
    pub(in crate::engine) fn reset(&mut self, size: usize, contents: Option<&Contents>) -> io::Result<()> {
        is_within(size)?;
        if self.accessible > size {
            // SAFETY: the range is part of this region; its last user has given it back.
            unsafe { mprotect(self.at(size), self.accessible - size, MprotectFlags::empty()) }?;
        }
        self.discard()?;
        self.accessible = self.accessible.min(size);
        self.grow(size)?;
        // Pages of a mapped file have its content again; others are zeros.
        match contents {
            Some(contents) if matches!(contents.source, Source::Bytes(_)) || !cfg!(target_os = "linux") => {
                self.fill(contents)
            }
            _ => Ok(()),
        }
    }

    /// Discards everything that was written.
    #[cfg(target_os = "linux")]
    fn discard(&mut self) -> io::Result<()> {
        use rustix::mm::{Advice, madvise};
        if self.accessible > 0 {
            // SAFETY: the range is part of this region, which is private: its pages become those of the file that is mapped
            // there, or zeros.
            unsafe { madvise(self.at(0), self.accessible, Advice::LinuxDontNeed) }?;
        }
        Ok(())
    }

    /// Discards everything that was written.
    #[cfg(not(target_os = "linux"))]
    fn discard(&mut self) -> io::Result<()> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED;
        if self.accessible > 0 {
            // SAFETY: the range is part of this region, and what is mapped there instead is private too.
            unsafe { mmap_anonymous(self.at(0), self.accessible, ProtFlags::empty(), flags) }?;
            self.accessible = 0;
        }
        Ok(())
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the region is this long, and nothing refers to it any more. There is nothing to do about a failure.
        let _ = unsafe { munmap(self.at(0), RESERVED) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(source: Source) -> Contents {
        Contents {
            start: 65_536,
            length: 4096,
            source,
        }
    }

    fn bytes(region: &Region, size: usize) -> &[u8] {
        // SAFETY: so many bytes are accessible, and nothing writes them meanwhile.
        unsafe { std::slice::from_raw_parts(region.base().as_ptr(), size) }
    }

    /// Covers both sources of contents, and regions that are used repeatedly.
    #[test]
    fn mapped_and_copied_contents_are_the_same_and_come_back() {
        let data: Vec<u8> = (0..4096u32).map(|n| (n % 251) as u8).collect();
        let mapped = Source::keep(data.clone());
        assert_eq!(cfg!(target_os = "linux"), matches!(mapped, Source::File { .. }));
        for source in [mapped, Source::Bytes(data.clone().into())] {
            let contents = contents(source);
            assert!(contents.fits(131_072) && !contents.fits(65_536));
            let mut region = Region::new(131_072, Some(&contents)).expect("there is address space");
            for grown in [131_072, 196_608] {
                assert!(bytes(&region, 65_536).iter().all(|byte| *byte == 0));
                assert_eq!(bytes(&region, 131_072)[65_536..69_632], data);
                assert!(bytes(&region, 131_072)[69_632..].iter().all(|byte| *byte == 0));
                region.grow(grown).expect("there is address space");
                // SAFETY: so many bytes are accessible, and nothing else refers to them.
                unsafe { ptr::write_bytes(region.base().as_ptr(), 0xff, grown) };
                region
                    .reset(131_072, Some(&contents))
                    .expect("it was made so before");
            }
            assert_eq!(region.accessible, 131_072);
        }
    }

    #[test]
    fn what_is_beyond_a_32_bit_memory_is_refused() {
        let four_gib = 65_536 * 65_536;
        assert!(Region::new(four_gib + 1, None).is_err());
        let mut region = Region::new(65_536, None).expect("there is address space");
        assert!(region.grow(four_gib + 65_536).is_err());
        assert!(Contents::mapped(0, 1, Arc::new(File::open("/").expect("a folder")), 4096).is_none());
    }
}
