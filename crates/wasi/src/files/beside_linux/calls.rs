//! The same call on this host's functions and on the system's.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use rustix::fs::{self as linux, AtFlags, FileType, Mode, OFlags, Timespec, Timestamps, UTIME_NOW};
use rustix::io::Errno;

use super::tree::{SET, Tree, mark};
use crate::bindings::wasi::clocks::wall_clock::Datetime;
use crate::bindings::wasi::filesystem::preopens::Host as _;
use crate::bindings::wasi::filesystem::types::{
    DescriptorFlags, DescriptorType, HostDescriptor, NewTimestamp, OpenFlags, PathFlags,
};
use crate::files::{Descriptor, FileError, FsPerms, stat};
use crate::{WasiCtx, WasiCtxBuilder};
use airssys_wasm_component::component::Resource;

/// A function that takes a path, with whether it follows a link at the path's end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Call {
    Stat(bool),
    Hash(bool),
    SetTimes(bool),
    Open(bool, OpenFlags, DescriptorFlags),
    Readlink,
    /// The new link is at the other path.
    Link(bool),
    Rename,
    /// The new link is at the other path and contains the path.
    Symlink,
    Unlink,
    RemoveDirectory,
    CreateDirectory,
}

/// A call with its path or paths.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) call: Call,
    pub(super) path: String,
    pub(super) other: String,
}

impl Case {
    /// Returns whether the case leaves the folder, so that the system is not asked.
    pub(super) fn leaves(&self, tree: &Tree) -> bool {
        let (path, other) = (&self.path, &self.other);
        match self.call {
            // The entry to create is not a link, and has no slash at its end.
            Call::Open(_, how, _)
                if how.contains(OpenFlags::CREATE)
                    && (how.contains(OpenFlags::EXCLUSIVE) || path.ends_with('/')) =>
            {
                tree.parent_leaves(path)
            }
            Call::Stat(follow) | Call::Hash(follow) | Call::SetTimes(follow) | Call::Open(follow, ..) => {
                tree.leaves(path, follow)
            }
            Call::Readlink => tree.leaves(path, false),
            Call::Link(follow) => tree.leaves(path, follow) || tree.parent_leaves(other),
            Call::Rename => tree.parent_leaves(path) || tree.parent_leaves(other),
            Call::Symlink => tree.parent_leaves(other),
            Call::Unlink | Call::RemoveDirectory | Call::CreateDirectory => tree.parent_leaves(path),
        }
    }

    /// Returns whether the call could change something, whatever it finds.
    pub(super) fn changes(&self) -> bool {
        match self.call {
            Call::Stat(_) | Call::Hash(_) | Call::Readlink => false,
            Call::Open(_, how, flags) => {
                how.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE)
                    || flags.contains(DescriptorFlags::WRITE)
            }
            _ => true,
        }
    }
}

fn path_flags(follow: bool) -> PathFlags {
    match follow {
        true => PathFlags::SYMLINK_FOLLOW,
        false => PathFlags::empty(),
    }
}

/// A tree that is granted to a component.
pub(super) struct Ours {
    pub(super) tree: Tree,
    ctx: WasiCtx,
    folder: u32,
}

impl Ours {
    pub(super) fn new(access: FsPerms) -> Ours {
        let tree = Tree::new();
        let mut builder = WasiCtxBuilder::new();
        builder.preopened_dir(tree.folder(), "/", access).unwrap();
        let mut ctx = builder.build();
        let folder = ctx.get_directories().unwrap()[0].0.rep();
        Ours { tree, ctx, folder }
    }

    pub(super) fn answer(&mut self, case: &Case) -> String {
        match self.take(case) {
            Ok(answer) => answer,
            Err(FileError::Code(code)) => format!("{code:?}"),
            Err(FileError::Trap(cause)) => panic!("{case:?} traps: {cause}"),
        }
    }

    fn take(&mut self, case: &Case) -> Result<String, FileError> {
        let Case { call, path, other } = case.clone();
        let on = || Resource::<Descriptor>::new_borrow(self.folder);
        let ctx = &mut self.ctx;
        match call {
            Call::Stat(follow) => return Ok(told(&ctx.stat_at(on(), path_flags(follow), path)?)),
            Call::Hash(follow) => {
                let hash = ctx.metadata_hash_at(on(), path_flags(follow), path)?;
                let same = |path: &std::path::Path, _: &std::fs::Metadata| {
                    let dir = Dir::open_ambient_dir(path.parent().unwrap(), ambient_authority()).unwrap();
                    let found = dir.symlink_metadata(path.file_name().unwrap()).unwrap();
                    let its = stat::hash(&found).ok().unwrap();
                    (its.lower, its.upper) == (hash.lower, hash.upper)
                };
                return Ok(self.tree.path_of(same));
            }
            Call::SetTimes(follow) => {
                let time = NewTimestamp::Timestamp(Datetime {
                    seconds: SET.cast_unsigned(),
                    nanoseconds: 0,
                });
                ctx.set_times_at(on(), path_flags(follow), path, NewTimestamp::Now, time)?;
            }
            Call::Open(follow, how, flags) => {
                let opened = ctx.open_at(on(), path_flags(follow), path, how, flags)?;
                let found = ctx.stat(Resource::new_borrow(opened.rep()));
                HostDescriptor::drop(ctx, opened).unwrap();
                return Ok(told(&found?));
            }
            Call::Readlink => return ctx.readlink_at(on(), path),
            Call::Link(follow) => ctx.link_at(on(), path_flags(follow), path, on(), other)?,
            Call::Rename => ctx.rename_at(on(), path, on(), other)?,
            Call::Symlink => ctx.symlink_at(on(), path, other)?,
            Call::Unlink => ctx.unlink_file_at(on(), path)?,
            Call::RemoveDirectory => ctx.remove_directory_at(on(), path)?,
            Call::CreateDirectory => ctx.create_directory_at(on(), path)?,
        }
        Ok("ok".into())
    }
}

