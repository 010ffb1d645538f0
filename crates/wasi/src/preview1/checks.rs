//! Corrections of answers that wasmer-wasix gets wrong, applied before and after its functions.
//!
//! `docs/preview1.md` lists the remaining differences.

use wasmer_wasix::wasmer::{Function, Memory, MemoryView, RuntimeError, StoreMut, Type, Value};

use super::border::Border;
use super::{opened, paths, poll};

/// Error numbers of preview 1.
pub(super) mod errno {
    pub(in super::super) const SUCCESS: i32 = 0;
    pub(in super::super) const ACCES: i32 = 2;
    pub(in super::super) const BADF: i32 = 8;
    pub(in super::super) const BUSY: i32 = 10;
    pub(in super::super) const EXIST: i32 = 20;
    pub(in super::super) const FAULT: i32 = 21;
    pub(in super::super) const INVAL: i32 = 28;
    pub(in super::super) const ISDIR: i32 = 31;
    pub(in super::super) const NAMETOOLONG: i32 = 37;
    pub(in super::super) const NOENT: i32 = 44;
    pub(in super::super) const NOTDIR: i32 = 54;
    pub(in super::super) const NOTEMPTY: i32 = 55;
    pub(in super::super) const NOTSOCK: i32 = 57;
    pub(in super::super) const OVERFLOW: i32 = 61;
    pub(in super::super) const PERM: i32 = 63;
    pub(in super::super) const SPIPE: i32 = 70;
}

const CHARACTER_DEVICE: u8 = 2;
pub(super) const DIRECTORY: u8 = 3;
pub(super) const REGULAR_FILE: u8 = 4;

/// Rights that folders have not: `fd_seek`, `fd_tell`, `fd_write`, `fd_allocate`, `fd_filestat_set_size` are for files, and
/// `path_filestat_set_size` holds for no path, whether it is there or not.
const RIGHTS_OF_NO_FOLDER: u64 = 1 << 2 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 19 | 1 << 22;

/// Bytes of a `fdstat`.
const FDSTAT: usize = 24;
/// Offsets in it.
const RIGHTS: usize = 8;
const INHERITING: usize = 16;

pub(super) type Answer = Result<i32, RuntimeError>;

/// One call of an import.
pub(super) struct Call<'a, 's> {
    store: &'a mut StoreMut<'s>,
    pub(super) border: &'a Border,
    memory: &'a Memory,
    function: &'a Function,
    pub(super) args: &'a [Value],
}

impl<'a, 's> Call<'a, 's> {
    pub(super) fn new(
        store: &'a mut StoreMut<'s>,
        border: &'a Border,
        memory: &'a Memory,
        function: &'a Function,
        args: &'a [Value],
    ) -> Call<'a, 's> {
        Call {
            store,
            border,
            memory,
            function,
            args,
        }
    }

    pub(super) fn function(&self) -> &'a Function {
        self.function
    }

    /// Returns an argument as a number, zero-extended.
    pub(super) fn number(&self, at: usize) -> u64 {
        match self.args.get(at) {
            Some(Value::I32(number)) => u64::from(number.cast_unsigned()),
            Some(Value::I64(number)) => number.cast_unsigned(),
            _ => 0,
        }
    }

    pub(super) fn argument(&self, at: usize) -> Value {
        self.args.get(at).cloned().unwrap_or(Value::I32(-1))
    }

    pub(super) fn descriptor(&self, at: usize) -> u32 {
        u32::try_from(self.number(at)).unwrap_or(u32::MAX)
    }

    /// Returns a pointer as wide as the argument at `like`.
    pub(super) fn pointer(&self, like: usize, to: u64) -> Value {
        match self.args.get(like) {
            Some(Value::I64(_)) => Value::I64(to.cast_signed()),
            _ => Value::I32((to as u32).cast_signed()),
        }
    }

    fn view(&self) -> MemoryView<'_> {
        self.memory.view(self.store)
    }

    pub(super) fn read(&self, at: u64, bytes: &mut [u8]) -> Option<()> {
        self.view().read(at, bytes).ok()
    }

    pub(super) fn read_u64(&self, at: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        self.read(at, &mut bytes)?;
        Some(u64::from_le_bytes(bytes))
    }

    pub(super) fn write(&self, at: u64, bytes: &[u8]) -> Option<()> {
        self.view().write(at, bytes).ok()
    }

    /// Calls the import itself, with the module's arguments.
    pub(super) fn go_on(&mut self) -> Answer {
        self.ask(self.function, self.args)
    }

    pub(super) fn ask(&mut self, function: &Function, args: &[Value]) -> Answer {
        let results = function.call(self.store, args)?;
        match results.first() {
            Some(Value::I32(errno)) => Ok(*errno),
            _ => Ok(errno::SUCCESS),
        }
    }

    /// Returns whether no other thread of the module can see its memory meanwhile.
    pub(super) fn can_look(&self) -> bool {
        !self.memory.ty(self.store).shared
    }

    /// Returns the `N` bytes that `function` writes, using a place in the module's memory that is restored afterwards.
    /// `None` if the function fails, or if other threads of the module could see that place meanwhile.
    pub(super) fn look<const N: usize>(
        &mut self,
        function: &Function,
        args: impl FnOnce(&Self, u64) -> Vec<Value>,
    ) -> Result<Option<[u8; N]>, RuntimeError> {
        /// Beyond the first addresses, which null pointers may refer to.
        const PLACE: u64 = 1024;
        if !self.can_look() {
            return Ok(None);
        }
        let (mut before, mut found) = ([0; N], [0; N]);
        if self.read(PLACE, &mut before).is_none() {
            return Ok(None);
        }
        let args = args(self, PLACE);
        let errno = self.ask(function, &args)?;
        let read = self.read(PLACE, &mut found);
        self.write(PLACE, &before);
        Ok(read.filter(|()| errno == errno::SUCCESS).map(|()| found))
    }

    /// Returns a clock's time by `clock_time_get`, in nanoseconds. `like` is the index of a pointer argument, `result`
    /// a place that may be overwritten.
    pub(super) fn time(
        &mut self,
        time: &Function,
        clock: u32,
        (like, result): (usize, u64),
    ) -> Result<Option<u64>, RuntimeError> {
        let args = [
            Value::I32(clock.cast_signed()),
            Value::I64(1),
            self.pointer(like, result),
        ];
        let told = self.ask(time, &args)?;
        Ok(self.read_u64(result).filter(|_| told == errno::SUCCESS))
    }

    /// The type of what a descriptor stands for; nothing if it is not open, or cannot be asked for.
    pub(super) fn kind(&mut self, fdstat: &Function, descriptor: u32) -> Result<Option<u8>, RuntimeError> {
        Ok(self.stat(fdstat, descriptor)?.map(|stat| stat.kind))
    }

    /// Returns the status of a descriptor; `None` if it is not open, or cannot be asked for.
    pub(super) fn stat(&mut self, fdstat: &Function, descriptor: u32) -> Result<Option<Stat>, RuntimeError> {
        let is_wide = fdstat.ty(self.store).params().get(1) == Some(&Type::I64);
        let found = self.look::<FDSTAT>(fdstat, |_, place| {
            let place = match is_wide {
                true => Value::I64(place.cast_signed()),
                false => Value::I32((place as u32).cast_signed()),
            };
            vec![Value::I32(descriptor.cast_signed()), place]
        })?;
        let number = |stat: &[u8; FDSTAT], at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&stat[at..at + 8]);
            u64::from_le_bytes(bytes)
        };
        Ok(found.map(|stat| Stat {
            kind: stat[0],
            rights: number(&stat, RIGHTS),
            inheriting: number(&stat, INHERITING),
        }))
    }
}

/// A `fdstat`, without its flags.
pub(super) struct Stat {
    pub(super) kind: u8,
    pub(super) rights: u64,
    pub(super) inheriting: u64,
}