fn told(found: &crate::bindings::wasi::filesystem::types::DescriptorStat) -> String {
    let modified = found.data_modification_timestamp.as_ref().unwrap().seconds;
    let mark = mark(modified.cast_signed());
    format!("{:?} {mark} {} {}", found.type_, found.size, found.link_count)
}

/// A tree that the system's calls work on.
pub(super) struct Theirs {
    pub(super) tree: Tree,
    folder: OwnedFd,
}

impl Theirs {
    pub(super) fn new() -> Theirs {
        let tree = Tree::new();
        let folder = File::open(tree.folder()).unwrap().into();
        Theirs { tree, folder }
    }

    pub(super) fn answer(&self, case: &Case) -> String {
        match self.take(case) {
            Ok(answer) => answer,
            Err(error) => name(error),
        }
    }

    fn take(&self, case: &Case) -> Result<String, Errno> {
        let Case { call, path, other } = case;
        let on = &self.folder;
        let at = |follow: bool| match follow {
            true => AtFlags::empty(),
            false => AtFlags::SYMLINK_NOFOLLOW,
        };
        match *call {
            Call::Stat(follow) => return Ok(theirs_told(&linux::statat(on, path, at(follow))?)),
            Call::Hash(follow) => {
                let found = linux::statat(on, path, at(follow))?;
                return Ok(self.tree.path_of(|_, its| its.ino() == found.st_ino));
            }
            Call::SetTimes(follow) => {
                let now = Timespec {
                    tv_sec: 0,
                    tv_nsec: UTIME_NOW,
                };
                let set = Timespec {
                    tv_sec: SET,
                    tv_nsec: 0,
                };
                let times = Timestamps {
                    last_access: now,
                    last_modification: set,
                };
                linux::utimensat(on, path, &times, at(follow))?;
            }
            Call::Open(follow, how, flags) => {
                let opened = linux::openat(on, path, oflags(follow, how, flags), Mode::from_raw_mode(0o666))?;
                return Ok(theirs_told(&linux::fstat(opened)?));
            }
            Call::Readlink => {
                let contents = linux::readlinkat(on, path, Vec::new())?;
                return Ok(contents.into_string().unwrap());
            }
            Call::Link(follow) => {
                let follow = match follow {
                    true => AtFlags::SYMLINK_FOLLOW,
                    false => AtFlags::empty(),
                };
                linux::linkat(on, path, on, other, follow)?;
            }
            Call::Rename => linux::renameat(on, path, on, other)?,
            Call::Symlink => linux::symlinkat(path, on, other)?,
            Call::Unlink => linux::unlinkat(on, path, AtFlags::empty())?,
            Call::RemoveDirectory => linux::unlinkat(on, path, AtFlags::REMOVEDIR)?,
            Call::CreateDirectory => linux::mkdirat(on, path, Mode::from_raw_mode(0o777))?,
        }
        Ok("ok".into())
    }
}

fn oflags(follow: bool, how: OpenFlags, flags: DescriptorFlags) -> OFlags {
    let reads = flags.contains(DescriptorFlags::READ);
    let mut oflags = match flags.contains(DescriptorFlags::WRITE) {
        true if reads => OFlags::RDWR,
        true => OFlags::WRONLY,
        false => OFlags::RDONLY,
    };
    // As the host does, so that opening a pipe blocks neither of them.
    oflags |= OFlags::NONBLOCK | OFlags::CLOEXEC;
    for (flag, system) in [
        (OpenFlags::CREATE, OFlags::CREATE),
        (OpenFlags::DIRECTORY, OFlags::DIRECTORY),
        (OpenFlags::EXCLUSIVE, OFlags::EXCL),
        (OpenFlags::TRUNCATE, OFlags::TRUNC),
    ] {
        oflags.set(system, how.contains(flag));
    }
    oflags.set(OFlags::NOFOLLOW, !follow);
    oflags
}

fn theirs_told(found: &linux::Stat) -> String {
    let kind = match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => DescriptorType::RegularFile,
        FileType::Directory => DescriptorType::Directory,
        FileType::Symlink => DescriptorType::SymbolicLink,
        FileType::Fifo => DescriptorType::Fifo,
        _ => DescriptorType::Unknown,
    };
    let mark = mark(found.st_mtime);
    format!("{kind:?} {mark} {} {}", found.st_size, found.st_nlink)
}

/// Returns the interface's name for an error of the system.
fn name(error: Errno) -> String {
    let name = match error {
        Errno::BUSY => "Busy",
        Errno::EXIST => "Exist",
        Errno::INVAL => "Invalid",
        Errno::ISDIR => "IsDirectory",
        Errno::LOOP => "Loop",
        Errno::NAMETOOLONG => "NameTooLong",
        Errno::NOENT => "NoEntry",
        Errno::NOTDIR => "NotDirectory",
        Errno::NOTEMPTY => "NotEmpty",
        Errno::NXIO => "NoSuchDevice",
        Errno::PERM => "NotPermitted",
        _ => return format!("the system's {error:?}"),
    };
    name.into()
}