/// A check that runs in place of one import.
pub(super) enum Check {
    /// `fd_seek`: refuses to seek anything but files, and to seek to an invalid position.
    Seek {
        /// The value of `whence` that means the current position.
        current: u64,
        tell: Function,
        fdstat: Function,
    },
    /// `fd_prestat_get`, `fd_prestat_dir_name`: only for granted folders.
    Prestat,
    /// `fd_fdstat_get`: removes write rights from folders.
    Fdstat,
    /// `fd_tell`: of files.
    Tell { fdstat: Function },
    /// `fd_allocate`, `fd_filestat_set_size`: of files.
    Resize { fdstat: Function },
    /// `fd_close`: of everything that is open.
    Close { fdstat: Function },
    /// `fd_renumber`: the descriptor is moved.
    Renumber { close: Function, fdstat: Function },
    /// Reading and writing without the right: the descriptor was not opened for it.
    Access,
    /// `sock_shutdown`: only for sockets.
    Shutdown,
    /// `poll_oneoff`: evaluates each clock by itself.
    Poll { time: Function },
    /// `path_link`: of what is not a folder.
    Link { filestat: Function },
    /// `path_open`: with the rights that were asked for.
    Open(opened::Rights),
    /// `path_readlink`: as much of the contents as there is room for.
    Readlink,
    /// `path_rename`: both paths must end in a name.
    Rename { filestat: Function },
    /// `path_create_directory`: refuses an empty path.
    CreateDirectory,
    /// `path_remove_directory`: also for a folder that was not looked up before.
    RemoveDirectory { filestat: Function },
    /// `path_symlink`: checks that the link's parent is a folder.
    Symlink { filestat: Function },
    /// `path_unlink_file`: the path must end in a name.
    UnlinkFile,
}

impl Check {
    pub(super) fn of(
        module: &str,
        name: &str,
        plain: bool,
        look_up: &impl Fn(&str) -> Option<Function>,
    ) -> Option<Check> {
        let check = match name {
            "fd_seek" => Check::Seek {
                current: if module == "wasi_unstable" { 0 } else { 1 },
                tell: look_up("fd_tell")?,
                fdstat: look_up("fd_fdstat_get")?,
            },
            "fd_prestat_get" | "fd_prestat_dir_name" => Check::Prestat,
            "fd_fdstat_get" => Check::Fdstat,
            "fd_tell" => Check::Tell {
                fdstat: look_up("fd_fdstat_get")?,
            },
            "fd_allocate" | "fd_filestat_set_size" => Check::Resize {
                fdstat: look_up("fd_fdstat_get")?,
            },
            "fd_close" if plain => Check::Close {
                fdstat: look_up("fd_fdstat_get")?,
            },
            // WASIX's C library implements `dup2` with it.
            "fd_renumber" if plain => Check::Renumber {
                close: look_up("fd_close")?,
                fdstat: look_up("fd_fdstat_get")?,
            },
            "fd_read" | "fd_pread" | "fd_write" | "fd_pwrite" => Check::Access,
            "sock_shutdown" => Check::Shutdown,
            // wasmer-wasix does not read the older layout.
            "poll_oneoff" if module != "wasi_unstable" => Check::Poll {
                time: look_up("clock_time_get")?,
            },
            "path_link" => Check::Link {
                filestat: look_up("path_filestat_get")?,
            },
            "path_open" if plain => Check::Open(opened::Rights {
                fdstat: look_up("fd_fdstat_get")?,
                set: look_up("fd_fdstat_set_rights")?,
            }),
            "path_readlink" => Check::Readlink,
            "path_rename" => Check::Rename {
                filestat: look_up("path_filestat_get")?,
            },
            "path_create_directory" => Check::CreateDirectory,
            "path_remove_directory" => Check::RemoveDirectory {
                filestat: look_up("path_filestat_get")?,
            },
            "path_symlink" => Check::Symlink {
                filestat: look_up("path_filestat_get")?,
            },
            "path_unlink_file" => Check::UnlinkFile,
            _ => return None,
        };
        Some(check)
    }

    pub(super) fn run(&self, call: &mut Call<'_, '_>) -> Answer {
        match self {
            Check::Seek {
                current,
                tell,
                fdstat,
            } => seek(call, *current, tell, fdstat),
            Check::Prestat if !call.border.opened.is_granted(call.descriptor(0)) => Ok(errno::BADF),
            Check::Prestat => Ok(instead(call.go_on()?, errno::OVERFLOW, errno::NAMETOOLONG)),
            Check::Fdstat => fdstat(call),
            Check::Tell { fdstat } => match call.kind(fdstat, call.descriptor(0))? {
                Some(CHARACTER_DEVICE) => Ok(errno::SPIPE),
                Some(DIRECTORY) => Ok(errno::ISDIR),
                _ => call.go_on(),
            },
            Check::Resize { fdstat } => match call.kind(fdstat, call.descriptor(0))? {
                Some(DIRECTORY) => Ok(errno::BADF),
                _ => call.go_on(),
            },
            Check::Close { fdstat } => opened::close(call, fdstat),
            Check::Renumber { close, fdstat } => opened::renumber(call, close, fdstat),
            Check::Link { filestat } => paths::link(call, filestat),
            Check::Open(rights) => opened::open(call, rights),
            Check::Readlink => paths::readlink(call),
            Check::Access => Ok(instead(call.go_on()?, errno::ACCES, errno::BADF)),
            Check::Shutdown => Ok(instead(call.go_on()?, errno::ACCES, errno::NOTSOCK)),
            Check::Poll { time } => poll::poll(call, time),
            Check::Rename { filestat } => paths::rename(call, filestat),
            Check::CreateDirectory => paths::create_directory(call),
            Check::RemoveDirectory { filestat } => paths::remove_directory(call, filestat),
            Check::Symlink { filestat } => paths::symlink(call, filestat),
            Check::UnlinkFile => paths::unlink_file(call),
        }
    }
}

fn instead(answer: i32, of: i32, right: i32) -> i32 {
    if answer == of { right } else { answer }
}

fn seek(call: &mut Call<'_, '_>, current: u64, tell: &Function, fdstat: &Function) -> Answer {
    match call.kind(fdstat, call.descriptor(0))? {
        Some(CHARACTER_DEVICE) => return Ok(errno::SPIPE),
        Some(DIRECTORY) => return Ok(errno::ISDIR),
        _ => {}
    }
    let by = call.number(1).cast_signed();
    if call.number(2) != current || by == 0 {
        return call.go_on();
    }
    // The result's place is used for the query, and restored.
    let result = call.number(3);
    let Some(before) = call.read_u64(result) else {
        return Ok(errno::FAULT);
    };
    let args = [0, 3].map(|at: usize| call.args.get(at).cloned().unwrap_or(Value::I32(0)));
    let told = call.ask(tell, &args)?;
    let position = call.read_u64(result);
    call.write(result, &before.to_le_bytes());
    match position.filter(|_| told == errno::SUCCESS) {
        Some(position)
            if position
                .checked_add_signed(by)
                .is_none_or(|to| to > i64::MAX as u64) =>
        {
            Ok(errno::INVAL)
        }
        _ => call.go_on(),
    }
}

fn fdstat(call: &mut Call<'_, '_>) -> Answer {
    let answer = call.go_on()?;
    let at = call.number(1);
    let mut kind = [0];
    if answer != errno::SUCCESS || call.read(at, &mut kind).is_none() {
        return Ok(answer);
    }
    match kind[0] {
        DIRECTORY => {
            let at = at.saturating_add(RIGHTS as u64);
            if let Some(rights) = call.read_u64(at) {
                call.write(at, &(rights & !RIGHTS_OF_NO_FOLDER).to_le_bytes());
            }
        }
        // Nothing is opened in a file.
        REGULAR_FILE if call.border.plain => {
            call.write(at.saturating_add(INHERITING as u64), &[0; 8]);
        }
        _ => {}
    }
    Ok(answer)
}
